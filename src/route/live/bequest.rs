//! What is known of an endpoint, left to a successor.
//!
//! Decides that what stands between an endpoint and its next call is left (breaker, health, an
//! operator's order, a rest that was asked for), and that latency and calls in flight are not.

use std::sync::atomic::Ordering;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Live, Order};
use crate::route::breaker::bequest::{BreakerLeft, HealthLeft};

/// What an endpoint leaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveLeft {
    breaker: Option<BreakerLeft>,
    health: HealthLeft,
    order: Order,
    /// For how long the provider asked to be left alone.
    resting: Duration,
    /// For how long it has been back.
    back: Option<Duration>,
}

impl Live {
    /// What it leaves; none, where it was never in trouble.
    pub fn left(&self, now: Duration) -> Option<LiveLeft> {
        if !self.troubled.load(Ordering::Acquire) {
            return None;
        }
        let state = self.state();
        Some(LiveLeft {
            breaker: state.breaker.as_ref().map(|breaker| breaker.left(now)),
            health: HealthLeft::of(&state.health, &state.outlier, now),
            order: state.order,
            resting: state.resting.saturating_sub(now),
            back: state.back_since.map(|since| now.saturating_sub(since)),
        })
    }

    /// Takes over what another process left.
    pub fn take(&self, left: &LiveLeft, now: Duration) {
        let mut state = self.state();
        if let (Some(breaker), Some(left)) = (&mut state.breaker, &left.breaker) {
            breaker.take(left, now);
        }
        (state.health, state.outlier) = left.health.restored(now);
        state.order = left.order;
        state.resting = now.saturating_add(left.resting.min(super::LONGEST_REST));
        state.back_since = left.back.map(|ago| now.saturating_sub(ago));
        self.troubled.store(true, Ordering::Release);
    }
}
