//! Which bytes of a text are of which kind, a bit for each: made once, asked by all who look for
//! values.
//!
//! Decides where the next mark stands and how far words reach, by shifts and by counting zeros: a
//! loop over bytes that ends where nobody can foresee it costs the processor a wrong guess, and
//! real text asks for one at every number. Never looks at what the bytes mean together.

use std::ops::Range;

use crate::inspect::sixtyfour::{SixtyFour, WIDE, below, equal, within, zeros};

/// Sixty-four bytes of a text, a bit for each.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Row {
    digits: u64,
    letters: u64,
    /// Parts of characters that are no ASCII.
    foreign: u64,
    /// `_` and `-`.
    joints: u64,
    dots: u64,
    colons: u64,
    equals: u64,
    ats: u64,
    /// Brackets, blanks, `-`, `.` and `/`: with what is no ASCII, all that parts groups of digits.
    parts: u64,
    /// `+`, `/`, `~` and `$`.
    ties: u64,
}

impl Row {
    /// Bytes that may be of any kind.
    pub(super) const ANY: Self = Self::NOTHING.or_any(u64::MAX);

    const NOTHING: Self = Self {
        digits: 0,
        letters: 0,
        foreign: 0,
        joints: 0,
        dots: 0,
        colons: 0,
        equals: 0,
        ats: 0,
        parts: 0,
        ties: 0,
    };

    /// The same with some bytes that may be of any kind.
    pub(super) const fn or_any(mut self, any: u64) -> Self {
        self.digits |= any;
        self.letters |= any;
        self.foreign |= any;
        self.joints |= any;
        self.dots |= any;
        self.colons |= any;
        self.equals |= any;
        self.ats |= any;
        self.parts |= any;
        self.ties |= any;
        self
    }

    #[inline]
    fn of(all: &SixtyFour) -> Self {
        Self {
            digits: all.within(b'0', b'9'),
            letters: all.letters(),
            foreign: all.foreign(),
            joints: all.either(b'_', b'-'),
            dots: all.equal(b'.'),
            colons: all.equal(b':'),
            equals: all.equal(b'='),
            ats: all.equal(b'@'),
            parts: all.ask(|part| {
                within(part, b'(', b')') | within(part, b'-', b'/') | equal(part, b' ')
            }),
            ties: all.ask(|part| {
                let of_base64 = equal(part, b'+') | equal(part, b'/');
                of_base64 | equal(part, b'~') | equal(part, b'$')
            }),
        }
    }

    /// What wakes the look for secrets.
    #[inline]
    pub(super) const fn secret(&self) -> u64 {
        self.digits | self.colons | self.equals | self.joints
    }

    /// Digits.
    #[inline]
    pub(super) const fn digits(&self) -> u64 {
        self.digits
    }

    /// Letters of ASCII.
    #[inline]
    pub(super) const fn letters(&self) -> u64 {
        self.letters
    }

    /// `:`.
    #[inline]
    pub(super) const fn colons(&self) -> u64 {
        self.colons
    }

    /// `@`.
    #[inline]
    pub(super) const fn ats(&self) -> u64 {
        self.ats
    }

    /// What may part groups of digits.
    #[inline]
    pub(super) const fn parts(&self) -> u64 {
        self.parts | self.foreign
    }

    /// Letters and digits of ASCII.
    #[inline]
    pub(super) const fn alnum(&self) -> u64 {
        self.digits | self.letters
    }

    /// These and what joins them.
    #[inline]
    pub(super) const fn joined(&self) -> u64 {
        self.alnum() | self.joints
    }

    /// These and parts of characters that are no ASCII: what a domain's labels are made of.
    #[inline]
    pub(super) const fn names(&self) -> u64 {
        self.joined() | self.foreign
    }

    /// Those that are joined, and dots.
    #[inline]
    pub(super) const fn dotted(&self) -> u64 {
        self.joined() | self.dots
    }

    /// These and what else stands in a key: `+`, `/`, `=`, `~`, and `$`.
    #[inline]
    pub(super) const fn spread(&self) -> u64 {
        self.dotted() | self.ties | self.equals
    }

    /// `+`, `/`, `~` and `$`.
    #[inline]
    pub(super) const fn ties(&self) -> u64 {
        self.ties
    }

    /// `=`.
    #[inline]
    pub(super) const fn equals(&self) -> u64 {
        self.equals
    }

