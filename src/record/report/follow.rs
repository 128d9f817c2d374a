//! One telling of what happened: the monitor, and counts by address and by key.
//!
//! Decides nothing of its own: thresholds, suspects and anomalies are the monitor's.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::table::{Table, Weighed};
use crate::policy::names::KeyId;
use crate::record::monitor::alert::Alert;
use crate::record::monitor::{Event, Monitor, Sample, Suspect};

/// Alerts and suspects that are kept.
const MOST: usize = 1_000;

/// What is known of one address or one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Client {
    pub(super) requests: u64,
    pub(super) bytes: u64,
    pub(super) last: u64,
    pub(super) events: [u64; Event::ALL.len()],
}

impl Client {
    pub(super) fn count(&self, event: Event) -> u64 {
        self.events.get(event.index()).copied().unwrap_or_default()
    }

    /// Refused for want of a valid key or of permission.
    pub(super) fn failures(&self) -> u64 {
        let denied = self.count(Event::Denied);
        self.count(Event::AuthFailure).saturating_add(denied)
    }

    fn see(&mut self, sample: &Sample) {
        self.requests = self.requests.saturating_add(1);
        self.bytes = self.bytes.saturating_add(sample.bytes);
        self.last = self.last.max(sample.at);
        for event in Event::ALL {
            if sample.marks.has(event)
                && let Some(count) = self.events.get_mut(event.index())
            {
                *count = count.saturating_add(1);
            }
        }
    }
}

impl Weighed for Client {
    /// Who fails weighs more than who calls often.
    fn weight(&self) -> u64 {
        let bad = self
            .events
            .iter()
            .fold(0, |sum: u64, n| sum.saturating_add(*n));
        self.requests.saturating_add(bad.saturating_mul(16))
    }
}

/// What one kind of lines tells.
#[derive(Debug, Default)]
pub(super) struct Followed {
    pub(super) monitor: Monitor,
    pub(super) total: Client,
    pub(super) failed: u64,
    pub(super) addresses: Table<IpAddr, Client>,
    pub(super) keys: Table<KeyId, Client>,
    pub(super) suspects: BTreeMap<IpAddr, Suspect>,
    pub(super) alerts: Vec<Alert>,
    pub(super) alerts_by_kind: BTreeMap<&'static str, u64>,
}

impl Followed {
    pub(super) fn see(&mut self, sample: &Sample) {
        self.total.see(sample);
        self.failed = self.failed.saturating_add(u64::from(sample.status >= 400));
        if let Some(address) = sample.address {
            self.addresses.entry(address).see(sample);
        }
        if let Some(key) = &sample.key {
            self.keys.entry(key.clone()).see(sample);
        }
        self.monitor.see(sample);
        for alert in self.monitor.take_raised() {
            let count = self.alerts_by_kind.entry(alert.kind).or_default();
            *count = count.saturating_add(1);
            if self.alerts.len() >= MOST {
                self.alerts.remove(0);
            }
            self.alerts.push(alert);
        }
        if sample.marks.is_failed_try()
            && let Some(address) = sample.address
            && let Some(suspect) = self.monitor.suspect(address, sample.at)
            && (self.suspects.len() < MOST || self.suspects.contains_key(&address))
        {
            self.suspects.insert(address, suspect);
        }
    }

    /// How many events it tells of.
    pub(super) fn marked(&self) -> u64 {
        self.total
            .events
            .iter()
            .fold(0, |sum, n| sum.saturating_add(*n))
    }
}
