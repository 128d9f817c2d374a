//! A coarse count of the connections that each client opens, in constant memory.
//!
//! Decides whom to suspect of a flood; `admit::flood` counts suspects exactly and decides. The
//! count is a count-min sketch of `pingora-limits`: it never counts too few, except while it is
//! being emptied, and counts too many where clients share all of their slots. Its own `Rate` is
//! not used: it reads a clock by itself, and panics where two threads empty it at once.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use pingora_limits::estimator::Estimator;

use crate::admit::client::Client;
use crate::admit::moment::Moment;

/// Rows and columns: 512 KiB.
const ROWS: usize = 4;
const COLUMNS: usize = 16_384;
/// How long is counted, until the count begins anew.
const WINDOW: Duration = Duration::from_secs(10);
/// More connections than this within a window are suspicious.
const SUSPICIOUS: isize = 500;

/// The count.
pub struct Sketch {
    counts: Estimator,
    window: AtomicU64,
}

impl fmt::Debug for Sketch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sketch")
    }
}

impl Default for Sketch {
    fn default() -> Self {
        Self {
            counts: Estimator::new(ROWS, COLUMNS),
            window: AtomicU64::new(0),
        }
    }
}

impl Sketch {
    /// Counts a connection; whether its client is to be suspected.
    pub fn suspects(&self, client: Client, now: Moment) -> bool {
        let length = u64::try_from(WINDOW.as_nanos()).unwrap_or(u64::MAX);
        let window = now.as_nanos().checked_div(length).unwrap_or(0);
        let counted = self.window.load(Ordering::Relaxed);
        let swap = |from| {
            let order = Ordering::Relaxed;
            self.window.compare_exchange(from, window, order, order)
        };
        if counted < window && swap(counted).is_ok() {
            self.counts.reset();
        }
        self.counts.incr(client, 1) > SUSPICIOUS
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    #[test]
    fn who_opens_many_is_suspected_until_the_next_window() {
        let sketch = Sketch::default();
        let client = |n: u8| Client::of(IpAddr::from([192, 0, 2, n]));
        let start = Moment::from_nanos(0).after(WINDOW * 7);
        let suspected = (1..=600).find(|_| sketch.suspects(client(1), start));
        assert_eq!(suspected, Some(SUSPICIOUS + 1), "one more than is fine");
        assert!(!sketch.suspects(client(2), start), "another is not");
        let late = start.after(WINDOW.checked_sub(Duration::from_nanos(1)).unwrap());
        assert!(sketch.suspects(client(1), late), "to the end of the window");
        let next = start.after(WINDOW);
        assert!(!sketch.suspects(client(1), next), "and it begins anew");
    }

    #[test]
    fn threads_that_count_at_the_turn_of_a_window_do_no_harm() {
        let sketch = Sketch::default();
        let client = |n: u8| Client::of(IpAddr::from([10, 0, 0, n]));
        std::thread::scope(|scope| {
            for thread in 0..8_u8 {
                let sketch = &sketch;
                scope.spawn(move || {
                    for turn in 0..2_000_u32 {
                        let now = Moment::default().after(WINDOW * turn);
                        sketch.suspects(client(thread), now);
                    }
                });
            }
        });
        let later = Moment::default().after(WINDOW * 2_000);
        for thread in 0..8 {
            assert!(!sketch.suspects(client(thread), later), "a new window");
        }
    }
}
