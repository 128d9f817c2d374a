//! The window that the exact-range detectors look through, and what it may hold back.
//!
//! Decides how a text cut in blocks gives the hits of the whole text: a checker
//! reads through `Window::at`, which notes every look past the right edge. If
//! more text may follow, a candidate whose check looked past the edge is not
//! decided: it and all behind it wait for the next block ([`Rest::from`]).
//! Never looks at what the bytes mean. May miss: nothing by itself; a candidate
//! longer than [`PENDING`] is cut there and continued by [`Rest::open`].

use std::cell::Cell;

use super::bytes::{DIGIT, is, leading, values};
use super::{Family, Hit, Rule, RuleIx, RuleSet};
use crate::each_byte::each_byte;

/// Bytes that the caller keeps in front of [`Rest::from`], for word edges and keywords.
pub const LOOKBACK: usize = 128;
/// The furthest back from the end of a block that [`Rest::from`] lies.
/// `LOOKBACK + PENDING` is the carried overlap of 1024 bytes.
pub const PENDING: usize = 896;
/// Bytes of an unfinished last word that wait for what follows (`bob` for `@`).
const TAIL: usize = 80;

/// Where a block lies in its string.
#[derive(Clone, Copy, Debug, Default)]
pub struct Edges {
    /// First byte not decided yet; what stands before it is only read. On a
    /// character boundary, at least [`LOOKBACK`] in, or else the string's start.
    pub from: u32,
    /// No text follows this block.
    pub ends_string: bool,
    /// The value in which the block before ended.
    pub open: Option<Open>,
}

/// A value that is cut at a block's edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Open {
    /// Whose it is.
    pub rule: RuleIx,
    /// What goes on with it.
    pub body: Body,
}

/// Which bytes go on with a cut value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// Those of a key or token.
    Token,
    /// Those of a value behind a name: of a key or of a password, in quotes or not.
    Value {
        /// A key's.
        key: bool,
        /// In quotes.
        quoted: bool,
    },
}

impl Edges {
    /// The edges of a string that is one block.
    pub const WHOLE: Self = Self {
        from: 0,
        ends_string: true,
        open: None,
    };
}

/// What a block leaves to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rest {
    /// Everything before is decided, and no hit reaches over it. The next block
    /// must start at most this far and at least [`LOOKBACK`] before it.
    pub from: u32,
    /// The value that was cut at the right edge, to be handed to the next block;
    /// a hit of its rule there that starts at `from` is the same value going on.
    pub open: Option<Open>,
}

/// The places of one engine table's rules in the compiled set.
#[derive(Clone, Debug)]
pub(super) struct Places {
    family: Family,
    ixs: Box<[Option<RuleIx>]>,
}

impl Places {
    /// Looks every row of `table` up; a rule that is off has no place.
    pub(super) fn compile(family: Family, table: &[Rule], set: &RuleSet) -> Self {
        Self {
            family,
            ixs: table.iter().map(|rule| set.find(rule.id)).collect(),
        }
    }

    /// The table's row that a rule came from.
    pub(super) fn row(&self, ix: RuleIx) -> Option<u8> {
        u8::try_from(self.ixs.iter().position(|place| *place == Some(ix))?).ok()
    }

    /// The place of a row's rule, if it is on.
    pub(super) fn ix(&self, row: u8) -> Option<RuleIx> {
        self.ixs.get(usize::from(row)).copied().flatten()
    }

    /// Joins overlapping finds, so that masking one never leaves a piece of
    /// another, and appends them in order. A joined hit bears the name of its
    /// longest part; of equals, of the row that comes first in the table.
    pub(super) fn settle(&self, found: &mut [Found], out: &mut Vec<Hit>) {
        found.sort_unstable_by_key(|f| (f.start, f.row, f.end));
        let mut joined: Option<(Found, usize, usize)> = None;
        for next in found.iter().filter(|f| self.ix(f.row).is_some()) {
            joined = match joined.take() {
                Some((best, start, end)) if next.start < end => {
                    let longer = (next.length(), best.row) > (best.length(), next.row);
                    Some((if longer { *next } else { best }, start, end.max(next.end)))
                }
                before => {
                    self.push(before, out);
                    Some((*next, next.start, next.end))
                }
            };
        }
        self.push(joined, out);
    }

