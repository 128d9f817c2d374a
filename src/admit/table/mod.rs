//! Words by key, for as many keys as there is room for and not one more.
//!
//! Decides which word is whose. A known key finds its word without a lock. A new one takes, under
//! a lock of its part of the table, a place that is empty or whose word says no more than an
//! unused one would (`stale`): so making room forgets nothing, and no flood of keys resets a word
//! that still counts. A key that finds no such place shares one word with all others of its part
//! that find none: they are limited together until there is room.
//!
//! A key is 64 bits of a hash under a random key of the process. Two keys share a word with a
//! chance of one in ten million even when a million are known. A word that is taken over while its
//! old key is being charged may charge the new one once too often; never once too little.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::admit::moment::Moment;
use crate::admit::rate::Word as _;

/// Parts of a table, each with its lock.
const SHARDS: usize = 256;
/// Places that belong together, on two cache lines.
const WAYS: usize = 8;
/// What a word holds while its place changes hands.
const CLAIMED: u64 = u64::MAX;

/// A key of the table: never zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key(u64);

impl Key {
    /// The key for a hash.
    pub const fn of(hash: u64) -> Self {
        Self(if hash == 0 { 1 } else { hash })
    }

    /// The hash that it was made of.
    pub(in crate::admit) const fn bits(self) -> u64 {
        self.0
    }

    /// Bits to spread keys by, other ones than those of this table's own parts.
    pub(in crate::admit) const fn spread(self) -> u64 {
        self.0 >> 32
    }
}

/// What is kept by key elsewhere. A key is a hash already, and nobody outside can choose it.
pub(in crate::admit) type KeyMap<V> = HashMap<Key, V, BuildHasherDefault<AsItIs>>;

/// Takes a [`Key`] for the hash that it is.
#[derive(Debug, Default)]
pub(in crate::admit) struct AsItIs(u64);

impl Hasher for AsItIs {
    fn write(&mut self, bytes: &[u8]) {
        // A key writes one word; whatever else came would still be told apart.
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = self.0.rotate_left(8) ^ word;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[derive(Debug, Default)]
struct Bucket {
    keys: [AtomicU64; WAYS],
    words: [AtomicU64; WAYS],
}

#[derive(Debug)]
struct Shard {
    lock: Mutex<()>,
    /// Made when the first key comes, so that a small host stays small.
    buckets: OnceLock<Box<[Bucket]>>,
    /// The word of all that find no place.
    shared: AtomicU64,
}

/// Words by key.
#[derive(Debug)]
pub struct Table {
    shards: Box<[Shard]>,
    buckets: usize,
    used: AtomicUsize,
    crowded: AtomicU64,
}

/// Where a key's word is.
#[derive(Debug, Clone, Copy)]
struct Place<'t> {
    word: &'t AtomicU64,
    /// The key that the place must still have; none: the shared word.
    key: Option<&'t AtomicU64>,
}

/// A word as it was seen, and where.
#[derive(Debug, Clone, Copy)]
pub(in crate::admit) struct Seen<'t> {
    place: Place<'t>,
    key: Key,
    /// Its value.
    pub(in crate::admit) value: u64,
}

impl<'t> Seen<'t> {
    /// A look at a word that is in no table.
    pub(in crate::admit) fn alone(word: &'t AtomicU64, key: Key) -> Self {
        let value = word.look();
        let place = Place { word, key: None };
        Self { place, key, value }
    }

    /// Puts a new value in its place, if it is still there and still the key's. Otherwise nothing
    /// was changed for the key.
    pub(in crate::admit) fn replace(&self, new: u64) -> bool {
        self.place.word.replace(self.value, new).is_ok() && self.place.is_still(self.key)
    }
}

impl Place<'_> {
    fn is_still(&self, key: Key) -> bool {
        self.key
            .is_none_or(|there| there.load(Ordering::Acquire) == key.0)
    }
}

impl Table {
    /// A table with room for so many keys, at half of its places.
    pub fn new(keys: usize) -> Self {
        let places = keys.saturating_mul(2).max(SHARDS.saturating_mul(WAYS));
        let per_shard = places.div_ceil(SHARDS.saturating_mul(WAYS));
        let shard = |_| Shard {
            lock: Mutex::new(()),
            buckets: OnceLock::new(),
            shared: AtomicU64::new(0),
        };
        Self {
            shards: (0..SHARDS).map(shard).collect(),
            buckets: per_shard.next_power_of_two(),
            used: AtomicUsize::new(0),
            crowded: AtomicU64::new(0),
        }
    }

    /// The value of a key's word; zero where there is none.
    pub fn read(&self, key: Key) -> u64 {
        let Some(shard) = self.shard(key) else {
            return 0;
        };
        let place = self.find(shard, key);
        let word = place.map_or(0, |place| place.word.look());
        if word == CLAIMED { 0 } else { word }
    }

