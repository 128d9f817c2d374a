//! What a request is judged and routed by, taken once at its start.
//!
//! Decides what a new policy keeps of the one before: what is known of providers, and their
//! addresses where they are the same.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, HeaderValue};

use super::trial::{Part, Trial};
use crate::policy::{Api, Policy};
use crate::provider::wire::{self, UnsendableKey};
use crate::route::Target;
use crate::route::fleet::{Fleet, ProviderReport, View};
use crate::runtime::pools::Pools;
use crate::runtime::turnstile::{Turnstile, Turnstiles};

/// A policy, the addresses of the endpoints that it names, and what is known of its providers.
pub(crate) struct Snapshot {
    pub(crate) policy: Policy,
    pub(crate) pools: Arc<Pools>,
    pub(crate) view: View,
    pub(crate) turnstiles: Vec<Arc<Turnstile>>,
    /// Its part in a trial, while one runs.
    pub(crate) trial: Option<Part>,
    upstreams: Arc<Upstreams>,
    /// How each key of each provider travels, ready to be sent.
    credentials: Vec<Vec<Credential>>,
}

/// The field that carries a key, where the provider takes one.
type Credential = Result<Option<(HeaderName, HeaderValue)>, UnsendableKey>;

/// What is known of providers, whatever the policy.
#[derive(Default)]
struct Upstreams {
    fleet: Fleet,
    turnstiles: Turnstiles,
}

impl Snapshot {
    /// A snapshot whose addresses are still to be found.
    pub(crate) fn new(policy: Policy) -> Self {
        Self::over(policy, Arc::default(), None)
    }

    /// The snapshot of a policy that comes after this one: what is known of providers stays, and
    /// so do their addresses where they are the same providers.
    pub(crate) fn successor(&self, policy: Policy) -> Self {
        let (before, after) = (&self.policy.providers, &policy.providers);
        let same = before.len() == after.len()
            && before
                .iter()
                .zip(after)
                .all(|(one, other)| Arc::ptr_eq(one, other));
        let pools = same.then(|| Arc::clone(&self.pools));
        Self::over(policy, Arc::clone(&self.upstreams), pools)
    }

    /// The same, with addresses that were found anew.
    pub(crate) fn reloaded(&self, policy: Policy, pools: Arc<Pools>) -> Self {
        Self::over(policy, Arc::clone(&self.upstreams), Some(pools))
    }

    /// How the providers stand. An endpoint whose name never led to an address is not well.
    pub(crate) fn report(&self, now: Duration) -> Vec<ProviderReport<'_>> {
        let mut reports = self.view.report(&self.policy, now);
        for (index, report) in reports.iter_mut().enumerate() {
            for (place, (_, glance)) in report.endpoints.iter_mut().enumerate() {
                let target = Target {
                    provider: index,
                    endpoint: place,
                };
                glance.healthy &= self.is_reachable(target);
            }
        }
        reports
    }

    /// The field that carries a provider's key of this number, if there is such a key.
    pub(crate) fn credential(&self, provider: usize, key: usize) -> Option<&Credential> {
        self.credentials.get(provider)?.get(key)
    }

    /// Whether a target has an address, or needs none.
    pub(crate) fn is_reachable(&self, target: Target) -> bool {
        let provider = self.policy.providers.get(target.provider);
        provider.is_some_and(|one| one.api == Api::Echo) || self.pools.has_address(target)
    }

    /// The same, with a policy on trial beside it. Endpoints that both policies name are one and
    /// the same, with the newer settings; what only the other names is known to it alone.
    pub(crate) fn beside(mut self, policy: Policy, pools: Arc<Pools>, trial: &Arc<Trial>) -> Self {
        let upstreams = Upstreams {
            fleet: self.upstreams.fleet.fork(),
            turnstiles: self.upstreams.turnstiles.fork(),
        };
        let mut other = Self::over(policy, Arc::new(upstreams), Some(pools));
        other.trial = Some(Part::new(Arc::clone(trial)));
        self.trial = Some(Part::old(Arc::clone(trial), Arc::new(other)));
        self
    }

    fn over(policy: Policy, upstreams: Arc<Upstreams>, pools: Option<Arc<Pools>>) -> Self {
        let view = upstreams.fleet.view(&policy);
        let turnstiles = upstreams.turnstiles.of(&policy);
        let credentials = policy.providers.iter().map(|provider| {
            let keys = provider.api_keys.iter();
            keys.map(|key| wire::credential_header(provider.api, key))
                .collect()
        });
        Self {
            credentials: credentials.collect(),
            pools: pools.unwrap_or_else(|| Arc::new(Pools::new(&policy))),
            policy,
            view,
            turnstiles,
            trial: None,
            upstreams,
        }
    }
}
