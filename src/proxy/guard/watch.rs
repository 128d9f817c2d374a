//! The deadlines of a call: to the first byte, between bytes, and in all.
//!
//! Decides when a provider has been silent for too long. It reads no clock.

use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use tokio::time::{Sleep, sleep_until};

use crate::policy::ProviderTimeouts;

/// The provider's deadlines.
#[derive(Debug)]
pub(super) struct Watch {
    timeouts: ProviderTimeouts,
    /// The call as a whole.
    end: Instant,
    /// The next sign of life; none while the client still sends.
    next: Option<Instant>,
    /// There was one since the last wait began.
    lives: bool,
}

impl Watch {
    pub(super) fn new(timeouts: ProviderTimeouts, now: Instant) -> Self {
        Self {
            timeouts,
            end: after(now, timeouts.total.get()),
            next: None,
            lives: false,
        }
    }

    /// The provider has said something. The next sign of life is awaited from when the client
    /// has taken it: a client that is slow is not the provider's silence.
    pub(super) fn sign_of_life(&mut self) {
        self.lives = true;
    }

    /// Nothing is awaited before a new attempt has sent its request.
    pub(super) fn renew(&mut self, timeouts: Option<ProviderTimeouts>) {
        self.next = None;
        self.lives = false;
        self.timeouts = timeouts.unwrap_or(self.timeouts);
    }

    pub(super) fn is_over(&self, now: Instant) -> bool {
        now >= self.end
    }

    /// Until when may be waited, from now on; `sent` says that the request has been sent.
    pub(super) fn end(&mut self, now: Instant, sent: bool) -> Instant {
        if std::mem::take(&mut self.lives) {
            self.next = Some(after(now, self.timeouts.idle.get()));
        } else if sent {
            self.next
                .get_or_insert_with(|| after(now, self.timeouts.first_byte.get()));
        }
        self.next.unwrap_or(self.end).min(self.end)
    }
}

/// One timer for all waits of a session. Each wait is mostly given up for one that ends later:
/// so it is set anew only where it would be too late, or has gone off too early.
#[derive(Default)]
pub(super) struct Alarm(Option<Pin<Box<Sleep>>>);

impl Alarm {
    /// Ready when it is so late.
    pub(super) fn poll(&mut self, until: Instant, context: &mut Context<'_>) -> Poll<()> {
        let until = until.into();
        let timer = self.0.get_or_insert_with(|| Box::pin(sleep_until(until)));
        if timer.deadline() > until {
            timer.as_mut().reset(until);
        }
        loop {
            ready!(timer.as_mut().poll(context));
            if timer.deadline() >= until {
                return Poll::Ready(());
            }
            timer.as_mut().reset(until);
        }
    }
}

fn after(now: Instant, wait: Duration) -> Instant {
    now.checked_add(wait).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::task::Poll;
    use std::time::Duration;

    use super::Alarm;

    #[tokio::test]
    async fn one_timer_serves_waits_that_end_earlier_and_later() {
        let (mut alarm, begun) = (Alarm::default(), crate::runtime::clock::now());
        let at = |wait| begun + wait;
        let hours = Duration::from_hours;
        for wait in [hours(1), hours(2), hours(1) / 2, hours(3)] {
            let is_over = poll_fn(|context| Poll::Ready(alarm.poll(at(wait), context).is_ready()));
            assert!(!is_over.await, "{wait:?} are not over");
        }
        let soon = Duration::from_millis(20);
        poll_fn(|context| alarm.poll(at(soon), context)).await;
        assert!(begun.elapsed() >= soon, "it is over");
        poll_fn(|context| alarm.poll(begun, context)).await;
        let is_over = poll_fn(|context| Poll::Ready(alarm.poll(at(hours(1)), context).is_ready()));
        assert!(!is_over.await, "and set anew");
    }
}
