//! From one value to the next: commas, brackets, and what an object or array leaves behind.

use super::{Frame, JsonError, Owner, Reader, Role, Sink, State};

impl Reader {
    pub(super) fn comma(&mut self, here: usize) -> Result<usize, JsonError> {
        self.state = match self.open.last() {
            Some(Frame::Object(_)) => State::Key,
            Some(Frame::Array) => State::Value,
            None => return Err(self.malformed(here)),
        };
        Ok(here + 1)
    }

    #[inline]
    fn open(&mut self, frame: Frame, offset: u64) -> Result<(), JsonError> {
        if self.open.len() >= self.limits.depth {
            return Err(JsonError::TooDeep { offset });
        }
        self.open.push(frame);
        Ok(())
    }

    /// The bracket that closes the innermost object or array, or what stands in its place.
    pub(super) fn close<S: Sink>(
        &mut self,
        bytes: &[u8],
        here: usize,
        sink: &mut S,
    ) -> Result<usize, JsonError> {
        match (self.open.pop(), bytes.get(here)) {
            (Some(Frame::Object(owner)), Some(b'}')) => {
                self.keys.close(owner);
                sink.end_object(self.offset(here));
            }
            (Some(Frame::Array), Some(b']')) => sink.end_array(self.offset(here)),
            (_, _) => return Err(self.malformed(here)),
        }
        self.after_value();
        Ok(here + 1)
    }

    /// A value ends before `here`. Nearly always the next key or string follows, or brackets that
    /// close: so many turns of the walk less.
    #[inline]
    pub(super) fn next_after<S: Sink>(
        &mut self,
        bytes: &[u8],
        mut here: usize,
        sink: &mut S,
    ) -> usize {
        while let Some(&frame) = self.open.last() {
            let rest = bytes.get(here..).unwrap_or_default();
            let ahead = match (frame, rest) {
                (_, [b',', b'"', ..]) => 2,
                (_, [b',', b' ', b'"', ..]) => 3,
                (Frame::Object(owner), [b'}', ..]) => {
                    self.open.pop();
                    self.keys.close(owner);
                    sink.end_object(self.offset(here));
                    here += 1;
                    continue;
                }
                (Frame::Array, [b']', ..]) => {
                    self.open.pop();
                    sink.end_array(self.offset(here));
                    here += 1;
                    continue;
                }
                (_, _) => {
                    self.state = State::Next;
                    return here;
                }
            };
            match frame {
                Frame::Object(_) => self.key_after(here + ahead),
                Frame::Array => self.string_after(here + ahead, sink),
            }
            return here + ahead;
        }
        self.state = State::Done;
        here
    }

    /// The quote before `here` begins a key.
    #[inline]
    pub(super) fn key_after(&mut self, here: usize) {
        self.token_at = self.offset(here - 1);
        self.state = State::Text(Role::Key);
    }

    /// The quote before `here` begins a string.
    #[inline]
    pub(super) fn string_after<S: Sink>(&mut self, here: usize, sink: &mut S) {
        sink.string_begin(self.offset(here - 1));
        self.state = State::Text(Role::Value);
    }

    /// A key's colon stands before `here`. Nearly always a string follows, or an object or array.
    #[inline]
    pub(super) fn value_after<S: Sink>(
        &mut self,
        bytes: &[u8],
        here: usize,
        sink: &mut S,
    ) -> Result<usize, JsonError> {
        let ahead = match bytes.get(here..) {
            Some([b'"', ..]) => 1,
            Some([b' ', b'"', ..]) => 2,
            Some([b'{', ..]) => return self.begin_object(bytes, here, sink),
            Some([b'[', ..]) => return self.begin_array(bytes, here, sink),
            Some(_) | None => {
                self.state = State::Value;
                return Ok(here);
            }
        };
        self.string_after(here + ahead, sink);
        Ok(here + ahead)
    }

    /// The `{` at `here`, and the quote of the first key if it stands right behind.
    pub(super) fn begin_object<S: Sink>(
        &mut self,
        bytes: &[u8],
        here: usize,
        sink: &mut S,
    ) -> Result<usize, JsonError> {
        let (at, before) = (self.offset(here), self.keys.len());
        self.open(Frame::Object(Owner { at, before }), at)?;
        sink.begin_object(at);
        if bytes.get(here + 1) == Some(&b'"') {
            self.key_after(here + 2);
            return Ok(here + 2);
        }
        self.state = State::FirstKey;
        Ok(here + 1)
    }

    /// The `[` at `here`, and the quote of the first string if it stands right behind.
    pub(super) fn begin_array<S: Sink>(
        &mut self,
        bytes: &[u8],
        here: usize,
        sink: &mut S,
    ) -> Result<usize, JsonError> {
        let at = self.offset(here);
        self.open(Frame::Array, at)?;
        sink.begin_array(at);
        if bytes.get(here + 1) == Some(&b'"') {
            self.string_after(here + 2, sink);
            return Ok(here + 2);
        }
        self.state = State::FirstValue;
        Ok(here + 1)
    }

    pub(super) fn after_value(&mut self) {
        self.state = if self.open.is_empty() {
            State::Done
        } else {
            State::Next
        };
    }
}
