//! Violations of limits: by client, to tell who is to be blocked, and in all, for operators.
//!
//! Decides when a client has violated limits too often. A window opens with a client's first
//! violation and is forgotten when it ends: a client that spreads its violations over the end of
//! one and the beginning of the next may commit almost twice as many before it is blocked.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::moment::Moment;
use super::table::{Key, Table};
use crate::policy::limits::BlockRule;

/// Bits of a word that count; the others are the window's end in milliseconds.
const COUNT_BITS: u32 = 24;
const COUNT_MASK: u64 = (1 << COUNT_BITS) - 1;
const DAY: Duration = Duration::from_hours(24);

/// What of a request was over its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Violation {
    /// Too often, too many at once, too many tokens.
    Rate,
    /// Too large.
    Size,
}

/// All violations.
#[derive(Debug)]
pub struct Violations {
    clients: Table,
    rate: Today,
    size: Today,
    largest: Largest,
}

/// A count since midnight (UTC), and one of all time.
#[derive(Debug, Default)]
struct Today {
    /// The day in the upper half, its count in the lower.
    day: AtomicU64,
    all: AtomicU64,
}

/// The largest number of a day.
#[derive(Debug, Default)]
struct Largest {
    /// The day in the upper 16 bits, its largest number in the others.
    day: AtomicU64,
}

/// The counts of a day, as they are left to a successor: the day and its number.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct DayLeft {
    day: u64,
    rate: u64,
    size: u64,
    largest: u64,
}

fn day(since_epoch: Duration) -> u64 {
    since_epoch
        .as_secs()
        .checked_div(DAY.as_secs())
        .unwrap_or(0)
}

impl Today {
    fn add(&self, wall: Duration) {
        self.all.fetch_add(1, Ordering::Relaxed);
        let today = day(wall) << 32;
        let count = |seen: u64| {
            let same = seen >> 32 == today >> 32;
            Some(if same { seen } else { today }.saturating_add(1))
        };
        // The closure always answers, so this always succeeds.
        let _counted = self
            .day
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, count);
    }

    fn read(&self, wall: Duration) -> u64 {
        let seen = self.day.load(Ordering::Relaxed);
        if seen >> 32 == day(wall) {
            seen & u64::from(u32::MAX)
        } else {
            0
        }
    }
}

impl Largest {
    const BITS: u32 = 48;
    const MASK: u64 = (1 << Self::BITS) - 1;

    fn note(&self, number: u64, wall: Duration) {
        let value = (day(wall) << Self::BITS) | number.min(Self::MASK);
        // A later day is a larger number; days last for another century.
        self.day.fetch_max(value, Ordering::Relaxed);
    }

    fn read(&self, wall: Duration) -> u64 {
        let seen = self.day.load(Ordering::Relaxed);
        if seen >> Self::BITS == day(wall) {
            seen & Self::MASK
        } else {
            0
        }
    }
}

impl Violations {
    /// Room for so many clients.
    pub fn new(clients: usize) -> Self {
        Self {
            clients: Table::new(clients),
            rate: Today::default(),
            size: Today::default(),
            largest: Largest::default(),
        }
    }

    /// Counts a violation. `wall` is the time of day, since 1970.
    pub fn add(&self, violation: Violation, wall: Duration) {
        match violation {
            Violation::Rate => self.rate.add(wall),
            Violation::Size => self.size.add(wall),
        }
    }

    /// Counts a violation of a client; answers whether it is the one that has it blocked.
    pub fn is_one_too_many(&self, client: Key, rule: &BlockRule, now: Moment) -> bool {
        let now_ms = millis(now);
        let ends = now_ms.saturating_add(span_ms(rule)) << COUNT_BITS;
        let stale = |word: u64, _now: Moment| word >> COUNT_BITS <= now_ms;
        let count = self.clients.update(client, now, stale, |word| {
            let open = word >> COUNT_BITS > now_ms;
            let word = if open { word } else { ends };
            let count = (word & COUNT_MASK).saturating_add(1);
            if count >= u64::from(rule.violations) {
                // The window is closed, so that a block that was lifted is not made anew at once.
                return (Some(0), count);
            }
            (Some((word & !COUNT_MASK) | count), count)
        });
        count >= u64::from(rule.violations)
    }

    /// Violations since midnight, UTC.
    pub fn today(&self, violation: Violation, wall: Duration) -> u64 {
        match violation {
            Violation::Rate => self.rate.read(wall),
            Violation::Size => self.size.read(wall),
        }
    }

    /// Violations since the process began.
    pub fn all(&self, violation: Violation) -> u64 {
        match violation {
            Violation::Rate => self.rate.all.load(Ordering::Relaxed),
            Violation::Size => self.size.all.load(Ordering::Relaxed),
        }
    }

