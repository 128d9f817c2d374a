//! The reader against itself at other cuts, and against `serde_json`: what the fuzz target, its
//! seeds and the property tests run. Not called by the gateway.
//!
//! May miss: a number that `serde_json` cannot represent ends its parse early, so nothing behind
//! it is compared.

use std::collections::HashSet;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::{JsonError, Limits, Literal, Reader, Sink};

/// Two readings of the same bytes that differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Disagreement {
    /// Another cut gave other events or another error.
    #[error("pieces of {size} bytes gave another reading than the whole")]
    Cut {
        /// The size of the pieces.
        size: usize,
    },
    /// The reader accepts what `serde_json` refuses.
    #[error("accepted, but serde_json refuses it")]
    Accepted,
    /// The reader refuses as malformed what `serde_json` accepts.
    #[error("refused, but serde_json accepts it: {0}")]
    Refused(JsonError),
}

/// Reads `data` whole and in pieces of several sizes, and compares with `serde_json`.
pub fn cross_check(data: &[u8]) -> Result<(), Disagreement> {
    let whole = reading(data, data.len().max(1));
    for size in [1, 2, 3, 7, 64] {
        if reading(data, size) != whole {
            return Err(Disagreement::Cut { size });
        }
    }
    let theirs = serde_json::from_slice::<Strict>(data);
    match (whole.1, theirs) {
        (Ok(()), Err(error)) if !out_of_range(&error) => Err(Disagreement::Accepted),
        (Err(error), Ok(_)) if !limit_of_ours(error) => Err(Disagreement::Refused(error)),
        (Ok(()) | Err(_), _) => Ok(()),
    }
}

/// Whether `error` is about [`Limits`], of which `serde_json` knows nothing.
const fn limit_of_ours(error: JsonError) -> bool {
    match error {
        JsonError::TooDeep { .. }
        | JsonError::TooManyKeys { .. }
        | JsonError::KeyTooLong { .. }
        | JsonError::NumberTooLong { .. }
        | JsonError::Nul { .. } => true,
        JsonError::Malformed { .. }
        | JsonError::DuplicateKey { .. }
        | JsonError::BadUtf8 { .. }
        | JsonError::LoneSurrogate { .. }
        | JsonError::UnexpectedEnd { .. }
        | JsonError::TrailingData { .. } => false,
    }
}

fn out_of_range(error: &serde_json::Error) -> bool {
    error.to_string().starts_with("number out of range")
}

/// What was heard of `data` in pieces of `size` bytes, and how it ended.
fn reading(data: &[u8], size: usize) -> (Vec<u8>, Result<(), JsonError>) {
    let mut heard = Transcript::default();
    let mut reader = Reader::new(Limits::default());
    let outcome = data
        .chunks(size)
        .try_for_each(|piece| reader.push(piece, &mut heard))
        .and_then(|()| reader.finish(&mut heard));
    (heard.lines, outcome)
}

/// Events as bytes, runs of one string joined.
#[derive(Debug, Default)]
pub(super) struct Transcript {
    pub(super) lines: Vec<u8>,
    /// Where the run now open would go on.
    run_end: Option<u64>,
}

impl Transcript {
    fn say(&mut self, event: fmt::Arguments<'_>) {
        self.run_end = None;
        self.lines.push(b'\n');
        self.lines.extend_from_slice(event.to_string().as_bytes());
    }
}

impl Sink for Transcript {
    fn begin_object(&mut self, at: u64) {
        self.say(format_args!("{at} {{"));
    }
    fn end_object(&mut self, at: u64) {
        self.say(format_args!("{at} }}"));
    }
    fn begin_array(&mut self, at: u64) {
        self.say(format_args!("{at} ["));
    }
    fn end_array(&mut self, at: u64) {
        self.say(format_args!("{at} ]"));
    }
    fn key(&mut self, raw: std::ops::Range<u64>, key: &str) {
        self.say(format_args!("{raw:?} key {key:?}"));
    }
    fn string_begin(&mut self, at: u64) {
        self.say(format_args!("{at} string"));
    }
    fn string_run(&mut self, at: u64, run: &str) {
        if self.run_end != Some(at) {
            self.say(format_args!("{at} run "));
        }
        self.lines.extend_from_slice(run.as_bytes());
        self.run_end = Some(at.saturating_add(u64::try_from(run.len()).unwrap_or(u64::MAX)));
    }
    fn string_escape(&mut self, at: u64, raw_len: u8, ch: char) {
        self.say(format_args!("{at} escape {raw_len} {ch:?}"));
    }
    fn string_end(&mut self, end: u64) {
        self.say(format_args!("{end} end"));
    }
    fn number(&mut self, at: u64, number: &str) {
        self.say(format_args!("{at} number {number}"));
    }
    fn literal(&mut self, at: u64, literal: Literal) {
        self.say(format_args!("{at} {}", literal.as_str()));
    }
}

/// Any JSON value without a duplicate key, as `serde_json` reads it.
#[derive(Debug)]
struct Strict;

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }
    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }
    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }
    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }
    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }
    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }
    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self, A::Error> {
        while items.next_element::<Self>()?.is_some() {}
        Ok(self)
    }
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self, A::Error> {
        let mut keys = HashSet::new();
        while let Some((key, _)) = entries.next_entry::<String, Self>()? {
            if !keys.insert(key) {
                return Err(de::Error::custom("duplicate key"));
            }
        }
        Ok(self)
    }
}
