//! The key under which names and addresses become the keys of tables.
//!
//! Decides nothing: it hashes (std's `SipHash`, begun with 128 secret bits), so that nobody can
//! choose addresses that meet in one place. A successor that is given the seed finds the words of
//! its predecessor; [`Seeded::check`] tells whether it would, as a later Rust may hash differently.

use std::hash::{BuildHasher, DefaultHasher, Hash, Hasher as _, RandomState};

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

/// Makes hashers that begin with a seed.
#[derive(Clone)]
pub struct Seeded {
    seed: Seed,
    begun: DefaultHasher,
}

impl std::fmt::Debug for Seeded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seeded")
    }
}

impl Seeded {
    /// Hashers that begin with this seed.
    pub fn new(seed: Seed) -> Self {
        let mut begun = DefaultHasher::new();
        seed.0.hash(&mut begun);
        Self { seed, begun }
    }

    /// The seed.
    pub const fn seed(&self) -> Seed {
        self.seed
    }

    /// What these examples hash to: the same in two processes that find each other's words.
    pub fn check(&self, examples: &[impl Hash]) -> u64 {
        let mut hasher = self.build_hasher();
        for example in examples {
            hasher.write_u64(self.hash_one(example));
        }
        hasher.finish()
    }
}

impl BuildHasher for Seeded {
    type Hasher = DefaultHasher;

    fn build_hasher(&self) -> DefaultHasher {
        self.begun.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_finds_the_same_keys_and_another_one_does_not() {
        let (one, other) = (Seed::random(), Seed::random());
        let hash = |seed: Seed| Seeded::new(seed).hash_one("a client");
        assert_eq!(hash(one), hash(one), "a successor finds its words");
        assert_ne!(hash(one), hash(other), "nobody else can tell");
        let check = |seed: Seed| Seeded::new(seed).check(&["a", "b"]);
        assert_eq!(check(one), check(one), "the same examples");
        assert_ne!(check(one), check(other), "another seed");
    }

    #[test]
    fn a_seed_is_never_shown() {
        let shown = format!("{:?} {:?}", Seed([7, 9]), Seeded::new(Seed([7, 9])));
        assert_eq!(shown, "Seed Seeded", "whatever is printed");
    }
}
