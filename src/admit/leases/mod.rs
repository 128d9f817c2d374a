//! What this host may spend of limits that a fleet shares, between two questions to the store.
//!
//! Decides by what a request is paid: by a slice that was leased of the shared limit beforehand,
//! or, where none is there and the store has not said that all is used up, by the host's own share
//! (one part in as many as there are hosts), which the store is told of afterwards. So nobody ever
//! waits for the store, and when it is away every host holds the limit to its own share. It knows
//! no socket: whoever keeps the leases asks `due` what to ask the store for and hands
//! in what it answered.
//!
//! What may pass beyond the shared limit is what all hosts have spent of their own shares and not
//! told yet: never more than the burst in all while the store answers.

mod keep;
mod tokens;

use std::collections::hash_map::Entry;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::ledger::Who;
use super::moment::Moment;
use super::table::{Key, KeyMap};
use crate::policy::limits::{Limit, Scope};

pub use keep::{Ask, Due, Grant};
pub(super) use tokens::Aside;

/// Parts, each under a lock that is held for a few comparisons.
const SHARDS: u64 = 256;
/// Limits that are leased at a time; what comes beyond is held to the host's own share.
pub const MOST_LEASES: usize = 65_536;
/// Hosts that a fleet may have; more are taken for so many.
pub const MOST_HOSTS: u32 = 1_000;
/// What the wait for the next slice is longer than the store says, so that it is here by then.
const LEAD: Duration = Duration::from_millis(20);

/// Told that a slice is needed.
pub struct Wake(Box<dyn Fn() + Send + Sync>);

impl Wake {
    /// What is done to tell it.
    pub fn new(tell: impl Fn() + Send + Sync + 'static) -> Self {
        Self(Box::new(tell))
    }
}

impl fmt::Debug for Wake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wake")
    }
}

/// What is leased of one limit.
#[derive(Debug)]
struct Lease {
    /// What all hosts call it.
    name: Box<str>,
    count: Count,
    limit: Limit,
    /// What is left of the slice.
    left: u32,
    /// What was spent of the host's own share, and not told to the store yet.
    debt: u32,
    /// How many asked since the store was asked.
    wanted: u32,
    /// How many ask between two questions to the store, of late.
    demand: u32,
    /// The shared limit is used up until then.
    used_up: Option<Moment>,
    /// The store's time when the oldest of what is left was granted.
    since: u64,
    /// When somebody asked last.
    last: Moment,
    /// When all that the store knows to be used will have recovered.
    recovered: Moment,
    /// Requests in flight that have set some of it aside.
    open: u32,
    /// How many somebody waits for, and when they were told to come again.
    awaited: Option<(u32, Moment)>,
}

/// Where the host itself counts what a limit is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Count {
    /// A word of the ledger's.
    Word(Scope, Key),
    /// The account of this key: model tokens.
    Account(Key),
}

/// By what a request was paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paid {
    /// By what the host counts itself.
    Own,
    /// By a slice.
    Slice,
}

/// What there is to pay one more by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Means {
    /// A slice with so many left.
    Slice(u32),
    /// The host's own share, if that is enough.
    Own,
    /// Nothing, for so long.
    Nothing(Duration),
}

type Shard = Mutex<KeyMap<Lease>>;

/// All leases of the host.
#[derive(Debug)]
pub struct Leases {
    shards: Box<[Shard]>,
    there: AtomicUsize,
    hosts: AtomicU32,
    connected: AtomicBool,
    crowded: AtomicU64,
    /// Where the next look at all leases begins.
    cursor: AtomicUsize,
    wake: Wake,
}