    /// `_` and `-`.
    #[inline]
    pub(super) const fn joints(&self) -> u64 {
        self.joints
    }

    /// Dots.
    #[inline]
    pub(super) const fn dots(&self) -> u64 {
        self.dots
    }

    /// Letters of all scripts.
    #[inline]
    pub(super) const fn script(&self) -> u64 {
        self.letters | self.foreign
    }
}

/// The kinds of the bytes of one text; its room is kept for the next.
#[derive(Clone, Debug, Default)]
pub struct Index {
    rows: Vec<Row>,
}

/// A text and the kinds of its bytes.
#[derive(Clone, Copy, Debug)]
pub struct Indexed<'t> {
    pub(super) text: &'t str,
    pub(super) index: &'t Index,
}

impl Index {
    /// Reads a text in which nobody looks for marks before `from`. If there are none behind it,
    /// nothing else is asked, and the index stays empty: so it is with most words of a live answer.
    pub fn read<'t>(&'t mut self, text: &'t str, from: u32) -> Indexed<'t> {
        self.rows.clear();
        let bytes = text.as_bytes();
        let from = text.floor_char_boundary(usize::try_from(from).unwrap_or(usize::MAX));
        if has_marks(bytes, from) {
            let places = (0..bytes.len()).step_by(WIDE);
            let rows = places.map(|at| Row::of(&SixtyFour::at(bytes, at)));
            self.rows.extend(rows);
        }
        Indexed { text, index: self }
    }

    /// How many rows there are.
    pub(super) const fn rows(&self) -> usize {
        self.rows.len()
    }

    /// A row; one of nothing behind the text.
    #[inline]
    pub(super) fn row(&self, n: usize) -> &Row {
        self.rows.get(n).unwrap_or(&Row::NOTHING)
    }

    /// The first place at or behind `i` whose byte is of a kind.
    #[inline]
    pub(super) fn next(&self, of: impl Fn(&Row) -> u64, i: usize) -> Option<usize> {
        let mut row = i / WIDE;
        let first = of(self.rows.get(row)?) >> (i % WIDE);
        if first != 0 {
            return Some(i.wrapping_add(zeros(first)));
        }
        loop {
            row = row.wrapping_add(1);
            let bits = of(self.rows.get(row)?);
            if bits != 0 {
                return Some(row.wrapping_mul(WIDE).wrapping_add(zeros(bits)));
            }
        }
    }

    /// Where the run of a kind ends that `i` stands in; `i` itself if it is not of the kind.
    #[inline]
    pub(super) fn end(&self, of: impl Fn(&Row) -> u64, i: usize) -> usize {
        let behind = self.rows.len().wrapping_mul(WIDE);
        // Behind the text there is nothing of any kind.
        self.next(|row| !of(row), i)
            .unwrap_or_else(|| behind.max(i))
    }

    /// How many bytes right before `i` are of a kind, at most 64.
    #[inline]
    pub(super) fn back(&self, of: impl Fn(&Row) -> u64, i: usize) -> usize {
        let bits = match i.checked_sub(WIDE) {
            Some(from) => self.bits(of, from),
            // None stand before the text.
            None if i > 0 => self.bits(of, 0) << (WIDE.wrapping_sub(i) % WIDE),
            None => 0,
        };
        usize::try_from(bits.leading_ones()).unwrap_or(WIDE)
    }

    /// Where the run of a kind begins that ends before `i`, or `least` if it began before that.
    #[inline]
    pub(super) fn start(&self, of: impl Fn(&Row) -> u64, i: usize, least: usize) -> usize {
        let mut start = i;
        loop {
            let back = self.back(&of, start);
            start = start.wrapping_sub(back);
            if back < WIDE || start <= least {
                return start.max(least);
            }
        }
    }

    /// How many bytes of a stretch are of a kind.
    #[inline]
    pub(super) fn count(&self, of: impl Fn(&Row) -> u64, stretch: Range<usize>) -> usize {
        let mut count = 0_u32;
        for at in stretch.clone().step_by(WIDE) {
            let bits = self.bits(&of, at) & below(stretch.end.wrapping_sub(at));
            count = count.wrapping_add(bits.count_ones());
        }
        usize::try_from(count).unwrap_or(usize::MAX)
    }

