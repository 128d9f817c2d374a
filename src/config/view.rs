//! A configuration as it took effect, for people to read and for a reload to compare.
//!
//! Decides what is shown (every key with its value, environment included; no secret, nothing of a
//! file's content) and which keys differ between two configurations. What can't be shown is
//! compared by its digest, which stays here.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde::Serialize;
use serde_json::Value;

use super::fingerprint::digest;
use super::path::KeyPath;
use super::raw::RawConfig;
use crate::identify::keys::{KeyRecord, Keyring};

/// Ids of keys that one list of changes names; the others are counted.
const MOST_IDS: usize = 50;

/// A configuration that can be shown.
#[derive(Debug, Clone, Default)]
pub struct View {
    /// Every key with its value; a secret is `***`.
    pub config: Value,
    /// Digests of secrets and of files, by the key that refers to them.
    digests: BTreeMap<String, String>,
}

/// A key whose value has changed. Values of secrets and contents of files are not shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The key, such as `size_limits.json`.
    pub key: String,
    /// What stood there.
    pub from: Value,
    /// What stands there now.
    pub to: Value,
}

/// API keys that came, went, or have other rights now.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct KeyChanges {
    /// New ids.
    pub added: Ids,
    /// Ids that are gone.
    pub removed: Ids,
    /// Ids with another key or other rights.
    pub changed: Ids,
}

impl KeyChanges {
    /// Whether nothing has changed.
    pub const fn is_empty(&self) -> bool {
        self.added.count == 0 && self.removed.count == 0 && self.changed.count == 0
    }
}

/// Some ids, and how many there are in all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Ids {
    /// How many.
    pub count: usize,
    /// The first of them.
    pub first: Vec<Box<str>>,
}

impl Ids {
    fn add(&mut self, id: &str) {
        self.count = self.count.saturating_add(1);
        if self.first.len() < MOST_IDS {
            self.first.push(id.into());
        }
    }
}

impl View {
    /// The view of a configuration.
    pub(super) fn new(raw: &RawConfig, digests: BTreeMap<String, String>) -> Self {
        Self {
            // Every raw type is plain data, which can't fail to serialise.
            config: serde_json::to_value(raw).unwrap_or_default(),
            digests,
        }
    }

    /// The keys that differ from a newer configuration, in their order.
    pub fn changes(&self, newer: &Self) -> Vec<Change> {
        let mut changes = Vec::new();
        compare(
            &KeyPath::default(),
            &self.config,
            &newer.config,
            &mut changes,
        );
        let referring: BTreeSet<&String> =
            self.digests.keys().chain(newer.digests.keys()).collect();
        for key in referring {
            let known = changes.iter().any(|change| change.key == *key);
            if !known && self.digests.get(key) != newer.digests.get(key) {
                let there = |view: &Self| view.digests.get(key).map(|_| Value::from("***"));
                changes.push(Change {
                    key: key.clone(),
                    from: there(self).unwrap_or_default(),
                    to: there(newer).unwrap_or_default(),
                });
            }
        }
        changes.sort_by(|a, b| a.key.cmp(&b.key));
        changes
    }
}

/// The API keys that differ between two policies. One id may have an older key beside its own.
pub fn key_changes(old: &Keyring, new: &Keyring) -> KeyChanges {
    let name = |key: &KeyRecord| (key.id.clone(), key.replaced);
    let before: HashMap<_, &KeyRecord> = old.records().map(|key| (name(key), key)).collect();
    let after: HashSet<_> = new.records().map(name).collect();
    let mut changes = KeyChanges::default();
    for key in new.records() {
        match before.get(&name(key)) {
            None => changes.added.add(key.id.as_str()),
            Some(old) if !same(old, key) => changes.changed.add(key.id.as_str()),
            Some(_) => {}
        }
    }
    for key in old.records().filter(|key| !after.contains(&name(key))) {
        changes.removed.add(key.id.as_str());
    }
    changes
}

/// Whether two records are of one key with the same rights.
fn same(one: &KeyRecord, other: &KeyRecord) -> bool {
    let rights = |key: &KeyRecord| {
        (
            key.hash,
            key.role,
            key.revoked,
            key.not_before,
            key.expires_at,
        )
    };
    let bounds = |key: &KeyRecord| key.bounds.as_ref().map(|bounds| format!("{bounds:?}"));
    rights(one) == rights(other) && bounds(one) == bounds(other)
}

/// The digest by which a secret or a file is compared.
pub(super) fn compared(bytes: &[u8]) -> String {
    digest(&String::from_utf8_lossy(bytes))
}

fn compare(at: &KeyPath, old: &Value, new: &Value, changes: &mut Vec<Change>) {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
            for key in keys {
                let (old, new) = (old.get(key), new.get(key));
                let (old, new) = (old.unwrap_or(&Value::Null), new.unwrap_or(&Value::Null));
                compare(&at.key(key), old, new, changes);
            }
        }
        (Value::Array(old), Value::Array(new)) if old.iter().chain(new).any(Value::is_object) => {
            for index in 0..old.len().max(new.len()) {
                let (old, new) = (old.get(index), new.get(index));
                let (old, new) = (old.unwrap_or(&Value::Null), new.unwrap_or(&Value::Null));
                compare(&at.index(index), old, new, changes);
            }
        }
        (old, new) if old == new => {}
        (old, new) => changes.push(Change {
            key: at.to_string(),
            from: old.clone(),
            to: new.clone(),
        }),
    }
}
