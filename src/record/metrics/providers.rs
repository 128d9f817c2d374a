//! How providers stand, and what attempts at them came to.
//!
//! Decides nothing: what is shown is handed over when the metrics are read. Labels are names from
//! the configuration, and classes of a closed set.

use prometheus::{Error, IntCounterVec, IntGaugeVec, Opts, Registry};

use super::calls::Known;
use super::counters;
use crate::record::Facts;
use crate::route::fleet::ProviderReport;

/// Metrics of providers.
pub(super) struct Providers {
    healthy: IntGaugeVec,
    circuit: IntGaugeVec,
    in_flight: IntGaugeVec,
    attempts: IntCounterVec,
}

fn gauges(
    registry: &Registry,
    name: &str,
    help: &str,
    labels: &[&str],
) -> Result<IntGaugeVec, Error> {
    let made = IntGaugeVec::new(Opts::new(name, help), labels)?;
    registry.register(Box::new(made.clone()))?;
    Ok(made)
}

impl Providers {
    pub(super) fn new(registry: &Registry) -> Result<Self, Error> {
        Ok(Self {
            healthy: gauges(
                registry,
                "proxy_api_provider_healthy",
                "Whether an endpoint would be called: 1, or 0.",
                &["provider", "endpoint"],
            )?,
            circuit: gauges(
                registry,
                "proxy_api_circuit_state",
                "Circuit breaker of a provider: 0 closed, 1 open at all endpoints, 2 half-open.",
                &["provider"],
            )?,
            in_flight: gauges(
                registry,
                "proxy_api_provider_in_flight",
                "Calls in flight.",
                &["provider", "endpoint"],
            )?,
            attempts: counters(
                registry,
                "proxy_api_provider_attempts_total",
                "Attempts at providers, by what they came to; `answered` if to an answer.",
                &["provider", "result"],
            )?,
        })
    }

    /// Takes over how providers stand; those that are no longer there are gone.
    pub(super) fn show(&self, reports: &[ProviderReport<'_>]) {
        for gauge in [&self.healthy, &self.circuit, &self.in_flight] {
            gauge.reset();
        }
        for report in reports {
            self.circuit
                .with_label_values(&[report.name])
                .set(report.circuit.number());
            for (endpoint, glance) in &report.endpoints {
                let labels = [report.name, *endpoint];
                self.healthy
                    .with_label_values(&labels)
                    .set(i64::from(glance.healthy));
                self.in_flight
                    .with_label_values(&labels)
                    .set(i64::from(glance.in_flight));
            }
        }
    }

    /// Counts a request's attempts.
    pub(super) fn count(&self, known: &Known, facts: &Facts) {
        for failed in &facts.failed {
            let labels = [known.provider(&failed.provider), failed.class];
            self.attempts.with_label_values(&labels).inc();
        }
        let failed = u32::try_from(facts.failed.len()).unwrap_or(u32::MAX);
        let answered = u64::from(facts.attempts.saturating_sub(failed));
        if let Some(provider) = facts.provider.as_ref().filter(|_| answered > 0) {
            let series = |label: &str| self.attempts.with_label_values(&[label, "answered"]);
            known.answered(provider, series).inc_by(answered);
        }
    }
}
