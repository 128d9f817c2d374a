//! The straight way: keys, strings and brackets one behind the other, as nearly all of a body is.
//!
//! Decides nothing: what is not as usual it leaves where it begins, with the state before it.
//! Where strings end is known from sixty-four bytes at a time, so that a string need not be read
//! for the processor to begin with the next one.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "a place in a slice, and one to four more"
)]

use super::super::plain::Ends;
use super::{Frame, JsonError, Reader, Role, Sink, State, space_len};

/// What comes next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    /// A key, behind its quote.
    Key,
    /// A string, behind its quote.
    Text,
    /// A value.
    Value,
    /// What follows a value.
    Next,
    /// Something else: the state says what.
    Other,
}

/// How far a piece was read.
struct Way<'t> {
    text: &'t str,
    /// Where strings may end from here on.
    ends: Ends<'t>,
    here: usize,
}

impl Way<'_> {
    /// The byte here.
    #[inline]
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.here).copied()
    }

    /// Goes on behind the white space at a place, of which there is mostly none or one.
    #[inline]
    fn skip(&mut self, here: usize) {
        let bytes = self.text.as_bytes();
        self.here = match bytes.get(here) {
            Some(b'!'..) | None => here,
            Some(_) => here + space_len(bytes.get(here..).unwrap_or_default()),
        };
    }

    /// Goes on behind the next quote, which stands before `here`.
    #[inline]
    fn quote(&mut self, here: usize) {
        self.ends.next();
        self.here = here;
    }

    /// Goes on behind the quote here, if there is one.
    #[inline]
    fn found_quote(&mut self) -> bool {
        let found = self.byte() == Some(b'"');
        if found {
            self.ends.pass(self.here);
            self.here += 1;
        }
        found
    }
}

impl Reader {
    /// Reads on behind a value for as long as all is as usual; where that ends.
    #[inline]
    pub(super) fn straight<S: Sink>(
        &mut self,
        text: &str,
        here: usize,
        sink: &mut S,
    ) -> Result<usize, JsonError> {
        let ends = Ends::new(text.as_bytes(), here);
        let mut way = Way { text, ends, here };
        let mut step = Step::Next;
        // In this order, as they nearly always follow each other.
        loop {
            if step == Step::Key {
                step = self.straight_key(&mut way, sink)?;
            }
            if step == Step::Text {
                step = self.straight_string(&mut way, sink)?;
            }
            if step == Step::Next {
                step = self.straight_next(&mut way, sink)?;
            }
            if step == Step::Value {
                step = self.straight_value(&mut way, sink)?;
            }
            if step == Step::Other {
                return Ok(way.here);
            }
        }
    }

    /// A key, its colon, and how its value begins.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "a part of the loop")]
    fn straight_key<S: Sink>(
        &mut self,
        way: &mut Way<'_>,
        sink: &mut S,
    ) -> Result<Step, JsonError> {
        let (text, here, end) = (way.text, way.here, way.ends.next());
        self.token_at = self.offset(here - 1);
        let Some(key) = whole(text, here, end) else {
            self.state = State::Text(Role::Key);
            way.here = self.key_text(text, here, sink)?;
            return Ok(Step::Other);
        };
        let rest = text.as_bytes().get(here..).unwrap_or_default();
        self.fits_key(key.len())?;
        self.end_key(key, rest, self.offset(end + 1), sink)?;
        match behind(text.as_bytes(), end) {
            Some([b':', b'"', ..]) => way.quote(end + 3),
            Some([b':', b' ', b'"']) => way.quote(end + 4),
            Some([b':', b'{', b'"']) => {
                self.begin_object(end + 2, sink)?;
                way.quote(end + 4);
                return Ok(Step::Key);
            }
            Some([b':', b'[', b'"']) => {
                self.begin_array(end + 2, sink)?;
                way.quote(end + 4);
            }
            Some([b':', ..]) => {
                way.skip(end + 2);
                self.state = State::Value;
                return Ok(Step::Value);
            }
            Some(_) | None => {
                way.here = end + 1;
                return Ok(Step::Other);
            }
        }
        Ok(Step::Text)
    }

