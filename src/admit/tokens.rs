//! How many model tokens: reserved before the call, settled by what the provider says was used.
//!
//! Decides whether a reservation fits. What is reserved does not recover while its request is in
//! flight, so that a long answer can't be paid for by the time it takes; what was used recovers
//! with time. A request that ends without a word about its use is charged what it reserved.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::moment::Moment;
use super::table::{Key, KeyMap};
use crate::policy::limits::Limit;

/// Parts of the book, each with its lock.
const SHARDS: u64 = 64;
/// Accounts of a part above which those that have recovered are dropped.
const MANY: usize = 1_024;

/// One key's account, in nanoseconds of its limit.
#[derive(Debug, Clone, Copy, Default)]
struct Account {
    /// The moment at which all that was used will have recovered.
    recovered: u64,
    /// What is reserved for requests in flight.
    reserved: u64,
}

type Shard = Mutex<KeyMap<Account>>;

/// All accounts.
#[derive(Debug)]
pub struct TokenBook(Arc<[Shard]>);

impl Default for TokenBook {
    fn default() -> Self {
        Self((0..SHARDS).map(|_| Shard::default()).collect())
    }
}

/// Tokens set aside for one request. Dropped without being settled, they count as used.
#[derive(Debug)]
pub struct Reservation {
    book: Arc<[Shard]>,
    key: Key,
    interval: u64,
    cost: u64,
    now: Moment,
    open: bool,
}

/// Tokens that are not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Short {
    /// After which wait they would be, if nothing in flight used any more.
    pub wait: Duration,
    /// Before which time they won't be, though nothing in flight used any.
    pub least: Duration,
}

fn shard(book: &[Shard], key: Key) -> Option<&Shard> {
    let index = key.spread().checked_rem(SHARDS)?;
    book.get(usize::try_from(index).ok()?)
}

impl TokenBook {
    /// Sets tokens aside. A request for more than the limit can ever hold is taken for one of all
    /// that it holds.
    ///
    /// # Errors
    /// They do not fit.
    pub fn reserve(
        &self,
        key: Key,
        tokens: u64,
        limit: &Limit,
        now: Moment,
    ) -> Result<Reservation, Short> {
        let cost = tokens.saturating_mul(limit.interval()).min(limit.depth());
        let reservation = |cost, open| Reservation {
            book: Arc::clone(&self.0),
            key,
            interval: limit.interval(),
            cost,
            now,
            open,
        };
        let Some(shard) = shard(&self.0, key) else {
            return Ok(reservation(0, false));
        };
        let mut accounts = shard.lock().unwrap_or_else(PoisonError::into_inner);
        if accounts.len() > MANY {
            accounts.retain(|_, one| one.reserved > 0 || one.recovered > now.as_nanos());
        }
        let account = accounts.entry(key).or_default();
        let used = account.recovered.saturating_sub(now.as_nanos());
        let wanted = used.saturating_add(account.reserved).saturating_add(cost);
        if let Some(over) = wanted.checked_sub(limit.depth()).filter(|over| *over > 0) {
            return Err(Short {
                wait: Duration::from_nanos(over),
                least: Duration::from_nanos(over.saturating_sub(account.reserved)),
            });
        }
        account.reserved = account.reserved.saturating_add(cost);
        Ok(reservation(cost, true))
    }

    /// What every account has used and reserved, in nanoseconds of its limit.
    pub(super) fn left(&self, now: Moment) -> Vec<(Key, u64)> {
        let mut all = Vec::new();
        for shard in self.0.iter() {
            let accounts = shard.lock().unwrap_or_else(PoisonError::into_inner);
            let used = |account: &Account| {
                let used = account.recovered.saturating_sub(now.as_nanos());
                used.saturating_add(account.reserved)
            };
            let pairs = accounts.iter().map(|(key, account)| (*key, used(account)));
            all.extend(pairs.filter(|(_, used)| *used > 0));
        }
        // In no order that depends on a map's.
        all.sort_unstable_by_key(|(key, _)| key.bits());
        all
    }

    /// Takes over what a predecessor's accounts had used.
    pub(super) fn take(&self, accounts: Vec<(Key, u64)>, now: Moment) {
        for (key, used) in accounts {
            if let Some(shard) = shard(&self.0, key) {
                let mut accounts = shard.lock().unwrap_or_else(PoisonError::into_inner);
                let account = accounts.entry(key).or_default();
                let recovered = now.as_nanos().saturating_add(used.min(u64::MAX / 4));
                account.recovered = account.recovered.max(recovered);
            }
        }
    }
}

impl Reservation {
    /// Ends the reservation by what was really used.
    pub fn settle(mut self, tokens: u64, now: Moment) {
        self.now = now;
        self.close(tokens.saturating_mul(self.interval));
    }

    fn close(&mut self, used: u64) {
        let Some(shard) = shard(&self.book, self.key).filter(|_| self.open) else {
            return;
        };
        self.open = false;
        let mut accounts = shard.lock().unwrap_or_else(PoisonError::into_inner);
        let account = accounts.entry(self.key).or_default();
        account.reserved = account.reserved.saturating_sub(self.cost);
        let from = account.recovered.max(self.now.as_nanos());
        // Kept below the end of time, so that one answer can't close an account for good.
        account.recovered = from.saturating_add(used.min(u64::MAX / 4));
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.close(self.cost);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Moment {
        Moment::default().after(Duration::from_secs(seconds))
    }

    fn limit() -> Limit {
        Limit::new("60/minute".parse().unwrap(), 60).unwrap()
    }

    #[test]
    fn what_is_reserved_is_held_and_what_was_used_counts() {
        let (book, key, limit) = (TokenBook::default(), Key::of(1), limit());
        let one = book.reserve(key, 40, &limit, at(0)).unwrap();
        let refused = book.reserve(key, 30, &limit, at(0)).unwrap_err();
        let short = |wait, least| Short {
            wait: Duration::from_secs(wait),
            least: Duration::from_secs(least),
        };
        assert_eq!(refused, short(10, 0), "ten too many, one a second");
        let late = book.reserve(key, 30, &limit, at(100)).unwrap_err();
        assert_eq!(late, refused, "a reservation does not wear off");
        one.settle(5, at(100));
        let two = book.reserve(key, 55, &limit, at(100)).unwrap();
        assert!(
            book.reserve(key, 1, &limit, at(100)).is_err(),
            "5 used, 55 reserved"
        );
        two.settle(100, at(100));
        let debt = book.reserve(key, 1, &limit, at(100)).unwrap_err();
        assert_eq!(debt, short(46, 46), "what was used beyond is owed");
        assert!(
            book.reserve(key, 1, &limit, at(146)).is_ok(),
            "the wait was the truth"
        );
    }

    #[test]
    fn a_request_that_never_says_what_it_used_is_charged_what_it_reserved() {
        let (book, key, limit) = (TokenBook::default(), Key::of(1), limit());
        drop(book.reserve(key, 60, &limit, at(0)).unwrap());
        assert!(book.reserve(key, 1, &limit, at(0)).is_err(), "all is used");
        assert!(
            book.reserve(Key::of(2), 1, &limit, at(0)).is_ok(),
            "another has its own"
        );
    }

    #[test]
    fn a_request_for_more_than_there_can_be_waits_for_all_of_it() {
        let (book, key, limit) = (TokenBook::default(), Key::of(1), limit());
        let all = book.reserve(key, u64::MAX, &limit, at(0));
        assert!(all.is_ok(), "a full account pays");
        assert!(
            book.reserve(key, 1, &limit, at(0)).is_err(),
            "and is empty then"
        );
    }
}
