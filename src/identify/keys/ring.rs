//! All keys, and how a credential finds its own.
//!
//! Decides which record, if any, a credential opens at a given time. The work is the same for
//! every credential and every number of keys: one digest (two where there is a pepper), two
//! buckets of a table looked at whole, one record read (any one where none was found), one
//! constant-time comparison, and all states of the record looked at without a branch. What the
//! caches of the processor do with a large table is not the same; see `benches/keys.rs`.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};
use thiserror::Error;

use super::digest::{KeyDigest, KeyHash, Pepper, Scheme};
use super::table::{Probed, Table};
use super::{KeyRecord, Role};
use crate::policy::KeyFault;
use crate::policy::names::KeyId;

/// Why records don't make a keyring.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KeyringFault {
    /// Two records bear one id.
    #[error("two keys have the id `{0}`")]
    DuplicateId(KeyId),
    /// Two records are of one key.
    #[error("the keys `{0}` and `{1}` are the same key")]
    DuplicateKey(KeyId, KeyId),
    /// More keys than can be numbered.
    #[error("there are more keys than this program can hold")]
    TooMany,
}

/// All keys, found by digest.
#[derive(Debug, Default)]
pub struct Keyring {
    /// The first is nobody's.
    records: Vec<Arc<KeyRecord>>,
    table: Table,
    pepper: Option<Pepper>,
}

/// What a state of a record means, by its bits: the gravest counts.
const FAULTS: [KeyFault; 16] = {
    let mut faults = [KeyFault::Unknown; 16];
    faults[2] = KeyFault::Revoked;
    faults[6] = KeyFault::Revoked;
    faults[10] = KeyFault::Revoked;
    faults[14] = KeyFault::Revoked;
    faults[4] = KeyFault::NotYetValid;
    faults[12] = KeyFault::NotYetValid;
    faults[8] = KeyFault::Expired;
    faults
};

impl Keyring {
    /// Builds the table.
    ///
    /// # Errors
    /// Two records with one id, or of one key.
    pub fn new(records: Vec<KeyRecord>) -> Result<Self, KeyringFault> {
        Self::with_pepper(records.into_iter().map(Arc::new).collect(), None)
    }

    /// The same, of records that are shared already, with the pepper of `hmac-sha256` hashes.
    ///
    /// # Errors
    /// Two records with one id, or of one key.
    pub fn with_pepper(
        mut records: Vec<Arc<KeyRecord>>,
        pepper: Option<Pepper>,
    ) -> Result<Self, KeyringFault> {
        distinct_ids(&records)?;
        distinct_keys(&records)?;
        let nobody = nobody().ok_or(KeyringFault::TooMany)?;
        records.reserve_exact(1);
        records.insert(0, Arc::new(nobody));
        let table = Table::of(&records).ok_or(KeyringFault::TooMany)?;
        Ok(Self {
            records,
            table,
            pepper,
        })
    }

    /// The record that a credential opens at this time, in seconds since 1970.
    ///
    /// # Errors
    /// It opens nothing: no key has this digest, or the key is not good (any more, or yet).
    pub fn find(&self, credential: &[u8], now: u64) -> Result<&Arc<KeyRecord>, KeyFault> {
        let (mut place, mut same) = self.probe(Scheme::Sha256, KeyDigest::of(credential));
        if let Some(pepper) = &self.pepper {
            let (other, also) = self.probe(Scheme::HmacSha256, pepper.digest(credential));
            place.conditional_assign(&other, also);
            same |= also;
        }
        let record = self.record(place).ok_or(KeyFault::Unknown)?;
        fault(record, bool::from(same), now).map_or(Ok(record), Err)
    }

    /// The record of that id; where one is being replaced, the one that replaces it.
    pub fn by_id(&self, id: &str) -> Option<&Arc<KeyRecord>> {
        let mut records = self.records.iter().skip(1);
        records.find(|record| !record.replaced && record.id.as_str() == id)
    }

    fn probe(&self, scheme: Scheme, digest: KeyDigest) -> (u32, Choice) {
        let Probed { place, found } = self.table.probe(&digest, self.records.len());
        let record = self.record(place).or_else(|| self.records.first());
        let same = record.map(|record| {
            record.hash.digest.0.ct_eq(&digest.0)
                & Choice::from(u8::from(record.hash.scheme == scheme))
                & found
        });
        (place, same.unwrap_or_else(|| Choice::from(0)))
    }

