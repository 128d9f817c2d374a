//! Which provider and endpoint a request goes to.
//!
//! Lives here: patterns, the route decision, the choice among endpoints, what may be tried after a
//! failure, breakers and health as state machines. Must not live here: sockets, names being
//! resolved, probes being sent, clocks.

pub mod attempts;
pub mod balance;
pub mod bequest;
pub mod breaker;
pub mod choice;
pub mod fleet;
pub mod live;
pub mod pattern;
pub mod reach;

use http::HeaderMap;

use crate::identify::{Caller, authorize};
use crate::policy::{Denial, Policy, Provider, Route};
use attempts::Attempts;
use choice::Turn;

/// Proof that a request has a route that its caller may use. Made by [`route`] alone; without one
/// no provider is connected to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Routed {
    route: usize,
    /// Those of the route's providers that the caller may use.
    providers: Box<[usize]>,
    turn: Turn,
}

impl Routed {
    /// The route that was found.
    pub fn route<'a>(&self, policy: &'a Policy) -> Option<&'a Route> {
        policy.routes.get(self.route)
    }

    /// The way along that route, from its beginning.
    pub fn attempts(&self) -> Attempts {
        Attempts::new(self.turn, self.providers.clone())
    }

    /// The provider that is called first.
    pub fn first<'a>(&self, policy: &'a Policy) -> Option<&'a Provider> {
        let provider = policy.providers.get(*self.providers.first()?)?;
        Some(provider)
    }
}

/// What a request asks for, as far as routes look at it.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Who asks.
    pub caller: &'a Caller,
    /// The model; none where it can't be told.
    pub model: Option<&'a str>,
    /// The path, without the query.
    pub path: &'a str,
    /// The head's fields.
    pub headers: &'a HeaderMap,
}

/// One endpoint of one provider, as indices into the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// Index into [`Policy::providers`].
    pub provider: usize,
    /// Index into the provider's endpoints; 0 for the embedded one.
    pub endpoint: usize,
}

/// Finds the route for a request. One whose model can't be told needs a route for all models and
/// a caller who may use all of them.
///
/// `tick` counts the requests, so that endpoints take turns.
///
/// # Errors
/// The caller may not use the model, or no route serves it.
pub fn route(asked: &Asked<'_>, policy: &Policy, tick: u64) -> Result<Routed, Denial> {
    let caller = asked.caller;
    let found = policy.routes.iter().position(|route| takes(route, asked));
    let found = found.and_then(|place| Some((place, policy.routes.get(place)?)));
    let (place, route) = found.ok_or(Denial::ModelNotFound)?;
    authorize::model(caller, asked.model.into())?;
    let providers: Box<[usize]> = usable(caller, route, policy).collect();
    if providers.is_empty() {
        return Err(Denial::PermissionDenied);
    }
    // A caller without a key is told apart from others by nothing that can be relied upon.
    let name = caller.key_id().map_or("", |key| key.as_str());
    let turn = Turn {
        tick,
        hash: balance::hash(name.as_bytes()),
    };
    Ok(Routed {
        route: place,
        providers,
        turn,
    })
}

/// A route's providers that the caller may use, in their order.
fn usable<'a>(
    caller: &'a Caller,
    route: &'a Route,
    policy: &'a Policy,
) -> impl Iterator<Item = usize> + 'a {
    let may = |index: &usize| {
        let provider = policy.providers.get(*index);
        provider.is_some_and(|p| authorize::provider(caller, p.name.as_str()).is_ok())
    };
    route.providers.iter().copied().filter(may)
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
    let mut routes = policy.routes.iter();
    authorize::model(caller, Some(model).into()).is_ok()
        && routes.any(|route| {
            serves_model(route, Some(model)) && usable(caller, route, policy).next().is_some()
        })
}

fn takes(route: &Route, asked: &Asked<'_>) -> bool {
    let key = asked.caller.key_id();
    let in_paths = || route.paths.iter().any(|path| path.matches(asked.path));
    serves_model(route, asked.model)
        && (route.keys.is_empty() || key.is_some_and(|key| route.keys.contains(key)))
        && (route.paths.is_empty() || in_paths())
        && route.headers.iter().all(|(name, pattern)| {
            let mut values = asked.headers.get_all(name).iter();
            values.any(|value| value.to_str().is_ok_and(|text| pattern.matches(text)))
        })
}

fn serves_model(route: &Route, model: Option<&str>) -> bool {
    route.models.iter().any(|pattern| match model {
        Some(model) => pattern.matches(model),
        None => pattern.as_str() == "*",
    })
}
