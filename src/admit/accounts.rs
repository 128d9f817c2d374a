//! What each key has open: requests in flight, and model tokens, reserved before the call and settled
//! by what the provider says was used.
//!
//! Decides whether one more may begin and whether a reservation fits. What is reserved does not
//! recover while its request is in flight, so that a long answer can't be paid for by the time it
//! takes; what was used recovers with time. A request that ends without a word about its use is
//! charged what it reserved. Both stand in one account, so that a request's end takes one lock.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::moment::Moment;
use super::table::{Key, KeyMap};
use crate::policy::limits::Limit;

/// Parts of the book, each with its lock.
const SHARDS: u64 = 64;
/// Accounts of a part up to which those that say nothing any more are left where they are.
const MANY: usize = 1_024;

/// One key's account; tokens in nanoseconds of their limit.
#[derive(Debug, Clone, Copy, Default)]
struct Account {
    /// The moment at which all that was used will have recovered.
    recovered: u64,
    /// What is reserved for requests in flight.
    reserved: u64,
    /// Requests in flight.
    flights: u32,
}

impl Account {
    const fn used(&self, now: Moment) -> u64 {
        self.recovered.saturating_sub(now.as_nanos())
    }

    const fn is_open(&self, now: Moment) -> bool {
        self.flights > 0 || self.reserved > 0 || self.used(now) > 0
    }
}

#[derive(Debug, Default)]
struct Part {
    accounts: KeyMap<Account>,
    /// Accounts above which the next look for old ones is worth its time.
    many: usize,
}

type Shard = Mutex<Part>;

/// All accounts.
#[derive(Debug)]
pub struct Accounts(Arc<[Shard]>);

impl Default for Accounts {
    fn default() -> Self {
        Self((0..SHARDS).map(|_| Shard::default()).collect())
    }
}

/// Tokens that were set aside, in nanoseconds of their limit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held {
    interval: u64,
    cost: u64,
    at: Moment,
}

/// Tokens set aside for one call. Dropped without being settled, they count as used.
#[derive(Debug)]
pub struct Reservation {
    book: Arc<[Shard]>,
    key: Key,
    held: Option<Held>,
}

/// Tokens that are not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Short {
    /// After which wait they would be, if nothing in flight used any more.
    pub wait: Duration,
    /// Before which time they won't be, though nothing in flight used any.
    pub least: Duration,
}

fn part(book: &[Shard], key: Key) -> Option<MutexGuard<'_, Part>> {
    let index = key.spread().checked_rem(SHARDS)?;
    let shard = book.get(usize::try_from(index).ok()?)?;
    Some(shard.lock().unwrap_or_else(PoisonError::into_inner))
}

impl Part {
    fn account(&mut self, key: Key, now: Moment) -> &mut Account {
        if self.accounts.len() > self.many {
            self.accounts.retain(|_, account| account.is_open(now));
            self.many = self.accounts.len().saturating_mul(2).max(MANY);
        }
        self.accounts.entry(key).or_default()
    }
}

impl Accounts {
    /// One more request of a key's, of at most so many; it is to be ended.
    pub(super) fn begin(&self, key: Key, most: u32, now: Moment) -> bool {
        let Some(mut part) = part(&self.0, key) else {
            return false;
        };
        let account = part.account(key, now);
        if account.flights >= most {
            return false;
        }
        account.flights = account.flights.saturating_add(1);
        true
    }

    /// Sets tokens aside, which are to be ended. A request for more than the limit can ever hold
    /// is taken for one of all that it holds.
    ///
    /// # Errors
    /// They do not fit.
    pub(super) fn set_aside(
        &self,
        key: Key,
        tokens: u64,
        limit: &Limit,
        now: Moment,
    ) -> Result<Held, Short> {
        let held = |cost| Held {
            interval: limit.interval(),
            cost,
            at: now,
        };
        let cost = tokens.saturating_mul(limit.interval()).min(limit.depth());
        let Some(mut part) = part(&self.0, key) else {
            return Ok(held(0));
        };
        let account = part.account(key, now);
        let wanted = account.used(now).saturating_add(account.reserved);
        let wanted = wanted.saturating_add(cost);
        if let Some(over) = wanted.checked_sub(limit.depth()).filter(|over| *over > 0) {
            return Err(Short {
                wait: Duration::from_nanos(over),
                least: Duration::from_nanos(over.saturating_sub(account.reserved)),
            });
        }
        account.reserved = account.reserved.saturating_add(cost);
        Ok(held(cost))
    }

    /// Ends a request of the key's (`flight`: one that was begun), and what it had set aside.
    /// `used`: the tokens that it used, and when that was told; none: nobody knows.
    pub(super) fn end(
        &self,
        key: Key,
        flight: bool,
        held: Option<Held>,
        used: Option<(u64, Moment)>,
    ) {
        end(&self.0, key, flight, held, used);
    }

