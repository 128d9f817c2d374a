//! From one value to the next: commas, brackets, and what an object or array leaves behind.

use super::{Frame, JsonError, Reader, Role, Sink, State};

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
    fn fits_open(&self, offset: u64) -> Result<(), JsonError> {
        if self.open.len() >= self.limits.depth {
            return Err(JsonError::TooDeep { offset });
        }
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

    /// The `{` at `here`.
    pub(super) fn begin_object<S: Sink>(
        &mut self,
        here: usize,
        sink: &mut S,
    ) -> Result<usize, JsonError> {
        let at = self.offset(here);
        self.fits_open(at)?;
        self.open.push(Frame::Object(self.keys.open(at)));
        sink.begin_object(at);
        self.state = State::FirstKey;
        Ok(here + 1)
    }

    /// The `[` at `here`.
    pub(super) fn begin_array<S: Sink>(
        &mut self,
        here: usize,
        sink: &mut S,
    ) -> Result<usize, JsonError> {
        let at = self.offset(here);
        self.fits_open(at)?;
        self.open.push(Frame::Array);
        sink.begin_array(at);
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
