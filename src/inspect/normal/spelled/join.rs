//! Runs of letters set apart, written as words.
//!
//! Decides which gaps part two words: those that differ from the run's first one, and those that are
//! wider in the source.

use super::{EVEN, Run, is_letter};
use crate::inspect::normal::canon::Canon;
use crate::inspect::normal::offset;
use crate::inspect::normal::views::{Pad, ViewKind};
use crate::inspect::sixtyfour::{SixtyFour, WIDE, below, zeros};
use std::ops::Range;

/// Writes a region with its runs joined. A gap of another kind than the run's first, or one that
/// is wider in the source, parts two words.
pub(super) fn write_joined(
    canon: &Canon,
    region: &Range<usize>,
    runs: &[Run],
    pad: &mut Pad,
) {
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

/// The same for one run of ASCII, which stands at a place: letters, and a gap between each two.
fn join_ascii(canon: &Canon, (run, from): (&[u8], usize), cursor: &mut usize, pad: &mut Pad) {
    let usual = run.get(1).copied().unwrap_or(b' ');
    for (row, start) in run.chunks(WIDE).zip((from..).step_by(WIDE)) {
        let other = !SixtyFour::at(row, 0).equal(usual) | canon.drops_in(start, row.len(), cursor);
        let mut left = (EVEN | other) & below(row.len());
        while left != 0 {
            let place = zeros(left);
            let at = start.saturating_add(place);
            if place & 1 == 1 {
                pad.put(' ', at, 1);
            } else {
                pad.put_second(row.get(place).copied().unwrap_or(b' '), at);
            }
            left &= left.wrapping_sub(1);
        }
    }
}
