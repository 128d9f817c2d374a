//! An event that differs from the one before in nothing but its piece of text, its number, and
//! names that nothing is read from.
//!
//! Decides that an event need not be read as JSON once more: its bytes around the gaps are those
//! of an event that was read, and what stands in each gap is a string, a number or a name to its
//! very end, so that reading it would find the same things in the same places. Nearly all events
//! of a stream are such. Anything else is read. May miss: nothing by itself; the tests hold it to
//! what reading finds.

use std::borrow::Cow;
use std::ops::Range;

use super::texts::Key;
use super::{sse, words, write};

/// Longer events are read each time.
const MOST: usize = 1024;
/// Names of one event that may differ.
const NAMES: usize = 4;
/// Digits that are a number, whatever they are.
const DIGITS: usize = 18;

/// What stands where events differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gap {
    /// The inside of the string that is the piece of text.
    Piece,
    /// The event's number.
    Number,
    /// The inside of a string that is a name, and is for nothing but to be there.
    Name,
}

/// Where events of one kind may differ.
#[derive(Debug)]
pub(super) struct Gaps<'w> {
    pub(super) piece: Range<usize>,
    pub(super) number: Option<Range<usize>>,
    pub(super) names: &'w [Range<usize>],
}

/// The event that was read.
#[derive(Debug)]
pub(super) struct Again {
    /// It came as it stands here: what is the same is one event, wherever it comes.
    pub(super) as_it_came: bool,
    /// Its bytes, without what stands in the gaps.
    fixed: Box<[u8]>,
    /// Where in them the gaps are, in order.
    gaps: Box<[(usize, Gap)]>,
    pub(super) key: Key,
    /// The type of the event and its item.
    pub(super) kind: Box<str>,
    pub(super) item: Box<str>,
}

/// What an event has in its gaps.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Same<'e> {
    /// Where the piece stands, and its text.
    pub(super) piece: (Range<usize>, Cow<'e, str>),
    /// Where the number stands, and its value.
    pub(super) number: Option<(Range<usize>, u64)>,
}

impl Again {
    /// Remembers an event with a piece of the text `key`, and nothing else that is read from it
    /// but what stands in the gaps. The places count from `offset` in the event.
    pub(super) fn new(
        (event, offset): (&[u8], usize),
        gaps: &Gaps<'_>,
        key: Key,
        (kind, item): (&str, &str),
    ) -> Option<Self> {
        if event.len() > MOST || gaps.names.len() > NAMES {
            return None;
        }
        let names = gaps.names.iter().map(|name| (name, Gap::Name));
        let number = gaps.number.iter().map(|number| (number, Gap::Number));
        let piece = std::iter::once((&gaps.piece, Gap::Piece));
        let mut places: Vec<_> = piece.chain(number).chain(names).collect();
        places.sort_unstable_by_key(|(place, _)| place.start);
        let (mut fixed, mut done) = (Vec::with_capacity(event.len()), 0);
        let mut found = Vec::with_capacity(places.len());
        for (place, gap) in places {
            let start = place.start.saturating_add(offset);
            fixed.extend_from_slice(event.get(done..start)?);
            found.push((fixed.len(), gap));
            done = place.end.saturating_add(offset);
        }
        fixed.extend_from_slice(event.get(done..)?);
        Some(Self {
            as_it_came: sse::keeps_its_bytes(event),
            fixed: fixed.into(),
            gaps: found.into(),
            key,
            kind: kind.into(),
            item: item.into(),
        })
    }

    /// Bytes that it takes in memory.
    pub(super) fn state_bytes(&self) -> usize {
        let words = self.kind.len().saturating_add(self.item.len());
        let gaps = size_of_val(&*self.gaps);
        self.fixed.len().saturating_add(words).saturating_add(gaps)
    }

    /// What stands in the gaps of an event that is the same in all else.
    pub(super) fn same<'e>(&self, event: &'e [u8]) -> Option<Same<'e>> {
        let (mut piece, mut number) = (None, None);
        let (mut done, mut at) = (0, 0);
        for (end, gap) in &self.gaps {
            let fixed = self.fixed.get(done..*end)?;
            let rest = event.get(at..)?.strip_prefix(fixed)?;
            at = at.saturating_add(fixed.len());
            let length = match gap {
                Gap::Piece => {
                    let (length, text) = string(rest)?;
                    piece = Some((at..at.saturating_add(length), text));
                    length
                }
                Gap::Number => {
                    let (length, value) = whole_number(rest)?;
                    number = Some((at..at.saturating_add(length), value));
                    length
                }
                Gap::Name => rest.iter().position(|byte| !words::is_name_byte(*byte))?,
            };
            (done, at) = (*end, at.saturating_add(length));
        }
        let same = event.get(at..)? == self.fixed.get(done..)?;
        piece.filter(|_| same).map(|piece| Same { piece, number })
    }
}

