//! The blocks `rate_limits` and `settings`.
//!
//! Decides names and defaults. A limit that is written as null is off; one that is not written is
//! on, with its default.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{RateText, SecretText, SpanText};

/// How often callers may call.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "RateLimits")]
pub(in crate::config) struct RawRateLimits {
    /// Where the counts are kept: memory, or redis://HOST:PORT/DB. None: memory.
    pub store: Option<SecretText>,
    /// For all callers together; null: none.
    pub global: Option<RawLimit>,
    /// For one client address (an IPv6 /64); null: none.
    pub per_ip: Option<RawLimit>,
    /// For one key that has no limits of its own; null: none.
    pub per_key: Option<RawKeyLimit>,
    /// For models, all callers together; every entry that matches counts.
    pub models: Vec<RawModelLimit>,
    /// Requests in flight at once; null: any number.
    pub concurrent_requests: Option<u32>,
    /// When a client that keeps violating limits is blocked; null: never.
    pub block: Option<RawBlock>,
    /// Client addresses that are counted one by one at a time; each takes 32 bytes.
    #[schemars(range(min = 1024, max = 16_777_216))]
    pub max_clients: u32,
}

impl Default for RawRateLimits {
    fn default() -> Self {
        Self {
            store: None,
            global: None,
            per_ip: Some(RawLimit {
                rate: RateText::new("100/minute"),
                burst: Some(50),
            }),
            per_key: Some(RawKeyLimit::default()),
            models: Vec::new(),
            concurrent_requests: Some(1_000),
            block: Some(RawBlock::default()),
            max_clients: 1_000_000,
        }
    }
}

/// A rate and its burst.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Limit")]
pub(in crate::config) struct RawLimit {
    /// How often.
    pub rate: RateText,
    /// How many may come at once; by default what the rate allows in its period.
    #[serde(default)]
    pub burst: Option<u32>,
}

/// The limits of one key.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "KeyLimit")]
pub(in crate::config) struct RawKeyLimit {
    /// How often; null: any number of times.
    pub rate: Option<RateText>,
    /// How many may come at once; by default 10, or what the rate allows in its period if that is
    /// less.
    pub burst: Option<u32>,
    /// Model tokens, of requests and answers together, such as 100000/minute.
    pub tokens: Option<RateText>,
    /// Requests in flight at once.
    pub concurrent: Option<u32>,
}

impl Default for RawKeyLimit {
    fn default() -> Self {
        Self {
            rate: Some(RateText::new("60/minute")),
            burst: None,
            tokens: None,
            concurrent: None,
        }
    }
}

/// A limit on models.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ModelLimit")]
pub(in crate::config) struct RawModelLimit {
    /// Models, or patterns with `*`, that share the limit.
    pub models: Vec<String>,
    /// How often.
    pub rate: RateText,
    /// How many may come at once; by default what the rate allows in its period.
    #[serde(default)]
    pub burst: Option<u32>,
}

/// When a client that keeps violating limits is blocked.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "Block")]
pub(in crate::config) struct RawBlock {
    /// How many violations.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub violations: u32,
    /// Within which time.
    pub within: SpanText,
    /// How long the block lasts.
    pub block_for: SpanText,
}

impl Default for RawBlock {
    fn default() -> Self {
        Self {
            violations: 100,
            within: SpanText::new("5m"),
            block_for: SpanText::new("1h"),
        }
    }
}

/// An older spelling of two limits.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "Settings")]
pub(in crate::config) struct RawSettings {
    /// `rate_limits.per_key.rate`, in a minute; wins over it.
    pub rate_limit_rpm: Option<u32>,
    /// `rate_limits.concurrent_requests`; wins over it.
    pub max_concurrent_requests: Option<u32>,
}
