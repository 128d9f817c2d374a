//! What one request leaves behind: a record, delivered exactly once.
//!
//! Decides what is written down about a request, and that it is: a [`Record`] is delivered when
//! it is dropped, which happens to every value once, whatever became of the request. It never
//! reads a clock, a body or a credential, and never writes anything anywhere: that is its
//! [`Recorder`]'s. A process that is killed leaves no record of the requests in flight.

pub mod chain;
pub mod endpoint;
pub mod event;
pub(crate) mod json;
pub mod mask;
pub mod metrics;
pub mod monitor;
pub mod report;
pub mod trace;
pub mod trial;

use std::net::IpAddr;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;

use http::Method;

use crate::identify::keys::Role;
use crate::inspect::detect::Family;
use crate::inspect::finding::{Families, Report};
use crate::policy::Denial;
use crate::policy::inspection::Action;
use crate::policy::names::{KeyId, ModelName, ProviderName};
use endpoint::Endpoint;
use trace::Trace;

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Answered in full; the status says how.
    Completed,
    /// Refused by the gateway.
    Denied,
    /// No provider gave an answer.
    UpstreamFailed,
    /// The client left before it had its answer.
    ClientGone,
    /// The answer ended before its end.
    Cut,
    /// Nobody said how it ended: the request was dropped half-way.
    Abandoned,
}

impl Outcome {
    /// The word in logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Denied => "denied",
            Self::UpstreamFailed => "upstream_failed",
            Self::ClientGone => "client_gone",
            Self::Cut => "cut",
            Self::Abandoned => "abandoned",
        }
    }
}

/// What became of a refused request, in words that are bounded and safe to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// The code that the client was told.
    pub code: &'static str,
    /// The reason as operators see it.
    pub reason: &'static str,
    /// Whether it was for want of a valid credential.
    pub unauthenticated: bool,
    /// Whether it was for want of a provider's answer, and no verdict on the request.
    pub upstream: bool,
    /// The level whose limit was used up, if one was.
    pub limited: Option<&'static str>,
}

impl From<&Denial> for Refusal {
    fn from(denial: &Denial) -> Self {
        let face = denial.face();
        Self {
            code: face.code,
            reason: denial.reason(),
            unauthenticated: face.status == 401,
            upstream: denial.is_upstream(),
            limited: denial.limited(),
        }
    }
}

/// A request's path as it is written down: without the query, which may hold secrets, and cut.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LoggedPath(Box<[u8]>);

impl LoggedPath {
    /// The longest path that is kept.
    pub const MAX: usize = 256;

    /// What is kept of a request target.
    pub fn new(target: &[u8]) -> Self {
        let path = without_query(target);
        Self(path.get(..Self::MAX).unwrap_or(path).into())
    }

    /// The bytes, of which nothing is known but their number.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

fn without_query(target: &[u8]) -> &[u8] {
    target.split(|b| *b == b'?').next().unwrap_or_default()
}

/// How long the parts of a request took, as measured by whoever has a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Times {
    /// From the request's first byte to the answer's last.
    pub duration: Duration,
    /// The gateway's own part of it.
    pub overhead: Duration,
    /// From the request's last byte, as sent to the provider, to the first of its answer.
    pub first_byte: Option<Duration>,
    /// From the call's start to its end, as the provider saw it.
    pub upstream: Option<Duration>,
}

/// What a provider says that a call has used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Tokens read.
    pub prompt: Option<u64>,
    /// Tokens written.
    pub completion: Option<u64>,
}

/// What an inspection did and found, in numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspected {
    /// Bytes of the body that were read.
    pub body_bytes: u64,
    /// Bytes of decoded text that the detectors saw.
    pub text_bytes: u64,
    /// Bytes that no detector saw: images and the like.
    pub uninspected_bytes: u64,
    /// The families that ran.
    pub families: Families,
    /// How often each family found something, and what became of it.
    pub found: Vec<Found>,
}

/// Findings of one family with one outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// The family.
    pub family: Family,
    /// What became of them.
    pub action: Action,
    /// How many.
    pub count: u64,
}

impl From<&Report> for Inspected {
    fn from(report: &Report) -> Self {
        let mut found: Vec<Found> = Vec::new();
        for finding in &report.findings {
            let (family, action) = (finding.family, finding.action);
            match found
                .iter_mut()
                .find(|f| f.family == family && f.action == action)
            {
                Some(known) => known.count = known.count.saturating_add(1),
                None => found.push(Found {
                    family,
                    action,
                    count: 1,
                }),
            }
        }
        Self {
            body_bytes: report.body_bytes,
            text_bytes: report.text_bytes,
            uninspected_bytes: report.uninspected_bytes,
            families: report.ran,
            found,
        }
    }
}

