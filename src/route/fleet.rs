//! What is known of all providers at the moment. It outlives policies.
//!
//! Keeps one [`Live`] for each endpoint, by provider and address, so that a reload forgets no
//! breaker and no call in flight; the budget of retries; and which of a provider's keys are spent
//! for now. A [`View`] has them in the order of one policy. It never calls anybody.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::breaker::Circuit;
use super::live::{Glance, Live, Order, Standing};
use crate::policy::secret::Secret;
use crate::policy::{EndpointOrder, Policy, Provider};

/// All providers that a policy names.
#[derive(Debug, Default)]
pub struct Fleet {
    providers: Mutex<HashMap<Box<str>, Arc<ProviderLive>>>,
}

/// The providers of one policy, in its order.
#[derive(Debug, Default)]
pub struct View {
    providers: Vec<Arc<ProviderLive>>,
}

/// What is known of one provider.
#[derive(Debug)]
pub struct ProviderLive {
    names: Vec<Box<str>>,
    endpoints: Vec<Arc<Live>>,
    /// What may be tried again.
    pub budget: Arc<Budget>,
    keys: Vec<Key>,
    next_key: AtomicUsize,
}

/// One of a provider's keys.
#[derive(Debug)]
struct Key {
    secret: Secret,
    /// In milliseconds.
    spent_until: AtomicU64,
}

/// The longest that a provider may have one of its keys left alone.
const LONGEST_SPENT: Duration = Duration::from_mins(5);

impl Fleet {
    /// The providers of a policy; what is known of them already stays, and what the policy no
    /// longer names is forgotten.
    pub fn view(&self, policy: &Policy) -> View {
        let mut known = self
            .providers
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let mut next = HashMap::with_capacity(policy.providers.len());
        let mut providers = Vec::with_capacity(policy.providers.len());
        for provider in &policy.providers {
            let earlier = known.get(provider.name.as_str());
            let live = Arc::new(ProviderLive::new(provider, earlier.map(|known| &**known)));
            live.obey(provider, &policy.endpoint_orders);
            next.insert(provider.name.as_str().into(), Arc::clone(&live));
            providers.push(live);
        }
        *known = next;
        View { providers }
    }
}

impl Fleet {
    /// Another one that knows the same providers: what it learns of their endpoints is shared, and
    /// which providers it knows is not.
    #[must_use]
    pub fn fork(&self) -> Self {
        let known = self
            .providers
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        Self {
            providers: Mutex::new(known.clone()),
        }
    }
}

impl View {
    /// What is known of the provider of this index.
    pub fn provider(&self, index: usize) -> Option<&ProviderLive> {
        self.providers.get(index).map(|live| &**live)
    }

    /// All of them, in the policy's order.
    pub fn providers(&self) -> impl Iterator<Item = &ProviderLive> {
        self.providers.iter().map(|live| &**live)
    }
}

/// How a provider stands, for people and metrics.
#[derive(Debug)]
pub struct ProviderReport<'a> {
    /// Its name.
    pub name: &'a str,
    /// The best that its endpoints' breakers allow.
    pub circuit: Circuit,
    /// Its endpoints, by name.
    pub endpoints: Vec<(&'a str, Glance)>,
}

impl View {
    /// How the providers of the policy that this view is of stand.
    pub fn report<'a>(&self, policy: &'a Policy, now: Duration) -> Vec<ProviderReport<'a>> {
        let both = policy.providers.iter().zip(&self.providers);
        let report = |(provider, live): (&'a Arc<Provider>, &Arc<ProviderLive>)| {
            let endpoints = provider.endpoints.iter().zip(&live.endpoints);
            let endpoints: Vec<(&'a str, Glance)> = endpoints
                .map(|(endpoint, live)| (endpoint.label(), live.glance(now)))
                .collect();
            let circuits = || endpoints.iter().map(|(_, glance)| glance.circuit);
            let any = |wanted: Circuit| circuits().any(|circuit| circuit == wanted);
            let circuit = match (any(Circuit::Closed), any(Circuit::HalfOpen)) {
                (true, _) => Circuit::Closed,
                (false, true) => Circuit::HalfOpen,
                (false, false) => Circuit::Open,
            };
            ProviderReport {
                name: provider.name.as_str(),
                circuit,
                endpoints,
            }
        };
        both.map(report).collect()
    }
}

