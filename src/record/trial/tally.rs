//! What the requests under one policy came to.
//!
//! Decides how a request is counted, and how long the slowest twentieth waited: to within an eighth
//! of an octave, because a histogram is what threads can share without a lock.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::Part;

/// Steps of a doubling of time.
const STEPS: u32 = 8;
/// Doublings from a microsecond upward: to more than an hour.
const OCTAVES: u32 = 32;
const BUCKETS: usize = 256;

/// One request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// The gateway refused it.
    pub refused: bool,
    /// Something was found in it, and it was let through.
    pub found: bool,
    /// No provider answered it, or with a failure of its own.
    pub failed: bool,
    /// How long its caller waited for the first byte.
    pub waited: Duration,
}

/// The requests under one policy.
#[derive(Debug)]
pub struct Tally {
    requests: AtomicU64,
    refused: AtomicU64,
    found: AtomicU64,
    failed: AtomicU64,
    waits: Box<[AtomicU64]>,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            requests: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            found: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            waits: (0..BUCKETS).map(|_| AtomicU64::new(0)).collect(),
        }
    }
}

/// What a tally says at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sums {
    /// Requests that ended.
    pub requests: u64,
    /// Those that the gateway refused.
    pub refused: u64,
    /// Those in which something was found, and that passed.
    pub found: u64,
    /// Those that no provider answered well.
    pub failed: u64,
    /// How long the slowest twentieth waited, at least.
    pub slow: Duration,
}

impl Tally {
    /// Counts a request.
    pub fn note(&self, seen: &Seen) {
        let one_if = |flag: bool| u64::from(flag);
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.refused
            .fetch_add(one_if(seen.refused), Ordering::Relaxed);
        self.found.fetch_add(one_if(seen.found), Ordering::Relaxed);
        self.failed
            .fetch_add(one_if(seen.failed), Ordering::Relaxed);
        // What was refused says nothing of how long others wait.
        if !seen.refused
            && let Some(bucket) = self.waits.get(place(seen.waited))
        {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// What it says now.
    pub fn sums(&self) -> Sums {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Sums {
            requests: read(&self.requests),
            refused: read(&self.refused),
            found: read(&self.found),
            failed: read(&self.failed),
            slow: self.slow(),
        }
    }

    fn slow(&self) -> Duration {
        let waits: Vec<u64> = self
            .waits
            .iter()
            .map(|one| one.load(Ordering::Relaxed))
            .collect();
        let all: u64 = waits.iter().sum();
        let mut left = all.div_ceil(20);
        for (place, count) in waits.iter().enumerate().rev() {
            left = left.saturating_sub(*count);
            if *count > 0 && left == 0 {
                return least(place);
            }
        }
        Duration::ZERO
    }
}

/// The bucket of a wait: its doublings, and an eighth of the next one.
fn place(wait: Duration) -> usize {
    let micros = u64::try_from(wait.as_micros()).unwrap_or(u64::MAX).max(1);
    let octave = micros.ilog2().min(OCTAVES.saturating_sub(1));
    let above = micros
        .saturating_sub(1 << octave)
        .saturating_mul(u64::from(STEPS))
        >> octave;
    let step = u32::try_from(above)
        .unwrap_or(u32::MAX)
        .min(STEPS.saturating_sub(1));
    usize::try_from(octave.saturating_mul(STEPS).saturating_add(step)).unwrap_or(usize::MAX)
}

/// The shortest wait of a bucket.
fn least(place: usize) -> Duration {
    let place = u64::try_from(place).unwrap_or(u64::MAX);
    let (octave, step) = (place >> 3, place & 7);
    let whole = 1_u64
        .checked_shl(u32::try_from(octave).unwrap_or(0))
        .unwrap_or(0);
    Duration::from_micros(whole.saturating_add(whole.saturating_mul(step) >> 3))
}

impl Sums {
    /// The share of failed calls among the requests that were let through.
    pub(super) fn failed(&self) -> Part {
        Part::of(self.failed, self.requests.saturating_sub(self.refused))
    }

    /// The share of requests that were refused.
    pub(super) fn refused(&self) -> Part {
        Part::of(self.refused, self.requests)
    }

    /// The share of requests in which something was found.
    pub(super) fn found(&self) -> Part {
        Part::of(self.found, self.requests)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waited(micros: u64) -> Seen {
        Seen {
            refused: false,
            found: false,
            failed: false,
            waited: Duration::from_micros(micros),
        }
    }

    #[test]
    fn the_slowest_twentieth_is_told_to_an_eighth_of_an_octave() {
        let tally = Tally::default();
        assert_eq!(tally.sums().slow, Duration::ZERO, "nobody has waited");
        for micros in 1..=1_000 {
            tally.note(&waited(micros));
        }
        let slow = tally.sums().slow.as_micros();
        assert!((850..=951).contains(&slow), "about 951: {slow}");
        let refused = Seen {
            refused: true,
            ..waited(1)
        };
        (0..100_000).for_each(|_| tally.note(&refused));
        assert_eq!(
            tally.sums().slow.as_micros(),
            slow,
            "refusals are no answers"
        );
    }

    #[test]
    fn every_wait_has_a_bucket_that_begins_at_or_below_it() {
        let mut micros = 1_u64;
        while micros < 1 << 40 {
            let wait = Duration::from_micros(micros);
            let place = place(wait);
            assert!(place < BUCKETS, "{micros}");
            let least = least(place).as_micros();
            assert!(least <= u128::from(micros), "{micros}: {least}");
            let far = micros > 1 << 32;
            assert!(
                far || least * 9 / 8 + 1 >= u128::from(micros),
                "{micros}: {least}"
            );
            micros = micros + micros / 7 + 1;
        }
    }
}
