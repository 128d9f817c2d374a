//! What the spans of a finished request say.
//!
//! Decides what is kept of its record: the fields that OpenTelemetry's conventions for HTTP and
//! for generative AI ask for, and our own words beside them.

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use http::Method;

use super::Trace;
use crate::policy::names::{KeyId, ModelName};
use crate::record::endpoint::Endpoint;
use crate::record::{Facts, Outcome, Usage, is_usual};

/// The spans of a request that has ended.
#[derive(Debug, Clone)]
pub struct Finished {
    pub(super) trace: Box<Trace>,
    pub(super) request_id: Box<str>,
    pub(super) method: Method,
    pub(super) endpoint: Endpoint,
    pub(super) status: u16,
    pub(super) outcome: Outcome,
    pub(super) refusal: Option<&'static str>,
    pub(super) client: Option<IpAddr>,
    pub(super) key: Option<KeyId>,
    pub(super) model: Option<ModelName>,
    pub(super) usage: Usage,
    pub(super) stream: bool,
    pub(super) upstream_status: Option<u16>,
    pub(super) sizes: (u64, u64),
    pub(super) duration: Duration,
    pub(super) overhead: Duration,
    pub(super) upstream: Option<Duration>,
    pub(super) ended: SystemTime,
    /// The same moment, by the clock that does not jump.
    pub(super) ended_at: Duration,
}

impl Finished {
    /// The spans of a record, where it has any, that ended at this moment by either clock.
    pub fn of(facts: &Facts, (ended, ended_at): (SystemTime, Duration)) -> Option<Self> {
        let times = facts.times.unwrap_or_default();
        Some(Self {
            trace: facts.trace.clone()?,
            request_id: facts.request_id.clone(),
            method: facts.method.clone(),
            endpoint: facts.endpoint,
            status: facts.status_shown(),
            outcome: facts.outcome,
            refusal: facts.refusal.map(|refusal| refusal.code),
            client: facts.client_ip,
            key: facts.key_id.clone(),
            model: facts.model.clone(),
            usage: facts.usage,
            stream: facts.stream,
            upstream_status: facts.upstream_status,
            sizes: (facts.request_bytes, facts.response_bytes),
            duration: times.duration,
            overhead: times.overhead,
            upstream: times.upstream,
            ended,
            ended_at,
        })
    }

    /// How many spans it has.
    pub fn spans(&self) -> u64 {
        let calls = u64::try_from(self.trace.calls.len()).unwrap_or(u64::MAX);
        calls.saturating_add(1)
    }

    /// When it began, in nanoseconds since 1970.
    pub(super) fn start(&self) -> u64 {
        nanoseconds(self.ended).saturating_sub(count(self.duration))
    }

    /// When it ended.
    pub(super) fn end(&self) -> u64 {
        nanoseconds(self.ended)
    }

    /// A moment of the clock that does not jump as one of the day.
    pub(super) fn at(&self, moment: Duration) -> u64 {
        let before = self.ended_at.saturating_sub(moment);
        nanoseconds(self.ended).saturating_sub(count(before))
    }

    /// When the last call ended that did not fail on its way.
    pub(super) fn last_call_ended(&self) -> u64 {
        let first = self.trace.calls.first().map(|call| call.began);
        match first.zip(self.upstream) {
            Some((first, took)) => self.at(first.saturating_add(took).min(self.ended_at)),
            None => self.end(),
        }
    }

    /// What the request is by the conventions for generative AI.
    pub(super) const fn operation(&self) -> Option<&'static str> {
        match self.endpoint {
            Endpoint::ChatCompletions | Endpoint::Responses | Endpoint::Messages => Some("chat"),
            Endpoint::Completions => Some("text_completion"),
            Endpoint::Embeddings => Some("embeddings"),
            Endpoint::Moderations
            | Endpoint::Audio
            | Endpoint::Files
            | Endpoint::Images
            | Endpoint::Models
            | Endpoint::V1Health
            | Endpoint::Health
            | Endpoint::Ready
            | Endpoint::Metrics
            | Endpoint::Internal
            | Endpoint::Other => None,
        }
    }

    /// Why the request came to nothing, if it did: our own code, or the status.
    pub(super) fn error(&self) -> Option<String> {
        match (self.refusal, self.outcome) {
            (Some(code), _) => Some(code.to_owned()),
            (None, Outcome::ClientGone | Outcome::Cut | Outcome::Abandoned) => {
                Some(self.outcome.as_str().to_owned())
            }
            (None, Outcome::Completed | Outcome::Denied | Outcome::UpstreamFailed) => {
                (self.status >= 400).then(|| self.status.to_string())
            }
        }
    }

    /// The method by its name, where it is one that everybody knows.
    pub(super) fn verb(&self) -> &str {
        if is_usual(&self.method) {
            self.method.as_str()
        } else {
            "_OTHER"
        }
    }
}

fn nanoseconds(at: SystemTime) -> u64 {
    count(
        at.duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default(),
    )
}

fn count(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
