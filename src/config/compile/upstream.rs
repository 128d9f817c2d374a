//! Providers and routes.
//!
//! Decides that names are unique and known, that URLs are plain, and that each provider has what
//! its API needs. Names are never resolved here.

use std::sync::Arc;

use http::HeaderValue;
use url::{Host, Url};

use super::{Compiler, KeyPath, Severity, fits_header, quoted};
use crate::config::fault::looks_secret;
use crate::config::near::nearest;
use crate::config::raw::{RawApi, RawEndpoint, RawProvider, RawProviderTimeouts, RawRoute};
use crate::policy::names::ProviderName;
use crate::policy::secret::Secret;
use crate::policy::{Api, Endpoint, Provider, ProviderTimeouts, Route};
use crate::route::balance::Schedule;
use crate::route::pattern::Pattern;

/// A provider's key may be a token with claims in it, which is longer than a plain key.
const LONGEST_KEY: usize = 4_096;
/// What to write where there is no route, in one line.
const MINIMAL: &str = "add `providers: [{name: local, api: echo}]` and `routes: [{models: [\"*\"], \
                       providers: [local]}]`";

impl Compiler<'_> {
    pub(super) fn providers(&mut self, raw: &[RawProvider]) -> Option<Vec<Arc<Provider>>> {
        let at = KeyPath::of("providers");
        let mut providers: Vec<Arc<Provider>> = Vec::with_capacity(raw.len());
        for (index, written) in raw.iter().enumerate() {
            let at = at.index(index);
            let earlier = raw.iter().take(index);
            if earlier.into_iter().any(|other| other.name == written.name) {
                self.fault(
                    &at.key("name"),
                    format!(
                        "{} is the name of an earlier provider too",
                        quoted(&written.name)
                    ),
                    "give each provider a name of its own",
                );
            }
            providers.extend(self.provider(&at, written).map(Arc::new));
        }
        (providers.len() == raw.len()).then_some(providers)
    }

    fn provider(&mut self, at: &KeyPath, raw: &RawProvider) -> Option<Provider> {
        let name = raw.name.parse::<ProviderName>();
        if let Err(fault) = &name {
            self.fault(
                &at.key("name"),
                format!("{} {fault}", quoted(&raw.name)),
                "write a short name such as openai",
            );
        }
        let api = match raw.api {
            RawApi::OpenAi => Api::OpenAi,
            RawApi::Anthropic => Api::Anthropic,
            RawApi::Echo => Api::Echo,
        };
        self.needs_of(at, raw);
        let endpoints = match api {
            Api::OpenAi | Api::Anthropic => self.endpoints(&at.key("endpoints"), &raw.endpoints),
            Api::Echo => Some(vec![itself()]),
        };
        let api_key = match &raw.api_key {
            None => None,
            Some(text) => Some(self.provider_key(&at.key("api_key"), text)?),
        };
        let timeouts = self.provider_timeouts(&at.key("timeouts"), &raw.timeouts);
        let endpoints = endpoints?;
        let weights: Vec<u16> = endpoints.iter().map(|endpoint| endpoint.weight).collect();
        let provider = Provider {
            name: name.ok()?,
            api,
            endpoints,
            schedule: Schedule::new(&weights),
            api_key,
            timeouts: timeouts?,
        };
        self.exposed_key(at, &provider);
        Some(provider)
    }

    /// What each API needs and what it has no use for.
    fn needs_of(&mut self, at: &KeyPath, raw: &RawProvider) {
        let example = match raw.api {
            RawApi::OpenAi => "https://api.openai.com",
            RawApi::Anthropic => "https://api.anthropic.com",
            RawApi::Echo => {
                if !raw.endpoints.is_empty() {
                    self.fault(
                        &at.key("endpoints"),
                        "echo answers by itself and has no endpoint",
                        "remove it, or write another api",
                    );
                }
                if raw.api_key.is_some() {
                    self.fault(
                        &at.key("api_key"),
                        "echo answers by itself and needs no key",
                        "remove it, or write another api",
                    );
                }
                return;
            }
        };
        if raw.endpoints.is_empty() {
            self.fault(
                &at.key("endpoints"),
                "is empty, so that there is nothing to forward to",
                format!("write endpoints: [{{url: \"{example}\"}}]"),
            );
        } else if raw.endpoints.iter().all(|endpoint| endpoint.weight == 0) {
            self.fault(
                &at.key("endpoints"),
                "all weights are 0, so that no endpoint would be chosen",
                "give at least one a weight from 1 to 1000",
            );
        }
    }

    fn provider_key(
        &mut self,
        at: &KeyPath,
        text: &crate::config::raw::SecretText,
    ) -> Option<Secret> {
        let secret = self.secret(at, text)?;
        if !fits_header(secret.expose(), LONGEST_KEY) {
            self.fault(
                at,
                "holds characters that no header can carry, or more than 4096",
                "a key is visible ASCII without spaces or line ends; check what it refers to",
            );
            return None;
        }
        Some(secret)
    }

    fn provider_timeouts(
        &mut self,
        at: &KeyPath,
        raw: &RawProviderTimeouts,
    ) -> Option<ProviderTimeouts> {
        let connect = self.span(&at.key("connect"), &raw.connect);
        let first_byte = self.span(&at.key("first_byte"), &raw.first_byte);
        let idle = self.span(&at.key("idle"), &raw.idle);
        let total = self.span(&at.key("total"), &raw.total);
        Some(ProviderTimeouts {
            connect: connect?,
            first_byte: first_byte?,
            idle: idle?,
            total: total?,
        })
    }

    fn endpoints(&mut self, at: &KeyPath, raw: &[RawEndpoint]) -> Option<Vec<Endpoint>> {
        let mut endpoints = Vec::with_capacity(raw.len());
        for (index, written) in raw.iter().enumerate() {
            let at = at.index(index).key("url");
            match endpoint(&written.url, written.weight) {
                Ok(endpoint) => {
                    if endpoint.base_path.ends_with("/v1") {
                        let advice = "requests come with their own /v1, so that the provider \
                                      would see /v1/v1; take it off the URL";
                        self.finding("endpoint_path", Severity::Low, &at, advice);
                    }
                    endpoints.push(endpoint);
                }
                Err((problem, remedy)) => self.fault(&at, problem, remedy),
            }
        }
        (endpoints.len() == raw.len()).then_some(endpoints)
    }

    /// A key that would cross a network in the clear.
    fn exposed_key(&mut self, at: &KeyPath, provider: &Provider) {
        if provider.api_key.is_none() {
            return;
        }
        for (index, endpoint) in provider.endpoints.iter().enumerate() {
            if !endpoint.tls && !is_loopback(&endpoint.host) {
                self.finding(
                    "provider_without_tls",
                    Severity::High,
                    &at.key("endpoints").index(index).key("url"),
                    "the provider's key and all text cross the network in the clear; write https",
                );
            }
        }
    }

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
            if let (Some(models), Some(providers)) = (models, chosen) {
                routes.push(Route {
                    models,
                    providers,
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
                    let mut before = earlier.iter().flat_map(|route| &route.models);
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

/// Whether each name that the narrower pattern matches is matched by the wider one too. A star
/// of the narrower one is read as a character that no pattern holds: if the wider one takes that,
/// a star of its own took it, and would take anything.
fn covers(wider: &Pattern, narrower: &Pattern) -> bool {
    wider.matches(&narrower.as_str().replace('*', "\u{1}"))
}

/// The endpoint that stands for this process itself. Its port can't be connected to.
fn itself() -> Endpoint {
    Endpoint {
        tls: false,
        host: "echo".into(),
        port: 0,
        authority: HeaderValue::from_static("echo"),
        base_path: "".into(),
        weight: 1,
    }
}

/// Whether a host is this machine.
fn is_loopback(host: &str) -> bool {
    let address = host.parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

fn endpoint(text: &str, weight: u16) -> Result<Endpoint, (String, String)> {
    const REMEDY: &str = "write a URL such as https://api.openai.com";
    let trouble = |problem: &str| (problem.to_owned(), REMEDY.to_owned());
    let url = Url::parse(text).map_err(|fault| {
        // A URL may hold a password, so it is not repeated.
        (format!("is not a URL: {fault}"), REMEDY.to_owned())
    })?;
    let tls = match url.scheme() {
        "https" => true,
        "http" => false,
        _ => return Err(trouble("is neither an http nor an https URL")),
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err((
            "holds a user name or password".to_owned(),
            "take them out; a key belongs into api_key".to_owned(),
        ));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(trouble("holds a query (`?`) or a fragment (`#`)"));
    }
    let (host, shown) = match url.host() {
        Some(Host::Domain(name)) => (name.to_owned(), name.to_owned()),
        Some(Host::Ipv4(address)) => (address.to_string(), address.to_string()),
        Some(Host::Ipv6(address)) => (address.to_string(), format!("[{address}]")),
        None => return Err(trouble("names no host")),
    };
    let authority = match url.port() {
        Some(port) => format!("{shown}:{port}"),
        None => shown,
    };
    Ok(Endpoint {
        tls,
        host: host.into(),
        port: url
            .port_or_known_default()
            .ok_or_else(|| trouble("names no port"))?,
        authority: HeaderValue::from_str(&authority)
            .map_err(|_not_a_value| trouble("names a host that no header can carry"))?,
        base_path: url.path().trim_end_matches('/').into(),
        weight,
    })
}
