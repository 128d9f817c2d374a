//! What a breaker, probes and outliers leave to a successor: their state, with moments as lengths.
//!
//! Decides nothing about calls. Trials in flight stay where they are; a half-open breaker begins
//! its trials anew.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Breaker, Health, Opened, Outlier};

/// What a breaker leaves.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BreakerLeft {
    /// How long ago each failure was.
    failed: Vec<Duration>,
    /// For how long it stays open; none: it is closed.
    open: Option<Duration>,
}

/// What probes and live calls have said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthLeft {
    ill: bool,
    against: u32,
    in_a_row: u32,
    times: u32,
    /// For how long others are preferred.
    aside: Duration,
}

impl Breaker {
    /// What it leaves.
    pub fn left(&self, now: Duration) -> BreakerLeft {
        let ago = |at: &Duration| now.saturating_sub(*at);
        BreakerLeft {
            failed: self.failed_at.iter().map(ago).collect(),
            open: self
                .opened
                .as_ref()
                .map(|opened| opened.until.saturating_sub(now)),
        }
    }

    /// Takes over what another one left, as far as its own settings have room for it.
    pub fn take(&mut self, left: &BreakerLeft, now: Duration) {
        let most = usize::try_from(self.settings.failures.get()).unwrap_or(usize::MAX);
        let spare = left.failed.len().saturating_sub(most.saturating_sub(1));
        let failed = left.failed.iter().skip(spare);
        self.failed_at = failed.map(|ago| now.saturating_sub(*ago)).collect();
        self.opened = left.open.map(|open| Opened {
            until: now.saturating_add(open.min(self.settings.open_for)),
            on_trial: 0,
            succeeded: 0,
        });
    }
}

impl HealthLeft {
    /// What both leave.
    pub fn of(health: &Health, outlier: &Outlier, now: Duration) -> Self {
        Self {
            ill: health.ill,
            against: health.against,
            in_a_row: outlier.in_a_row,
            times: outlier.times,
            aside: outlier.until.saturating_sub(now),
        }
    }

    /// Both, as they were left.
    pub fn restored(&self, now: Duration) -> (Health, Outlier) {
        let health = Health {
            ill: self.ill,
            against: self.against,
        };
        let outlier = Outlier {
            in_a_row: self.in_a_row,
            times: self.times,
            until: now.saturating_add(self.aside),
        };
        (health, outlier)
    }
}
