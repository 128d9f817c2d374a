//! Where calls wait for a provider that takes only so many.
//!
//! Decides who goes next: in the order of arrival, at most [`MOST_WAITING`] of them, none longer
//! than its policy says. What is known of a provider's calls outlives policies. A call that is
//! given up leaves the queue with its future.

mod tokens;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::clock;
use crate::admit::moment::Moment;
use crate::admit::rate;
use crate::policy::limits::Limit;
use crate::policy::upstream::Exceeded;
use crate::policy::{Policy, Provider};
use tokens::TokenQueue;
pub(crate) use tokens::{Tokens, Want};

/// Calls that wait for one provider at most.
const MOST_WAITING: u32 = 1_024;

/// The turnstiles of all providers, by name.
#[derive(Debug, Default)]
pub(crate) struct Turnstiles {
    known: Mutex<HashMap<Box<str>, Arc<Turnstile>>>,
}

impl Turnstiles {
    /// Others before the same providers: their queues are shared, their number is not.
    pub(crate) fn fork(&self) -> Self {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        Self {
            known: Mutex::new(known.clone()),
        }
    }

    /// The turnstiles of a policy's providers, in its order.
    pub(crate) fn of(&self, policy: &Policy) -> Vec<Arc<Turnstile>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut next = HashMap::with_capacity(policy.providers.len());
        let mut all = Vec::with_capacity(policy.providers.len());
        for provider in &policy.providers {
            let name = provider.name.as_str();
            let turnstile = known.get(name).map_or_else(Arc::default, Arc::clone);
            turnstile.resize(provider.concurrent.map_or(0, std::num::NonZeroU32::get));
            next.insert(name.into(), Arc::clone(&turnstile));
            all.push(turnstile);
        }
        *known = next;
        all
    }
}

/// The queue before one provider.
#[derive(Debug)]
pub(crate) struct Turnstile {
    /// Until when the calls so far are paid for.
    paid_until: AtomicU64,
    slots: Arc<Semaphore>,
    size: Mutex<u32>,
    /// Slots in use that are one too many since the number became smaller.
    surplus: Arc<AtomicU32>,
    tokens: TokenQueue,
    waiting: AtomicU32,
}

impl Default for Turnstile {
    fn default() -> Self {
        Self {
            paid_until: AtomicU64::new(0),
            slots: Arc::new(Semaphore::new(0)),
            size: Mutex::new(0),
            surplus: Arc::default(),
            tokens: TokenQueue::default(),
            waiting: AtomicU32::new(0),
        }
    }
}

/// Leave to call a provider; another call may go when it is dropped.
#[derive(Debug, Default)]
pub(crate) struct Pass {
    slot: Option<(OwnedSemaphorePermit, Arc<AtomicU32>)>,
    tokens: Option<Tokens>,
}

impl Pass {
    /// The whole request is being sent.
    pub(crate) fn sent(&mut self) {
        if let Some(tokens) = &mut self.tokens {
            tokens.sent();
        }
    }

    /// The tokens that were set aside, to be settled.
    pub(crate) const fn tokens(&mut self) -> Option<Tokens> {
        self.tokens.take()
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if let Some((slot, surplus)) = self.slot.take()
            && surplus
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1))
                .is_ok()
        {
            slot.forget();
        }
    }
}

/// No leave; how long a caller had better wait before it asks again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Full(pub(crate) Duration);

/// What is said to a caller who could not wait for a slot.
const SLOT_SOON: Duration = Duration::from_secs(1);

struct Waiting<'a>(&'a AtomicU32);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A place in the order of calls, given back by a call that is given up before its turn.
struct Place<'a> {
    word: &'a AtomicU64,
    limit: &'a Limit,
    then: Moment,
    used: bool,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if !self.used {
            let back = |word| {
                Some(rate::returned(
                    word,
                    self.limit.interval(),
                    self.then,
                    clock::moment(),
                ))
            };
            // It always makes something of it, so it always succeeds.
            let _infallible = self
                .word
                .fetch_update(Ordering::AcqRel, Ordering::Acquire, back);
        }
    }
}