    /// Notes the size of a request's body.
    pub fn note_size(&self, bytes: u64, wall: Duration) {
        self.largest.note(bytes, wall);
    }

    /// The largest request since midnight, UTC.
    pub fn largest_today(&self, wall: Duration) -> u64 {
        self.largest.read(wall)
    }

    /// The windows that are open: how long they still are, and what was counted in them.
    pub(super) fn left(&self, now: Moment) -> Vec<(Key, u64)> {
        let now_ms = millis(now);
        let mut all = self.clients.words();
        for (_, word) in &mut all {
            let left = (*word >> COUNT_BITS).saturating_sub(now_ms);
            *word = (left << COUNT_BITS) | (*word & COUNT_MASK);
        }
        all.retain(|(_, word)| word >> COUNT_BITS > 0);
        all
    }

    /// Takes over windows that a predecessor left open.
    pub(super) fn take(&self, windows: Vec<(Key, u64)>, now: Moment) {
        let now_ms = millis(now);
        let stale = |word: u64, _now: Moment| word >> COUNT_BITS <= now_ms;
        for (key, word) in windows {
            let ends = now_ms.saturating_add(word >> COUNT_BITS);
            let word = (ends << COUNT_BITS) | (word & COUNT_MASK);
            self.clients.raise(key, word, now, stale);
        }
    }

    /// The counts of the day.
    pub fn day_left(&self, wall: Duration) -> DayLeft {
        DayLeft {
            day: day(wall),
            rate: self.rate.read(wall),
            size: self.size.read(wall),
            largest: self.largest.read(wall),
        }
    }

    /// Takes the counts of a day over, before anything of that day is counted here.
    pub fn take_day(&self, left: &DayLeft) {
        for (today, count) in [(&self.rate, left.rate), (&self.size, left.size)] {
            let word = (left.day << 32) | count.min(u64::from(u32::MAX));
            today.day.fetch_max(word, Ordering::Relaxed);
        }
        let largest = (left.day << Largest::BITS) | left.largest.min(Largest::MASK);
        self.largest.day.fetch_max(largest, Ordering::Relaxed);
    }
}

fn millis(now: Moment) -> u64 {
    now.as_nanos().checked_div(1_000_000).unwrap_or(0)
}

fn span_ms(rule: &BlockRule) -> u64 {
    u64::try_from(rule.within.get().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Moment {
        Moment::default().after(Duration::from_secs(seconds))
    }

    fn rule(violations: u32) -> BlockRule {
        BlockRule {
            violations,
            within: "1m".parse().unwrap(),
            block_for: "1h".parse().unwrap(),
        }
    }

    #[test]
    fn the_last_violation_of_a_window_is_one_too_many() {
        let all = Violations::new(100);
        let client = Key::of(5);
        let one_more = |second| all.is_one_too_many(client, &rule(3), at(second));
        assert!(!one_more(1) && !one_more(2), "two are not");
        assert!(one_more(60), "the third within the minute is");
        assert!(!one_more(60), "then it begins anew");
        assert!(!one_more(119), "two again");
        assert!(!one_more(121), "the window has ended: one");
        let other = all.is_one_too_many(Key::of(6), &rule(3), at(121));
        assert!(!other, "clients are counted apart");
        assert!(
            all.is_one_too_many(Key::of(7), &rule(1), at(0)),
            "the first of one"
        );
    }

    #[test]
    fn counts_of_a_day_end_with_it() {
        let all = Violations::new(100);
        let hour = Duration::from_hours;
        all.add(Violation::Rate, hour(1));
        all.add(Violation::Rate, hour(23));
        all.add(Violation::Size, hour(23));
        all.note_size(70, hour(2));
        all.note_size(50, hour(3));
        assert_eq!(all.today(Violation::Rate, hour(23)), 2, "two today");
        assert_eq!(all.today(Violation::Size, hour(23)), 1, "kinds apart");
        assert_eq!(all.largest_today(hour(5)), 70, "the largest today");
        assert_eq!(all.today(Violation::Rate, hour(24)), 0, "none tomorrow");
        assert_eq!(all.largest_today(hour(24)), 0, "nothing came tomorrow");
        all.add(Violation::Rate, hour(25));
        all.note_size(5, hour(25));
        assert_eq!(all.today(Violation::Rate, hour(25)), 1, "one tomorrow");
        assert_eq!(all.largest_today(hour(25)), 5, "a small one tomorrow");
        assert_eq!(all.all(Violation::Rate), 3, "three in all");
    }
}
