//! What outlives policies: who is blocked, and what has been used of the limits.
//!
//! Decides nothing by itself. A reload or an emergency measure makes a new policy and keeps the
//! ledger, so that neither forgets what was spent nor lets anybody go. All of it is bounded: client
//! addresses by [`DEFAULT_CLIENTS`] or as configured, names by `NAMES`.

use std::hash::BuildHasher as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::blocks::Blocks;
use super::client::Client;
use super::connections::Connections;
use super::failures::Failures;
use super::flights::Flights;
use super::moment::Moment;
use super::rate::{self, Word as _};
use super::seed::{Seed, Seeded};
use super::table::{self, Key, Table};
use super::tokens::TokenBook;
use super::violations::Violations;
use crate::policy::limits::{Limit, Scope};

/// Client addresses that have a word of their own at a time, where nothing is configured.
pub const DEFAULT_CLIENTS: usize = 1_000_000;
/// Keys and groups of models that have a word of their own at a time.
const NAMES: usize = 65_536;
/// Clients whose violations are counted at a time.
const VIOLATORS: usize = 65_536;

/// Who it is that a limit counts for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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
}

impl Who<'_> {
    /// The level at which it is counted.
    pub const fn scope(&self) -> Scope {
        match self {
            Self::All => Scope::Global,
            Self::Client(_) | Self::Connects(_) | Self::ClientHeld(..) => Scope::Ip,
            Self::Key(_) | Self::KeyHeld(..) => Scope::Key,
            Self::Models(_) => Scope::Model,
        }
    }
}

/// The state that a request's policy is applied to.
#[derive(Debug)]
pub struct Ledger {
    /// Addresses and networks that are sent away.
    pub blocks: Blocks,
    /// Failures to authenticate of late.
    pub failures: Failures,
    /// Connections that are open.
    pub connections: Connections,
    /// Requests in flight.
    pub flights: Flights,
    /// Model tokens, reserved and spent.
    pub tokens: TokenBook,
    /// Violations of limits, by client and in all.
    pub violations: Violations,
    state: Seeded,
    global: AtomicU64,
    clients: Table,
    names: Table,
}

impl Default for Ledger {
    fn default() -> Self {
        Self::new(DEFAULT_CLIENTS)
    }
}

impl Ledger {
    /// A ledger with room for so many client addresses.
    pub fn new(clients: usize) -> Self {
        Self::seeded(clients, Seed::random())
    }

    /// The same, with the keys of a predecessor.
    pub fn seeded(clients: usize, seed: Seed) -> Self {
        Self {
            blocks: Blocks::default(),
            failures: Failures::default(),
            connections: Connections::default(),
            flights: Flights::default(),
            tokens: TokenBook::default(),
            violations: Violations::new(VIOLATORS),
            state: Seeded::new(seed),
            global: AtomicU64::new(0),
            clients: Table::new(clients),
            names: Table::new(NAMES),
        }
    }

    /// The key under which somebody is counted.
    pub fn key(&self, who: Who<'_>) -> Key {
        Key::of(self.state.hash_one(who))
    }

    /// Client addresses that have a word of their own, ended ones included.
    pub fn clients_known(&self) -> usize {
        self.clients.used()
    }

    fn table(&self, scope: Scope) -> Option<&Table> {
        match scope {
            Scope::Global => None,
            Scope::Ip => Some(&self.clients),
            Scope::Key | Scope::Model => Some(&self.names),
        }
    }

    /// The word of a limit.
    pub(super) fn word(&self, scope: Scope, key: Key) -> u64 {
        self.table(scope)
            .map_or_else(|| self.global.look(), |table| table.read(key))
    }

    /// Lets one pass under a limit.
    pub(super) fn charge(
        &self,
        scope: Scope,
        key: Key,
        limit: &Limit,
        now: Moment,
    ) -> Result<(), Duration> {
        let Some(table) = self.table(scope) else {
            return rate::charge(&self.global, limit, now).map(|_next| ());
        };
        table.update(key, now, table::recovered, |word| {
            match rate::next(word, limit, now) {
                Ok(next) => (Some(next), Ok(())),
                Err(wait) => (None, Err(wait)),
            }
        })
    }

    /// Gives one back that passed at `then`.
    pub(super) fn give_back(
        &self,
        scope: Scope,
        key: Key,
        limit: &Limit,
        (then, now): (Moment, Moment),
    ) {
        if let Some(table) = self.table(scope) {
            table.update(key, now, table::recovered, |word| {
                (Some(rate::returned(word, limit, then, now)), ())
            });
            return;
        }
        let mut seen = self.global.look();
        while let Err(other) = self
            .global
            .replace(seen, rate::returned(seen, limit, then, now))
        {
            seen = other;
        }
    }

    pub(super) const fn seed(&self) -> Seed {
        self.state.seed()
    }

    pub(super) fn check(&self, examples: &[Who<'_>]) -> u64 {
        self.state.check(examples)
    }

    pub(super) fn global_word(&self) -> u64 {
        self.global.look()
    }

    pub(super) fn client_words(&self) -> Vec<(Key, u64)> {
        self.clients.words()
    }

    pub(super) fn name_words(&self) -> Vec<(Key, u64)> {
        self.names.words()
    }

    /// Words that a predecessor left: never less than what is there already.
    pub(super) fn take_global(&self, word: u64) {
        self.global.fetch_max(word, Ordering::AcqRel);
    }

    pub(super) fn take_client(&self, key: Key, word: u64, now: Moment) {
        self.clients.raise(key, word, now, table::recovered);
    }

    pub(super) fn take_name(&self, key: Key, word: u64, now: Moment) {
        self.names.raise(key, word, now, table::recovered);
    }
}
