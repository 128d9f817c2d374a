//! The state machine: which byte may stand where, and which event it is. Strings and the other
//! scalars, which take more than a byte at a time, are in `strings` and `scalars`.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "`here` is a place in a slice: one more, or the length of a part more, is in it too"
)]

use std::fmt;
use std::hash::RandomState;

use super::escapes::{self, Escape};
use super::kept::Kept;
use super::keys::{Entry, OpenKeys, Owner};
use super::numbers::Number;
use super::plain::plain_len;
use super::utf8::{self, Rest};
use super::{JsonError, Limits, Literal, Sink};

mod nesting;
mod scalars;
mod straight;
mod strings;

/// What is being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// A value must come.
    Value,
    /// After `[`: a value or `]`.
    FirstValue,
    /// After a comma in an object: a key must come.
    Key,
    /// After `{`: a key or `}`.
    FirstKey,
    /// After a key: a colon must come.
    Colon,
    /// After a value in an object or array: a comma or the closing bracket.
    Next,
    /// After the top value: only white space may come.
    Done,
    /// Inside a string.
    Text(Role),
    /// Inside an escape that a cut went through.
    Escape(Role),
    /// Inside a number.
    Number(Number),
    /// Inside a word of which this many bytes were right.
    Word(Literal, u8),
}

/// What a string is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Key,
    Value,
}

/// An object or array that is open.
#[derive(Clone, Copy, Debug)]
enum Frame {
    Array,
    Object(Owner),
}

/// Reads one JSON text, fed in pieces. Instructions for a byte of body (callgrind): 3.9 on chat
/// prose, 8.4 on source code with its many escapes, 15 on tool definitions, which are mostly short
/// keys. The worst found, one object of 4096 short keys, is read at 0.2 GB/s (bench `json`).
pub struct Reader {
    limits: Limits,
    state: State,
    open: Vec<Frame>,
    keys: OpenKeys,
    /// A key, decoded, or a number, as far as it was read, if it can't be borrowed from a piece.
    token: String,
    /// Where the key or number begins.
    token_at: u64,
    escape: Kept<{ escapes::LONGEST }>,
    tail: Kept<{ utf8::LONGEST }>,
    /// The offset of the first byte that has not been through [`Reader::walk`].
    at: u64,
    failed: Option<JsonError>,
}

