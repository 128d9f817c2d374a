//! A moment of the process's own time: nanoseconds since it began, on a clock that never jumps.
//!
//! Decides nothing. `runtime::clock` makes moments; everything else is handed them. 64 bits last
//! for 584 years, so sums saturate rather than wrap.

use std::time::Duration;

/// A moment, as nanoseconds since the process began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Moment(u64);

impl Moment {
    /// The moment so many nanoseconds after the process began.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the process began.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// The moment that lies so much later.
    #[must_use]
    pub fn after(self, wait: Duration) -> Self {
        Self(self.0.saturating_add(nanos(wait)))
    }

    /// The moment so much earlier; the first one, if there is none.
    #[must_use]
    pub fn before(self, age: Duration) -> Self {
        Self(self.0.saturating_sub(nanos(age)))
    }

    /// How long it is from an earlier moment to this one; nothing, if it is not earlier.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// A duration as whole nanoseconds; what doesn't fit is as good as endless.
pub(crate) fn nanos(wait: Duration) -> u64 {
    u64::try_from(wait.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_and_differences_never_wrap() {
        let start = Moment::from_nanos(5);
        let later = start.after(Duration::from_secs(1));
        assert_eq!(later.since(start), Duration::from_secs(1), "a second on");
        assert_eq!(start.since(later), Duration::ZERO, "the past is no wait");
        assert_eq!(
            later.after(Duration::MAX),
            Moment::from_nanos(u64::MAX),
            "the end of time"
        );
        assert_eq!(later.before(Duration::from_secs(1)), start, "and back");
        assert_eq!(
            start.before(Duration::MAX),
            Moment::default(),
            "the beginning of time"
        );
    }
}
