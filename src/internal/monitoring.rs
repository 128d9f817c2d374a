//! `/internal/monitoring/`: what operators look at.
//!
//! Decides the shape of the answers. The figures come from the monitor, the ledger and the policy;
//! each answer is made anew and takes everything that has ended before it into account.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::ask::{Ask, Fields};
use super::blocks;
use super::routes::ROWS;
use crate::admit::violations::Violation;
use crate::config::score;
use crate::policy::names::KeyId;
use crate::policy::overlay::{Measure, moment};
use crate::policy::{AuthMode, Denial, Policy};
use crate::proxy::Answer;
use crate::record::event::Severity;
use crate::record::monitor::alert::Alert;
use crate::record::monitor::recent::Recent;
use crate::record::monitor::{Anomaly, Event, Source, Suspect, Today};
use crate::runtime::watch::seconds;

/// Entries that a list in an answer holds.
const MOST: usize = 20;
/// Alerts and keys that an answer lists.
const MOST_LISTED: usize = 500;

#[expect(
    clippy::unnecessary_wraps,
    reason = "every handler ends with it, and handlers may refuse"
)]
fn answer(body: &Value) -> Result<Answer, Denial> {
    Ok(Answer::json(200, body))
}

/// Seconds since 1970, as RFC 3339 has them.
fn time(at: u64) -> Option<String> {
    UNIX_EPOCH
        .checked_add(Duration::from_secs(at))
        .and_then(moment)
}

/// The time of day, as the ledger takes it.
fn since_1970(at: SystemTime) -> Duration {
    at.duration_since(UNIX_EPOCH).unwrap_or_default()
}

const fn mode(policy: &Policy) -> &'static str {
    match policy.auth.mode {
        AuthMode::Required => "required",
        AuthMode::Development => "development",
    }
}

/// `GET /internal/monitoring/`: what there is to look at.
pub(super) fn index(ask: &Ask, fields: Fields) -> Result<Answer, Denial> {
    fields.done()?;
    let below = |path: &str| path.starts_with("/internal/monitoring/") && !path.ends_with('/');
    let endpoints: Vec<&str> = ROWS
        .iter()
        .map(|row| row.path)
        .filter(|path| below(path))
        .collect();
    answer(&json!({
        "status": "ok",
        "version": env!("CARGO_PKG_VERSION"),
        "policy": ask.snapshot.policy.hash,
        "mode": mode(&ask.snapshot.policy),
        "endpoints": endpoints,
    }))
}

/// `GET /internal/monitoring/rate-limiting`.
pub(super) fn rate_limiting(ask: &Ask, fields: Fields) -> Result<Answer, Denial> {
    fields.done()?;
    let now = seconds(ask.now);
    let monitor = ask.control.watch.monitor();
    let today = monitor.today(now);
    let blocked = ask.control.ledger.blocks.list(ask.moment);
    let clients: Vec<Value> = blocked
        .iter()
        .take(MOST)
        .map(|one| blocks::shown(ask, one))
        .collect();
    let ledger = &ask.control.ledger.violations;
    let violations = ledger.today(Violation::Rate, since_1970(ask.now));
    let top: Vec<Value> = monitor
        .top_addresses(now, MOST)
        .iter()
        .map(|(address, source)| client(&address.to_string(), source, now))
        .collect();
    answer(&json!({
        "status": if violations == 0 && blocked.is_empty() { "healthy" } else { "limiting" },
        "violations": {"today": violations, "since_start": ledger.all(Violation::Rate)},
        "blocked_clients": {
            "count": blocked.len(),
            "clients": clients,
            "turned_away": ask.control.ledger.blocks.turned_away(),
            "refused_today": today.count(Event::ClientBlocked),
        },
        "requests": {"today": today.requests},
        "top_clients": top,
        "store": store(ask),
    }))
}

/// Where the limits' counts are kept.
fn store(ask: &Ask) -> Value {
    let leases = ask.control.ledger.leases.as_ref();
    match ask.control.fleet.get().zip(leases) {
        Some((status, leases)) => status.shown(leases),
        None => json!({"kind": "memory", "connected": true, "limits": "local"}),
    }
}

