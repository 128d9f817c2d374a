//! What the monitor takes of one request: when, who, how it ended, what was found.
//!
//! Decides which events of the contract's table a request is. It never sees a body or a key.

use std::net::IpAddr;

use crate::inspect::detect::Family;
use crate::policy::names::KeyId;
use crate::record::Facts;
use crate::record::event::{Level, Severity};

/// What can be said of a request that somebody may have to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// No valid credential.
    AuthFailure,
    /// The caller may not do this.
    Denied,
    /// An attempt to talk a model out of its instructions.
    Injection,
    /// Text was cleaned.
    Sanitization,
    /// Too many requests.
    RateLimited,
    /// One address that mostly fails.
    Suspicious,
    /// A body over its limit.
    TooLarge,
    /// A blocked address came back.
    ClientBlocked,
    /// Anything else that an inspection found.
    Finding,
}

/// A row of the contract's table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Threshold {
    /// So many …
    pub count: u32,
    /// … in so many seconds are worth an alert.
    pub within: u32,
}

impl Event {
    /// Every event, each at its index.
    pub const ALL: [Self; 9] = [
        Self::AuthFailure,
        Self::Denied,
        Self::Injection,
        Self::Sanitization,
        Self::RateLimited,
        Self::Suspicious,
        Self::TooLarge,
        Self::ClientBlocked,
        Self::Finding,
    ];

    /// The place in [`Event::ALL`].
    pub const fn index(self) -> usize {
        match self {
            Self::AuthFailure => 0,
            Self::Denied => 1,
            Self::Injection => 2,
            Self::Sanitization => 3,
            Self::RateLimited => 4,
            Self::Suspicious => 5,
            Self::TooLarge => 6,
            Self::ClientBlocked => 7,
            Self::Finding => 8,
        }
    }

    /// The word in answers and alerts.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AuthFailure => "authentication_failure",
            Self::Denied => "authorization_denied",
            Self::Injection => "prompt_injection",
            Self::Sanitization => "sanitization",
            Self::RateLimited => "rate_limit_exceeded",
            Self::Suspicious => "suspicious_activity",
            Self::TooLarge => "request_too_large",
            Self::ClientBlocked => "client_blocked",
            Self::Finding => "inspection_finding",
        }
    }

    /// When it is worth an alert; none: it is counted alone.
    pub const fn threshold(self) -> Option<Threshold> {
        let (count, within) = match self {
            Self::AuthFailure => (5, 300),
            Self::Denied => (3, 300),
            Self::Injection => (1, 300),
            Self::Sanitization => (5, 3_600),
            Self::RateLimited => (10, 3_600),
            Self::Suspicious => (1, 3_600),
            Self::TooLarge | Self::ClientBlocked | Self::Finding => return None,
        };
        Some(Threshold { count, within })
    }

    /// Level and severity of its alert.
    pub const fn weight(self) -> (Level, Severity) {
        match self {
            Self::AuthFailure => (Level::Warning, Severity::High),
            Self::Denied | Self::Suspicious => (Level::Error, Severity::High),
            Self::Injection => (Level::Critical, Severity::Critical),
            Self::Sanitization => (Level::Warning, Severity::Low),
            Self::RateLimited | Self::TooLarge | Self::ClientBlocked | Self::Finding => {
                (Level::Warning, Severity::Medium)
            }
        }
    }

    /// What its alert is found by.
    pub const fn tags(self) -> &'static [&'static str] {
        match self {
            Self::AuthFailure => &["authentication", "failure"],
            Self::Denied => &["authorization", "denied"],
            Self::Injection => &["inspection", "prompt_injection"],
            Self::Sanitization => &["inspection", "sanitization"],
            Self::RateLimited => &["rate_limit", "violation"],
            Self::Suspicious => &["suspicious", "brute_force"],
            Self::TooLarge => &["request_size", "violation"],
            Self::ClientBlocked => &["blocked"],
            Self::Finding => &["inspection"],
        }
    }

    const fn bit(self) -> u16 {
        match self {
            Self::AuthFailure => 1,
            Self::Denied => 1 << 1,
            Self::Injection => 1 << 2,
            Self::Sanitization => 1 << 3,
            Self::RateLimited => 1 << 4,
            Self::Suspicious => 1 << 5,
            Self::TooLarge => 1 << 6,
            Self::ClientBlocked => 1 << 7,
            Self::Finding => 1 << 8,
        }
    }

    /// The event that a finding of this family is.
    pub const fn of_family(family: Family) -> Self {
        match family {
            Family::PromptInjection => Self::Injection,
            Family::Sanitization => Self::Sanitization,
            Family::CodePatterns
            | Family::WebAttacks
            | Family::Pii
            | Family::Secrets
            | Family::Harmful
            | Family::Canary => Self::Finding,
        }
    }

    /// The event that a refusal with this code is, if it is one.
    pub fn of_code(code: &str) -> Option<Self> {
        match code {
            "missing_api_key" | "invalid_api_key" => Some(Self::AuthFailure),
            "permission_denied" | "model_not_allowed" => Some(Self::Denied),
            "client_blocked" => Some(Self::ClientBlocked),
            "rate_limit_exceeded" | "token_limit_exceeded" | "concurrency_limit_exceeded" => {
                Some(Self::RateLimited)
            }
            "request_too_large" => Some(Self::TooLarge),
            _ => None,
        }
    }
}

/// A set of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Marks(u16);

impl Marks {
    /// With one more event.
    #[must_use]
    pub const fn with(self, event: Event) -> Self {
        Self(self.0 | event.bit())
    }

    /// Whether the event is among them.
    pub const fn has(self, event: Event) -> bool {
        self.0 & event.bit() != 0
    }

    /// The first of them.
    pub fn first(self) -> Option<Event> {
        Event::ALL.into_iter().find(|event| self.has(*event))
    }

    /// Whether the caller was turned away for who he is or what he may do.
    pub const fn is_failed_try(self) -> bool {
        self.has(Event::AuthFailure) || self.has(Event::Denied)
    }
}

/// One request, as the monitor takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// When it ended, in seconds since 1970.
    pub at: u64,
    /// Who called, by address.
    pub address: Option<IpAddr>,
    /// Who called, by key.
    pub key: Option<KeyId>,
    /// The answer's status.
    pub status: u16,
    /// Bytes of its body.
    pub bytes: u64,
    /// What it is an example of.
    pub marks: Marks,
}

impl Sample {
    /// The sample of a finished request.
    pub fn of(facts: &Facts, at: u64) -> Self {
        let mut marks = Marks::default();
        let refusal = facts.refusal.filter(|refusal| !refusal.upstream);
        if let Some(event) = refusal.and_then(|refusal| Event::of_code(refusal.code)) {
            marks = marks.with(event);
        }
        for found in facts
            .inspection
            .iter()
            .flat_map(|inspected| &inspected.found)
        {
            marks = marks.with(Event::of_family(found.family));
        }
        Self {
            at,
            address: facts.client_ip,
            key: facts.key_id.clone(),
            status: facts.status_shown(),
            bytes: facts.request_bytes,
            marks,
        }
    }
}
