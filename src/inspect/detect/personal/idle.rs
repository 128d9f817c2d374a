//! Short numbers that are nothing, told before anything is read of them.
//!
//! Decides by the lengths of three groups of digits, by shifts, and by the bytes beside them: in a
//! text full of numbers most are of no kind, and a look at each by every checker has the processor
//! guess at every step.
//! May take something for a number that is none; never passes over what a checker would find, nor
//! what depends on text that is not there yet (the gate's test has all numbers looked at as well).

use super::gate::Behind;
use super::{net, phone};
use crate::each_byte::each_byte;
use crate::inspect::detect::index::{Index, Row};
use crate::inspect::detect::window::Window;
use crate::inspect::sixtyfour::WIDE;

/// Digits that may be a number in one group.
const ALONE: usize = 7;

/// Which lengths a third group has behind two of these, as bits, if they begin a number of any kind
/// that needs no word near by, no sign before it and no zero. By the first group's length, and the
/// second's in the lower four bits; 15 for all longer.
const THIRD: [u16; 256] = each_byte!(n => match (n >> 4, n & 15) {
    // Social security; Australian, Canadian and British numbers, and American telephones.
    (3, 2) => 1 << 4,
    (3, 3) => 1 << 3 | 1 << 4,
    (1, 3) => 1 << 3,
    // French.
    (1, 2) => 1 << 2,
    // Cards and Indian numbers.
    (4, 4) => 0x7e,
    (4, 6) => 0x70,
    // Korean and Swedish.
    (6, 4 | 7) => u16::MAX,
    _ => 0,
});

/// Whether no number of any kind begins with the digits `start..end`, if no word near by says what
/// they are.
#[inline]
pub(super) fn begins_nothing(
    window: &Window<'_>,
    (start, end): (usize, usize),
    behind: &Behind,
) -> bool {
    let length = end.wrapping_sub(start);
    let (run, bytes) = (behind.run(), window.bytes);
    let (Some(&first), Some(&last)) = (bytes.get(start), bytes.get(end.wrapping_add(run))) else {
        return false;
    };
    let led = matches!(window.behind(start), b'+' | b'(') || first == b'0';
    let labelled = run < WIDE && phone::may_label(last | 0x20);
    !(length >= ALONE || led || labelled || has_shape(length, behind))
}

/// Whether digits that begin no number are no part of an address or of what has letters as well.
#[inline]
pub(super) fn stands_alone(
    window: &Window<'_>,
    index: &Index,
    (start, end): (usize, usize),
) -> bool {
    let length = end.wrapping_sub(start);
    let before = start.checked_sub(2).and_then(|at| window.bytes.get(at..));
    let (Some(&[b2, b1]), Some(&after)) =
        (before.and_then(<[u8]>::first_chunk), window.bytes.get(end))
    else {
        return false;
    };
    if length == 2 && (b1 == b'-' || after == b'-') && may_be_mac(window, index, start) {
        return false;
    }
    if (b1 == b':' || after == b':') && net::unlike_six(window, index, start).is_none() {
        return false;
    }
    let british = length == 2 && b1 == b' ' && b2.is_ascii_uppercase();
    let router = length == 4 && b1 == b'.';
    !(after == b'.' || british || router)
}

/// Whether groups of digits, the first of which is so long, may have the lengths of a number.
#[inline]
fn has_shape(length: usize, behind: &Behind) -> bool {
    let (second, unknown) = behind.group(0);
    let third = THIRD.get(length << 4 & 0xf0 | second.min(15));
    let third = third.copied().unwrap_or(u16::MAX);
    if unknown || third == 0 {
        return unknown;
    }
    let (length, unknown) = behind.group(second.wrapping_add(1));
    unknown || third >> length.min(15) & 1 == 1
}

/// Whether enough dashes stand in their places for a network card's address whose pair begins at
/// `start`, or not all are known.
fn may_be_mac(window: &Window<'_>, index: &Index, start: usize) -> bool {
    /// Every third from sixteen bytes before `start` to seventeen behind.
    const PLACES: u64 = 0o1111_1111_1111;
    let Some(from) = start.checked_sub(16) else {
        return true;
    };
    let dashes = index.bits(Row::joints, from) & PLACES;
    let known = start.wrapping_add(18) < window.bytes.len();
    !known || dashes.count_ones() >= 5
}