/// All that is known of a request. Ids, sizes, times and verdicts; no content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The id that the client was told.
    pub request_id: Box<str>,
    /// The method.
    pub method: Method,
    /// The path, as a closed set.
    pub endpoint: Endpoint,
    /// The path, as it was sent.
    pub path: LoggedPath,
    /// Who called, by address.
    pub client_ip: Option<IpAddr>,
    /// Who called, by key.
    pub key_id: Option<KeyId>,
    /// What that key may do.
    pub role: Option<Role>,
    /// The model that was asked for.
    pub model: Option<ModelName>,
    /// The provider that was called last.
    pub provider: Option<ProviderName>,
    /// What that provider answered.
    pub upstream_status: Option<u16>,
    /// Calls to providers.
    pub attempts: u32,
    /// Those of them that failed, in their order.
    pub failed: Vec<Failed>,
    /// Whether the answer is a stream of events.
    pub stream: bool,
    /// The status sent to the client, if any was.
    pub status: Option<u16>,
    /// How it ended.
    pub outcome: Outcome,
    /// Why it was refused, if it was.
    pub refusal: Option<Refusal>,
    /// Bytes of the request's body.
    pub request_bytes: u64,
    /// Bytes of the answer's body, as sent to the client.
    pub response_bytes: u64,
    /// How long it took, if anybody measured.
    pub times: Option<Times>,
    /// What the inspection of the request did and found, if it ran.
    pub inspection: Option<Inspected>,
    /// What the inspection of the answer did and found, if it ran.
    pub answer: Option<Inspected>,
    /// What was used.
    pub usage: Usage,
    /// The hash of the policy by which it was judged.
    pub policy: Box<str>,
    /// Its spans, where traces are sent somewhere.
    pub trace: Option<Box<Trace>>,
}

impl Facts {
    /// What is known at a request's start.
    pub fn new(request_id: &str, method: Method, target: &[u8], policy: &str) -> Self {
        Self {
            request_id: request_id.into(),
            method,
            endpoint: str::from_utf8(without_query(target))
                .map_or(Endpoint::Other, Endpoint::from_path),
            path: LoggedPath::new(target),
            client_ip: None,
            key_id: None,
            role: None,
            model: None,
            provider: None,
            upstream_status: None,
            attempts: 0,
            failed: Vec::new(),
            stream: false,
            status: None,
            outcome: Outcome::Abandoned,
            refusal: None,
            request_bytes: 0,
            response_bytes: 0,
            times: None,
            inspection: None,
            answer: None,
            usage: Usage::default(),
            policy: policy.into(),
            trace: None,
        }
    }

    /// The status as it is shown and counted: where none was sent, 499 as nginx has it.
    pub fn status_shown(&self) -> u16 {
        self.status.unwrap_or(499)
    }
}

/// An attempt at a provider that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// Which provider.
    pub provider: ProviderName,
    /// Which of its endpoints, as the configuration names it.
    pub endpoint: Box<str>,
    /// How far it came: a word of a closed set.
    pub class: &'static str,
}

/// Takes records: counts them, writes them down. Called on the request's own thread.
pub trait Recorder: Send + Sync {
    /// A request has begun.
    fn opened(&self);

    /// A request has ended; called once for each that has begun.
    fn closed(&self, facts: &Facts);
}

/// The record of one request: [`Facts`], delivered to the [`Recorder`] when dropped.
pub struct Record {
    facts: Facts,
    recorder: Arc<dyn Recorder>,
}

impl Record {
    /// Opens the record of a request that has begun.
    pub fn open(recorder: Arc<dyn Recorder>, facts: Facts) -> Self {
        recorder.opened();
        Self { facts, recorder }
    }

    /// Notes a refusal: its status, code and reason, and that it is how the request ended.
    pub fn refused(&mut self, denial: &Denial) {
        let refusal = Refusal::from(denial);
        self.facts.status = Some(denial.face().status);
        self.facts.outcome = if refusal.upstream {
            Outcome::UpstreamFailed
        } else {
            Outcome::Denied
        };
        self.facts.refusal = Some(refusal);
    }

    /// Notes why an answer that had begun was ended; the status that was sent stays.
    pub fn ended_early(&mut self, denial: &Denial) {
        let refusal = Refusal::from(denial);
        self.facts.outcome = if refusal.upstream {
            Outcome::Cut
        } else {
            Outcome::Denied
        };
        self.facts.refusal = Some(refusal);
    }

    /// Says how the request ended and how long it took; what is said last counts.
    ///
    /// An answer that was sent in full and is a refusal leaves the outcome at that refusal.
    pub fn settle(&mut self, outcome: Outcome, times: Times) {
        self.facts.times = Some(times);
        if outcome != Outcome::Completed || self.facts.refusal.is_none() {
            self.facts.outcome = outcome;
        }
    }

    /// Settles and delivers.
    pub fn finish(mut self, outcome: Outcome, times: Times) {
        self.settle(outcome, times);
    }
}

impl Deref for Record {
    type Target = Facts;

    fn deref(&self) -> &Facts {
        &self.facts
    }
}

impl DerefMut for Record {
    fn deref_mut(&mut self) -> &mut Facts {
        &mut self.facts
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        self.recorder.closed(&self.facts);
    }
}

/// Whether a method is one of HTTP's own: a word of which nothing is escaped or masked.
fn is_usual(method: &Method) -> bool {
    matches!(
        *method,
        Method::GET
            | Method::POST
            | Method::PUT
            | Method::PATCH
            | Method::DELETE
            | Method::HEAD
            | Method::OPTIONS
    )
}

#[cfg(test)]
mod tests;
