//! Refused requests, by the reason: a word of a closed set.
//!
//! Decides which metric a refusal counts in: no credential, a limit, or what the request says.

use prometheus::{Error, IntCounterVec, Registry};

use super::counters;
use crate::record::Refusal;

/// Metrics by the reason of a refusal, which is a word of a closed set.
pub(super) struct Refusals {
    failed_auth: IntCounterVec,
    limited: IntCounterVec,
    blocked: IntCounterVec,
}

impl Refusals {
    pub(super) fn new(registry: &Registry) -> Result<Self, Error> {
        Ok(Self {
            failed_auth: counters(
                registry,
                "proxy_api_failed_auth_attempts_total",
                "Requests without a valid credential, by reason.",
                &["reason"],
            )?,
            limited: counters(
                registry,
                "proxy_api_rate_limited_total",
                "Requests refused by a limit, by its level.",
                &["scope"],
            )?,
            blocked: counters(
                registry,
                "proxy_api_blocked_requests_total",
                "Requests refused for what they are or who sent them, by reason.",
                &["reason"],
            )?,
        })
    }

    pub(super) fn count(&self, refusal: Refusal) {
        if let Some(scope) = refusal.limited {
            self.limited.with_label_values(&[scope]).inc();
        }
        let vec = if refusal.unauthenticated {
            &self.failed_auth
        } else if refusal.upstream {
            // No verdict on the request; the call's status says it.
            return;
        } else {
            &self.blocked
        };
        vec.with_label_values(&[refusal.reason]).inc();
    }
}