impl Turnstile {
    fn resize(&self, size: u32) {
        let mut known = self.size.lock().unwrap_or_else(PoisonError::into_inner);
        let count = |n: u32| usize::try_from(n).unwrap_or(0);
        let fewer = known.saturating_sub(size);
        let forgotten = self.slots.forget_permits(count(fewer));
        let forgotten = u32::try_from(forgotten).unwrap_or(fewer);
        // Slots in use can't be taken away; they go as their calls end.
        self.surplus
            .fetch_add(fewer.saturating_sub(forgotten), Ordering::Relaxed);
        let mut more = size.saturating_sub(*known);
        let kept = |surplus: u32| Some(surplus.saturating_sub(more));
        let surplus = self
            .surplus
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, kept)
            .unwrap_or(0);
        more = more.saturating_sub(surplus);
        self.slots.add_permits(count(more));
        *known = size;
    }

    /// Calls that wait.
    pub(crate) fn waiting(&self) -> u32 {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Waits for leave to call, as far as the provider's policy has calls wait.
    ///
    /// # Errors
    /// The provider takes no call in that time.
    pub(crate) async fn enter(&self, provider: &Provider, want: Want<'_>) -> Result<Pass, Full> {
        let longest = match provider.limits.exceeded {
            Exceeded::Delay(longest) => longest,
            Exceeded::Fallback | Exceeded::Reject => Duration::ZERO,
        };
        let slot = match provider.concurrent {
            Some(_) => Some(self.slot(longest).await?),
            None => None,
        };
        // Given back when a later limit refuses the call.
        let tokens = self.tokens(provider, want, longest).await?;
        if let Some(limit) = &provider.limits.rate {
            let then = clock::moment();
            let wait = rate::reserve(&self.paid_until, limit, longest, then).map_err(Full)?;
            if !wait.is_zero() {
                let mut place = Place {
                    word: &self.paid_until,
                    limit,
                    then,
                    used: false,
                };
                let _counted = self.queue()?;
                tokio::time::sleep(wait).await;
                place.used = true;
            }
        }
        Ok(Pass {
            slot: slot.map(|slot| (slot, Arc::clone(&self.surplus))),
            tokens,
        })
    }

    async fn slot(&self, longest: Duration) -> Result<OwnedSemaphorePermit, Full> {
        if let Ok(slot) = Arc::clone(&self.slots).try_acquire_owned() {
            return Ok(slot);
        }
        if longest.is_zero() {
            return Err(Full(SLOT_SOON));
        }
        let _counted = self.queue()?;
        let slot = Arc::clone(&self.slots).acquire_owned();
        match tokio::time::timeout(longest, slot).await {
            Ok(Ok(slot)) => Ok(slot),
            Ok(Err(_closed)) => Err(Full(SLOT_SOON)),
            Err(_elapsed) => Err(Full(SLOT_SOON)),
        }
    }

    fn queue(&self) -> Result<Waiting<'_>, Full> {
        let counted = Waiting(&self.waiting);
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= MOST_WAITING {
            return Err(Full(SLOT_SOON));
        }
        Ok(counted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn fewer_slots_than_are_in_use_count_as_their_calls_end() {
        let turnstile = Turnstile::default();
        turnstile.resize(3);
        let free = || turnstile.slots.available_permits();
        let take = async || Pass {
            slot: Some((
                turnstile.slot(Duration::ZERO).await.unwrap(),
                Arc::clone(&turnstile.surplus),
            )),
            tokens: None,
        };
        let mut held = [take().await, take().await, take().await].into_iter();
        turnstile.resize(1);
        drop(held.next());
        drop(held.next());
        assert_eq!(free(), 0, "the last one has the only slot");
        turnstile.resize(2);
        assert_eq!(free(), 1, "a second slot");
        turnstile.resize(1);
        turnstile.resize(0);
        assert_eq!(free(), 0, "none");
        turnstile.resize(1);
        assert_eq!(free(), 0, "the slot in use is the one there is");
        drop(held.next());
        assert_eq!(free(), 1, "and is free again");
    }

    #[tokio::test]
    async fn a_call_that_is_given_up_leaves_its_place_in_the_order() {
        let turnstile = Turnstile::default();
        let limit = Limit::new("1/minute".parse().unwrap(), 1).unwrap();
        let then = clock::moment();
        let minutes = |n: u64| Duration::from_mins(n);
        let reserve = |longest| rate::reserve(&turnstile.paid_until, &limit, longest, then);
        assert!(reserve(minutes(0)).is_ok(), "the first goes at once");
        assert!(reserve(minutes(2)).is_ok(), "the second waits a minute");
        let place = Place {
            word: &turnstile.paid_until,
            limit: &limit,
            then,
            used: false,
        };
        let third = reserve(minutes(9)).unwrap();
        drop(place);
        let fourth = reserve(minutes(9)).unwrap();
        let behind = fourth.saturating_sub(third);
        assert!(
            behind < minutes(1) / 2,
            "it takes the place that was given up"
        );
    }
}