/// The string whose inside begins here: how long it is as it stands, and what it says. None if
/// it is not read as easily as that.
fn string(bytes: &[u8]) -> Option<(usize, Cow<'_, str>)> {
    let special = |byte: &u8| write::is_escaped(*byte);
    let end = bytes.iter().position(special)?;
    if bytes.get(end) == Some(&b'"') {
        let text = std::str::from_utf8(bytes.get(..end)?).ok()?;
        return Some((end, text.into()));
    }
    let (mut text, mut done, mut end) = (String::new(), 0, end);
    loop {
        text.push_str(std::str::from_utf8(bytes.get(done..end)?).ok()?);
        match bytes.get(end..)? {
            [b'"', ..] => return Some((end, text.into())),
            [b'\\', escape, ..] => text.push(match escape {
                b'"' => '"',
                b'\\' => '\\',
                b'/' => '/',
                b'n' => '\n',
                b'r' => '\r',
                b't' => '\t',
                _ => return None,
            }),
            _ => return None,
        }
        done = end.saturating_add(2);
        end = done.saturating_add(bytes.get(done..)?.iter().position(special)?);
    }
}

/// The number that begins here: how many digits it has, and what they say.
fn whole_number(bytes: &[u8]) -> Option<(usize, u64)> {
    let length = bytes.iter().position(|byte| !byte.is_ascii_digit())?;
    let digits = std::str::from_utf8(bytes.get(..length)?).ok()?;
    let is_one = length == 1 || !digits.starts_with('0');
    (is_one && length <= DIGITS).then_some((length, digits.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::{Again, Gaps};
    use crate::inspect::answer::texts::Key;
    use crate::inspect::answer::walk::What;

    const KEY: Key = Key {
        what: What::Piece,
        choice: 0,
        part: 0,
    };

    fn piece(again: &Again, event: &[u8]) -> Option<String> {
        again.same(event).map(|same| {
            let (range, text) = same.piece;
            if !event[range.clone()].contains(&b'\\') {
                assert_eq!(&event[range], text.as_bytes(), "it stands there");
            }
            text.into_owned()
        })
    }

    #[test]
    fn only_what_reads_the_same_is_the_same() {
        let event = b"data: {\"delta\":\"one\"}\n\n";
        let gaps = Gaps {
            piece: 10..13,
            number: None,
            names: &[],
        };
        let again = Again::new((event, 6), &gaps, KEY, ("", "")).unwrap();
        for (event, want) in [
            (
                &b"data: {\"delta\":\"two three\"}\n\n"[..],
                Some("two three"),
            ),
            (b"data: {\"delta\":\"\"}\n\n", Some("")),
            (
                "data: {\"delta\":\"caf\u{e9}\"}\n\n".as_bytes(),
                Some("caf\u{e9}"),
            ),
            (b"data: {\"delta\":\"a\\n\\\"b\\\\\"}\n\n", Some("a\n\"b\\")),
            (b"data: {\"delta\":\"a\\u0041\"}\n\n", None),
            (b"data: {\"delta\":\"a\\x\"}\n\n", None),
            (b"data: {\"delta\":\"a\",\"b\":\"c\"}\n\n", None),
            (b"data: {\"delta\":\"a\\\"}\n\n", None),
            (b"data: {\"delta\":\"a\tb\"}\n\n", None),
            (b"data: {\"delta\":\"\xe9\"}\n\n", None),
            (b"data: {\"delta\":\"\\n\xe9\"}\n\n", None),
            (b"data: {\"delta\":\"}\n\n", None),
            (b"data:  {\"delta\":\"a\"}\n\n", None),
            (b"data: {\"delta\":\"a\"}\n\n ", None),
            (b"data: {\"delta\":\"a\"}\n", None),
            (b"", None),
        ] {
            let got = piece(&again, event);
            assert_eq!(got.as_deref(), want, "{}", String::from_utf8_lossy(event));
        }
    }

    #[test]
    fn a_number_and_a_name_are_read_to_their_ends() {
        let event = br#"{"n":7,"delta":"one","o":"xyz"}"#;
        let name = 26..29;
        let gaps = Gaps {
            piece: 16..19,
            number: Some(5..6),
            names: std::slice::from_ref(&name),
        };
        let again = Again::new((event, 0), &gaps, KEY, ("", "")).unwrap();
        for (event, want) in [
            (
                r#"{"n":123456789012345678,"delta":"a","o":"k-9"}"#,
                Some(123_456_789_012_345_678),
            ),
            (r#"{"n":0,"delta":"a","o":""}"#, Some(0)),
            (r#"{"n":00,"delta":"a","o":"b"}"#, None),
            (r#"{"n":07,"delta":"a","o":"b"}"#, None),
            (r#"{"n":,"delta":"a","o":"b"}"#, None),
            (r#"{"n":-7,"delta":"a","o":"b"}"#, None),
            (r#"{"n":7.0,"delta":"a","o":"b"}"#, None),
            (r#"{"n":1234567890123456789,"delta":"a","o":"b"}"#, None),
            (r#"{"n":7,"delta":"a","o":"b c"}"#, None),
            (r#"{"n":7,"delta":"a","o":"b\""}"#, None),
            (r#"{"n":7,"delta":"a","o":"b","delta":"c"}"#, None),
            (r#"{"n":7,"delta":"a","o":"b"#, None),
        ] {
            let number = again.same(event.as_bytes()).map(|same| same.number);
            let number = number.map(|number| number.map(|(_, number)| number));
            assert_eq!(number, want.map(Some), "{event}");
        }
    }
}
