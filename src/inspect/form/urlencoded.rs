//! The incremental reader of `application/x-www-form-urlencoded`, by the WHATWG URL standard,
//! but strict: a broken escape is refused instead of taken for itself, and so is a bare `;`,
//! which older readers take for a `&`.

use std::ops::Range;

use super::{FormError, FormSink, HeadAt, NAME_BYTES, PARTS, PartHead};

/// Decoded bytes that are handed on at once.
const RUN: usize = 256;
/// Bytes of an escape.
const ESCAPE: u64 = 3;

/// Which half of a pair is being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Half {
    /// Nothing of it is there.
    Before,
    Name,
    Value,
}

/// How much of an escape is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Escape {
    None,
    Percent,
    /// Its first digit.
    High(u8),
}

/// Reads one form, fed in pieces. Each pair is a part without file name and media type.
#[derive(Debug)]
pub struct UrlEncoded {
    half: Half,
    escape: Escape,
    name: Vec<u8>,
    /// Where the pair's name begins in the body.
    name_at: u64,
    /// The body's offset of the first byte that was not read.
    at: u64,
    pairs: u32,
    failed: Option<FormError>,
}

impl Default for UrlEncoded {
    fn default() -> Self {
        Self::new()
    }
}

/// Bytes of a value that stand for themselves, or for a space, on their way to the sink.
struct Run {
    bytes: [u8; RUN],
    len: usize,
    /// Where the next byte stands in the body.
    at: u64,
}

impl Run {
    /// Takes the next byte.
    fn push<S: FormSink>(&mut self, byte: u8, sink: &mut S) {
        if self.len == RUN {
            self.flush(sink);
        }
        if let Some(place) = self.bytes.get_mut(self.len) {
            *place = byte;
            self.len = self.len.saturating_add(1);
        }
        self.at = self.at.saturating_add(1);
    }

    /// Takes an escape.
    fn escape<S: FormSink>(&mut self, byte: u8, sink: &mut S) {
        self.flush(sink);
        let end = self.at.saturating_add(ESCAPE);
        sink.data(self.at..end, &[byte]);
        self.at = end;
    }

    fn flush<S: FormSink>(&mut self, sink: &mut S) {
        if let Some(run) = self.bytes.get(..self.len)
            && !run.is_empty()
        {
            let len = u64::try_from(run.len()).unwrap_or(u64::MAX);
            sink.data(self.at.saturating_sub(len)..self.at, run);
        }
        self.len = 0;
    }
}

impl UrlEncoded {
    /// A reader before its first byte.
    pub const fn new() -> Self {
        Self {
            half: Half::Before,
            escape: Escape::None,
            name: Vec::new(),
            name_at: 0,
            at: 0,
            pairs: 0,
            failed: None,
        }
    }

    /// The memory held, in bytes: a name.
    pub fn state_bytes(&self) -> usize {
        size_of::<Self>().saturating_add(self.name.capacity())
    }

    /// The body's offset before which everything was told: a name or an escape that is not whole
    /// begins there.
    pub const fn told(&self) -> u64 {
        match (self.half, self.escape) {
            (Half::Name, _) => self.name_at,
            (Half::Before | Half::Value, Escape::None) => self.at,
            (Half::Before | Half::Value, Escape::Percent) => self.at.saturating_sub(1),
            (Half::Before | Half::Value, Escape::High(_)) => self.at.saturating_sub(2),
        }
    }

    /// Reads the next piece. After an error every further call answers the same error.
    pub fn push(&mut self, piece: &[u8], sink: &mut impl FormSink) -> Result<(), FormError> {
        self.outcome()?;
        let outcome = self.read(piece, sink);
        self.failed = outcome.err();
        outcome
    }

    /// The input is over: was it one whole form? An empty body is one without pairs.
    pub fn finish(&mut self, sink: &mut impl FormSink) -> Result<(), FormError> {
        self.outcome()?;
        // As if an `&` came, which is not there.
        self.at = self.at.saturating_add(1);
        let outcome = self.end_pair(sink);
        self.failed = outcome.err();
        if outcome.is_ok() {
            sink.end();
        }
        outcome
    }

    fn outcome(&self) -> Result<(), FormError> {
        self.failed.map_or(Ok(()), Err)
    }

    fn read<S: FormSink>(&mut self, mut rest: &[u8], sink: &mut S) -> Result<(), FormError> {
        let mut run = Run {
            bytes: [0; RUN],
            len: 0,
            at: self.at,
        };
        while let Some((&byte, after)) = rest.split_first() {
            if self.half == Half::Value && self.escape == Escape::None {
                run.at = self.at;
                let left = whole_value(rest, &mut run, sink);
                run.flush(sink);
                if left.len() < rest.len() {
                    let taken = rest.len().saturating_sub(left.len());
                    let taken = u64::try_from(taken).unwrap_or(u64::MAX);
                    self.at = self.at.saturating_add(taken);
                    rest = left;
                    continue;
                }
            }
            rest = after;
            self.at = self.at.saturating_add(1);
            self.byte(byte, sink)?;
        }
        Ok(())
    }

