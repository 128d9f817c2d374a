//! What is counted, under the names of the contract.
//!
//! Decides what of a record is counted where. Labels come from closed sets and from the names in
//! the configuration, so that the number of series does not depend on what is sent. Counting
//! allocates nothing once a series exists. It never reads a clock; what only the system knows
//! comes in as a collector.

mod calls;
mod labels;
mod providers;
mod refusals;
mod requests;
mod visits;

use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use prometheus::core::Collector;
use prometheus::{
    Encoder as _, Error, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, Opts,
    Registry, TextEncoder,
};

use super::endpoint::Endpoint;
use super::{Facts, Outcome};
use crate::route::fleet::ProviderReport;
use calls::{CallVecs, Known};
use providers::Providers;
use refusals::Refusals;
use requests::Requests;
pub use visits::TurnedAway;
use visits::Visits;

/// Providers with a label of their own.
pub const MAX_PROVIDERS: usize = 64;

/// Models with a label of their own.
pub const MAX_MODELS: usize = 256;

/// Upper bounds for whole requests, in seconds: answers of models take long.
const DURATION_BUCKETS: [f64; 16] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0,
];

/// Upper bounds for the gateway's own part, in seconds.
const OVERHEAD_BUCKETS: [f64; 14] = [
    0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025,
    0.05, 0.1, 1.0,
];

/// Upper bounds for bodies, in bytes.
const SIZE_BUCKETS: [f64; 10] = [
    256.0,
    1_024.0,
    4_096.0,
    16_384.0,
    65_536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    67_108_864.0,
];

/// The content type of [`Metrics::render`].
pub const CONTENT_TYPE: &str = prometheus::TEXT_FORMAT;

/// All metrics of the process.
pub struct Metrics {
    registry: Registry,
    requests: Requests,
    calls: CallVecs,
    /// Series by provider and model, for the names of the policy in force.
    known: ArcSwap<Known>,
    refusals: Refusals,
    visits: Visits,
    providers: Providers,
    findings: IntCounterVec,
    duration: Histogram,
    overhead: Histogram,
    request_size: Histogram,
    active: IntGauge,
    blocked_clients: IntGauge,
    cancelled: IntCounter,
    reloaded: IntCounter,
    not_reloaded: IntCounter,
    log_dropped: IntCounter,
    log_dropped_seen: AtomicU64,
}

impl Metrics {
    /// All metrics, at zero.
    ///
    /// # Errors
    /// A name that is not well-formed or given twice; names are constants, so this is a bug.
    pub fn new() -> Result<Self, Error> {
        let registry = Registry::new();
        let reloads = counters(
            &registry,
            "proxy_api_config_reloads_total",
            "Reloads of the configuration, by result.",
            &["result"],
        )?;
        Ok(Self {
            requests: Requests::new(&registry)?,
            calls: CallVecs::new(&registry)?,
            known: ArcSwap::from_pointee(Known::default()),
            refusals: Refusals::new(&registry)?,
            visits: Visits::new(&registry)?,
            providers: Providers::new(&registry)?,
            findings: counters(
                &registry,
                "proxy_api_inspection_findings_total",
                "What inspections found, by direction, family and what became of it.",
                &["direction", "category", "action"],
            )?,
            duration: histogram(
                &registry,
                "proxy_api_request_duration_seconds",
                "From a request's first byte to its answer's last.",
                &DURATION_BUCKETS,
            )?,
            overhead: histogram(
                &registry,
                "proxy_api_overhead_seconds",
                "The gateway's own part of a request's duration.",
                &OVERHEAD_BUCKETS,
            )?,
            request_size: histogram(
                &registry,
                "proxy_api_request_size_bytes",
                "Bodies of requests.",
                &SIZE_BUCKETS,
            )?,
            active: gauge(
                &registry,
                "proxy_api_active_requests",
                "Requests begun and not ended.",
            )?,
            blocked_clients: blocked_clients(&registry)?,
            cancelled: counter(
                &registry,
                "proxy_api_upstream_cancelled_total",
                "Calls to providers ended because the client had left.",
            )?,
            reloaded: reloads.with_label_values(&["success"]),
            not_reloaded: reloads.with_label_values(&["failure"]),
            log_dropped: counter(
                &registry,
                "proxy_api_log_dropped_total",
                "Log lines lost for want of room or to failed writes.",
            )?,
            log_dropped_seen: AtomicU64::new(0),
            registry,
        })
    }

    /// Adds what is measured elsewhere, such as the process's own metrics.
    ///
    /// # Errors
    /// One of its names is taken.
    pub fn register(&self, collector: Box<dyn Collector>) -> Result<(), Error> {
        self.registry.register(collector)
    }

