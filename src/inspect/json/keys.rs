//! The keys of all open objects, to find a second one of the same name: marks of 64 bits, not the
//! keys, so that memory does not grow with their length.
//!
//! A duplicate is always found, as equal keys have equal marks. A key of up to eight bytes stands
//! for itself; a longer one has a keyed hash, so that two different keys are taken for one with
//! probability 2^-63 a pair at most; a body with the full 4096 keys open has 2^23 pairs, so that
//! one such body in 2^40 is refused wrongly. Keys of up to sixteen bytes are two words, each
//! multiplied by a secret number of 128 bits, and the upper half of the sum is the hash: it holds
//! that bound against whoever does not know the numbers. The hashes are keyed per reader with
//! secrets of the process, so a client cannot prepare keys that collide, neither to be refused nor
//! to make the table slow.

#![expect(
    clippy::inline_always,
    reason = "tool definitions are mostly keys, and a call costs as much as most of them"
)]

use std::hash::{BuildHasher, Hasher, RandomState};

/// The most keys that a slot, a `u16` whose zero means empty, can tell apart.
const MOST: usize = 0xFFFF;

/// Bytes of a key that stand for themselves.
const WORD: usize = 8;

/// Odd, so that multiplying by it loses nothing: 2^64 over the golden ratio.
const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;

/// Slots of the first table.
const FIRST_SLOTS: usize = 64;

/// Keys of one object that are looked through one by one. The next one brings them all into the
/// table, which most bodies never need.
const FEW: usize = 16;

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

/// An object, as its keys are told from those of all others.
#[derive(Clone, Copy, Debug)]
pub(super) struct Owner {
    /// Where it opened, which no other object shares.
    pub(super) at: u64,
    /// How many keys were open before it.
    pub(super) before: usize,
}

/// A stack of marks in the order of their keys, and an open-addressed table over those of large
/// objects. Objects close in the reverse order of opening, so keys leave in the reverse order of
/// coming: emptying the slot of the newest leaves the table exactly as it was before, without
/// tombstones. While an object takes keys, all that came after its first are its own.
#[derive(Debug)]
pub(super) struct OpenKeys {
    hasher: RandomState,
    /// By what keys of two words are multiplied.
    factors: Option<[u128; 2]>,
    /// Each with its object mixed in.
    marks: Vec<u64>,
    /// One more than an index into `marks`; zero is empty. Never more than half full.
    slots: Vec<u16>,
    limit: usize,
}

impl OpenKeys {
    /// Room for at most `limit` keys.
    pub(super) fn new(limit: usize, hasher: RandomState) -> Self {
        Self {
            hasher,
            factors: None,
            marks: Vec::new(),
            slots: Vec::new(),
            limit: limit.min(MOST),
        }
    }

    /// How many keys are open.
    pub(super) fn len(&self) -> usize {
        self.marks.len()
    }

    /// The memory held, in bytes.
    pub(super) fn state_bytes(&self) -> usize {
        let marks = self.marks.capacity().saturating_mul(size_of::<u64>());
        marks.saturating_add(self.slots.capacity().saturating_mul(size_of::<u16>()))
    }

    /// Adds `key` of this object.
    #[inline(always)]
    pub(super) fn add(&mut self, owner: Owner, key: &str) -> Entry {
        if self.marks.len() >= self.limit {
            return Entry::Full;
        }
        let mark = self.mark(key) ^ owner.at.wrapping_mul(SPREAD);
        let own = self.marks.get(owner.before..).unwrap_or_default();
        let count = own.len();
        let known = if count > FEW {
            self.has(owner, mark)
        } else {
            own.contains(&mark)
        };
        if known {
            return Entry::Duplicate;
        }
        if self.marks.capacity() == self.marks.len() {
            // Most bodies have a handful: once is enough.
            self.marks.reserve(FEW);
        }
        self.marks.push(mark);
        if count >= FEW {
            self.enter(owner);
        }
        Entry::New
    }

    /// The object closes: its keys are forgotten, which are all since its first.
    #[inline]
    pub(super) fn close(&mut self, owner: Owner) {
        if self.marks.len().saturating_sub(owner.before) > FEW {
            self.unlist(owner);
        }
        self.marks.truncate(owner.before);
    }

