//! The incremental JSON reader: bytes in any cuts, events out, one pass.
//!
//! Decides: whether a body is one JSON text by RFC 8259, read strictly, inside [`Limits`].
//! What two readers could understand differently is refused: duplicate keys (compared as
//! decoded, so `"a"` and `"\u0061"` collide), invalid UTF-8, lone surrogates, a byte order
//! mark, text after the value, depth and sizes past the limits.
//!
//! Never does: allocate per character, recurse, build a tree, change or normalise a byte. Its
//! state is bounded whatever the body, with the default limits under 64 KiB: a frame per level,
//! 12 to 24 bytes per key of an object still open, one key or number in the making, and at most
//! eleven bytes of an escape or three of a character that a cut went through.
//!
//! Chunking invariance: events (adjacent runs of one string joined) and the error with its
//! offset are a function of the bytes alone. A character cut in two is held back until it is
//! whole, so every run is valid UTF-8 by itself.
//!
//! May miss: nothing of the grammar; but it does not judge the *meaning*. `\u0000` is a legal
//! escape, handed on decoded unless [`Limits::nul`] forbids it; a number is checked for its form
//! and not for its range.

mod cross_check;
mod decoded;
mod escapes;
mod kept;
mod keys;
mod numbers;
mod pad;
mod pair;
mod plain;
mod reader;
#[cfg(test)]
mod tests;
mod utf8;

use std::ops::Range;

pub use cross_check::{Disagreement, cross_check};
pub use decoded::{Decoded, Escaped, Part};
pub use reader::Reader;

/// What a body may ask of the reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Objects and arrays open at once.
    pub depth: usize,
    /// Keys of all objects open at once, and so of any single object; at most 65,535 count.
    pub keys: usize,
    /// Bytes of one key, decoded.
    pub key_bytes: usize,
    /// Bytes of one number.
    pub number_bytes: usize,
    /// Whether a string or key may hold `\u0000`. It is legal JSON; but a reader behind that is
    /// written in C, or a database, ends the text there and so reads another one.
    pub nul: bool,
    /// Whether an object may have a key twice, which readers take in different ways. Where nothing
    /// is decided by what a body says, nobody need look; its keys are not counted then either.
    pub repeats: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth: 64,
            keys: 4096,
            key_bytes: 1024,
            number_bytes: 128,
            nul: true,
            repeats: false,
        }
    }
}

/// Why a body is refused, and at which byte of it. The message may be shown to a client: it
/// never holds the text at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// The byte cannot stand there.
    #[error("the body is not valid JSON (byte {offset})")]
    Malformed {
        /// The byte that cannot stand there.
        offset: u64,
    },
    /// More objects and arrays are open than [`Limits::depth`].
    #[error("the JSON is nested too deeply (byte {offset})")]
    TooDeep {
        /// The bracket that opens one level too many.
        offset: u64,
    },
    /// An object names the same key twice.
    #[error("a JSON object has the same key twice (byte {offset})")]
    DuplicateKey {
        /// The opening quote of the second one.
        offset: u64,
    },
    /// More keys are open than [`Limits::keys`].
    #[error("the JSON has too many keys (byte {offset})")]
    TooManyKeys {
        /// The opening quote of the key that is one too many.
        offset: u64,
    },
    /// A key is longer than [`Limits::key_bytes`].
    #[error("a JSON key is too long (byte {offset})")]
    KeyTooLong {
        /// The opening quote of the key.
        offset: u64,
    },
    /// A number is longer than [`Limits::number_bytes`].
    #[error("a JSON number is too long (byte {offset})")]
    NumberTooLong {
        /// The first byte of the number.
        offset: u64,
    },
    /// The bytes are not UTF-8.
    #[error("the body is not valid UTF-8 (byte {offset})")]
    BadUtf8 {
        /// The first byte of the sequence at fault.
        offset: u64,
    },
    /// An escape is half of a surrogate pair.
    #[error("a JSON string holds half a surrogate pair (byte {offset})")]
    LoneSurrogate {
        /// The backslash of the escape.
        offset: u64,
    },
    /// An escape is the character U+0000, and [`Limits::nul`] forbids it.
    #[error("a JSON string holds the character U+0000 (byte {offset})")]
    Nul {
        /// The backslash of the escape.
        offset: u64,
    },
    /// The text ends before its value does; an empty body too.
    #[error("the JSON ends too early (byte {offset})")]
    UnexpectedEnd {
        /// The length of the body.
        offset: u64,
    },
    /// Something follows the value.
    #[error("text follows the JSON value (byte {offset})")]
    TrailingData {
        /// The first byte that follows.
        offset: u64,
    },
}

