//! Where calls wait for a provider that takes only so many.
//!
//! Decides who goes next: in the order of arrival, at most [`MOST_WAITING`] of them, none longer
//! than its policy says. What is known of a provider's calls outlives policies. A call that is
//! given up leaves the queue with its future.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::clock;
use crate::policy::upstream::Exceeded;
use crate::policy::{Policy, Provider};
use crate::route::pace::Pace;

/// Calls that wait for one provider at most.
const MOST_WAITING: u32 = 1_024;

/// The turnstiles of all providers, by name.
#[derive(Debug, Default)]
pub(crate) struct Turnstiles {
    known: Mutex<HashMap<Box<str>, Arc<Turnstile>>>,
}

impl Turnstiles {
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
    pace: Pace,
    slots: Arc<Semaphore>,
    size: Mutex<u32>,
    waiting: AtomicU32,
}

impl Default for Turnstile {
    fn default() -> Self {
        Self {
            pace: Pace::default(),
            slots: Arc::new(Semaphore::new(0)),
            size: Mutex::new(0),
            waiting: AtomicU32::new(0),
        }
    }
}

/// Leave to call a provider; another call may go when it is dropped.
#[derive(Debug, Default)]
pub(crate) struct Pass {
    _slot: Option<OwnedSemaphorePermit>,
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

impl Turnstile {
    fn resize(&self, size: u32) {
        let mut known = self.size.lock().unwrap_or_else(PoisonError::into_inner);
        let more = usize::try_from(size.saturating_sub(*known)).unwrap_or(0);
        let fewer = usize::try_from(known.saturating_sub(size)).unwrap_or(0);
        self.slots.add_permits(more);
        // Slots in use are given back to a smaller number: the rest of them go with the next calls.
        self.slots.forget_permits(fewer);
        *known = size;
    }

    /// Waits for leave to call, as far as the provider's policy has calls wait.
    ///
    /// # Errors
    /// The provider takes no call in that time.
    pub(crate) async fn enter(&self, provider: &Provider) -> Result<Pass, Full> {
        if provider.rate.is_none() && provider.concurrent.is_none() {
            return Ok(Pass::default());
        }
        let longest = match provider.exceeded {
            Exceeded::Delay(longest) => longest,
            Exceeded::Fallback | Exceeded::Reject => Duration::ZERO,
        };
        let slot = match provider.concurrent {
            Some(_) => Some(self.slot(longest).await?),
            None => None,
        };
        if let Some(rate) = provider.rate {
            let wait = self
                .pace
                .take(rate, longest, clock::uptime())
                .map_err(Full)?;
            if !wait.is_zero() {
                let _counted = self.queue()?;
                tokio::time::sleep(wait).await;
            }
        }
        Ok(Pass { _slot: slot })
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