    /// Sixty-four bits from `i` on.
    #[inline]
    pub(super) fn bits(&self, of: impl Fn(&Row) -> u64, i: usize) -> u64 {
        let row = |n: usize| self.rows.get(n).map_or(0, &of);
        let (first, shift) = (i / WIDE, i % WIDE);
        let high = row(first.wrapping_add(1)) << 1;
        row(first) >> shift | high << (WIDE.wrapping_sub(1).wrapping_sub(shift) % WIDE)
    }
}

/// Whether a text has anything, from a place on, that wakes a look for values.
fn has_marks(text: &[u8], from: usize) -> bool {
    let mut places = (from..text.len()).step_by(WIDE);
    places.any(|at| {
        let all = SixtyFour::at(text, at);
        all.within(b'0', b':') | all.either(b'=', b'@') | all.either(b'_', b'-') != 0
    })
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::arithmetic_side_effects,
        reason = "a wrong place must fail the test"
    )]

    use proptest::prelude::*;

    use super::{Index, Row, zeros};

    type Kind = (fn(&Row) -> u64, fn(u8) -> bool);

    fn personal(row: &Row) -> u64 {
        row.digits() | row.colons() | row.ats()
    }

    const KINDS: [Kind; 10] = [
        (personal, |byte| matches!(byte, b'0'..=b':' | b'@')),
        (Row::parts, |byte| {
            matches!(byte, b'(' | b')' | b'-' | b'.' | b'/' | b' ' | 0x80..)
        }),
        (Row::secret, |byte| {
            matches!(byte, b'0'..=b':' | b'=' | b'_' | b'-')
        }),
        (Row::alnum, |byte| byte.is_ascii_alphanumeric()),
        (Row::joined, |byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
        }),
        (Row::names, |byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | 0x80..)
        }),
        (Row::dotted, |byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
        }),
        (Row::ties, |byte| matches!(byte, b'+' | b'/' | b'~' | b'$')),
        (Row::spread, |byte| {
            let joined = byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
            joined || matches!(byte, b'+' | b'/' | b'=' | b'~' | b'$')
        }),
        (Row::script, |byte| {
            byte.is_ascii_alphabetic() || !byte.is_ascii()
        }),
    ];

    proptest! {
        #[test]
        fn the_index_answers_as_the_bytes_do(
            text in "([a-z0-9]{0,90}|[ -~é]{0,9}|[_.:@=-]{0,4}){0,8}",
            at in any::<prop::sample::Index>(),
        ) {
            let mut index = Index::default();
            // What it read before does not matter.
            index.read("0123456789 abc:@".repeat(20).as_str(), 0);
            // Behind a mark, so that it is not empty.
            let text = text + "7";
            let read = index.read(&text, 0);
            let (index, bytes) = (read.index, text.as_bytes());
            let i = at.index(bytes.len() + 1);
            for (of, is) in KINDS {
                let (before, behind) = bytes.split_at(i);
                let next = behind.iter().position(|byte| is(*byte)).map(|n| i + n);
                prop_assert_eq!(index.next(of, i), next);
                let ahead = behind.iter().take_while(|byte| is(**byte)).count();
                prop_assert_eq!(index.end(of, i), i + ahead);
                prop_assert_eq!(zeros(!index.bits(of, i)), ahead.min(64));
                let back = before.iter().rev().take_while(|byte| is(**byte)).count();
                prop_assert_eq!(index.back(of, i), back.min(64));
                let all = before.iter().filter(|byte| is(**byte)).count();
                prop_assert_eq!(index.count(of, 0..i), all);
                for least in [0, i / 2, i] {
                    prop_assert_eq!(index.start(of, i, least), (i - back).max(least));
                }
            }
        }

        #[test]
        fn an_index_without_marks_is_empty(
            text in "([a-zA-Z ,é]{0,90}[.:=@_0-]?){0,4}",
            from in any::<prop::sample::Index>(),
        ) {
            let mut index = Index::default();
            let from = text.floor_char_boundary(from.index(text.len() + 1));
            let read = index.read(&text, u32::try_from(from).expect("a short text"));
            let whole = format!("{text}0");
            let mut marked = Index::default();
            let marked = marked.read(&whole, 0);
            for of in [personal, Row::secret] {
                let found = read.index.next(of, from).unwrap_or(text.len());
                prop_assert_eq!(Some(found), marked.index.next(of, from));
            }
            let marks = text.split_at(from).1.contains(['0', ':', '=', '@', '_', '-']);
            prop_assert_eq!(read.index.rows.is_empty(), !marks);
        }
    }
}
