//! The queue of entries, and the thread that writes them.
//!
//! Decides that no request waits for a disk: an entry is handed over under a lock held for one
//! push. What finds no room, and what can't be written, is counted, and a `gap` line says how much
//! it was as soon as there can be one. Entries are gathered for a moment and written together; a
//! process that is killed loses that moment. Orders (find, erase, close) are waited for by whoever
//! gives them.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, SystemTime};

use super::store::Store;
use super::{AuditFault, Places};
use crate::record::chain::Ending;
use crate::record::chain::entry::Entry;
use crate::record::chain::personal::{Pseudonym, SubjectKey};

/// Entries that may wait; one beyond them is dropped.
const CAPACITY: usize = 65_536;

/// Entries at which the writer is woken before its time.
const MANY: usize = CAPACITY / 2;

/// How long entries are gathered before they are written together.
const GATHER: Duration = Duration::from_millis(20);

/// How often the writer looks whether anything is due without being told.
const TICK: Duration = Duration::from_secs(10);

/// Ticks after which old files are looked for: an hour.
const RETAIN_TICKS: u32 = 360;

/// How long an order may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The audit log. Clones share one queue and one writer, which ends with the last of them.
#[derive(Clone)]
pub struct AuditLog {
    handle: Arc<Handle>,
}

struct Handle {
    shared: Arc<Shared>,
    places: Places,
    found: &'static str,
    /// Whether another process goes on with the chain.
    goes_on: AtomicBool,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.lock().closing = true;
        self.shared.work.notify_one();
    }
}

/// What somebody waits for.
enum Order {
    Find(Box<str>, SyncSender<Result<Option<SubjectKey>, AuditFault>>),
    Erase(
        Box<str>,
        Box<Entry>,
        SyncSender<Result<Option<Pseudonym>, AuditFault>>,
    ),
}

struct Shared {
    state: Mutex<State>,
    /// Told to the writer: there is something to do.
    work: Condvar,
    /// Told to whoever flushes: a batch is done.
    written: Condvar,
    dropped: AtomicU64,
}

#[derive(Default)]
struct State {
    entries: Vec<Entry>,
    orders: VecDeque<Order>,
    /// How the chain is to end with this process; none as long as it goes on.
    ending: Option<Ending>,
    flush: bool,
    closing: bool,
    /// Whether a batch is taken and not done.
    writing: bool,
    /// Batches done.
    batches: u64,
    /// Entries that found no room, and have no `gap` line yet.
    refused: u64,
}

impl State {
    fn is_urgent(&self) -> bool {
        self.flush || self.closing || !self.orders.is_empty() || self.entries.len() >= MANY
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that is done under the lock can leave it half-done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AuditLog {
    /// Opens the audit log at a path, and starts its writer. Sealed files are kept for so many days,
    /// or for ever.
    ///
    /// # Errors
    /// It can't be written, or no thread started.
    pub fn open(
        path: &Path,
        retention_days: Option<u32>,
        now: fn() -> SystemTime,
    ) -> Result<Self, AuditFault> {
        let store = Store::open(path, now())?;
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            work: Condvar::new(),
            written: Condvar::new(),
            dropped: AtomicU64::new(0),
        });
        let (places, found) = (store.places().clone(), store.found());
        let writer = Writer {
            shared: Arc::clone(&shared),
            store,
            now,
            retention_days,
            lost: 0,
            was_full: false,
            // The first look is at the first tick.
            ticks: RETAIN_TICKS,
        };
        thread::Builder::new()
            .name("audit".to_owned())
            .spawn(move || writer.run())
            .map_err(|error| AuditFault::Writer(format!("can't be started: {error}")))?;
        let handle = Arc::new(Handle {
            shared,
            places,
            found,
            goes_on: AtomicBool::new(false),
        });
        Ok(Self { handle })
    }

