//! How long a client may take over a request's body.
//!
//! Decides how long the next piece is waited for: the shortest of the longest pause, what is left
//! of the time for the whole, and what is left at the slowest rate. A client earns time with what
//! it sends: the longest pause to begin with, and a second for each `min_body_rate` bytes.

use std::time::Duration;

use crate::policy::ClientTimeouts;

/// How long the next piece of a body is waited for, of which `received` bytes came in the time
/// `taken`; none: it has taken too long already.
pub fn wait(timeouts: &ClientTimeouts, received: u64, taken: Duration) -> Option<Duration> {
    let idle = timeouts.body_idle.get();
    let whole = timeouts.body.get().checked_sub(taken);
    let earned = timeouts.min_body_rate.map_or(Duration::MAX, |rate| {
        let millis = u128::from(received)
            .saturating_mul(1_000)
            .checked_div(u128::from(rate.get()))
            .unwrap_or(0);
        let earned = Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX));
        idle.saturating_add(earned)
    });
    let left = earned.checked_sub(taken)?.min(whole?).min(idle);
    (!left.is_zero()).then_some(left)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::units::{ByteLimit, Span};

    #[test]
    fn time_is_earned_by_sending() {
        let timeouts = |rate| ClientTimeouts {
            header: Span::from_secs(10),
            body_idle: Span::from_secs(30),
            body: Span::from_secs(600),
            min_body_rate: rate,
            keepalive: Span::from_secs(60),
        };
        let rate = ByteLimit::new(512).ok();
        for (rate, received, taken, expected) in [
            (rate, 0, 0, Some(30)),
            (rate, 0, 29, Some(1)),
            (rate, 0, 30, None),
            (rate, 5_120, 30, Some(10)),
            (rate, 5_120, 40, None),
            (rate, 1_000_000, 100, Some(30)),
            (rate, u64::MAX, 590, Some(10)),
            (rate, u64::MAX, 600, None),
            (None, 0, 30, Some(30)),
            (None, 0, 600, None),
        ] {
            let left = wait(&timeouts(rate), received, Duration::from_secs(taken));
            assert_eq!(
                left,
                expected.map(Duration::from_secs),
                "{received} bytes in {taken} s"
            );
        }
    }
}
