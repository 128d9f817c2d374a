//! Personal fields: readable as long as their subject's key lives.
//!
//! Each subject (a key id, or the address of a caller without one) has a random key and a random
//! pseudonym. Lines name the pseudonym and hold the fields under the key (ChaCha20-Poly1305), so
//! that destroying the entry here erases them everywhere, and leaves nothing by which the lines
//! could be told to be of that subject. Entries are found by a keyed hash; no id stands in the
//! table. Random bits come in as an argument. Decides how many subjects there may be. What a
//! disk or a backup keeps of an older table is out of its reach.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hmac;
use serde::Deserialize;
use thiserror::Error;
use zeroize::Zeroizing;

use super::hex;

/// Subjects of a table beyond which callers without a key share one entry a day: addresses cost
/// their sender nothing.
pub const MOST_SUBJECTS: usize = 100_000;

/// Random bytes that an entry is made of.
pub const ENTRY_RANDOM: usize = 48;

/// Random bytes of a line.
pub const NONCE: usize = NONCE_LEN;

/// Why personal fields can't be sealed or read, or a table is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PersonalFault {
    /// A line of the table can't be read.
    #[error("line {0} of the subjects file can't be read")]
    Table(usize),
    /// The cryptography refuses.
    #[error("the fields can't be sealed or opened")]
    Sealed,
}

/// The name of a subject in lines: random, and of use to nobody without the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Pseudonym([u8; 16]);

impl Pseudonym {
    /// Its digits.
    pub fn to_hex(self) -> String {
        hex(&self.0)
    }
}

/// A subject's pseudonym and key.
#[derive(Clone)]
pub struct SubjectKey {
    /// Its name in lines.
    pub pseudonym: Pseudonym,
    key: Zeroizing<[u8; 32]>,
    /// The day on which it was last used, since 1970.
    pub day: u64,
}

impl SubjectKey {
    fn new(random: &[u8; ENTRY_RANDOM], day: u64) -> Self {
        let (name, secret) = random.split_at(16);
        let mut key = Zeroizing::new([0_u8; 32]);
        let mut pseudonym = [0_u8; 16];
        for (to, from) in pseudonym.iter_mut().zip(name) {
            *to = *from;
        }
        for (to, from) in key.iter_mut().zip(secret) {
            *to = *from;
        }
        Self {
            pseudonym: Pseudonym(pseudonym),
            key,
            day,
        }
    }

    /// Seals fields; in base64.
    ///
    /// # Errors
    /// The cryptography refuses, which it does for texts of some gigabytes.
    pub fn seal(&self, fields: &[u8], nonce: [u8; NONCE]) -> Result<String, PersonalFault> {
        let mut text = Vec::with_capacity(fields.len().saturating_add(16));
        text.extend_from_slice(fields);
        let sealing = Nonce::assume_unique_for_key(nonce);
        self.cipher()?
            .seal_in_place_append_tag(sealing, Aad::from(self.pseudonym.0), &mut text)
            .map_err(|_fault| PersonalFault::Sealed)?;
        Ok(STANDARD.encode([&nonce[..], &text].concat()))
    }

    /// Opens what was sealed.
    ///
    /// # Errors
    /// It was sealed by another key, or altered.
    pub fn open(&self, sealed: &str) -> Result<Zeroizing<Vec<u8>>, PersonalFault> {
        let bytes = STANDARD
            .decode(sealed)
            .map_err(|_fault| PersonalFault::Sealed)?;
        let (nonce, text) = bytes
            .split_first_chunk::<NONCE>()
            .ok_or(PersonalFault::Sealed)?;
        let mut text = Zeroizing::new(text.to_vec());
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let aad = Aad::from(self.pseudonym.0);
        let length = self
            .cipher()?
            .open_in_place(nonce, aad, &mut text)
            .map_err(|_fault| PersonalFault::Sealed)?
            .len();
        text.truncate(length);
        Ok(text)
    }

    fn cipher(&self) -> Result<LessSafeKey, PersonalFault> {
        UnboundKey::new(&CHACHA20_POLY1305, &*self.key)
            .map(LessSafeKey::new)
            .map_err(|_fault| PersonalFault::Sealed)
    }
}

/// What an entry is found by: a keyed hash of the subject's id.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Lookup([u8; 16]);

/// The subjects, and what each is found by.
pub struct Subjects {
    secret: Zeroizing<[u8; 32]>,
    hasher: hmac::Key,
    table: HashMap<Lookup, SubjectKey>,
}

// Borrowed, so that no copy of a secret is left behind.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Opening<'a> {
    lookup: &'a str,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row<'a> {
    subject: &'a str,
    pseudonym: &'a str,
    key: &'a str,
    day: u64,
}

impl Subjects {
    /// A table without subjects, with this secret to find them by.
    pub fn new(secret: Zeroizing<[u8; 32]>) -> Self {
        let hasher = hmac::Key::new(hmac::HMAC_SHA256, &*secret);
        Self {
            secret,
            hasher,
            table: HashMap::new(),
        }
    }

