//! The keys file: ids, hashes, roles.
//!
//! Decides which records it holds. A key's own text has no place in it; where one was written, the
//! fault says so and does not repeat it. Making and rotating keys is the command line's.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::document::{self, Document};
use super::fault::{Fault, quoted};
use super::locate::Places;
use super::path::KeyPath;
use super::pending;
use super::raw::RateText;
use crate::identify::keys::{DigestFault, KeyDigest, KeyRecord, Role};
use crate::policy::names::KeyId;
use crate::route::pattern::Pattern;

/// The keys file as it is written.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "Keys")]
struct RawKeys {
    /// All keys.
    keys: Vec<RawKey>,
}

/// One key as it is written.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Key")]
struct RawKey {
    /// Its public id.
    id: String,
    /// `sha256:` and the 64 hex digits of the key's SHA-256.
    hash: String,
    /// What it may do.
    role: RawRole,
    /// Model patterns that it may use; all, if not written.
    #[serde(default)]
    models: Option<Vec<String>>,
    /// Providers that it may use.
    #[serde(default)]
    providers: Option<Vec<String>>,
    /// Paths that it may use.
    #[serde(default)]
    paths: Option<Vec<String>>,
    /// Addresses and networks that it may come from.
    #[serde(default)]
    ips: Option<Vec<String>>,
    /// From when it is good.
    #[serde(default)]
    not_before: Option<String>,
    /// Until when it is good.
    #[serde(default)]
    expires_at: Option<String>,
    /// How often it may call.
    #[serde(default)]
    rate: Option<RateText>,
    /// How many calls at once above the rate.
    #[serde(default)]
    burst: Option<u32>,
    /// Calls in flight at once.
    #[serde(default)]
    concurrent: Option<u32>,
    /// Notes.
    #[serde(default)]
    metadata: Option<std::collections::BTreeMap<String, String>>,
}

/// A role as it is written.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Role")]
enum RawRole {
    /// Metrics and monitoring.
    ReadOnly,
    /// Models.
    Standard,
    /// Models and the gateway itself.
    Admin,
    /// The gateway itself, for machines.
    System,
}

impl From<RawRole> for Role {
    fn from(role: RawRole) -> Self {
        match role {
            RawRole::ReadOnly => Self::ReadOnly,
            RawRole::Standard => Self::Standard,
            RawRole::Admin => Self::Admin,
            RawRole::System => Self::System,
        }
    }
}

/// What a keys file holds.
#[derive(Debug, Default)]
pub(super) struct KeysFile {
    /// Its records.
    pub records: Vec<KeyRecord>,
    /// Its records as text, for the configuration's hash.
    pub lines: Vec<String>,
}

/// Reads a keys file.
///
/// # Errors
/// Everything that is wrong with it.
pub(super) fn read(file: &str, text: &str) -> Result<KeysFile, Vec<Fault>> {
    let Document {
        raw,
        places,
        mut faults,
    } = document::read::<RawKeys>(file, text, pending::KEYS_FILE).map_err(hinted)?;
    let mut found = KeysFile::default();
    for (index, key) in raw.keys.iter().enumerate() {
        let at = KeyPath::of("keys").index(index);
        if let Some(record) = record(key, &at, &places, &mut faults) {
            found.lines.push(format!(
                "{} {} {} {:?}",
                record.id,
                key.hash.to_ascii_lowercase(),
                record.role.as_str(),
                key.models
            ));
            duplicates(&found.records, &record, &at, &places, &mut faults);
            found.records.push(record);
        }
    }
    if faults.is_empty() {
        Ok(found)
    } else {
        Err(hinted(faults))
    }
}

fn record(
    key: &RawKey,
    at: &KeyPath,
    places: &Places,
    faults: &mut Vec<Fault>,
) -> Option<KeyRecord> {
    let id = key.id.parse::<KeyId>();
    if let Err(fault) = &id {
        faults.push(places.fault(
            &at.key("id"),
            format!("{} {fault}", quoted(&key.id)),
            "write a short name such as alice",
        ));
    }
    let digest = KeyDigest::parse(&key.hash);
    if let Err(fault) = &digest {
        let problem = match fault {
            DigestFault::Scheme => "is not a hash (a key's own text must never stand here)",
            DigestFault::Hex => "is not 64 hex digits after `sha256:`",
        };
        faults.push(places.fault(
            &at.key("hash"),
            problem,
            "write sha256: and the 64 hex digits of the key's SHA-256; `portcullis keys hash` \
             makes them",
        ));
    }
    let mut models = Vec::new();
    for (index, text) in key.models.iter().flatten().enumerate() {
        match text.parse::<Pattern>() {
            Ok(pattern) => models.push(pattern),
            Err(fault) => faults.push(places.fault(
                &at.key("models").index(index),
                format!("{} {fault}", quoted(text)),
                "write a model's name, or a pattern such as gpt-*",
            )),
        }
    }
    Some(KeyRecord {
        id: id.ok()?,
        digest: digest.ok()?,
        role: key.role.into(),
        models: key.models.as_ref().map(|_| models),
    })
}

fn duplicates(
    records: &[KeyRecord],
    record: &KeyRecord,
    at: &KeyPath,
    places: &Places,
    faults: &mut Vec<Fault>,
) {
    if records.iter().any(|other| other.id == record.id) {
        faults.push(places.fault(
            &at.key("id"),
            format!("`{}` is the id of an earlier key too", record.id),
            "give each key an id of its own",
        ));
    }
    let same = records.iter().find(|other| other.digest == record.digest);
    if let Some(other) = same {
        faults.push(places.fault(
            &at.key("hash"),
            format!("is the hash of `{}` too", other.id),
            "give each caller a key of its own",
        ));
    }
}

/// Adds to a fault about an unknown key what the writer most likely wanted.
fn hinted(mut faults: Vec<Fault>) -> Vec<Fault> {
    for fault in &mut faults {
        let name = fault.key.rsplit('.').next().unwrap_or_default();
        let unknown = fault.problem == "is not a known key";
        if unknown && ["key", "secret", "token", "api_key", "value"].contains(&name) {
            "a key's own text is never stored; write `hash:` with what `portcullis keys hash` says"
                .clone_into(&mut fault.remedy);
        }
    }
    faults
}
