//! What the finished requests say together: counts of the day, alerts, suspects, anomalies.
//!
//! Decides, from samples of requests in their order, what is worth an alert. It is one streaming
//! implementation, fed live from records and later from logs. It reads no clock (a sample brings
//! its time), holds no content, and is bounded: beyond [`MAX_SOURCES`] addresses or keys those that
//! were quiet for longest are forgotten, so a flood of addresses can make it forget a slow one.

pub mod alert;
pub mod bequest;
mod estimate;
pub mod recent;
mod sample;
mod source;

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::net::IpAddr;

use crate::policy::names::KeyId;
use alert::{Alert, Alerts};
pub use sample::{Event, Marks, Sample, Threshold};
pub use source::{Anomaly, Source};

/// Addresses, and keys, that are followed at a time.
pub const MAX_SOURCES: usize = 8_192;

/// Anomalies that are kept.
const MAX_ANOMALIES: usize = 256;

/// Seconds of a day.
const DAY: u64 = 86_400;

/// Counts of one day, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Today {
    /// Requests that ended, probes apart.
    pub requests: u64,
    /// Those that were refused or failed.
    pub failed: u64,
    /// Events, each at its index.
    pub events: [u64; Event::ALL.len()],
    /// Bytes of the largest body.
    pub largest_request: u64,
    /// Bytes of all bodies.
    pub request_bytes: u64,
}

impl Today {
    /// How often an event came.
    pub fn count(&self, event: Event) -> u64 {
        self.events.get(event.index()).copied().unwrap_or_default()
    }
}

/// An address that tries keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suspect {
    /// The address.
    pub address: IpAddr,
    /// Which pattern it shows.
    pub pattern: &'static str,
    /// Tries of the last hour that it was seen in.
    pub tries: u32,
    /// Those that failed.
    pub failed: u32,
    /// Failures since it is followed.
    pub failures: u64,
    /// When it was seen last, in seconds since 1970.
    pub last: u64,
}

/// The monitor.
#[derive(Debug, Default)]
pub struct Monitor {
    day: u64,
    today: Today,
    addresses: HashMap<IpAddr, Source>,
    keys: HashMap<KeyId, Source>,
    alerts: Alerts,
    anomalies: VecDeque<Anomaly>,
}

impl Monitor {
    /// Takes a request into account.
    pub fn see(&mut self, sample: &Sample) {
        self.count(sample);
        let mut found = Vec::new();
        if let Some(address) = sample.address {
            let source = followed(&mut self.addresses, address, sample.at);
            source.see(sample, &mut found);
            for event in Event::ALL
                .into_iter()
                .filter(|event| sample.marks.has(*event))
            {
                if let Some(count) = source.passes(event, sample.at) {
                    self.alerts.raise(event, Some(address), count, sample);
                }
            }
            if source.is_suspicious() {
                let count = u64::from(source.failed);
                self.alerts
                    .raise(Event::Suspicious, Some(address), count, sample);
            }
        }
        for anomaly in found.drain(..) {
            let subject = sample.address.map_or_else(String::new, |at| at.to_string());
            self.note(Anomaly { subject, ..anomaly }, sample);
        }
        if let Some(key) = &sample.key {
            let source = followed(&mut self.keys, key.clone(), sample.at);
            source.see(sample, &mut found);
            source.see_network(sample, &mut found);
        }
        for anomaly in found {
            let subject = sample
                .key
                .as_ref()
                .map_or_else(String::new, ToString::to_string);
            self.note(Anomaly { subject, ..anomaly }, sample);
        }
    }

    fn count(&mut self, sample: &Sample) {
        let day = sample.at / DAY;
        if day > self.day {
            self.day = day;
            self.today = Today::default();
        }
        let today = &mut self.today;
        today.requests = today.requests.saturating_add(1);
        today.failed = today.failed.saturating_add(u64::from(sample.status >= 400));
        today.largest_request = today.largest_request.max(sample.bytes);
        today.request_bytes = today.request_bytes.saturating_add(sample.bytes);
        for event in Event::ALL
            .into_iter()
            .filter(|event| sample.marks.has(*event))
        {
            if let Some(count) = today.events.get_mut(event.index()) {
                *count = count.saturating_add(1);
            }
        }
    }

