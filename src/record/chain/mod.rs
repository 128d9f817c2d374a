//! The audit chain: lines that each hold the hash of the one before, and signatures over them.
//!
//! Lives here: what a line looks like (`line`), keys and signatures (`key`), the signed note of
//! where the chain ends (`mark`), the check of a whole chain (`verify`), what becomes a line
//! (`entry`) and the keys of the people in it (`personal`). Must not live here: a file, a lock, a
//! clock, a source of random bits; those are `runtime::audit`'s.
//!
//! What a chain can't show: lines that somebody who has the private key wrote anew, and, where the
//! newest mark is not at hand, that lines after the last signature are gone.

pub mod entry;
pub mod key;
pub mod line;
pub mod mark;
pub mod personal;
pub mod verify;

#[cfg(test)]
mod tests;

pub use line::{Digest, Head};

/// How a chain, or one of its files, ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It goes on.
    Open,
    /// The process ended in good order; another one may go on.
    Closed,
    /// The file ends for ever; the chain goes on in the next one.
    Sealed,
}

impl Ending {
    /// The word in lines.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Sealed => "sealed",
        }
    }

    /// The ending that a word stands for.
    pub fn of(word: &str) -> Option<Self> {
        let all = [Self::Open, Self::Closed, Self::Sealed];
        all.into_iter().find(|ending| ending.as_str() == word)
    }
}

/// Appends bytes in lower-case hex.
pub(crate) fn push_hex(out: &mut Vec<u8>, bytes: &[u8]) {
    const DIGITS: [u8; 16] = *b"0123456789abcdef";
    let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().unwrap_or(b'0');
    for byte in bytes {
        out.extend_from_slice(&[digit(byte >> 4), digit(byte & 0xf)]);
    }
}

/// Bytes in lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut out = Vec::with_capacity(bytes.len().saturating_mul(2));
    push_hex(&mut out, bytes);
    String::from_utf8(out).unwrap_or_default()
}
