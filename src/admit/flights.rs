//! How many at once: requests in flight in all, connections in all and by address.
//!
//! Decides whether one more may begin. What began is counted until its [`Slot`] is dropped,
//! however it ends. Keys are counted only while they have a request in flight, so that there are
//! never more of them than requests.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::table::{Key, KeyMap};

/// Parts of the count by key, each with its lock.
const SHARDS: u64 = 64;

type Shard = Mutex<KeyMap<u32>>;

/// Counts of what is in flight.
#[derive(Debug)]
pub struct Flights(Arc<Counts>);

#[derive(Debug)]
struct Counts {
    all: AtomicU32,
    by_key: Box<[Shard]>,
}

impl Default for Flights {
    fn default() -> Self {
        Self(Arc::new(Counts {
            all: AtomicU32::new(0),
            by_key: (0..SHARDS).map(|_| Shard::default()).collect(),
        }))
    }
}

/// One request in flight; given back on drop.
#[derive(Debug)]
pub struct Slot {
    counts: Arc<Counts>,
    key: Option<Key>,
}

impl Flights {
    /// One more in all, of at most so many.
    pub fn begin(&self, limit: u32) -> Option<Slot> {
        self.enter(limit).then(|| self.slot(None))
    }

    /// The same, for whoever calls [`Flights::leave`] without being made to by a slot.
    pub(super) fn enter(&self, limit: u32) -> bool {
        let one_more = |count: u32| (count < limit).then(|| count.saturating_add(1));
        let all = &self.0.all;
        let entered = all.fetch_update(Ordering::AcqRel, Ordering::Relaxed, one_more);
        entered.is_ok()
    }

    /// One that entered has ended.
    pub(super) fn leave(&self) {
        self.0.all.fetch_sub(1, Ordering::AcqRel);
    }

    /// One more of a key, of at most so many.
    pub fn begin_for(&self, key: Key, limit: u32) -> Option<Slot> {
        let mut shard = self
            .0
            .shard(key)?
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let count = shard.get(&key).copied().unwrap_or(0);
        if count >= limit {
            return None;
        }
        shard.insert(key, count.saturating_add(1));
        Some(self.slot(Some(key)))
    }

    /// How many are in flight under a limit on all.
    pub fn all(&self) -> u32 {
        self.0.all.load(Ordering::Relaxed)
    }

    fn slot(&self, key: Option<Key>) -> Slot {
        Slot {
            counts: Arc::clone(&self.0),
            key,
        }
    }
}

impl Counts {
    fn shard(&self, key: Key) -> Option<&Shard> {
        let index = key.spread().checked_rem(SHARDS)?;
        self.by_key.get(usize::try_from(index).ok()?)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let Some(key) = self.key else {
            self.counts.all.fetch_sub(1, Ordering::AcqRel);
            return;
        };
        let Some(shard) = self.counts.shard(key) else {
            return;
        };
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        match shard.get_mut(&key) {
            Some(count) if *count > 1 => *count = count.saturating_sub(1),
            Some(_) | None => {
                shard.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_holds_and_what_ends_is_given_back() {
        let flights = Flights::default();
        let key = Key::of(7);
        let begin: [&dyn Fn() -> Option<Slot>; 2] =
            [&|| flights.begin(2), &|| flights.begin_for(key, 2)];
        for begin in begin {
            let one = begin();
            let two = begin();
            assert!(one.is_some() && two.is_some(), "two of two");
            assert!(begin().is_none(), "and not a third");
            drop(one);
            assert!(begin().is_some(), "until one has ended");
        }
        assert_eq!(flights.all(), 0, "nothing leaks");
        assert!(
            flights.begin_for(Key::of(8), 1).is_some(),
            "keys are counted apart"
        );
    }

    #[test]
    fn eight_threads_never_have_more_than_the_limit() {
        let flights = Flights::default();
        let at_once = AtomicU32::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..5_000 {
                        let slots = flights.begin(3).zip(flights.begin_for(Key::of(1), 3));
                        if slots.is_some() {
                            let now = at_once.fetch_add(1, Ordering::SeqCst);
                            assert!(now < 3, "at most three at once");
                            at_once.fetch_sub(1, Ordering::SeqCst);
                        }
                        drop(slots);
                    }
                });
            }
        });
        assert_eq!(flights.all(), 0, "nothing leaks");
    }
}
