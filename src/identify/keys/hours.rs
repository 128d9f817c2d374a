//! Hours of the week, such as `Mon-Fri 08:00-18:00`, in UTC.
//!
//! Decides whether a moment lies within them. It knows no time zones and no holidays: a rule that
//! shifts by an hour twice a year is one that nobody can check from a log.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// Why a text is no hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("is not hours; write such as 08:00-18:00 or Mon-Fri 08:00-18:00, in UTC")]
pub struct HoursFault;

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MINUTES_A_DAY: u64 = 1_440;

/// A span of the day, on some days of the week. One that ends before it begins goes on into the
/// next day, and belongs to the day it began on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hours {
    first: u64,
    last: u64,
    from: u64,
    until: u64,
}

impl Hours {
    /// Whether the moment, in seconds since 1970, lies within them.
    pub const fn hold(self, now: u64) -> bool {
        let minutes = now / 60;
        let minute = minutes.wrapping_rem(MINUTES_A_DAY);
        // 1970 began on a Thursday.
        let day = (minutes / MINUTES_A_DAY).wrapping_add(3).wrapping_rem(7);
        let yesterday = day.wrapping_add(6).wrapping_rem(7);
        if self.from < self.until {
            return self.is_day(day) && self.from <= minute && minute < self.until;
        }
        (self.is_day(day) && self.from <= minute) || (self.is_day(yesterday) && minute < self.until)
    }

    const fn is_day(self, day: u64) -> bool {
        if self.first <= self.last {
            self.first <= day && day <= self.last
        } else {
            self.first <= day || day <= self.last
        }
    }
}

impl FromStr for Hours {
    type Err = HoursFault;

    fn from_str(text: &str) -> Result<Self, HoursFault> {
        let text = text.trim();
        let (days, span) = text
            .split_once(' ')
            .map_or((None, text), |(days, span)| (Some(days), span.trim()));
        let (first, last) = match days {
            None => (0, 6),
            Some(days) => match days.split_once('-') {
                Some((first, last)) => (day(first)?, day(last)?),
                None => (day(days)?, day(days)?),
            },
        };
        let (from, until) = span.split_once('-').ok_or(HoursFault)?;
        Ok(Self {
            first,
            last,
            from: minute(from)?,
            until: minute(until)?,
        })
    }
}

fn day(text: &str) -> Result<u64, HoursFault> {
    (0..7)
        .zip(DAYS)
        .find(|(_, name)| name.eq_ignore_ascii_case(text))
        .map(|(day, _)| day)
        .ok_or(HoursFault)
}

fn minute(text: &str) -> Result<u64, HoursFault> {
    let (hours, minutes) = text.split_once(':').ok_or(HoursFault)?;
    let two_digits = |text: &str| {
        let plain = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| text.parse::<u64>().ok()).flatten()
    };
    let (hours, minutes) = (
        two_digits(hours).ok_or(HoursFault)?,
        two_digits(minutes).ok_or(HoursFault)?,
    );
    let total = hours.saturating_mul(60).saturating_add(minutes);
    if minutes > 59 || total > MINUTES_A_DAY {
        return Err(HoursFault);
    }
    Ok(total)
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let day = |day: u64| {
            usize::try_from(day)
                .ok()
                .and_then(|day| DAYS.get(day))
                .copied()
                .unwrap_or_default()
        };
        let Self {
            first,
            last,
            from,
            until,
        } = *self;
        write!(f, "{}-{} ", day(first), day(last))?;
        let (from_minute, until_minute) = (from.wrapping_rem(60), until.wrapping_rem(60));
        write!(
            f,
            "{:02}:{from_minute:02}-{:02}:{until_minute:02}",
            from / 60,
            until / 60
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-22 is a Sunday; this is its midnight.
    const SUNDAY: u64 = 1_795_305_600;

    #[test]
    fn a_moment_is_within_its_hours_or_not() {
        let at =
            |day: u64, hour: u64, minute: u64| SUNDAY + day * 86_400 + hour * 3_600 + minute * 60;
        for (hours, moment, expected) in [
            ("08:00-18:00", at(0, 8, 0), true),
            ("08:00-18:00", at(0, 7, 59), false),
            ("08:00-18:00", at(0, 18, 0), false),
            ("Mon-Fri 08:00-18:00", at(0, 12, 0), false),
            ("Mon-Fri 08:00-18:00", at(1, 12, 0), true),
            ("Mon-Fri 08:00-18:00", at(5, 17, 59), true),
            ("Mon-Fri 08:00-18:00", at(6, 12, 0), false),
            ("Sat-Mon 00:00-24:00", at(0, 23, 59), true),
            ("Sat-Mon 00:00-24:00", at(2, 0, 0), false),
            ("sun 22:00-06:00", at(0, 23, 0), true),
            ("sun 22:00-06:00", at(1, 5, 59), true),
            ("sun 22:00-06:00", at(1, 6, 0), false),
            ("sun 22:00-06:00", at(0, 5, 0), false),
        ] {
            let parsed: Hours = hours.parse().unwrap();
            assert_eq!(parsed.hold(moment), expected, "{hours} at {moment}");
            assert_eq!(
                parsed.to_string().parse::<Hours>(),
                Ok(parsed),
                "{hours} survives being written"
            );
        }
    }

    #[test]
    fn what_is_no_hours_is_refused() {
        for text in [
            "",
            "8-18",
            "08:00",
            "8:00-18:00",
            "08:60-18:00",
            "08:00-24:01",
            "Mon 08:00",
            "Moo 08:00-18:00",
            "Mon-Fri",
        ] {
            assert_eq!(text.parse::<Hours>(), Err(HoursFault), "{text:?}");
        }
    }
}
