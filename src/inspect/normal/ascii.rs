//! The fast path: ASCII text, 64 bytes at a time.
//!
//! Decides what of a chunk needs no thought: letters are lowered, a lone white space becomes a
//! space. Says where the others are: bytes outside ASCII, control characters, and white space that
//! follows other white space.

use crate::inspect::sixtyfour::{SixtyFour, WIDE};

/// A chunk folded.
pub(super) struct Folded {
    /// Its bytes, and as many zeros.
    pub(super) bytes: [u8; 2 * WIDE],
    /// A bit for each byte that is white space.
    pub(super) white: u64,
    /// A bit for each byte that is neither white space nor printable ASCII.
    pub(super) odd: u64,
}

/// Folds the chunk at an offset; what is behind the end of the text is odd.
#[inline]
pub(super) fn fold(bytes: &[u8], at: usize) -> Folded {
    let all = SixtyFour::at(bytes, at);
    let white = all.white();
    Folded {
        bytes: all.folded(),
        white,
        odd: !(white | all.within(b' ', b'~')),
    }
}

/// Tab, line feed, vertical tab, form feed, carriage return and space.
pub(super) const fn is_white(byte: u8) -> bool {
    byte == b' ' || matches!(byte, b'\t'..=b'\r')
}
