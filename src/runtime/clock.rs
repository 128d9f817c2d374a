//! The one place that reads the clock; everything else is handed the time.

use std::time::{Instant, SystemTime};

/// The monotonic time.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one caller that the ban points to"
)]
pub fn now() -> Instant {
    Instant::now()
}

/// The time of day.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one caller that the ban points to"
)]
pub fn wall() -> SystemTime {
    SystemTime::now()
}
