//! The monitor, fed from every thread and read by whoever asks.
//!
//! Decides nothing about requests. A finished request leaves a sample in one of a few buffers,
//! under a lock held for one push; a background task, or whoever asks, takes them over. A full
//! buffer drops and counts, so that a flood costs no more than its samples.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwapOption;

use crate::record::Facts;
use crate::record::endpoint::Endpoint;
use crate::record::monitor::recent::{Recent, Recents};
use crate::record::monitor::{Monitor, Sample};

/// Buffers; threads spread over them.
const BUFFERS: usize = 8;
/// Samples that a buffer holds.
const ROOM: usize = 8_192;

thread_local! {
    /// The buffer of this thread.
    static OWN: usize = own();
}

fn own() -> usize {
    let mut hasher = DefaultHasher::new();
    std::thread::current().id().hash(&mut hasher);
    usize::try_from(hasher.finish() % 8).unwrap_or(0)
}

/// The monitor and what waits for it.
#[derive(Debug, Default)]
pub struct Watch {
    buffers: [Mutex<Vec<Sample>>; BUFFERS],
    monitor: Mutex<Monitor>,
    recents: Mutex<Recents>,
    dropped: AtomicU64,
    /// What the ids of requests begin with that are the gateway's own.
    own: ArcSwapOption<Box<str>>,
}

impl Watch {
    /// Takes the sample of a finished request. Probes are no callers, and operators who look at
    /// the gateway are none either; whoever is refused there is.
    pub fn see(&self, facts: &Facts, now: SystemTime) {
        let looked_at = facts.endpoint == Endpoint::Internal || facts.endpoint.is_probe();
        if (looked_at && facts.refusal.is_none()) || self.is_own(facts) {
            return;
        }
        let sample = Sample::of(facts, seconds(now));
        if let Some(recent) = Recent::of(facts, &sample) {
            lock(&self.recents).push(recent);
        }
        let place = OWN.try_with(|own| *own).unwrap_or(0);
        let Some(buffer) = self.buffers.get(place) else {
            return;
        };
        let mut buffer = lock(buffer);
        if buffer.len() < ROOM {
            buffer.push(sample);
        } else {
            drop(buffer);
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// From here on leaves requests out whose ids begin with this: the gateway's own probes.
    pub(crate) fn leave_out(&self, mark: Option<Box<str>>) {
        self.own.store(mark.map(Arc::new));
    }

    fn is_own(&self, facts: &Facts) -> bool {
        let own = self.own.load();
        let mark = own.as_ref();
        mark.is_some_and(|mark| facts.request_id.starts_with(&***mark))
    }

    /// The monitor, with everything that waited taken into account.
    pub(crate) fn monitor(&self) -> MutexGuard<'_, Monitor> {
        let mut monitor = lock(&self.monitor);
        let mut waiting = Vec::new();
        for buffer in &self.buffers {
            waiting.append(&mut lock(buffer));
        }
        waiting.sort_by_key(|sample: &Sample| sample.at);
        for sample in &waiting {
            monitor.see(sample);
        }
        monitor
    }

    /// What was refused, found or failed of late.
    pub(crate) fn recents(&self) -> MutexGuard<'_, Recents> {
        lock(&self.recents)
    }

    /// Samples that found no room.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

/// Seconds since 1970.
pub(crate) fn seconds(at: SystemTime) -> u64 {
    at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is done under these locks leaves nothing half-done that matters.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
