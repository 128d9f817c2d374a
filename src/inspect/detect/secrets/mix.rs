//! What a value is made of: how many digits, letters and different characters, and how they mix.
//!
//! Decides by counting alone, sixty-four bytes at once, whether chance may have made a value. Never
//! looks at what it says. May miss: random values shorter than 16, or of letters alone.

use crate::inspect::sixtyfour::{SixtyFour, WIDE};

/// What a value is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Mix {
    pub(super) length: usize,
    pub(super) digits: usize,
    pub(super) lower: usize,
    pub(super) upper: usize,
    hex: usize,
    /// Different bytes of ASCII.
    pub(super) distinct: usize,
    /// Changes between letters and digits.
    changes: usize,
    /// Small letters that stand three or more together.
    wordy: usize,
}

/// Digits, small letters and capitals of sixty-four bytes, a bit for each.
#[derive(Clone, Copy, Default)]
struct Kinds {
    digits: u64,
    lower: u64,
    upper: u64,
}

impl Kinds {
    /// The bits of a kind `N` bytes before, where `last` are those before these.
    #[inline]
    fn before<const N: u32>(self, last: Self, of: impl Fn(Self) -> u64) -> u64 {
        of(self) << N | of(last) >> 64_u32.wrapping_sub(N)
    }

    const fn letters(self) -> u64 {
        self.lower | self.upper
    }
}

impl Mix {
    pub(super) fn of(value: &[u8]) -> Self {
        let mut mix = Self {
            length: value.len(),
            ..Self::default()
        };
        let count = |bits: u64| usize::try_from(bits.count_ones()).unwrap_or(WIDE);
        let mut last = Kinds::default();
        for at in (0..value.len()).step_by(WIDE) {
            let all = SixtyFour::at(value, at);
            let of_hex = all.within(b'a', b'f') | all.within(b'A', b'F');
            let row = Kinds {
                digits: all.within(b'0', b'9'),
                lower: all.within(b'a', b'z'),
                upper: all.within(b'A', b'Z'),
            };
            mix.digits = mix.digits.wrapping_add(count(row.digits));
            mix.lower = mix.lower.wrapping_add(count(row.lower));
            mix.upper = mix.upper.wrapping_add(count(row.upper));
            mix.hex = mix.hex.wrapping_add(count(row.digits | of_hex));
            let from_digit = row.before::<1>(last, |row| row.digits) & row.letters();
            let from_letter = row.before::<1>(last, Kinds::letters) & row.digits;
            mix.changes = mix.changes.wrapping_add(count(from_digit | from_letter));
            // Of three small letters in a row all count, of more each one more.
            let lower = |row: Kinds| row.lower;
            let two = row.before::<1>(last, lower) & row.before::<2>(last, lower);
            let third = row.lower & two;
            let first = third & !row.before::<3>(last, lower);
            let words = count(third).wrapping_add(count(first).wrapping_mul(2));
            mix.wordy = mix.wordy.wrapping_add(words);
            last = row;
        }
        mix.distinct = distinct(value);
        mix
    }

    /// How many bytes are neither letters nor digits.
    pub(super) fn others(&self) -> usize {
        let known = self
            .digits
            .wrapping_add(self.lower)
            .wrapping_add(self.upper);
        self.length.saturating_sub(known)
    }

    /// Whether a generator may have made it: at least 16 long, letters and digits
    /// mixed about as often as chance would, many different characters, few words.
    pub(super) fn is_random(&self) -> bool {
        let letters = self.lower.saturating_add(self.upper);
        if self.length < 16 || letters == 0 || self.digits < 2 {
            return false;
        }
        // Of n hex digits about 13 (n = 24) to 15 (n = 40) differ, of n letters
        // and digits 14 (n = 16) to 21 (n = 24).
        let needed = if self.hex == self.length { 8 } else { 9 };
        // Chance changes between letters and digits at every fourth place (base
        // 62) or second (hex); a name with a number in it once or twice. Of
        // base 62 a sixth stands in threes of small letters, of names a half.
        let mixed = if self.lower > 0 && self.upper > 0 {
            let words = self.wordy.saturating_mul(10) <= self.length.saturating_mul(3);
            self.changes.saturating_mul(9) >= self.length
                && (words || self.digits.saturating_mul(6) >= self.length)
        } else {
            self.changes.saturating_mul(5) >= self.length
        };
        self.distinct >= needed && mixed
    }

    /// A looser test, for what a prefix or scheme already announces.
    pub(super) fn is_mixed(&self) -> bool {
        self.distinct > 5 && self.digits > 0 && self.lower.saturating_add(self.upper) > 0
    }
}

/// How many different bytes of ASCII there are.
fn distinct(value: &[u8]) -> usize {
    let mut seen = [0_u8; 256];
    for byte in value {
        if let Some(seen) = seen.get_mut(usize::from(*byte)) {
            *seen = 1;
        }
    }
    // No more than 128.
    let ascii = seen.iter().take(128);
    usize::from(ascii.fold(0_u8, |all, one| all.wrapping_add(*one)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Mix;

    /// The same, counted byte by byte.
    fn plainly(value: &[u8]) -> Mix {
        let count = |of: fn(&u8) -> bool| value.iter().filter(|byte| of(byte)).count();
        let changed = |pair: &&[u8]| {
            let digits = pair.iter().filter(|byte| byte.is_ascii_digit()).count();
            digits == 1 && pair.iter().all(u8::is_ascii_alphanumeric)
        };
        let runs = value.split(|byte| !byte.is_ascii_lowercase());
        let ascii: std::collections::HashSet<&u8> =
            value.iter().filter(|byte| byte.is_ascii()).collect();
        Mix {
            length: value.len(),
            digits: count(u8::is_ascii_digit),
            lower: count(u8::is_ascii_lowercase),
            upper: count(u8::is_ascii_uppercase),
            hex: count(u8::is_ascii_hexdigit),
            distinct: ascii.len(),
            changes: value.windows(2).filter(changed).count(),
            wordy: runs.map(<[u8]>::len).filter(|run| *run >= 3).sum(),
        }
    }

    proptest! {
        #[test]
        fn rows_are_counted_as_bytes_are(
            value in "([a-z]{0,5}|[A-Z0-9]{0,5}|[a-f0-9]{0,70}|[ -~é]{0,9}){0,20}",
        ) {
            let value = value.as_bytes();
            prop_assert_eq!(Mix::of(value), plainly(value));
        }
    }

    #[test]
    fn all_bytes_of_ascii_differ() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(Mix::of(&all).distinct, 128);
    }
}
