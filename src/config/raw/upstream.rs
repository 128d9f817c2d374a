//! The blocks `providers` and `routes`.
//!
//! Decides names, words and defaults; names and URLs are looked at by `compile::upstream`.

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
    /// How often it may be called.
    #[serde(default)]
    pub rate_limit: Option<RawProviderRate>,
    /// Calls in flight at once.
    #[serde(default)]
    pub concurrent: Option<u32>,
    /// How long it may take.
    #[serde(default)]
    pub timeouts: RawProviderTimeouts,
    /// How its health is asked for.
    #[serde(default)]
    pub health_check: Option<RawHealthCheck>,
    /// When it is left alone.
    #[serde(default)]
    pub circuit_breaker: Option<RawCircuitBreaker>,
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
}

const fn one() -> u16 {
    1
}

/// How often a provider may be called.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ProviderRate")]
pub(in crate::config) struct RawProviderRate {
    /// How often.
    pub rate: RateText,
    /// What becomes of a call over the rate.
    #[serde(default)]
    pub on_exceeded: Option<RawOnExceeded>,
    /// How long a call may be delayed.
    #[serde(default)]
    pub delay: Option<RawDelay>,
}

/// What becomes of a call over the rate.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "OnExceeded")]
pub(in crate::config) enum RawOnExceeded {
    /// The next provider takes it.
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
    /// How often.
    pub interval: Option<SpanText>,
    /// After how many failures it counts as ill.
    pub unhealthy_after: Option<u32>,
    /// After how many successes it counts as well again.
    pub healthy_after: Option<u32>,
}

/// When a provider is left alone.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "CircuitBreaker")]
pub(in crate::config) struct RawCircuitBreaker {
    /// After how many failures.
    pub failures: Option<u32>,
    /// Within which time.
    pub within: Option<SpanText>,
    /// For how long.
    pub open_for: Option<SpanText>,
}

/// Which providers serve which models.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Route")]
pub(in crate::config) struct RawRoute {
    /// Model names, or patterns such as `gpt-*`.
    pub models: Vec<String>,
    /// Names of providers, in order of fallback.
    pub providers: Vec<String>,
    /// How one of a provider's endpoints is chosen.
    #[serde(default)]
    pub balance: RawBalance,
    /// Further attempts, when a provider can't be connected to.
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
