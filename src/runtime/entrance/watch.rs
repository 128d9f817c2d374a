//! How long a client may take over what must come at once: the head of a request.
//!
//! Decides since when one is awaited. HTTP/1 heads end where Pingora has read one, which it tells
//! through [`Heads::is_in`]; HTTP/2 is watched frame by frame. An idle connection between two
//! requests is nobody's head: it ends after `keepalive`.

use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Instant;

use crate::admit::frames::Frames;

/// No byte of the next head has come.
const IDLE: u8 = 0;
/// A head is on its way.
const COMING: u8 = 1;
/// It has been read.
const IN: u8 = 2;

/// Where a connection of HTTP/1 is between heads. Shared by the stream and the request on it.
#[derive(Debug)]
pub(crate) struct Heads(AtomicU8);

impl Default for Heads {
    /// A connection that has just begun owes a head.
    fn default() -> Self {
        Self(AtomicU8::new(COMING))
    }
}

impl Heads {
    /// The head of a request has been read.
    pub(crate) fn is_in(&self) {
        self.0.store(IN, Ordering::Relaxed);
    }

    /// A request has ended, and the next one is waited for.
    pub(super) fn next(&self) {
        let _was = self
            .0
            .compare_exchange(IN, IDLE, Ordering::Relaxed, Ordering::Relaxed);
    }

    fn state(&self) -> u8 {
        self.0.load(Ordering::Relaxed)
    }

    fn begins(&self) {
        self.0.store(COMING, Ordering::Relaxed);
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

    /// Since when something is owed that has not come; none: nothing is. To be asked when no more
    /// is there to be read.
    pub(super) fn since(&mut self, heads: &Heads, now: impl Fn() -> Instant) -> Option<Instant> {
        let owes = match &self.speech {
            Speech::Http1 => heads.state() == COMING,
            Speech::Http2(frames) => frames.under_way().is_some(),
        };
        if owes && self.begun {
            self.begun = false;
            self.since = now();
        }
        owes.then_some(self.since)
    }

    /// Whether an answer can be written as bytes.
    pub(super) const fn is_http1(&self) -> bool {
        matches!(self.speech, Speech::Http1)
    }
}
