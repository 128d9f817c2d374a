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

#[cfg(test)]
mod tests;

use std::hash::{BuildHasher, Hasher, RandomState};

/// The most keys that a slot, a `u16` whose zero means empty, can tell apart.
const MOST: usize = 0xFFFF;

/// Bytes of a key that stand for themselves.
const WORD: usize = 8;

/// Bytes of a key that are multiplied.
const TWO_WORDS: usize = 2 * WORD;

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

/// What the keys of an object are told from those of all others by.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Owner {
    /// Mixed into its marks, of where it opened, which no other object shares.
    mixed: u64,
    /// How many keys were open before it.
    before: usize,
    /// For each of its keys one of these bits: a key with another is new.
    seen: u64,
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
    /// The innermost object.
    own: Owner,
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
            own: Owner::default(),
        }
    }

    /// An object opens at `at`; the one around it, which is to be kept until it closes.
    #[inline]
    pub(super) fn open(&mut self, at: u64) -> Owner {
        let own = Owner {
            mixed: at.wrapping_mul(SPREAD),
            before: self.marks.len(),
            seen: 0,
        };
        std::mem::replace(&mut self.own, own)
    }

    /// The memory held, in bytes.
    pub(super) fn state_bytes(&self) -> usize {
        let marks = self.marks.capacity().saturating_mul(size_of::<u64>());
        marks.saturating_add(self.slots.capacity().saturating_mul(size_of::<u16>()))
    }

    /// Adds `key` of the innermost object. `rest` begins with it, or is empty: what else is behind
    /// a short key may be read with it.
    #[inline(always)]
    pub(super) fn add(&mut self, key: &str, rest: &[u8]) -> Entry {
        let count = self.marks.len();
        if count >= self.limit {
            return Entry::Full;
        }
        let mark = self.mark(key.as_bytes(), rest) ^ self.own.mixed;
        let bit = 1_u64 << (mark.wrapping_mul(SPREAD) >> 58);
        if self.own.seen & bit != 0 && self.is_known(mark) {
            return Entry::Duplicate;
        }
        self.own.seen |= bit;
        if self.marks.capacity() == count {
            // Most bodies have a handful: once is enough.
            self.marks.reserve(FEW);
        }
        self.marks.push(mark);
        if count.wrapping_sub(self.own.before) >= FEW {
            self.enter(self.own);
        }
        Entry::New
    }

    /// Whether the innermost object has a key of this mark.
    #[inline(never)]
    fn is_known(&self, mark: u64) -> bool {
        let own = self.marks.get(self.own.before..).unwrap_or_default();
        if own.len() > FEW {
            self.has(self.own, mark)
        } else {
            own.contains(&mark)
        }
    }

    /// The innermost object closes: its keys are forgotten, which are all since its first.
    #[inline]
    pub(super) fn close(&mut self, outer: Owner) {
        let own = std::mem::replace(&mut self.own, outer);
        if self.marks.len().wrapping_sub(own.before) > FEW {
            self.unlist(own);
        }
        self.marks.truncate(own.before);
    }

    /// What stands for a key.
    #[inline(always)]
    fn mark(&mut self, key: &[u8], rest: &[u8]) -> u64 {
        let len = key.len();
        match rest.first_chunk::<TWO_WORDS>() {
            // Both ways at once, as nobody can foresee which key is longer than a word.
            Some(words) if len <= TWO_WORDS => {
                let words = u128::from_le_bytes(*words);
                let alone = low(words) | behind(len);
                let other = low(words >> 64) | behind(len.wrapping_sub(WORD) & 0xF);
                let both = self.product(low(words), other);
                std::hint::select_unpredictable(len > WORD, both, alone)
            }
            Some(_) | None => self.mark_alone(key),
        }
    }

    /// The same, with nothing known of what is behind the key.
    #[inline(never)]
    fn mark_alone(&mut self, key: &[u8]) -> u64 {
        match key.split_first_chunk::<WORD>() {
            Some((first, rest @ [_, ..])) if rest.len() <= WORD => {
                self.product(u64::from_le_bytes(*first), word(rest))
            }
            Some((_, [_, ..])) => self.hashed(key),
            Some(_) | None => word(key),
        }
    }

    /// What stands for two words: a product is a tenth of what the hasher costs.
    #[inline(always)]
    fn product(&mut self, first: u64, second: u64) -> u64 {
        let [one, other] = self.factors();
        let one = one.wrapping_mul(u128::from(first));
        let sum = one.wrapping_add(other.wrapping_mul(u128::from(second)));
        low(sum >> 64)
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
/// filled up with it are told from all others.
fn word(bytes: &[u8]) -> u64 {
    let filled = bytes
        .iter()
        .rev()
        .fold(0, |word, &byte| word << 8 | u64::from(byte));
    filled | behind(bytes.len())
}

/// The bytes of a word from the one of this number on; none from the ninth.
#[inline]
fn behind(len: usize) -> u64 {
    let bits = u32::try_from(len.saturating_mul(8)).unwrap_or(u32::MAX);
    u64::MAX.checked_shl(bits).unwrap_or(0)
}

/// The lower half.
#[inline]
fn low(words: u128) -> u64 {
    u64::try_from(words & u128::from(u64::MAX)).unwrap_or(u64::MAX)
}

/// The number of a mark, counted from one. Never past [`MOST`].
fn number(index: usize) -> u16 {
    u16::try_from(index.saturating_add(1)).unwrap_or(u16::MAX)
}
