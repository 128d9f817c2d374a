//! A timer for waits that are mostly given up.
//!
//! Decides nothing: what is waited for, and until when, its users know.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use super::clock;

/// The longest that a timer is set for. Pingora keeps each to its end, though nobody wait any more.
const SPAN: Duration = Duration::from_secs(10);

/// One timer for all waits of a session or connection. Each wait is mostly given up for one that
/// ends later: so it is set anew only where it would be too late, or has gone off too early. It is
/// one of Pingora's: while a runtime has a timer of its own, it looks at the clock whenever it
/// sleeps.
#[derive(Default)]
pub(crate) struct Alarm(Option<Timer>);

struct Timer {
    at: Instant,
    sleep: Pin<Box<dyn Future<Output = ()> + Send + Sync>>,
}

impl Alarm {
    /// Whether it goes off by then without being set anew.
    pub(crate) fn is_set_by(&self, until: Instant) -> bool {
        self.0.as_ref().is_some_and(|timer| timer.at <= until)
    }

    /// Ready when it is so late.
    pub(crate) fn poll(&mut self, until: Instant, context: &mut Context<'_>) -> Poll<()> {
        loop {
            if let Some(timer) = self.0.as_mut().filter(|timer| timer.at <= until) {
                ready!(timer.sleep.as_mut().poll(context));
            }
            self.0 = None;
            let now = clock::now();
            let left = until.saturating_duration_since(now).min(SPAN);
            if left.is_zero() {
                return Poll::Ready(());
            }
            self.0 = Some(Timer {
                at: after(now, left),
                sleep: Box::pin(pingora::time::sleep(left)),
            });
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
