//! An event that differs from the one before in nothing but the text of its one piece.
//!
//! Decides that an event need not be read as JSON once more: its bytes up to the piece and behind
//! it are those of an event that was read, and the piece holds nothing that could end a string or
//! begin an escape, so that reading it would find the same things in the same places. Nearly all
//! events of a chat stream are such. Anything else is read. May miss: nothing by itself.

use std::ops::Range;

use super::texts::Key;

/// Longer events are read each time.
const MOST: usize = 1024;

/// The event that was read.
#[derive(Debug)]
pub(super) struct Again {
    before: Box<[u8]>,
    behind: Box<[u8]>,
    pub(super) key: Key,
    /// The type of the event and its item.
    pub(super) kind: Box<str>,
    pub(super) item: Box<str>,
}

impl Again {
    /// Remembers an event with a piece of the text `key` at this place, and nothing else in it.
    pub(super) fn new(
        event: &[u8],
        piece: &Range<usize>,
        key: Key,
        (kind, item): (&str, &str),
    ) -> Option<Self> {
        let (before, behind) = (event.get(..piece.start)?, event.get(piece.end..)?);
        (event.len() <= MOST).then(|| Self {
            before: before.into(),
            behind: behind.into(),
            key,
            kind: kind.into(),
            item: item.into(),
        })
    }

    /// The piece of an event that is the same in all else, and where it stands.
    pub(super) fn piece<'e>(&self, event: &'e [u8]) -> Option<(Range<usize>, &'e str)> {
        let piece = event
            .strip_prefix(&*self.before)?
            .strip_suffix(&*self.behind)?;
        let plain = |byte: &u8| *byte >= b' ' && *byte != b'"' && *byte != b'\\';
        if !piece.iter().all(plain) {
            return None;
        }
        let start = self.before.len();
        let range = start..start.saturating_add(piece.len());
        Some((range, std::str::from_utf8(piece).ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::Again;
    use crate::inspect::answer::texts::Key;
    use crate::inspect::answer::walk::What;

    #[test]
    fn only_what_reads_the_same_is_the_same() {
        let key = Key {
            what: What::Piece,
            choice: 0,
            part: 0,
        };
        let event = b"data: {\"delta\":\"one\"}\n\n";
        let again = Again::new(event, &(16..19), key, ("", "")).unwrap();
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
            (b"data: {\"delta\":\"a\\n\"}\n\n", None),
            (b"data: {\"delta\":\"a\",\"b\":\"c\"}\n\n", None),
            (b"data: {\"delta\":\"a\\\"}\n\n", None),
            (b"data: {\"delta\":\"a\tb\"}\n\n", None),
            (b"data: {\"delta\":\"\xe9\"}\n\n", None),
            (b"data: {\"delta\":\"}\n\n", None),
            (b"data:  {\"delta\":\"a\"}\n\n", None),
        ] {
            let piece = again.piece(event).map(|(_, piece)| piece);
            assert_eq!(piece, want, "{}", String::from_utf8_lossy(event));
        }
    }
}
