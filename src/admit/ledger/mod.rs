//! What outlives policies: who is blocked, and what has been used of the limits.
//!
//! Decides nothing by itself. A reload or an emergency measure makes a new policy and keeps the
//! ledger, so that neither forgets what was spent nor lets anybody go. All of it is bounded: client
//! addresses by [`DEFAULT_CLIENTS`] or as configured, names by `NAMES`.
//! Lives here: the ledger, and what a look at a limit finds. Must not live here: what a limit is
//! (`policy`), who is to be limited (`admission`).

mod view;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::admit::accounts::{Accounts, Held, Short};
use crate::admit::blocks::Blocks;
use crate::admit::connections::Connections;
use crate::admit::failures::Failures;
use crate::admit::flights::Flights;
use crate::admit::leases::{Aside, Ask, Count, Due, Grant, Leases, Paid};
use crate::admit::moment::Moment;
use crate::admit::rate::{self, Word as _};
use crate::admit::seed::{Seed, Seeded};
use crate::admit::table::{self, Key, Seen, Table};
use crate::admit::violations::Violations;
use crate::policy::limits::{Limit, Scope, Standing};

pub use super::who::Who;
use view::look_shared;
pub(in crate::admit) use view::{Charged, Level, UsedUp, View};

/// Client addresses that have a word of their own at a time, where nothing is configured.
pub const DEFAULT_CLIENTS: usize = 1_000_000;
/// Keys and groups of models that have a word of their own at a time.
const NAMES: usize = 65_536;
/// Clients whose violations are counted at a time.
const VIOLATORS: usize = 65_536;

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
    /// What each key has open: requests in flight, model tokens.
    pub accounts: Accounts,
    /// Violations of limits, by client and in all.
    pub violations: Violations,
    /// What is leased of limits that a fleet shares; none: the limits are this host's own.
    pub leases: Option<Leases>,
    state: Seeded,
    everybody: Key,
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
        let state = Seeded::new(seed);
        Self {
            blocks: Blocks::default(),
            failures: Failures::default(),
            connections: Connections::default(),
            flights: Flights::default(),
            accounts: Accounts::default(),
            violations: Violations::new(VIOLATORS),
            leases: None,
            everybody: Key::of(Who::All.hash(&state)),
            state,
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
    #[inline]
    pub fn key(&self, who: Who<'_>) -> Key {
        if who == Who::All {
            return self.everybody;
        }
        Key::of(who.hash(&self.state))
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
    pub(in crate::admit) fn part(&self, most: u32) -> u32 {
        self.leases
            .as_ref()
            .map_or(most, |leases| leases.part(most))
    }

    /// What this host may count up to by itself.
    pub fn share(&self, limit: Limit) -> Limit {
        let leases = self.leases.as_ref();
        leases.map_or(limit, |leases| leases.share(&limit))
    }

    /// Looks at a limit without charging it.
    #[inline]
    pub(in crate::admit) fn look(
        &self,
        level: &Level<'_>,
        now: Moment,
    ) -> Result<View<'_>, UsedUp> {
        let seen = self.seen(level);
        let word = seen.map_or(0, |seen| seen.value);
        if let Some(leases) = &self.leases {
            return look_shared(leases, level, word, now);
        }
        let view = |next| View {
            step: seen,
            next,
            paid: 0,
            hosts: 1,
        };
        let next = rate::next(word, level.limit, now);
        next.map(view)
            .map_err(|wait| UsedUp::at(word, level.limit, wait, now))
    }

    #[inline]
    fn seen(&self, level: &Level<'_>) -> Option<Seen<'_>> {
        match self.table(level.who.scope()) {
            None => Some(Seen::alone(&self.global, level.key)),
            Some(table) => table.seen(level.key),
        }
    }

    /// What is left of a limit.
    pub(in crate::admit) fn standing(&self, level: &Level<'_>, now: Moment) -> Standing {
        let word = self.word(level.who.scope(), level.key);
        rate::standing(word, &self.share(*level.limit), now)
    }

    /// Lets one pass under a limit that was looked at: nearly always nobody came in between.
    #[inline]
    pub(in crate::admit) fn charge_viewed(
        &self,
        level: &Level<'_>,
        view: &View<'_>,
        now: Moment,
    ) -> Result<Charged, Duration> {
        match view.step {
            Some(seen) if seen.replace(view.next) => Ok(Charged::of(level, Paid::Own, now)),
            Some(_) | None => self.charge(level, now),
        }
    }

    /// Lets one pass under a limit.
    pub(in crate::admit) fn charge(
        &self,
        level: &Level<'_>,
        now: Moment,
    ) -> Result<Charged, Duration> {
        let Level { who, key, limit } = level;
        let scope = who.scope();
        let paid = match &self.leases {
            None => self.charge_own(scope, *key, limit, now).map(|()| Paid::Own),
            Some(leases) => leases.spend(*key, now, || {
                self.charge_own(scope, *key, &leases.share(limit), now)
            }),
        };
        paid.map(|paid| Charged::of(level, paid, now))
    }

    /// Gives one back.
    pub(in crate::admit) fn give_back(&self, charged: &Charged, now: Moment) {
        match &self.leases {
            None => self.give_back_own(charged, now),
            Some(leases) => leases.take_back(charged.key, charged.paid, || {
                self.give_back_own(charged, now);
            }),
        }
    }

    /// What the store of a fleet is to be asked now, of at most so many limits.
    pub fn due(&self, now: Moment, most: usize) -> Due {
        let word = |count| match count {
            Count::Word(scope, key) => self.word(scope, key),
            Count::Account(key) => self.accounts.word(key, now),
        };
        let leases = self.leases.as_ref();
        leases.map_or_else(Due::default, |leases| leases.due(now, most, word))
    }

    /// Takes over what the store of a fleet answered.
    pub fn granted(&self, ask: &Ask, grant: Grant, now: Moment) {
        let leases = self.leases.as_ref();
        let Some(word) = leases.and_then(|leases| leases.granted(ask, grant, now)) else {
            return;
        };
        let (scope, key) = match ask.count {
            Count::Word(scope, key) => (scope, key),
            Count::Account(key) => return self.accounts.set(key, word, now),
        };
        match self.table(scope) {
            None => self.global.store(word, Ordering::Release),
            Some(table) => table.update(key, now, table::recovered, |_old| (Some(word), ())),
        }
    }

    /// Sets model tokens of a key's aside: by its account, and in a fleet by what is leased.
    pub(in crate::admit) fn set_aside(
        &self,
        (name, key): (&str, Key),
        tokens: u64,
        limit: &Limit,
        now: Moment,
    ) -> Result<(Option<Aside>, Option<Held>), Short> {
        let Some(leases) = &self.leases else {
            let held = self.accounts.set_aside(key, tokens, limit, now)?;
            return Ok((None, Some(held)));
        };
        let all = u32::try_from(tokens).unwrap_or(u32::MAX).min(limit.burst());
        let share = leases.share(limit);
        let who = Who::Tokens(name);
        let whose = (who, self.key(who), key);
        leases.set_aside(whose, all, limit, now, |rest| {
            self.accounts.set_aside(key, u64::from(rest), &share, now)
        })
    }

    /// Ends what was set aside, by the tokens that were used and when that was told, and a request
    /// of the key's (`flight`).
    pub(in crate::admit) fn end(
        &self,
        (key, flight): (Key, bool),
        aside: Option<&Aside>,
        held: Option<Held>,
        used: Option<(u64, Moment)>,
    ) {
        let mut own = used;
        if let Some((leases, aside)) = self.leases.as_ref().zip(aside) {
            leases.end(aside, used);
            own = used.map(|(used, told)| (used.saturating_sub(u64::from(aside.slice)), told));
        }
        if flight || held.is_some() {
            self.accounts.end(key, flight, held, own);
        }
    }

    /// The word of a limit.
    pub(in crate::admit) fn word(&self, scope: Scope, key: Key) -> u64 {
        self.table(scope)
            .map_or_else(|| self.global.look(), |table| table.read(key))
    }

    /// The same under a limit of this host's own.
    pub(in crate::admit) fn charge_own(
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
        let hosts = self.leases.as_ref().map_or(1, Leases::hosts);
        let interval = charged.interval.saturating_mul(u64::from(hosts));
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

    pub(in crate::admit) const fn seed(&self) -> Seed {
        self.state.seed()
    }

    pub(in crate::admit) fn check(&self, examples: &[Who<'_>]) -> u64 {
        let hashes = examples.iter().map(|who| who.hash(&self.state));
        self.state.check(hashes)
    }

    pub(in crate::admit) fn global_word(&self) -> u64 {
        self.global.look()
    }

    pub(in crate::admit) fn client_words(&self) -> Vec<(Key, u64)> {
        self.clients.words()
    }

    pub(in crate::admit) fn name_words(&self) -> Vec<(Key, u64)> {
        self.names.words()
    }

    /// Words that a predecessor left: never less than what is there already.
    pub(in crate::admit) fn take_global(&self, word: u64) {
        self.global.fetch_max(word, Ordering::AcqRel);
    }

    pub(in crate::admit) fn take_client(&self, key: Key, word: u64, now: Moment) {
        self.clients.raise(key, word, now, table::recovered);
    }

    pub(in crate::admit) fn take_name(&self, key: Key, word: u64, now: Moment) {
        self.names.raise(key, word, now, table::recovered);
    }
}
