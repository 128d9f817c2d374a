//! Model tokens that a provider may use, and the queue of calls that wait for them.
//!
//! Decides who gets them: in the order of arrival, each as soon as what it may take is there. What
//! is set aside is counted in the ledger, so that it outlives policies and processes; it is ended
//! by what the provider says was used.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, MutexGuard, Notify};
use tokio::time::{sleep, timeout};

use super::{Full, SLOT_SOON, Turnstile};
use crate::admit::accounts::{Reservation, Short};
use crate::admit::ledger::{Ledger, Who};
use crate::policy::Provider;
use crate::policy::limits::Limit;
use crate::runtime::clock;

/// What a call may use, and where that is counted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Want<'a> {
    /// Where it is counted.
    pub(crate) ledger: &'a Ledger,
    /// How many tokens it may take.
    pub(crate) tokens: u64,
}

/// Who is first in the queue, and the sign that tokens have come back.
#[derive(Debug, Default)]
pub(super) struct TokenQueue {
    first: Mutex<()>,
    freed: Arc<Notify>,
}

/// Tokens that are set aside for a call.
///
/// Dropped before the whole request was sent, it gives them back: nobody can have used them.
/// Dropped later, it counts them as used.
#[derive(Debug)]
pub(crate) struct Tokens {
    held: Option<Reservation>,
    freed: Arc<Notify>,
    sent: bool,
}

impl Tokens {
    /// The whole request is being sent: from now on the provider may use them.
    pub(crate) const fn sent(&mut self) {
        self.sent = true;
    }

    /// So many were used.
    pub(crate) fn settle(mut self, used: u64) {
        self.end(used);
    }

    fn end(&mut self, used: u64) {
        if let Some(held) = self.held.take() {
            held.settle(used, clock::moment());
            self.freed.notify_one();
        }
    }
}

impl Drop for Tokens {
    fn drop(&mut self) {
        if self.sent {
            // What nobody settled counts as used.
            self.held = None;
            self.freed.notify_one();
        } else {
            self.end(0);
        }
    }
}

/// One call before the queue.
struct Asking<'a> {
    want: Want<'a>,
    who: Who<'a>,
    limit: Limit,
    queue: &'a TokenQueue,
}

impl Asking<'_> {
    fn take(&self) -> Result<Tokens, Short> {
        let ledger = self.want.ledger;
        let limit = ledger.share(self.limit);
        let key = ledger.key(self.who);
        let held = ledger
            .accounts
            .reserve(key, self.want.tokens, &limit, clock::moment())?;
        Ok(Tokens {
            held: Some(held),
            freed: Arc::clone(&self.queue.freed),
            sent: false,
        })
    }

    /// As the first of the queue: until they are there, or can't be in time.
    async fn wait(&self, _first: MutexGuard<'_, ()>, longest: Duration) -> Result<Tokens, Full> {
        let began = clock::uptime();
        loop {
            // Listens before it looks, so that nothing is missed in between.
            let freed = self.queue.freed.notified();
            let short = match self.take() {
                Ok(tokens) => return Ok(tokens),
                Err(short) => short,
            };
            let left = longest.saturating_sub(clock::uptime().saturating_sub(began));
            if left.is_zero() || short.least > left {
                return Err(Full(short.wait));
            }
            tokio::select! {
                () = freed => {}
                () = sleep(short.wait.min(left)) => {}
            }
        }
    }
}

impl Turnstile {
    /// Sets aside what a call may use of its provider's tokens; waits for them, so long at most.
    pub(super) async fn tokens(
        &self,
        provider: &Provider,
        want: Want<'_>,
        longest: Duration,
    ) -> Result<Option<Tokens>, Full> {
        let Some(limit) = provider.limits.tokens else {
            return Ok(None);
        };
        let asking = Asking {
            want,
            who: Who::Provider(provider.name.as_str()),
            limit,
            queue: &self.tokens,
        };
        if longest.is_zero() {
            return asking.take().map(Some).map_err(|short| Full(short.wait));
        }
        if let Ok(_first) = self.tokens.first.try_lock()
            && let Ok(tokens) = asking.take()
        {
            return Ok(Some(tokens));
        }
        let _counted = self.queue()?;
        let first = timeout(longest, self.tokens.first.lock()).await;
        let first = first.map_err(|_elapsed| Full(SLOT_SOON))?;
        asking.wait(first, longest).await.map(Some)
    }
}
