//! Security events: who was refused, from where, and why.
//!
//! Decides which refusals are security events and how severe each is. It never holds a
//! credential: a [`KeyPrefix`] is cut before an event is made.

use std::net::IpAddr;
use std::time::SystemTime;

use super::fields::Fields;
use super::{Level, LogFormat, cut, push_escaped, write_head};
use crate::inspect::detect::Family;
use crate::policy::Denial;
use crate::policy::names::KeyId;
use crate::record::Facts;

/// How bad it would be if it were what it looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth counting.
    Low,
    /// Worth looking at.
    Medium,
    /// Worth acting on.
    High,
    /// Worth getting up for.
    Critical,
}

impl Severity {
    /// The word in logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// What was found: how an operation went, or what threatens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// How the operation went; written as `status`.
    Status(&'static str),
    /// What kind of threat it is; written as `threat_type`.
    Threat(&'static str),
}

/// The beginning of a credential: six characters at most, and never more than a quarter of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyPrefix(Box<str>);

impl KeyPrefix {
    /// What may be shown of a credential.
    pub fn of(credential: &[u8]) -> Self {
        // What is not text is no key of anybody's and says nothing.
        let text = str::from_utf8(credential).unwrap_or_default();
        Self(cut(text, (text.len() / 4).min(6)).into())
    }

    /// The characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The logger of security lines.
pub const SECURITY_LOGGER: &str = "portcullis.security";

/// The longest user agent that is kept, in bytes.
pub const MAX_USER_AGENT: usize = 256;

/// One security event, as it is written down.
#[derive(Debug, Clone)]
pub struct SecurityEvent<'a> {
    /// How much it matters.
    pub level: Level,
    /// What was tried.
    pub operation: &'static str,
    /// What was found.
    pub verdict: Verdict,
    /// How bad it is.
    pub severity: Severity,
    /// Who it was, if known, by key.
    pub user_id: Option<&'a str>,
    /// Who it was, if known, by address.
    pub client_ip: Option<IpAddr>,
    /// What the client says it is.
    pub user_agent: &'a [u8],
    /// The request.
    pub request_id: &'a str,
    /// The beginning of the credential, if there was one.
    pub key_prefix: Option<&'a KeyPrefix>,
    /// Why, in a bounded word.
    pub reason: &'static str,
    /// What to find it by.
    pub tags: &'a [&'static str],
    /// What an inspection found, and where.
    pub found: Option<FoundAt<'a>>,
    /// What else there is to say of it, under names of our own.
    pub details: &'a [(&'static str, &'a str)],
}

/// One finding of an inspection: rule and place, never the text.
#[derive(Debug, Clone, Copy)]
pub struct FoundAt<'a> {
    /// The rule's id.
    pub rule: &'a str,
    /// What the rule finds.
    pub kind: &'a str,
    /// Whether it stands in an answer, rather than in a request.
    pub in_answer: bool,
    /// The kind of text in which it stands.
    pub channel: &'static str,
    /// Where it begins in the body, in bytes.
    pub offset: u64,
    /// How long it is there.
    pub length: u64,
    /// What became of it.
    pub action: &'static str,
}

