//! Alerts: what somebody should look at, told once and not for each request.
//!
//! Decides which events are one alert: those of one kind and one subject, within an hour of the
//! first. A repeated one counts up and is not told again. The oldest are forgotten first.

use std::collections::VecDeque;
use std::net::IpAddr;

use sha2::{Digest as _, Sha256};

use super::sample::{Event, Sample};
use super::source::Anomaly;
use crate::record::event::{Level, Severity};

/// Alerts that are kept.
pub const MAX_ALERTS: usize = 512;
/// Alerts that wait for whoever passes them on.
const MAX_RAISED: usize = 256;
/// How long an alert is the same, in seconds.
const SAME: u64 = 3_600;

/// An alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// Its number, from 1.
    pub number: u64,
    /// What kind of thing happened.
    pub kind: &'static str,
    /// How bad it may be.
    pub severity: Severity,
    /// How much it matters.
    pub level: Level,
    /// What it is about, for people.
    pub subject: String,
    /// Whose doing, by address or key, if anybody's.
    pub about: Option<String>,
    /// What happened, for people.
    pub message: String,
    /// What to find it by.
    pub tags: Vec<&'static str>,
    /// How often, since the first.
    pub count: u64,
    /// The first, in seconds since 1970.
    pub first: u64,
    /// The last.
    pub last: u64,
}

impl Alert {
    /// What it is called everywhere: the same in each gateway that sees the same begin at the same
    /// second, so that receivers can tell repeated posts.
    pub fn id(&self) -> String {
        let digest = Sha256::digest(format!("{}\n{}", self.kind, self.subject));
        let short = digest.iter().take(4);
        let short = short.fold(0_u32, |all, byte| (all << 8) | u32::from(*byte));
        format!("alert-{:x}-{short:08x}", self.first)
    }
}

/// The alerts that are kept.
#[derive(Debug, Default)]
pub(super) struct Alerts {
    kept: VecDeque<Alert>,
    raised: Vec<Alert>,
    made: u64,
}

impl Alerts {
    pub(super) fn raise(
        &mut self,
        event: Event,
        address: Option<IpAddr>,
        count: u64,
        sample: &Sample,
    ) {
        let subject = address.map_or_else(String::new, |address| address.to_string());
        if self.again(event.as_str(), &subject, sample.at) {
            return;
        }
        let (level, severity) = event.weight();
        let within = event.threshold().map_or(0, |threshold| threshold.within);
        let words = event.as_str().replace('_', " ");
        self.add(Alert {
            number: 0,
            kind: event.as_str(),
            severity,
            level,
            message: format!("{words}: {count} from {subject} within {within} seconds"),
            about: address.map(|address| address.to_string()),
            subject,
            tags: event.tags().to_vec(),
            count,
            first: sample.at,
            last: sample.at,
        });
    }

    pub(super) fn raise_anomaly(&mut self, anomaly: &Anomaly, sample: &Sample) {
        let subject = format!("{} of {}", anomaly.figure, anomaly.subject);
        if self.again("anomaly", &subject, sample.at) {
            return;
        }
        self.add(Alert {
            number: 0,
            kind: "anomaly",
            severity: Severity::Medium,
            level: Level::Warning,
            message: format!(
                "{subject}: {}; expected {}",
                anomaly.value, anomaly.expected
            ),
            subject,
            about: Some(anomaly.subject.clone()),
            tags: vec!["anomaly", anomaly.figure],
            count: 1,
            first: sample.at,
            last: sample.at,
        });
    }

    pub(super) fn raise_control(&mut self, control: &'static str, detail: &str, at: u64) {
        if self.again("control_did_not_act", control, at) {
            return;
        }
        self.add(Alert {
            number: 0,
            kind: "control_did_not_act",
            severity: Severity::Critical,
            level: Level::Critical,
            subject: control.to_owned(),
            about: None,
            message: format!("the self-test found that {control} did not act: {detail}"),
            tags: vec!["selftest", control],
            count: 1,
            first: at,
            last: at,
        });
    }

    /// Whether it is an alert that is known; then it counts up.
    fn again(&mut self, kind: &str, subject: &str, at: u64) -> bool {
        let known = self.kept.iter_mut().rev().find(|alert| {
            alert.kind == kind && alert.subject == subject && at < alert.first.saturating_add(SAME)
        });
        if let Some(alert) = known {
            alert.count = alert.count.saturating_add(1);
            alert.last = alert.last.max(at);
            return true;
        }
        false
    }

    fn add(&mut self, alert: Alert) {
        self.made = self.made.saturating_add(1);
        let alert = Alert {
            number: self.made,
            ..alert
        };
        if self.raised.len() < MAX_RAISED {
            self.raised.push(alert.clone());
        }
        if self.kept.len() >= MAX_ALERTS {
            self.kept.pop_front();
        }
        self.kept.push_back(alert);
    }

    pub(super) fn newest_first(&self) -> impl Iterator<Item = &Alert> {
        self.kept.iter().rev()
    }

    pub(super) fn take_raised(&mut self) -> Vec<Alert> {
        std::mem::take(&mut self.raised)
    }
}
