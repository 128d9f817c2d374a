//! Sixty-four bytes asked one question at once: which of them are of a kind, a bit for each.
//!
//! Decides nothing. Where runs of a kind begin and end is then a matter of shifts and of counting
//! zeros, where a loop over bytes would have the processor guess at every end.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "the difference of two lanes wraps, as it must"
)]

use wide::u8x32;

/// Bytes that the processor asks together.
pub(super) type Part = u8x32;

/// How many these are.
const PART: usize = WIDE / 2;

/// Bytes that are asked together.
pub(super) const WIDE: usize = 64;

/// Sixty-four bytes. Bit `n` of an answer is that of byte `n`.
#[derive(Clone, Copy, Debug)]
pub(super) struct SixtyFour([Part; 2]);

impl SixtyFour {
    /// Takes the bytes.
    #[inline]
    pub(super) fn new(bytes: &[u8; WIDE]) -> Self {
        let (parts, _) = bytes.as_chunks::<PART>();
        let part = |n: usize| Part::new(parts.get(n).copied().unwrap_or_default());
        Self([part(0), part(1)])
    }

    /// The bytes at an offset, as far as there are any, and zeros behind them.
    #[inline]
    pub(super) fn at(bytes: &[u8], at: usize) -> Self {
        let rest = bytes.get(at..).unwrap_or_default();
        match rest.first_chunk() {
            Some(chunk) => Self::new(chunk),
            None => Self::last(rest),
        }
    }

    /// The last of a text.
    #[cold]
    fn last(rest: &[u8]) -> Self {
        Self::new(&padded(rest))
    }

    /// Which are this byte.
    #[inline]
    pub(super) fn equal(&self, byte: u8) -> u64 {
        self.ask(|part| equal(part, byte))
    }

    /// Which are one or the other.
    #[inline]
    pub(super) fn either(&self, one: u8, other: u8) -> u64 {
        self.ask(|part| equal(part, one) | equal(part, other))
    }

    /// Which are at least `first` and at most `last`.
    #[inline]
    pub(super) fn within(&self, first: u8, last: u8) -> u64 {
        self.ask(|part| within(part, first, last))
    }

    /// Which are letters of ASCII.
    #[inline]
    pub(super) fn letters(&self) -> u64 {
        self.ask(letter)
    }

    /// Which are no ASCII.
    #[inline]
    pub(super) fn foreign(&self) -> u64 {
        self.ask(|part| part)
    }

    /// Which are white space of ASCII: tab to carriage return, and space.
    #[inline]
    pub(super) fn white(&self) -> u64 {
        self.ask(white)
    }

    /// The same bytes with small letters for capitals and a space for each white space.
    #[inline]
    pub(super) fn folded(&self) -> [u8; WIDE] {
        let space = Part::splat(b' ');
        let mut bytes = [0; WIDE];
        let (slots, _) = bytes.as_chunks_mut::<PART>();
        for (slot, part) in slots.iter_mut().zip(self.0) {
            let white = white(part);
            // A space and the bit that makes a letter small are the same.
            let fold = (part & !white) | ((within(part, b'A', b'Z') | white) & space);
            *slot = fold.to_array();
        }
        bytes
    }

    /// Whether any byte answers a question.
    #[inline]
    pub(super) fn any(&self, of: impl Fn(Part) -> Part) -> bool {
        let [low, high] = self.0;
        (of(low) | of(high)).to_bitmask() != 0
    }

    /// The top bits of what becomes of each part: a question made of [`equal`], [`within`] and
    /// [`letter`] is asked at once.
    #[inline]
    pub(super) fn ask(&self, of: impl Fn(Part) -> Part) -> u64 {
        let bits = |part| u64::from(of(part).to_bitmask());
        let [low, high] = self.0;
        bits(low) | bits(high) << PART
    }
}

/// Sixty-four bytes, and as many behind them. Copies from any place of the first are of one length,
/// whatever of it is right, as those are much the faster ones.
pub(super) const WINDOW: usize = 2 * WIDE;

/// The first window of what is left of a text, which is `cut` where too little is.
#[inline]
pub(super) fn window<'a>(rest: &'a [u8], cut: &'a mut Option<[u8; WINDOW]>) -> &'a [u8; WINDOW] {
    match rest.first_chunk() {
        Some(window) => window,
        None => cut.insert(padded(rest)),
    }
}

/// The last bytes of a text, and zeros behind them.
#[cold]
fn padded<const N: usize>(rest: &[u8]) -> [u8; N] {
    let mut chunk = [0; N];
    if let Some(slots) = chunk.get_mut(..rest.len()) {
        slots.copy_from_slice(rest);
    }
    chunk
}

/// All bits below a place.
#[inline]
pub(super) fn below(place: usize) -> u64 {
    let place = u32::try_from(place).unwrap_or(u32::MAX);
    !u64::MAX.checked_shl(place).unwrap_or(0)
}

/// How many zeros stand below the lowest one: the place of the first bit that is set.
#[inline]
pub(super) fn zeros(bits: u64) -> usize {
    usize::try_from(bits.trailing_zeros()).unwrap_or(WIDE)
}

/// Which bytes of a part are this one.
#[inline]
pub(super) fn equal(part: Part, byte: u8) -> Part {
    part.simd_eq(Part::splat(byte))
}

/// Which bytes of a part are at least `first` and at most `last`.
#[inline]
pub(super) fn within(part: Part, first: u8, last: u8) -> Part {
    let span = Part::splat(last.wrapping_sub(first));
    let first = Part::splat(first);
    (part - first).saturating_sub(span).simd_eq(Part::ZERO)
}

/// Which bytes of a part are letters of ASCII.
#[inline]
pub(super) fn letter(part: Part) -> Part {
    within(part | Part::splat(0x20), b'a', b'z')
}

/// Which bytes of a part are white space of ASCII.
#[inline]
fn white(part: Part) -> Part {
    equal(part, b' ') | within(part, b'\t', b'\r')
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
                let white = byte == b' ' || (b'\t'..=b'\r').contains(&byte);
                prop_assert_eq!(bit(all.white()), white);
                let folded = if white { b' ' } else { byte.to_ascii_lowercase() };
                prop_assert_eq!(all.folded().get(n).copied(), Some(folded));
            }
            for at in 0..=WIDE {
                let rest = bytes.get(at..).unwrap_or(&[]);
                let mut filled = [0; WIDE];
                filled[..rest.len()].copy_from_slice(rest);
                let filled = SixtyFour::new(&filled).equal(first);
                prop_assert_eq!(SixtyFour::at(&bytes, at).equal(first), filled);
            }
        }
    }
}
