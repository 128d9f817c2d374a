//! How far a string runs on before a byte that ends the run: a quote, a backslash or a control
//! character.

use crate::inspect::sixtyfour::{Part, SixtyFour, WIDE, equal, within, zeros};

/// The length of the run at the start of `bytes`.
#[inline]
pub(super) fn plain_len(bytes: &[u8]) -> usize {
    Ends::new(bytes, 0).next().min(bytes.len())
}

/// All places where runs end, one after the other: quotes, backslashes and control characters.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ends<'a> {
    bytes: &'a [u8],
    /// Where the bytes begin that were asked last.
    row: usize,
    /// Which of them are still to be told.
    left: u64,
    /// Where the next ones begin.
    next: usize,
}

impl<'a> Ends<'a> {
    /// Those from `here` on.
    #[inline]
    pub(super) const fn new(bytes: &'a [u8], here: usize) -> Self {
        Self {
            bytes,
            row: here,
            left: 0,
            next: here,
        }
    }

    /// The next one. A place at the end of the bytes or behind it: there are no more.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "a call costs more")]
    pub(super) fn next(&mut self) -> usize {
        while self.left == 0 {
            self.row = self.next;
            // What is behind the last byte reads as a control character.
            self.left = SixtyFour::at(self.bytes, self.row).ask(end);
            self.next = self.row.wrapping_add(WIDE);
        }
        let place = self.row.wrapping_add(zeros(self.left));
        self.left &= self.left.wrapping_sub(1);
        place
    }

    /// Passes over all up to the one at `here`, which is mostly the next one.
    #[inline]
    pub(super) fn pass(&mut self, here: usize) {
        if self.next() != here {
            *self = Self::new(self.bytes, here.wrapping_add(1));
        }
    }
}

/// Which bytes are no plain characters of a string.
#[inline]
fn end(part: Part) -> Part {
    within(part, 0, 0x1f) | equal(part, b'"') | equal(part, b'\\')
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    use super::{Ends, plain_len};

    fn ends_run(byte: u8) -> bool {
        byte < b' ' || byte == b'"' || byte == b'\\'
    }

    #[test]
    fn every_byte_ends_a_run_or_does_not_at_every_place() {
        for byte in 0..=255_u8 {
            for before in 0..100 {
                let mut bytes = vec![b'x'; before];
                bytes.push(byte);
                bytes.extend_from_slice(&[b'"'; 40]);
                let want = if ends_run(byte) { before } else { before + 1 };
                assert_eq!(plain_len(&bytes), want, "byte {byte} after {before}");
            }
        }
    }

    proptest! {
        #[test]
        fn a_run_ends_where_a_plain_search_says(bytes in vec(any::<u8>(), 0..200), from in 0..50_usize) {
            let want = bytes.iter().position(|&byte| ends_run(byte)).unwrap_or(bytes.len());
            prop_assert_eq!(plain_len(&bytes), want);
            let mut ends = Ends::new(&bytes, from);
            for (place, _) in bytes.iter().enumerate().skip(from).filter(|(_, byte)| ends_run(**byte)) {
                prop_assert_eq!(ends.next(), place);
            }
            prop_assert!(ends.next() >= bytes.len());
        }
    }
}
