//! Providers and routes, compiled: where requests may go, and how each provider is treated.
//!
//! Holds values alone. What is known of a provider at the moment (health, breakers, calls in
//! flight) is `route::fleet`'s, and outlives these.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, HeaderValue};

use super::limits::Limit;
use super::names::{KeyId, ProviderName};
use super::secret::Secret;
use super::units::Span;
use crate::route::balance::{Balance, Ring, Schedule};
use crate::route::breaker::{BreakerSettings, HealthSettings};
use crate::route::live::Order;
use crate::route::pattern::Pattern;

/// One upstream service.
#[derive(Debug)]
pub struct Provider {
    /// Its name.
    pub name: ProviderName,
    /// What it speaks.
    pub api: Api,
    /// Where it is; one that stands for this process itself for `echo`.
    pub endpoints: Vec<Endpoint>,
    /// Whose turn it is among the endpoints.
    pub schedule: Schedule,
    /// Which endpoint belongs to which caller.
    pub ring: Ring,
    /// The keys put in the place of the caller's; another one is taken when one is spent.
    pub api_keys: Vec<Secret>,
    /// How long it may take.
    pub timeouts: ProviderTimeouts,
    /// How often it may be called, and how much it may use.
    pub limits: ProviderLimits,
    /// Calls in flight at once.
    pub concurrent: Option<NonZeroU32>,
    /// How its health is asked for.
    pub health: Option<HealthCheck>,
    /// When its endpoints are left alone.
    pub breaker: Option<BreakerSettings>,
    /// How long a returning endpoint takes to its full share.
    pub slow_start: Duration,
    /// Model names of callers, and what this provider calls them; the first match counts.
    pub model_map: Vec<(Pattern, Box<str>)>,
    /// Whether a call that the provider may have run already may be made again.
    pub retry_unsafe: bool,
    /// Whether streams are asked for what was used, where clients did not ask.
    pub stream_usage: bool,
}

impl Provider {
    /// Whether any call may have to wait, or go elsewhere, for a limit of its own.
    pub const fn is_limited(&self) -> bool {
        self.limits.rate.is_some() || self.limits.tokens.is_some() || self.concurrent.is_some()
    }

    /// What this provider calls a model, where it has another name for it.
    pub fn model_name(&self, model: &str) -> Option<&str> {
        let mapped = self.model_map.iter().find(|(from, _)| from.matches(model));
        mapped.map(|(_, to)| &**to)
    }
}

/// How often a provider may be called, and how much it may use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ProviderLimits {
    /// How often.
    pub rate: Option<Limit>,
    /// Model tokens, of requests and answers together.
    pub tokens: Option<Limit>,
    /// What becomes of a call over one of them, or over the calls in flight.
    pub exceeded: Exceeded,
}

/// What becomes of a call that a provider may not have now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Exceeded {
    /// The next provider takes it; refused if there is none.
    #[default]
    Fallback,
    /// It waits, so long at most; then as with fallback.
    Delay(Duration),
    /// It is refused.
    Reject,
}

/// How a provider's health is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthCheck {
    /// The path that is asked for with GET.
    pub path: Box<str>,
    /// How often.
    pub interval: Duration,
    /// How long the answer may take.
    pub timeout: Duration,
    /// Which statuses are good; none named: 200 to 299.
    pub expected: Vec<u16>,
    /// After how many answers the verdict changes.
    pub thresholds: HealthSettings,
}

impl HealthCheck {
    /// Whether a status is that of a healthy provider.
    pub fn is_good(&self, status: u16) -> bool {
        if self.expected.is_empty() {
            return (200..300).contains(&status);
        }
        self.expected.contains(&status)
    }
}

/// The wire protocol of a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Api {
    /// OpenAI's API: `Authorization: Bearer`.
    OpenAi,
    /// Anthropic's API: `x-api-key` and `anthropic-version`.
    Anthropic,
    /// The embedded provider that needs no network.
    Echo,
}

impl Api {
    /// The name in configuration and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::Anthropic => "anthropic",
            Self::Echo => "echo",
        }
    }
}

