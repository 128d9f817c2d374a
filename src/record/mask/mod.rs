//! Secrets masked in every line of the log, whoever wrote it.
//!
//! Decides what in a line looks like a secret, and writes it over: key shapes keep their first
//! and last three characters (`sk-abc***xyz`), values of telling names, bearer tokens and the user
//! part of URLs become `***MASKED***`. A line that is JSON stays JSON, with its quotes in place.
//! It reads no clock and no file, never panics, takes time linear in the line, and changes nothing
//! when applied again.
//!
//! May mask too much (`unexpected token: x`), and misses secrets of no known shape under no
//! telling name, names split by escapes, and what was encoded (base64, percent) before.

// Positions lie within one line, plus a few at most: sums can't overflow, and each subtraction
// stands behind the comparison that allows it.
#![expect(
    clippy::arithmetic_side_effects,
    reason = "positions within one line; see above"
)]

mod quote;
mod scan;
mod shape;

use std::borrow::Cow;

use quote::{Quote, Strings};

/// What stands in the place of a secret.
const MASKED: &str = "***MASKED***";

/// The line with its secrets masked; borrowed if it has none.
pub fn mask(line: &str) -> Cow<'_, str> {
    let Some(first) = scan::next(line.as_bytes(), 0) else {
        return Cow::Borrowed(line);
    };
    Masking {
        line,
        bytes: line.as_bytes(),
        strings: Strings::of(line),
        out: String::new(),
        done: 0,
    }
    .run(first)
}

/// Whether a secret, or the name of one, could begin anywhere in these bytes of a line.
pub(crate) fn may_hold_secrets(bytes: &[u8]) -> bool {
    scan::next(bytes, 0).is_some()
}

/// A line half-way through.
struct Masking<'a> {
    line: &'a str,
    bytes: &'a [u8],
    strings: Strings<'a>,
    /// What is written of the line so far; empty until something had to be masked.
    out: String,
    /// The line is written, or left out, up to here.
    done: usize,
}

