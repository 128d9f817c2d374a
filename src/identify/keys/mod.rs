//! API keys: how one is made, what is kept of it, what it may do, and how a credential finds it.
//!
//! Lives here: records, digests, the table that finds them, and the text of new keys. Must not
//! live here: files (the command line and `config::keyfile` have those), clocks, and whether a
//! caller may do what it asks for (`identify::authorize`).

pub mod bounds;
pub mod digest;
pub mod hours;
pub mod mint;
pub mod ring;
mod table;

use std::fmt;

pub use bounds::{Bounds, KeyLimits};
pub use digest::{DigestFault, KeyDigest, KeyHash, Pepper, Scheme};
pub use mint::{KEY_PREFIX, mint};
pub use ring::{Keyring, KeyringFault};

use crate::policy::names::KeyId;

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
    /// Every role.
    pub const ALL: [Self; 4] = [Self::ReadOnly, Self::Standard, Self::Admin, Self::System];

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
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }
}

/// What is known of one key. Kept small: a gateway may hold a million of them.
#[derive(Clone)]
pub struct KeyRecord {
    /// Its public id. A key that is being replaced has the id of the one that replaces it.
    pub id: KeyId,
    /// The digest of its text.
    pub hash: KeyHash,
    /// What it may do.
    pub role: Role,
    /// Whether it was taken back.
    pub revoked: bool,
    /// Whether it is the older of two keys of one id.
    pub replaced: bool,
    /// From when it is good, in seconds since 1970.
    pub not_before: u64,
    /// From when on it is no longer good, in seconds since 1970.
    pub expires_at: u64,
    /// What else it is bound to; none: nothing.
    pub bounds: Option<Box<Bounds>>,
}

impl KeyRecord {
    /// A key without bounds, good for ever.
    pub const fn new(id: KeyId, hash: KeyHash, role: Role) -> Self {
        Self {
            id,
            hash,
            role,
            revoked: false,
            replaced: false,
            not_before: 0,
            expires_at: u64::MAX,
            bounds: None,
        }
    }

    /// The rates of the key's own.
    pub fn limits(&self) -> KeyLimits {
        self.bounds
            .as_ref()
            .map(|bounds| bounds.limits)
            .unwrap_or_default()
    }
}

impl fmt::Debug for KeyRecord {
    /// What is kept of a key's text stays out of logs, hashed as it is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRecord")
            .field("id", &self.id)
            .field("role", &self.role)
            .field("revoked", &self.revoked)
            .field("bounds", &self.bounds)
            .finish_non_exhaustive()
    }
}
