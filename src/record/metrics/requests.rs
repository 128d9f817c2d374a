//! Requests that have ended, by method, endpoint and status.
//!
//! Decides which series a request counts in. Each is looked up by its labels once, and by its
//! place from then on.

use std::sync::OnceLock;

use prometheus::{Error, IntCounter, IntCounterVec, Registry};

use super::counters;
use super::labels::{self, METHODS, STATUS_LABELS, method_index, status_index, status_label};
use crate::record::Facts;
use crate::record::endpoint::Endpoint;

/// `proxy_api_requests_total`, with every series found by its place.
pub(super) struct Requests {
    vec: IntCounterVec,
    series: Box<[OnceLock<IntCounter>]>,
}

impl Requests {
    pub(super) fn new(registry: &Registry) -> Result<Self, Error> {
        let places = [Endpoint::ALL.len(), METHODS.len(), STATUS_LABELS]
            .into_iter()
            .product();
        Ok(Self {
            vec: counters(
                registry,
                "proxy_api_requests_total",
                "Requests that have ended, by method, endpoint and status.",
                &["method", "endpoint", "status_code"],
            )?,
            series: (0_usize..places).map(|_| OnceLock::new()).collect(),
        })
    }

    pub(super) fn count(&self, facts: &Facts) {
        let status = Some(facts.status_shown());
        let method = method_index(&facts.method);
        let place = facts
            .endpoint
            .index()
            .saturating_mul(METHODS.len())
            .saturating_add(method)
            .saturating_mul(STATUS_LABELS)
            .saturating_add(status_index(status));
        let series = || {
            let method = METHODS.get(method).copied().unwrap_or(labels::OTHER);
            let endpoint = facts.endpoint.as_str();
            self.vec
                .with_label_values(&[method, endpoint, &status_label(status)])
        };
        match self.series.get(place) {
            Some(kept) => kept.get_or_init(series).inc(),
            None => series().inc(),
        }
    }
}
