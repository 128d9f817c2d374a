//! Where in a text a secret may stand at all, asked of sixty-four bytes at once.
//!
//! Decides which marks the look for secrets stops at: real text is full of digits, dashes and
//! colons, and nearly none of them can be part of a secret. Never decides that something is one.
//! Misses nothing: what it passes over, no check would have found, nor left open at a block's edge
//! (a test holds it against a look at every mark).

use super::names::{ENDINGS, Endings};
use super::token::Prefixes;
use crate::inspect::detect::bytes::{BASE64, is};
use crate::inspect::detect::index::{Index, Row};
use crate::inspect::detect::rules::secrets::SHORTEST;
use crate::inspect::detect::window::Window;
use crate::inspect::sixtyfour::{WIDE, zeros};

/// The marks of one text to stop at, as far as the look has come.
pub(super) struct Gate<'w> {
    bytes: &'w [u8],
    /// Before the text, its last bytes with what may follow, and behind it.
    before: Row,
    last: Row,
    behind: Row,
    /// Which of the last row's bytes the text has.
    inside: u64,
    index: &'w Index,
    prefixes: &'w Prefixes,
    endings: &'static Endings,
    /// The row that was looked at, and its marks.
    row: usize,
    marks: u64,
}

/// Sixty-four bytes and those beside them.
#[derive(Clone, Copy)]
struct Rows<'r> {
    before: &'r Row,
    this: &'r Row,
    after: &'r Row,
}

impl Rows<'_> {
    /// Whether the byte `N` before is of a kind, for each.
    #[inline]
    fn previous<const N: u32>(&self, of: impl Fn(&Row) -> u64) -> u64 {
        of(self.this) << N | of(self.before) >> 64_u32.wrapping_sub(N)
    }

    /// Whether the byte `N` behind is of a kind.
    #[inline]
    fn next<const N: u32>(&self, of: impl Fn(&Row) -> u64) -> u64 {
        of(self.this) >> N | of(self.after) << 64_u32.wrapping_sub(N)
    }

    /// Which bytes stand in a run of at least [`SHORTEST`] that may be in keys.
    #[inline]
    fn long(&self) -> u64 {
        let this = Row::spread(self.this);
        let mut runs = u128::from(this) | u128::from(Row::spread(self.after)) << WIDE;
        // Of 2, 4, 8, and at last 16 in a row the first.
        for shift in [1, 2, 4, 8] {
            runs &= runs >> shift;
        }
        let before = Row::spread(self.before).leading_ones();
        let goes_on = before.wrapping_add(this.trailing_ones()) >= 16;
        let starts = low(runs) | (this & u64::from(goes_on));
        // Added to its run, a bit at the run's start makes zeros of all of it.
        this & !this.wrapping_add(starts & !(starts << 1))
    }

    /// The first mark of each word in a long run, what may be an option or the head of a key, and
    /// marks of what has the shape of a secret.
    fn words(&self) -> (u64, u64, u64) {
        let Self { this, .. } = self;
        let long = self.long();
        let (marks, joined) = (this.digits() | this.joints(), this.joined());
        // Added to its word, a bit at the word's start runs on to the first mark.
        let starts = joined & !(joined << 1);
        let first = (joined & !marks).wrapping_add(starts) & marks;
        // `-----begin` and `--user`, and `-u`.
        let alone = !self.previous::<1>(Row::joined) & !self.next::<2>(Row::joined);
        let joint = this.joints() & self.next::<1>(Row::letters);
        let options = joint & (self.previous::<1>(Row::joints) | alone);
        // `$1$` and `$2b$`.
        let letter = self.next::<1>(Row::letters) & self.next::<2>(Row::ties);
        let schemes = this.digits() & self.previous::<1>(Row::ties);
        let hashes = schemes & (self.next::<1>(Row::ties) | letter);
        // `110201543:AA…`.
        let in_long = long >> 2 | 3 << 62;
        let bots = this.digits() & self.next::<1>(Row::colons) & in_long;
        (first & long, options, hashes | bots)
    }

    /// Signs before which a name may stand, and those of addresses.
    fn signs(&self) -> (u64, u64) {
        let Self { this, .. } = self;
        let tied = self.next::<1>(Row::ties);
        let addresses = this.colons() & tied;
        // A name ends at most four bytes before, and not in a digit.
        let near = self.previous::<1>(Row::dotted) | self.previous::<2>(Row::dotted);
        let ends = near | self.previous::<3>(Row::dotted) | self.previous::<4>(Row::dotted);
        let names = (this.colons() | this.equals()) & ends & !self.previous::<1>(Row::digits);
        (names & !addresses, addresses)
    }
}

/// The lower half.
#[inline]
fn low(bits: u128) -> u64 {
    u64::try_from(bits & u128::from(u64::MAX)).unwrap_or(0)
}

impl<'w> Gate<'w> {
    /// Of a text that is read from its undecided part on.
    pub(super) fn new(window: &Window<'w>, index: &'w Index, prefixes: &'w Prefixes) -> Self {
        let rows_before = index.rows().saturating_sub(1);
        let mut last = *index.row(rows_before);
        let mut behind = Row::default();
        let bytes_before = rows_before.saturating_mul(WIDE);
        let bytes = window.bytes.len().saturating_sub(bytes_before);
        let outside = u32::try_from(bytes).map_or(0, |n| u64::MAX.checked_shl(n).unwrap_or(0));
        if window.goes_on() {
            last = last.or_any(outside);
            behind = Row::ANY;
        }
        Self {
            bytes: window.bytes,
            before: Row::default(),
            last,
            behind,
            inside: !outside,
            index,
            prefixes,
            endings: &ENDINGS,
            row: usize::MAX,
            marks: 0,
        }
    }

