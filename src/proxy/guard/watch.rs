//! The deadlines of a call: to the first byte, between bytes, and in all.
//!
//! Decides when a provider has been silent for too long. It reads no clock.

use std::time::{Duration, Instant};

use crate::policy::ProviderTimeouts;

/// The provider's deadlines.
#[derive(Debug)]
pub(super) struct Watch {
    pub(super) timeouts: ProviderTimeouts,
    /// The call as a whole.
    pub(super) end: Instant,
    /// The next sign of life; none while the client still sends.
    pub(super) next: Option<Instant>,
}

impl Watch {
    pub(super) fn new(timeouts: ProviderTimeouts, now: Instant) -> Self {
        Self {
            timeouts,
            end: after(now, timeouts.total.get()),
            next: None,
        }
    }

    pub(super) fn request_sent(&mut self, now: Instant) {
        self.next
            .get_or_insert_with(|| after(now, self.timeouts.first_byte.get()));
    }

    pub(super) fn sign_of_life(&mut self, now: Instant) {
        self.next = Some(after(now, self.timeouts.idle.get()));
    }

    pub(super) fn is_over(&self, now: Instant) -> bool {
        now >= self.end
    }

    pub(super) fn left(&self, now: Instant) -> Duration {
        let next = self.next.unwrap_or(self.end).min(self.end);
        next.saturating_duration_since(now)
    }
}

pub(super) fn after(now: Instant, wait: Duration) -> Instant {
    now.checked_add(wait).unwrap_or(now)
}
