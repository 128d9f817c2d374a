//! Digits in groups ("4111 1111 1111 1111"), read once for all the numbers that may begin at one.
//!
//! Decides where groups end and what parts them. A number is looked for at every group, and each
//! look sees up to [`GROUPS`] of them: the chain keeps what was read, so that a text full of groups
//! is read once and not eight times. Never looks at what a number means.
//! May miss: other separators, or two between groups.

use crate::inspect::detect::bytes::{DIGIT, is, leading, values};
use crate::inspect::detect::window::Window;

/// Most groups and digits that any kind needs: seven in a French number, 19 in a card.
const GROUPS: usize = 8;
const DIGITS: usize = 24;

/// How many groups and digits of a chain are kept at a time.
const KEPT: usize = 32;
const KEPT_DIGITS: usize = 128;

/// The groups that were read last, which stand behind each other. What is asked of eight groups
/// together is kept in bytes, so that one word holds it.
#[derive(Debug)]
pub(super) struct Chain {
    starts: [usize; KEPT],
    lengths: [u8; KEPT + GROUPS],
    /// What stands before each; `(` for any brackets.
    seps: [u8; KEPT + GROUPS],
    /// Digits of the chain before each, and behind the last.
    totals: [u8; KEPT + 1],
    count: usize,
    /// The group that was asked for last.
    at: usize,
    digits: [u8; KEPT_DIGITS],
    /// There was no room for more.
    cut: bool,
    /// It ends at the window's edge, behind which it may go on.
    edge: bool,
}

impl Default for Chain {
    fn default() -> Self {
        Self {
            starts: [0; KEPT],
            lengths: [0; KEPT + GROUPS],
            seps: [0; KEPT + GROUPS],
            totals: [0; KEPT + 1],
            count: 0,
            at: 0,
            digits: [0; KEPT_DIGITS],
            cut: false,
            edge: false,
        }
    }
}

impl Chain {
    /// One past the last byte of those read, if no other group follows.
    pub(super) fn last(&self) -> Option<usize> {
        let last = self
            .count
            .checked_sub(1)
            .filter(|_| !self.cut && !self.edge)?;
        let length = usize::from(*self.lengths.get(last)?);
        Some(self.starts.get(last)?.wrapping_add(length))
    }

    /// The groups from the digits `start..end` on, unless they are a group alone that is too short
    /// for any number. Places must not go backwards.
    #[inline]
    pub(super) fn groups(
        &mut self,
        window: &Window<'_>,
        (start, end): (usize, usize),
    ) -> Option<Groups<'_>> {
        let known = self.starts.get(self.at..self.count).unwrap_or_default();
        let skipped = known.iter().take_while(|place| **place < start).count();
        self.at = self.at.wrapping_add(skipped);
        let left = self.count.wrapping_sub(self.at);
        if known.get(skipped) != Some(&start) || (self.cut && left <= GROUPS) {
            // No kind has fewer than seven digits in one group.
            if end.wrapping_sub(start) < 7 && separator(window, end).is_none() {
                return None;
            }
            self.read(window, start);
        }
        let groups = Groups::of(self)?;
        if self.edge && self.at.wrapping_add(groups.count()) == self.count {
            window.note_past();
        }
        Some(groups)
    }

    /// Reads the groups from the digit at `start` on. What it looks at past the edge is noted by
    /// those who are told of the last group.
    fn read(&mut self, window: &Window<'_>, start: usize) {
        (self.at, self.count) = (0, 0);
        (self.cut, self.edge) = (false, false);
        let (mut i, mut total, mut sep) = (start, 0_usize, 0);
        let places = self.starts.iter_mut().zip(&mut self.lengths);
        let rows = places.zip(self.seps.iter_mut().zip(self.totals.iter_mut().skip(1)));
        for ((start, long), (before, upto)) in rows {
            let rest = window.bytes.get(i..).unwrap_or_default();
            let Some(room) = self.digits.get_mut(total..total.wrapping_add(DIGITS)) else {
                self.cut = true;
                return;
            };
            let (length, next) = match short(rest, room) {
                Some(short) => short,
                None => (copy(rest, room), None),
            };
            if length > DIGITS {
                // No number, and none before it goes on with it.
                return;
            }
            total = total.wrapping_add(length);
            (*start, *before) = (i, sep);
            // Neither is more than a byte holds: of a group 24, of all 128.
            *long = u8::try_from(length).unwrap_or(u8::MAX);
            *upto = u8::try_from(total).unwrap_or(u8::MAX);
            self.count = self.count.wrapping_add(1);
            let end = i.wrapping_add(length);
            if let Some(next) = next {
                (sep, i) = (next, end.wrapping_add(1));
                continue;
            }
            let (next, past) = window.aside(|window| separator(window, end));
            let Some(next) = next else {
                self.edge = past;
                return;
            };
            (sep, i) = next;
        }
        self.cut = true;
    }
}