    /// The first mark at or behind `i` to stop at. Places must not go backwards.
    #[inline]
    pub(super) fn next(&mut self, i: usize) -> Option<usize> {
        let mut row = i / WIDE;
        let mut wanted = u64::MAX << (i % WIDE);
        loop {
            if row != self.row {
                self.marks = self.marks(row)?;
                self.row = row;
            }
            let marks = self.marks & wanted;
            if marks != 0 {
                return Some(row.wrapping_mul(WIDE).wrapping_add(zeros(marks)));
            }
            row = row.wrapping_add(1);
            wanted = u64::MAX;
        }
    }

    fn row(&self, n: usize) -> &Row {
        match n.wrapping_add(1).cmp(&self.index.rows()) {
            std::cmp::Ordering::Less => self.index.row(n),
            std::cmp::Ordering::Equal => &self.last,
            std::cmp::Ordering::Greater => &self.behind,
        }
    }

    /// The marks of a row to stop at.
    #[inline(never)]
    fn marks(&self, n: usize) -> Option<u64> {
        if n >= self.index.rows() {
            return None;
        }
        let before = n.checked_sub(1).map_or(&self.before, |n| self.row(n));
        let rows = Rows {
            before,
            this: self.row(n),
            after: self.row(n.wrapping_add(1)),
        };
        let last = n.wrapping_add(1) == self.index.rows();
        let inside = if last { self.inside } else { u64::MAX };
        let (names, addresses) = rows.signs();
        let (mut words, mut options, shapes) = rows.words();
        let mut marks = (shapes | addresses) & inside;
        let at = |place: usize| n.wrapping_mul(WIDE).wrapping_add(place);
        options &= inside;
        while options != 0 {
            let rest = options & options.wrapping_sub(1);
            let stop = self.option(at(zeros(options)));
            marks |= (options ^ rest) & u64::from(stop).wrapping_neg();
            options = rest;
        }
        words &= inside;
        while words != 0 {
            let worth = self.worth(at(zeros(words)));
            let rest = words & words.wrapping_sub(1);
            marks |= (words ^ rest) & u64::from(worth).wrapping_neg();
            words = rest;
        }
        let mut names = names & inside;
        let (dotted, before) = (rows.this.dotted(), rows.before.dotted());
        let name = u128::from(dotted) << 4_u32 | u128::from(before >> 60_u32);
        while names != 0 {
            let place = zeros(names);
            // The byte right before the sign is the highest of four.
            let near = low(name >> place) & 15;
            let stop = self.named(at(place), near);
            let rest = names & names.wrapping_sub(1);
            marks |= (names ^ rest) & u64::from(stop).wrapping_neg();
            names = rest;
        }
        Some(marks)
    }

    /// Whether the letter behind the dash is that of `-----begin`, `--user` or `-u`, or is not known.
    #[inline]
    fn option(&self, dash: usize) -> bool {
        let letter = self.bytes.get(dash.wrapping_add(1));
        letter.is_none_or(|letter| matches!(letter | 0x20, b'b' | b'u'))
    }

    /// Whether what ends before the sign may be the name of a secret. Of the four bytes before it,
    /// `near` tells which can be a name's: it ends with the last of them.
    #[inline]
    fn named(&self, sign: usize, near: u64) -> bool {
        let gap = usize::try_from(near.leading_zeros())
            .unwrap_or(WIDE)
            .wrapping_sub(60);
        let name = self.bytes.get(..sign.wrapping_sub(gap)).unwrap_or_default();
        match name.last_chunk() {
            Some(end) => (near != 0) & self.endings.may_be(*end),
            None => true,
        }
    }

    /// Whether a word in a long run may be a secret or part of one, or is cut by the text's end:
    /// told by how long the run is, by its digits, and by two bytes of it. `mark` is the word's
    /// first.
    #[expect(
        clippy::needless_bitwise_bool,
        reason = "asked without a branch, as real text answers at random"
    )]
    #[inline(never)]
    fn worth(&self, mark: usize) -> bool {
        let index = self.index;
        let byte = |i: usize| self.bytes.get(i).copied().unwrap_or(0);
        let known = |i: usize| self.prefixes.may_begin(byte(i), byte(i.wrapping_add(1)));
        let first = mark.wrapping_sub(index.back(Row::joined, mark));
        let start = first.wrapping_add(zeros(!index.bits(Row::joints, first)));
        let run = zeros(!index.bits(Row::spread, start));
        let length = zeros(!index.bits(Row::joined, start));
        let digits = index.bits(Row::digits, start);
        let digits_of = |length: usize| {
            let behind = u32::try_from(length).map_or(0, |n| u64::MAX.checked_shl(n).unwrap_or(0));
            (digits & !behind).count_ones()
        };
        let after = byte(start.wrapping_add(length));
        // A random value has two digits: the word by itself, or all of what base64 makes of it.
        let random = (length >= SHORTEST) & (digits_of(length) > 1);
        let inner = matches!(byte(first.wrapping_sub(1)), b'+' | b'/');
        let based = is(after, BASE64) & !inner & (digits_of(run) > 1);
        let shaped = (after == b'~') | (length.wrapping_sub(36) < 3);
        let dotted = index.back(Row::dotted, first);
        let reach = first.wrapping_sub(dotted);
        let long = run >= SHORTEST;
        let begins = long & (known(start) | random | based | shaped);
        let goes_on = (run.wrapping_add(dotted) >= SHORTEST) & known(reach);
        let cut = start.wrapping_add(run) >= self.bytes.len();
        begins | goes_on | cut | (run == WIDE)
    }
}
