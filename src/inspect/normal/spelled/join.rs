//! Runs of letters set apart, written as words.
//!
//! Decides which gaps part two words: those that differ from the run's first one, and those that are
//! wider in the source.

use super::{EVEN, Run, is_letter};
use crate::inspect::normal::canon::Canon;
use crate::inspect::normal::offset;
use crate::inspect::normal::views::{Pad, ViewKind};
use crate::inspect::sixtyfour::{SixtyFour, WIDE, below, window, zeros};
use std::ops::Range;

/// Writes a region with its runs joined. A gap of another kind than the run's first, or one that
/// is wider in the source, parts two words.
pub(super) fn write_joined(canon: &Canon, region: &Range<usize>, runs: &[Run], pad: &mut Pad) {
    let text = canon.text();
    let Some(start) = pad.begin(region.len()) else {
        return;
    };
    let mut at = region.start;
    let mut cursor = canon.cursor(at);
    for run in runs {
        pad.copy(text.get(at..run.range.start).unwrap_or_default(), at);
        let mut usual = None;
        at = run.range.start;
        let letters = text.get(run.range.clone()).unwrap_or_default();
        if letters.is_ascii() {
            join_ascii(canon, (letters.as_bytes(), at), &mut cursor, pad);
            at = run.range.end;
            continue;
        }
        for c in letters.chars() {
            let len = c.len_utf8();
            if is_letter(c) {
                pad.put(c, at, len);
            } else if *usual.get_or_insert(c) != c || canon.drops_after(at, &mut cursor) {
                pad.put(' ', at, len);
            }
            at = at.saturating_add(len);
        }
    }
    pad.copy(text.get(at..region.end).unwrap_or_default(), at);
    let (from, to) = (offset(region.start), offset(region.end));
    pad.end(ViewKind::Despaced, start, canon.source_range(from, to));
}

/// Letters of a row of sixty-four bytes, of which every second one is such.
const HALF: usize = WIDE / 2;

/// The same for one run of ASCII, which stands at a place: letters, and a gap between each two.
fn join_ascii(canon: &Canon, (run, from): (&[u8], usize), cursor: &mut usize, pad: &mut Pad) {
    let usual = run.get(1).copied().unwrap_or(b' ');
    for (row, start) in run.chunks(WIDE).zip((from..).step_by(WIDE)) {
        let other = !SixtyFour::at(row, 0).equal(usual) | canon.drops_in(start, row.len(), cursor);
        let mut gaps = other & !EVEN & below(row.len());
        let letters = letters(row);
        let (mut joined, mut len, mut place) = ([0; 2 * WIDE], 0, 0_usize);
        while place < row.len() {
            // The letters before the next gap that parts two words.
            let gap = zeros(gaps).min(row.len());
            let count = gap.saturating_sub(place).div_ceil(2);
            // A copy of a length known beforehand is much the faster one: all is written, whatever
            // of it is right.
            let part = letters
                .get(place / 2..)
                .and_then(<[u8]>::first_chunk::<HALF>);
            let slots = joined
                .get_mut(len..)
                .and_then(<[u8]>::first_chunk_mut::<HALF>);
            if let (Some(part), Some(slots)) = (part, slots) {
                *slots = *part;
            }
            pad.seconds(start.saturating_add(place), count);
            len = len.saturating_add(count);
            place = gap.saturating_add(1);
            if gap < row.len() {
                if let Some(slot) = joined.get_mut(len) {
                    *slot = b' ';
                }
                pad.one(start.saturating_add(gap));
                len = len.saturating_add(1);
            }
            gaps &= gaps.wrapping_sub(1);
        }
        pad.write(joined.get(..len).unwrap_or_default());
    }
}

/// Every second byte of a row, and as many zeros behind them.
#[inline]
fn letters(row: &[u8]) -> [u8; WIDE] {
    let mut cut = None;
    let (pairs, _) = window(row, &mut cut).as_chunks::<2>();
    let mut letters = [0; WIDE];
    for (slot, [letter, _]) in letters.iter_mut().zip(pairs) {
        *slot = *letter;
    }
    letters
}