    /// One byte, which stands before `self.at`.
    fn byte<S: FormSink>(&mut self, byte: u8, sink: &mut S) -> Result<(), FormError> {
        match (self.escape, byte) {
            (Escape::Percent, _) => {
                self.escape = Escape::High(hex(byte)?);
                Ok(())
            }
            (Escape::High(high), _) => {
                self.escape = Escape::None;
                self.text(high << 4 | hex(byte)?, ESCAPE, sink)
            }
            (Escape::None, b'%') => {
                self.escape = Escape::Percent;
                self.begin_pair()
            }
            (Escape::None, b'&') => self.end_pair(sink),
            (Escape::None, b';') => Err(FormError::MalformedEscape),
            (Escape::None, b'=') if self.half != Half::Value => {
                self.begin_pair()?;
                self.begin_value(self.at.saturating_sub(1), sink)
            }
            (Escape::None, b'+') => self.text(b' ', 1, sink),
            (Escape::None, _) => self.text(byte, 1, sink),
        }
    }

    /// A decoded byte, which stands in the last `wide` bytes of the body.
    fn text<S: FormSink>(&mut self, byte: u8, wide: u64, sink: &mut S) -> Result<(), FormError> {
        self.begin_pair()?;
        if self.half == Half::Value {
            let raw: Range<u64> = self.at.saturating_sub(wide)..self.at;
            sink.data(raw, &[byte]);
            return Ok(());
        }
        if self.name.len() >= NAME_BYTES {
            return Err(FormError::MalformedName);
        }
        self.name.push(byte);
        Ok(())
    }

    fn begin_pair(&mut self) -> Result<(), FormError> {
        if self.half != Half::Before {
            return Ok(());
        }
        if self.pairs >= PARTS {
            return Err(FormError::TooManyParts);
        }
        self.pairs = self.pairs.saturating_add(1);
        self.half = Half::Name;
        self.name.clear();
        // The first byte of it was read already.
        self.name_at = self.at.saturating_sub(1);
        Ok(())
    }

    fn begin_value<S: FormSink>(&mut self, name_end: u64, sink: &mut S) -> Result<(), FormError> {
        let name = str::from_utf8(&self.name).map_err(|_bad| FormError::MalformedName)?;
        let head = PartHead {
            name,
            filename: None,
            content_type: None,
        };
        let at = HeadAt {
            name: self.name_at..name_end,
            filename: None,
        };
        sink.part_begin(&head, &at);
        self.half = Half::Value;
        Ok(())
    }

    /// A pair without a value has an empty one; a pair without anything is none.
    fn end_pair<S: FormSink>(&mut self, sink: &mut S) -> Result<(), FormError> {
        if self.escape != Escape::None {
            return Err(FormError::MalformedEscape);
        }
        if self.half == Half::Name {
            self.begin_value(self.at.saturating_sub(1), sink)?;
        }
        if self.half == Half::Value {
            sink.part_end();
        }
        self.half = Half::Before;
        Ok(())
    }
}

/// Takes what is whole and well-formed of a value, and answers what is left: nothing, the end of
/// the value, or an escape that is cut or broken.
fn whole_value<'a, S: FormSink>(mut rest: &'a [u8], run: &mut Run, sink: &mut S) -> &'a [u8] {
    loop {
        rest = match rest {
            [b'+', after @ ..] => {
                run.push(b' ', sink);
                after
            }
            [b'%', high, low, after @ ..] => {
                let (Ok(high), Ok(low)) = (hex(*high), hex(*low)) else {
                    return rest;
                };
                run.escape(high << 4 | low, sink);
                after
            }
            [] | [b'%' | b'&' | b';', ..] => return rest,
            [_, ..] => plain(rest, run, sink),
        };
    }
}

/// Takes the bytes that stand for themselves, of which the first is one. A short run is not worth
/// an event of its own, a long one not a copy.
fn plain<'a, S: FormSink>(rest: &'a [u8], run: &mut Run, sink: &mut S) -> &'a [u8] {
    const SHORT: usize = 16;
    let special = |byte: &u8| matches!(byte, b'%' | b'&' | b'+' | b';');
    let near = rest.iter().take(SHORT).position(special);
    if near.is_some() || rest.len() < SHORT {
        let (text, after) = split(rest, near.unwrap_or(rest.len()));
        for &byte in text {
            run.push(byte, sink);
        }
        return after;
    }
    let end = memchr::memchr3(b'%', b'&', b'+', rest).unwrap_or(rest.len());
    let (text, _) = split(rest, end);
    let end = memchr::memchr(b';', text).unwrap_or(end);
    let (text, after) = split(rest, end);
    run.flush(sink);
    let end = run
        .at
        .saturating_add(u64::try_from(text.len()).unwrap_or(u64::MAX));
    sink.data(run.at..end, text);
    run.at = end;
    after
}

/// The bytes before `at` and from there.
fn split(bytes: &[u8], at: usize) -> (&[u8], &[u8]) {
    bytes.split_at_checked(at).unwrap_or((bytes, &[]))
}

fn hex(byte: u8) -> Result<u8, FormError> {
    match byte {
        b'0'..=b'9' => Ok(byte.wrapping_sub(b'0')),
        b'a'..=b'f' => Ok(byte.wrapping_sub(b'a').wrapping_add(10)),
        b'A'..=b'F' => Ok(byte.wrapping_sub(b'A').wrapping_add(10)),
        _ => Err(FormError::MalformedEscape),
    }
}
