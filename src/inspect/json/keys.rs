//! The keys of all open objects, to find a second one of the same name: 64-bit keyed hashes, not
//! the keys, so that memory does not grow with their length.
//!
//! A duplicate is always found, as equal keys have equal hashes. Two different keys collide with
//! probability 2^-64 a pair; a body with the full 4096 keys open has 2^23 pairs, so that one such
//! body in 2^41 is refused wrongly. The hash is keyed per reader with secrets of the process, so a
//! client cannot prepare keys that collide, neither to be refused nor to make the table slow.

use std::hash::{BuildHasher, Hasher, RandomState};

/// The most keys that a slot, a `u16` whose zero means empty, can tell apart.
const MOST: usize = 0xFFFF;

/// Odd, so that multiplying by it loses nothing: 2^64 over the golden ratio.
const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;

/// Slots of the first table.
const FIRST_SLOTS: usize = 64;

/// What became of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// The first of its name in its object.
    New,
    /// The object has it already.
    Duplicate,
    /// There is no room for it.
    Full,
}

/// A stack of hashes in the order of their keys, and an open-addressed table over it. Objects
/// close in the reverse order of opening, so keys leave in the reverse order of coming: emptying
/// the slot of the newest leaves the table exactly as it was before, without tombstones.
#[derive(Debug)]
pub(super) struct OpenKeys {
    hasher: RandomState,
    hashes: Vec<u64>,
    /// One more than an index into `hashes`; zero is empty. Never more than half full.
    slots: Vec<u16>,
    limit: usize,
}

impl OpenKeys {
    /// Room for at most `limit` keys.
    pub(super) fn new(limit: usize, hasher: RandomState) -> Self {
        Self {
            hasher,
            hashes: Vec::new(),
            slots: Vec::new(),
            limit: limit.min(MOST),
        }
    }

    /// How many keys are open.
    pub(super) fn len(&self) -> usize {
        self.hashes.len()
    }

    /// The memory held, in bytes.
    pub(super) fn state_bytes(&self) -> usize {
        let hashes = self.hashes.capacity().saturating_mul(size_of::<u64>());
        hashes.saturating_add(self.slots.capacity().saturating_mul(size_of::<u16>()))
    }

    /// Adds `key` of the object that opened at offset `object`, which tells it from all others.
    pub(super) fn add(&mut self, object: u64, key: &str) -> Entry {
        if self.hashes.len() >= self.limit {
            return Entry::Full;
        }
        if self.hashes.len().saturating_mul(2) >= self.slots.len() {
            self.grow();
        }
        let hash = self.hash(object, key);
        let Some(slot) = self.vacancy(hash) else {
            return Entry::Duplicate;
        };
        self.hashes.push(hash);
        self.fill(slot);
        Entry::New
    }

    /// Forgets all but the oldest `keep` keys.
    pub(super) fn truncate(&mut self, keep: usize) {
        while self.hashes.len() > keep {
            let index = u16::try_from(self.hashes.len()).unwrap_or(u16::MAX);
            let Some(hash) = self.hashes.pop() else {
                return;
            };
            let mut place = self.first_place(hash);
            while let Some(slot) = self.slots.get_mut(place) {
                if *slot == index {
                    *slot = 0;
                    break;
                }
                place = self.next_place(place);
            }
        }
    }

    /// The object goes in by an injective map, outside the keyed hash: the same key in two objects
    /// never collides, and two keys do so with the same small probability as in one object.
    fn hash(&self, object: u64, key: &str) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        hasher.write(key.as_bytes());
        hasher.finish() ^ object.wrapping_mul(SPREAD)
    }

    /// The empty slot where `hash` belongs, or `None` if it is there already.
    fn vacancy(&self, hash: u64) -> Option<usize> {
        let mut place = self.first_place(hash);
        while let Some(&slot) = self.slots.get(place) {
            let Some(index) = usize::from(slot).checked_sub(1) else {
                break;
            };
            if self.hashes.get(index) == Some(&hash) {
                return None;
            }
            place = self.next_place(place);
        }
        Some(place)
    }

    /// Points `slot` at the newest hash.
    fn fill(&mut self, slot: usize) {
        if let Some(slot) = self.slots.get_mut(slot) {
            *slot = u16::try_from(self.hashes.len()).unwrap_or(u16::MAX);
        }
    }

    /// A table twice as large, filled again in the order of coming.
    fn grow(&mut self) {
        let slots = self.slots.len().saturating_mul(2).max(FIRST_SLOTS);
        self.slots.clear();
        self.slots.resize(slots, 0);
        let hashes = std::mem::take(&mut self.hashes);
        self.hashes.reserve(slots / 2);
        for hash in hashes {
            if let Some(slot) = self.vacancy(hash) {
                self.hashes.push(hash);
                self.fill(slot);
            }
        }
    }

    fn first_place(&self, hash: u64) -> usize {
        // The table's length is a power of two, so the mask is a remainder.
        usize::try_from(hash & self.mask()).unwrap_or(0)
    }

    fn next_place(&self, place: usize) -> usize {
        let mask = usize::try_from(self.mask()).unwrap_or(0);
        place.wrapping_add(1) & mask
    }

    fn mask(&self) -> u64 {
        u64::try_from(self.slots.len().wrapping_sub(1)).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use std::hash::RandomState;

    use proptest::collection::vec;
    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::{Entry, OpenKeys};

    #[test]
    fn the_limit_is_the_number_of_open_keys() {
        let mut keys = OpenKeys::new(2, RandomState::new());
        assert_eq!(keys.add(0, "a"), Entry::New);
        assert_eq!(keys.add(0, "b"), Entry::New);
        assert_eq!(keys.add(0, "c"), Entry::Full, "one past the limit");
        keys.truncate(1);
        assert_eq!(
            keys.add(0, "a"),
            Entry::Duplicate,
            "what is still open is remembered"
        );
        assert_eq!(keys.add(0, "c"), Entry::New, "what was closed made room");
    }

    #[test]
    fn a_limit_past_what_a_slot_can_say_is_cut_down_to_it() {
        let mut keys = OpenKeys::new(usize::MAX, RandomState::new());
        for no in 0..0xFFFF_u32 {
            assert_eq!(keys.add(0, &no.to_string()), Entry::New, "key {no}");
        }
        assert_eq!(keys.add(0, "one more"), Entry::Full);
        keys.truncate(0);
        assert!(
            keys.slots.iter().all(|&slot| slot == 0),
            "all slots are empty again"
        );
    }

    proptest! {
        /// Against the plain way: a list per open object.
        #[test]
        fn keys_are_duplicates_as_a_plain_list_says(steps in vec((0..4_u8, any::<u8>()), 0..400)) {
            let mut keys = OpenKeys::new(4096, RandomState::new());
            let mut model: Vec<(u64, usize, Vec<String>)> = vec![(0, 0, Vec::new())];
            for (opened, (step, name)) in (1_u64..).zip(steps) {
                match step {
                    0 => model.push((opened, keys.len(), Vec::new())),
                    1 if model.len() > 1 => {
                        let (_, before, _) = model.pop().expect("one is open");
                        keys.truncate(before);
                    }
                    _ => {
                        let (object, _, names) = model.last_mut().expect("one is open");
                        let name = name.to_string();
                        let known = names.contains(&name);
                        let entry = if known { Entry::Duplicate } else { Entry::New };
                        prop_assert_eq!(keys.add(*object, &name), entry);
                        if !known {
                            names.push(name);
                        }
                    }
                }
            }
            keys.truncate(0);
            prop_assert_eq!(keys.slots.iter().filter(|&&slot| slot != 0).count(), 0);
        }
    }
}
