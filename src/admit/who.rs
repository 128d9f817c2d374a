//! Who it is that a limit counts for: what it is hashed as here, and called in a fleet.
//!
//! Decides that no two of them are taken for one. What has been used is the ledger's to know.

use super::client::Client;
use super::moment::nanos;
use super::seed::Seeded;
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
    ClientHeld(Client, &'a Limit),
    /// One key, under an emergency measure.
    KeyHeld(&'a str, &'a Limit),
    /// The calls to one provider.
    Provider(&'a str),
    /// The model tokens of one key, where a fleet shares its limit.
    Tokens(&'a str),
}

impl Who<'_> {
    /// Its hash. No two are alike before they are hashed: the first word says which kind it is,
    /// and so how many words stand before the name, which comes last.
    #[inline]
    pub(super) fn hash(&self, seeded: &Seeded) -> u64 {
        match self {
            Self::All => seeded.hash(&[0], &[]),
            Self::Client(client) => of_client(seeded, *client, 1),
            Self::Connects(client) => of_client(seeded, *client, 2),
            Self::Key(key) => seeded.hash(&[3], key.as_bytes()),
            Self::Models(group) => seeded.hash(&[4], group.as_bytes()),
            Self::ClientHeld(client, limit) => {
                let [count, period, burst] = words(limit);
                let [kind, bits] = tagged(*client, 5);
                seeded.hash(&[kind, bits, count, period, burst], &[])
            }
            Self::KeyHeld(key, limit) => {
                let [count, period, burst] = words(limit);
                seeded.hash(&[6, count, period, burst], key.as_bytes())
            }
            Self::Provider(name) => seeded.hash(&[7], name.as_bytes()),
            Self::Tokens(key) => seeded.hash(&[8], key.as_bytes()),
        }
    }
}

#[inline]
fn of_client(seeded: &Seeded, client: Client, kind: u64) -> u64 {
    seeded.hash(&tagged(client, kind), &[])
}

/// A client and what it is counted for.
#[inline]
fn tagged(client: Client, kind: u64) -> [u64; 2] {
    let [family, bits] = client.words();
    [kind | family << 8, bits]
}

/// What a limit is, as far as one is told from another.
fn words(limit: &Limit) -> [u64; 3] {
    let rate = limit.rate();
    [
        rate.count().get(),
        nanos(rate.period()),
        u64::from(limit.burst()),
    ]
}

impl Who<'_> {
    /// The level at which it is counted.
    pub const fn scope(&self) -> Scope {
        match self {
            Self::All => Scope::Global,
            Self::Client(_) | Self::Connects(_) | Self::ClientHeld(..) => Scope::Ip,
            Self::Key(_) | Self::KeyHeld(..) | Self::Tokens(_) => Scope::Key,
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
            Self::Tokens(key) => format!("tokens:{key}").into(),
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
            all.extend([&slow, &fast].map(|limit| Who::ClientHeld(client, limit)));
        }
        // Names that hold what others are told apart by.
        for name in [
            "",
            "a",
            "a\u{3}",
            "a\u{4}",
            "\u{0}",
            "\u{1}\0\0\0\0\0\0\0\u{1}",
            "\0\0\0\0\0\0\0\0",
        ] {
            all.extend([Who::Key(name), Who::Models(name)]);
            all.extend([Who::Provider(name), Who::Tokens(name)]);
            all.extend([&slow, &fast].map(|limit| Who::KeyHeld(name, limit)));
        }
        let ledger = Ledger::new(1);
        let keys: HashSet<Key> = all.iter().map(|who| ledger.key(*who)).collect();
        assert_eq!(keys.len(), all.len(), "each has a key of its own");
    }
}
