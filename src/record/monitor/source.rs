//! What is known of one address or one key.
//!
//! Decides whether it passes a threshold of the contract's table, shows the pattern of somebody
//! who tries keys, or leaves the range that its own history lets expect.

use std::collections::VecDeque;
use std::net::IpAddr;

use super::estimate::Estimate;
use super::sample::{Event, Sample};
use super::{DAY, Marks};

/// Seconds of a minute, and of an hour.
const MINUTE: u64 = 60;
const HOUR: u64 = 3_600;

/// Requests a minute above the mean that are never an anomaly.
const RATE_SLACK: f64 = 30.0;
/// Doublings of a body's size above the mean that are never an anomaly.
const SIZE_SLACK: f64 = 4.0;
/// How far above its mean a share may always lie.
const SHARE_SLACK: f64 = 0.3;
/// Requests of an hour before its share of errors is judged.
const ENOUGH: u32 = 20;
/// Networks of a key that are remembered.
const MAX_NETWORKS: usize = 32;
/// Requests after which a key's networks count as known.
const SETTLED: u64 = 20;

/// A figure that left its range.
#[derive(Debug, Clone, PartialEq)]
pub struct Anomaly {
    /// Whose: an address, or a key's id.
    pub subject: String,
    /// Which figure.
    pub figure: &'static str,
    /// Its value, for people.
    pub value: String,
    /// The range that it left.
    pub expected: String,
    /// When, in seconds since 1970.
    pub at: u64,
}

/// What is known of one address or one key.
#[derive(Debug, Clone)]
pub struct Source {
    /// When it was seen first, in seconds since 1970.
    pub first: u64,
    /// When it was seen last.
    pub last: u64,
    /// Requests since it is followed.
    pub requests: u64,
    /// Refused for want of a valid key or of permission, since it is followed.
    pub failures: u64,
    /// Requests of the hour that it was seen in last.
    pub tries: u32,
    /// Those of them that were refused for want of a valid key or of permission.
    pub failed: u32,
    /// Bytes of all bodies.
    pub bytes: u64,
    day: u64,
    day_requests: u64,
    hour: u64,
    /// Requests of the hour that ended with an error of any kind.
    errors: u32,
    /// Those of them that the gateway refused.
    refused: u32,
    error_share: Estimate,
    refused_share: Estimate,
    /// The last moments of each event, as many as its threshold needs.
    moments: [VecDeque<u64>; Event::ALL.len()],
    minute: u64,
    in_minute: u32,
    rate: Estimate,
    size: Estimate,
    networks: Vec<(u8, u64)>,
}

impl Source {
    pub(super) fn new(now: u64) -> Self {
        Self {
            first: now,
            last: now,
            requests: 0,
            failures: 0,
            tries: 0,
            failed: 0,
            bytes: 0,
            day: 0,
            day_requests: 0,
            hour: 0,
            errors: 0,
            refused: 0,
            error_share: Estimate::default(),
            refused_share: Estimate::default(),
            moments: Default::default(),
            minute: 0,
            in_minute: 0,
            rate: Estimate::default(),
            size: Estimate::default(),
            networks: Vec::new(),
        }
    }

    /// Requests of a day, as days since 1970.
    pub fn requests_on(&self, day: u64) -> u64 {
        if self.day == day {
            self.day_requests
        } else {
            0
        }
    }

    pub(super) fn see(&mut self, sample: &Sample, found: &mut Vec<Anomaly>) {
        let Sample {
            at, bytes, marks, ..
        } = *sample;
        self.last = self.last.max(at);
        self.requests = self.requests.saturating_add(1);
        self.bytes = self.bytes.saturating_add(bytes);
        self.turn_day(at);
        self.turn_hour(at, found);
        self.turn_minute(at, found);
        self.tries = self.tries.saturating_add(1);
        let failed = sample.status >= 400;
        self.errors = self.errors.saturating_add(u32::from(failed));
        let refused = failed && marks.first().is_some();
        self.refused = self.refused.saturating_add(u32::from(refused));
        if marks.is_failed_try() {
            self.failed = self.failed.saturating_add(1);
            self.failures = self.failures.saturating_add(1);
        }
        self.remember(marks, at);
        if bytes > 0 {
            let doublings = f64::from(u64::BITS.saturating_sub(bytes.leading_zeros()));
            if let Some(most) = self.size.most(SIZE_SLACK).filter(|most| doublings > *most) {
                found.push(Anomaly {
                    subject: String::new(),
                    figure: "request_size",
                    value: format!("{bytes} bytes"),
                    expected: format!("at most about {:.0} bytes", most.exp2()),
                    at,
                });
            }
            self.size.learn(doublings);
        }
    }

