//! Inside strings: runs, escapes, and keys as they grow.

use super::super::pad::Pad;
use super::{Entry, Escape, JsonError, Reader, Role, Sink, State, escapes, plain_len};

/// A run of so many bytes is told as it stands in the body.
const LONG: usize = 512;

impl Reader {
    /// A string value from `here` to its end or that of the piece.
    #[inline(never)]
    pub(super) fn value_text<S: Sink>(
        &mut self,
        text: &str,
        mut here: usize,
        sink: &mut S,
    ) -> Result<usize, JsonError> {
        let bytes = text.as_bytes();
        loop {
            let end = here + plain_len(bytes.get(here..).unwrap_or_default());
            let next = bytes.get(end);
            // What has an escape behind it is copied with it, unless it is long.
            if end > here && (next != Some(&b'\\') || end - here >= LONG) {
                let Some(run) = text.get(here..end) else {
                    return Err(self.malformed(here));
                };
                sink.string_run(self.offset(here), run);
                here = end;
            }
            match next {
                None => return Ok(here),
                Some(b'"') => {
                    sink.string_end(self.offset(here + 1));
                    self.after_value();
                    return Ok(here + 1);
                }
                Some(b'\\') => {}
                Some(_) => return Err(self.malformed(here)),
            }
            here = self.decoded(text, here, sink);
            // One more that was not decoded there, as it is cut or wrong, or there was no room.
            if bytes.get(here) == Some(&b'\\') {
                let Some((ch, len)) = self.escape(text, here, Role::Value)? else {
                    return Ok(text.len());
                };
                sink.string_escape(self.offset(here), len, ch);
                here += usize::from(len);
            }
        }
    }

    /// A stretch of a string with escapes in it, as it reads; where it ends.
    #[inline(never)]
    fn decoded<S: Sink>(&self, text: &str, here: usize, sink: &mut S) -> usize {
        let at = self.offset(here);
        Pad::lend(|pad| {
            let end = pad.fill(text, here);
            if end > here {
                sink.string_decoded(pad.decoded(at));
            }
            end
        })
    }

    /// One run of a key from `here`, with the escape or the end behind it.
    #[inline(never)]
    pub(super) fn key_text<S: Sink>(
        &mut self,
        text: &str,
        here: usize,
        sink: &mut S,
    ) -> Result<usize, JsonError> {
        let rest = text.as_bytes().get(here..).unwrap_or_default();
        let end = here + plain_len(rest);
        let Some(run) = text.get(here..end) else {
            return Err(self.malformed(here));
        };
        self.fits_key(run.len())?;
        let next = text.as_bytes().get(end);
        if next == Some(&b'"') && self.token.is_empty() {
            self.end_key(run, rest, self.offset(end + 1), sink)?;
            return Ok(end + 1);
        }
        self.token.push_str(run);
        match next {
            None => Ok(end),
            Some(b'"') => self.end_kept_key(end + 1, sink),
            Some(_) => {
                let Some((ch, len)) = self.escape(text, end, Role::Key)? else {
                    return Ok(text.len());
                };
                self.grow_key(ch)?;
                Ok(end + usize::from(len))
            }
        }
    }

    /// The escape at `here`, where a run ended but not the string; `None` if a cut goes through
    /// it. What ends a run and begins no escape is a control character.
    fn escape(
        &mut self,
        text: &str,
        here: usize,
        role: Role,
    ) -> Result<Option<(char, u8)>, JsonError> {
        let raw = text.as_bytes().get(here..).unwrap_or_default();
        if raw.first() != Some(&b'\\') {
            return Err(self.malformed(here));
        }
        match escapes::decode(raw, self.offset(here))? {
            Escape::Char(ch, len) => {
                self.may_stand(ch, self.offset(here))?;
                Ok(Some((ch, len)))
            }
            Escape::Cut => {
                self.escape.set(raw);
                self.state = State::Escape(role);
                Ok(None)
            }
        }
    }

    /// One more byte of an escape that a cut went through.
    pub(super) fn escape_byte<S: Sink>(
        &mut self,
        role: Role,
        byte: u8,
        here: usize,
        sink: &mut S,
    ) -> Result<usize, JsonError> {
        let kept = u64::try_from(self.escape.as_bytes().len()).unwrap_or(u64::MAX);
        let began = self.offset(here).saturating_sub(kept);
        self.escape.push(byte);
        if let Escape::Char(ch, len) = escapes::decode(self.escape.as_bytes(), began)? {
            self.may_stand(ch, began)?;
            self.escape.clear();
            self.state = State::Text(role);
            match role {
                Role::Key => self.grow_key(ch)?,
                Role::Value => sink.string_escape(began, len, ch),
            }
        }
        Ok(here + 1)
    }

    /// Whether an escape at this offset may mean this character.
    #[inline]
    fn may_stand(&self, ch: char, offset: u64) -> Result<(), JsonError> {
        if ch == '\0' && !self.limits.nul {
            return Err(JsonError::Nul { offset });
        }
        Ok(())
    }

    fn grow_key(&mut self, ch: char) -> Result<(), JsonError> {
        self.fits_key(ch.len_utf8())?;
        self.token.push(ch);
        Ok(())
    }

    #[inline]
    pub(super) fn fits_key(&self, more: usize) -> Result<(), JsonError> {
        if self.token.len() + more > self.limits.key_bytes {
            return Err(JsonError::KeyTooLong {
                offset: self.token_at,
            });
        }
        Ok(())
    }

    /// A key ends before `here` that was kept, as it has escapes or came in pieces.
    #[inline(never)]
    fn end_kept_key<S: Sink>(&mut self, here: usize, sink: &mut S) -> Result<usize, JsonError> {
        let key = std::mem::take(&mut self.token);
        self.end_key(&key, &[], self.offset(here), sink)?;
        self.token = key;
        self.token.clear();
        Ok(here)
    }

    /// A key ends before the offset `end`. `rest` is what the piece has from its first character
    /// on, or nothing.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "it stands in the way of nearly every key, and elsewhere twice"
    )]
    pub(super) fn end_key<S: Sink>(
        &mut self,
        key: &str,
        rest: &[u8],
        end: u64,
        sink: &mut S,
    ) -> Result<(), JsonError> {
        let offset = self.token_at;
        if !self.limits.repeats {
            match self.keys.add(key, rest) {
                Entry::New => {}
                Entry::Duplicate => return Err(JsonError::DuplicateKey { offset }),
                Entry::Full => return Err(JsonError::TooManyKeys { offset }),
            }
        }
        self.state = State::Colon;
        sink.key(offset..end, key);
        Ok(())
    }
}