    fn note(&mut self, anomaly: Anomaly, sample: &Sample) {
        self.alerts.raise_anomaly(&anomaly, sample);
        if self.anomalies.len() >= MAX_ANOMALIES {
            self.anomalies.pop_front();
        }
        self.anomalies.push_back(anomaly);
    }

    /// The counts of the day that `now` (seconds since 1970) lies in.
    pub fn today(&self, now: u64) -> Today {
        if now / DAY == self.day {
            self.today
        } else {
            Today::default()
        }
    }

    /// Raises the alert of a control that should act and does not.
    pub fn raise_control(&mut self, control: &'static str, detail: &str, at: u64) {
        self.alerts.raise_control(control, detail, at);
    }

    /// Alerts, newest first.
    pub fn alerts(&self) -> impl Iterator<Item = &Alert> {
        self.alerts.newest_first()
    }

    /// Alerts that were raised since the last call, for whoever passes them on.
    pub fn take_raised(&mut self) -> Vec<Alert> {
        self.alerts.take_raised()
    }

    /// Anomalies, newest first.
    pub fn anomalies(&self) -> impl Iterator<Item = &Anomaly> {
        self.anomalies.iter().rev()
    }

    /// Addresses that try keys: over 10 failures with 5 in the last hour, or over 10 tries of
    /// which over 80 % failed.
    pub fn suspects(&self, now: u64) -> Vec<Suspect> {
        let mut suspects: Vec<Suspect> = self
            .addresses
            .iter()
            .filter_map(|(address, source)| suspect(*address, source, now))
            .collect();
        suspects.sort_by(|a, b| b.failures.cmp(&a.failures).then(a.address.cmp(&b.address)));
        suspects
    }

    /// What makes an address one that tries keys, if it is one.
    pub fn suspect(&self, address: IpAddr, now: u64) -> Option<Suspect> {
        suspect(address, self.addresses.get(&address)?, now)
    }

    /// The addresses with the most requests of the day.
    pub fn top_addresses(&self, now: u64, most: usize) -> Vec<(IpAddr, Source)> {
        top(&self.addresses, now, most)
    }

    /// The keys with the most requests of the day.
    pub fn top_keys(&self, now: u64, most: usize) -> Vec<(KeyId, Source)> {
        top(&self.keys, now, most)
    }

    /// What is known of a key.
    pub fn key(&self, key: &KeyId) -> Option<&Source> {
        self.keys.get(key)
    }
}

fn suspect(address: IpAddr, source: &Source, now: u64) -> Option<Suspect> {
    Some(Suspect {
        address,
        pattern: source.pattern(now)?,
        tries: source.tries,
        failed: source.failed,
        failures: source.failures,
        last: source.last,
    })
}

fn top<K: Clone + Ord>(sources: &HashMap<K, Source>, now: u64, most: usize) -> Vec<(K, Source)> {
    let mut all: Vec<(&K, &Source)> = sources.iter().collect();
    all.sort_by(|(a, left), (b, right)| {
        let (left, right) = (left.requests_on(now / DAY), right.requests_on(now / DAY));
        right.cmp(&left).then(a.cmp(b))
    });
    let first = all.into_iter().take(most);
    first
        .map(|(key, source)| (key.clone(), source.clone()))
        .collect()
}

/// The source of that name; the longest quiet half is forgotten when there are too many.
fn followed<K: Eq + Hash>(sources: &mut HashMap<K, Source>, key: K, now: u64) -> &mut Source {
    if sources.len() >= MAX_SOURCES && !sources.contains_key(&key) {
        let mut seen: Vec<u64> = sources.values().map(|source| source.last).collect();
        let middle = seen.len() / 2;
        let (_, middle, _) = seen.select_nth_unstable(middle);
        let middle = *middle;
        let mut spare = sources.len() / 2;
        sources.retain(|_, source| {
            let quiet = source.last <= middle && spare > 0;
            spare = spare.saturating_sub(usize::from(quiet));
            !quiet
        });
    }
    sources.entry(key).or_insert_with(|| Source::new(now))
}

#[cfg(test)]
mod tests;
