//! Sixty-four bytes asked one question at once: which of them are of a kind, a bit for each.
//!
//! Decides nothing. Where runs of a kind begin and end is then a matter of shifts and of counting
//! zeros, where a loop over bytes would have the processor guess at every end.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "the difference of two lanes wraps, as it must"
)]

use wide::u8x16;

/// Bytes that are asked together.
pub(super) const WIDE: usize = 64;

/// Sixty-four bytes. Bit `n` of an answer is that of byte `n`.
#[derive(Clone, Copy, Debug)]
pub(super) struct SixtyFour([u8x16; 4]);

impl SixtyFour {
    /// Takes the bytes.
    #[inline]
    pub(super) fn new(bytes: &[u8; WIDE]) -> Self {
        let (parts, _) = bytes.as_chunks::<16>();
        let part = |n: usize| u8x16::new(parts.get(n).copied().unwrap_or_default());
        Self([part(0), part(1), part(2), part(3)])
    }

    /// Which are this byte.
    #[inline]
    pub(super) fn equal(&self, byte: u8) -> u64 {
        let wanted = u8x16::splat(byte);
        self.ask(|part| part.simd_eq(wanted))
    }

    /// Which are one or the other.
    #[inline]
    pub(super) fn either(&self, one: u8, other: u8) -> u64 {
        let (one, other) = (u8x16::splat(one), u8x16::splat(other));
        self.ask(|part| part.simd_eq(one) | part.simd_eq(other))
    }

    /// Which are at least `first` and at most `last`.
    #[inline]
    pub(super) fn within(&self, first: u8, last: u8) -> u64 {
        let span = u8x16::splat(last.wrapping_sub(first));
        let first = u8x16::splat(first);
        self.ask(|part| (part - first).saturating_sub(span).simd_eq(u8x16::ZERO))
    }

    /// Which are letters of ASCII.
    #[inline]
    pub(super) fn letters(&self) -> u64 {
        let (bit, first, span) = (u8x16::splat(0x20), u8x16::splat(b'a'), u8x16::splat(25));
        self.ask(|part| {
            ((part | bit) - first)
                .saturating_sub(span)
                .simd_eq(u8x16::ZERO)
        })
    }

    /// Which are no ASCII.
    #[inline]
    pub(super) fn foreign(&self) -> u64 {
        self.ask(|part| part)
    }

    /// The top bits of what becomes of each part.
    #[inline]
    fn ask(&self, of: impl Fn(u8x16) -> u8x16) -> u64 {
        let bits = |part| u64::from(of(part).to_bitmask());
        let [a, b, c, d] = self.0;
        bits(a) | bits(b) << 16 | bits(c) << 32 | bits(d) << 48
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{SixtyFour, WIDE};

    fn bytes() -> impl Strategy<Value = [u8; WIDE]> {
        let byte = prop_oneof![any::<u8>(), b' '..=b'~', Just(0x80), Just(b'/'), Just(b':')];
        prop::collection::vec(byte, WIDE).prop_map(|all| all.try_into().expect("as many"))
    }

    proptest! {
        #[test]
        fn each_bit_is_its_bytes(bytes in bytes(), first in any::<u8>(), last in any::<u8>()) {
            let all = SixtyFour::new(&bytes);
            let (first, last) = (first.min(last), first.max(last));
            for (n, &byte) in bytes.iter().enumerate() {
                let bit = |mask: u64| mask >> n & 1 == 1;
                prop_assert!(bit(all.equal(byte)));
                prop_assert_eq!(bit(all.equal(first)), byte == first);
                prop_assert_eq!(bit(all.either(first, last)), byte == first || byte == last);
                prop_assert_eq!(bit(all.within(first, last)), (first..=last).contains(&byte));
                prop_assert_eq!(bit(all.letters()), byte.is_ascii_alphabetic());
                prop_assert_eq!(bit(all.foreign()), !byte.is_ascii());
            }
        }
    }
}
