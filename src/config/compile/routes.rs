//! Routes: which requests they are for, and which providers serve those.
//!
//! Decides that patterns and names are well-formed and that providers are known, and finds routes
//! that are never reached.

use http::HeaderName;

use super::{Compiler, KeyPath, Severity, quoted};
use crate::config::fault::looks_secret;
use crate::config::near::nearest;
use crate::config::raw::{RawBalance, RawProvider, RawRoute};
use crate::policy::Route;
use crate::policy::names::KeyId;
use crate::route::balance::Balance;
use crate::route::pattern::Pattern;

/// What to write where there is no route, in one line.
const MINIMAL: &str = "add `providers: [{name: local, api: echo}]` and `routes: [{models: [\"*\"], \
                       providers: [local]}]`";

impl Compiler<'_> {
    pub(super) fn routes(
        &mut self,
        raw: &[RawRoute],
        providers: &[RawProvider],
    ) -> Option<Vec<Route>> {
        let at = KeyPath::of("routes");
        if raw.is_empty() {
            self.fault(
                &at,
                "there is no route, so that no model is served",
                MINIMAL,
            );
            return None;
        }
        let mut routes: Vec<Route> = Vec::with_capacity(raw.len());
        for (index, written) in raw.iter().enumerate() {
            let at = at.index(index);
            let models = self.models(&at.key("models"), &written.models, &routes);
            let chosen = self.fallbacks(&at.key("providers"), &written.providers, providers);
            let keys = self.route_keys(&at.key("keys"), &written.keys);
            let paths = self.patterns(&at.key("paths"), &written.paths, "a path such as /v1/*");
            let headers = self.route_headers(&at.key("headers"), written);
            if let (Some(models), Some(providers), Some(keys), Some(paths), Some(headers)) =
                (models, chosen, keys, paths, headers)
            {
                routes.push(Route {
                    models,
                    keys,
                    paths,
                    headers,
                    providers,
                    balance: balance(written.balance),
                    retries: written.retries,
                });
            }
        }
        for (index, provider) in providers.iter().enumerate() {
            if !raw
                .iter()
                .any(|route| route.providers.contains(&provider.name))
            {
                self.finding(
                    "provider_unused",
                    Severity::Low,
                    &KeyPath::of("providers").index(index),
                    "no route names this provider",
                );
            }
        }
        (routes.len() == raw.len()).then_some(routes)
    }

    fn models(
        &mut self,
        at: &KeyPath,
        texts: &[String],
        earlier: &[Route],
    ) -> Option<Vec<Pattern>> {
        if texts.is_empty() {
            self.fault(
                at,
                "is empty, so that the route serves nothing",
                "write models: [\"*\"] for all models",
            );
            return None;
        }
        let mut models = Vec::with_capacity(texts.len());
        for (index, text) in texts.iter().enumerate() {
            let at = at.index(index);
            match text.parse::<Pattern>() {
                Ok(pattern) => {
                    // A route with further conditions may leave something for the next one.
                    let whole = earlier.iter().filter(|route| {
                        route.keys.is_empty() && route.paths.is_empty() && route.headers.is_empty()
                    });
                    let mut before = whole.flat_map(|route| &route.models);
                    if let Some(wider) = before.find(|wider| covers(wider, &pattern)) {
                        let advice = format!(
                            "never reached: `{}` of an earlier route takes all of it; put the \
                             narrower one first",
                            wider.as_str()
                        );
                        self.finding("route_shadowed", Severity::Low, &at, advice);
                    }
                    models.push(pattern);
                }
                Err(fault) => self.fault(
                    &at,
                    format!("{} {fault}", quoted(text)),
                    "write a model's name, or a pattern such as gpt-*",
                ),
            }
        }
        (models.len() == texts.len()).then_some(models)
    }

    fn route_keys(&mut self, at: &KeyPath, texts: &[String]) -> Option<Vec<KeyId>> {
        let mut keys = Vec::with_capacity(texts.len());
        for (index, text) in texts.iter().enumerate() {
            match text.parse::<KeyId>() {
                Ok(key) => keys.push(key),
                Err(fault) => self.fault(
                    &at.index(index),
                    format!("{} {fault}", quoted(text)),
                    "write the id of a key, as `portcullis keys list` shows it; never the key",
                ),
            }
        }
        (keys.len() == texts.len()).then_some(keys)
    }

    fn patterns(&mut self, at: &KeyPath, texts: &[String], remedy: &str) -> Option<Vec<Pattern>> {
        let mut patterns = Vec::with_capacity(texts.len());
        for (index, text) in texts.iter().enumerate() {
            match text.parse::<Pattern>() {
                Ok(pattern) => patterns.push(pattern),
                Err(fault) => self.fault(
                    &at.index(index),
                    format!("{} {fault}", quoted(text)),
                    format!("write {remedy}"),
                ),
            }
        }
        (patterns.len() == texts.len()).then_some(patterns)
    }

    fn route_headers(
        &mut self,
        at: &KeyPath,
        route: &RawRoute,
    ) -> Option<Vec<(HeaderName, Pattern)>> {
        let mut headers = Vec::with_capacity(route.headers.len());
        for (name, text) in &route.headers {
            let at = at.key(name);
            match (name.parse::<HeaderName>(), text.parse::<Pattern>()) {
                (Ok(name), Ok(pattern)) => headers.push((name, pattern)),
                (Err(_not_a_name), _) => self.fault(
                    &at,
                    "is no name of a header field",
                    "write a name such as x-team",
                ),
                (_, Err(fault)) => self.fault(
                    &at,
                    format!("{} {fault}", quoted(text)),
                    "write a value, or a pattern such as search-*",
                ),
            }
        }
        (headers.len() == route.headers.len()).then_some(headers)
    }

    /// Indices of a route's providers.
    fn fallbacks(
        &mut self,
        at: &KeyPath,
        names: &[String],
        providers: &[RawProvider],
    ) -> Option<Vec<usize>> {
        if names.is_empty() {
            self.fault(at, "is empty, so that nothing answers", "name a provider");
            return None;
        }
        let mut chosen = Vec::with_capacity(names.len());
        for (index, name) in names.iter().enumerate() {
            let at = at.index(index);
            match providers.iter().position(|provider| provider.name == *name) {
                Some(found) if chosen.contains(&found) => self.fault(
                    &at,
                    format!("{} is named twice", quoted(name)),
                    "keep one of the two",
                ),
                Some(found) => chosen.push(found),
                None => {
                    let names = providers.iter().map(|provider| provider.name.as_str());
                    let known: Vec<&str> = names.filter(|name| !looks_secret(name)).collect();
                    let remedy = match (nearest(name, known.iter().copied()), known.as_slice()) {
                        (Some(near), _) => format!("did you mean `{near}`?"),
                        (None, []) => MINIMAL.to_owned(),
                        (None, known) => format!("write one of {}", known.join(", ")),
                    };
                    self.fault(
                        &at,
                        format!("there is no provider {}", quoted(name)),
                        remedy,
                    );
                }
            }
        }
        (chosen.len() == names.len()).then_some(chosen)
    }
}

const fn balance(raw: RawBalance) -> Balance {
    match raw {
        RawBalance::RoundRobin => Balance::RoundRobin,
        RawBalance::LeastInFlight => Balance::LeastInFlight,
        RawBalance::Latency => Balance::Latency,
        RawBalance::HashKey => Balance::HashKey,
    }
}

/// Whether each name that the narrower pattern matches is matched by the wider one too. A star
/// of the narrower one is read as a character that no pattern holds: if the wider one takes that,
/// a star of its own took it, and would take anything.
fn covers(wider: &Pattern, narrower: &Pattern) -> bool {
    wider.matches(&narrower.as_str().replace('*', "\u{1}"))
}
