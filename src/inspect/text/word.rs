//! A string that should be a single word of the API's: `user`, `text`, `gpt-4o`.
//!
//! Decides whether it is one: up to [`MOST`] letters, digits and `_ . : / -`, written without
//! escapes. As soon as it is not, it is text from its first character on.

use super::Listener;
use crate::inspect::channel::Channel;

/// The longest word.
pub(super) const MOST: usize = 64;

/// A word as far as it was heard.
#[derive(Debug)]
pub(super) struct Word {
    unit: u32,
    channel: Channel,
    bytes: [u8; MOST],
    len: usize,
    /// Where the characters begin that were not told on.
    from: u64,
    text: bool,
}

impl Word {
    pub(super) const fn new(unit: u32, channel: Channel) -> Self {
        Self {
            unit,
            channel,
            bytes: [0; MOST],
            len: 0,
            from: 0,
            text: false,
        }
    }

    /// The word, or its start if it was too long.
    pub(super) fn as_str(&self) -> &str {
        std::str::from_utf8(self.bytes.get(..self.len).unwrap_or_default()).unwrap_or_default()
    }

    /// Where its first character stands, of which nobody was told.
    pub(super) fn waiting(&self) -> Option<u64> {
        (!self.text && self.len > 0).then_some(self.from)
    }

    /// More of it: a plain run, or a unit of `len` bytes.
    pub(super) fn hear(&mut self, (at, len): (u64, u16), text: &str, to: &mut impl Listener) {
        if !self.text {
            if self.len == 0 {
                self.from = at;
            }
            let fits = len == 0 && self.len.saturating_add(text.len()) <= MOST;
            if fits && text.bytes().all(is_word) {
                self.keep(text);
                return;
            }
            self.text = true;
            to.begin(self.unit, self.channel, false);
            if self.len > 0 {
                to.run(self.from, self.as_str());
            }
        }
        // A word with an escape in it still means what it says.
        self.keep(text);
        if len == 0 {
            to.run(at, text);
        } else {
            to.unit(at, len, text);
        }
    }

    fn keep(&mut self, text: &str) {
        let end = self.len.saturating_add(text.len());
        if let Some(room) = self.bytes.get_mut(self.len..end) {
            room.copy_from_slice(text.as_bytes());
            self.len = end;
        }
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b':' | b'/' | b'-')
}
