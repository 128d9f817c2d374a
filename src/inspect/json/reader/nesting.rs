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

    pub(super) fn open(&mut self, frame: Frame, offset: u64) -> Result<(), JsonError> {
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
        Ok(self.next_after(bytes, here + 1))
    }

    /// A value ends before `here`. In an object nearly always a comma and the next key follow: so
    /// many turns of the walk less.
    #[inline]
    pub(super) fn next_after(&mut self, bytes: &[u8], here: usize) -> usize {
        self.after_value();
        if !matches!(self.open.last(), Some(Frame::Object(_))) {
            return here;
        }
        let ahead = match bytes.get(here..) {
            Some([b',', b'"', ..]) => 2,
            Some([b',', b' ', b'"', ..]) => 3,
            Some(_) | None => return here,
        };
        self.token_at = self.offset(here + ahead - 1);
        self.state = State::Text(Role::Key);
        here + ahead
    }

    /// A key's colon stands before `here`. Nearly always a string follows.
    #[inline]
    pub(super) fn value_after<S: Sink>(
        &mut self,
        bytes: &[u8],
        here: usize,
        sink: &mut S,
    ) -> usize {
        let ahead = match bytes.get(here..) {
            Some([b'"', ..]) => 1,
            Some([b' ', b'"', ..]) => 2,
            Some(_) | None => {
                self.state = State::Value;
                return here;
            }
        };
        sink.string_begin(self.offset(here + ahead - 1));
        self.state = State::Text(Role::Value);
        here + ahead
    }

    pub(super) fn after_value(&mut self) {
        self.state = if self.open.is_empty() {
            State::Done
        } else {
            State::Next
        };
    }
}
