//! One line of a log, as far as a report needs it.
//!
//! Decides what a line is: the record of a request, a security event, a line of the program, or
//! none of ours. Reads both forms, JSON and text. It believes no line further than its shape: a
//! log that somebody else could write to can be forged, which only the audit log can show.

use std::net::IpAddr;

use serde::Deserialize;

use crate::inspect::detect::Family;
use crate::policy::names::KeyId;
use crate::record::endpoint::Endpoint;
use crate::record::event::{ACCESS_LOGGER, SECURITY_LOGGER};
use crate::record::monitor::{Event, Marks, Sample};

/// A line of ours.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// When it was written, in seconds since 1970.
    pub at: u64,
    /// What it is about.
    pub about: About,
}

/// What a line is about.
#[derive(Debug, Clone, PartialEq)]
pub enum About {
    /// A request that has ended; none where probes and operators ask.
    Request(Option<Box<Request>>),
    /// Something that somebody may have to know.
    Security(Box<Security>),
    /// The program's own words.
    Program,
}

/// A request that has ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// As the monitor takes it.
    pub sample: Sample,
    /// The reason of a refusal by a limit.
    pub limited: Option<Box<str>>,
    /// What the inspections found: family, what became of it, how often.
    pub found: Vec<(Family, Box<str>, u64)>,
}

/// A security event.
#[derive(Debug, Clone, PartialEq)]
pub struct Security {
    /// What was tried.
    pub operation: Box<str>,
    /// As the monitor takes it; without marks where it is none of its events.
    pub sample: Sample,
    /// The request that it is about.
    pub request_id: Box<str>,
    /// The rule that found something.
    pub rule: Option<Box<str>>,
    /// What the rule finds.
    pub kind: Box<str>,
    /// What became of it.
    pub action: Box<str>,
    /// The family of the rule.
    pub family: Option<Family>,
    /// Why, in a bounded word.
    pub reason: Box<str>,
}

/// Why a line is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unread {
    /// It is not ours.
    Foreign,
    /// It looks like ours, and can't be read.
    Broken,
}

/// What every line has. Read first, so that each line is read once more as what it is.
#[derive(Deserialize)]
struct Head {
    timestamp: Box<str>,
    #[serde(default)]
    logger: Box<str>,
}