impl JsonError {
    /// The byte of the body that the error is about.
    pub const fn offset(self) -> u64 {
        match self {
            Self::Malformed { offset }
            | Self::TooDeep { offset }
            | Self::DuplicateKey { offset }
            | Self::TooManyKeys { offset }
            | Self::KeyTooLong { offset }
            | Self::NumberTooLong { offset }
            | Self::BadUtf8 { offset }
            | Self::LoneSurrogate { offset }
            | Self::Nul { offset }
            | Self::UnexpectedEnd { offset }
            | Self::TrailingData { offset } => offset,
        }
    }
}

/// The three words of JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Literal {
    /// `true`
    True,
    /// `false`
    False,
    /// `null`
    Null,
}

impl Literal {
    /// The word as it stands in the text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::True => "true",
            Self::False => "false",
            Self::Null => "null",
        }
    }
}

/// Who listens to a [`Reader`]. All offsets count raw bytes from the start of the body, so that
/// the decoded text of a string maps back to what a rewrite must replace. Every method is empty
/// unless written. An event that was delivered stands even if the body is refused later: nothing
/// may be believed before [`Reader::finish`] said so.
pub trait Sink {
    /// `{` at this offset.
    fn begin_object(&mut self, _at: u64) {}
    /// `}` at this offset.
    fn end_object(&mut self, _at: u64) {}
    /// `[` at this offset.
    fn begin_array(&mut self, _at: u64) {}
    /// `]` at this offset.
    fn end_array(&mut self, _at: u64) {}
    /// A key, decoded and whole; `raw` is where it stands, quotes included. Known not to be a
    /// duplicate.
    fn key(&mut self, _raw: Range<u64>, _key: &str) {}
    /// A string value begins; the offset is that of its opening quote.
    fn string_begin(&mut self, _at: u64) {}
    /// Characters of the string that stand in the body as they are, `at` being the first byte.
    /// Never empty. A run ends at an escape, at the closing quote, at a cut of the input or of a
    /// stretch with escapes in it, never inside a character.
    fn string_run(&mut self, _at: u64, _run: &str) {}
    /// One escape of the string: `raw_len` bytes from `at` (2, 6, or 12 for a surrogate pair)
    /// that mean `ch`.
    fn string_escape(&mut self, _at: u64, _raw_len: u8, _ch: char) {}
    /// Characters of the string of which some are escapes: told so instead of as runs and escapes
    /// one by one, which is what it is unless written.
    fn string_decoded(&mut self, decoded: Decoded<'_>) {
        let mut rest = decoded;
        while let Some(part) = rest.next_part() {
            match part {
                Part::Run(at, run) => self.string_run(at, run),
                Part::Escape(at, raw_len, ch) => self.string_escape(at, raw_len, ch),
            }
        }
    }
    /// The string value ends; the offset is the one after its closing quote.
    fn string_end(&mut self, _end: u64) {}
    /// A number, to the byte as it stands in the body.
    fn number(&mut self, _at: u64, _number: &str) {}
    /// `true`, `false` or `null`.
    fn literal(&mut self, _at: u64, _literal: Literal) {}
}