    /// What stands for a key.
    #[inline(always)]
    fn mark(&mut self, key: &str) -> u64 {
        match key.as_bytes() {
            short if short.len() <= WORD => word(short),
            // Most of the longer ones: a product is a tenth of what the hasher costs.
            long if let Some((first, rest @ [_, ..])) = long.split_first_chunk::<WORD>()
                && rest.len() <= WORD =>
            {
                let [one, other] = self.factors();
                let one = one.wrapping_mul(u128::from(u64::from_le_bytes(*first)));
                let sum = one.wrapping_add(other.wrapping_mul(u128::from(word(rest))));
                u64::try_from(sum >> 64).unwrap_or(u64::MAX)
            }
            longest => self.hashed(longest),
        }
    }

    #[inline(never)]
    fn hashed(&self, key: &[u8]) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        hasher.write(key);
        hasher.finish()
    }

    /// Two secret numbers, made when a key first asks for them.
    #[inline]
    fn factors(&mut self) -> [u128; 2] {
        match self.factors {
            Some(factors) => factors,
            None => self.make_factors(),
        }
    }

    #[cold]
    fn make_factors(&mut self) -> [u128; 2] {
        let part = |number: u8| u128::from(self.hasher.hash_one(number));
        let factors = [part(0) << 64 | part(1), part(2) << 64 | part(3)];
        self.factors = Some(factors);
        factors
    }

    /// Enters the newest key of an object that has many; all of them, if it has just come to that.
    #[inline(never)]
    fn enter(&mut self, owner: Owner) {
        if self.marks.len().saturating_mul(2) > self.slots.len() {
            self.grow();
        }
        let newest = self.marks.len().saturating_sub(1);
        let first = if newest.saturating_sub(owner.before) == FEW {
            owner.before
        } else {
            newest
        };
        for index in first..self.marks.len() {
            self.list(index);
        }
    }

    /// Whether an object in the table has this mark.
    #[inline(never)]
    fn has(&self, owner: Owner, mark: u64) -> bool {
        let mut place = self.first_place(mark);
        while let Some(&slot) = self.slots.get(place) {
            let Some(index) = usize::from(slot).checked_sub(1) else {
                return false;
            };
            if index >= owner.before && self.marks.get(index) == Some(&mark) {
                return true;
            }
            place = self.next_place(place);
        }
        false
    }

    /// Enters a mark at the end of its chain.
    fn list(&mut self, index: usize) {
        let Some(&mark) = self.marks.get(index) else {
            return;
        };
        let mut place = self.first_place(mark);
        while let Some(slot) = self.slots.get_mut(place) {
            if *slot == 0 {
                *slot = number(index);
                return;
            }
            place = self.next_place(place);
        }
    }

    /// Takes an object's keys out of the table, the newest first.
    #[inline(never)]
    fn unlist(&mut self, owner: Owner) {
        for index in (owner.before..self.marks.len()).rev() {
            let Some(&mark) = self.marks.get(index) else {
                return;
            };
            let mut place = self.first_place(mark);
            while let Some(slot) = self.slots.get_mut(place) {
                if *slot == number(index) || *slot == 0 {
                    *slot = 0;
                    break;
                }
                place = self.next_place(place);
            }
        }
    }

    /// A larger table, filled again in the order of coming.
    fn grow(&mut self) {
        let slots = self.marks.len().saturating_mul(2);
        let slots = slots.next_power_of_two().max(FIRST_SLOTS);
        let mut listed = std::mem::replace(&mut self.slots, vec![0; slots]);
        listed.sort_unstable();
        for number in listed {
            if let Some(index) = usize::from(number).checked_sub(1) {
                self.list(index);
            }
        }
    }

    /// Where the chain of a mark begins: by a keyed hash, as a client chooses what short keys are.
    fn first_place(&self, mark: u64) -> usize {
        let mut hasher = self.hasher.build_hasher();
        hasher.write_u64(mark);
        // The table's length is a power of two, so the mask is a remainder.
        usize::try_from(hasher.finish() & self.mask()).unwrap_or(0)
    }

    fn next_place(&self, place: usize) -> usize {
        let mask = usize::try_from(self.mask()).unwrap_or(0);
        place.wrapping_add(1) & mask
    }

    fn mask(&self) -> u64 {
        u64::try_from(self.slots.len().wrapping_sub(1)).unwrap_or(0)
    }
}

