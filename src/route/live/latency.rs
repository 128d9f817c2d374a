//! How long an endpoint takes, in one word that threads share.
//!
//! Decides how fast news counts and how fast it fades; it reads no clock.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How fast what was measured loses its weight.
const MEMORY: Duration = Duration::from_secs(10);

/// A moving average of latencies that follows a rise at once and a fall slowly (peak EWMA), so
/// that a slow endpoint is left within one answer. Without news it halves every ten seconds: an
/// endpoint that nobody calls is tried again.
#[derive(Debug, Default)]
pub(super) struct Latency {
    /// The average in microseconds, and when it was written in milliseconds, half a word each.
    packed: AtomicU64,
}

impl Latency {
    fn unpack(&self) -> (u32, u32) {
        let packed = self.packed.load(Ordering::Relaxed);
        let low = u32::try_from(packed & u64::from(u32::MAX)).unwrap_or(u32::MAX);
        (u32::try_from(packed >> 32).unwrap_or(u32::MAX), low)
    }

    pub(super) fn read(&self, now: Duration) -> u64 {
        let (micros, at) = self.unpack();
        let idle = u64::from(millis(now).wrapping_sub(at));
        let memory = u64::try_from(MEMORY.as_millis()).unwrap_or(1);
        let halvings = idle.checked_div(memory).unwrap_or(0);
        u64::from(micros)
            .checked_shr(u32::try_from(halvings).unwrap_or(u32::MAX))
            .unwrap_or(0)
    }

    /// Two writers at once may lose one of their values; the next one makes up for it.
    pub(super) fn note(&self, latency: Duration, now: Duration) {
        let known = self.read(now);
        let (_, at) = self.unpack();
        let sample = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        let memory = u64::try_from(MEMORY.as_millis()).unwrap_or(1).max(8);
        let weight = u64::from(millis(now).wrapping_sub(at)).clamp(memory >> 3, memory);
        let next = if sample >= known {
            sample
        } else {
            let sum = known
                .saturating_mul(memory)
                .saturating_add(sample.saturating_mul(weight));
            sum.checked_div(memory.saturating_add(weight))
                .unwrap_or(known)
        };
        let micros = next.clamp(1, u64::from(u32::MAX));
        let packed = (micros << 32) | u64::from(millis(now));
        self.packed.store(packed, Ordering::Relaxed);
    }
}

/// Milliseconds, modulo 49 days.
fn millis(now: Duration) -> u32 {
    let low = now.as_millis() & u128::from(u32::MAX);
    u32::try_from(low).unwrap_or(u32::MAX)
}