    /// How the process before left the chain: `new`, `closed`, `open`, `moved` or `broken`.
    pub fn found(&self) -> &'static str {
        self.handle.found
    }

    /// Says that another process goes on with the chain when this one ends.
    pub fn goes_on(&self) {
        self.handle.goes_on.store(true, Ordering::Relaxed);
    }

    /// The log's file.
    pub fn path(&self) -> PathBuf {
        self.handle.places.log.clone()
    }

    /// Its files.
    pub(crate) fn places(&self) -> &Places {
        &self.handle.places
    }

    /// Takes an entry; drops and counts it if there is no room.
    pub fn push(&self, entry: Entry) {
        let shared = &self.handle.shared;
        let mut state = shared.lock();
        let before = state.entries.len();
        if before >= CAPACITY {
            state.refused = state.refused.saturating_add(1);
            drop(state);
            shared.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        state.entries.push(entry);
        drop(state);
        // A wake-up is a system call: one when the queue stops being empty, one at half.
        if before == 0 || before == MANY {
            shared.work.notify_one();
        }
    }

    /// Entries lost since the start, for want of room or to failed writes.
    pub fn dropped(&self) -> u64 {
        self.handle.shared.dropped.load(Ordering::Relaxed)
    }

    /// Waits until all that was pushed before has been written or dropped; says whether it was in
    /// time.
    pub fn flush(&self, deadline: Duration) -> bool {
        let shared = &self.handle.shared;
        let mut state = shared.lock();
        // The batch being written, if one is, and the one after it.
        let wanted = state
            .batches
            .wrapping_add(if state.writing { 2 } else { 1 });
        state.flush = true;
        shared.work.notify_one();
        let (state, _) = shared
            .written
            .wait_timeout_while(state, deadline, |state| {
                state.batches.wrapping_sub(wanted) > u64::MAX / 2
            })
            .unwrap_or_else(PoisonError::into_inner);
        state.batches.wrapping_sub(wanted) <= u64::MAX / 2
    }

    /// Ends this process's part of the chain with a `stop` line and a checkpoint, which closes the
    /// chain unless another process goes on with it. Says whether it was in time.
    pub fn close(&self, now: SystemTime, deadline: Duration) -> bool {
        let ending = if self.handle.goes_on.load(Ordering::Relaxed) {
            Ending::Open
        } else {
            Ending::Closed
        };
        let mut state = self.handle.shared.lock();
        if state.ending.is_none() {
            state.ending = Some(ending);
            let pid = u64::from(std::process::id());
            let entry = Entry::new("stop", now).number("pid", pid);
            state
                .entries
                .push(entry.text("chain_state", ending.as_str()));
        }
        drop(state);
        self.flush(deadline)
    }

    /// Somebody's key, if it lives.
    ///
    /// # Errors
    /// The keys can't be read, or the writer does not answer.
    pub(crate) fn find(&self, id: &str) -> Result<Option<SubjectKey>, AuditFault> {
        self.ask(|answer| Order::Find(id.into(), answer))
    }

    /// Destroys somebody's key; `entry` says who wanted it.
    ///
    /// # Errors
    /// It can't be destroyed, that can't be written down, or the writer does not answer.
    pub(crate) fn erase(&self, id: &str, entry: Entry) -> Result<Option<Pseudonym>, AuditFault> {
        self.ask(|answer| Order::Erase(id.into(), Box::new(entry), answer))
    }

    fn ask<T>(
        &self,
        order: impl FnOnce(SyncSender<Result<T, AuditFault>>) -> Order,
    ) -> Result<T, AuditFault> {
        let (answer, heard) = sync_channel(1);
        self.handle.shared.lock().orders.push_back(order(answer));
        self.handle.shared.work.notify_one();
        heard
            .recv_timeout(PATIENCE)
            .unwrap_or_else(|_silence| Err(AuditFault::Writer("does not answer".to_owned())))
    }
}

/// The thread's own part.
struct Writer {
    shared: Arc<Shared>,
    store: Store,
    now: fn() -> SystemTime,
    retention_days: Option<u32>,
    /// Entries that could not be written, and have no `gap` line yet.
    lost: u64,
    /// Whether the last batch could not be written: that is logged once.
    was_full: bool,
    ticks: u32,
}