    /// Reads a table. Of two rows for one subject the later counts. A last line that was cut off is
    /// left out.
    ///
    /// # Errors
    /// A line is none of a table.
    pub fn read(text: &str) -> Result<Self, PersonalFault> {
        let mut lines = text.split_inclusive('\n').enumerate();
        let first = lines.next().map(|(_, line)| line).unwrap_or_default();
        let opening: Opening<'_> =
            serde_json::from_str(first).map_err(|_fault| PersonalFault::Table(1))?;
        let secret = STANDARD.decode(opening.lookup).map(Zeroizing::new);
        let secret: Option<[u8; 32]> = secret.ok().and_then(|it| it.as_slice().try_into().ok());
        let secret = secret.ok_or(PersonalFault::Table(1))?;
        let mut subjects = Self::new(Zeroizing::new(secret));
        for (index, line) in lines.filter(|(_, line)| line.ends_with('\n')) {
            let (lookup, key) =
                row(line).ok_or_else(|| PersonalFault::Table(index.saturating_add(1)))?;
            subjects.table.insert(lookup, key);
        }
        Ok(subjects)
    }

    /// The line that a table begins with.
    pub fn opening(&self) -> Zeroizing<String> {
        let lookup = Zeroizing::new(STANDARD.encode(*self.secret));
        Zeroizing::new(format!("{{\"lookup\":\"{}\"}}\n", &*lookup))
    }

    /// The whole table, in an order that does not tell who came first.
    pub fn to_text(&self) -> Zeroizing<String> {
        let mut text = self.opening();
        let mut rows: Vec<_> = self.table.iter().collect();
        rows.sort_by_key(|(lookup, _)| **lookup);
        for (lookup, key) in rows {
            text.push_str(&Self::row(*lookup, key));
        }
        text
    }

    /// One row of the table.
    pub fn row(lookup: Lookup, key: &SubjectKey) -> Zeroizing<String> {
        let secret = Zeroizing::new(STANDARD.encode(*key.key));
        Zeroizing::new(format!(
            "{{\"subject\":\"{}\",\"pseudonym\":\"{}\",\"key\":\"{}\",\"day\":{}}}\n",
            hex(&lookup.0),
            hex(&key.pseudonym.0),
            &*secret,
            key.day
        ))
    }

    /// What a subject is found by.
    pub fn lookup(&self, id: &str) -> Lookup {
        let tag = hmac::sign(&self.hasher, id.as_bytes());
        let mut lookup = [0_u8; 16];
        for (to, from) in lookup.iter_mut().zip(tag.as_ref()) {
            *to = *from;
        }
        Lookup(lookup)
    }

    /// A subject's key, if it lives.
    pub fn find(&self, lookup: Lookup) -> Option<&SubjectKey> {
        self.table.get(&lookup)
    }

    /// Whether another caller without a key has a place of its own.
    pub fn has_room(&self) -> bool {
        self.table.len() < MOST_SUBJECTS
    }

    /// Makes a subject's key; says what it is found by and what it is.
    pub fn make(&mut self, lookup: Lookup, random: &[u8; ENTRY_RANDOM], day: u64) -> SubjectKey {
        let key = SubjectKey::new(random, day);
        self.table.insert(lookup, key.clone());
        key
    }

    /// Notes that a subject's key was used on a later day; says what it is now.
    pub fn used(&mut self, lookup: Lookup, day: u64) -> Option<SubjectKey> {
        let key = self.table.get_mut(&lookup)?;
        key.day = key.day.max(day);
        Some(key.clone())
    }

    /// Destroys a subject's key; says under which name its lines stand.
    pub fn erase(&mut self, lookup: Lookup) -> Option<Pseudonym> {
        self.table.remove(&lookup).map(|key| key.pseudonym)
    }

    /// Destroys the keys that were last used before a day; says how many.
    pub fn expire(&mut self, day: u64) -> usize {
        let before = self.table.len();
        self.table.retain(|_, key| key.day >= day);
        before.saturating_sub(self.table.len())
    }

    /// The keys by their names in lines.
    pub fn by_pseudonym(&self) -> HashMap<String, SubjectKey> {
        let keys = self.table.values();
        keys.map(|key| (key.pseudonym.to_hex(), key.clone()))
            .collect()
    }
}

fn row(line: &str) -> Option<(Lookup, SubjectKey)> {
    let row: Row<'_> = serde_json::from_str(line).ok()?;
    let key = Zeroizing::new(STANDARD.decode(row.key).ok()?);
    let key = SubjectKey {
        pseudonym: Pseudonym(unhex(row.pseudonym)?),
        key: Zeroizing::new(key.as_slice().try_into().ok()?),
        day: row.day,
    };
    Some((Lookup(unhex(row.subject)?), key))
}

fn unhex(text: &str) -> Option<[u8; 16]> {
    let number = (text.len() == 32).then(|| u128::from_str_radix(text, 16).ok())??;
    Some(number.to_be_bytes())
}