    /// Says which providers and models have labels of their own from now on: those that the
    /// policy in force names. The first [`MAX_PROVIDERS`] and [`MAX_MODELS`] count, all others
    /// are `other`. What was counted stays.
    pub fn know<'a>(
        &self,
        providers: impl IntoIterator<Item = &'a str>,
        models: impl IntoIterator<Item = &'a str>,
    ) {
        self.known.store(Known::new(providers, models).into());
    }

    /// A request has begun.
    pub fn opened(&self) {
        self.active.inc();
    }

    /// A request that had begun has ended.
    pub fn closed(&self, facts: &Facts) {
        self.active.dec();
        self.observe(facts);
    }

    /// Requests that have begun and not ended.
    pub fn active(&self) -> i64 {
        self.active.get()
    }

    /// Counts what a request left behind.
    pub fn observe(&self, facts: &Facts) {
        self.requests.count(facts);
        let both = [("request", &facts.inspection), ("response", &facts.answer)];
        for (direction, inspected) in both {
            for found in inspected.iter().flat_map(|inspected| &inspected.found) {
                let labels = [direction, found.family.as_str(), found.action.as_str()];
                self.findings.with_label_values(&labels).inc_by(found.count);
            }
        }
        self.request_size.observe(float(facts.request_bytes));
        // A dashboard asks as often as a probe does.
        let looks = facts.endpoint.is_probe() || facts.endpoint == Endpoint::Internal;
        if let Some(times) = facts.times.filter(|_| !looks) {
            self.duration.observe(times.duration.as_secs_f64());
            self.overhead.observe(times.overhead.as_secs_f64());
        }
        if let Some(refusal) = facts.refusal {
            self.refusals.count(refusal);
        }
        if facts.provider.is_some() {
            let known = self.known.load();
            self.providers.count(&known, facts);
            known.count(&self.calls, facts);
            if facts.outcome == Outcome::ClientGone {
                self.cancelled.inc();
            }
        }
    }

    /// Counts a reload of the configuration.
    pub fn reloaded(&self, success: bool) {
        if success {
            self.reloaded.inc();
        } else {
            self.not_reloaded.inc();
        }
    }

    /// Counts a connection that ended before there was a request.
    pub fn turned_away(&self, why: TurnedAway) {
        self.visits.turn_away(why);
    }

    /// Takes over how many connections are open.
    pub fn note_open_connections(&self, open: u32) {
        self.visits.show_open(open);
    }

    /// Takes over how providers stand.
    pub fn show_providers(&self, reports: &[ProviderReport<'_>]) {
        self.providers.show(reports);
    }

    /// Takes over how many log lines have been lost since the process began.
    pub fn note_log_dropped(&self, total: u64) {
        let seen = self.log_dropped_seen.fetch_max(total, Ordering::Relaxed);
        self.log_dropped.inc_by(total.saturating_sub(seen));
    }

    /// Takes over how many addresses and networks are blocked.
    pub fn note_blocked_clients(&self, count: usize) {
        self.blocked_clients
            .set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// Everything as Prometheus text, version 0.0.4.
    pub fn render(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(16_384);
        // Only a family without a name or series fails, and the registry leaves those out.
        let _ = TextEncoder::new().encode(&self.registry.gather(), &mut out);
        out
    }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::as_conversions,
    reason = "sizes beyond 2^53 bytes do not occur, and a bucket has no need of the last bit"
)]
const fn float(number: u64) -> f64 {
    number as f64
}

fn counters(
    registry: &Registry,
    name: &str,
    help: &str,
    labels: &[&str],
) -> Result<IntCounterVec, Error> {
    let made = IntCounterVec::new(Opts::new(name, help), labels)?;
    registry.register(Box::new(made.clone()))?;
    Ok(made)
}

fn counter(registry: &Registry, name: &str, help: &str) -> Result<IntCounter, Error> {
    let made = IntCounter::new(name, help)?;
    registry.register(Box::new(made.clone()))?;
    Ok(made)
}

fn blocked_clients(registry: &Registry) -> Result<IntGauge, Error> {
    let help = "Addresses and networks that are blocked.";
    gauge(registry, "proxy_api_blocked_clients", help)
}

fn gauge(registry: &Registry, name: &str, help: &str) -> Result<IntGauge, Error> {
    let made = IntGauge::new(name, help)?;
    registry.register(Box::new(made.clone()))?;
    Ok(made)
}

fn histogram(
    registry: &Registry,
    name: &str,
    help: &str,
    buckets: &[f64],
) -> Result<Histogram, Error> {
    let made = Histogram::with_opts(HistogramOpts::new(name, help).buckets(buckets.to_vec()))?;
    registry.register(Box::new(made.clone()))?;
    Ok(made)
}

#[cfg(test)]
mod tests;