impl<'a> SecurityEvent<'a> {
    /// The event that a refusal is, if it is one: failed authentication, or denied authorization.
    pub fn of_denial(
        denial: &Denial,
        facts: &'a Facts,
        user_agent: &'a [u8],
        key_prefix: Option<&'a KeyPrefix>,
    ) -> Option<Self> {
        let (level, operation, status, severity, tags): (_, _, _, _, &'static [_]) =
            match denial.face().status {
                401 => (
                    Level::Warning,
                    "authentication",
                    "failure",
                    Severity::Medium,
                    &["authentication", "failure"],
                ),
                403 => (
                    Level::Error,
                    "authorization",
                    "denied",
                    Severity::High,
                    &["authorization", "denied"],
                ),
                429 if !denial.is_upstream() => (
                    Level::Warning,
                    "rate_limit",
                    "exceeded",
                    Severity::Medium,
                    &["rate_limit", "exceeded"],
                ),
                413 | 414 | 431 => (
                    Level::Warning,
                    "request_size",
                    "exceeded",
                    Severity::Low,
                    &["request_size", "exceeded"],
                ),
                _ => return None,
            };
        Some(Self {
            level,
            operation,
            verdict: Verdict::Status(status),
            severity,
            user_id: facts.key_id.as_ref().map(KeyId::as_str),
            client_ip: facts.client_ip,
            user_agent,
            request_id: &facts.request_id,
            key_prefix,
            reason: denial.reason(),
            tags,
            found: None,
            details: &[],
        })
    }

    /// The event that a client's block is, after too many violations of limits.
    pub fn of_block(facts: &'a Facts, user_agent: &'a [u8]) -> Self {
        Self {
            level: Level::Error,
            operation: "block_client",
            verdict: Verdict::Status("blocked"),
            severity: Severity::High,
            user_id: facts.key_id.as_ref().map(KeyId::as_str),
            client_ip: facts.client_ip,
            user_agent,
            request_id: &facts.request_id,
            key_prefix: None,
            reason: "too_many_violations",
            tags: &["rate_limit", "blocked"],
            found: None,
            details: &[],
        }
    }

    /// The event that a finding of an inspection is.
    pub fn of_finding(
        family: Family,
        severity: Severity,
        found: FoundAt<'a>,
        facts: &'a Facts,
        user_agent: &'a [u8],
    ) -> Self {
        let level = match family {
            Family::PromptInjection => Level::Critical,
            Family::Secrets | Family::Canary => Level::Error,
            Family::CodePatterns
            | Family::WebAttacks
            | Family::Pii
            | Family::Harmful
            | Family::Sanitization => Level::Warning,
        };
        Self {
            level,
            operation: "inspection",
            verdict: Verdict::Threat(family.as_str()),
            severity,
            user_id: facts.key_id.as_ref().map(KeyId::as_str),
            client_ip: facts.client_ip,
            user_agent,
            request_id: &facts.request_id,
            key_prefix: None,
            reason: found.action,
            tags: if found.in_answer {
                &["inspection", "response"]
            } else {
                &["inspection", "request"]
            },
            found: Some(found),
            details: &[],
        }
    }

    /// Appends the event's line, without a line break.
    pub fn write(&self, at: SystemTime, format: LogFormat, out: &mut Vec<u8>) {
        write_head(self.level, SECURITY_LOGGER, at, format, out);
        match format {
            LogFormat::Json => {
                let mut fields = Fields { out, first: false };
                self.write_fields(&mut fields);
                fields.end();
            }
            LogFormat::Text => {
                push_escaped(out, self.operation);
                out.push(b' ');
                let mut fields = Fields::begin(out);
                self.write_fields(&mut fields);
                fields.end();
            }
        }
    }

    fn write_fields(&self, fields: &mut Fields<'_>) {
        fields.text(field!("operation"), self.operation);
        match self.verdict {
            Verdict::Status(status) => fields.text(field!("status"), status),
            Verdict::Threat(threat) => fields.text(field!("threat_type"), threat),
        }
        fields.text(field!("severity"), self.severity.as_str());
        match self.user_id {
            Some(id) => fields.text(field!("user_id"), id),
            None => fields.bare(field!("user_id"), "null"),
        }
        match self.client_ip {
            Some(address) => fields.address(field!("client_ip"), address),
            None => fields.bare(field!("client_ip"), "null"),
        }
        let agent = self.user_agent;
        fields.bytes(
            field!("user_agent"),
            agent.get(..MAX_USER_AGENT).unwrap_or(agent),
        );
        fields.text(field!("request_id"), self.request_id);
        fields.name(field!("metadata"));
        let mut metadata = Fields::begin(fields.out);
        if let Some(prefix) = self.key_prefix {
            metadata.text(field!("key_prefix"), prefix.as_str());
        }
        metadata.text(field!("reason"), self.reason);
        if let Some(found) = &self.found {
            metadata.text(field!("rule"), found.rule);
            metadata.text(field!("kind"), found.kind);
            metadata.text(field!("channel"), found.channel);
            metadata.number(field!("offset"), found.offset);
            metadata.number(field!("length"), found.length);
            metadata.text(field!("action"), found.action);
        }
        for (name, value) in self.details {
            metadata.detail(name, value);
        }
        metadata.end();
        fields.name(field!("tags"));
        fields.out.push(b'[');
        for (place, tag) in self.tags.iter().enumerate() {
            if place > 0 {
                fields.out.push(b',');
            }
            super::push_string(fields.out, tag);
        }
        fields.out.push(b']');
    }
}