impl ProviderLive {
    fn new(provider: &Provider, earlier: Option<&Self>) -> Self {
        let urls = provider.endpoints.iter().map(|one| one.url().into());
        let names: Vec<Box<str>> = urls.collect();
        let known = |name: &str| {
            let earlier = earlier?;
            let place = earlier.names.iter().position(|known| **known == *name)?;
            earlier.endpoints.get(place).cloned()
        };
        let endpoints = names.iter().map(|name| {
            let (breaker, slow_start) = (provider.breaker, provider.slow_start);
            known(name).map_or_else(
                || Arc::new(Live::new(breaker, slow_start)),
                |live| {
                    live.configure(breaker, slow_start);
                    live
                },
            )
        });
        let spent = |secret: &Secret| {
            let known =
                earlier.and_then(|known| known.keys.iter().find(|key| key.secret == *secret));
            let until = known.map_or(0, |key| key.spent_until.load(Ordering::Relaxed));
            Key {
                secret: secret.clone(),
                spent_until: AtomicU64::new(until),
            }
        };
        Self {
            endpoints: endpoints.collect(),
            names,
            budget: earlier.map_or_else(Arc::default, |known| Arc::clone(&known.budget)),
            keys: provider.api_keys.iter().map(spent).collect(),
            next_key: AtomicUsize::new(0),
        }
    }

    /// Gives each endpoint the last order that is about it; without one its health decides.
    fn obey(&self, provider: &Provider, orders: &[EndpointOrder]) {
        for (endpoint, live) in provider.endpoints.iter().zip(&self.endpoints) {
            let mut about = orders.iter().filter(|one| one.is_for(provider, endpoint));
            live.order(about.next_back().map_or(Order::Auto, |one| one.order));
        }
    }

    /// Its endpoints, in the policy's order.
    pub fn endpoints(&self) -> &[Arc<Live>] {
        &self.endpoints
    }

    /// One of its endpoints.
    pub fn endpoint(&self, index: usize) -> Option<&Arc<Live>> {
        self.endpoints.get(index)
    }

    /// Whether one of its endpoints is neither closed nor set aside.
    pub fn has_well_endpoint(&self, now: Duration) -> bool {
        let well = |live: &Arc<Live>| match live.standing(now) {
            Standing::Ready | Standing::Returning(_) => true,
            Standing::Aside | Standing::Closed => false,
        };
        self.endpoints.iter().any(well)
    }

    /// The key for a call: the same one until it is spent, then the next that is not; when all
    /// are, the one that comes back first.
    pub fn key(&self, now: Duration) -> usize {
        let count = self.keys.len();
        let start = self.next_key.load(Ordering::Relaxed);
        let order = (0..count).filter_map(|step| start.checked_add(step)?.checked_rem(count));
        order
            .min_by_key(|place| self.spent_until(*place).saturating_sub(now))
            .unwrap_or(0)
    }

    fn spent_until(&self, key: usize) -> Duration {
        let until = self
            .keys
            .get(key)
            .map_or(0, |key| key.spent_until.load(Ordering::Relaxed));
        Duration::from_millis(until)
    }

    /// A key is spent for so long; the next one is taken.
    pub fn spend(&self, key: usize, wait: Duration, now: Duration) {
        let until = now.saturating_add(wait.min(LONGEST_SPENT)).as_millis();
        if let Some(spent) = self.keys.get(key) {
            let until = u64::try_from(until).unwrap_or(u64::MAX);
            spent.spent_until.fetch_max(until, Ordering::Relaxed);
        }
        let next = key
            .checked_add(1)
            .and_then(|next| next.checked_rem(self.keys.len()));
        self.next_key.store(next.unwrap_or(0), Ordering::Relaxed);
    }

