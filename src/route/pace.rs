//! How often a provider is called: exact, and fair in the order of arrival.
//!
//! Decides when the next call may go, by the generic cell rate algorithm: one number says until
//! when the calls so far are paid for. Who may wait reserves a place there, so that nobody who
//! comes later goes first. It never waits and reads no clock.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::policy::upstream::ProviderRate;

/// The calls made so far.
#[derive(Debug, Default)]
pub struct Pace {
    /// In nanoseconds: when all calls so far would have come at an even pace.
    paid_until: AtomicU64,
}

impl Pace {
    /// Takes a place for a call; answers how long it must wait for it.
    ///
    /// # Errors
    /// The wait would be longer than that; it is the error, and no place is taken.
    pub fn take(
        &self,
        limit: ProviderRate,
        longest: Duration,
        now: Duration,
    ) -> Result<Duration, Duration> {
        let period = nanos(limit.rate.period());
        let each = period
            .checked_div(limit.rate.count().get())
            .unwrap_or(1)
            .max(1);
        let at_once = each.saturating_mul(u64::from(limit.burst.get()));
        let now = nanos(now);
        let wait = |paid_until: u64| {
            let next = paid_until.max(now).saturating_add(each);
            (next, next.saturating_sub(at_once).saturating_sub(now))
        };
        let longest = nanos(longest);
        let taken =
            self.paid_until
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |paid_until| {
                    let (next, wait) = wait(paid_until);
                    (wait <= longest).then_some(next)
                });
        match taken {
            Ok(before) => Ok(Duration::from_nanos(wait(before).1)),
            Err(before) => Err(Duration::from_nanos(wait(before).1)),
        }
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    fn limit(rate: &str, burst: u32) -> ProviderRate {
        ProviderRate {
            rate: rate.parse().unwrap(),
            burst: NonZeroU32::new(burst).unwrap(),
        }
    }

    const NO_WAIT: Duration = Duration::ZERO;

    #[test]
    fn a_burst_passes_and_then_one_at_a_time() {
        let (pace, limit) = (Pace::default(), limit("60/minute", 3));
        let at = Duration::from_secs;
        let passed = |now| {
            (0..10)
                .filter(|_| pace.take(limit, NO_WAIT, now).is_ok())
                .count()
        };
        assert_eq!(passed(at(100)), 3, "the burst");
        assert_eq!(passed(at(101)), 1, "a second's worth");
        assert_eq!(passed(at(103)), 2, "two seconds' worth");
        assert_eq!(passed(at(1_000)), 3, "never more than the burst");
    }

    #[test]
    fn who_is_refused_learns_how_long_it_would_be_and_takes_no_place() {
        let (pace, limit) = (Pace::default(), limit("1/second", 1));
        let now = Duration::from_secs(5);
        assert_eq!(pace.take(limit, NO_WAIT, now), Ok(NO_WAIT), "the first");
        for _ in 0..3 {
            let wait = Err(Duration::from_secs(1));
            assert_eq!(pace.take(limit, NO_WAIT, now), wait, "always the same wait");
        }
    }

    #[test]
    fn who_waits_has_a_place_of_its_own() {
        let (pace, limit) = (Pace::default(), limit("1/second", 1));
        let (now, longest) = (Duration::from_secs(5), Duration::from_secs(2));
        let waits: Vec<_> = (0..5).map(|_| pace.take(limit, longest, now)).collect();
        let secs = Duration::from_secs;
        let third = Err(secs(3));
        assert_eq!(
            waits,
            [Ok(secs(0)), Ok(secs(1)), Ok(secs(2)), third, third],
            "one after the other, as far as anyone waits"
        );
    }
}
