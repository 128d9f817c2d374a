//! The queue of entries, and the thread that writes them.
//!
//! Decides that no request waits for a disk: an entry is handed over under a lock held for one
//! push. What finds no room, and what can't be written, is counted, and a `gap` line says how much
//! it was as soon as there can be one. Entries are gathered for a moment and written together; a
//! process that is killed loses that moment. Orders (find, erase, close) are waited for by whoever
//! gives them.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, SystemTime};

use super::store::Store;
use super::{AuditFault, Places};
use crate::record::chain::Ending;
use crate::record::chain::entry::Entry;
use crate::record::chain::personal::{Pseudonym, SubjectKey};
use crate::runtime::batches::{Batches, Load, Pace, Taken};

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
    waiting: Arc<Batches<Waiting>>,
    places: Places,
    found: &'static str,
    /// Whether another process goes on with the chain.
    goes_on: AtomicBool,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.waiting.close();
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

/// Entries and orders that wait.
#[derive(Default)]
struct Waiting {
    entries: Vec<Entry>,
    orders: VecDeque<Order>,
    /// How the chain is to end with this process; none as long as it goes on.
    ending: Option<Ending>,
    /// Entries that found no room, and have no `gap` line yet.
    refused: u64,
}

impl Load for Waiting {
    fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.orders.is_empty()
    }

    fn is_urgent(&self) -> bool {
        !self.orders.is_empty() || self.entries.len() >= MANY
    }
}

impl Waiting {
    /// Takes over what waits; how the chain is to end stays.
    fn take(&mut self) -> Self {
        let ending = self.ending;
        let taken = std::mem::take(self);
        self.ending = ending;
        taken
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
        let waiting = Arc::new(Batches::new(Pace {
            gather: GATHER,
            tick: Some(TICK),
        }));
        let (places, found) = (store.places().clone(), store.found());
        let writer = Writer {
            waiting: Arc::clone(&waiting),
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
            waiting,
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
        let waiting = &self.handle.waiting;
        let mut fits = true;
        waiting.push(|load| {
            let before = load.entries.len();
            fits = before < CAPACITY;
            if fits {
                load.entries.push(entry);
            } else {
                load.refused = load.refused.saturating_add(1);
            }
            // Woken when the queue stops being empty, and at half.
            before == 0 || before == MANY
        });
        if !fits {
            waiting.drop_some(1);
        }
    }

    /// Entries lost since the start, for want of room or to failed writes.
    pub fn dropped(&self) -> u64 {
        self.handle.waiting.dropped()
    }

    /// Waits until all that was pushed before has been written or dropped; says whether it was in
    /// time.
    pub fn flush(&self, deadline: Duration) -> bool {
        self.handle.waiting.flush(deadline)
    }

    /// Ends this process's part of the chain with a `stop` line and a checkpoint, which closes the
    /// chain unless another process goes on with it. Says whether it was in time.
    pub fn close(&self, now: SystemTime, deadline: Duration) -> bool {
        let ending = if self.handle.goes_on.load(Ordering::Relaxed) {
            Ending::Open
        } else {
            Ending::Closed
        };
        self.handle.waiting.push(|load| {
            if load.ending.is_none() {
                load.ending = Some(ending);
                let pid = u64::from(std::process::id());
                let entry = Entry::new("stop", now).number("pid", pid);
                load.entries
                    .push(entry.text("chain_state", ending.as_str()));
            }
            false
        });
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
        self.handle.waiting.push(|load| {
            load.orders.push_back(order(answer));
            true
        });
        heard
            .recv_timeout(PATIENCE)
            .unwrap_or_else(|_silence| Err(AuditFault::Writer("does not answer".to_owned())))
    }
}

/// The thread's own part.
struct Writer {
    waiting: Arc<Batches<Waiting>>,
    store: Store,
    now: fn() -> SystemTime,
    retention_days: Option<u32>,
    /// Entries that could not be written, and have no `gap` line yet.
    lost: u64,
    /// Whether the last batch could not be written: that is logged once.
    was_full: bool,
    ticks: u32,
}

impl Writer {
    fn run(mut self) {
        loop {
            let Taken {
                mut batch,
                closing,
                idle,
            } = self.waiting.next(Waiting::take);
            let count = batch.entries.len();
            self.write(&mut batch);
            for order in batch.orders {
                self.carry_out(order);
            }
            if idle {
                self.tick(batch.ending);
            }
            if self.waiting.done(closing) {
                return;
            }
            // A disk that is full stays so for a while.
            if count > 0 && self.was_full {
                thread::park_timeout(GATHER);
            }
        }
    }

    /// Writes entries, after a `gap` line if any were lost before them.
    fn write(&mut self, batch: &mut Waiting) {
        let entries = &mut batch.entries;
        self.lost = self.lost.saturating_add(batch.refused);
        if entries.is_empty() && self.lost == 0 {
            return;
        }
        let now = (self.now)();
        let count = u64::try_from(entries.len()).unwrap_or(u64::MAX);
        if self.lost > 0 {
            entries.insert(0, Entry::new("gap", now).number("lost", self.lost));
        }
        match self.store.write(entries, batch.ending, now) {
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
                self.waiting.drop_some(count);
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