    /// Notes from which network a key is used.
    pub(super) fn see_network(&mut self, sample: &Sample, found: &mut Vec<Anomaly>) {
        let Some(address) = sample.address else {
            return;
        };
        let network = network(address);
        if self.networks.contains(&network) {
            return;
        }
        if self.requests > SETTLED && !self.networks.is_empty() {
            found.push(Anomaly {
                subject: String::new(),
                figure: "new_network",
                value: address.to_string(),
                expected: format!("one of {} known networks", self.networks.len()),
                at: sample.at,
            });
        }
        if self.networks.len() >= MAX_NETWORKS {
            self.networks.remove(0);
        }
        self.networks.push(network);
    }

    fn turn_day(&mut self, at: u64) {
        if self.day != at / DAY {
            self.day = at / DAY;
            self.day_requests = 0;
        }
        self.day_requests = self.day_requests.saturating_add(1);
    }

    fn turn_hour(&mut self, at: u64, found: &mut Vec<Anomaly>) {
        if self.hour == at / HOUR {
            return;
        }
        if self.tries >= ENOUGH {
            let shares = [
                ("error_share", "failed", self.errors, &mut self.error_share),
                (
                    "refused_share",
                    "were refused",
                    self.refused,
                    &mut self.refused_share,
                ),
            ];
            for (figure, words, count, estimate) in shares {
                let share = f64::from(count) / f64::from(self.tries);
                if let Some(most) = estimate.most(SHARE_SLACK).filter(|most| share > *most) {
                    found.push(Anomaly {
                        subject: String::new(),
                        figure,
                        value: format!("{count} of {} requests in an hour {words}", self.tries),
                        expected: format!("at most {:.0} %", most * 100.0),
                        at,
                    });
                }
                estimate.learn(share);
            }
        }
        self.hour = at / HOUR;
        (self.tries, self.failed, self.errors, self.refused) = (0, 0, 0, 0);
    }

    fn turn_minute(&mut self, at: u64, found: &mut Vec<Anomaly>) {
        if self.minute != at / MINUTE {
            if self.in_minute > 0 {
                self.rate.learn(f64::from(self.in_minute));
            }
            self.minute = at / MINUTE;
            self.in_minute = 0;
        }
        let before = f64::from(self.in_minute);
        self.in_minute = self.in_minute.saturating_add(1);
        let Some(most) = self.rate.most(RATE_SLACK) else {
            return;
        };
        // Told once a minute: when the limit is passed, not for each request beyond it.
        if before <= most && f64::from(self.in_minute) > most {
            found.push(Anomaly {
                subject: String::new(),
                figure: "request_rate",
                value: format!("{} requests in a minute", self.in_minute),
                expected: format!("at most {most:.0}"),
                at,
            });
        }
    }

    fn remember(&mut self, marks: Marks, at: u64) {
        for event in Event::ALL.into_iter().filter(|event| marks.has(*event)) {
            let most = event.threshold().map_or(0, |threshold| threshold.count);
            let most = usize::try_from(most).unwrap_or(usize::MAX).max(FEW);
            if let Some(moments) = self.moments.get_mut(event.index()) {
                if moments.len() >= most {
                    moments.pop_front();
                }
                moments.push_back(at);
            }
        }
    }

    /// How often an event came, where its threshold is reached.
    pub(super) fn passes(&self, event: Event, now: u64) -> Option<u64> {
        let threshold = event.threshold()?;
        let since = now.saturating_sub(u64::from(threshold.within));
        let moments = self.moments.get(event.index())?;
        let recent = moments.iter().filter(|at| **at >= since).count();
        let recent = u64::try_from(recent).unwrap_or(u64::MAX);
        (recent >= u64::from(threshold.count)).then_some(recent)
    }

    /// Over 10 tries of an hour, of which over 80 % failed.
    pub(super) const fn is_suspicious(&self) -> bool {
        self.tries > 10 && self.failed.saturating_mul(5) > self.tries.saturating_mul(4)
    }

    /// Which pattern of somebody who tries keys it shows.
    pub(super) fn pattern(&self, now: u64) -> Option<&'static str> {
        let since = now.saturating_sub(HOUR);
        let recent = [Event::AuthFailure, Event::Denied].into_iter();
        let recent = recent.filter_map(|event| self.moments.get(event.index()));
        let recent = recent.flatten().filter(|at| **at >= since).count();
        if self.failures > 10 && recent >= FEW {
            return Some("repeated_failures");
        }
        (self.is_suspicious() && self.last >= since).then_some("mostly_failed")
    }
}

/// Failures of the last hour that make many of them a pattern.
const FEW: usize = 5;

/// The network that an address belongs to: a /24, or a /48.
fn network(address: IpAddr) -> (u8, u64) {
    match address.to_canonical() {
        IpAddr::V4(four) => (4, u64::from(four.to_bits() >> 8)),
        IpAddr::V6(six) => (6, u64::try_from(six.to_bits() >> 80).unwrap_or_default()),
    }
}
