//! What outlives policies: who is blocked, and what has been used of the limits.
//!
//! Decides nothing by itself. A reload or an emergency measure makes a new policy and keeps the
//! ledger, so that neither forgets what was spent nor lets anybody go. All of it is bounded: client
//! addresses by [`DEFAULT_CLIENTS`] or as configured, names by `NAMES`.

use std::hash::BuildHasher as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::blocks::Blocks;
use super::connections::Connections;
use super::failures::Failures;
use super::flights::Flights;
use super::leases::{Ask, Due, Grant, Leases, Means, Paid};
use super::moment::Moment;
use super::rate::{self, Word as _};
use super::seed::{Seed, Seeded};
use super::table::{self, Key, Table};
use super::tokens::TokenBook;
use super::violations::Violations;
pub use super::who::Who;
use crate::policy::limits::{Limit, Scope, Standing};

/// Client addresses that have a word of their own at a time, where nothing is configured.
pub const DEFAULT_CLIENTS: usize = 1_000_000;
/// Keys and groups of models that have a word of their own at a time.
const NAMES: usize = 65_536;
/// Clients whose violations are counted at a time.
const VIOLATORS: usize = 65_536;

/// A limit that counts for a request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Level<'a> {
    pub(super) who: Who<'a>,
    pub(super) key: Key,
    pub(super) limit: Limit,
}

impl Level<'_> {
    /// Whether it is an emergency measure's.
    pub(super) const fn held(&self) -> bool {
        matches!(self.who, Who::ClientHeld(..) | Who::KeyHeld(..))
    }
}

/// A limit that was charged for a request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Charged {
    scope: Scope,
    key: Key,
    limit: Limit,
    paid: Paid,
    at: Moment,
}

/// A limit that is used up.
#[derive(Debug, Clone, Copy)]
pub(super) struct UsedUp {
    pub(super) wait: Duration,
    pub(super) standing: Standing,
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
    /// What is leased of limits that a fleet shares; none: the limits are this host's own.
    pub leases: Option<Leases>,
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
            leases: None,
            state: Seeded::new(seed),
            global: AtomicU64::new(0),
            clients: Table::new(clients),
            names: Table::new(NAMES),
        }
    }

    /// The same, with limits that a fleet shares.
    #[must_use]
    pub fn sharing(mut self, leases: Leases) -> Self {
        self.leases = Some(leases);
        self
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

    /// How many of this at once are this host's to let in.
    pub(super) fn part(&self, most: u32) -> u32 {
        self.leases
            .as_ref()
            .map_or(most, |leases| leases.part(most))
    }

    /// What this host may count up to by itself.
    pub fn share(&self, limit: Limit) -> Limit {
        let leases = self.leases.as_ref();
        leases.map_or(limit, |leases| leases.share(&limit))
    }

    /// Looks at a limit without charging it; answers what one more would leave.
    pub(super) fn look(&self, level: &Level<'_>, now: Moment) -> Result<Standing, UsedUp> {
        let Level { who, key, limit } = level;
        let word = self.word(who.scope(), *key);
        let Some(leases) = &self.leases else {
            return look_at(word, limit, now);
        };
        match leases.means(*who, *key, limit, now) {
            Means::Slice(left) => {
                let standing = rate::standing(word, limit, now);
                let remaining = standing.remaining.saturating_add(left.saturating_sub(1));
                Ok(Standing {
                    remaining: remaining.min(limit.burst()),
                    ..standing
                })
            }
            Means::Own => look_at(word, &leases.share(limit), now)
                .inspect_err(|_used_up| leases.want(*key, now)),
            Means::Nothing(wait) => Err(UsedUp {
                wait,
                standing: Standing {
                    remaining: 0,
                    ..rate::standing(word, limit, now)
                },
            }),
        }
    }

    /// What is left of a limit.
    pub(super) fn standing(&self, level: &Level<'_>, now: Moment) -> Standing {
        let word = self.word(level.who.scope(), level.key);
        rate::standing(word, &self.share(level.limit), now)
    }

    /// Lets one pass under a limit.
    pub(super) fn charge(&self, level: &Level<'_>, now: Moment) -> Result<Charged, Duration> {
        let Level { who, key, limit } = level;
        let scope = who.scope();
        let paid = match &self.leases {
            None => self.charge_own(scope, *key, limit, now).map(|()| Paid::Own),
            Some(leases) => leases.spend(*key, now, || {
                self.charge_own(scope, *key, &leases.share(limit), now)
            }),
        };
        paid.map(|paid| Charged {
            scope,
            key: *key,
            limit: *limit,
            paid,
            at: now,
        })
    }

    /// Gives one back.
    pub(super) fn give_back(&self, charged: &Charged, now: Moment) {
        match &self.leases {
            None => self.give_back_own(charged, now),
            Some(leases) => leases.take_back(charged.key, charged.paid, || {
                self.give_back_own(charged, now);
            }),
        }
    }

    /// What the store of a fleet is to be asked now, of at most so many limits.
    pub fn due(&self, now: Moment, most: usize) -> Due {
        let word = |scope, key| self.word(scope, key);
        let leases = self.leases.as_ref();
        leases.map_or_else(Due::default, |leases| leases.due(now, most, word))
    }

    /// Takes over what the store of a fleet answered.
    pub fn granted(&self, ask: &Ask, grant: Grant, now: Moment) {
        let leases = self.leases.as_ref();
        let Some(word) = leases.and_then(|leases| leases.granted(ask, grant, now)) else {
            return;
        };
        match self.table(ask.scope) {
            None => self.global.store(word, Ordering::Release),
            Some(table) => table.update(ask.key, now, table::recovered, |_old| (Some(word), ())),
        }
    }

    /// The word of a limit.
    pub(super) fn word(&self, scope: Scope, key: Key) -> u64 {
        self.table(scope)
            .map_or_else(|| self.global.look(), |table| table.read(key))
    }

    /// The same under a limit of this host's own.
    pub(super) fn charge_own(
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

    fn give_back_own(&self, charged: &Charged, now: Moment) {
        let Charged { scope, key, at, .. } = *charged;
        let interval = self.share(charged.limit).interval();
        if let Some(table) = self.table(scope) {
            table.update(key, now, table::recovered, |word| {
                (Some(rate::returned(word, interval, at, now)), ())
            });
            return;
        }
        let mut seen = self.global.look();
        while let Err(other) = self
            .global
            .replace(seen, rate::returned(seen, interval, at, now))
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

fn look_at(word: u64, limit: &Limit, now: Moment) -> Result<Standing, UsedUp> {
    match rate::next(word, limit, now) {
        Ok(next) => Ok(rate::standing(next, limit, now)),
        Err(wait) => Err(UsedUp {
            wait,
            standing: rate::standing(word, limit, now),
        }),
    }
}
