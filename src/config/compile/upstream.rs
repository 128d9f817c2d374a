//! Providers: names, addresses, times.
//!
//! Decides that names are unique and known, that URLs are plain, and that each provider has what
//! its API needs. Names are never resolved here.

use std::sync::Arc;

use http::HeaderValue;
use url::{Host, Url};

use super::{Compiler, KeyPath, Severity, quoted};
use crate::config::raw::{RawApi, RawEndpoint, RawProvider, RawProviderTimeouts};
use crate::policy::names::ProviderName;
use crate::policy::{Api, Endpoint, Provider, ProviderTimeouts};
use crate::route::balance::{Ring, Schedule};

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
        let api_keys = self.provider_keys(at, raw);
        let limits = self.provider_limits(&at.key("rate_limit"), raw);
        let health = self.health_check(&at.key("health_check"), raw);
        let breaker = self.breaker(&at.key("circuit_breaker"), raw);
        let slow_start = self.span(&at.key("slow_start"), &raw.slow_start);
        let model_map = self.model_map(&at.key("model_map"), raw);
        let timeouts = self.provider_timeouts(&at.key("timeouts"), &raw.timeouts);
        let endpoints = endpoints?;
        let weights: Vec<u16> = endpoints.iter().map(|endpoint| endpoint.weight).collect();
        let labels: Vec<String> = endpoints.iter().map(|one| one.label().to_owned()).collect();
        let ring = Ring::new(
            labels
                .iter()
                .map(String::as_str)
                .zip(weights.iter().copied()),
        );
        let provider = Provider {
            name: name.ok()?,
            api,
            endpoints,
            schedule: Schedule::new(&weights),
            ring,
            api_keys: api_keys?,
            timeouts: timeouts?,
            limits: limits?,
            concurrent: raw.concurrent,
            health: health.ok()?,
            breaker: breaker.ok()?,
            slow_start: slow_start?.get(),
            model_map: model_map?,
            retry_unsafe: raw.retry_unsafe,
            stream_usage: raw.stream_usage && api == Api::OpenAi,
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
                if raw.api_key.is_some() || !raw.api_keys.is_empty() {
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
            let security = self.endpoint_tls(&at.index(index).key("tls"), written);
            let at = at.index(index).key("url");
            match endpoint(&written.url, written.weight) {
                Ok(mut endpoint) => {
                    endpoint.security = security.ok()?;
                    endpoint.allow_private = written.allow_private;
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
        if provider.api_keys.is_empty() {
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
        security: None,
        allow_private: false,
    }
}

/// Whether a host is this machine.
pub(super) fn is_loopback(host: &str) -> bool {
    let address = host.parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// The endpoint that a URL names.
///
/// # Errors
/// Problem and remedy.
pub(super) fn endpoint(text: &str, weight: u16) -> Result<Endpoint, (String, String)> {
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
        security: None,
        allow_private: false,
    })
}
