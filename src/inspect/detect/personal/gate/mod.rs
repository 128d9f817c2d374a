//! Where personal data may stand at all, for sixty-four bytes at once.
//!
//! Decides, by shifts and sums over the bits of a row of the index and of those beside it, which
//! words with a digit and which `@` and `:` the checkers must look at. Most numbers of a text stand
//! alone and are short: they are passed over together, where a look at each has the processor guess
//! at every one.
//! May wake for nothing; never passes over what a checker would find, nor what another candidate
//! is judged by (a test has the sweep look at every mark as well, and find the same).

#[cfg(test)]
mod tests;

use crate::inspect::detect::index::{Index, Row};
use crate::inspect::sixtyfour::{WIDE, zeros};

/// What wakes in one row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Awake {
    /// One past the last byte of words that are something if [`Word::may_be`] says so.
    pub(super) perhaps: u64,
    /// The same of words that must be looked at.
    pub(super) surely: u64,
    /// `@` and `:`.
    pub(super) marks: u64,
}

/// What is known of the word that a row ends in. Of words of 64 bytes and more nothing is, which
/// does not matter: none is of ours.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cut {
    digit: bool,
    letter: bool,
    /// It stands right behind a `:`, or one stands near.
    colon: bool,
    /// All bits if the row may have the first `:` of an address.
    addressed: u64,
}

/// A row and its neighbours.
#[derive(Clone, Copy, Debug)]
pub(super) struct Three<'i> {
    prev: &'i Row,
    row: &'i Row,
    next: &'i Row,
}

/// A word of letters and digits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word {
    pub(super) length: usize,
    /// Which of its bytes are digits.
    pub(super) digits: u64,
}

impl Word {
    /// Whether it has nothing but digits.
    #[inline]
    pub(super) fn is_number(&self) -> bool {
        self.digits == low(self.length)
    }
}

impl<'i> Three<'i> {
    /// Row `n` and those beside it.
    #[inline]
    pub(super) fn at(index: &'i Index, n: usize) -> Self {
        // There is no row of such a number: nothing stands before the text.
        let prev = n.checked_sub(1).unwrap_or(usize::MAX);
        Self {
            prev: index.row(prev),
            row: index.row(n),
            next: index.row(n.wrapping_add(1)),
        }
    }

    /// One row on, where row `n` is the next.
    #[inline]
    pub(super) fn step(self, index: &'i Index, n: usize) -> Self {
        Self {
            prev: self.row,
            row: self.next,
            next: index.row(n),
        }
    }

    /// Of the word that the row before ends in.
    pub(super) fn cut(&self) -> Cut {
        let length = self.prev.alnum().leading_ones().min(63);
        let word = |bits: u64| bits >> 1 >> (63_u32.wrapping_sub(length)) != 0;
        Cut {
            digit: word(self.prev.digits()),
            letter: word(self.prev.letters()),
            colon: self.prev.colons() != 0,
            addressed: every_if(self.prev.colons() != 0),
        }
    }

    /// The bits of a kind `n` bytes further on.
    #[inline]
    fn ahead(&self, of: impl Fn(&Row) -> u64, n: usize) -> u64 {
        of(self.row) >> n | of(self.next) << (WIDE.wrapping_sub(n) % WIDE)
    }

    /// The bits of a kind `n` bytes before.
    #[inline]
    fn behind(&self, of: impl Fn(&Row) -> u64, n: usize) -> u64 {
        of(self.row) << n | of(self.prev) >> (WIDE.wrapping_sub(n) % WIDE)
    }

    /// One past the ends of all words that have one of these bits in them, and whether the last
    /// goes on in the next row: a sum carries each bit to the first place behind its word.
    #[inline]
    fn ends(&self, bits: u64, cut: bool) -> (u64, bool) {
        let word = self.row.alnum();
        let (sum, goes_on) = word.carrying_add(bits, cut);
        (sum & !word, goes_on)
    }

    /// All words with a digit, and all marks.
    pub(super) fn all(&self) -> Awake {
        Awake {
            perhaps: 0,
            surely: self.ends(self.row.digits(), self.cut().digit).0,
            marks: self.row.colons() | self.row.ats(),
        }
    }

    /// What must be looked at. `cut` goes from row to row.
    #[inline]
    pub(super) fn awake(&self, cut: &mut Cut) -> Awake {
        let row = self.row;
        let colon = |n: usize| self.ahead(Row::colons, n);
        // Six pairs of hex digits have a `:` every three bytes.
        let pairs = row.colons() & colon(3) & colon(6) & colon(9) & colon(12);
        let addressed = cut.addressed | every_if(self.next_is_addressed());
        cut.addressed = every_if(self.is_addressed());
        if row.digits() | row.ats() | pairs == 0 && !cut.digit {
            cut.letter = row.letters() >> 63 == 1;
            cut.colon = row.colons() != 0;
            return Awake::default();
        }
        let addressed = addressed | cut.addressed;
        let (numbered, lettered, coloned);
        (numbered, cut.digit) = self.ends(row.digits(), cut.digit);
        (lettered, cut.letter) = self.ends(row.letters(), cut.letter);
        let first = row.alnum() & self.behind(Row::colons, 1);
        (coloned, cut.colon) = self.ends(first, cut.colon);
        let more = |row: &Row| row.alnum() | row.colons() | row.dots();
        let coloned = coloned | (row.colons() & self.ahead(more, 1));
        let coloned = coloned & addressed;
        // One past words of so many bytes.
        let back = |n: usize| self.behind(Row::alnum, n);
        let two = back(1) & back(2);
        let four = two & back(3) & back(4);
        let seven = four & back(5) & back(6) & back(7);
        let dashed = two & !back(3) & (row.joints() | self.behind(Row::joints, 3));
        let dotted = four & !back(5) & (row.dots() | self.behind(Row::dots, 5));
        let perhaps = numbered & ((!lettered & self.parted()) | (lettered & four));
        let surely = numbered & (coloned | dashed | dotted | (!lettered & seven));
        let inner = if perhaps | surely == 0 {
            0
        } else {
            self.inner()
        };
        Awake {
            perhaps: perhaps & !inner,
            surely: surely & !inner,
            marks: (row.ats() & self.ahead(Row::names, 1)) | pairs,
        }
    }

