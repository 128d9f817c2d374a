//! What is usual: a mean and a spread that follow a figure slowly.
//!
//! Decides whether a value lies outside of what the values before it let expect. The first values
//! teach and are never outside. An attacker who grows slowly enough becomes usual.

/// Values that teach before any is judged.
const LESSONS: u32 = 10;

/// The weight of a new value.
const WEIGHT: f64 = 0.1;

/// Spreads above the mean that are still usual.
const SPREADS: f64 = 4.0;

/// Mean and spread of a figure.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Estimate {
    mean: f64,
    variance: f64,
    seen: u32,
}

impl Estimate {
    /// The most that would still be usual; none while there is too little to go by. `slack` is
    /// how far above its mean the figure may always lie.
    pub(super) fn most(&self, slack: f64) -> Option<f64> {
        let spread = SPREADS * self.variance.max(0.0).sqrt();
        (self.seen >= LESSONS).then_some(self.mean + spread.max(slack))
    }

    /// Learns a value.
    pub(super) fn learn(&mut self, value: f64) {
        if self.seen == 0 {
            self.mean = value;
        } else {
            let off = value - self.mean;
            self.mean += WEIGHT * off;
            self.variance = (1.0 - WEIGHT) * (self.variance + WEIGHT * off * off);
        }
        self.seen = self.seen.saturating_add(1);
    }
}