/// At most eight bytes as a number of their own: no character has a byte 0xFF, so that those
/// filled up with it are told from all others. Read by parts that may overlap, as a copy of a few
/// bytes is a call.
#[inline(always)]
fn word(bytes: &[u8]) -> u64 {
    let len = bytes.len();
    let bits = |count: usize| u32::try_from(count.saturating_mul(8)).unwrap_or(u32::MAX);
    let low = if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        let last = u64::from(u32::from_le_bytes(*last));
        u64::from(u32::from_le_bytes(*first)) | last << (bits(len.wrapping_sub(4)) & 63)
    } else {
        let byte = |at: usize| u64::from(bytes.get(at).copied().unwrap_or(0));
        byte(0) | byte(1) << 8 | byte(2) << 16
    };
    low | u64::MAX.checked_shl(bits(len)).unwrap_or(0)
}

/// The number of a mark, counted from one. Never past [`MOST`].
fn number(index: usize) -> u16 {
    u16::try_from(index.saturating_add(1)).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use std::hash::RandomState;

    use proptest::collection::vec;
    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::{Entry, OpenKeys, Owner};

    const ALONE: Owner = Owner { at: 0, before: 0 };

    #[test]
    fn the_limit_is_the_number_of_open_keys() {
        let mut keys = OpenKeys::new(2, RandomState::new());
        assert_eq!(keys.add(ALONE, "a"), Entry::New);
        assert_eq!(keys.add(ALONE, "b"), Entry::New);
        assert_eq!(keys.add(ALONE, "c"), Entry::Full, "one past the limit");
        let inner = Owner { at: 9, before: 1 };
        keys.close(inner);
        assert_eq!(
            keys.add(ALONE, "a"),
            Entry::Duplicate,
            "what is still open is remembered"
        );
        assert_eq!(
            keys.add(ALONE, "c"),
            Entry::New,
            "what was closed made room"
        );
    }

    #[test]
    fn a_limit_past_what_a_slot_can_say_is_cut_down_to_it() {
        let mut keys = OpenKeys::new(usize::MAX, RandomState::new());
        for no in 0..0xFFFF_u32 {
            assert_eq!(keys.add(ALONE, &no.to_string()), Entry::New, "key {no}");
        }
        assert_eq!(keys.add(ALONE, "one more"), Entry::Full);
        keys.close(ALONE);
        assert!(
            keys.slots.iter().all(|&slot| slot == 0),
            "all slots are empty again"
        );
    }

    #[test]
    fn keys_that_differ_in_their_length_or_one_byte_have_marks_of_their_own() {
        let mut keys = OpenKeys::new(4096, RandomState::new());
        let names = (0..=20).flat_map(|len| {
            let plain = "a".repeat(len);
            let other = move |at: usize| {
                let mut name = "a".repeat(len);
                name.replace_range(at..=at, "b");
                name
            };
            std::iter::once(plain).chain((0..len).map(other))
        });
        for name in names {
            assert_eq!(keys.add(ALONE, &name), Entry::New, "{name:?}");
            assert_eq!(keys.add(ALONE, &name), Entry::Duplicate, "{name:?}");
        }
    }

    proptest! {
        /// Against the plain way: a list per open object.
        #[test]
        fn keys_are_duplicates_as_a_plain_list_says(steps in vec((0..40_u8, any::<u8>()), 0..400)) {
            let mut keys = OpenKeys::new(4096, RandomState::new());
            let mut model: Vec<(Owner, Vec<String>)> = vec![(ALONE, Vec::new())];
            for (opened, (step, name)) in (1_u64..).zip(steps) {
                match step {
                    0 | 1 => {
                        let owner = Owner { at: opened, before: keys.len() };
                        model.push((owner, Vec::new()));
                    }
                    2 if model.len() > 1 => {
                        let (owner, _) = model.pop().expect("one is open");
                        keys.close(owner);
                    }
                    _ => {
                        let (owner, names) = model.last_mut().expect("one is open");
                        // Some are longer than what stands for itself, or than two words.
                        let name = match name % 4 {
                            0 => format!("longer {name}"),
                            1 => format!("the longest keys of all {name}"),
                            _ => name.to_string(),
                        };
                        let known = names.contains(&name);
                        let entry = if known { Entry::Duplicate } else { Entry::New };
                        prop_assert_eq!(keys.add(*owner, &name), entry);
                        if !known {
                            names.push(name);
                        }
                    }
                }
            }
            keys.close(ALONE);
            prop_assert_eq!(keys.slots.iter().filter(|&&slot| slot != 0).count(), 0);
        }
    }
}