    /// Sets tokens aside for a call to a provider.
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
        let held = self.set_aside(key, tokens, limit, now)?;
        Ok(Reservation {
            book: Arc::clone(&self.0),
            key,
            held: Some(held),
        })
    }

    /// When all that a key has used would have recovered, and what it has reserved, if that began
    /// to recover now.
    pub(super) fn word(&self, key: Key, now: Moment) -> u64 {
        let part = part(&self.0, key);
        let account = part.as_ref().and_then(|part| part.accounts.get(&key));
        let open = account.map_or(0, |it| it.used(now).saturating_add(it.reserved));
        now.as_nanos().saturating_add(open)
    }

    /// Takes over what the store of a fleet says was used; what is reserved stands beside it.
    pub(super) fn set(&self, key: Key, recovered: u64, now: Moment) {
        if let Some(mut part) = part(&self.0, key) {
            part.account(key, now).recovered = recovered;
        }
    }

    /// What every account has used and reserved, in nanoseconds of its limit.
    pub(super) fn left(&self, now: Moment) -> Vec<(Key, u64)> {
        let mut all = Vec::new();
        for shard in self.0.iter() {
            let part = shard.lock().unwrap_or_else(PoisonError::into_inner);
            let used = |account: &Account| account.used(now).saturating_add(account.reserved);
            let accounts = part.accounts.iter();
            let pairs = accounts.map(|(key, account)| (*key, used(account)));
            all.extend(pairs.filter(|(_, used)| *used > 0));
        }
        // In no order that depends on a map's.
        all.sort_unstable_by_key(|(key, _)| key.bits());
        all
    }

    /// Takes over what a predecessor's accounts had used.
    pub(super) fn take(&self, accounts: Vec<(Key, u64)>, now: Moment) {
        for (key, used) in accounts {
            if let Some(mut part) = part(&self.0, key) {
                let account = part.account(key, now);
                let recovered = now.as_nanos().saturating_add(used.min(u64::MAX / 4));
                account.recovered = account.recovered.max(recovered);
            }
        }
    }
}

fn end(book: &[Shard], key: Key, flight: bool, held: Option<Held>, used: Option<(u64, Moment)>) {
    let Some(mut part) = part(book, key) else {
        return;
    };
    // What is open is never dropped, so it is there.
    let Some(account) = part.accounts.get_mut(&key) else {
        return;
    };
    account.flights = account.flights.saturating_sub(u32::from(flight));
    let Some(Held { interval, cost, at }) = held else {
        return;
    };
    let (used, told) = match used {
        Some((tokens, told)) => (tokens.saturating_mul(interval), told),
        None => (cost, at),
    };
    account.reserved = account.reserved.saturating_sub(cost);
    let from = account.recovered.max(told.as_nanos());
    // Kept below the end of time, so that one answer can't close an account for good.
    account.recovered = from.saturating_add(used.min(u64::MAX / 4));
}

impl Reservation {
    /// Ends the reservation by what was really used.
    pub fn settle(mut self, tokens: u64, now: Moment) {
        let held = self.held.take();
        end(&self.book, self.key, false, held, Some((tokens, now)));
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if let Some(held) = self.held.take() {
            end(&self.book, self.key, false, Some(held), None);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    fn at(seconds: u64) -> Moment {
        Moment::default().after(Duration::from_secs(seconds))
    }

    fn limit() -> Limit {
        Limit::new("60/minute".parse().unwrap(), 60).unwrap()
    }

    #[test]
    fn what_is_reserved_is_held_and_what_was_used_counts() {
        let (book, key, limit) = (Accounts::default(), Key::of(1), limit());
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
        let (book, key, limit) = (Accounts::default(), Key::of(1), limit());
        drop(book.reserve(key, 60, &limit, at(0)).unwrap());
        assert!(book.reserve(key, 1, &limit, at(0)).is_err(), "all is used");
        assert!(
            book.reserve(Key::of(2), 1, &limit, at(0)).is_ok(),
            "another has its own"
        );
    }

    #[test]
    fn a_request_for_more_than_there_can_be_waits_for_all_of_it() {
        let (book, key, limit) = (Accounts::default(), Key::of(1), limit());
        let all = book.reserve(key, u64::MAX, &limit, at(0));
        assert!(all.is_ok(), "a full account pays");
        assert!(
            book.reserve(key, 1, &limit, at(0)).is_err(),
            "and is empty then"
        );
    }

    #[test]
    fn accounts_that_are_open_stay_and_others_make_room() {
        let (book, limit) = (Accounts::default(), limit());
        // All of one part.
        let key = |number: u64| Key::of(number << 38 | 1);
        assert!(book.begin(key(0), 1, at(0)), "a request in flight");
        let held = book.set_aside(key(1), 60, &limit, at(0)).unwrap();
        for number in 2..5_000 {
            drop(
                book.reserve(key(number), 1, &limit, at(number * 2))
                    .unwrap(),
            );
        }
        let there = part(&book.0, key(0)).unwrap().accounts.len();
        assert!(there <= MANY + 1, "{there} accounts");
        assert!(!book.begin(key(0), 1, at(20_000)), "it is still in flight");
        let more = book.set_aside(key(1), 1, &limit, at(20_000));
        assert!(more.is_err(), "and this is still reserved");
        book.end(key(0), true, None, None);
        book.end(key(1), false, Some(held), Some((0, at(20_000))));
        assert!(book.begin(key(0), 1, at(20_000)), "until it has ended");
        assert!(
            book.set_aside(key(1), 60, &limit, at(20_000)).is_ok(),
            "and that"
        );
    }

    #[test]
    fn eight_threads_never_have_more_than_the_limit_of_a_key() {
        let (book, key) = (Accounts::default(), Key::of(1));
        let at_once = AtomicU32::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..5_000 {
                        if book.begin(key, 3, at(0)) {
                            let now = at_once.fetch_add(1, Ordering::SeqCst);
                            assert!(now < 3, "at most three at once");
                            at_once.fetch_sub(1, Ordering::SeqCst);
                            book.end(key, true, None, None);
                        }
                    }
                });
            }
        });
        assert!((0..3).all(|_| book.begin(key, 3, at(0))), "nothing leaks");
    }
}
