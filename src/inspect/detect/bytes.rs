//! What single bytes are, and how many of them are passed over together.
//!
//! Decides kinds of bytes by tables, where the next byte is that a detector wakes at, and how many
//! digits stand in a row. Never knows where a text begins or ends: that is the window's.

use crate::each_byte::each_byte;

/// What a byte is, as [`is`] is asked: kinds that don't exclude each other.
pub(super) const DIGIT: u8 = 1;
pub(super) const LETTER: u8 = 2;
/// `_` and `-`, which join words.
pub(super) const JOINT: u8 = 4;
/// What else base64 is made of.
pub(super) const BASE64: u8 = 8;
/// A letter, or a part of one of another script.
pub(super) const FOREIGN: u8 = 16;
/// What joins the parts of a key, an address or a version.
pub(super) const DOT: u8 = 32;
pub(super) const ALNUM: u8 = DIGIT | LETTER;

const CLASSES: [u8; 256] = each_byte!(byte => match byte {
    b'0'..=b'9' => DIGIT,
    b'A'..=b'Z' | b'a'..=b'z' => LETTER,
    b'_' | b'-' => JOINT,
    b'+' | b'/' | b'=' => BASE64,
    b'.' => DOT,
    0x80.. => FOREIGN,
    _ => 0,
});

/// What a byte is.
#[inline]
pub(super) fn kind(byte: u8) -> u8 {
    CLASSES.get(usize::from(byte)).copied().unwrap_or(0)
}

/// Whether a byte is of one of these kinds.
#[inline]
pub(super) fn is(byte: u8, kinds: u8) -> bool {
    kind(byte) & kinds != 0
}

/// What eight digits are worth, in a byte each; more than nine where there is no digit.
#[inline]
pub(super) const fn values(eight: [u8; 8]) -> u64 {
    u64::from_le_bytes(eight) ^ 0x3030_3030_3030_3030
}

/// How many digits stand before the first that is none, of eight.
#[inline]
pub(super) fn leading(values: u64) -> usize {
    // The highest bit of each byte that is more than nine; behind the first of them it may be
    // that of another, which does not matter.
    let others = (values.wrapping_add(0x7676_7676_7676_7676) | values) & 0x8080_8080_8080_8080;
    usize::try_from(others.trailing_zeros() / 8).unwrap_or(0)
}

/// The index in `bytes` of the first mark at or after `i`. `marks` tells what is one; `mark` the
/// same without a branch: 64 bytes at a time are asked whether any is a mark, which the compiler
/// turns into vector code.
#[inline]
pub(super) fn next_mark(
    bytes: &[u8],
    i: usize,
    marks: &[bool; 256],
    mark: impl Fn(u8) -> bool,
) -> Option<usize> {
    let rest = bytes.get(i..)?;
    let is_mark = |byte: &u8| marks.get(usize::from(*byte)).copied().unwrap_or(false);
    // A text full of marks must not pay for a block at each.
    if let [first, second, ..] = rest {
        if is_mark(first) {
            return Some(i);
        }
        if is_mark(second) {
            return i.checked_add(1);
        }
    }
    let (near, far) = rest.split_at_checked(8).unwrap_or((rest, &[]));
    if let Some(place) = near.iter().position(is_mark) {
        return i.checked_add(place);
    }
    let (blocks, last) = far.as_chunks::<64>();
    let mut base = i.saturating_add(near.len());
    for block in blocks {
        if block.iter().fold(false, |any, byte| any | mark(*byte)) {
            let place = block.iter().position(is_mark)?;
            return base.checked_add(place);
        }
        base = base.saturating_add(64);
    }
    let place = last.iter().position(is_mark)?;
    base.checked_add(place)
}