impl Reader {
    /// A reader before its first byte.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            state: State::Value,
            open: Vec::new(),
            keys: OpenKeys::new(limits.keys, RandomState::new()),
            token: String::new(),
            token_at: 0,
            escape: Kept::new(),
            tail: Kept::new(),
            at: 0,
            failed: None,
        }
    }

    /// How many objects and arrays are open.
    pub fn depth(&self) -> usize {
        self.open.len()
    }

    /// The memory held, in bytes: under 64 KiB for any body with the default limits.
    pub fn state_bytes(&self) -> usize {
        size_of::<Self>()
            .saturating_add(self.open.capacity().saturating_mul(size_of::<Frame>()))
            .saturating_add(self.keys.state_bytes())
            .saturating_add(self.token.capacity())
    }

    /// The offset before which every byte was told, or means nothing: a key, an escape or a
    /// character that is not whole begins there.
    pub fn told(&self) -> u64 {
        match self.state {
            State::Text(Role::Key) | State::Escape(Role::Key) | State::Number(_) => self.token_at,
            State::Escape(Role::Value) => {
                let held = u64::try_from(self.escape.as_bytes().len()).unwrap_or(u64::MAX);
                self.at.saturating_sub(held)
            }
            State::Value
            | State::FirstValue
            | State::Key
            | State::FirstKey
            | State::Colon
            | State::Next
            | State::Done
            | State::Text(Role::Value)
            | State::Word(..) => self.at,
        }
    }

    /// Reads the next piece. After an error every further call answers the same error.
    pub fn push(&mut self, piece: &[u8], sink: &mut impl Sink) -> Result<(), JsonError> {
        self.outcome()?;
        let outcome = self.read(piece, sink);
        self.failed = outcome.err();
        outcome
    }

    /// The input is over: was it one whole JSON text?
    pub fn finish(&mut self, sink: &mut impl Sink) -> Result<(), JsonError> {
        self.outcome()?;
        let outcome = self.end(sink);
        self.failed = outcome.err();
        outcome
    }

    fn outcome(&self) -> Result<(), JsonError> {
        self.failed.map_or(Ok(()), Err)
    }

    fn end(&mut self, sink: &mut impl Sink) -> Result<(), JsonError> {
        if !self.tail.is_empty() {
            return Err(JsonError::BadUtf8 { offset: self.at });
        }
        if let State::Number(number) = self.state
            && self.open.is_empty()
            && number.may_end()
        {
            self.end_number("", sink);
        }
        match self.state {
            State::Done => Ok(()),
            State::Value
            | State::FirstValue
            | State::Key
            | State::FirstKey
            | State::Colon
            | State::Next
            | State::Text(_)
            | State::Escape(_)
            | State::Number(_)
            | State::Word(..) => Err(JsonError::UnexpectedEnd { offset: self.at }),
        }
    }

    /// Bytes to characters.
    fn read(&mut self, mut piece: &[u8], sink: &mut impl Sink) -> Result<(), JsonError> {
        while !self.tail.is_empty() {
            let Some((&byte, after)) = piece.split_first() else {
                return Ok(());
            };
            piece = after;
            self.tail.push(byte);
            let tail = self.tail;
            let checked = utf8::check(tail.as_bytes());
            match checked.rest {
                Rest::Nothing => {
                    self.tail.clear();
                    self.walk(checked.text, sink)?;
                }
                Rest::Cut(_) => {}
                Rest::Bad => return Err(JsonError::BadUtf8 { offset: self.at }),
            }
        }
        let checked = utf8::check(piece);
        self.walk(checked.text, sink)?;
        match checked.rest {
            Rest::Nothing => Ok(()),
            Rest::Cut(start) => {
                self.tail.set(start);
                Ok(())
            }
            Rest::Bad => Err(JsonError::BadUtf8 { offset: self.at }),
        }
    }

    /// Characters to events. Each step either goes on or changes the state, so it ends. While it
    /// runs, `self.at` is the offset of the first byte of `text`.
    fn walk<S: Sink>(&mut self, text: &str, sink: &mut S) -> Result<(), JsonError> {
        let bytes = text.as_bytes();
        let mut here = 0;
        while here < bytes.len() {
            if self.state == State::Next {
                here = self.straight(text, here, sink)?;
            }
            let Some(&byte) = bytes.get(here) else {
                break;
            };
            here = match self.state {
                State::Text(Role::Key) => self.key_text(text, here, sink)?,
                State::Text(Role::Value) => self.value_text(text, here, sink)?,
                State::Escape(role) => self.escape_byte(role, byte, here, sink)?,
                State::Number(number) => self.number(number, text, here, sink)?,
                State::Word(literal, seen) => self.word((literal, seen), text, here, sink)?,
                State::Value
                | State::FirstValue
                | State::Key
                | State::FirstKey
                | State::Colon
                | State::Next
                | State::Done
                    if is_space(byte) =>
                {
                    here + space_len(bytes.get(here..).unwrap_or_default())
                }
                State::FirstValue if byte == b']' => self.close(bytes, here, sink)?,
                State::Value | State::FirstValue => self.begin_value(byte, text, here, sink)?,
                State::FirstKey if byte == b'}' => self.close(bytes, here, sink)?,
                State::FirstKey | State::Key => self.begin_key(byte, here)?,
                State::Colon if byte == b':' => {
                    self.state = State::Value;
                    here + 1
                }
                State::Colon => return Err(self.malformed(here)),
                State::Next if byte == b',' => self.comma(here)?,
                State::Next => self.close(bytes, here, sink)?,
                State::Done => {
                    return Err(JsonError::TrailingData {
                        offset: self.offset(here),
                    });
                }
            };
        }
        self.at = self.offset(text.len());
        Ok(())
    }

    fn begin_key(&mut self, byte: u8, here: usize) -> Result<usize, JsonError> {
        if byte != b'"' {
            return Err(self.malformed(here));
        }
        self.key_after(here + 1);
        Ok(here + 1)
    }

    /// The first byte of a value.
    fn begin_value<S: Sink>(
        &mut self,
        byte: u8,
        text: &str,
        here: usize,
        sink: &mut S,
    ) -> Result<usize, JsonError> {
        let at = self.offset(here);
        self.state = match byte {
            b'"' => {
                self.string_after(here + 1, sink);
                return Ok(here + 1);
            }
            b'{' => return self.begin_object(here, sink),
            b'[' => return self.begin_array(here, sink),
            b'-' | b'0'..=b'9' => {
                self.token_at = at;
                return self.number(Number::Start, text, here, sink);
            }
            b't' => State::Word(Literal::True, 1),
            b'f' => State::Word(Literal::False, 1),
            b'n' => State::Word(Literal::Null, 1),
            _ => return Err(self.malformed(here)),
        };
        Ok(here + 1)
    }

    /// The offset `ahead` bytes on.
    fn offset(&self, ahead: usize) -> u64 {
        // No body has 2^64 bytes.
        self.at
            .wrapping_add(u64::try_from(ahead).unwrap_or(u64::MAX))
    }

    #[cold]
    fn malformed(&self, ahead: usize) -> JsonError {
        JsonError::Malformed {
            offset: self.offset(ahead),
        }
    }
}

/// Neither key nor number nor text of the body is shown.
impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("at", &self.at)
            .field("depth", &self.open.len())
            .field("state", &self.state)
            .field("failed", &self.failed)
            .finish_non_exhaustive()
    }
}

/// How much white space comes first.
fn space_len(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|&&byte| is_space(byte)).count()
}

#[inline]
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t')
}
