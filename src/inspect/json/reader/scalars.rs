//! Inside numbers and words.

use super::{JsonError, Literal, Number, Reader, Sink, State};

impl Reader {
    /// A number from `here` to its end or that of the piece.
    pub(super) fn number<S: Sink>(
        &mut self,
        mut number: Number,
        text: &str,
        here: usize,
        sink: &mut S,
    ) -> Result<usize, JsonError> {
        let mut end = here;
        while let Some((&byte, after)) = text.as_bytes().get(end..).and_then(<[u8]>::split_first)
            && let Some(next) = number.step(byte)
        {
            number = next;
            end += 1;
            if number.takes_digits() {
                end += after
                    .iter()
                    .take_while(|byte| byte.is_ascii_digit())
                    .count();
            }
        }
        // Before anything else, as a reader that gets the same bytes one by one would see it.
        if self.token.len() + (end - here) > self.limits.number_bytes {
            return Err(JsonError::NumberTooLong {
                offset: self.token_at,
            });
        }
        let Some(digits) = text.get(here..end) else {
            return Err(self.malformed(here));
        };
        if end == text.len() {
            self.token.push_str(digits);
            self.state = State::Number(number);
        } else if number.may_end() {
            self.end_number(digits, sink);
        } else {
            return Err(self.malformed(end));
        }
        Ok(end)
    }

    /// The number is over, `digits` being the part of it in this piece.
    pub(super) fn end_number<S: Sink>(&mut self, digits: &str, sink: &mut S) {
        if self.token.is_empty() {
            sink.number(self.token_at, digits);
        } else {
            self.token.push_str(digits);
            sink.number(self.token_at, &self.token);
            self.token.clear();
        }
        self.after_value();
    }

    /// A word from `here`, of which `seen` bytes were right before.
    pub(super) fn word<S: Sink>(
        &mut self,
        (literal, seen): (Literal, u8),
        text: &str,
        here: usize,
        sink: &mut S,
    ) -> Result<usize, JsonError> {
        let want = literal
            .as_str()
            .as_bytes()
            .get(usize::from(seen)..)
            .unwrap_or_default();
        let got = text.as_bytes().get(here..).unwrap_or_default();
        let right = want
            .iter()
            .zip(got)
            .take_while(|(want, got)| want == got)
            .count();
        if right == want.len() {
            self.after_value();
            sink.literal(self.offset(here).saturating_sub(u64::from(seen)), literal);
        } else if right == got.len() {
            let right = u8::try_from(right).unwrap_or(u8::MAX);
            self.state = State::Word(literal, seen.saturating_add(right));
        } else {
            return Err(self.malformed(here + right));
        }
        Ok(here + right)
    }
}
