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
    /// One past the last byte of words that are something if [`Three::may_be`] says so.
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
        // Pairs of hex digits have a `:` every three bytes.
        let pairs = row.colons() & colon(3) & colon(6);
        if row.digits() | row.ats() | pairs == 0 && !cut.digit {
            cut.letter = row.letters() >> 63 == 1;
            cut.colon = row.colons() != 0;
            return Awake::default();
        }
        let (numbered, lettered, coloned);
        (numbered, cut.digit) = self.ends(row.digits(), cut.digit);
        (lettered, cut.letter) = self.ends(row.letters(), cut.letter);
        let first = row.alnum() & self.behind(Row::colons, 1);
        (coloned, cut.colon) = self.ends(first, cut.colon);
        let more = |row: &Row| row.alnum() | row.colons() | row.dots();
        let coloned = coloned | (row.colons() & self.ahead(more, 1));
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

    /// One past short groups of digits that go on with a number before them, as
    /// [`number::inner`](super::number::inner) tells of them.
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

    /// Whether the word before byte `n` is more than a short number alone, or a short name with few
    /// digits: it begins three groups of digits or seven digits, or among its letters are four, six
    /// if any is `small`, or it is as long as addresses of crypto-currencies are, or begins as an
    /// account's number does.
    #[inline]
    pub(super) fn may_be(&self, n: usize, word: Word, small: impl FnOnce() -> bool) -> bool {
        let digits = word.digits.count_ones();
        if !word.is_number() {
            let longer = digits >= 6 || word.length >= 14 || word.digits & 15 == 12;
            return longer || (digits >= 4 && !small());
        }
        let behind =
            |row: u64, next: u64| row >> n | next.unbounded_shl(narrow(WIDE.wrapping_sub(n)));
        let next = behind(self.row.digits(), self.next.digits());
        let parts = behind(self.row.parts(), self.next.parts());
        let next = next & low(zeros(!(next | parts)));
        let groups = next & !(next >> 1);
        digits.wrapping_add(next.count_ones()) >= 7 || groups.count_ones() >= 2
    }
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