impl<'a> Masking<'a> {
    fn run(mut self, first: usize) -> Cow<'a, str> {
        let mut next = Some(first);
        while let Some(at) = next {
            let from = if self.value_of_name(at) || self.user_of_url(at) {
                self.done
            } else if self.key_shape(at) {
                // A key may end in a name: `sk-…authorization=x`.
                self.done - 8
            } else {
                at + 1
            };
            next = scan::next(self.bytes, from);
        }
        if self.done == 0 {
            return Cow::Borrowed(self.line);
        }
        self.copy_to(self.bytes.len());
        Cow::Owned(self.out)
    }

    /// Copies the line up to here as it is.
    fn copy_to(&mut self, end: usize) {
        // A position within a character would lose text rather than show it; the scanners stop
        // at ASCII bytes only, so there is none.
        self.out
            .push_str(self.line.get(self.done..end).unwrap_or_default());
        self.done = end;
    }

    fn replace(&mut self, start: usize, end: usize, with: &[&str]) {
        if self.done == 0 {
            self.out.reserve(self.line.len() + 2 * MASKED.len());
        }
        self.copy_to(start);
        for part in with {
            self.out.push_str(part);
        }
        self.done = end;
    }

    /// `sk-abcdefxyz` → `sk-abc***xyz`.
    fn key_shape(&mut self, at: usize) -> bool {
        let Some(key) = shape::key_at(self.bytes, at) else {
            return false;
        };
        self.replace(key.first_hidden, key.last_shown, &["***"]);
        self.copy_to(key.end);
        true
    }

    /// `://user:password@host` → `://***MASKED***@host`.
    fn user_of_url(&mut self, at: usize) -> bool {
        let Some(start) = shape::after(self.bytes, at, b"://") else {
            return false;
        };
        let rest = self.bytes.get(start..).unwrap_or_default();
        let authority = rest
            .iter()
            .position(|b| {
                matches!(
                    b,
                    0..=0x20 | b'/' | b'?' | b'#' | b'"' | b'\\' | b'<' | b'>'
                )
            })
            .and_then(|end| rest.get(..end))
            .unwrap_or(rest);
        // What was masked may have held the end of it: `://token://&x@` has no user.
        let authority = memchr::memmem::find(authority, MASKED.as_bytes())
            .and_then(|end| authority.get(..end))
            .unwrap_or(authority);
        match authority.iter().rposition(|b| *b == b'@') {
            None | Some(0) => false,
            Some(end) => {
                self.replace(start, start + end, &[MASKED]);
                true
            }
        }
    }

    /// `password=x`, `"token": "x"`, `Authorization: Basic x`, `Bearer x`; `at` is within
    /// the name.
    fn value_of_name(&mut self, at: usize) -> bool {
        let Some((name, end)) = shape::name_at(self.bytes, at) else {
            return false;
        };
        let quote = Quote::at(self.bytes, end);
        let after_name = quote.map_or(end, |quote| end + quote.len());
        let gap = quote::skip_blanks(self.bytes, after_name);
        let sign = quote::skip_signs(self.bytes, gap);
        let value = quote::skip_blanks(self.bytes, sign);
        if sign == gap {
            // Only `Bearer x` needs no sign, and only as a word of its own.
            let bearer = name == shape::Name::Bearer
                && quote.is_none()
                && gap > end
                && shape::begins_word(self.bytes, end - shape::BEARER.len());
            return bearer && self.text_value(value);
        }
        match quote {
            Some(quote) => self.member_value(value, quote),
            None => self.text_value(value),
        }
    }

    /// The value of a quoted name: a string, a scalar (which gets the name's quotes), or a list.
    fn member_value(&mut self, at: usize, quote: Quote) -> bool {
        if quote.is_plain() && self.strings.inside(at) {
            return false;
        }
        if self.byte(at) == b'[' {
            return self.list_values(at + 1, quote);
        }
        let end = quote::scalar_end(self.bytes, at);
        self.string_value(at) || self.hide_scalar(at, end, quote)
    }

    /// A number, say. `null`, `true` and `false` hold no secret and stay.
    fn hide_scalar(&mut self, at: usize, end: usize, quote: Quote) -> bool {
        let word = self.bytes.get(at..end).unwrap_or_default();
        if matches!(
            word,
            b"" | b"null" | b"true" | b"false" | b"None" | b"True" | b"False"
        ) {
            return false;
        }
        let mark = quote.text();
        self.replace(at, end, &[mark, MASKED, mark]);
        true
    }

    /// Every string and scalar of a list; what follows an object in it is not looked at.
    fn list_values(&mut self, start: usize, quote: Quote) -> bool {
        let before = self.done;
        let mut at = start;
        let mut depth = 1_usize;
        while depth > 0 {
            match self.byte(at) {
                b' ' | b'\t' | b',' => at += 1,
                b'[' => {
                    at += 1;
                    depth += 1;
                }
                b']' => {
                    at += 1;
                    depth -= 1;
                }
                _ => match self.list_value(at, quote) {
                    Some(end) => at = end,
                    None => break,
                },
            }
        }
        self.done > before
    }

    /// Masks a value of a list and says where it ends, closing quote included.
    fn list_value(&mut self, at: usize, quote: Quote) -> Option<usize> {
        if let Some((start, end)) = self.string_at(at) {
            self.hide_text(start, end);
            // Another quote than the opening one ends something around the list.
            let opening = Quote::at(self.bytes, at);
            let closing = Quote::at(self.bytes, end).filter(|quote| Some(*quote) == opening);
            return closing.map(|quote| end + quote.len());
        }
        let end = quote::scalar_end(self.bytes, at);
        self.hide_scalar(at, end, quote);
        (end > at).then_some(end)
    }

    /// A value in running text: quoted, or up to the next blank; after `Basic` and its like, the
    /// word that follows.
    fn text_value(&mut self, at: usize) -> bool {
        if self.string_value(at) {
            return true;
        }
        if Quote::at(self.bytes, at).is_some() {
            return false;
        }
        let end = quote::bare_end(self.bytes, at);
        let word = self.bytes.get(at..end).unwrap_or_default();
        let next = quote::skip_blanks(self.bytes, end);
        if next > end && shape::is_scheme(word) && self.credential(next) {
            return true;
        }
        self.bare_value(at, end)
    }

    /// What follows the name of an authentication scheme.
    fn credential(&mut self, at: usize) -> bool {
        if self.string_value(at) {
            return true;
        }
        let end = quote::bare_end(self.bytes, at);
        Quote::at(self.bytes, at).is_none() && self.bare_value(at, end)
    }

    fn bare_value(&mut self, at: usize, end: usize) -> bool {
        let word = self.bytes.get(at..end).unwrap_or_default();
        let Some(last) = word.iter().rposition(|b| !b",;.)]}>'`".contains(b)) else {
            return false;
        };
        self.replace(at, at + last + 1, &[MASKED]);
        true
    }

    /// A quoted value; its quotes stay, and so does the name of a scheme at its beginning.
    fn string_value(&mut self, at: usize) -> bool {
        self.string_at(at)
            .is_some_and(|(start, end)| self.hide_text(start, end))
    }

    fn hide_text(&mut self, start: usize, end: usize) -> bool {
        let text = self.bytes.get(start..end).unwrap_or_default();
        if text.is_empty() {
            return false;
        }
        self.replace(start + shape::scheme_length(text), end, &[MASKED]);
        true
    }

    /// From where to where the text goes of a quoted value that begins here.
    fn string_at(&mut self, at: usize) -> Option<(usize, usize)> {
        let quote = Quote::at(self.bytes, at)?;
        let inside = self.strings.inside(at);
        if quote.is_plain() && inside {
            // The end of the string that the name stands in, not the beginning of a value.
            return None;
        }
        let start = at + quote.len();
        Some((start, quote.close(self.bytes, start, inside)))
    }

    /// The byte at this place; 0 past the end, which no line holds.
    fn byte(&self, at: usize) -> u8 {
        self.bytes.get(at).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests;