/// `GET /internal/monitoring/request-size`.
pub(super) fn request_size(ask: &Ask, fields: Fields) -> Result<Answer, Denial> {
    fields.done()?;
    let today = ask.control.watch.monitor().today(seconds(ask.now));
    let (ledger, wall) = (&ask.control.ledger.violations, since_1970(ask.now));
    let violations = ledger.today(Violation::Size, wall);
    let largest = ledger.largest_today(wall).max(today.largest_request);
    let sizes = &ask.snapshot.policy.sizes;
    let average = today
        .request_bytes
        .checked_div(today.requests)
        .unwrap_or_default();
    answer(&json!({
        "status": if violations == 0 { "healthy" } else { "limiting" },
        "violations": {"today": violations, "since_start": ledger.all(Violation::Size)},
        "stats": {
            "largest_request_today": largest,
            "average_request_today": average,
            "request_bytes_today": today.request_bytes,
            "requests_today": today.requests,
        },
        "blocked": {"count": violations},
        "limits": {
            "default": sizes.default.get(),
            "json": sizes.json.get(),
            "form": sizes.form.get(),
            "file": sizes.file.get(),
        },
    }))
}

/// `GET /internal/monitoring/security-metrics`.
pub(super) fn metrics(ask: &Ask, fields: Fields) -> Result<Answer, Denial> {
    fields.done()?;
    let monitor = ask.control.watch.monitor();
    let today = monitor.today(seconds(ask.now));
    let blocked = ask.control.ledger.blocks.len(ask.moment);
    answer(&json!({
        "status": "ok",
        "requests": {"today": today.requests, "failed_today": today.failed},
        "events": events(&today),
        "alerts": {"count": monitor.alerts().count()},
        "anomalies": {"count": monitor.anomalies().count()},
        "blocked_clients": {"count": blocked},
        "dropped": {"samples": ask.control.watch.dropped(), "log_lines": ask.control.lines.dropped()},
    }))
}

fn events(today: &Today) -> Value {
    let counts = Event::ALL.map(|event| (event.as_str().to_owned(), today.count(event).into()));
    Value::Object(counts.into_iter().collect())
}

/// `GET /internal/monitoring/anomalies`.
pub(super) fn anomalies(ask: &Ask, fields: Fields) -> Result<Answer, Denial> {
    fields.done()?;
    let monitor = ask.control.watch.monitor();
    let suspects = monitor.suspects(seconds(ask.now));
    let found: Vec<Value> = monitor.anomalies().map(anomaly).collect();
    let calm = found.is_empty() && suspects.is_empty();
    let patterns: Vec<Value> = suspects.iter().take(MOST_LISTED).map(suspect).collect();
    answer(&json!({
        "status": if calm { "normal" } else { "anomalous" },
        "security_anomalies": {"count": found.len(), "anomalies": found},
        "suspicious_patterns": {"count": suspects.len(), "patterns": patterns},
    }))
}

fn anomaly(anomaly: &Anomaly) -> Value {
    json!({
        "subject": anomaly.subject,
        "figure": anomaly.figure,
        "value": anomaly.value,
        "expected": anomaly.expected,
        "at": time(anomaly.at),
    })
}

fn suspect(suspect: &Suspect) -> Value {
    json!({
        "ip": suspect.address,
        "pattern": suspect.pattern,
        "tries_in_hour": suspect.tries,
        "failed_in_hour": suspect.failed,
        "failures": suspect.failures,
        "last_seen": time(suspect.last),
    })
}

/// `GET /internal/monitoring/security-status`.
pub(super) fn status(ask: &Ask, fields: Fields) -> Result<Answer, Denial> {
    fields.done()?;
    let now = seconds(ask.now);
    let monitor = ask.control.watch.monitor();
    let recent = || {
        monitor
            .alerts()
            .filter(|alert| alert.last.saturating_add(3_600) > now)
    };
    let of = |severity: Severity| recent().filter(|alert| alert.severity == severity).count();
    let (critical, high) = (of(Severity::Critical), of(Severity::High));
    let measures = ask.control.measures();
    let status = match (critical, high, measures.len()) {
        (0, 0, 0) => "normal",
        (0, ..) => "elevated",
        (_, _, _) => "critical",
    };
    let shown: Vec<_> = measures.iter().map(Measure::shown).collect();
    answer(&json!({
        "status": status,
        "mode": mode(&ask.snapshot.policy),
        "policy": ask.snapshot.policy.hash,
        "emergency": {"active": !measures.is_empty(), "measures": shown},
        "alerts_last_hour": {
            "critical": critical,
            "high": high,
            "medium": of(Severity::Medium),
            "low": of(Severity::Low),
        },
        "blocked_clients": {"count": ask.control.ledger.blocks.len(ask.moment)},
        "suspects": {"count": monitor.suspects(now).len()},
        "findings": {"count": ask.control.loaded.load().findings.len()},
    }))
}

