//! The one place that reads the clock; everything else is handed the time.

use std::sync::{LazyLock, OnceLock};
use std::time::{Duration, Instant, SystemTime};

use crate::admit::moment::Moment;

/// The monotonic time.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one caller that the ban points to"
)]
pub fn now() -> Instant {
    Instant::now()
}

/// The monotonic time as the inner ring takes it: since a day before the process began, so that
/// what a predecessor counted up to then has a moment too.
pub fn moment() -> Moment {
    moment_at(now())
}

/// The same of a time that was read before: the clock is read dozens of times a request otherwise.
pub fn moment_at(now: Instant) -> Moment {
    static BEGAN: OnceLock<Instant> = OnceLock::new();
    let began = BEGAN.get_or_init(|| now);
    let since = now.saturating_duration_since(*began);
    Moment::default().after(since.saturating_add(Duration::from_hours(24)))
}

/// The time of day.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one caller that the ban points to"
)]
pub fn wall() -> SystemTime {
    SystemTime::now()
}

/// The time of day in whole seconds since 1970.
pub fn unix() -> u64 {
    wall()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

/// The time since the first call, which the process makes as it starts: the monotonic time as the
/// inner ring has it.
pub fn uptime() -> Duration {
    uptime_at(now())
}

/// The same of a time that was read before.
pub fn uptime_at(at: Instant) -> Duration {
    static START: LazyLock<Instant> = LazyLock::new(now);
    // An hour is put before it, so that no moment that matters is at zero.
    at.saturating_duration_since(*START)
        .saturating_add(Duration::from_hours(1))
}
