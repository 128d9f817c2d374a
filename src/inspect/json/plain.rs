//! How far a string runs on before a byte that ends the run: a quote, a backslash or a control
//! character.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "the length of a part is below that of its slice; the divisor is 8"
)]

use memchr::memchr2;

/// 0x01 in every byte.
const ONES: u64 = u64::from_ne_bytes([0x01; 8]);
/// The top bit of every byte.
const TOPS: u64 = u64::from_ne_bytes([0x80; 8]);
/// The bytes looked at together in a long run: two SSE2 registers.
const BLOCK: usize = 32;
/// What is below is a control character.
const SPACE: u8 = 0x20;

/// The length of the run at the start of `bytes`. Most runs are short: of two words at most.
#[inline(always)]
#[expect(clippy::inline_always, reason = "a call costs as much as most runs")]
pub(super) fn plain_len(bytes: &[u8]) -> usize {
    word_len(bytes, |after| word_len(after, long_len))
}

/// The same, with what tells how far a run goes that is longer than a word.
#[inline(always)]
#[expect(clippy::inline_always, reason = "a call costs as much as most runs")]
fn word_len(bytes: &[u8], longer: impl FnOnce(&[u8]) -> usize) -> usize {
    let Some((word, after)) = bytes.split_first_chunk::<8>() else {
        return short_len(bytes);
    };
    let ends = ends_in(u64::from_le_bytes(*word));
    if ends != 0 {
        return first_byte(ends);
    }
    8 + longer(after)
}

/// Up to the next quote or backslash, if no control character stands before it, which would be the
/// end of the body: so nothing is looked through twice.
#[inline(never)]
fn long_len(bytes: &[u8]) -> usize {
    let end = memchr2(b'"', b'\\', bytes).unwrap_or(bytes.len());
    let run = bytes.get(..end).unwrap_or(bytes);
    if has_control(run) {
        return run.iter().position(|&byte| byte < SPACE).unwrap_or(end);
    }
    end
}

/// The smallest byte of each lane, then words, then bytes.
fn has_control(run: &[u8]) -> bool {
    let (blocks, rest) = run.as_chunks::<BLOCK>();
    let mut least = [u8::MAX; BLOCK];
    for block in blocks {
        for (least, &byte) in least.iter_mut().zip(block) {
            *least = byte.min(*least);
        }
    }
    let (words, rest) = rest.as_chunks::<8>();
    let controls = words.iter().fold(0, |any, word| {
        let word = u64::from_le_bytes(*word);
        any | word.wrapping_sub(ONES * u64::from(SPACE)) & !word
    });
    least.iter().fold(u8::MAX, |all, &one| all.min(one)) < SPACE
        || controls & TOPS != 0
        || rest.iter().any(|&byte| byte < SPACE)
}

/// Less than a word.
fn short_len(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .position(|&byte| ends_run(byte))
        .unwrap_or(bytes.len())
}

/// Whether a byte is no plain character of a string.
#[inline]
pub(super) fn ends_run(byte: u8) -> bool {
    byte < SPACE || byte == b'"' || byte == b'\\'
}

/// The top bit of each byte of `word` that ends a run. A borrow can also set the bit of a byte
/// above such a one, never below, so the lowest is right, and zero means none.
#[inline]
pub(super) fn ends_in(word: u64) -> u64 {
    let quote = word ^ (ONES * 0x22);
    let slash = word ^ (ONES * 0x5C);
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    let quote = quote.wrapping_sub(ONES) & !quote;
    let slash = slash.wrapping_sub(ONES) & !slash;
    (control | quote | slash) & TOPS
}

/// Which byte the lowest bit of `ends` is in; at most 8.
#[inline]
pub(super) fn first_byte(ends: u64) -> usize {
    usize::try_from(ends.trailing_zeros() / 8).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::{ends_run, plain_len};

    #[test]
    fn every_byte_ends_a_run_or_does_not_at_every_place() {
        for byte in 0..=255_u8 {
            for before in 0..100 {
                let mut bytes = vec![b'x'; before];
                bytes.push(byte);
                bytes.extend_from_slice(&[b'"'; 40]);
                let want = if ends_run(byte) { before } else { before + 1 };
                assert_eq!(plain_len(&bytes), want, "byte {byte} after {before}");
            }
        }
    }

    proptest! {
        #[test]
        fn a_run_ends_where_a_plain_search_says(bytes in vec(any::<u8>(), 0..200)) {
            let want = bytes.iter().position(|&byte| ends_run(byte)).unwrap_or(bytes.len());
            prop_assert_eq!(plain_len(&bytes), want);
        }
    }
}
