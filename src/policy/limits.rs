//! How often and how much: the limits of a policy, ready to be counted by.
//!
//! Decides what is a limit that can be counted in whole nanoseconds. What has been used of it is
//! the ledger's to know.

use std::num::NonZeroU32;
use std::time::Duration;

use thiserror::Error;

use super::units::{Rate, Span};
use crate::route::pattern::Pattern;

/// The longest that an exhausted limit may take to recover, in nanoseconds: a year.
const LONGEST_RECOVERY: u64 = 365 * 86_400 * 1_000_000_000;

/// Why a rate and a burst make no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum LimitFault {
    /// Nothing would ever pass.
    #[error("a burst of zero would let nothing pass")]
    NoBurst,
    /// The burst is worth more than a year of the rate.
    #[error("a burst of {0} would take more than a year to recover at this rate")]
    Endless(u32),
}

/// A rate, and how many may come at once.
///
/// The time that one of them stands for is rounded up to a nanosecond, so that a rate is never
/// exceeded; up to 100,000 a second that costs at most one in ten thousand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Limit {
    rate: Rate,
    burst: NonZeroU32,
    interval: u64,
    depth: u64,
}

impl Limit {
    /// A limit.
    ///
    /// # Errors
    /// A burst of nothing, or of more than a year.
    pub fn new(rate: Rate, burst: u32) -> Result<Self, LimitFault> {
        let burst = NonZeroU32::new(burst).ok_or(LimitFault::NoBurst)?;
        let period = u64::try_from(rate.period().as_nanos()).unwrap_or(LONGEST_RECOVERY);
        let interval = period.div_ceil(rate.count().get());
        let depth = interval
            .checked_mul(u64::from(burst.get()))
            .filter(|depth| *depth <= LONGEST_RECOVERY)
            .ok_or_else(|| LimitFault::Endless(burst.get()))?;
        Ok(Self {
            rate,
            burst,
            interval,
            depth,
        })
    }

    /// The rate.
    pub const fn rate(&self) -> Rate {
        self.rate
    }

    /// How many may come at once.
    pub const fn burst(&self) -> u32 {
        self.burst.get()
    }

    /// Nanoseconds that one stands for.
    pub const fn interval(&self) -> u64 {
        self.interval
    }

    /// Nanoseconds that a whole burst stands for.
    pub const fn depth(&self) -> u64 {
        self.depth
    }

    /// The part of the limit that one of so many hosts has to itself: the rate divided among
    /// them, and of the burst as many as fit, at least one. Rate and burst are told as they were.
    #[must_use]
    pub fn share(&self, hosts: u32) -> Self {
        let interval = self.interval.saturating_mul(u64::from(hosts.max(1)));
        Self {
            interval,
            depth: self.depth.max(interval),
            ..*self
        }
    }
}

/// All limits on how often and how much callers may call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// For all callers together.
    pub global: Option<Limit>,
    /// For one client address.
    pub per_ip: Option<Limit>,
    /// For one key, where the key has none of its own.
    pub per_key: KeyLimits,
    /// For each client address and each key, whatever else holds for it: what emergency measures
    /// say. They are counted apart from all others.
    pub emergency: Vec<Limit>,
    /// For models, all callers together; every one that matches counts.
    pub models: Vec<ModelLimit>,
    /// Requests in flight at once.
    pub concurrent: Option<u32>,
    /// When a client that keeps violating limits is blocked.
    pub block: Option<BlockRule>,
    /// Client addresses that are counted one by one at a time.
    pub max_clients: usize,
}

/// The limits of one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KeyLimits {
    /// How often.
    pub rate: Option<Limit>,
    /// Model tokens, of requests and answers together.
    pub tokens: Option<Limit>,
    /// Requests in flight at once.
    pub concurrent: Option<u32>,
}

impl KeyLimits {
    /// The burst of a key's rate, where none is written and the rate allows as much.
    pub const BURST: u32 = 10;
}

/// A limit on models.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelLimit {
    /// Models, any of which matches; all of them share the limit.
    pub models: Vec<Pattern>,
    /// What the limit is counted under.
    pub name: Box<str>,
    /// How often.
    pub limit: Limit,
}

/// When a client that keeps violating limits is blocked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockRule {
    /// How many violations.
    pub violations: u32,
    /// Within which time.
    pub within: Span,
    /// How long the block lasts.
    pub block_for: Span,
}

/// The level at which something was limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// All callers together.
    Global,
    /// One client address.
    Ip,
    /// One key.
    Key,
    /// One model, or group of models.
    Model,
}

impl Scope {
    /// The word in metrics and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::Ip => "per_ip",
            Self::Key => "per_key",
            Self::Model => "per_model",
        }
    }
}

/// What is left of a limit, for the client to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// How many may come at once.
    pub limit: u32,
    /// How many of them are left.
    pub remaining: u32,
    /// When all of them are there again.
    pub reset: Duration,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_never_lets_more_pass_than_its_rate() {
        for (rate, burst, interval, depth) in [
            ("60/minute", 10, 1_000_000_000, 10_000_000_000),
            ("7/second", 1, 142_857_143, 142_857_143),
            ("1000000000/second", 5, 1, 5),
            ("1/day", 365, 86_400_000_000_000, LONGEST_RECOVERY),
        ] {
            let limit = Limit::new(rate.parse().unwrap(), burst).unwrap();
            assert_eq!(
                (limit.interval(), limit.depth()),
                (interval, depth),
                "{rate}"
            );
        }
    }

    #[test]
    fn shares_add_up_to_no_more_than_the_whole_and_are_never_nothing() {
        for (burst, hosts, at_once) in [(10, 3, 3), (10, 1, 10), (2, 3, 1), (9, 3, 3)] {
            let whole = Limit::new("60/minute".parse().unwrap(), burst).unwrap();
            let share = whole.share(hosts);
            assert_eq!(
                share.depth() / share.interval(),
                at_once,
                "{burst} among {hosts}"
            );
            let rate = share.interval() / whole.interval();
            assert_eq!(rate, u64::from(hosts), "the rate of {burst} among {hosts}");
        }
    }

    #[test]
    fn bursts_of_nothing_and_of_more_than_a_year_are_refused() {
        let day: Rate = "1/day".parse().unwrap();
        assert_eq!(Limit::new(day, 0), Err(LimitFault::NoBurst), "nothing");
        assert_eq!(
            Limit::new(day, 366),
            Err(LimitFault::Endless(366)),
            "a year and a day"
        );
        assert!(Limit::new(day, u32::MAX).is_err(), "an overflow");
    }
}