    /// A string, and the comma and quote behind it, if they follow.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "a part of the loop")]
    fn straight_string<S: Sink>(
        &mut self,
        way: &mut Way<'_>,
        sink: &mut S,
    ) -> Result<Step, JsonError> {
        let (text, here, end) = (way.text, way.here, way.ends.next());
        sink.string_begin(self.offset(here - 1));
        let Some(run) = whole(text, here, end) else {
            self.state = State::Text(Role::Value);
            way.here = self.value_text(text, here, sink)?;
            way.ends = Ends::new(text.as_bytes(), way.here);
            let over = self.state == State::Next;
            return Ok(if over { Step::Next } else { Step::Other });
        };
        if !run.is_empty() {
            sink.string_run(self.offset(here), run);
        }
        sink.string_end(self.offset(end + 1));
        match behind(text.as_bytes(), end) {
            Some([b',', b'"', ..]) => way.quote(end + 3),
            Some([b',', b' ', b'"']) => way.quote(end + 4),
            Some(_) | None => {
                way.here = end + 1;
                return Ok(Step::Next);
            }
        }
        Ok(self.after_comma())
    }

    /// What follows a value: a bracket that closes, or a comma.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "a part of the loop")]
    fn straight_next<S: Sink>(
        &mut self,
        way: &mut Way<'_>,
        sink: &mut S,
    ) -> Result<Step, JsonError> {
        loop {
            let Some(&frame) = self.open.last() else {
                self.state = State::Done;
                return Ok(Step::Other);
            };
            way.skip(way.here);
            match (frame, way.byte()) {
                (Frame::Object(_), Some(b'}')) | (Frame::Array, Some(b']')) => {
                    way.here = self.close(way.text.as_bytes(), way.here, sink)?;
                }
                (Frame::Object(_), Some(b',')) => {
                    self.state = State::Key;
                    way.skip(way.here + 1);
                    let key = way.found_quote();
                    return Ok(if key { Step::Key } else { Step::Other });
                }
                (Frame::Array, Some(b',')) => {
                    self.state = State::Value;
                    way.skip(way.here + 1);
                    return Ok(Step::Value);
                }
                (_, _) => {
                    self.state = State::Next;
                    return Ok(Step::Other);
                }
            }
        }
    }

    /// How a value begins.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "a part of the loop")]
    fn straight_value<S: Sink>(
        &mut self,
        way: &mut Way<'_>,
        sink: &mut S,
    ) -> Result<Step, JsonError> {
        loop {
            let step = match way.byte() {
                Some(b'[') => {
                    let behind = self.begin_array(way.here, sink)?;
                    way.skip(behind);
                    continue;
                }
                Some(b'{') => {
                    let behind = self.begin_object(way.here, sink)?;
                    way.skip(behind);
                    Step::Key
                }
                Some(_) | None => Step::Text,
            };
            let found = way.found_quote();
            return Ok(if found { step } else { Step::Other });
        }
    }

    /// What the quote behind a comma begins.
    #[inline]
    fn after_comma(&self) -> Step {
        match self.open.last() {
            Some(Frame::Array) => Step::Text,
            Some(Frame::Object(_)) | None => Step::Key,
        }
    }
}

/// The key or string between two places, if it ends with a quote.
#[inline(always)]
#[expect(clippy::inline_always, reason = "it stands in the way of every string")]
fn whole(text: &str, here: usize, end: usize) -> Option<&str> {
    match text.as_bytes().get(end) {
        Some(b'"') => text.get(here..end),
        Some(_) | None => None,
    }
}

/// Three bytes behind a place.
#[inline(always)]
#[expect(clippy::inline_always, reason = "it stands in the way of every string")]
fn behind(bytes: &[u8], end: usize) -> Option<&[u8; 3]> {
    bytes.get(end + 1..)?.first_chunk()
}
