//! What to ask the store for, and what its answers change.
//!
//! Decides how large a slice is: what was asked for of late, and a part of the burst at least, so
//! that a slice is there before it is needed. What is not needed any more goes back. A limit that
//! is used up is asked for again when the store says that it will have recovered, not before.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::{Count, LEAD, Lease, Leases, MOST_LEASES};
use crate::admit::moment::{Moment, nanos};
use crate::admit::rate;
use crate::admit::table::Key;
use crate::policy::limits::Limit;

/// How long a slice stays that nobody asks for.
const HOLD: Duration = Duration::from_secs(2);
/// A host leases a part of the burst: one in so many for each host.
const PARTS: u32 = 4;
/// The longest that the store may say a limit is used up for.
const LONGEST: Duration = Duration::from_hours(2 * 365 * 24);

/// One limit that the store is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// Under what it is counted here.
    pub(in crate::admit) key: Key,
    /// Where.
    pub(in crate::admit) count: Count,
    /// What all hosts call it.
    pub name: Box<str>,
    /// The limit.
    pub limit: Limit,
    /// What was spent without a slice.
    pub debt: u32,
    /// What goes back of a slice.
    pub back: u32,
    /// The store's time when the oldest of it was granted.
    pub since: u64,
    /// How many more are wanted.
    pub want: u32,
}

/// What the store answers about one limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    /// How many are granted.
    pub granted: u32,
    /// How far the limit is used ahead of now, those included.
    pub ahead: Duration,
    /// The store's time, in microseconds.
    pub at: u64,
}

/// What there is to do about the leases.
#[derive(Debug, Default)]
pub struct Due {
    /// What to ask the store now.
    pub asks: Vec<Ask>,
    /// When there is something to ask again, although nobody says so.
    pub next: Option<Moment>,
    /// There is more to ask than was asked for.
    pub more: bool,
}

impl Leases {
    /// What to ask the store for now, of at most so many limits. `word` tells what the host
    /// counts by itself. Limits that nobody asks for are given back, and forgotten once the host
    /// would let one more in by its own share.
    pub(in crate::admit) fn due(
        &self,
        now: Moment,
        most: usize,
        word: impl Fn(Count) -> u64,
    ) -> Due {
        let mut due = Due::default();
        let first = self.cursor.load(Ordering::Relaxed);
        let behind = self.shards.iter().enumerate().skip(first);
        let before = self.shards.iter().enumerate().take(first);
        for (place, shard) in behind.chain(before) {
            if due.asks.len() >= most {
                self.cursor.store(place, Ordering::Relaxed);
                due.more = true;
                break;
            }
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            let before = shard.len();
            shard.retain(|key, lease| self.look_after(*key, lease, now, &word, &mut due));
            let gone = before.saturating_sub(shard.len());
            self.there.fetch_sub(gone, Ordering::Relaxed);
        }
        due
    }

    /// Looks after one lease; answers whether it stays.
    fn look_after(
        &self,
        key: Key,
        lease: &mut Lease,
        now: Moment,
        word: &impl Fn(Count) -> u64,
        due: &mut Due,
    ) -> bool {
        let word = word(lease.count);
        let share = self.share(&lease.limit);
        let connected = self.is_connected();
        if !connected {
            lease.forgive(word, &share, now);
        }
        let idle = now.since(lease.last) > HOLD && rate::next(word, &share, now).is_ok();
        if idle && lease.left == 0 && lease.debt == 0 && lease.open == 0 {
            return false;
        }
        if connected {
            due.asks.extend(lease.ask(key, self.hosts(), idle, now));
            let again = lease.used_up.filter(|_| lease.wanted > 0);
            let awaited = lease.awaited.map(|(_, then)| then.before(LEAD));
            let awaited = awaited.filter(|then| *then > now);
            due.next = due.next.into_iter().chain(again).chain(awaited).min();
        }
        true
    }

