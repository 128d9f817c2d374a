//! Which provider and endpoint a request goes to.
//!
//! Lives here: patterns, the route decision, the choice among endpoints. Must not live here:
//! sockets, names being resolved, health being probed.

pub mod balance;
pub mod pattern;

use crate::identify::{Caller, authorize};
use crate::policy::{Denial, Policy, Route};

/// Proof that a request has a route that its caller may use. Made by [`route`] alone; without one
/// no provider is connected to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Routed {
    targets: Vec<Target>,
}

/// One endpoint of one provider, as indices into the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// Index into [`Policy::providers`].
    pub provider: usize,
    /// Index into the provider's endpoints; 0 for the embedded one.
    pub endpoint: usize,
}

/// However many providers a route names, one request knocks at so many doors at most.
const MOST_TARGETS: usize = 8;

impl Routed {
    /// Where the attempt of this number goes, counted from 0; none: nothing is left to try.
    pub fn target(&self, attempt: usize) -> Option<Target> {
        self.targets.get(attempt).copied()
    }
}

/// Finds the route for a model, or for a request whose model can't be told (`None`): that one
/// needs a route for all models and a caller who may use all of them.
///
/// `tick` counts the requests, so that endpoints take turns.
///
/// # Errors
/// The caller may not use the model, or no route serves it.
pub fn route(
    caller: &Caller,
    model: Option<&str>,
    policy: &Policy,
    tick: u64,
) -> Result<Routed, Denial> {
    let route = find(model, policy).ok_or(Denial::ModelNotFound)?;
    authorize::model(caller, model.into())?;
    let targets = targets(caller, route, policy, tick);
    if targets.is_empty() {
        // Each provider of a route has endpoints, so all of them are closed to this caller.
        return Err(Denial::PermissionDenied);
    }
    Ok(Routed { targets })
}

/// Whether all that the caller may send takes one route, whatever its model.
pub fn takes_any(caller: &Caller, policy: &Policy) -> bool {
    let first = policy.routes.first();
    let all = first.is_some_and(|route| route.models.iter().any(|one| one.as_str() == "*"));
    all && authorize::model(caller, None.into()).is_ok()
}

/// Whether some route serves the model by a provider that the caller may use, and the caller may
/// use the model.
pub fn serves(caller: &Caller, policy: &Policy, model: &str) -> bool {
    let usable = |index: &usize| {
        let provider = policy.providers.get(*index);
        provider.is_some_and(|p| authorize::provider(caller, p.name.as_str()).is_ok())
    };
    authorize::model(caller, Some(model).into()).is_ok()
        && find(Some(model), policy).is_some_and(|route| route.providers.iter().any(usable))
}

fn find<'a>(model: Option<&str>, policy: &'a Policy) -> Option<&'a Route> {
    policy.routes.iter().find(|route| {
        route.models.iter().any(|pattern| match model {
            Some(model) => pattern.matches(model),
            None => pattern.as_str() == "*",
        })
    })
}

/// Endpoints in the order in which they are tried: of each provider, in order of fallback, the one
/// whose turn it is and as many more as the route has retries; none of a provider that the caller
/// may not use.
fn targets(caller: &Caller, route: &Route, policy: &Policy, tick: u64) -> Vec<Target> {
    let most = usize::from(route.retries).saturating_add(1);
    let mut targets =
        Vec::with_capacity(MOST_TARGETS.min(most.saturating_mul(route.providers.len())));
    for &index in &route.providers {
        let Some(provider) = policy.providers.get(index) else {
            continue;
        };
        if authorize::provider(caller, provider.name.as_str()).is_err() {
            continue;
        }
        let endpoints = provider.schedule.from_tick(tick).take(most);
        targets.extend(endpoints.map(|endpoint| Target {
            provider: index,
            endpoint,
        }));
    }
    targets.truncate(MOST_TARGETS);
    targets
}