    fn push(&self, joined: Option<(Found, usize, usize)>, out: &mut Vec<Hit>) {
        let Some((best, start, end)) = joined else {
            return;
        };
        let (Some(rule), Ok(start), Ok(end)) =
            (self.ix(best.row), u32::try_from(start), u32::try_from(end))
        else {
            return;
        };
        out.push(Hit {
            family: self.family,
            rule,
            start,
            end,
            score: 0,
        });
    }
}

/// What a checker found: a row of its table and a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) row: u8,
    pub(super) start: usize,
    pub(super) end: usize,
    /// First byte that a block must have undecided to find it again: the name's
    /// `=` before a password, else `start`.
    pub(super) wake: usize,
}

impl Found {
    pub(super) const fn new(row: u8, start: usize, end: usize) -> Self {
        Self {
            row,
            start,
            end,
            wake: start,
        }
    }

    pub(super) const fn length(&self) -> usize {
        self.end.saturating_sub(self.start)
    }
}

/// A block, read byte by byte.
pub(super) struct Window<'t> {
    pub(super) text: &'t str,
    pub(super) bytes: &'t [u8],
    pub(super) from: usize,
    ends_string: bool,
    looked_past: Cell<bool>,
}

impl<'t> Window<'t> {
    pub(super) fn new(text: &'t str, edges: Edges) -> Self {
        let from = usize::try_from(edges.from).unwrap_or(usize::MAX);
        Self {
            text,
            bytes: text.as_bytes(),
            from: text.floor_char_boundary(from),
            ends_string: edges.ends_string,
            looked_past: Cell::new(false),
        }
    }

    /// The byte at `i`; NUL, which no checker takes, past the edge.
    #[inline]
    pub(super) fn at(&self, i: usize) -> u8 {
        if let Some(byte) = self.bytes.get(i) {
            *byte
        } else {
            self.looked_past.set(true);
            0
        }
    }

    /// The byte before `i`; NUL at the left edge.
    #[inline]
    pub(super) fn behind(&self, i: usize) -> u8 {
        i.checked_sub(1)
            .and_then(|before| self.bytes.get(before))
            .copied()
            .unwrap_or(0)
    }