#[derive(Deserialize)]
struct RawAccess {
    extra_data: RawRequest,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawRequest {
    client_ip: Option<IpAddr>,
    key_id: Option<Box<str>>,
    path: Box<str>,
    status: u16,
    code: Option<Box<str>>,
    reason: Option<Box<str>>,
    request_bytes: u64,
    findings: Vec<RawFound>,
    response_findings: Vec<RawFound>,
}

#[derive(Deserialize)]
struct RawFound {
    family: Box<str>,
    action: Box<str>,
    count: u64,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawSecurity {
    operation: Option<Box<str>>,
    status: Option<Box<str>>,
    threat_type: Option<Box<str>>,
    user_id: Option<Box<str>>,
    client_ip: Option<IpAddr>,
    request_id: Box<str>,
    metadata: RawMetadata,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawMetadata {
    reason: Box<str>,
    rule: Option<Box<str>>,
    kind: Box<str>,
    action: Box<str>,
}

/// Reads a line.
///
/// # Errors
/// It is not ours, or broken.
pub fn read(line: &str) -> Result<Entry, Unread> {
    if line.starts_with('{') {
        return read_json(line);
    }
    read_text(line)
}

fn read_json(line: &str) -> Result<Entry, Unread> {
    let ours = line.contains("\"logger\":\"");
    let unread = if ours {
        Unread::Broken
    } else {
        Unread::Foreign
    };
    let head: Head = serde_json::from_str(line).map_err(|_error| unread)?;
    let at = moment(&head.timestamp).ok_or(unread)?;
    let broken = |_error| Unread::Broken;
    let about = match &*head.logger {
        ACCESS_LOGGER => {
            let raw: RawAccess = serde_json::from_str(line).map_err(broken)?;
            request(at, raw.extra_data)
        }
        SECURITY_LOGGER => security(at, serde_json::from_str(line).map_err(broken)?)?,
        "" => return Err(Unread::Foreign),
        _ => About::Program,
    };
    Ok(Entry { at, about })
}

/// `TIME LEVEL LOGGER WORDS {FIELDS}`, the form for people.
fn read_text(line: &str) -> Result<Entry, Unread> {
    let mut words = line.splitn(4, ' ');
    let mut next = || words.next().ok_or(Unread::Foreign);
    let at = moment(next()?).ok_or(Unread::Foreign)?;
    let _level = next()?;
    let logger = next()?;
    let rest = next()?;
    let fields = || rest.find('{').and_then(|start| rest.get(start..));
    let about = match logger {
        ACCESS_LOGGER => {
            let raw = fields().and_then(|fields| serde_json::from_str(fields).ok());
            request(at, raw.ok_or(Unread::Broken)?)
        }
        SECURITY_LOGGER => {
            let raw = fields().and_then(|fields| serde_json::from_str(fields).ok());
            security(at, raw.ok_or(Unread::Broken)?)?
        }
        _ => About::Program,
    };
    Ok(Entry { at, about })
}

/// Seconds since 1970 of a time as lines have it.
fn moment(text: &str) -> Option<u64> {
    let time: jiff::Timestamp = text.parse().ok()?;
    u64::try_from(time.as_second()).ok()
}

fn request(at: u64, raw: RawRequest) -> About {
    let endpoint = Endpoint::from_path(&raw.path);
    let looked_at = endpoint == Endpoint::Internal || endpoint.is_probe();
    if looked_at && raw.code.is_none() {
        return About::Request(None);
    }
    let mut marks = Marks::default();
    let event = raw.code.as_deref().and_then(Event::of_code);
    if let Some(event) = event {
        marks = marks.with(event);
    }
    let mut found = Vec::new();
    for one in &raw.findings {
        if let Some(family) = family(&one.family) {
            marks = marks.with(Event::of_family(family));
        }
    }
    for one in raw.findings.into_iter().chain(raw.response_findings) {
        if let Some(family) = family(&one.family) {
            found.push((family, one.action, one.count));
        }
    }
    About::Request(Some(Box::new(Request {
        sample: Sample {
            at,
            address: raw.client_ip,
            key: raw.key_id.and_then(|key| key.parse::<KeyId>().ok()),
            status: raw.status,
            bytes: raw.request_bytes,
            marks,
        },
        limited: raw.reason.filter(|_| event == Some(Event::RateLimited)),
        found,
    })))
}

fn security(at: u64, raw: RawSecurity) -> Result<About, Unread> {
    let operation = raw.operation.ok_or(Unread::Broken)?;
    let status = raw.status.as_deref().unwrap_or_default();
    let family = raw.threat_type.as_deref().and_then(family);
    let (event, code) = match (&*operation, status, family) {
        ("authentication", "failure", _) => (Some(Event::AuthFailure), 401),
        ("authorization", "denied", _) if &*raw.metadata.reason == "client_blocked" => {
            (Some(Event::ClientBlocked), 403)
        }
        ("authorization", "denied", _) => (Some(Event::Denied), 403),
        ("rate_limit", "exceeded", _) => (Some(Event::RateLimited), 429),
        ("request_size", "exceeded", _) => (Some(Event::TooLarge), 413),
        ("inspection", _, Some(family)) => (Some(Event::of_family(family)), 200),
        _ => (None, 200),
    };
    let marks = event.map_or_else(Marks::default, |event| Marks::default().with(event));
    Ok(About::Security(Box::new(Security {
        operation,
        sample: Sample {
            at,
            address: raw.client_ip,
            key: raw.user_id.and_then(|key| key.parse::<KeyId>().ok()),
            status: code,
            bytes: 0,
            marks,
        },
        request_id: raw.request_id,
        rule: raw.metadata.rule,
        kind: raw.metadata.kind,
        action: raw.metadata.action,
        family,
        reason: raw.metadata.reason,
    })))
}

fn family(name: &str) -> Option<Family> {
    Family::ALL
        .into_iter()
        .find(|family| family.as_str() == name)
}