    /// A look at a key's word; none, where it has none.
    #[inline]
    pub(in crate::admit) fn seen(&self, key: Key) -> Option<Seen<'_>> {
        let place = self.find(self.shard(key)?, key)?;
        let value = place.word.look();
        (value != CLAIMED).then_some(Seen { place, key, value })
    }

    /// Changes a key's word by `step`, which is handed its value and answers a new one, if it
    /// wants one, and what became of it. It may be called more than once; the last call counts.
    pub fn update<R>(
        &self,
        key: Key,
        now: Moment,
        stale: impl Fn(u64, Moment) -> bool,
        mut step: impl FnMut(u64) -> (Option<u64>, R),
    ) -> R {
        let Some(shard) = self.shard(key) else {
            return step(0).1;
        };
        loop {
            let place = self.find(shard, key);
            let place = place.unwrap_or_else(|| self.settle(shard, key, now, &stale));
            let mut seen = place.word.look();
            while seen != CLAIMED {
                let (new, outcome) = step(seen);
                let done = new.map_or(Ok(()), |new| place.word.replace(seen, new));
                match done {
                    Ok(()) if place.is_still(key) => return outcome,
                    // The place changed hands meanwhile; what is ours is elsewhere.
                    Ok(()) => break,
                    Err(other) => seen = other,
                }
            }
        }
    }

    /// Raises a key's word to this value, if it is lower.
    pub(in crate::admit) fn raise(
        &self,
        key: Key,
        value: u64,
        now: Moment,
        stale: impl Fn(u64, Moment) -> bool,
    ) {
        self.update(key, now, stale, |seen| {
            ((seen < value).then_some(value), ())
        });
    }

    /// All keys that have a place, and their words. What changes meanwhile may be seen either way.
    pub(in crate::admit) fn words(&self) -> Vec<(Key, u64)> {
        let buckets = self.shards.iter().filter_map(|shard| shard.buckets.get());
        let places = buckets
            .flat_map(|buckets| buckets.iter())
            .flat_map(|bucket| bucket.keys.iter().zip(&bucket.words));
        let pairs = places.map(|(key, word)| (Key(key.load(Ordering::Acquire)), word.look()));
        pairs
            .filter(|(key, word)| key.0 != 0 && *word != 0 && *word != CLAIMED)
            .collect()
    }

    /// Places that are taken.
    pub fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    /// How often a key found no place of its own.
    pub fn crowded(&self) -> u64 {
        self.crowded.load(Ordering::Relaxed)
    }

    fn shard(&self, key: Key) -> Option<&Shard> {
        let index = key.0.checked_rem(u64::try_from(SHARDS).ok()?)?;
        self.shards.get(usize::try_from(index).ok()?)
    }

    /// The two buckets that a key may be in.
    fn homes<'t>(&self, shard: &'t Shard, key: Key) -> [Option<&'t Bucket>; 2] {
        let Some(buckets) = shard.buckets.get() else {
            return [None, None];
        };
        [key.0 >> 8, key.0 >> 36].map(|hash| {
            let hash = usize::try_from(hash & 0xfff_ffff).unwrap_or(0);
            buckets.get(hash & self.buckets.saturating_sub(1))
        })
    }

    fn find<'t>(&self, shard: &'t Shard, key: Key) -> Option<Place<'t>> {
        let homes = self.homes(shard, key);
        homes.into_iter().flatten().find_map(|bucket| {
            let mut places = bucket.keys.iter().zip(&bucket.words);
            let (there, word) = places.find(|(there, _)| there.load(Ordering::Acquire) == key.0)?;
            Some(Place {
                word,
                key: Some(there),
            })
        })
    }

    /// Finds a place for a new key, the shared one if need be.
    fn settle<'t>(
        &self,
        shard: &'t Shard,
        key: Key,
        now: Moment,
        stale: &impl Fn(u64, Moment) -> bool,
    ) -> Place<'t> {
        let _settling = shard.lock.lock().unwrap_or_else(PoisonError::into_inner);
        shard
            .buckets
            .get_or_init(|| (0..self.buckets).map(|_| Bucket::default()).collect());
        if let Some(place) = self.find(shard, key) {
            return place;
        }
        let homes = self.homes(shard, key);
        let free = |bucket: &Bucket| {
            let free = bucket.words.iter().filter(|word| stale(word.look(), now));
            free.count()
        };
        let mut homes: Vec<&Bucket> = homes.into_iter().flatten().collect();
        homes.sort_by_key(|bucket| std::cmp::Reverse(free(bucket)));
        for bucket in homes {
            for (there, word) in bucket.keys.iter().zip(&bucket.words) {
                let seen = word.look();
                let claim =
                    || word.compare_exchange(seen, CLAIMED, Ordering::AcqRel, Ordering::Relaxed);
                if stale(seen, now) && claim().is_ok() {
                    if there.swap(key.0, Ordering::AcqRel) == 0 {
                        self.used.fetch_add(1, Ordering::Relaxed);
                    }
                    word.store(0, Ordering::Release);
                    return Place {
                        word,
                        key: Some(there),
                    };
                }
            }
        }
        self.crowded.fetch_add(1, Ordering::Relaxed);
        Place {
            word: &shard.shared,
            key: None,
        }
    }
}

/// Whether a word of [`super::rate`] says no more than an unused one.
pub fn recovered(word: u64, now: Moment) -> bool {
    word <= now.as_nanos()
}

#[cfg(test)]
mod tests;
