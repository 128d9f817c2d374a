//! Where the record of a digest stands: a table in which every digest has two homes.
//!
//! Decides a record's place from its digest, by the same steps for every digest and every number
//! of records. It never compares whole digests: what it answers may be wrong, and is checked.

use std::sync::Arc;

use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};

use super::KeyRecord;
use super::digest::KeyDigest;

impl KeyDigest {
    /// The digest as four numbers, each as good as random.
    pub(super) fn words(&self) -> [u64; 4] {
        let (words, _none) = self.0.as_chunks::<8>();
        let mut numbers = [0; 4];
        for (number, word) in numbers.iter_mut().zip(words) {
            *number = u64::from_le_bytes(*word);
        }
        numbers
    }
}

const SLOTS: usize = 8;

/// One cache line: eight short marks, and the places of the records that they stand for.
#[derive(Debug, Clone, Copy, Default)]
#[repr(align(64))]
struct Bucket {
    marks: [u32; SLOTS],
    places: [u32; SLOTS],
}

/// What a table says of a digest.
pub(super) struct Probed {
    /// The place to read: that of the record that bears the digest's mark, or a stand-in.
    pub(super) place: u32,
    /// Whether a record bears the mark.
    pub(super) found: Choice,
}

/// A table in which every digest has two buckets, and both are looked at whole.
#[derive(Debug, Default)]
pub(super) struct Table {
    buckets: Vec<Bucket>,
    salt: u64,
}

impl Table {
    /// A table of these records, of which the first is nobody's.
    pub(super) fn of(records: &[Arc<KeyRecord>]) -> Option<Self> {
        u32::try_from(records.len()).ok()?;
        // Half full at first; another salt and more room where a bucket flows over or two marks
        // are the same, which with random digests is rare.
        let mut room = (records.len() / 4).saturating_add(1);
        for salt in 0..32_u64 {
            let mut table = Self {
                buckets: vec![Bucket::default(); room],
                salt: salt.wrapping_mul(0x9E37_79B9_7F4A_7C15),
            };
            let fits = (1_u32..)
                .zip(records.iter().skip(1))
                .all(|(place, record)| table.insert(&record.hash.digest, place).is_some());
            let found = |(place, record): (u32, &Arc<KeyRecord>)| {
                table.marked(&record.hash.digest) == place
            };
            if fits && (1_u32..).zip(records.iter().skip(1)).all(found) {
                return Some(table);
            }
            room = room.saturating_add(room / 4).saturating_add(1);
        }
        None
    }

    /// The two buckets of a digest, and its mark.
    fn homes(&self, digest: &KeyDigest) -> (usize, usize, u32) {
        let [first, second, mark, _] = digest.words();
        let buckets = u64::try_from(self.buckets.len()).unwrap_or(u64::MAX);
        // The high half of a product spreads a random number over the buckets without a division.
        let bucket = |word: u64| {
            let product = u128::from(word ^ self.salt).wrapping_mul(u128::from(buckets));
            usize::try_from(product >> 64).unwrap_or_default()
        };
        let mark = u32::try_from((mark ^ self.salt) >> 32).unwrap_or_default();
        (bucket(first), bucket(second), mark)
    }

    fn insert(&mut self, digest: &KeyDigest, place: u32) -> Option<()> {
        let (first, second, mark) = self.homes(digest);
        let used = |bucket: &Bucket| bucket.places.iter().filter(|p| **p != 0).count();
        let fuller = used(self.buckets.get(first)?) > used(self.buckets.get(second)?);
        let home = if fuller { second } else { first };
        let bucket = self.buckets.get_mut(home)?;
        let free = bucket.places.iter().position(|place| *place == 0)?;
        *bucket.marks.get_mut(free)? = mark;
        *bucket.places.get_mut(free)? = place;
        Some(())
    }

    /// Where the record of a digest is, if there is one. Where no record bears its mark, one of
    /// `records` stands in that the digest itself picks: a single stand-in would always be in the
    /// nearest cache, and a lookup that fails be told from one that finds a key that is not good.
    pub(super) fn probe(&self, digest: &KeyDigest, records: usize) -> Probed {
        let marked = self.marked(digest);
        let found = !marked.ct_eq(&0);
        let [.., last] = digest.words();
        let records = u64::try_from(records).unwrap_or(u64::MAX);
        let stand_in = u128::from(last).wrapping_mul(u128::from(records)) >> 64;
        let stand_in = u32::try_from(stand_in).unwrap_or_default();
        Probed {
            place: u32::conditional_select(&stand_in, &marked, found),
            found,
        }
    }

    /// The place of the record that bears the digest's mark; 0, or a wrong one, if none does. The
    /// marks are no secret, and all sixteen are looked at.
    fn marked(&self, digest: &KeyDigest) -> u32 {
        let (first, second, mark) = self.homes(digest);
        let mut found = 0_u32;
        for home in [first, second] {
            let Some(bucket) = self.buckets.get(home) else {
                return 0;
            };
            for (other, place) in bucket.marks.iter().zip(&bucket.places) {
                found |= place & u32::from(*other == mark).wrapping_neg();
            }
        }
        found
    }
}