/// What [`copy`] does, of a group of at most eight digits, and what parts it from the next if that
/// is one byte and a digit follows.
#[inline]
fn short(text: &[u8], room: &mut [u8]) -> Option<(usize, Option<u8>)> {
    let [eight @ .., _, _] = text.first_chunk::<10>()?;
    let values = values(*eight);
    *room.first_chunk_mut()? = values.to_le_bytes();
    let length = leading(values);
    let [sep, digit] = *text.get(length..)?.first_chunk()?;
    let parted = matches!(sep, b' ' | b'-' | b'.' | b'/') && is(digit, DIGIT);
    (length < 8 || !is(sep, DIGIT)).then_some((length, parted.then_some(sep)))
}

/// Writes the values of the digits that a text begins with, of at most one more than there is room
/// for, and answers how many they are.
fn copy(text: &[u8], room: &mut [u8]) -> usize {
    let mut known = 0_usize;
    let mut room = room.iter_mut();
    let most = room.len().wrapping_add(1);
    let digits = text.iter().take(most).take_while(|byte| is(**byte, DIGIT));
    for digit in digits {
        known = known.wrapping_add(1);
        if let Some(to) = room.next() {
            *to = digit.wrapping_sub(b'0');
        }
    }
    known
}

/// Digit groups from one place on.
#[derive(Debug)]
pub(super) struct Groups<'c> {
    pub(super) start: usize,
    count: usize,
    /// The length of each, in a byte.
    lengths: u64,
    seps: u64,
    starts: &'c [usize],
    /// Digits of the chain up to the end of each.
    totals: &'c [u8],
    /// Their digits, and more.
    digits: &'c [u8],
    /// Digits of the chain before these.
    before: u8,
    /// They are all that stand behind each other here.
    whole: bool,
}

/// A byte for each of so many groups.
const fn bytes(count: usize) -> u64 {
    match count {
        0..GROUPS => (1_u64 << count.wrapping_mul(8)).wrapping_sub(1),
        _ => u64::MAX,
    }
}

/// The byte of group `n`.
#[inline]
fn nth(word: u64, n: usize) -> u8 {
    let place = u32::try_from(n).unwrap_or(u32::MAX).saturating_mul(8);
    u8::try_from(word.checked_shr(place).unwrap_or(0) & 0xff).unwrap_or(0)
}

impl<'c> Groups<'c> {
    /// Those from the chain's place on: as many as a number may have.
    #[inline]
    fn of(chain: &'c Chain) -> Option<Self> {
        let at = chain.at;
        let starts = chain.starts.get(at..chain.count)?;
        let (before, totals) = chain.totals.get(at..)?.split_first()?;
        let lengths = chain.lengths.get(at..)?.first_chunk()?;
        let seps = chain.seps.get(at..)?.first_chunk()?;
        let mut count = starts.len().min(GROUPS);
        let most = usize::from(*before).wrapping_add(DIGITS);
        while usize::from(*totals.get(count.wrapping_sub(1))?) > most {
            count = count.wrapping_sub(1);
        }
        let mut these = Self {
            start: *starts.first()?,
            count,
            lengths: u64::from_le_bytes(*lengths) & bytes(count),
            seps: u64::from_le_bytes(*seps) & bytes(count),
            starts,
            totals,
            digits: chain.digits.get(usize::from(*before)..)?,
            before: *before,
            whole: at.wrapping_add(count) == chain.count && !chain.cut && !chain.edge,
        };
        // A row of single digits is no number of any kind.
        if these.like(&[1, 1]) {
            let most = if these.sep(1) == b' ' { 2 } else { 3 };
            if most == 2 || these.length(2) == 1 {
                these.count = most;
                these.whole = false;
                these.lengths &= bytes(most);
                these.seps &= bytes(most);
            }
        }
        Some(these)
    }

    #[inline]
    pub(super) const fn count(&self) -> usize {
        self.count
    }

