//! Quotes at any depth of escaping, and where the value ends that they open.
//!
//! Decides where a quoted or bare value ends, so that what is cut out is always whole escape
//! sequences between two delimiters. It never decides that a value is a secret.

use memchr::{memchr2, memchr3};

/// An opening or closing quote with the backslashes that stand before it: `"`, `\"`, `\\\"`, `'`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Quote {
    mark: u8,
    /// JSON within JSON: how often the text that the quote stands in has been escaped.
    depth: usize,
}

/// The mark at each depth: each escaping doubles the backslashes and adds one.
const MARKS: [&str; 5] = [
    "\"",
    "\\\"",
    "\\\\\\\"",
    "\\\\\\\\\\\\\\\"",
    "\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\"",
];

impl Quote {
    /// The quote that begins here, if one does.
    pub(super) fn at(bytes: &[u8], at: usize) -> Option<Self> {
        let rest = bytes.get(at..)?;
        if rest.first() == Some(&b'\'') {
            return Some(Self {
                mark: b'\'',
                depth: 0,
            });
        }
        let depth = MARKS
            .iter()
            .position(|mark| rest.starts_with(mark.as_bytes()))?;
        Some(Self { mark: b'"', depth })
    }

    /// Whether it is a `"` that nothing escapes: one that begins and ends strings of the line.
    pub(super) const fn is_plain(self) -> bool {
        self.mark == b'"' && self.depth == 0
    }

    /// As it stands in the line.
    pub(super) fn text(self) -> &'static str {
        if self.mark == b'\'' {
            return "'";
        }
        MARKS.get(self.depth).copied().unwrap_or("\"")
    }

    /// How many bytes it takes.
    pub(super) fn len(self) -> usize {
        self.text().len()
    }

    /// Where the value ends that begins at `start`: before its closing quote, or before the quote
    /// that closes something around it, or at the end of the line.
    ///
    /// `inside` says that the value stands in a string of a JSON line.
    pub(super) fn close(self, bytes: &[u8], start: usize, inside: bool) -> usize {
        let mut at = start;
        while let Some(found) = bytes.get(at..).and_then(|rest| self.find(rest)) {
            let begin = at + found;
            let mark = begin + backslashes(bytes, begin);
            let closes = match bytes.get(mark) {
                Some(b'"') if self.mark == b'"' => closing(mark - begin, self.depth),
                // Within single quotes a double one is text, unless it ends the whole string.
                Some(b'"') if inside => closing(mark - begin, 0),
                Some(b'\'') if self.mark == b'\'' && (mark - begin).is_multiple_of(2) => Some(0),
                _ => None,
            };
            match closes {
                Some(own) => return mark - own,
                None => at = (mark + 1).min(bytes.len()),
            }
        }
        bytes.len()
    }

    fn find(self, rest: &[u8]) -> Option<usize> {
        if self.mark == b'\'' {
            memchr3(b'\'', b'"', b'\\', rest)
        } else {
            memchr2(b'"', b'\\', rest)
        }
    }
}

/// How many backslashes stand here in a row.
fn backslashes(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    rest.iter().position(|b| *b != b'\\').unwrap_or(rest.len())
}

/// How many of the backslashes before a `"` belong to it, if it closes a string of this depth or
/// of one around it; none if it is text within the string.
fn closing(backslashes: usize, depth: usize) -> Option<usize> {
    let mut left = backslashes;
    let mut own = 0;
    for _ in 0..=depth {
        if left.is_multiple_of(2) {
            return Some(own);
        }
        // Undo one escaping: `\"` is a quote, `\\` a backslash.
        left = (left - 1) / 2;
        own = 2 * own + 1;
    }
    None
}

/// Past blanks.
pub(super) fn skip_blanks(bytes: &[u8], at: usize) -> usize {
    skip(bytes, at, b" \t")
}

/// Past the signs between a name and its value: `=`, `:`, `=>`, `:=`.
pub(super) fn skip_signs(bytes: &[u8], at: usize) -> usize {
    let end = skip(bytes, at, b"=:");
    if end > at { skip(bytes, end, b">") } else { at }
}

fn skip(bytes: &[u8], at: usize, these: &[u8]) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest
        .iter()
        .position(|b| !these.contains(b))
        .unwrap_or(rest.len())
}

/// Where a value without quotes ends: before a blank, a control character (escaped ones too), a
/// quote or an ampersand. Never within an escape sequence.
pub(super) fn bare_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start;
    while let Some(byte) = bytes.get(at) {
        match byte {
            0..=0x20 | 0x7f | b'"' | b'&' => return at,
            b'\\' => match bytes.get(at + 1) {
                None | Some(b'n' | b'r' | b't' | b'"') => return at,
                Some(_) => at += 2,
            },
            _ => at += 1,
        }
    }
    bytes.len()
}

/// Where a value without quotes ends that follows a quoted name, as numbers do in JSON.
pub(super) fn scalar_end(bytes: &[u8], start: usize) -> usize {
    let rest = bytes.get(start..).unwrap_or_default();
    let length = rest
        .iter()
        .position(|b| {
            matches!(
                b,
                0..=0x20 | b'"' | b'\'' | b'\\' | b',' | b'[' | b']' | b'{' | b'}'
            )
        })
        .unwrap_or(rest.len());
    start + length
}

/// Which parts of a JSON line are strings. Asked from left to right, each byte is read once.
pub(super) struct Strings<'a> {
    bytes: &'a [u8],
    /// Nothing is known of a line that is no JSON object.
    json: bool,
    at: usize,
    inside: bool,
}

impl<'a> Strings<'a> {
    /// Of a line.
    pub(super) fn of(line: &'a str) -> Self {
        Self {
            bytes: line.as_bytes(),
            json: line.starts_with('{'),
            at: 0,
            inside: false,
        }
    }

    /// Whether this place, which lies after those asked for before, is inside a string.
    pub(super) fn inside(&mut self, place: usize) -> bool {
        if !self.json {
            return false;
        }
        while let Some(rest) = self.bytes.get(self.at..place) {
            let Some(found) = memchr2(b'"', b'\\', rest) else {
                self.at = place;
                break;
            };
            let at = self.at + found;
            if self.bytes.get(at) == Some(&b'\\') {
                self.at = at + 2;
            } else {
                self.inside = !self.inside;
                self.at = at + 1;
            }
        }
        self.inside
    }
}
