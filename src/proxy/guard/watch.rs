//! The deadlines of a call: to the first byte, between bytes, and in all.
//!
//! Decides when a provider has been silent for too long.

use std::time::{Duration, Instant};

use crate::policy::ProviderTimeouts;

/// The provider's deadlines.
#[derive(Debug)]
pub(super) struct Watch {
    timeouts: ProviderTimeouts,
    /// The call as a whole.
    end: Instant,
    /// The next sign of life; none while the client still sends.
    next: Option<Instant>,
}

impl Watch {
    pub(super) fn new(timeouts: ProviderTimeouts, now: Instant) -> Self {
        Self {
            timeouts,
            end: after(now, timeouts.total.get()),
            next: None,
        }
    }

    /// The provider has said something, and the client has taken it. The next sign of life is
    /// awaited from then on: a client that is slow is not the provider's silence.
    pub(super) fn sign_of_life(&mut self, now: Instant) {
        self.next = Some(after(now, self.timeouts.idle.get()));
    }

    /// Nothing is awaited before a new attempt has sent its request.
    pub(super) fn renew(&mut self, timeouts: Option<ProviderTimeouts>) {
        self.next = None;
        self.timeouts = timeouts.unwrap_or(self.timeouts);
    }

    pub(super) fn is_over(&self, now: Instant) -> bool {
        now >= self.end
    }

    /// Until when may be waited; `sent` says that the request has been sent.
    pub(super) fn end(&mut self, sent: bool, now: impl FnOnce() -> Instant) -> Instant {
        if sent && self.next.is_none() {
            self.next = Some(after(now(), self.timeouts.first_byte.get()));
        }
        self.next.unwrap_or(self.end).min(self.end)
    }
}

fn after(now: Instant, wait: Duration) -> Instant {
    now.checked_add(wait).unwrap_or(now)
}
