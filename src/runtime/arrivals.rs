//! Connections on their way in: accepted, and not yet counted as open.
//!
//! Decides nothing. The end of the process (`leaving`) waits until no listener accepts any more
//! and until what was accepted is counted, however long a busy host takes to run either.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// What has come, and whether more may.
#[derive(Debug, Default)]
pub(crate) struct Arrivals {
    closed: AtomicBool,
    accepted: AtomicU64,
    counted: AtomicU64,
}

impl Arrivals {
    /// A connection that was accepted has its place, or got none.
    pub(super) fn counted(&self) {
        self.counted.fetch_add(1, Ordering::Release);
    }

    /// Whether a listener may accept one more.
    pub(super) fn go_on(&self) -> bool {
        !self.closed.load(Ordering::Acquire)
    }

    /// How many are on their way. Who asks for open connections too asks for them after it: one
    /// that gets its place meanwhile is then seen twice, not missed.
    pub(super) fn on_their_way(&self) -> u64 {
        let counted = self.counted.load(Ordering::Acquire);
        self.accepted
            .load(Ordering::Acquire)
            .saturating_sub(counted)
    }
}

/// Held by all that accepts: dropped with the last listener.
#[derive(Debug)]
pub(super) struct Listening(Arc<Arrivals>);

impl Listening {
    pub(super) const fn new(arrivals: Arc<Arrivals>) -> Self {
        Self(arrivals)
    }

    /// A connection was accepted, and nothing else knows of it yet.
    pub(super) fn accepted(&self) {
        self.0.accepted.fetch_add(1, Ordering::Release);
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.0.closed.store(true, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_accepted_is_on_its_way_until_it_is_counted() {
        let arrivals = Arc::new(Arrivals::default());
        let listening = Listening::new(Arc::clone(&arrivals));
        listening.accepted();
        listening.accepted();
        arrivals.counted();
        assert_eq!(arrivals.on_their_way(), 1, "one of two has its place");
        assert!(arrivals.go_on(), "and more may come");
        drop(listening);
        assert!(!arrivals.go_on(), "until the last listener has gone");
    }
}