    fn record(&self, place: u32) -> Option<&Arc<KeyRecord>> {
        self.records.get(usize::try_from(place).ok()?)
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.records.len().saturating_sub(1)
    }

    /// Whether there is no key at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All records.
    pub fn records(&self) -> impl Iterator<Item = &KeyRecord> {
        self.records.iter().skip(1).map(Arc::as_ref)
    }
}

/// What keeps a record from being opened at this time, `same` telling whether the credential is
/// its own. All of its states are looked at without a branch.
pub(in crate::identify) fn fault(record: &KeyRecord, same: bool, now: u64) -> Option<KeyFault> {
    let state = u8::from(!same)
        | u8::from(record.revoked) << 1
        | u8::from(now < record.not_before) << 2
        | u8::from(now >= record.expires_at) << 3;
    if state == 0 {
        return None;
    }
    let fault = FAULTS.get(usize::from(state)).copied();
    Some(fault.unwrap_or(KeyFault::Unknown))
}

/// The record that is read where none was found: no text has this digest, as far as anyone knows.
fn nobody() -> Option<KeyRecord> {
    let hash = KeyHash {
        scheme: Scheme::Sha256,
        digest: KeyDigest([0; 32]),
    };
    let id = "nobody".parse().ok()?;
    Some(KeyRecord::new(id, hash, Role::ReadOnly))
}

/// Looks for two of one id. Numbers are compared first, because a million of them take a tenth of
/// the memory and of the time that a map of names would.
fn distinct_ids(records: &[Arc<KeyRecord>]) -> Result<(), KeyringFault> {
    let number = |id: &KeyId| KeyDigest::of(id.as_str().as_bytes()).words()[0];
    let current = || records.iter().filter(|record| !record.replaced);
    let mut numbers: Vec<u64> = current().map(|record| number(&record.id)).collect();
    if are_distinct(&mut numbers) {
        return Ok(());
    }
    let mut seen = HashSet::new();
    for record in current() {
        if !seen.insert(&record.id) {
            return Err(KeyringFault::DuplicateId(record.id.clone()));
        }
    }
    Ok(())
}

fn distinct_keys(records: &[Arc<KeyRecord>]) -> Result<(), KeyringFault> {
    let mut numbers: Vec<u64> = records
        .iter()
        .map(|record| record.hash.digest.words()[0])
        .collect();
    if are_distinct(&mut numbers) {
        return Ok(());
    }
    let mut seen: HashMap<KeyHash, &KeyId> = HashMap::new();
    for record in records {
        if let Some(other) = seen.insert(record.hash, &record.id) {
            return Err(KeyringFault::DuplicateKey(other.clone(), record.id.clone()));
        }
    }
    Ok(())
}

