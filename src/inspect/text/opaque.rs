//! A string that may be a picture, a sound or a file instead of text.
//!
//! Decides by its characters: base64 (after a `data:` prefix or not) piece by piece of [`PIECE`]
//! characters is counted and not told on; from the first piece on that has another character in
//! it, all is text. Strings under [`SHORT`] characters are text.
//! Never decodes. May miss: text in base64 under such a key.

use super::Listener;
use crate::inspect::channel::Channel;

/// Characters judged together.
const PIECE: usize = 1024;
/// Escapes in a piece; `\/` is one that base64 is often written with.
const ESCAPES: usize = 64;
/// Shorter strings are text, unless a prefix says what they are.
const SHORT: usize = 64;
/// The longest `data:` prefix.
const PREFIX: usize = 128;

/// Such a string as far as it was heard.
#[derive(Debug)]
pub(super) struct Opaque {
    unit: u32,
    channel: Channel,
    /// What was not decided yet.
    held: String,
    /// Runs and units of which it is made: length, offset, length in the body or 0.
    parts: Vec<(u16, u16, u64)>,
    escapes: usize,
    /// What it is read as.
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// It could be a prefix.
    Prefix,
    /// Base64, of which nothing was decided.
    First,
    /// Base64, of which a piece was counted.
    Further,
}

impl Opaque {
    pub(super) const fn new(unit: u32, channel: Channel) -> Self {
        Self {
            unit,
            channel,
            held: String::new(),
            parts: Vec::new(),
            escapes: 0,
            stage: Stage::Prefix,
        }
    }

    pub(super) const fn state_bytes(&self) -> usize {
        let parts = self
            .parts
            .capacity()
            .saturating_mul(size_of::<(u16, u16, u64)>());
        self.held.capacity().saturating_add(parts)
    }

    /// Where the first character stands that was not decided.
    pub(super) fn waiting(&self) -> Option<u64> {
        self.parts.first().map(|(_, _, at)| *at)
    }

    /// More of it; whether it turned out to be text, which was then told on.
    pub(super) fn hear(
        &mut self,
        (at, len): (u64, u16),
        text: &str,
        to: &mut impl Listener,
    ) -> bool {
        let mut rest = (at, text);
        loop {
            let (at, text) = rest;
            if text.is_empty() {
                return false;
            }
            let taken = self.take((at, len), text, to);
            let Some(after) = text.get(taken..) else {
                return false;
            };
            let moved = u64::try_from(taken).unwrap_or(u64::MAX);
            rest = (at.saturating_add(moved), after);
            if taken == 0 {
                self.give(to);
                if len == 0 {
                    to.run(at, text);
                } else {
                    to.unit(at, len, text);
                }
                return true;
            }
        }
    }

    /// Takes what can be data; how many bytes. None: it is text.
    fn take(&mut self, (at, len): (u64, u16), text: &str, to: &mut impl Listener) -> usize {
        if self.stage == Stage::Prefix {
            return self.take_prefix((at, len), text, to);
        }
        let full = self.held.len() >= PIECE || (len > 0 && self.escapes >= ESCAPES);
        if full {
            self.count(to);
        }
        let room = PIECE.saturating_sub(self.held.len());
        let taken = text.bytes().take(room).position(|byte| !is_base64(byte));
        let taken = taken.unwrap_or_else(|| text.len().min(room));
        self.hold((at, len), text.get(..taken).unwrap_or_default());
        taken
    }

    /// One character of what may be a prefix.
    fn take_prefix(&mut self, (at, len): (u64, u16), text: &str, to: &mut impl Listener) -> usize {
        const LEAD: &str = "data:";
        let Some(byte) = text.bytes().next() else {
            return 0;
        };
        let place = self.held.len();
        if let Some(want) = LEAD.as_bytes().get(place) {
            if byte != *want {
                // Not a prefix: all so far are letters, which are base64.
                self.stage = Stage::First;
                return self.take((at, len), text, to);
            }
        } else if byte == b',' && self.held.ends_with(";base64") {
            self.hold((at, len), ",");
            self.count(to);
            return 1;
        } else if place >= PREFIX || !(byte.is_ascii_alphanumeric() || b"/.+-;=_\"".contains(&byte))
        {
            return 0;
        }
        self.hold((at, len), text.get(..1).unwrap_or_default());
        1
    }

    fn hold(&mut self, (at, len): (u64, u16), text: &str) {
        if text.is_empty() {
            return;
        }
        let size = u16::try_from(text.len()).unwrap_or(u16::MAX);
        self.held.push_str(text);
        self.escapes = self.escapes.saturating_add(usize::from(len > 0));
        if let Some((held, 0, from)) = self.parts.last_mut()
            && len == 0
            && from.saturating_add(u64::from(*held)) == at
        {
            *held = held.saturating_add(size);
            return;
        }
        self.parts.push((size, len, at));
    }

    /// What is held is data.
    fn count(&mut self, to: &mut impl Listener) {
        to.opaque(u64::try_from(self.held.len()).unwrap_or(u64::MAX));
        self.clear();
        self.stage = Stage::Further;
    }

    /// What is held is text.
    fn give(&mut self, to: &mut impl Listener) {
        to.begin(self.unit, self.channel, false);
        let mut from = 0_usize;
        for (size, len, at) in &self.parts {
            let end = from.saturating_add(usize::from(*size));
            let text = self.held.get(from..end).unwrap_or_default();
            if *len == 0 {
                to.run(*at, text);
            } else {
                to.unit(*at, *len, text);
            }
            from = end;
        }
        self.clear();
    }

    fn clear(&mut self) {
        self.held.clear();
        self.parts.clear();
        self.escapes = 0;
    }

    /// The string is over.
    pub(super) fn end(mut self, to: &mut impl Listener) {
        let data = match self.stage {
            Stage::Further => true,
            Stage::First => self.held.len() >= SHORT,
            Stage::Prefix => false,
        };
        if self.held.is_empty() {
            return;
        }
        if data {
            self.count(to);
        } else {
            self.give(to);
        }
    }
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_' | b'=')
}
