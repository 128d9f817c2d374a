//! Quantities as people write them in the configuration: `30s`, `10MiB`, `60/minute`.
//!
//! Decides what is a well-formed, non-zero quantity under a hard ceiling. It never reads a clock.

use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;
use std::time::Duration;

use thiserror::Error;

/// Why a text is not a quantity.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum UnitFault {
    /// Not a duration.
    #[error("is not a duration; write a number and a unit such as 250ms, 30s, 5m or 24h")]
    Duration,
    /// Not a size.
    #[error("is not a size; write bytes or a unit such as 64KiB, 10MiB or 1GiB")]
    Size,
    /// Not a rate.
    #[error(
        "is not a rate; write a number and a period such as 60/minute (second, minute, hour, day)"
    )]
    Rate,
    /// Nothing at all is never what was meant.
    #[error("must be more than zero")]
    Zero,
    /// Over the ceiling that the program keeps to whatever is configured.
    #[error("is over the ceiling of {ceiling}")]
    Ceiling {
        /// The ceiling, as it would be written.
        ceiling: &'static str,
    },
}

/// Splits `30s` into 30 and `s`.
fn split(text: &str) -> Option<(u64, &str)> {
    let text = text.trim();
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, unit) = text.split_at_checked(end)?;
    Some((digits.parse().ok()?, unit.trim()))
}

/// A length of time, more than zero and at most a year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(Duration);

impl Span {
    /// The time as the standard library has it.
    pub const fn get(self) -> Duration {
        self.0
    }

    /// A span known at compile time.
    ///
    /// Zero seconds are read as one, so that the type's promise holds.
    pub const fn from_secs(seconds: u64) -> Self {
        Self(Duration::from_secs(if seconds == 0 { 1 } else { seconds }))
    }
}

impl FromStr for Span {
    type Err = UnitFault;

    fn from_str(text: &str) -> Result<Self, UnitFault> {
        let (number, unit) = split(text).ok_or(UnitFault::Duration)?;
        let millis_per_unit = match unit {
            "ms" => 1_u64,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(UnitFault::Duration),
        };
        let too_long = UnitFault::Ceiling { ceiling: "365d" };
        let millis = number
            .checked_mul(millis_per_unit)
            .ok_or_else(|| too_long.clone())?;
        match millis {
            0 => Err(UnitFault::Zero),
            1..=31_536_000_000 => Ok(Self(Duration::from_millis(millis))),
            _ => Err(too_long),
        }
    }
}

/// A number of bytes, more than zero and at most 16 GiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteLimit(u64);

impl ByteLimit {
    /// The bytes.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The bytes as an in-memory length; what doesn't fit is as good as endless.
    pub fn as_len(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }

    /// A number of bytes, checked.
    ///
    /// # Errors
    /// Zero, or over 16 GiB.
    pub fn new(bytes: u64) -> Result<Self, UnitFault> {
        match bytes {
            0 => Err(UnitFault::Zero),
            1..=17_179_869_184 => Ok(Self(bytes)),
            _ => Err(UnitFault::Ceiling { ceiling: "16GiB" }),
        }
    }
}

impl FromStr for ByteLimit {
    type Err = UnitFault;

    fn from_str(text: &str) -> Result<Self, UnitFault> {
        let (number, unit) = split(text).ok_or(UnitFault::Size)?;
        let bytes_per_unit = match unit {
            "" | "B" => 1_u64,
            "KiB" => 1_024,
            "MiB" => 1_048_576,
            "GiB" => 1_073_741_824,
            "KB" | "kB" => 1_000,
            "MB" => 1_000_000,
            "GB" => 1_000_000_000,
            _ => return Err(UnitFault::Size),
        };
        let bytes = number
            .checked_mul(bytes_per_unit)
            .ok_or(UnitFault::Ceiling { ceiling: "16GiB" })?;
        Self::new(bytes)
    }
}

/// So many in a period: `60/minute`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rate {
    count: NonZeroU64,
    period: Duration,
}

impl Rate {
    /// How many.
    pub const fn count(self) -> NonZeroU64 {
        self.count
    }

    /// In which period.
    pub const fn period(self) -> Duration {
        self.period
    }

    /// So many times as many, in the same period.
    #[must_use]
    pub const fn times(self, factor: NonZeroU64) -> Self {
        Self {
            count: self.count.saturating_mul(factor),
            period: self.period,
        }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let period = match self.period.as_secs() {
            1 => "second",
            60 => "minute",
            3_600 => "hour",
            _ => "day",
        };
        write!(f, "{}/{period}", self.count)
    }
}

impl FromStr for Rate {
    type Err = UnitFault;

    fn from_str(text: &str) -> Result<Self, UnitFault> {
        let (count, period) = text.split_once('/').ok_or(UnitFault::Rate)?;
        let count: u64 = count
            .trim()
            .parse()
            .map_err(|_not_a_number| UnitFault::Rate)?;
        let period = Duration::from_secs(match period.trim() {
            "second" => 1,
            "minute" => 60,
            "hour" => 3_600,
            "day" => 86_400,
            _ => return Err(UnitFault::Rate),
        });
        if count > 1_000_000_000 {
            return Err(UnitFault::Ceiling {
                ceiling: "1000000000 in a period",
            });
        }
        NonZeroU64::new(count)
            .map(|count| Self { count, period })
            .ok_or(UnitFault::Zero)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_written() {
        for (text, millis) in [
            ("250ms", 250),
            ("30s", 30_000),
            ("5m", 300_000),
            ("24h", 86_400_000),
        ] {
            let span: Span = text.parse().unwrap();
            assert_eq!(span.get(), Duration::from_millis(millis), "{text}");
        }
    }

    #[test]
    fn wrong_durations_are_refused() {
        for text in [
            "",
            "30",
            "s",
            "-1s",
            "1.5s",
            "30 seconds",
            "99999999999999999999s",
        ] {
            assert_eq!(text.parse::<Span>(), Err(UnitFault::Duration), "{text:?}");
        }
        assert_eq!(
            "0s".parse::<Span>(),
            Err(UnitFault::Zero),
            "zero is no time at all"
        );
        assert!("366d".parse::<Span>().is_err(), "over a year");
        assert!(
            "18446744073709551615h".parse::<Span>().is_err(),
            "an overflow is refused"
        );
    }

    #[test]
    fn sizes_are_read_as_written() {
        for (text, bytes) in [
            ("64KiB", 65_536),
            ("10MiB", 10_485_760),
            ("100", 100),
            ("1MB", 1_000_000),
        ] {
            assert_eq!(text.parse::<ByteLimit>().unwrap().get(), bytes, "{text}");
        }
        for text in [
            "",
            "KiB",
            "1kb",
            "-1",
            "0",
            "1e3",
            "18446744073709551615GiB",
            "17GiB",
        ] {
            assert!(
                text.parse::<ByteLimit>().is_err(),
                "{text:?} must be refused"
            );
        }
    }

    #[test]
    fn rates_are_read_as_written() {
        let rate: Rate = "60/minute".parse().unwrap();
        assert_eq!(
            (rate.count().get(), rate.period()),
            (60, Duration::from_mins(1)),
            "60/minute"
        );
        for text in ["7/second", "60/minute", "1/hour", "1000000000/day"] {
            let rate: Rate = text.parse().unwrap();
            assert_eq!(rate.to_string(), text, "written as it is read");
        }
        for text in [
            "60",
            "60/min",
            "/second",
            "0/second",
            "-1/second",
            "2000000000/day",
        ] {
            assert!(text.parse::<Rate>().is_err(), "{text:?} must be refused");
        }
    }
}