fn are_distinct(numbers: &mut [u64]) -> bool {
    numbers.sort_unstable();
    numbers.windows(2).all(|pair| match pair {
        [one, next] => one != next,
        _ => true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(id: &str, key: &str, role: Role) -> KeyRecord {
        KeyRecord::new(id.parse().unwrap(), KeyHash::of(key.as_bytes(), None), role)
    }

    #[test]
    fn a_credential_opens_its_own_record_and_no_other() {
        let ring = Keyring::new(vec![
            record("alice", "key-a", Role::Standard),
            record("bob", "key-b", Role::Admin),
        ])
        .unwrap();
        let found = |key: &str| {
            ring.find(key.as_bytes(), 1)
                .map(|r| (r.id.as_str(), r.role))
        };
        assert_eq!(found("key-a"), Ok(("alice", Role::Standard)), "alice's key");
        assert_eq!(found("key-b"), Ok(("bob", Role::Admin)), "bob's key");
        let digest = KeyDigest::of(b"key-a").hex();
        let hash = format!("sha256:{digest}");
        for wrong in ["", "key-", "key-A", "key-aa", "\0", &digest, &hash] {
            assert_eq!(found(wrong), Err(KeyFault::Unknown), "{wrong:?}");
        }
        assert_eq!(
            ring.find(&[0; 32], 1).err(),
            Some(KeyFault::Unknown),
            "the record of nobody can't be opened"
        );
        assert_eq!(
            Keyring::default().find(b"key-a", 1).err(),
            Some(KeyFault::Unknown),
            "without keys nothing opens"
        );
    }

    #[test]
    fn each_of_many_keys_is_found() {
        let keys: Vec<String> = (0..5_000).map(|n| format!("key-{n}")).collect();
        let records = keys.iter().map(|key| record(key, key, Role::Standard));
        let ring = Keyring::new(records.collect()).unwrap();
        assert_eq!(ring.len(), keys.len(), "all of them");
        for key in &keys {
            let found = ring.find(key.as_bytes(), 1).map(|r| r.id.as_str());
            assert_eq!(found, Ok(key.as_str()), "{key}");
        }
        for other in 5_000..10_000 {
            let wrong = format!("key-{other}");
            assert!(ring.find(wrong.as_bytes(), 1).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_key_opens_while_it_is_good_to_the_second() {
        let mut bounded = record("a", "key-a", Role::Standard);
        (bounded.not_before, bounded.expires_at) = (100, 200);
        let mut revoked = record("b", "key-b", Role::Standard);
        revoked.revoked = true;
        let ring = Keyring::new(vec![bounded, revoked]).unwrap();
        for (key, now, expected) in [
            ("key-a", 99, Some(KeyFault::NotYetValid)),
            ("key-a", 100, None),
            ("key-a", 199, None),
            ("key-a", 200, Some(KeyFault::Expired)),
            ("key-b", 150, Some(KeyFault::Revoked)),
        ] {
            let found = ring.find(key.as_bytes(), now);
            assert_eq!(found.err(), expected, "{key} at {now}");
        }
    }

    #[test]
    fn a_peppered_key_opens_under_its_own_pepper_alone() {
        let pepper = Pepper::new(&[7; 32]).unwrap();
        let ring = |held: Option<Pepper>| {
            let hash = KeyHash::of(b"key-a", Some(&pepper));
            let peppered = KeyRecord::new("a".parse().unwrap(), hash, Role::Standard);
            let records = vec![peppered, record("b", "key-b", Role::Admin)];
            let records = records.into_iter().map(Arc::new).collect();
            Keyring::with_pepper(records, held).unwrap()
        };
        let id = |ring: &Keyring, key: &[u8]| ring.find(key, 1).map(|r| r.id.to_string()).ok();
        let held = ring(Some(pepper.clone()));
        assert_eq!(id(&held, b"key-a").as_deref(), Some("a"), "its pepper");
        assert_eq!(id(&held, b"key-b").as_deref(), Some("b"), "a plain one");
        let other = ring(Pepper::new(&[8; 32]));
        assert_eq!(id(&other, b"key-a"), None, "another pepper");
        assert_eq!(id(&ring(None), b"key-a"), None, "no pepper");
        let digest = pepper.digest(b"key-a").0;
        assert_eq!(id(&held, &digest), None, "the digest is not the key");
    }

    #[test]
    fn one_id_or_one_key_twice_is_refused_unless_one_replaces_the_other() {
        let twice_id = || {
            vec![
                record("a", "1", Role::Standard),
                record("a", "2", Role::Standard),
            ]
        };
        assert!(
            matches!(Keyring::new(twice_id()), Err(KeyringFault::DuplicateId(_))),
            "one id for two keys"
        );
        let mut rotated = twice_id();
        rotated[1].replaced = true;
        assert!(Keyring::new(rotated).is_ok(), "the older of two");
        let twice_key = vec![
            record("a", "1", Role::Standard),
            record("b", "1", Role::Admin),
        ];
        assert!(
            matches!(Keyring::new(twice_key), Err(KeyringFault::DuplicateKey(..))),
            "one key under two ids"
        );
    }

    #[test]
    fn nothing_of_a_key_is_printed() {
        let ring = Keyring::new(vec![record("alice", "key-a", Role::Admin)]);
        let shown = format!("{ring:?}");
        assert!(
            shown.contains("alice") && !shown.contains(&KeyDigest::of(b"key-a").hex()),
            "ids and no digests: {shown}"
        );
    }
}
