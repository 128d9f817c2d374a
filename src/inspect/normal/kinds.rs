//! Up to eight kinds of bytes told apart at once: the kinds that a byte's upper half allows, and of
//! these the ones that its lower half allows.
//!
//! Decides nothing. Which bytes of many are of a kind is then a matter of one bit, where a question
//! asked for each kind by itself costs as much as all of them together.

#![expect(
    clippy::indexing_slicing,
    reason = "a constant is made: a place that is none would not compile"
)]

use crate::inspect::sixtyfour::{Part, SixtyFour};

/// Kinds, a bit for each.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kinds {
    low: Part,
    high: Part,
}

impl Kinds {
    /// Kinds by the upper and the lower halves of their bytes, a bit for each of sixteen.
    pub(super) const fn new(kinds: [(u16, u16); 8]) -> Self {
        let (mut low, mut high) = ([0; 32], [0; 32]);
        let mut half = 0_usize;
        while half < 32 {
            let mut kind = 0_usize;
            while kind < 8 {
                let (highs, lows) = kinds[kind];
                if highs >> (half & 15) & 1 == 1 {
                    high[half] |= 1_u8 << kind;
                }
                if lows >> (half & 15) & 1 == 1 {
                    low[half] |= 1_u8 << kind;
                }
                kind = kind.wrapping_add(1);
            }
            half = half.wrapping_add(1);
        }
        Self {
            low: Part::new(low),
            high: Part::new(high),
        }
    }

    /// Which bytes are of one kind or more of some.
    #[inline]
    pub(super) fn ask(&self, all: &SixtyFour, wanted: u8) -> u64 {
        !all.ask(|part| self.none(part, wanted))
    }

    /// Whether any byte is.
    #[inline]
    pub(super) fn any(&self, all: &SixtyFour, wanted: u8) -> bool {
        all.any(|part| !self.none(part, wanted))
    }

    /// Which bytes are of none of some kinds.
    #[inline]
    fn none(&self, part: Part, wanted: u8) -> Part {
        let low = self.low.swizzle_half_relaxed(part & Part::splat(0x0f));
        let high = self.high.swizzle_half_relaxed(part.unbounded_shr_scalar(4));
        (low & high & Part::splat(wanted)).simd_eq(Part::ZERO)
    }
}

/// Halves from one to another, a bit for each.
pub(super) const fn halves(first: u32, last: u32) -> u16 {
    (u16::MAX << first) & (u16::MAX >> 15_u32.wrapping_sub(last))
}

/// Some halves, a bit for each.
pub(super) const fn those<const N: usize>(some: [u32; N]) -> u16 {
    let (mut bits, mut at) = (0, 0_usize);
    while at < N {
        bits |= 1 << some[at];
        at = at.wrapping_add(1);
    }
    bits
}

#[cfg(test)]
mod tests {
    use super::{Kinds, halves, those};
    use crate::inspect::sixtyfour::SixtyFour;

    #[test]
    fn a_byte_is_of_the_kinds_that_both_its_halves_allow() {
        let table: [(u16, u16); 8] = [
            (those([2]), those([0xb, 0xd, 0xf])),
            (those([3]), halves(0, 9)),
            (those([4, 6]), halves(1, 15)),
            (those([15]), halves(0, 15)),
            (halves(8, 15), those([0])),
            (0, halves(0, 15)),
            (halves(0, 15), 0),
            (those([0]), those([0])),
        ];
        let kinds = Kinds::new(table);
        for byte in 0..=255_u8 {
            let all = SixtyFour::new(&[byte; 64]);
            let (high, low) = (byte >> 4, byte & 15);
            let mut some = 0_u8;
            for (kind, (highs, lows)) in table.into_iter().enumerate() {
                let is = highs >> high & 1 == 1 && lows >> low & 1 == 1;
                assert_eq!(kinds.ask(&all, 1 << kind), if is { u64::MAX } else { 0 });
                assert_eq!(kinds.any(&all, 1 << kind), is);
                some |= u8::from(is) << kind;
            }
            assert_eq!(kinds.any(&all, some), some != 0, "{byte:#x}");
            assert!(!kinds.any(&all, !some), "{byte:#x}");
        }
        assert_eq!((halves(0, 9), halves(15, 15)), (0x3ff, 0x8000));
    }
}
