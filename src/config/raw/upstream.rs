//! The blocks `providers` and `routes`.
//!
//! Decides names, words and defaults; names and URLs are looked at by `compile::upstream`.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{RateText, SecretText, SpanText};

/// One service that requests are forwarded to.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Provider")]
pub(in crate::config) struct RawProvider {
    /// Its name: letters, digits and `-_.`, once in the file.
    pub name: String,
    /// What it speaks.
    pub api: RawApi,
    /// Where it is; none for echo.
    #[serde(default)]
    pub endpoints: Vec<RawEndpoint>,
    /// The key put in the place of the caller's: `${NAME}` or `file:PATH`.
    #[serde(default)]
    pub api_key: Option<SecretText>,
    /// Further keys, taken in turn when one is spent (429).
    #[serde(default)]
    pub api_keys: Vec<SecretText>,
    /// How often it may be called.
    #[serde(default)]
    pub rate_limit: Option<RawProviderRate>,
    /// Calls in flight at once; what is over that is treated as `rate_limit.on_exceeded` says.
    #[serde(default)]
    pub concurrent: Option<NonZeroU32>,
    /// How long it may take.
    #[serde(default)]
    pub timeouts: RawProviderTimeouts,
    /// How its health is asked for.
    #[serde(default)]
    pub health_check: Option<RawHealthCheck>,
    /// When an endpoint is left alone.
    #[serde(default)]
    pub circuit_breaker: Option<RawCircuitBreaker>,
    /// How long an endpoint that comes back takes to its full share.
    #[serde(default = "half_a_minute")]
    pub slow_start: SpanText,
    /// What this provider calls a model: `{gpt-4o: my-deployment}`. Patterns are allowed on the
    /// left; the first match counts.
    #[serde(default)]
    pub model_map: BTreeMap<String, String>,
    /// Whether a call that the provider may have run already is made again; it may be billed twice.
    #[serde(default)]
    pub retry_unsafe: bool,
    /// Whether it is asked at each stream of a chat what was used (`stream_options`), though the
    /// client did not ask; the client sees nothing of it. For `api: openai`.
    #[serde(default = "yes")]
    pub stream_usage: bool,
}

const fn yes() -> bool {
    true
}

fn half_a_minute() -> SpanText {
    SpanText::new("30s")
}

/// The wire protocol of a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Api")]
pub(in crate::config) enum RawApi {
    /// The API of `OpenAI`.
    #[serde(rename = "openai")]
    OpenAi,
    /// Anthropic's API.
    Anthropic,
    /// The embedded provider that needs no network.
    Echo,
}

/// One address of a provider.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Endpoint")]
pub(in crate::config) struct RawEndpoint {
    /// Such as `https://api.openai.com`; the request's own path (`/v1/…`) is put behind it.
    pub url: String,
    /// Share of the calls, relative to its siblings.
    #[serde(default = "one")]
    #[schemars(range(max = 1000))]
    pub weight: u16,
    /// What is special about its TLS; certificates are always verified.
    #[serde(default)]
    pub tls: Option<RawEndpointTls>,
    /// Whether its name may stand for an address in a private network. An address that is written
    /// down itself needs no leave.
    #[serde(default)]
    pub allow_private: bool,
}

/// What is special about an endpoint's TLS.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "EndpointTls")]
pub(in crate::config) struct RawEndpointTls {
    /// PEM file of the only authorities that are believed; default: the system's.
    pub ca_file: Option<String>,
    /// PEM file of our own certificate and its chain.
    pub client_certificate: Option<String>,
    /// PEM file of its key.
    pub client_key: Option<String>,
    /// The name that is asked for and that the certificate must bear; default: the host.
    pub sni: Option<String>,
}

const fn one() -> u16 {
    1
}

