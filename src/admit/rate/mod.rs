//! How often: the generic cell rate algorithm (GCRA) in whole nanoseconds, on one atomic word.
//!
//! Decides whether one more may pass now, and if not, after which wait. The word is the moment at
//! which the limit will have recovered in full (the theoretical arrival time); every admission
//! moves it one interval on, from the later of itself and now, and may not move it further than a
//! burst ahead of now. So over any time at most `burst + time / interval` pass, whoever asks from
//! whichever thread: each admission is one compare-and-swap, and a refusal writes nothing. A word
//! that lies in the past says the same as one that was never used.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::moment::{Moment, nanos};
use crate::policy::limits::{Limit, Standing};

/// A word that threads share.
pub trait Word {
    /// Its value.
    fn look(&self) -> u64;
    /// Puts a new value in the place of the old one, if that is still there.
    ///
    /// # Errors
    /// The value that is there instead.
    fn replace(&self, old: u64, new: u64) -> Result<(), u64>;
}

impl Word for AtomicU64 {
    fn look(&self) -> u64 {
        self.load(Ordering::Acquire)
    }

    fn replace(&self, old: u64, new: u64) -> Result<(), u64> {
        self.compare_exchange_weak(old, new, Ordering::AcqRel, Ordering::Acquire)
            .map(|_old| ())
    }
}

/// Where one more would move the word to.
///
/// # Errors
/// It would be one too many; the wait after which it would not be.
pub fn next(word: u64, limit: &Limit, now: Moment) -> Result<u64, Duration> {
    match turn(word, limit, now) {
        (next, 0) => Ok(next),
        (_, wait) => Err(Duration::from_nanos(wait)),
    }
}

/// Where one more would move the word to, and the nanoseconds that it would have to wait.
fn turn(word: u64, limit: &Limit, now: Moment) -> (u64, u64) {
    let now = now.as_nanos();
    let next = word.max(now).saturating_add(limit.interval());
    let furthest = now.saturating_add(limit.depth());
    (next, next.saturating_sub(furthest))
}

/// Takes a place for one that can wait so long; the wait until its turn. Nobody who comes later
/// goes first.
///
/// # Errors
/// The wait would be longer; it is the error, and no place is taken.
pub fn reserve(
    word: &impl Word,
    limit: &Limit,
    longest: Duration,
    now: Moment,
) -> Result<Duration, Duration> {
    let mut seen = word.look();
    loop {
        let (next, wait) = turn(seen, limit, now);
        let wait = Duration::from_nanos(wait);
        if wait > longest {
            return Err(wait);
        }
        match word.replace(seen, next) {
            Ok(()) => return Ok(wait),
            Err(other) => seen = other,
        }
    }
}

/// Lets one pass.
///
/// # Errors
/// It would be one too many; the wait after which it would not be.
pub fn charge(word: &impl Word, limit: &Limit, now: Moment) -> Result<u64, Duration> {
    let mut seen = word.look();
    loop {
        let next = next(seen, limit, now)?;
        match word.replace(seen, next) {
            Ok(()) => return Ok(next),
            Err(other) => seen = other,
        }
    }
}

/// Where the word goes when one that passed at `then`, and stands for `interval`, is given back.
///
/// What has recovered since is not given back a second time: of all that recovered meanwhile it
/// can't be told whose it was, so it is taken for ours. So others' charges are never taken off.
pub fn returned(word: u64, interval: u64, then: Moment, now: Moment) -> u64 {
    let recovered = nanos(now.since(then));
    word.saturating_sub(interval.saturating_sub(recovered))
}

/// What is left of the tightest of several limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tightest {
    burst: u32,
    remaining: u32,
    /// Nanoseconds until all of them are there again.
    used: u64,
}

impl Tightest {
    /// What is left, for a word and so many that are paid for already.
    pub fn of(word: u64, limit: &Limit, paid: u32, now: Moment) -> Self {
        let used = word.saturating_sub(now.as_nanos());
        let free = limit.depth().saturating_sub(used);
        let remaining = free.checked_div(limit.interval()).unwrap_or(0);
        let remaining = u32::try_from(remaining).unwrap_or(u32::MAX);
        let burst = limit.burst();
        Self {
            burst,
            remaining: remaining.saturating_add(paid).min(burst),
            used,
        }
    }

    /// This, or what is left of another limit: the one with less left, and of two alike the one
    /// that takes longer.
    #[must_use]
    pub fn or(self, word: u64, limit: &Limit, paid: u32, now: Moment) -> Self {
        let used = word.saturating_sub(now.as_nanos());
        let free = limit.depth().saturating_sub(used);
        let more = u64::from(self.remaining).saturating_add(1);
        // Told without a division, which is what costs here.
        if self.remaining < limit.burst() && free >= more.saturating_mul(limit.interval()) {
            return self;
        }
        let other = Self::of(word, limit, paid, now);
        let key = |it: &Self| (it.remaining, std::cmp::Reverse(it.used));
        if key(&other) < key(&self) {
            other
        } else {
            self
        }
    }

    /// As a client is told.
    pub const fn standing(self) -> Standing {
        Standing {
            limit: self.burst,
            remaining: self.remaining,
            reset: Duration::from_nanos(self.used),
        }
    }
}

/// What is left, for a word.
pub fn standing(word: u64, limit: &Limit, now: Moment) -> Standing {
    Tightest::of(word, limit, 0, now).standing()
}

#[cfg(test)]
mod exhaustive;
#[cfg(test)]
mod tests;
