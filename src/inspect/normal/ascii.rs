//! The fast path: ASCII text, 64 bytes at a time.
//!
//! Decides what of a chunk needs no thought: letters are lowered, a lone white space becomes a
//! space. Says where the others are: bytes outside ASCII, control characters, and white space that
//! follows other white space.

use super::fold::Fold;
use super::table::Kind;
use crate::inspect::sixtyfour::{SixtyFour, WIDE, WINDOW, window, zeros};
use std::ops::{ControlFlow, Range};

impl Fold<'_> {
    /// ASCII outside disguised words, and the characters between that become ASCII, up to the next
    /// one that is something else.
    pub(super) fn ascii(&mut self, from: usize) -> usize {
        let bytes = self.source.as_bytes();
        let (mut at, mut spaced) = (from, self.after_space());
        loop {
            let row = fold(bytes, at);
            // The rest of a run of white space goes.
            let gone = row.white & ((row.white << 1) | u64::from(spaced));
            if gone | row.odd == 0 {
                self.out.extend_from_slice(&row.bytes);
                self.map.copy(at, WIDE);
            } else if row.odd == 0 {
                self.parts(at, !gone);
            } else {
                match self.mixed(at, &row, gone) {
                    ControlFlow::Break(next) => return next,
                    ControlFlow::Continue(next) => at = next,
                }
                spaced = self.after_space();
                continue;
            }
            at = at.saturating_add(WIDE);
            spaced = row.white >> 63 == 1;
        }
    }

    /// Writes those bytes of a chunk that stay.
    #[inline]
    fn parts(&mut self, at: usize, stay: u64) {
        let rest = self.source.as_bytes().get(at..).unwrap_or_default();
        let mut cut = None;
        let window = window(rest, &mut cut);
        let len = self.out.len();
        self.out.extend_from_slice(&[0; WINDOW]);
        let Some(out) = self.out.last_chunk_mut::<WINDOW>() else {
            return;
        };
        let (mut left, mut to) = (stay, 0_usize);
        while left != 0 {
            let start = zeros(left);
            let run = zeros(!behind(left, start));
            write(window, start, out, to);
            let source = at.saturating_add(start);
            if to == 0 {
                self.map.copy(source, run);
            } else {
                self.map.resume(source, run);
            }
            to = to.wrapping_add(run);
            // Adding to a run's first bit clears the run.
            left &= left.wrapping_add(1 << (start & 63));
        }
        self.out.truncate(len.saturating_add(to));
    }

    /// A chunk that is not all ASCII or has control characters; where what follows it begins, or
    /// something else.
    fn mixed(&mut self, at: usize, row: &Folded, gone: u64) -> ControlFlow<usize, usize> {
        let (mut gone, mut start) = (gone, 0);
        while start < WIDE {
            let stop = start
                .saturating_add(zeros(behind(gone | row.odd, start)))
                .min(WIDE);
            self.part(at, start..stop);
            if stop == WIDE {
                start = stop;
            } else if behind(gone, stop) & 1 == 1 {
                start = stop.saturating_add(zeros(!behind(gone, stop)));
            } else {
                let place = at.saturating_add(stop);
                let next = self.odd(place);
                if next == place || self.word.is_some() {
                    return ControlFlow::Break(next);
                }
                start = next.saturating_sub(at);
                if start < WIDE && self.after_space() {
                    gone |= row.white & (1 << (start & 63));
                }
            }
        }
        ControlFlow::Continue(at.saturating_add(start))
    }

    /// White space that follows is to be dropped.
    #[inline]
    fn after_space(&self) -> bool {
        self.out.last() == Some(&b' ')
    }

    /// Writes a part of a chunk, which begins at an offset of the source.
    #[inline]
    fn part(&mut self, at: usize, part: Range<usize>) {
        let at = at.saturating_add(part.start);
        let len = self.out.len().saturating_add(part.len());
        // A copy of a length known beforehand is much the faster one: all is written, whatever of
        // it is right.
        self.out
            .extend_from_slice(&fold(self.source.as_bytes(), at).bytes);
        self.out.truncate(len);
        self.map.copy(at, part.len());
    }

    /// A control character, or a character that becomes ASCII or nothing: what follows it. The
    /// place itself if another one stands there, or none.
    fn odd(&mut self, at: usize) -> usize {
        let Some(c) = self.source.get(at..).and_then(|rest| rest.chars().next()) else {
            return at;
        };
        if c.is_ascii() {
            self.oddities.controls = self.oddities.controls.saturating_add(1);
            return at.saturating_add(1);
        }
        let entry = self.table.get(c);
        match entry.kind {
            Kind::Other | Kind::Genuine | Kind::Lookalike | Kind::Regional => at,
            Kind::Sign | Kind::Latin | Kind::Mark | Kind::Space | Kind::Dropped | Kind::Several => {
                self.put(c, entry, at);
                at.saturating_add(c.len_utf8())
            }
        }
    }
}

/// A chunk folded.
struct Folded {
    /// Its bytes.
    bytes: [u8; WIDE],
    /// A bit for each byte that is white space.
    white: u64,
    /// A bit for each byte that is neither white space nor printable ASCII.
    odd: u64,
}

/// Folds the chunk at an offset; what is behind the end of the text is odd.
#[inline]
fn fold(bytes: &[u8], at: usize) -> Folded {
    let all = SixtyFour::at(bytes, at);
    let white = all.white();
    Folded {
        bytes: all.folded(),
        white,
        odd: !(white | all.within(b' ', b'~')),
    }
}

/// The bits from a place on.
#[inline]
const fn behind(bits: u64, place: usize) -> u64 {
    bits >> (place & 63)
}

/// Writes folded what stands at a place of a chunk and behind it. Folding it for each part once
/// more costs less than to take the parts out of what was folded.
#[inline]
fn write(window: &[u8; WINDOW], from: usize, out: &mut [u8; WINDOW], to: usize) {
    const CHUNK: usize = WIDE - 1;
    let part = window.get(from & CHUNK..).and_then(<[u8]>::first_chunk);
    let slots = out.get_mut(to & CHUNK..).and_then(<[u8]>::first_chunk_mut);
    if let (Some(part), Some(slots)) = (part, slots) {
        *slots = SixtyFour::new(part).folded();
    }
}

/// Tab, line feed, vertical tab, form feed, carriage return and space.
pub(super) const fn is_white(byte: u8) -> bool {
    byte == b' ' || matches!(byte, b'\t'..=b'\r')
}
