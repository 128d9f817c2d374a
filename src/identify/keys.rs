//! API keys: how one is made, what is kept of it, and how a credential finds its record.
//!
//! Decides which record, if any, a credential opens. Only SHA-256 digests are kept, never a key.
//! The work is the same for every outcome: one digest, one probe of a table keyed by it, one
//! constant-time comparison (with a record of nobody's where none was found). It never tells a
//! caller more than yes or no.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use thiserror::Error;

use crate::policy::names::KeyId;
use crate::policy::secret::Secret;
use crate::route::pattern::Pattern;

/// What a caller may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// May look at metrics and monitoring, and nothing else.
    ReadOnly,
    /// May call models.
    Standard,
    /// May call models and steer the gateway.
    Admin,
    /// May steer the gateway, for machines that do.
    System,
}

impl Role {
    /// The name in key files and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ReadOnly => "read_only",
            Self::Standard => "standard",
            Self::Admin => "admin",
            Self::System => "system",
        }
    }

    /// The role of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::ReadOnly, Self::Standard, Self::Admin, Self::System]
            .into_iter()
            .find(|role| role.as_str() == name)
    }
}

/// The SHA-256 digest of a key's text: all that is kept of a key.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyDigest([u8; 32]);

/// Why a text is not a key's digest.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DigestFault {
    /// No `sha256:` before it.
    #[error(
        "does not begin with `sha256:`; write sha256: and the 64 hex digits of the key's SHA-256"
    )]
    Scheme,
    /// Not 64 hex digits.
    #[error("is not 64 hex digits after `sha256:`")]
    Hex,
}

impl KeyDigest {
    /// The digest of a key's text.
    pub fn of(key: &[u8]) -> Self {
        Self(Sha256::digest(key).into())
    }

    /// Reads `sha256:` and 64 hex digits.
    ///
    /// # Errors
    /// Anything else.
    pub fn parse(text: &str) -> Result<Self, DigestFault> {
        let hex = text.strip_prefix("sha256:").ok_or(DigestFault::Scheme)?;
        let mut digest = [0_u8; 32];
        if hex.len() != 64 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(DigestFault::Hex);
        }
        for (byte, pair) in digest.iter_mut().zip(hex.as_bytes().chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_not_ascii| DigestFault::Hex)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_not_hex| DigestFault::Hex)?;
        }
        Ok(Self(digest))
    }
}

impl fmt::Debug for KeyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyDigest(***)")
    }
}

/// What is known of one key.
#[derive(Debug, Clone)]
pub struct KeyRecord {
    /// Its public id.
    pub id: KeyId,
    /// The digest of its text.
    pub digest: KeyDigest,
    /// What it may do.
    pub role: Role,
    /// Models it may use; none: all.
    pub models: Option<Vec<Pattern>>,
}

impl KeyRecord {
    /// Whether the key is good for this model.
    pub fn allows_model(&self, model: &str) -> bool {
        self.models
            .as_ref()
            .is_none_or(|models| models.iter().any(|m| m.matches(model)))
    }
}

/// Why records don't make a keyring.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KeyringFault {
    /// Two records bear one id.
    #[error("two keys have the id `{0}`")]
    DuplicateId(KeyId),
    /// Two records are of one key.
    #[error("the keys `{0}` and `{1}` are the same key")]
    DuplicateKey(KeyId, KeyId),
}

/// All keys, found by digest.
#[derive(Debug, Default)]
pub struct Keyring {
    records: Vec<Arc<KeyRecord>>,
    by_digest: HashMap<KeyDigest, usize>,
}

/// Compared against where no record was found, so that the work is the same.
const NOBODY: KeyDigest = KeyDigest([0; 32]);

impl Keyring {
    /// Builds the table.
    ///
    /// # Errors
    /// Two records with one id, or of one key.
    pub fn new(records: Vec<KeyRecord>) -> Result<Self, KeyringFault> {
        let mut by_id = HashMap::with_capacity(records.len());
        let mut by_digest = HashMap::with_capacity(records.len());
        for (index, record) in records.iter().enumerate() {
            if by_id.insert(record.id.clone(), index).is_some() {
                return Err(KeyringFault::DuplicateId(record.id.clone()));
            }
            if let Some(other) = by_digest.insert(record.digest, index) {
                let other = records.get(other).unwrap_or(record);
                return Err(KeyringFault::DuplicateKey(
                    other.id.clone(),
                    record.id.clone(),
                ));
            }
        }
        Ok(Self {
            records: records.into_iter().map(Arc::new).collect(),
            by_digest,
        })
    }

    /// The record that a credential opens.
    pub fn find(&self, credential: &[u8]) -> Option<&Arc<KeyRecord>> {
        let digest = KeyDigest::of(credential);
        let record = self
            .by_digest
            .get(&digest)
            .and_then(|index| self.records.get(*index));
        let stored = record.map_or(&NOBODY, |record| &record.digest);
        let same = bool::from(stored.0.ct_eq(&digest.0));
        record.filter(|_| same)
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there is no key at all.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }
}

/// The prefix by which people and scanners recognise a key of this product.
pub const KEY_PREFIX: &str = "pcl_";

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Base-62 digits that hold 256 bits.
const BODY_DIGITS: usize = 43;
/// Base-62 digits that hold a CRC-32.
const CHECK_DIGITS: usize = 6;

