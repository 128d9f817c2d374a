//! Digits in groups ("4111 1111 1111 1111"), read once for all the numbers that may begin at one.
//!
//! Decides where groups end and what parts them. A number is looked for at every group, and each
//! look sees up to [`GROUPS`] of them: the chain keeps what was read, so that a text full of groups
//! is read once and not eight times. Never looks at what a number means.
//! May miss: other separators, or two between groups.

use crate::inspect::detect::window::{DIGIT, Window, is};

/// Most groups and digits that any kind needs: seven in a French number, 19 in a card.
const GROUPS: usize = 8;
const DIGITS: usize = 24;

/// How many groups and digits of a chain are kept at a time.
const KEPT: usize = 32;
const KEPT_DIGITS: usize = 128;

/// A group of the chain.
#[derive(Clone, Copy, Debug, Default)]
struct Group {
    start: usize,
    length: usize,
    /// Digits of the chain up to its end.
    total: usize,
    /// What stands before it; `(` for any brackets.
    sep: u8,
}

/// The groups that were read last, which stand behind each other.
#[derive(Debug)]
pub(super) struct Chain {
    groups: [Group; KEPT],
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
            groups: [Group::default(); KEPT],
            count: 0,
            at: 0,
            digits: [0; KEPT_DIGITS],
            cut: false,
            edge: false,
        }
    }
}

impl Chain {
    /// The groups from the digits `start..end` on, unless they are a group alone that is too short
    /// for any number. Places must not go backwards.
    pub(super) fn groups(
        &mut self,
        window: &Window<'_>,
        (start, end): (usize, usize),
    ) -> Option<Groups<'_>> {
        let known = self.groups.get(self.at..self.count).unwrap_or_default();
        let skipped = known.iter().take_while(|group| group.start < start).count();
        self.at = self.at.saturating_add(skipped);
        let left = self.count.saturating_sub(self.at);
        let known = known.get(skipped).is_some_and(|group| group.start == start);
        if !known || (self.cut && left <= GROUPS) {
            // No kind has fewer than seven digits in one group.
            if end.saturating_sub(start) < 7 && separator(window, end).is_none() {
                return None;
            }
            self.read(window, start);
        }
        let groups = Groups::of(self)?;
        if self.edge && self.at.saturating_add(groups.count()) == self.count {
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
        for place in &mut self.groups {
            let rest = window.bytes.get(i..).unwrap_or_default();
            let Some(room) = self.digits.get_mut(total..total.saturating_add(DIGITS)) else {
                self.cut = true;
                return;
            };
            let length = rest
                .iter()
                .take_while(|byte| is(**byte, DIGIT))
                .take(DIGITS.saturating_add(1))
                .count();
            if length > DIGITS {
                // No number, and none before it goes on with it.
                return;
            }
            for (to, from) in room.iter_mut().zip(rest.get(..length).unwrap_or_default()) {
                *to = from.wrapping_sub(b'0');
            }
            total = total.saturating_add(length);
            let end = i.saturating_add(length);
            *place = Group {
                start: i,
                length,
                total,
                sep,
            };
            self.count = self.count.saturating_add(1);
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

/// Digit groups from one place on.
#[derive(Debug)]
pub(super) struct Groups<'c> {
    pub(super) start: usize,
    list: &'c [Group],
    /// Their digits, and more.
    digits: &'c [u8],
    /// Digits of the chain before these.
    before: usize,
}

impl<'c> Groups<'c> {
    /// Those from the chain's place on: as many as a number may have.
    fn of(chain: &'c Chain) -> Option<Self> {
        let groups = chain.groups.get(chain.at..chain.count)?;
        let first = groups.first()?;
        let before = first.total.wrapping_sub(first.length);
        let most = before.wrapping_add(DIGITS);
        let fits = |group: &&Group| group.total <= most;
        let count = groups.iter().take(GROUPS).take_while(fits).count();
        let mut these = Self {
            start: first.start,
            list: groups.get(..count)?,
            digits: chain.digits.get(before..)?,
            before,
        };
        // A row of single digits is no number of any kind.
        if first.length == 1 && these.length(1) == 1 {
            let most = if these.sep(1) == b' ' { 2 } else { 3 };
            if most == 2 || these.length(2) == 1 {
                these.list = these.list.get(..most)?;
            }
        }
        Some(these)
    }

    pub(super) const fn count(&self) -> usize {
        self.list.len()
    }

    /// One past the last byte of the first `count` groups.
    #[inline]
    pub(super) fn end(&self, count: usize) -> usize {
        let last = self.list.get(count.wrapping_sub(1));
        last.map_or(self.start, |group| group.start.wrapping_add(group.length))
    }

    /// The digits of the first `count` groups.
    #[inline]
    pub(super) fn digits(&self, count: usize) -> &'c [u8] {
        let last = self.list.get(count.wrapping_sub(1));
        let total = last.map_or(0, |group| group.total.wrapping_sub(self.before));
        self.digits.get(..total).unwrap_or_default()
    }

    /// Digits in group `n`.
    #[inline]
    pub(super) fn length(&self, n: usize) -> usize {
        self.list.get(n).map_or(0, |group| group.length)
    }

    /// What stands before group `n`, which is not the first.
    #[inline]
    pub(super) fn sep(&self, n: usize) -> u8 {
        self.list.get(n).map_or(0, |group| group.sep)
    }

    /// Whether the groups are exactly of these lengths, or begin so.
    #[inline]
    pub(super) fn like<const N: usize>(&self, lengths: &[usize; N]) -> bool {
        let mut places = lengths.iter().enumerate();
        places.all(|(n, length)| self.length(n) == *length)
    }

    /// Whether groups `from..count` all stand behind the same separator.
    pub(super) fn even(&self, from: usize, count: usize) -> bool {
        (from..count).all(|n| self.sep(n) == self.sep(from))
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