    /// How many of its keys are spent.
    pub fn spent_keys(&self, now: Duration) -> usize {
        let spent = |key: &usize| self.spent_until(*key) > now;
        (0..self.keys.len()).filter(spent).count()
    }

    /// Whether there are several keys and one of them is not spent.
    pub fn has_fresh_key(&self, now: Duration) -> bool {
        self.keys.len() > 1 && (0..self.keys.len()).any(|key| self.spent_until(key) <= now)
    }
}

/// What a call puts into the budget, in thousandths of a retry: a retry for ten calls.
const DEPOSIT: i64 = 100;
/// A retry.
const RETRY: i64 = 1_000;
/// What is there to begin with, so that the first calls may be tried again too.
const AT_FIRST: i64 = 10 * RETRY;
/// What can be saved up.
const MOST: i64 = 500 * RETRY;

/// How often calls may be tried again at a provider that is in trouble: for one call of ten, so
/// that a storm does not feed itself.
#[derive(Debug)]
pub struct Budget {
    balance: AtomicI64,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            balance: AtomicI64::new(AT_FIRST),
        }
    }
}

impl Budget {
    /// How many retries are left.
    pub fn left(&self) -> i64 {
        let balance = self.balance.load(Ordering::Relaxed);
        balance.checked_div(RETRY).unwrap_or(0)
    }

    /// A call is made for the first time.
    pub fn deposit(&self) {
        if self.balance.load(Ordering::Relaxed) < MOST {
            self.balance.fetch_add(DEPOSIT, Ordering::Relaxed);
        }
    }

    /// Takes a retry out, if there is one.
    pub fn withdraw(&self) -> bool {
        let taken = self
            .balance
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |balance| {
                (balance >= RETRY).then(|| balance.saturating_sub(RETRY))
            });
        taken.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_call_of_ten_may_be_tried_again() {
        let budget = Budget::default();
        let first = (0..100).filter(|_| budget.withdraw()).count();
        assert_eq!(first, 10, "what is there to begin with");
        let mut retried = 0;
        for _ in 0..1_000 {
            budget.deposit();
            retried += usize::from(budget.withdraw());
        }
        assert_eq!(retried, 100, "a tenth of a thousand calls");
    }

    #[test]
    fn the_budget_has_a_ceiling() {
        let budget = Budget::default();
        for _ in 0..100_000 {
            budget.deposit();
        }
        let saved = (0..10_000).filter(|_| budget.withdraw()).count();
        assert_eq!(saved, 500, "no more than that after a quiet week");
    }

    fn keys(count: usize) -> ProviderLive {
        ProviderLive {
            names: Vec::new(),
            endpoints: Vec::new(),
            budget: Arc::default(),
            keys: (0..count)
                .map(|n| Key {
                    secret: Secret::new(format!("key-{n}")),
                    spent_until: AtomicU64::new(0),
                })
                .collect(),
            next_key: AtomicUsize::new(0),
        }
    }

    #[test]
    fn a_spent_key_gives_way_to_the_next() {
        let live = keys(3);
        let at = Duration::from_secs;
        assert_eq!(live.key(at(0)), 0, "the first");
        live.spend(0, at(60), at(0));
        assert_eq!(live.key(at(0)), 1, "the second");
        live.spend(1, at(30), at(0));
        live.spend(2, at(90), at(0));
        assert!(!live.has_fresh_key(at(0)), "all are spent");
        assert_eq!(live.key(at(1)), 1, "the one that comes back first");
        assert!(live.has_fresh_key(at(31)), "it is back");
        assert_eq!(live.key(at(31)), 1, "and taken");
    }

    #[test]
    fn one_key_is_no_choice() {
        let live = keys(1);
        assert!(!live.has_fresh_key(Duration::ZERO), "there is no other");
        live.spend(0, Duration::from_secs(9), Duration::ZERO);
        assert_eq!(live.key(Duration::ZERO), 0, "it is the one");
        assert_eq!(keys(0).key(Duration::ZERO), 0, "no keys at all");
    }
}
