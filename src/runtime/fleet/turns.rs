//! When the store of a fleet is asked.
//!
//! Decides the pace: soon where somebody wants a slice, at a time that the store named, and every
//! now and then, so that the store hears of a host that has nothing to ask.

use std::time::{Duration, Instant};

use super::{TICK, clock};
use crate::admit::moment::Moment;

/// How often the store is asked at most.
const SPACING: Duration = Duration::from_millis(10);
/// How often the store hears of a host that has nothing to ask.
const SIGN_OF_LIFE: Duration = Duration::from_millis(500);

/// When the store is to be asked next.
pub(super) struct Turns {
    /// When the last turn was.
    last: Instant,
    /// When the store was last asked.
    pub(super) asked: Instant,
    /// Somebody wants a slice.
    pub(super) woken: bool,
    /// When there is something to ask without being told.
    pub(super) next: Option<Moment>,
    /// News that the store had at the last turn, and this host had not.
    pub(super) behind: Option<u64>,
}

impl Turns {
    pub(super) const fn new(now: Instant) -> Self {
        Self {
            last: now,
            asked: now,
            woken: false,
            next: None,
            behind: None,
        }
    }

    /// How long until the next turn.
    pub(super) fn pause(&self, now: Instant) -> Duration {
        let since = now.saturating_duration_since(self.last);
        let tick = if self.woken { SPACING } else { TICK };
        let tick = tick.saturating_sub(since);
        let next = self
            .next
            .map(|next| next.since(clock::moment()).max(SPACING));
        next.map_or(tick, |next| next.min(tick))
    }

    /// Whether the store has not heard of this host for a while.
    pub(super) fn is_silent(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.asked) >= SIGN_OF_LIFE
    }

    /// A turn is over that began then.
    pub(super) const fn done(&mut self, began: Instant) {
        self.last = began;
        self.woken = false;
    }
}