/// `GET /internal/monitoring/security-health`: what `portcullis health` says of the configuration
/// in force.
pub(super) fn health(ask: &Ask, fields: Fields) -> Result<Answer, Denial> {
    fields.done()?;
    let score = score::of(&ask.control.loaded.load().findings);
    let mut told = serde_json::to_value(score).unwrap_or_default();
    if let Some(told) = told.as_object_mut() {
        told.insert("hash".to_owned(), json!(ask.snapshot.policy.hash));
    }
    answer(&told)
}

/// `GET /internal/monitoring/alerts`.
pub(super) fn alerts(ask: &Ask, fields: Fields) -> Result<Answer, Denial> {
    fields.done()?;
    let monitor = ask.control.watch.monitor();
    let all: Vec<Value> = monitor.alerts().take(MOST_LISTED).map(alert).collect();
    answer(&json!({
        "status": if all.is_empty() { "quiet" } else { "alerting" },
        "count": all.len(),
        "alerts": all,
    }))
}

/// An alert as it is shown and posted.
pub(crate) fn alert(alert: &Alert) -> Value {
    json!({
        "id": alert.id(),
        "type": alert.kind,
        "level": alert.level.as_str(),
        "severity": alert.severity.as_str(),
        "subject": alert.subject,
        "message": alert.message,
        "tags": alert.tags,
        "count": alert.count,
        "first_seen": time(alert.first),
        "last_seen": time(alert.last),
    })
}

/// `GET /internal/monitoring/events`.
pub(super) fn recent(ask: &Ask, fields: Fields) -> Result<Answer, Denial> {
    fields.done()?;
    let recents = ask.control.watch.recents();
    let shown: Vec<Value> = recents.newest_first().map(event).collect();
    drop(recents);
    answer(&json!({"status": "ok", "count": shown.len(), "events": shown}))
}

fn event(recent: &Recent) -> Value {
    let events = Event::ALL
        .into_iter()
        .filter(|event| recent.marks.has(*event));
    json!({
        "at": time(recent.at),
        "ip": recent.address,
        "key": recent.key.as_ref().map(KeyId::as_str),
        "status": recent.status,
        "reason": recent.code,
        "events": events.map(Event::as_str).collect::<Vec<_>>(),
        "endpoint": recent.endpoint.as_str(),
        "request_id": recent.request_id,
    })
}

/// `GET /internal/monitoring/auth-status`.
pub(super) fn auth(ask: &Ask, fields: Fields) -> Result<Answer, Denial> {
    fields.done()?;
    let now = seconds(ask.now);
    let monitor = ask.control.watch.monitor();
    let today = monitor.today(now);
    let suspects = monitor.suspects(now);
    let auth = &ask.snapshot.policy.auth;
    let headers: Vec<&str> = auth.headers.iter().map(http::HeaderName::as_str).collect();
    let shown: Vec<Value> = suspects.iter().take(MOST).map(suspect).collect();
    answer(&json!({
        "status": match auth.mode {
            AuthMode::Development => "open",
            AuthMode::Required if suspects.is_empty() => "healthy",
            AuthMode::Required => "under_attack",
        },
        "mode": mode(&ask.snapshot.policy),
        "keys": {"count": auth.keys.len()},
        "headers": headers,
        "failures": {
            "today": today.count(Event::AuthFailure),
            "denied_today": today.count(Event::Denied),
        },
        "suspects": {"count": suspects.len(), "clients": shown},
    }))
}

/// `GET /internal/monitoring/api-key-stats`.
pub(super) fn keys(ask: &Ask, fields: Fields) -> Result<Answer, Denial> {
    fields.done()?;
    let now = seconds(ask.now);
    let monitor = ask.control.watch.monitor();
    let top = monitor.top_keys(now, MOST_LISTED);
    let used: Vec<Value> = top
        .iter()
        .map(|(id, source)| client(id.as_str(), source, now))
        .collect();
    answer(&json!({
        "status": "ok",
        "configured": ask.snapshot.policy.auth.keys.len(),
        "active_today": top.iter().filter(|(_, s)| s.requests_on(now / 86_400) > 0).count(),
        "count": used.len(),
        "keys": used,
    }))
}

fn client(id: &str, source: &Source, now: u64) -> Value {
    json!({
        "id": id,
        "requests": source.requests,
        "requests_today": source.requests_on(now / 86_400),
        "failures": source.failures,
        "request_bytes": source.bytes,
        "first_seen": time(source.first),
        "last_seen": time(source.last),
    })
}
