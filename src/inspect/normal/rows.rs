//! Which rows of sixty-four bytes of a canonical text are worth a look: asked of all of them in one
//! pass, as most of most texts are not.
//!
//! Decides nothing: a row that is told may hold nothing, but none is left out in which a word spelled
//! out or one of digits for letters begins.

use super::kinds::{Kinds, halves, those};
use super::spelled;
use crate::inspect::sixtyfour::{SixtyFour, WIDE};

/// Letters set apart may begin in the row.
pub(super) const SPELLED: u8 = 1;
/// A digit or sign stands before a letter in the row.
pub(super) const LEET: u8 = 2;

const KINDS: Kinds = Kinds::new([
    // Space, and `*` to `/`.
    (those([2]), those([0]) | halves(0xa, 0xf)),
    // `\` and `_`.
    (those([5]), those([0xc, 0xf])),
    // `|` and `~`.
    (those([7]), those([0xc, 0xe])),
    // `0` to `7`.
    (those([3]), halves(0, 7)),
    // `@`.
    (those([4]), those([0])),
    // `!` and `$`.
    (those([2]), those([1, 4])),
    // Small letters.
    (those([6]), halves(1, 15)),
    (those([7]), halves(0, 0xa)),
]);
const GAPS: u8 = 0b0000_0111;
const FOR_LETTERS: u8 = 0b0011_1000;
const SMALL: u8 = 0b1100_0000;

/// The rows of one text; its room is kept for the next.
#[derive(Debug, Default)]
pub(super) struct Rows(Vec<u8>);

/// What is known of one row.
#[derive(Clone, Copy, Default)]
struct Row {
    gaps: u64,
    foreign: u64,
    signs: u64,
    small: u64,
}

impl Row {
    #[inline]
    fn at(text: &[u8], at: usize) -> Self {
        let all = SixtyFour::at(text, at);
        Self {
            gaps: KINDS.ask(&all, GAPS),
            foreign: all.foreign(),
            signs: KINDS.ask(&all, FOR_LETTERS),
            small: KINDS.ask(&all, SMALL),
        }
    }

    /// What may begin in this row, with the one ahead.
    #[inline]
    fn holds(&self, ahead: &Self) -> u8 {
        let ascii = self.foreign | ahead.foreign == 0;
        let spelled = spelled::rows(self.gaps, ahead.gaps, ascii) != 0;
        let leet = self.signs & ((self.small >> 1) | (ahead.small << 63)) != 0;
        (if spelled { SPELLED } else { 0 }) | (if leet { LEET } else { 0 })
    }
}

impl Rows {
    /// Reads a text.
    pub(super) fn read(&mut self, text: &[u8]) {
        let mut here = Row::at(text, 0);
        self.0.clear();
        self.0.extend((0..text.len()).step_by(WIDE).map(|at| {
            let ahead = Row::at(text, at.saturating_add(WIDE));
            let holds = here.holds(&ahead);
            here = ahead;
            holds
        }));
    }

    /// The first place, at or behind another, in a row that holds something.
    #[inline]
    pub(super) fn next(&self, kind: u8, at: usize) -> Option<usize> {
        let row = at / WIDE;
        let ahead = self
            .0
            .get(row..)?
            .iter()
            .position(|holds| holds & kind != 0)?;
        Some(at.max(row.saturating_add(ahead).saturating_mul(WIDE)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Strategy, prop_assert_eq, prop_oneof, proptest};

    use super::{LEET, Rows, SPELLED};

    fn texts() -> impl Strategy<Value = String> {
        let near = "([a-z]{0,9}[ *./_|~!0-9@$-]|[ -][a-z0-9]|\u{43a}|\u{20ac} ){0,90}";
        prop_oneof![near, "[a-z0-9@$!A-Z]{0,200}", "([ -~][ _.]){0,99}"]
    }

    /// Where the next gap stands behind one, a letter of one to three bytes between them.
    fn next_gap(text: &[u8], at: usize, ascii: bool) -> Vec<usize> {
        let gap = |place: &usize| {
            text.get(*place)
                .is_some_and(|byte| b" *+,-./\\_|~".contains(byte))
        };
        let wide = if ascii { 2..3 } else { 2..5 };
        wide.map(|wide| at.wrapping_add(wide)).filter(gap).collect()
    }

    proptest! {
        #[test]
        fn no_row_is_left_out_in_which_something_begins(text in texts()) {
            let text = text.as_bytes();
            let mut rows = Rows::default();
            rows.read(text);
            for (row, part) in text.chunks(64).enumerate() {
                let start = row.wrapping_mul(64);
                let near = text.get(start..text.len().min(start.wrapping_add(128)));
                let ascii = near.is_some_and(<[u8]>::is_ascii);
                let spelled = (start..start.wrapping_add(part.len())).any(|at| {
                    let one = next_gap(text, at.wrapping_sub(2), true);
                    let two = one.iter().flat_map(|&at| next_gap(text, at, ascii));
                    let three = two.flat_map(|at| next_gap(text, at, ascii));
                    three.flat_map(|at| next_gap(text, at, ascii)).next().is_some()
                });
                let leet = text.windows(2).skip(start).take(64).any(|pair| {
                    matches!(pair, [b'0'..=b'7' | b'@' | b'$' | b'!', b'a'..=b'z'])
                });
                for (kind, is) in [(SPELLED, spelled), (LEET, leet)] {
                    let found = rows.next(kind, start).filter(|place| *place == start);
                    prop_assert_eq!(found.is_some(), is, "kind {} of row {}", kind, row);
                }
            }
        }
    }
}