/// How often a provider may be called.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ProviderRate")]
pub(in crate::config) struct RawProviderRate {
    /// How often, on average.
    #[serde(default)]
    pub rate: Option<RateText>,
    /// How many at once; default: a second's worth, and at least one.
    #[serde(default)]
    pub burst: Option<NonZeroU32>,
    /// Model tokens, of requests and answers together; a whole period's worth at once.
    #[serde(default)]
    pub tokens: Option<RateText>,
    /// What becomes of a call over the rate or the tokens.
    #[serde(default)]
    pub on_exceeded: RawOnExceeded,
    /// How long a call may be delayed.
    #[serde(default)]
    pub delay: Option<RawDelay>,
}

/// What becomes of a call over a limit of its provider.
#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "OnExceeded")]
pub(in crate::config) enum RawOnExceeded {
    /// The next provider takes it.
    #[default]
    Fallback,
    /// It waits.
    Delay,
    /// It is refused.
    Reject,
}

/// How long a call may be delayed.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Delay")]
pub(in crate::config) struct RawDelay {
    /// At most so long.
    pub max: SpanText,
}

/// How long a provider may take.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "ProviderTimeouts")]
pub(in crate::config) struct RawProviderTimeouts {
    /// To accept a connection, TLS included.
    pub connect: SpanText,
    /// From the request's end to the first byte of the answer.
    pub first_byte: SpanText,
    /// Between two pieces of the answer.
    pub idle: SpanText,
    /// For the call as a whole.
    pub total: SpanText,
}

impl Default for RawProviderTimeouts {
    fn default() -> Self {
        Self {
            connect: SpanText::new("10s"),
            first_byte: SpanText::new("30s"),
            idle: SpanText::new("60s"),
            total: SpanText::new("10m"),
        }
    }
}

/// How a provider's health is asked for.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "HealthCheck")]
pub(in crate::config) struct RawHealthCheck {
    /// The path that is asked for.
    pub path: Option<String>,
    /// How often, give or take a tenth.
    pub interval: Option<SpanText>,
    /// How long an answer may take.
    pub timeout: Option<SpanText>,
    /// Statuses of a healthy provider; default: 200 to 299.
    pub expected_status: Vec<u16>,
    /// After how many failures it counts as ill.
    pub unhealthy_after: Option<NonZeroU32>,
    /// After how many successes it counts as well again.
    pub healthy_after: Option<NonZeroU32>,
}

/// When a provider is left alone.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "CircuitBreaker")]
pub(in crate::config) struct RawCircuitBreaker {
    /// After how many failures.
    #[schemars(range(min = 1, max = 1000))]
    pub failures: Option<NonZeroU32>,
    /// Within which time.
    pub within: Option<SpanText>,
    /// For how long.
    pub open_for: Option<SpanText>,
    /// Calls that are let through after that, to find out; default 1.
    pub trials: Option<NonZeroU32>,
}

/// Which providers serve which models.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Route")]
pub(in crate::config) struct RawRoute {
    /// Model names, or patterns such as `gpt-*`.
    pub models: Vec<String>,
    /// Ids of keys whose requests it is for; default: everybody's.
    #[serde(default)]
    pub keys: Vec<String>,
    /// Paths that it is for, with `*` for anything; default: all.
    #[serde(default)]
    pub paths: Vec<String>,
    /// Header fields that must be there, each with a matching value: `{x-team: "search-*"}`.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Names of providers, in order of fallback.
    pub providers: Vec<String>,
    /// How one of a provider's endpoints is chosen.
    #[serde(default)]
    pub balance: RawBalance,
    /// Further attempts at a provider after one that it can't have run.
    #[serde(default = "one_retry")]
    #[schemars(range(max = 5))]
    pub retries: u8,
}

const fn one_retry() -> u8 {
    1
}

/// How one of a provider's endpoints is chosen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Balance")]
pub(in crate::config) enum RawBalance {
    /// In turn, by weight.
    #[default]
    RoundRobin,
    /// The one with the fewest calls in flight.
    LeastInFlight,
    /// The fastest.
    Latency,
    /// Always the same one for one key.
    HashKey,
}