impl Leases {
    /// No leases of a fleet of one, whose store has not answered yet.
    pub fn new(wake: Wake) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Shard::default()).collect(),
            there: AtomicUsize::new(0),
            hosts: AtomicU32::new(1),
            connected: AtomicBool::new(false),
            crowded: AtomicU64::new(0),
            cursor: AtomicUsize::new(0),
            wake,
        }
    }

    /// How many hosts share the limits, as far as is known.
    pub fn hosts(&self) -> u32 {
        self.hosts.load(Ordering::Relaxed)
    }

    /// Notes how many hosts share the limits.
    pub fn set_hosts(&self, hosts: u32) {
        let hosts = hosts.clamp(1, MOST_HOSTS);
        self.hosts.store(hosts, Ordering::Relaxed);
    }

    /// Whether the store answers.
    pub fn is_connected(&self) -> bool {
        self.connected.load(Ordering::Relaxed)
    }

    /// Notes whether the store answers.
    pub fn set_connected(&self, connected: bool) {
        self.connected.store(connected, Ordering::Relaxed);
    }

    /// Limits that are leased.
    pub fn there(&self) -> usize {
        self.there.load(Ordering::Relaxed)
    }

    /// How often a limit was held to the host's own share for want of room.
    pub fn crowded(&self) -> u64 {
        self.crowded.load(Ordering::Relaxed)
    }

    /// What this host may count up to by itself.
    pub(super) fn share(&self, limit: &Limit) -> Limit {
        limit.share(self.hosts())
    }

    /// Of so many at once, this host's part.
    pub(super) fn part(&self, most: u32) -> u32 {
        most.checked_div(self.hosts()).unwrap_or(most).max(1)
    }

    /// What one more can be paid by. Whoever can't be let in counts as asking for a slice.
    pub(super) fn means(&self, who: Who<'_>, key: Key, limit: &Limit, now: Moment) -> Means {
        let Some(mut shard) = self.shard(key) else {
            return Means::Own;
        };
        let count = Count::Word(who.scope(), key);
        let Some(lease) = self.lease(&mut shard, (who, count), key, limit, now) else {
            return Means::Own;
        };
        if lease.left > 0 {
            return Means::Slice(lease.left);
        }
        match lease.used_up {
            Some(until) if self.is_connected() => {
                lease.wanted = lease.wanted.saturating_add(1);
                lease.last = now;
                Means::Nothing(until.since(now).saturating_add(LEAD))
            }
            Some(_) | None => Means::Own,
        }
    }

    /// Notes that the host's own share was not enough for somebody.
    pub(super) fn want(&self, key: Key, now: Moment) {
        if let Some(lease) = self
            .shard(key)
            .as_mut()
            .and_then(|shard| shard.get_mut(&key))
        {
            lease.wanted = lease.wanted.saturating_add(1);
            lease.last = now;
        }
        self.wake.0();
    }

    /// Pays for one. `own` charges the host's own share.
    ///
    /// # Errors
    /// It can't be paid; the wait after which it could be.
    pub(super) fn spend(
        &self,
        key: Key,
        now: Moment,
        own: impl FnOnce() -> Result<(), Duration>,
    ) -> Result<Paid, Duration> {
        let mut shard = self.shard(key);
        let Some(lease) = shard.as_mut().and_then(|shard| shard.get_mut(&key)) else {
            // No room to count it for the store: the share is what holds it.
            self.crowded.fetch_add(1, Ordering::Relaxed);
            return own().map(|()| Paid::Own);
        };
        lease.wanted = lease.wanted.saturating_add(1);
        lease.last = now;
        let running_out = lease.left <= lease.demand;
        let paid = if lease.left > 0 {
            lease.left = lease.left.saturating_sub(1);
            Ok(Paid::Slice)
        } else if let Some(until) = lease.used_up.filter(|_| self.is_connected()) {
            return Err(until.since(now).saturating_add(LEAD));
        } else {
            own().map(|()| {
                lease.debt = lease.debt.saturating_add(1);
                Paid::Own
            })
        };
        let worth_asking = lease.used_up.is_none_or(|until| until <= now);
        drop(shard);
        if running_out && worth_asking {
            self.wake.0();
        }
        paid
    }

    /// Takes back what one was paid by. `own` gives it back to the host's own share.
    pub(super) fn take_back(&self, key: Key, paid: Paid, own: impl FnOnce()) {
        let mut shard = self.shard(key);
        let lease = shard.as_mut().and_then(|shard| shard.get_mut(&key));
        match (paid, lease) {
            (Paid::Slice, Some(lease)) => lease.left = lease.left.saturating_add(1),
            (Paid::Own, Some(lease)) if lease.debt == 0 => {
                // The store was told already, so that it is this host's to spend.
                lease.left = lease.left.saturating_add(1);
            }
            (Paid::Own, Some(lease)) => {
                lease.debt = lease.debt.saturating_sub(1);
                own();
            }
            (Paid::Own, None) => own(),
            // The slice has gone back to the store meanwhile.
            (Paid::Slice, None) => {}
        }
    }

    fn shard(&self, key: Key) -> Option<MutexGuard<'_, KeyMap<Lease>>> {
        let index = key.spread().checked_rem(SHARDS)?;
        let shard = self.shards.get(usize::try_from(index).ok()?)?;
        Some(shard.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn lease<'l>(
        &self,
        shard: &'l mut KeyMap<Lease>,
        (who, count): (Who<'_>, Count),
        key: Key,
        limit: &Limit,
        now: Moment,
    ) -> Option<&'l mut Lease> {
        let lease = match shard.entry(key) {
            Entry::Occupied(place) => place.into_mut(),
            Entry::Vacant(_) if self.there() >= MOST_LEASES => return None,
            Entry::Vacant(place) => {
                self.there.fetch_add(1, Ordering::Relaxed);
                place.insert(Lease::new(who.name(), count, *limit, now))
            }
        };
        // A reload may have changed it; what is left was leased, and stays so.
        lease.limit = *limit;
        Some(lease)
    }
}

impl Lease {
    fn new(name: Box<str>, count: Count, limit: Limit, now: Moment) -> Self {
        Self {
            name,
            count,
            limit,
            left: 0,
            debt: 0,
            wanted: 0,
            demand: 0,
            used_up: None,
            since: 0,
            last: now,
            recovered: Moment::default(),
            open: 0,
            awaited: None,
        }
    }
}

#[cfg(test)]
mod tests;