/// What the writer took over.
struct Batch {
    entries: Vec<Entry>,
    orders: VecDeque<Order>,
    refused: u64,
    ending: Option<Ending>,
    closing: bool,
    /// Whether nothing came for a whole tick.
    idle: bool,
}

impl Writer {
    fn run(mut self) {
        loop {
            let mut batch = self.next_batch();
            let count = batch.entries.len();
            let refused = batch.refused;
            self.write(&mut batch.entries, refused, batch.ending);
            for order in batch.orders {
                self.carry_out(order);
            }
            if batch.idle {
                self.tick(batch.ending);
            }
            let mut state = self.shared.lock();
            state.batches = state.batches.wrapping_add(1);
            state.writing = false;
            let done = batch.closing && state.entries.is_empty();
            drop(state);
            self.shared.written.notify_all();
            if done {
                return;
            }
            // A disk that is full stays so for a while.
            if count > 0 && self.was_full {
                thread::park_timeout(GATHER);
            }
        }
    }

    /// Waits for something to do, gathers for a while, and takes it over.
    fn next_batch(&mut self) -> Batch {
        let state = self.shared.lock();
        let (state, late) = self
            .shared
            .work
            .wait_timeout_while(state, TICK, |state| {
                state.entries.is_empty() && !state.is_urgent()
            })
            .unwrap_or_else(PoisonError::into_inner);
        let (mut state, _) = if late.timed_out() {
            (state, late)
        } else {
            self.shared
                .work
                .wait_timeout_while(state, GATHER, |state| !state.is_urgent())
                .unwrap_or_else(PoisonError::into_inner)
        };
        state.flush = false;
        state.writing = true;
        Batch {
            entries: std::mem::take(&mut state.entries),
            orders: std::mem::take(&mut state.orders),
            refused: std::mem::take(&mut state.refused),
            ending: state.ending,
            closing: state.closing,
            idle: late.timed_out(),
        }
    }

    /// Writes entries, after a `gap` line if any were lost before them.
    fn write(&mut self, entries: &mut Vec<Entry>, refused: u64, ending: Option<Ending>) {
        self.lost = self.lost.saturating_add(refused);
        if entries.is_empty() && self.lost == 0 {
            return;
        }
        let now = (self.now)();
        let count = u64::try_from(entries.len()).unwrap_or(u64::MAX);
        if self.lost > 0 {
            entries.insert(0, Entry::new("gap", now).number("lost", self.lost));
        }
        match self.store.write(entries, ending, now) {
            Ok(()) => {
                if self.was_full || self.lost > 0 {
                    log::error!("{} entries of the audit log were lost", self.lost);
                }
                (self.lost, self.was_full) = (0, false);
            }
            Err(fault) => {
                if !self.was_full {
                    log::error!("entries of the audit log are being lost: {fault}");
                }
                self.was_full = true;
                self.lost = self.lost.saturating_add(count);
                self.shared.dropped.fetch_add(count, Ordering::Relaxed);
            }
        }
    }

    fn carry_out(&mut self, order: Order) {
        // Whoever does not wait any more needs no answer.
        match order {
            Order::Find(id, answer) => drop(answer.try_send(self.store.find(&id))),
            Order::Erase(id, entry, answer) => {
                let erased = self.store.erase(&id, *entry, (self.now)());
                drop(answer.try_send(erased));
            }
        }
    }

    /// What is due without an entry: a checkpoint, the end of a day, old files.
    fn tick(&mut self, ending: Option<Ending>) {
        let now = (self.now)();
        self.ticks = self.ticks.saturating_add(1);
        if self.store.is_unsigned()
            && let Err(fault) = self
                .store
                .write(&[], Some(ending.unwrap_or(Ending::Open)), now)
        {
            log::error!("the audit log can't be signed: {fault}");
        }
        let Some(days) = self.retention_days.filter(|_| self.ticks >= RETAIN_TICKS) else {
            return;
        };
        self.ticks = 0;
        match self.store.retain(days, now) {
            Ok(0) => {}
            Ok(files) => log::info!("{files} audit files older than {days} days were removed"),
            Err(fault) => log::error!("old audit files can't be removed: {fault}"),
        }
    }
}
