//! How long a client may take over what must come at once: the head of a request.
//!
//! Decides since when one is awaited. HTTP/1 heads end where Pingora has read one, which it tells
//! through [`Heads::is_in`]; HTTP/2 is watched frame by frame. A connection of HTTP/1 that is idle
//! between two requests owes nothing, and ends in silence after `keepalive`; Pingora's own timer
//! for that would be a new one for each request.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::admit::frames::Frames;

/// No byte of the next head has come.
const IDLE: u8 = 0;
/// A head is on its way.
const COMING: u8 = 1;
/// It has been read.
const IN: u8 = 2;

/// Where a connection of HTTP/1 is between heads. Shared by the stream and the request on it.
#[derive(Debug)]
pub(crate) struct Heads {
    state: AtomicU8,
    /// How long it may be idle, in milliseconds.
    keepalive: AtomicU64,
}

impl Default for Heads {
    /// A connection that has just begun owes a head.
    fn default() -> Self {
        Self {
            state: AtomicU8::new(COMING),
            keepalive: AtomicU64::new(0),
        }
    }
}

impl Heads {
    /// The head of a request has been read.
    pub(crate) fn is_in(&self) {
        self.state.store(IN, Ordering::Relaxed);
    }

    /// A request has ended, and the next one is waited for, for so long.
    pub(super) fn next(&self, keepalive: Duration) {
        let keepalive = u64::try_from(keepalive.as_millis()).unwrap_or(u64::MAX);
        self.keepalive.store(keepalive, Ordering::Relaxed);
        let _was = self
            .state
            .compare_exchange(IN, IDLE, Ordering::Relaxed, Ordering::Relaxed);
    }

    fn state(&self) -> u8 {
        self.state.load(Ordering::Relaxed)
    }

    fn keepalive(&self) -> Duration {
        Duration::from_millis(self.keepalive.load(Ordering::Relaxed))
    }

    fn begins(&self) {
        self.state.store(COMING, Ordering::Relaxed);
    }
}

/// What a client is waited for, and to what end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// The rest of something that it owes.
    Rest(Instant),
    /// Its next request, if it has one.
    Next(Instant),
}

impl Due {
    pub(super) const fn end(self) -> Instant {
        match self {
            Self::Rest(end) | Self::Next(end) => end,
        }
    }
}

/// What a connection speaks.
#[derive(Debug)]
pub(super) enum Speech {
    /// HTTP/1.
    Http1,
    /// HTTP/2.
    Http2(Box<Frames>),
}

/// Since when the client owes something.
#[derive(Debug)]
pub(super) struct Owed {
    speech: Speech,
    since: Instant,
    span: Option<u64>,
    /// A head has begun, and is not known to be incomplete.
    begun: bool,
    /// Since when nothing has come of the next head.
    idle: Option<Instant>,
    /// Whether any byte has come at all.
    pub(super) heard: bool,
}

impl Owed {
    pub(super) const fn new(speech: Speech, now: Instant) -> Self {
        Self {
            speech,
            since: now,
            span: None,
            begun: false,
            idle: None,
            heard: false,
        }
    }

    /// Hears what the client sent.
    pub(super) fn hear(&mut self, bytes: &[u8], heads: &Heads, now: impl Fn() -> Instant) {
        if bytes.is_empty() {
            return;
        }
        self.heard = true;
        match &mut self.speech {
            Speech::Http1 => {
                if heads.state() == IDLE {
                    heads.begins();
                    self.idle = None;
                    // Nearly all heads come whole, and need no look at the clock.
                    self.begun = true;
                }
            }
            Speech::Http2(frames) => {
                frames.hear(bytes);
                let span = frames.under_way();
                if span.is_some() && span != self.span && span != Some(1) {
                    self.since = now();
                }
                self.span = span;
            }
        }
    }

    /// What has not come, and by when it must, with so long for anything that is owed; none:
    /// nothing is waited for. To be asked when no more is there to be read.
    pub(super) fn due(
        &mut self,
        heads: &Heads,
        limit: Duration,
        now: impl Fn() -> Instant,
    ) -> Option<Due> {
        let owes = match &self.speech {
            Speech::Http1 if heads.state() == IDLE => {
                let since = *self.idle.get_or_insert_with(now);
                return since.checked_add(heads.keepalive()).map(Due::Next);
            }
            Speech::Http1 => heads.state() == COMING,
            Speech::Http2(frames) => frames.under_way().is_some(),
        };
        if owes && self.begun {
            self.begun = false;
            self.since = now();
        }
        let end = self.since.checked_add(limit);
        end.filter(|_| owes).map(Due::Rest)
    }

    /// Whether an answer can be written as bytes.
    pub(super) const fn is_http1(&self) -> bool {
        matches!(self.speech, Speech::Http1)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{Due, Heads, Owed, Speech};

    const LIMIT: Duration = Duration::from_secs(10);
    const KEEPALIVE: Duration = Duration::from_mins(1);

    /// The time so many seconds after `begin`.
    fn at(begin: Instant, seconds: u64) -> Instant {
        begin.checked_add(Duration::from_secs(seconds)).unwrap()
    }

    #[test]
    fn a_head_has_its_limit_and_an_idle_connection_its_keepalive() {
        let begin = crate::runtime::clock::now();
        let heads = Heads::default();
        let mut owed = Owed::new(Speech::Http1, begin);
        let due = |owed: &mut Owed, seconds| owed.due(&heads, LIMIT, || at(begin, seconds));
        assert_eq!(due(&mut owed, 3), Some(Due::Rest(at(begin, 10))));
        owed.hear(b"GET / HTTP/1.1\r\n\r\n", &heads, || at(begin, 4));
        heads.is_in();
        assert_eq!(due(&mut owed, 500), None, "a request is on");
        heads.next(KEEPALIVE);
        assert_eq!(due(&mut owed, 600), Some(Due::Next(at(begin, 660))));
        assert_eq!(
            due(&mut owed, 630),
            Some(Due::Next(at(begin, 660))),
            "asking again does not put it off"
        );
        owed.hear(b"GET", &heads, || at(begin, 640));
        assert_eq!(due(&mut owed, 641), Some(Due::Rest(at(begin, 651))));
        heads.is_in();
        heads.next(KEEPALIVE * 2);
        assert_eq!(
            due(&mut owed, 700),
            Some(Due::Next(at(begin, 820))),
            "each wait is its own"
        );
    }
}
