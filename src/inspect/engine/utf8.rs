//! Bytes to characters, however they were cut.
//!
//! Decides nothing: what is no UTF-8 is told as such, one broken sequence at a time. Never holds
//! more than the start of one character.

use std::ops::Range;

/// What some bytes say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said<'t> {
    /// Characters that stand in the body as they are, from this offset on.
    Run(u64, &'t str),
    /// One character that is so many bytes of the body.
    Unit(u64, u16, &'t str),
    /// So many bytes of the body are no character.
    Broken(u64, u16),
}

/// A text as far as it was read.
#[derive(Debug, Default)]
pub(super) struct Utf8 {
    /// Bytes that begin a character whose rest is still to come.
    held: Vec<u8>,
    /// Where they stand in the body.
    raw: Range<u64>,
}

impl Utf8 {
    /// The next bytes, and where they stand: byte for byte, or as one escape of one byte.
    pub(super) fn push(&mut self, raw: Range<u64>, bytes: &[u8], mut say: impl FnMut(Said<'_>)) {
        let plain = length(&raw) == bytes.len();
        let (mut at, mut rest) = (raw.start, bytes);
        while !self.held.is_empty() {
            let Some((&byte, after)) = rest.split_first() else {
                return;
            };
            let end = if plain { at.saturating_add(1) } else { raw.end };
            self.held.push(byte);
            match std::str::from_utf8(&self.held) {
                Ok(text) => {
                    self.raw.end = end;
                    say(whole(&self.raw, text));
                    self.held.clear();
                }
                Err(error) if error.error_len().is_none() => self.raw.end = end,
                // The byte belongs to what follows.
                Err(_) => {
                    self.held.pop();
                    self.end(&mut say);
                    continue;
                }
            }
            (at, rest) = (end, after);
        }
        if plain {
            self.read(at, rest, say);
        } else if !rest.is_empty() {
            self.one(at..raw.end, rest, say);
        }
    }

    /// The text is over.
    pub(super) fn end(&mut self, mut say: impl FnMut(Said<'_>)) {
        if !self.held.is_empty() {
            self.held.clear();
            say(broken(&self.raw));
        }
    }

    /// Where a character begins of which the rest is still to come.
    pub(super) fn waiting(&self) -> Option<u64> {
        (!self.held.is_empty()).then_some(self.raw.start)
    }

    fn read(&mut self, mut at: u64, bytes: &[u8], mut say: impl FnMut(Said<'_>)) {
        let mut chunks = bytes.utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            if !chunk.valid().is_empty() {
                say(Said::Run(at, chunk.valid()));
            }
            at = ahead(at, chunk.valid().len());
            let end = ahead(at, chunk.invalid().len());
            if !chunk.invalid().is_empty() {
                self.odd(at..end, chunk.invalid(), chunks.peek().is_none(), &mut say);
            }
            at = end;
        }
    }

    /// One escape.
    fn one(&mut self, raw: Range<u64>, byte: &[u8], mut say: impl FnMut(Said<'_>)) {
        match std::str::from_utf8(byte) {
            Ok(text) => say(whole(&raw, text)),
            Err(_) => self.odd(raw, byte, true, say),
        }
    }

    /// Bytes that are no character, or not yet.
    fn odd(&mut self, raw: Range<u64>, bytes: &[u8], last: bool, mut say: impl FnMut(Said<'_>)) {
        let begun = std::str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none());
        if last && begun {
            self.held.extend_from_slice(bytes);
            self.raw = raw;
        } else {
            say(broken(&raw));
        }
    }
}

fn whole<'t>(raw: &Range<u64>, text: &'t str) -> Said<'t> {
    if length(raw) == text.len() {
        Said::Run(raw.start, text)
    } else {
        let len = u16::try_from(length(raw)).unwrap_or(u16::MAX);
        Said::Unit(raw.start, len, text)
    }
}

fn broken(raw: &Range<u64>) -> Said<'static> {
    Said::Broken(raw.start, u16::try_from(length(raw)).unwrap_or(u16::MAX))
}

fn length(raw: &Range<u64>) -> usize {
    usize::try_from(raw.end.saturating_sub(raw.start)).unwrap_or(usize::MAX)
}

/// The offset so many bytes further on.
pub(super) fn ahead(at: u64, len: usize) -> u64 {
    at.saturating_add(u64::try_from(len).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::{Said, Utf8, ahead};

    /// What is said of `bytes` in pieces, runs joined.
    fn heard(bytes: &[u8], size: usize) -> Vec<String> {
        let mut utf8 = Utf8::default();
        let mut told: Vec<String> = Vec::new();
        let mut open = None;
        let mut say = |said: Said<'_>| match said {
            Said::Run(at, text) if open == Some(at) => {
                if let Some(last) = told.last_mut() {
                    last.push_str(text);
                }
                open = Some(ahead(at, text.len()));
            }
            Said::Run(at, text) => {
                told.push(format!("{at} {text}"));
                open = Some(ahead(at, text.len()));
            }
            other @ (Said::Unit(..) | Said::Broken(..)) => {
                open = None;
                told.push(format!("{other:?}"));
            }
        };
        let mut at = 0;
        for piece in bytes.chunks(size) {
            let end = ahead(at, piece.len());
            utf8.push(at..end, piece, &mut say);
            at = end;
        }
        utf8.end(&mut say);
        told
    }

    #[test]
    fn no_cut_matters_and_nothing_is_left_out() {
        for (bytes, want) in [
            (
                "über 日本 \u{1f600}".as_bytes(),
                &["0 über 日本 \u{1f600}"][..],
            ),
            (b"a\xffb", &["0 a", "Broken(1, 1)", "2 b"]),
            (b"\xe2\x82", &["Broken(0, 2)"]),
            (b"\xf0\x9f\x98x", &["Broken(0, 3)", "3 x"]),
            (b"\xe2\xe2\x82\xac", &["Broken(0, 1)", "1 \u{20ac}"]),
            (b"", &[]),
        ] {
            for size in [1, 2, 3, 100] {
                assert_eq!(heard(bytes, size), want, "{bytes:?} by {size}");
            }
        }
    }

    #[test]
    fn a_character_of_escapes_is_one_unit() {
        let mut utf8 = Utf8::default();
        let mut told = Vec::new();
        for (raw, byte) in [
            (0..3, b"\xe2"),
            (3..6, b"\x82"),
            (6..9, b"\xac"),
            (9..12, b"a"),
        ] {
            utf8.push(raw, byte, |said| told.push(format!("{said:?}")));
        }
        utf8.push(12..13, b"b", |said| told.push(format!("{said:?}")));
        let want = [
            "Unit(0, 9, \"\u{20ac}\")",
            "Unit(9, 3, \"a\")",
            "Run(12, \"b\")",
        ];
        assert_eq!(told, want, "each where it stands");
    }
}