    /// The text of a range that a checker walked over.
    pub(super) fn slice(&self, start: usize, end: usize) -> &'t [u8] {
        self.bytes.get(start..end).unwrap_or_default()
    }

    /// A new candidate begins.
    pub(super) fn fresh(&self) {
        self.looked_past.set(false);
    }

    /// The candidate's check depends on what stands past the edge.
    pub(super) fn note_past(&self) {
        self.looked_past.set(true);
    }

    /// Looks at something that may not matter to the candidate: what was seen, and whether that
    /// was past the edge, which is not noted.
    pub(super) fn aside<R>(&self, look: impl FnOnce(&Self) -> R) -> (R, bool) {
        let noted = self.looked_past.replace(false);
        let seen = look(self);
        (seen, self.looked_past.replace(noted))
    }

    /// Where the last `ahead` bytes begin if more may follow behind them: from there on a check that
    /// looks no further ahead may see the edge.
    pub(super) fn edge(&self, ahead: usize) -> usize {
        if self.ends_string {
            usize::MAX
        } else {
            self.bytes.len().saturating_sub(ahead)
        }
    }

    /// Whether more text may follow.
    pub(super) const fn goes_on(&self) -> bool {
        !self.ends_string
    }

    /// Whether the candidate's check looked past an edge behind which text may follow.
    pub(super) fn undecided(&self) -> bool {
        !self.ends_string && self.looked_past.get()
    }

    /// First index at or after `i` whose byte fails `class`, at most `limit` further.
    #[inline]
    pub(super) fn run(&self, i: usize, limit: usize, class: impl Fn(u8) -> bool) -> usize {
        let rest = self.bytes.get(i..).unwrap_or_default();
        let near = rest.get(..limit).unwrap_or(rest);
        let length = near.iter().position(|byte| !class(*byte));
        if length.is_none() && near.len() < limit {
            self.looked_past.set(true);
        }
        i.saturating_add(length.unwrap_or(near.len()))
    }

    /// First index at or after `i` that is no digit, at most `limit` further.
    #[inline]
    pub(super) fn digits(&self, i: usize, limit: usize) -> usize {
        let rest = self.bytes.get(i..).unwrap_or_default();
        match rest.first_chunk().map(|eight| leading(values(*eight))) {
            Some(length) if length < 8 => i.wrapping_add(length),
            Some(_) | None => self.run(i, limit, |byte| is(byte, DIGIT)),
        }
    }

    /// First index of the run of `class` that ends before `i`, at most `limit` back.
    #[inline]
    pub(super) fn run_back(&self, i: usize, limit: usize, class: impl Fn(u8) -> bool) -> usize {
        // Most often there is none.
        if !self
            .bytes
            .get(i.wrapping_sub(1))
            .is_some_and(|byte| class(*byte))
        {
            return i;
        }
        let stop = i.saturating_sub(limit);
        let before = self.bytes.get(stop..i).unwrap_or_default();
        let length = before.iter().rev().take_while(|byte| class(**byte)).count();
        i.wrapping_sub(length)
    }

    /// Whether `word`, in lower case, stands at `i` in any case.
    pub(super) fn reads(&self, i: usize, word: &[u8]) -> bool {
        word.iter()
            .enumerate()
            .all(|(n, w)| self.at(i.saturating_add(n)).to_ascii_lowercase() == *w)
    }

    /// Ends a sweep: where the undecided part starts, given the first undecided
    /// candidate. The unfinished last word always belongs to it, and so do finds that
    /// reach into it, as far as [`PENDING`] allows. Finds in the undecided part are
    /// dropped; they come again with the next block.
    pub(super) fn close(&self, pending: Option<usize>, found: &mut Vec<Found>) -> usize {
        let end = self.bytes.len();
        if self.ends_string {
            return end;
        }
        let mut from = self.last_word().min(pending.unwrap_or(end)).max(self.from);
        while let Some(crossing) = found
            .iter()
            .filter(|f| f.wake < from && f.end > from)
            .map(|f| f.wake)
            .min()
        {
            if end.saturating_sub(crossing) > PENDING {
                // So much can't wait. What is found is told, and what waits goes on behind it.
                while let Some(over) = found
                    .iter()
                    .filter(|f| f.wake < from && f.end > from)
                    .map(|f| f.end)
                    .max()
                {
                    from = over;
                }
                break;
            }
            from = crossing;
        }
        found.retain(|f| f.end <= from);
        self.text.floor_char_boundary(from)
    }

    /// Start of the last word if the block ends in it: letters and what addresses
    /// and keys are made of, and a short capital word with a blank after it.
    fn last_word(&self) -> usize {
        let end = self.bytes.len();
        let mut start = self.run_back(end, TAIL, in_word);
        while start < end && matches!(self.bytes.get(start), Some(0x80..0xc0)) {
            // The rest of a character that is no part of a word.
            start = start.saturating_add(1);
        }
        if self.behind(start) == b' ' {
            let blank = start.saturating_sub(1);
            let capitals = self.run_back(blank, 3, |byte| byte.is_ascii_uppercase());
            if blank.saturating_sub(capitals) == 2 {
                start = capitals;
            }
        }
        start
    }
}

/// Bytes that may join into one address or key. Of other scripts only two-byte
/// characters, so that Chinese or Thai text without blanks is not held.
fn in_word(byte: u8) -> bool {
    WORD.get(usize::from(byte)).copied().unwrap_or(false)
}

const WORD: [bool; 256] = each_byte!(byte => {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'.' | b'_' | b'%' | b'+' | b'-' | b'\'' | b'(' | b'/' | b':' | b'=')
        || matches!(byte, 0x80..=0xbf | 0xc2..=0xdf)
});