    /// Takes over what the store answered. The answer is what the host's own word becomes: what
    /// the store says of the limit, and what it has not been told yet.
    pub(in crate::admit) fn granted(&self, ask: &Ask, grant: Grant, now: Moment) -> Option<u64> {
        let mut shard = self.shard(ask.key)?;
        let lease = shard.get_mut(&ask.key)?;
        let granted = grant.granted.min(ask.want);
        if lease.left == 0 {
            lease.since = grant.at;
        }
        lease.left = lease.left.saturating_add(granted);
        lease.debt = lease.debt.saturating_sub(ask.debt);
        // The store has charged the slice, so that it pays for what was spent since it was asked.
        let settled = lease.left.min(lease.debt);
        lease.left = lease.left.saturating_sub(settled);
        lease.debt = lease.debt.saturating_sub(settled);
        let ahead = nanos(grant.ahead.min(LONGEST));
        lease.recovered = now.after(Duration::from_nanos(ahead));
        let over = ahead
            .saturating_add(ask.limit.interval())
            .checked_sub(ask.limit.depth())
            .filter(|over| *over > 0);
        lease.used_up = over.map(|over| now.after(Duration::from_nanos(over)));
        let untold = u64::from(lease.debt).saturating_mul(self.share(&ask.limit).interval());
        Some(now.as_nanos().saturating_add(ahead).saturating_add(untold))
    }

    /// Everything that is leased, to be given back at the end.
    pub fn return_all(&self) -> Vec<Ask> {
        let mut asks = Vec::new();
        for shard in &self.shards {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            let mut all: Vec<_> = shard.iter_mut().collect();
            all.sort_by(|(_, one), (_, other)| one.name.cmp(&other.name));
            let leases = all
                .into_iter()
                .filter(|(_, lease)| lease.left > 0 || lease.debt > 0);
            asks.extend(leases.map(|(key, lease)| {
                let back = std::mem::take(&mut lease.left);
                lease.about(*key, back, 0)
            }));
        }
        asks.truncate(MOST_LEASES);
        asks
    }
}

impl Lease {
    /// What was spent without a slice and has recovered since is owed to nobody.
    fn forgive(&mut self, word: u64, share: &Limit, now: Moment) {
        let used = word.saturating_sub(now.as_nanos());
        let owed = used.div_ceil(share.interval().max(1));
        self.debt = self.debt.min(u32::try_from(owed).unwrap_or(u32::MAX));
    }

    /// What to ask for, if anything.
    fn ask(&mut self, key: Key, hosts: u32, idle: bool, now: Moment) -> Option<Ask> {
        let mut wanted = std::mem::take(&mut self.wanted);
        // Whoever was told to come again must find it here by then, and need not before.
        self.awaited = self.awaited.filter(|(_, then)| now < then.after(HOLD));
        let awaited = self.awaited.filter(|(_, then)| then.before(LEAD) <= now);
        let awaited = awaited.map_or(0, |(count, _)| count);
        if awaited > self.left {
            wanted = wanted.max(awaited);
        }
        if idle {
            self.demand = 0;
            let back = std::mem::take(&mut self.left);
            return Some(self.about(key, back, 0));
        }
        let faded = self.demand.saturating_sub(self.demand.div_ceil(4));
        self.demand = wanted.max(faded).max(awaited);
        let burst = self.limit.burst();
        let least = burst.checked_div(hosts.saturating_mul(PARTS)).unwrap_or(1);
        let target = self.demand.saturating_mul(2).max(least).clamp(1, burst);
        let back = self.left.saturating_sub(target.saturating_mul(2));
        self.left = self.left.saturating_sub(back);
        let worth_asking = self.used_up.is_none_or(|until| until <= now);
        let want = if wanted > 0 && worth_asking {
            target.saturating_sub(self.left)
        } else {
            // It still counts as asked for when it is worth asking.
            self.wanted = if worth_asking { 0 } else { wanted };
            0
        };
        let ask = self.debt > 0 || back > 0 || want > 0;
        ask.then(|| self.about(key, back, want))
    }

    fn about(&self, key: Key, back: u32, want: u32) -> Ask {
        Ask {
            key,
            count: self.count,
            name: self.name.clone(),
            limit: self.limit,
            debt: self.debt,
            back,
            since: self.since,
            want,
        }
    }
}
