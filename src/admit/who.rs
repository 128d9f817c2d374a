//! Who it is that a limit counts for: what it is hashed as here, and called in a fleet.
//!
//! Decides that no two of them are taken for one. What has been used is the ledger's to know.

use std::hash::{Hash, Hasher};

use super::client::Client;
use crate::policy::limits::{Limit, Scope};

/// Who it is that a limit counts for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who<'a> {
    /// Everybody.
    All,
    /// One client.
    Client(Client),
    /// The connections that one client opens.
    Connects(Client),
    /// One key.
    Key(&'a str),
    /// One group of models.
    Models(&'a str),
    /// One client, under an emergency measure. Such a limit has a count of its own, so that
    /// nothing of it is left when it is undone.
    ClientHeld(Client, Limit),
    /// One key, under an emergency measure.
    KeyHeld(&'a str, Limit),
    /// The calls to one provider.
    Provider(&'a str),
}

/// One piece of bytes for each, which costs a third of hashing field by field. No two are alike:
/// the last byte says which kind it is, and what stands before it has one length, or is a name
/// before something of one length.
impl Hash for Who<'_> {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        match self {
            Self::All => hasher.write_u8(0),
            Self::Client(client) => hasher.write(&tagged(*client, 1)),
            Self::Connects(client) => hasher.write(&tagged(*client, 2)),
            Self::Key(key) => write_name(hasher, key, 3),
            Self::Models(group) => write_name(hasher, group, 4),
            Self::Provider(name) => write_name(hasher, name, 7),
            Self::ClientHeld(client, limit) => {
                limit.hash(hasher);
                hasher.write(&tagged(*client, 5));
            }
            Self::KeyHeld(key, limit) => {
                hasher.write(key.as_bytes());
                limit.hash(hasher);
                hasher.write_u8(6);
            }
        }
    }
}

/// A client and what it is counted for, as ten bytes.
fn tagged(client: Client, kind: u8) -> [u8; 10] {
    let (bits, four) = match client {
        Client::V4(bits) => (u64::from(bits), 1),
        Client::V6(bits) => (bits, 0),
    };
    let mut bytes = [four; 10];
    let (front, rest) = bytes.split_at_mut(8);
    front.copy_from_slice(&bits.to_le_bytes());
    rest.copy_from_slice(&[four, kind]);
    bytes
}

fn write_name(hasher: &mut impl Hasher, name: &str, kind: u8) {
    hasher.write(name.as_bytes());
    hasher.write_u8(kind);
}

impl Who<'_> {
    /// The level at which it is counted.
    pub const fn scope(&self) -> Scope {
        match self {
            Self::All => Scope::Global,
            Self::Client(_) | Self::Connects(_) | Self::ClientHeld(..) => Scope::Ip,
            Self::Key(_) | Self::KeyHeld(..) => Scope::Key,
            Self::Models(_) | Self::Provider(_) => Scope::Model,
        }
    }

    /// What all hosts of a fleet call it.
    pub(super) fn name(&self) -> Box<str> {
        let held = |limit: &Limit| format!("{},{}", limit.rate(), limit.burst());
        match self {
            Self::All => "all".into(),
            Self::Client(client) => format!("ip:{}", client.network()).into(),
            Self::Connects(client) => format!("connects:{}", client.network()).into(),
            Self::Key(key) => format!("key:{key}").into(),
            Self::Models(group) => format!("model:{group}").into(),
            Self::Provider(name) => format!("provider:{name}").into(),
            Self::ClientHeld(client, limit) => {
                format!("held:{}:ip:{}", held(limit), client.network()).into()
            }
            Self::KeyHeld(key, limit) => format!("held:{}:key:{key}", held(limit)).into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::admit::ledger::Ledger;
    use crate::admit::table::Key;

    #[test]
    fn no_two_kinds_of_counting_share_a_key() {
        let limit = |rate: &str, burst| Limit::new(rate.parse().unwrap(), burst).unwrap();
        let (slow, fast) = (limit("1/minute", 1), limit("2/minute", 1));
        let clients = [
            Client::V4(1),
            Client::V4(2),
            Client::V6(1),
            Client::V6(1 << 32),
        ];
        let mut all = vec![Who::All];
        for client in clients {
            all.extend([Who::Client(client), Who::Connects(client)]);
            all.extend([slow, fast].map(|limit| Who::ClientHeld(client, limit)));
        }
        // Names that hold what others are told apart by.
        for name in [
            "",
            "a",
            "a\u{3}",
            "a\u{4}",
            "\u{0}",
            "\u{1}\0\0\0\0\0\0\0\u{1}",
        ] {
            all.extend([Who::Key(name), Who::Models(name), Who::Provider(name)]);
            all.extend([slow, fast].map(|limit| Who::KeyHeld(name, limit)));
        }
        let ledger = Ledger::new(1);
        let keys: HashSet<Key> = all.iter().map(|who| ledger.key(*who)).collect();
        assert_eq!(keys.len(), all.len(), "each has a key of its own");
    }
}
