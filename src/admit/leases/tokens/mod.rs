//! Model tokens of a limit that a fleet shares.
//!
//! Decides by what a request's tokens are set aside: by the slice, and what is missing there by the
//! host's own share. They were charged when the slice was leased, so that here they count from the
//! moment at which they are set aside, and wear off from then on, where a host alone counts them
//! when they were used. What is not used goes back into the slice, but for what has recovered
//! meanwhile, of which it can't be told whose it was; what was used beyond is told to the store.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::{Count, LEAD, Lease, Leases};
use crate::admit::accounts::Short;
use crate::admit::ledger::Who;
use crate::admit::moment::{Moment, nanos};
use crate::admit::table::Key;
use crate::policy::limits::Limit;

/// Tokens of a shared limit that are set aside for a request in flight.
#[derive(Debug, Clone, Copy)]
pub(in crate::admit) struct Aside {
    key: Key,
    /// How many in all, and of a slice.
    all: u32,
    pub(in crate::admit) slice: u32,
    /// Nanoseconds that one stands for.
    interval: u64,
    at: Moment,
}

impl Leases {
    /// Sets tokens aside. `own` takes what no slice pays for from the host's own share, where they
    /// stand in `account`. None: the limit is held to the share for want of room.
    ///
    /// # Errors
    /// They are not there.
    pub(in crate::admit) fn set_aside<H>(
        &self,
        (who, key, account): (Who<'_>, Key, Key),
        all: u32,
        limit: &Limit,
        now: Moment,
        own: impl FnOnce(u32) -> Result<H, Short>,
    ) -> Result<(Option<Aside>, Option<H>), Short> {
        let mut shard = self.shard(key);
        let count = Count::Account(account);
        let lease = shard
            .as_mut()
            .and_then(|shard| self.lease(shard, (who, count), key, limit, now));
        let Some(lease) = lease else {
            self.crowded.fetch_add(1, Ordering::Relaxed);
            return own(all).map(|held| (None, Some(held)));
        };
        lease.wanted = lease.wanted.saturating_add(all);
        lease.last = lease.last.max(now);
        let slice = lease.left.min(all);
        let running_out = lease.left.saturating_sub(all) <= lease.demand;
        let rest = all.saturating_sub(slice);
        let used_up = lease.used_up.filter(|_| self.is_connected());
        let paid = match (rest, used_up) {
            (0, _) => Ok(None),
            (_, Some(until)) => Err(lease.short(all, until, now)),
            (_, None) => own(rest).map(Some).map_err(|short| {
                if self.is_connected() {
                    lease.short(all, now, now)
                } else {
                    short
                }
            }),
        };
        if paid.is_ok() {
            lease.left = lease.left.saturating_sub(slice);
            lease.debt = lease.debt.saturating_add(rest);
            lease.open = lease.open.saturating_add(1);
        }
        let worth_asking = lease.used_up.is_none_or(|until| until <= now);
        drop(shard);
        if worth_asking && (running_out || paid.is_err()) {
            self.wake.0();
        }
        let aside = Aside {
            key,
            all,
            slice,
            interval: limit.interval(),
            at: now,
        };
        paid.map(|held| (Some(aside), held))
    }

    /// Ends what was set aside, by what was used of it; none: nobody knows, so all of it.
    pub(in crate::admit) fn end(&self, aside: &Aside, used: Option<(u64, Moment)>) {
        let mut shard = self.shard(aside.key);
        // What is open is never forgotten.
        let Some(lease) = shard.as_mut().and_then(|shard| shard.get_mut(&aside.key)) else {
            return;
        };
        lease.open = lease.open.saturating_sub(1);
        let Some((used, now)) = used else {
            return;
        };
        let used = u32::try_from(used).unwrap_or(u32::MAX);
        let beyond = used.saturating_sub(aside.all);
        let leased = lease.left.min(beyond);
        lease.left = lease.left.saturating_sub(leased);
        let beyond = beyond.saturating_sub(leased);
        lease.debt = lease.debt.saturating_add(beyond);
        let recovered = nanos(now.since(aside.at)).checked_div(aside.interval);
        let recovered = u32::try_from(recovered.unwrap_or(0)).unwrap_or(u32::MAX);
        let back = aside.all.saturating_sub(used).saturating_sub(recovered);
        // What the store was not told of yet need not be told.
        let untold = lease.debt.min(back);
        lease.debt = lease.debt.saturating_sub(untold);
        lease.left = lease.left.saturating_add(back.saturating_sub(untold));
    }
}

impl Lease {
    /// Has the slice ready by the time at which whoever can't be let in is told to come again: not
    /// before `until`, and when the store will have so many.
    fn short(&mut self, all: u32, until: Moment, now: Moment) -> Short {
        let missing = u64::from(all.saturating_sub(self.left));
        let missing = missing.saturating_mul(self.limit.interval());
        let full = nanos(self.recovered.since(now)).saturating_add(missing);
        let over = full.saturating_sub(self.limit.depth());
        let wait = until.since(now).max(Duration::from_nanos(over));
        let wait = wait.saturating_add(LEAD);
        let then = now.after(wait);
        self.last = self.last.max(then);
        let awaited = self.awaited.filter(|(_, then)| *then > now);
        let (most, last) = awaited.unwrap_or((all, then));
        self.awaited = Some((most.max(all), last.max(then)));
        Short { wait, least: wait }
    }
}

#[cfg(test)]
mod tests;
