//! Which sentence of a text a place is in.
//!
//! Decides where sentences end: behind `.`, `?`, `!` or `;` and a blank. Reads a text once, by masks,
//! and then answers by counting bits. May miss: sentences that end without a blank.

use crate::inspect::sixtyfour::{SixtyFour, WIDE};

/// The sentences of one text; the room is kept for the next.
#[derive(Debug, Default)]
pub(super) struct Sentences {
    rows: Vec<Row>,
    foreign: bool,
}

/// Sixty-four bytes.
#[derive(Clone, Copy, Debug)]
struct Row {
    /// A bit for each blank behind the sign that ends a sentence.
    ends: u64,
    /// How many stand before these bytes.
    before: u32,
}

impl Sentences {
    /// Reads a text.
    pub(super) fn read(&mut self, text: &str) {
        self.rows.clear();
        let bytes = text.as_bytes();
        let (mut before, mut sign, mut foreign) = (0_u32, 0, 0);
        // One row more than full ones, so that there is one behind the last byte.
        let places = (0..=bytes.len()).step_by(WIDE);
        self.rows.extend(places.map(|at| {
            let all = SixtyFour::at(bytes, at);
            let signs = all.either(b'.', b'?') | all.either(b'!', b';');
            foreign |= all.foreign();
            let ends = all.equal(b' ') & (signs << 1 | sign);
            sign = signs >> 63;
            let row = Row { ends, before };
            before = before.saturating_add(ends.count_ones());
            row
        }));
        self.foreign = foreign != 0;
    }

    /// Whether the text has characters outside ASCII.
    pub(super) const fn foreign(&self) -> bool {
        self.foreign
    }

    /// How many blanks behind the end of a sentence stand before a place.
    #[inline]
    pub(super) fn before(&self, place: u32) -> u32 {
        let row = usize::try_from(place).unwrap_or(usize::MAX) / WIDE;
        self.rows.get(row).map_or(0, |row| {
            let below = (1_u64 << (place % u64::BITS)).wrapping_sub(1);
            row.before.wrapping_add((row.ends & below).count_ones())
        })
    }
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::arithmetic_side_effects,
        reason = "a wrong place must fail the test"
    )]

    use proptest::prelude::*;

    use super::Sentences;

    proptest! {
        #[test]
        fn places_are_of_one_sentence_if_none_ends_between_them(
            text in "([a-z]{0,40}|[.?!; ]{0,4}|é){0,12}",
            places in any::<[prop::sample::Index; 2]>(),
        ) {
            let mut sentences = Sentences::default();
            sentences.read("One. Two; three? ");
            sentences.read(&text);
            let [from, to] = places.map(|place| place.index(text.len() + 1));
            let (from, to) = (from.min(to), from.max(to));
            let between = text.as_bytes().get(from..to).expect("they are in order");
            let ends = between.windows(2).any(|pair| {
                pair.ends_with(b" ") && b".?!;".contains(&pair[0])
            });
            let at = |place: usize| {
                sentences.before(u32::try_from(place).expect("a short text"))
            };
            prop_assert_eq!(at(to) > at(from + 1), ends);
        }
    }
}