    /// One past short groups of digits that go on with a number before them: within it only a card
    /// begins, with four digits or twelve, or a pair of a network card's address.
    #[inline]
    fn inner(&self) -> u64 {
        let seps = |row: &Row| row.parts() & (row.joints() | row.dots() | row.ties());
        let digit = |n: usize| self.behind(Row::digits, n);
        let led = |n: usize| self.behind(seps, n) & self.behind(Row::digits, n.wrapping_add(1));
        let (one, two) = (digit(1), digit(1) & digit(2));
        let pair = self.row.joints() | self.behind(Row::joints, 3);
        let numbers = (one & led(2)) | (two & led(3) & !pair) | (two & digit(3) & led(4));
        numbers & !self.row.colons()
    }

    /// Whether the first `:` of an address may stand in the row: two together, or five of which each
    /// stands at most five bytes behind the one before.
    #[inline]
    fn is_addressed(&self) -> bool {
        if self.row.colons() == 0 {
            return false;
        }
        let all = u128::from(self.row.colons()) | u128::from(self.next.colons()) << WIDE;
        let double = self.row.colons() & self.ahead(Row::colons, 1) != 0;
        double || (all.count_ones() >= 5 && self.has_five(all))
    }

    fn has_five(&self, all: u128) -> bool {
        let mut followed = all;
        for _ in 0..4 {
            let two = followed >> 1 | followed >> 2;
            followed = all & (two | two >> 2 | followed >> 5);
        }
        followed & u128::from(self.row.colons()) != 0
    }

    /// The same of the next row, if the address may begin in this one.
    #[inline]
    fn next_is_addressed(&self) -> bool {
        let colons = self.next.colons();
        colons & colons >> 1 != 0 || colons.count_ones() >= 5
    }

    /// Where something stands that parts this group of digits from the next.
    #[inline]
    fn parted(&self) -> u64 {
        let part = |n: usize| self.ahead(Row::parts, n);
        let digit = |n: usize| self.ahead(Row::digits, n);
        self.row.parts() & (digit(1) | (part(1) & (digit(2) | (part(2) & digit(3)))))
    }

    /// The word that ends before byte `n` of the row.
    #[inline]
    pub(super) fn word(&self, n: usize) -> Word {
        let before = |row: u64, prev: u64| {
            let above = row.unbounded_shl(narrow(WIDE.wrapping_sub(n)));
            above | prev >> n
        };
        let ones = before(self.row.alnum(), self.prev.alnum()).leading_ones();
        let digits = before(self.row.digits(), self.prev.digits());
        Word {
            length: usize::try_from(ones).unwrap_or(WIDE),
            digits: digits.unbounded_shr(narrow(WIDE).wrapping_sub(ones)),
        }
    }

    /// What stands from byte `n` of the row on.
    #[inline]
    pub(super) fn beyond(&self, n: usize) -> Behind {
        let from =
            |row: u64, next: u64| row >> n | next.unbounded_shl(narrow(WIDE.wrapping_sub(n)));
        Behind {
            digits: from(self.row.digits(), self.next.digits()),
            parts: from(self.row.parts(), self.next.parts()),
        }
    }
}

/// Digits and what parts groups of them, in the sixty-four bytes behind a word.
#[derive(Clone, Copy, Debug)]
pub(super) struct Behind {
    digits: u64,
    parts: u64,
}

impl Behind {
    /// How many bytes are nothing else.
    #[inline]
    pub(super) fn run(&self) -> usize {
        zeros(!(self.digits | self.parts))
    }

    /// How many digits the group has that byte `at` parts from the one before, 0 if there is none,
    /// and whether more than one byte may part them.
    #[inline]
    pub(super) fn group(&self, at: usize) -> (usize, bool) {
        let shift = narrow(at);
        let (parts, digits) = (
            self.parts.unbounded_shr(shift),
            self.digits.unbounded_shr(shift) >> 1,
        );
        match (parts & 3, zeros(!digits)) {
            (3, 0) => (0, true),
            (1 | 3, length) => (length, false),
            _ => (0, at >= WIDE),
        }
    }
}

impl Word {
    /// Whether the word is more than a short number alone, or a short name with few digits: it
    /// begins three groups of digits or seven digits, or among its letters are four, six if any is
    /// `small`, or it is as long as addresses of crypto-currencies are, or begins as an account's
    /// number does.
    #[inline]
    pub(super) fn may_be(&self, behind: &Behind, small: impl FnOnce() -> bool) -> bool {
        let digits = self.digits.count_ones();
        if !self.is_number() {
            let longer = digits >= 6 || self.length >= 14 || self.digits & 15 == 12;
            return longer || (digits >= 4 && !small());
        }
        let next = behind.digits & low(behind.run());
        let groups = next & !(next >> 1);
        digits.wrapping_add(next.count_ones()) >= 7 || groups.count_ones() >= 2
    }
}

/// All bits or none.
#[inline]
fn every_if(yes: bool) -> u64 {
    u64::from(yes).wrapping_neg()
}

/// So many bits.
#[inline]
fn low(length: usize) -> u64 {
    !u64::MAX.unbounded_shl(narrow(length))
}

#[inline]
fn narrow(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