/// One address of a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Whether TLS is spoken.
    pub tls: bool,
    /// Host name or address, without port.
    pub host: Box<str>,
    /// Port.
    pub port: u16,
    /// The `Host` header towards it: `host`, or `host:port` where the port is not the scheme's.
    pub authority: HeaderValue,
    /// Put before the request's path: `""`, or `/base` without a slash at its end.
    pub base_path: Box<str>,
    /// Share of the calls, relative to its siblings.
    pub weight: u16,
    /// What is special about its TLS.
    pub security: Option<Arc<EndpointTls>>,
    /// Whether its name may stand for an address in a private network.
    pub allow_private: bool,
}

impl Endpoint {
    /// Its name in metrics and answers: the host, with the port where that is not the scheme's.
    pub fn label(&self) -> &str {
        self.authority.to_str().unwrap_or_default()
    }

    /// Its whole address: scheme, host, port where it is not the scheme's, base path.
    pub fn url(&self) -> String {
        let scheme = if self.tls { "https" } else { "http" };
        format!("{scheme}://{}{}", self.label(), self.base_path)
    }

    /// Whether an operator means this endpoint by that name.
    pub fn is_called(&self, name: &str) -> bool {
        self.label() == name || self.url() == name
    }

    /// The address, where the host is one.
    pub fn address(&self) -> Option<IpAddr> {
        self.host.trim_matches(['[', ']']).parse().ok()
    }
}

/// What an operator has ordered of an endpoint, or of all of a provider's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointOrder {
    /// The provider's name.
    pub provider: Box<str>,
    /// The endpoint's name; none: all of them.
    pub endpoint: Option<Box<str>>,
    /// What is to become of its calls.
    pub order: Order,
}

impl EndpointOrder {
    /// Whether it is about this endpoint.
    pub fn is_for(&self, provider: &Provider, endpoint: &Endpoint) -> bool {
        let name = self.endpoint.as_deref();
        *self.provider == *provider.name.as_str()
            && name.is_none_or(|name| endpoint.is_called(name))
    }
}

/// What is special about an endpoint's TLS. Certificates are always verified.
#[derive(Debug, PartialEq, Eq)]
pub struct EndpointTls {
    /// The only authorities that are believed, as DER; none: the system's.
    pub authorities: Vec<Vec<u8>>,
    /// Our own certificate.
    pub client: Option<ClientIdentity>,
    /// The name that is asked for and that the certificate must bear; none: the host.
    pub name: Option<Box<str>>,
    /// Told apart from all others, so that connections are not shared between them.
    pub number: u64,
}

/// A client certificate and its key.
#[derive(PartialEq, Eq)]
pub struct ClientIdentity {
    /// The chain, as DER, the leaf first.
    pub chain: Vec<Vec<u8>>,
    /// The private key, as DER.
    pub key: Vec<u8>,
}

impl std::fmt::Debug for ClientIdentity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ClientIdentity")
    }
}

/// How long a provider may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProviderTimeouts {
    /// To accept a connection, TLS included.
    pub connect: Span,
    /// From the request's end to the first byte of the answer.
    pub first_byte: Span,
    /// Between two pieces of the answer.
    pub idle: Span,
    /// For the call as a whole.
    pub total: Span,
}

/// Which providers serve which requests.
#[derive(Debug, Clone)]
pub struct Route {
    /// Models, any of which matches.
    pub models: Vec<Pattern>,
    /// Keys whose requests it is for; none: everybody's.
    pub keys: Vec<KeyId>,
    /// Paths that it is for; none: all.
    pub paths: Vec<Pattern>,
    /// Header fields that must be there, each with a matching value.
    pub headers: Vec<(HeaderName, Pattern)>,
    /// Indices into [`super::Policy::providers`], in order of fallback.
    pub providers: Vec<usize>,
    /// How one of a provider's endpoints is chosen.
    pub balance: Balance,
    /// Further attempts at a provider.
    pub retries: u8,
}
