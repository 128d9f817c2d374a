//! What single bytes are, and how many of them are passed over together.
//!
//! Decides kinds of bytes and pairs of letters by tables, and how many digits stand in a row. Never
//! knows where a text begins or ends: that is the window's.

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

/// Whether a byte is of one of these kinds.
#[inline]
pub(super) fn is(byte: u8, kinds: u8) -> bool {
    CLASSES.get(usize::from(byte)).copied().unwrap_or(0) & kinds != 0
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

/// Pairs of letters in any case, to tell most words by two of their letters. Other bytes are taken
/// for one letter or another.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pairs([u32; 32]);

impl Pairs {
    pub(super) fn add(&mut self, first: u8, second: u8) {
        if let Some(seconds) = self.0.get_mut(usize::from(first & 31)) {
            *seconds |= 1 << (second & 31);
        }
    }

    /// Whether they were added: surely, if they were.
    #[inline]
    pub(super) fn has(&self, first: u8, second: u8) -> bool {
        let seconds = self.0.get(usize::from(first & 31));
        seconds.is_some_and(|seconds| seconds >> (second & 31) & 1 == 1)
    }
}