/// Makes the text of a key from 256 random bits: `pcl_`, 43 base-62 digits, and 6 more that hold
/// the CRC-32 of those before them, so that a scanner can tell a leaked key from a look-alike.
pub fn mint(random: &[u8; 32]) -> Secret {
    let mut text =
        String::with_capacity(KEY_PREFIX.len().saturating_add(BODY_DIGITS + CHECK_DIGITS));
    text.push_str(KEY_PREFIX);
    let mut number = *random;
    for _ in 0..BODY_DIGITS {
        text.push(digit(divide_by_62(&mut number)));
    }
    let mut check = crc32(text.as_bytes());
    for _ in 0..CHECK_DIGITS {
        text.push(digit(check.wrapping_rem(62)));
        check = check.wrapping_div(62);
    }
    number.fill(0);
    Secret::new(text)
}

/// Divides a big-endian number in place and returns the remainder.
fn divide_by_62(number: &mut [u8; 32]) -> u32 {
    number.iter_mut().fold(0_u32, |remainder, byte| {
        let dividend = remainder.wrapping_mul(256).wrapping_add(u32::from(*byte));
        let quotient = dividend.wrapping_div(62);
        *byte = u8::try_from(quotient).unwrap_or(u8::MAX);
        dividend.wrapping_rem(62)
    })
}

fn digit(value: u32) -> char {
    let index = usize::try_from(value).unwrap_or(0);
    ALPHABET.get(index).map_or('0', |byte| char::from(*byte))
}

/// CRC-32 (IEEE 802.3), bit by bit: run once per key made.
fn crc32(bytes: &[u8]) -> u32 {
    let crc = bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 {
                (crc >> 1) ^ 0xEDB8_8320
            } else {
                crc >> 1
            }
        })
    });
    !crc
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    fn record(id: &str, key: &str, role: Role) -> KeyRecord {
        KeyRecord {
            id: id.parse().unwrap(),
            digest: KeyDigest::of(key.as_bytes()),
            role,
            models: None,
        }
    }

    #[test]
    fn a_credential_opens_its_own_record_and_no_other() {
        let ring = Keyring::new(vec![
            record("alice", "key-a", Role::Standard),
            record("bob", "key-b", Role::Admin),
        ])
        .unwrap();
        assert_eq!(
            ring.find(b"key-a").map(|r| r.id.as_str()),
            Some("alice"),
            "alice's key"
        );
        assert_eq!(
            ring.find(b"key-b").map(|r| r.role),
            Some(Role::Admin),
            "bob's key"
        );
        for wrong in ["", "key-", "key-A", "key-aa", "sha256:00", "\0"] {
            assert!(
                ring.find(wrong.as_bytes()).is_none(),
                "{wrong:?} opens nothing"
            );
        }
    }

    #[test]
    fn a_stored_hash_offered_as_a_credential_opens_nothing() {
        let ring = Keyring::new(vec![record("alice", "key-a", Role::Standard)]).unwrap();
        let mut hash = String::new();
        for byte in KeyDigest::of(b"key-a").0 {
            write!(hash, "{byte:02x}").unwrap();
        }
        assert!(
            ring.find(hash.as_bytes()).is_none(),
            "the hex of a digest is not the key"
        );
        assert!(
            ring.find(format!("sha256:{hash}").as_bytes()).is_none(),
            "nor with its scheme"
        );
        assert!(
            ring.find(&[0; 32]).is_none(),
            "the record of nobody can't be opened"
        );
    }

    #[test]
    fn digests_are_read_strictly() {
        let hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(
            KeyDigest::parse(&format!("sha256:{hex}")),
            Ok(KeyDigest::of(b"abc")),
            "the published SHA-256 of abc"
        );
        assert_eq!(KeyDigest::parse(hex), Err(DigestFault::Scheme), "no scheme");
        for bad in [
            "sha256:",
            "sha256:ba78",
            &format!("sha256:{hex}00"),
            &format!("sha256:+{}", hex.split_at(1).1),
        ] {
            assert!(KeyDigest::parse(bad).is_err(), "{bad} must be refused");
        }
    }

    #[test]
    fn one_id_or_one_key_twice_is_refused() {
        let twice_id = vec![
            record("a", "1", Role::Standard),
            record("a", "2", Role::Standard),
        ];
        assert!(
            matches!(Keyring::new(twice_id), Err(KeyringFault::DuplicateId(_))),
            "one id for two keys"
        );
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
    fn minted_keys_have_their_shape_and_a_true_checksum() {
        let key = mint(&[0xA5; 32]);
        let text = key.expose();
        assert_eq!(text.len(), 4 + 43 + 6, "prefix, body, checksum");
        assert!(text.starts_with(KEY_PREFIX), "the prefix");
        assert!(
            text.bytes().skip(4).all(|b| b.is_ascii_alphanumeric()),
            "base 62"
        );
        let (body, check) = text.split_at(47);
        let worth =
            |byte| u64::try_from(ALPHABET.iter().position(|a| *a == byte).unwrap()).unwrap();
        let value = check.bytes().rev().fold(0_u64, |value, byte| {
            value.wrapping_mul(62).wrapping_add(worth(byte))
        });
        assert_eq!(value, u64::from(crc32(body.as_bytes())), "the checksum");
        assert_eq!(
            crc32(b"123456789"),
            0xCBF4_3926,
            "the published check value of CRC-32"
        );
        assert_ne!(mint(&[1; 32]), mint(&[2; 32]), "other bits, other key");
    }

    #[test]
    fn nothing_of_a_key_is_printed() {
        let shown = format!(
            "{:?}",
            Keyring::new(vec![record("alice", "key-a", Role::Admin)])
        );
        assert!(
            shown.contains("KeyDigest(***)"),
            "digests are hidden: {shown}"
        );
    }
}
