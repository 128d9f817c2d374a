//! The key under which names and addresses become the keys of tables.
//!
//! Decides nothing: it hashes (`SipHash-1-3`, the function that std's maps use, under 128 secret
//! bits), so that nobody can choose addresses that meet in one place. It is written out here
//! because std's takes three times as long over a few words that are all there at once, and because
//! a later std may hash differently, where a successor that is given the seed has to find the
//! words of its predecessor; [`Seeded::check`] tells whether it would.

use std::hash::{BuildHasher as _, RandomState};

use serde::{Deserialize, Serialize};

/// 128 secret bits.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seed([u64; 2]);

impl std::fmt::Debug for Seed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seed")
    }
}

impl Seed {
    /// A new one, from std's own source of chance.
    pub fn random() -> Self {
        let state = RandomState::new();
        Self([state.hash_one(0_u8), state.hash_one(1_u8)])
    }
}

/// Hashes under a seed.
#[derive(Clone)]
pub struct Seeded {
    seed: Seed,
    begun: Sip,
}

impl std::fmt::Debug for Seeded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seeded")
    }
}

impl Seeded {
    /// Hashes under this seed.
    pub const fn new(seed: Seed) -> Self {
        let begun = Sip::begun(seed);
        Self { seed, begun }
    }

    /// The seed.
    pub const fn seed(&self) -> Seed {
        self.seed
    }

    /// The hash of some words with a text behind them.
    #[inline]
    pub fn hash(&self, words: &[u64], text: &[u8]) -> u64 {
        let mut sip = self.begun;
        for word in words {
            sip.absorb(*word);
        }
        let (eights, rest) = text.as_chunks::<8>();
        for eight in eights {
            sip.absorb(u64::from_le_bytes(*eight));
        }
        let length = words.len().wrapping_mul(8).wrapping_add(text.len());
        let length = u64::try_from(length).unwrap_or(u64::MAX);
        sip.absorb(tail(text, rest) | length << 56);
        sip.finish()
    }

    /// What these examples hash to: the same in two processes that find each other's words.
    pub fn check(&self, examples: impl IntoIterator<Item = u64>) -> u64 {
        let examples: Vec<u64> = examples.into_iter().collect();
        self.hash(&examples, &[])
    }
}

/// The bytes of a text that fill no eight, as a word.
#[inline]
fn tail(text: &[u8], rest: &[u8]) -> u64 {
    if rest.is_empty() {
        return 0;
    }
    match text.last_chunk::<8>() {
        // They are the last of these eight; the others are shifted out.
        Some(last) => u64::from_le_bytes(*last) >> (64_usize.wrapping_sub(rest.len() << 3) & 63),
        None => rest
            .iter()
            .rev()
            .fold(0, |word, byte| word << 8 | u64::from(*byte)),
    }
}

/// The state of `SipHash-1-3`.
#[derive(Clone, Copy)]
struct Sip([u64; 4]);

impl Sip {
    const fn begun(Seed([k0, k1]): Seed) -> Self {
        Self([
            k0 ^ 0x736f_6d65_7073_6575,
            k1 ^ 0x646f_7261_6e64_6f6d,
            k0 ^ 0x6c79_6765_6e65_7261,
            k1 ^ 0x7465_6462_7974_6573,
        ])
    }

    #[inline]
    const fn round(&mut self) {
        let Self([v0, v1, v2, v3]) = self;
        *v0 = v0.wrapping_add(*v1);
        *v1 = v1.rotate_left(13) ^ *v0;
        *v0 = v0.rotate_left(32);
        *v2 = v2.wrapping_add(*v3);
        *v3 = v3.rotate_left(16) ^ *v2;
        *v0 = v0.wrapping_add(*v3);
        *v3 = v3.rotate_left(21) ^ *v0;
        *v2 = v2.wrapping_add(*v1);
        *v1 = v1.rotate_left(17) ^ *v2;
        *v2 = v2.rotate_left(32);
    }

    #[inline]
    const fn absorb(&mut self, word: u64) {
        let Self([_, _, _, v3]) = self;
        *v3 ^= word;
        self.round();
        let Self([v0, ..]) = self;
        *v0 ^= word;
    }

    #[inline]
    const fn finish(mut self) -> u64 {
        let Self([_, _, v2, _]) = &mut self;
        *v2 ^= 0xff;
        self.round();
        self.round();
        self.round();
        let Self([v0, v1, v2, v3]) = self;
        v0 ^ v1 ^ v2 ^ v3
    }
}

#[cfg(test)]
mod tests {
    use std::hash::{DefaultHasher, Hasher as _};

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_the_function_that_std_uses(
            words in prop::collection::vec(any::<u64>(), 0..4),
            text in prop::collection::vec(any::<u8>(), 0..40),
        ) {
            // Std's begins with no seed.
            let mut std = DefaultHasher::new();
            for word in &words {
                std.write(&word.to_le_bytes());
            }
            std.write(&text);
            prop_assert_eq!(Seeded::new(Seed([0, 0])).hash(&words, &text), std.finish());
        }
    }

    /// The first of the vectors that come with the function, for the bytes 0 to 15 as the seed.
    #[test]
    fn a_seed_goes_in_as_the_function_says() {
        let seed = Seed([0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908]);
        let hash = Seeded::new(seed).hash(&[], &[]);
        assert_eq!(hash, 0xabac_0158_050f_c4dc, "of nothing");
    }

    #[test]
    fn the_same_seed_finds_the_same_keys_and_another_one_does_not() {
        let (one, other) = (Seed::random(), Seed::random());
        let hash = |seed: Seed| Seeded::new(seed).hash(&[1], b"a client");
        assert_eq!(hash(one), hash(one), "a successor finds its words");
        assert_ne!(hash(one), hash(other), "nobody else can tell");
        let check = |seed: Seed| Seeded::new(seed).check([1, 2]);
        assert_eq!(check(one), check(one), "the same examples");
        assert_ne!(check(one), check(other), "another seed");
    }

    #[test]
    fn a_seed_is_never_shown() {
        let shown = format!("{:?} {:?}", Seed([7, 9]), Seeded::new(Seed([7, 9])));
        assert_eq!(shown, "Seed Seeded", "whatever is printed");
    }
}