    /// One past the last byte of all, if no other group follows.
    #[inline]
    pub(super) fn last(&self) -> Option<usize> {
        self.whole.then(|| self.end(self.count))
    }

    /// One past the last byte of the first `count` groups.
    #[inline]
    pub(super) fn end(&self, count: usize) -> usize {
        let last = count.wrapping_sub(1);
        let start = self.starts.get(last).copied().unwrap_or(self.start);
        start.wrapping_add(self.length(last))
    }

    /// How many digits the first `count` groups have.
    #[inline]
    pub(super) fn total(&self, count: usize) -> usize {
        let total = self.totals.get(count.wrapping_sub(1));
        total.map_or(0, |total| usize::from(total.wrapping_sub(self.before)))
    }

    /// How many groups have so many digits together as one of these bits tells: the most first.
    #[inline]
    pub(super) fn counts(&self, totals: u32) -> impl Iterator<Item = usize> {
        let known = self.totals.get(..self.count).unwrap_or_default();
        let sums = known.iter().fold(0_u32, |sums, total| {
            sums | 1_u32.wrapping_shl(u32::from(total.wrapping_sub(self.before)))
        });
        let mut left = sums & totals;
        std::iter::from_fn(move || {
            let last = left.checked_ilog2()?;
            left ^= 1_u32.wrapping_shl(last);
            // With each group they become more.
            let upto = sums & u32::MAX.wrapping_shr(31_u32.wrapping_sub(last));
            usize::try_from(upto.count_ones()).ok()
        })
    }

    /// Whether any group of one digit stands in brackets.
    #[inline]
    pub(super) const fn may_have_trunk(&self) -> bool {
        const EACH: u64 = 0x0101_0101_0101_0101;
        const BRACKETS: u64 = u64::from_le_bytes([b'('; 8]);
        let others = (self.lengths ^ EACH) | (self.seps ^ BRACKETS);
        others.wrapping_sub(EACH) & !others & EACH << 7 != 0
    }

    /// The digits of the first `count` groups.
    #[inline]
    pub(super) fn digits(&self, count: usize) -> &'c [u8] {
        self.digits.get(..self.total(count)).unwrap_or_default()
    }

    /// Digits in group `n`.
    #[inline]
    pub(super) fn length(&self, n: usize) -> usize {
        usize::from(nth(self.lengths, n))
    }

    /// What stands before group `n`, which is not the first.
    #[inline]
    pub(super) fn sep(&self, n: usize) -> u8 {
        nth(self.seps, n)
    }

    /// Whether the groups are exactly of these lengths, or begin so.
    #[inline]
    pub(super) fn like<const N: usize>(&self, lengths: &[u8; N]) -> bool {
        let mut wanted = [0; GROUPS];
        for (to, from) in wanted.iter_mut().zip(lengths) {
            *to = *from;
        }
        self.lengths & bytes(N) == u64::from_le_bytes(wanted)
    }

    /// Whether groups `from..count` all stand behind the same separator.
    #[inline]
    pub(super) fn even(&self, from: usize, count: usize) -> bool {
        let same = u64::from(self.sep(from)).wrapping_mul(0x0101_0101_0101_0101);
        (self.seps ^ same) & bytes(count) & !bytes(from) == 0
    }
}

/// The separator at `i` and the digit after it.
fn separator(window: &Window<'_>, i: usize) -> Option<(u8, usize)> {
    let first = window.at(i);
    let mut next = i.wrapping_add(1);
    let mut sep = first;
    match first {
        b'-' | b'.' | b'/' => {}
        // NO-BREAK SPACE, which telephone numbers are set with.
        0xc2 if window.at(next) == 0xa0 => {
            sep = b' ';
            next = next.saturating_add(1);
        }
        // Most blanks stand right before a digit.
        b' ' if is(window.at(next), DIGIT) => {}
        b' ' | b')' | b'(' => {
            for _ in 0..2 {
                let byte = window.at(next);
                if matches!(byte, b'(' | b')') || (byte == b' ' && first == b')') {
                    next = next.saturating_add(1);
                    sep = b'(';
                } else if first == b')' && byte == b'-' {
                    next = next.saturating_add(1);
                }
            }
            if first != b' ' {
                sep = b'(';
            }
        }
        _ => return None,
    }
    window.at(next).is_ascii_digit().then_some((sep, next))
}
