//! What the walk hears, told to a message: where flaws stand in it.
//!
//! Decides nothing of what is wrong with a character, or of what is kept: parts a stretch at those
//! that could be flaws. Nearly all stretches have no escapes, and most have no such character.

use super::Inspector;
use super::listen::Heard;
use crate::inspect::channel::Channel;
use crate::inspect::json::Decoded;
use crate::inspect::sanitize::{self, Suspects};
use crate::inspect::text::Listener;

/// A message with what it is inspected by.
pub(super) struct Ear<'a> {
    /// What it is inspected by.
    pub(super) inspector: &'a Inspector,
    /// The message.
    pub(super) heard: &'a mut Heard,
}

impl Ear<'_> {
    fn deaf(&self) -> bool {
        self.heard.refusal().is_some()
    }
}

impl Listener for Ear<'_> {
    fn begin(&mut self, unit: u32, channel: Channel, escapable: bool) {
        if self.deaf() || self.inspector.idle {
            return;
        }
        self.heard.begin(unit, channel, escapable);
    }

    fn run(&mut self, at: u64, run: &str) {
        let inspector = self.inspector;
        let short = !run.is_empty() && run.len() < sanitize::SHORT;
        let asked = inspector.html || inspector.idle || self.deaf();
        if short && !asked && sanitize::is_plain(run.as_bytes()) {
            return self.heard.plain(inspector, at, run);
        }
        self.decoded(Decoded::plain(at, run));
    }

    fn decoded(&mut self, decoded: Decoded<'_>) {
        if self.deaf() {
            return;
        }
        if self.inspector.idle {
            return self.heard.count(self.inspector, decoded.text());
        }
        let html = self.heard.html(self.inspector);
        let (mut rest, mut done) = (decoded, 0_usize);
        let mut suspects = Suspects::new(decoded.text(), html);
        // No text must change nothing: a cut inside a character brings an empty run.
        while !rest.text().is_empty() && !self.deaf() {
            let suspect = if self.inspector.cleans {
                suspects.next()
            } else {
                None
            };
            let Some(suspect) = suspect else {
                return self.heard.text(self.inspector, rest);
            };
            let clean = suspect.saturating_sub(done);
            let (part, odd) = rest.split_at(clean);
            if !part.text().is_empty() {
                self.heard.text(self.inspector, part);
            }
            let Some(ch) = odd.text().chars().next().filter(|_| !self.deaf()) else {
                return;
            };
            let (one, after) = odd.split_at(ch.len_utf8());
            done = suspect.saturating_add(ch.len_utf8());
            let raw = one.raw()..one.raw_end();
            if !self.heard.takes_out(self.inspector, (ch, raw)) && !self.deaf() {
                self.heard.text(self.inspector, one);
            }
            rest = after;
        }
    }

    fn unit(&mut self, at: u64, len: u16, text: &str) {
        if self.deaf() {
            return;
        }
        if self.inspector.idle {
            return self.heard.count(self.inspector, text);
        }
        // A unit of several characters is a key, which is never cleaned.
        let mut chars = text.chars();
        if let (Some(ch), None) = (chars.next(), chars.next()) {
            let raw = at..at.saturating_add(u64::from(len));
            if self.heard.takes_out(self.inspector, (ch, raw)) {
                return;
            }
        }
        self.heard.whole(self.inspector, (at, len), text);
    }

    fn role(&mut self, unit: u32, channel: Channel) {
        if !self.deaf() {
            self.heard.role(unit, channel);
        }
    }

    fn opaque(&mut self, bytes: u64) {
        if !self.deaf() {
            self.heard.opaque(self.inspector, bytes);
        }
    }
}
