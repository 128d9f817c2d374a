//! How it stands with the store of a fleet, for operators.
//!
//! Decides nothing. The service writes it, monitoring and metrics read it.

use prometheus::{IntCounter, IntGauge};
use serde_json::{Value, json};

use crate::admit::leases::Leases;
use crate::policy::store::RedisStore;
use crate::record::metrics::Metrics;

/// The state of the store, as this host sees it.
#[derive(Debug)]
pub(crate) struct Status {
    address: Box<str>,
    host: Box<str>,
    connected: IntGauge,
    hosts: IntGauge,
    failures: IntCounter,
    dropped: IntCounter,
}

impl Status {
    /// A store that was not reached yet.
    ///
    /// # Errors
    /// A name that is there twice, which is a bug.
    pub(super) fn new(
        store: &RedisStore,
        host: &str,
        metrics: &Metrics,
    ) -> Result<Self, prometheus::Error> {
        let connected = IntGauge::new(
            "proxy_api_store_connected",
            "Whether the store of the fleet answers.",
        )?;
        let hosts = IntGauge::new(
            "proxy_api_store_hosts",
            "Hosts that share the limits, as far as is known.",
        )?;
        let failures = IntCounter::new(
            "proxy_api_store_failures_total",
            "How often the store did not answer as it should.",
        )?;
        let dropped = IntCounter::new(
            "proxy_api_store_dropped_total",
            "Blocks and measures that were not told to the fleet, for want of room.",
        )?;
        metrics.register(Box::new(connected.clone()))?;
        metrics.register(Box::new(hosts.clone()))?;
        metrics.register(Box::new(failures.clone()))?;
        metrics.register(Box::new(dropped.clone()))?;
        hosts.set(1);
        Ok(Self {
            address: store.shown().into(),
            host: host.into(),
            connected,
            hosts,
            failures,
            dropped,
        })
    }

    pub(super) fn joined(&self) {
        self.connected.set(1);
    }

    pub(super) fn counted(&self, hosts: u32) {
        self.hosts.set(i64::from(hosts));
    }

    pub(super) fn away(&self) {
        self.connected.set(0);
        self.failures.inc();
    }

    pub(super) fn left(&self) {
        self.connected.set(0);
    }

    pub(super) fn dropped(&self, more: u64) {
        self.dropped.inc_by(more);
    }

    /// The address without user and password.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// What this host calls itself.
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// The state for machines to read.
    pub(crate) fn shown(&self, leases: &Leases) -> Value {
        json!({
            "kind": "redis",
            "address": self.address,
            "host": self.host,
            "connected": self.connected.get() == 1,
            "limits": if leases.is_connected() { "shared" } else { "local" },
            "hosts": leases.hosts(),
            "leases": leases.there(),
            "crowded": leases.crowded(),
            "failures": self.failures.get(),
            "dropped": self.dropped.get(),
        })
    }
}
