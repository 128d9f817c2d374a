//! The keys file as it is written.
//!
//! Decides which keys an entry has, and in what order they are written. What their values mean is
//! decided by `record`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::identify::keys::Role;

/// The keys file as it is written.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "Keys")]
pub(super) struct RawKeys {
    /// All keys.
    pub keys: Vec<KeyEntry>,
}

/// One key as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Key")]
pub struct KeyEntry {
    /// Its public id.
    pub id: String,
    /// `sha256:` or `hmac-sha256:` and the 64 hex digits of the key's digest.
    pub hash: String,
    /// What it may do.
    pub role: KeyRole,
    /// Model patterns that it may use; all, if not written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub models: Option<Vec<String>>,
    /// Provider patterns that it may use; all, if not written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub providers: Option<Vec<String>>,
    /// Path patterns that it may use; all of its role's, if not written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paths: Option<Vec<String>>,
    /// Addresses and networks that it may come from; all, if not written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ips: Option<Vec<String>>,
    /// Hours in which it may call, such as `Mon-Fri 08:00-18:00`, in UTC; all, if not written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<Vec<String>>,
    /// From when it is good: 2027-01-31T00:00:00Z, or a date, which is its first second in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<String>,
    /// From when on it is no longer good, written in the same way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// How often it may call, such as 60/minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<String>,
    /// How many calls at once above the rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub burst: Option<u32>,
    /// How many model tokens it may use, such as 100000/hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<String>,
    /// Calls in flight at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub concurrent: Option<u32>,
    /// Notes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<BTreeMap<String, String>>,
    /// When it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    /// When it was last replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotated_at: Option<String>,
    /// When it was taken back; whatever stands here, it opens nothing any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<String>,
    /// Keys of this id that are being replaced, and still good for a while.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Vec<PreviousKey>>,
}

/// A key that is being replaced.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PreviousKey {
    /// The hash of its text.
    pub hash: String,
    /// From when on it is no longer good.
    pub expires_at: String,
}

/// A role as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Role")]
pub enum KeyRole {
    /// Metrics and monitoring.
    ReadOnly,
    /// Models.
    Standard,
    /// Models and the gateway itself.
    Admin,
    /// The gateway itself, for machines.
    System,
}

impl From<KeyRole> for Role {
    fn from(role: KeyRole) -> Self {
        match role {
            KeyRole::ReadOnly => Self::ReadOnly,
            KeyRole::Standard => Self::Standard,
            KeyRole::Admin => Self::Admin,
            KeyRole::System => Self::System,
        }
    }
}

impl From<Role> for KeyRole {
    fn from(role: Role) -> Self {
        match role {
            Role::ReadOnly => Self::ReadOnly,
            Role::Standard => Self::Standard,
            Role::Admin => Self::Admin,
            Role::System => Self::System,
        }
    }
}

impl KeyEntry {
    /// An entry without bounds.
    pub fn new(id: &str, hash: String, role: Role) -> Self {
        Self {
            id: id.to_owned(),
            hash,
            role: role.into(),
            models: None,
            providers: None,
            paths: None,
            ips: None,
            hours: None,
            not_before: None,
            expires_at: None,
            rate: None,
            burst: None,
            tokens: None,
            concurrent: None,
            metadata: None,
            created_at: None,
            rotated_at: None,
            revoked_at: None,
            previous: None,
        }
    }
}
