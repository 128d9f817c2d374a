//! A report as it is told: JSON for machines, a page of text for people.
//!
//! Decides the shape and what is left out for length. The text is made of the JSON, so that both
//! say the same.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::follow::{Client, Followed};
use super::table::Table;
use super::{Report, Rule};
use crate::record::monitor::alert::Alert;
use crate::record::monitor::{Anomaly, Event, Suspect};

/// Entries of a list.
const MOST: usize = 20;
/// Entries of the lists of alerts and suspects.
const MOST_LISTED: usize = 100;

fn time(at: u64) -> Option<String> {
    let at = i64::try_from(at).ok()?;
    jiff::Timestamp::from_second(at)
        .ok()
        .map(|at| at.to_string())
}

fn day(day: u64) -> Option<String> {
    time(day.saturating_mul(super::DAY)).map(|text| text.chars().take(10).collect())
}

impl Report {
    /// The report as JSON.
    pub fn json(&self) -> Value {
        let (source, failures) = self.failures();
        let all = &self.requests;
        json!({
            "period": {
                "from": time(self.from),
                "to": time(self.upto.saturating_sub(super::AHEAD)),
                "first_line": self.seen.and_then(|(first, _)| time(first)),
                "last_line": self.seen.and_then(|(_, last)| time(last)),
            },
            "lines": {
                "read": self.lines.read,
                "requests": self.lines.requests,
                "security_events": self.lines.security,
                "program": self.lines.program,
                "not_ours": self.lines.foreign,
                "broken": self.lines.broken,
                "outside_the_period": self.lines.outside,
            },
            "complete": self.is_whole(),
            "requests": {"total": all.total.requests, "failed": all.failed},
            "days": self.days.iter().map(|(at, one)| json!({
                "day": day(*at), "requests": one.requests, "failed": one.failed,
            })).collect::<Vec<_>>(),
            "failures_from": source,
            "authentication_failures": self.failed(failures),
            "brute_force_suspects": suspects(failures),
            "injections": self.injections(failures),
            "findings": self.findings(),
            "rate_limits": self.limits(failures),
            "size_violations": self.sizes(failures),
            "blocked_clients": {"refused": failures.total.count(Event::ClientBlocked)},
            "top_clients": {
                "by_ip": callers(&all.addresses),
                "by_key": callers(&all.keys),
            },
            "operations": counts(&self.operations),
            "anomalies": anomalies(all),
            "alerts": alerts(failures),
        })
    }

    fn is_whole(&self) -> bool {
        let one = |of: &Followed| of.addresses.is_whole() && of.keys.is_whole();
        one(&self.requests) && one(&self.events) && self.rules.is_whole()
    }

    fn failed(&self, from: &Followed) -> Value {
        let shown = |client: &Client| client.failures();
        json!({
            "total": from.total.failures(),
            "unauthenticated": from.total.count(Event::AuthFailure),
            "denied": from.total.count(Event::Denied),
            "addresses": from.addresses.top(usize::MAX, shown).len(),
            "by_ip": clients(&from.addresses, shown),
            "by_key": clients(&from.keys, shown),
            "sources": {"requests_known": self.requests.total.requests > 0},
        })
    }

    fn injections(&self, from: &Followed) -> Value {
        let count = |client: &Client| client.count(Event::Injection);
        let is_injection = |rule: &Rule| rule.family == "prompt_injection";
        let weight = |rule: &Rule| if is_injection(rule) { rule.count } else { 0 };
        json!({
            "total": from.total.count(Event::Injection),
            "by_rule": rules(&self.rules, weight),
            "by_ip": clients(&from.addresses, count),
            "by_key": clients(&from.keys, count),
        })
    }

    fn findings(&self) -> Value {
        let by_family: Vec<Value> = self
            .found
            .iter()
            .map(|((family, action), count)| {
                json!({"family": family, "action": action, "count": count})
            })
            .collect();
        json!({
            "by_family": by_family,
            "by_rule": rules(&self.rules, |rule| rule.count),
        })
    }

    fn limits(&self, from: &Followed) -> Value {
        let count = |client: &Client| client.count(Event::RateLimited);
        json!({
            "total": from.total.count(Event::RateLimited),
            "by_reason": counts(&self.limited),
            "by_ip": clients(&from.addresses, count),
            "by_key": clients(&from.keys, count),
        })
    }

    fn sizes(&self, from: &Followed) -> Value {
        let count = |client: &Client| client.count(Event::TooLarge);
        json!({
            "total": from.total.count(Event::TooLarge),
            "largest_request": self.largest,
            "by_ip": clients(&from.addresses, count),
            "by_key": clients(&from.keys, count),
        })
    }

    /// The report for people.
    pub fn text(&self) -> String {
        let told = self.json();
        let mut out = String::new();
        let word = |pointer: &str| plain(told.pointer(pointer));
        // Writing to a String can't fail.
        let _infallible = writeln!(
            out,
            "Security report, {} to {}\n{} lines read: {} requests, {} security events; {} of \
             other days, {} not ours, {} broken",
            word("/period/from"),
            word("/period/to"),
            word("/lines/read"),
            word("/lines/requests"),
            word("/lines/security_events"),
            word("/lines/outside_the_period"),
            word("/lines/not_ours"),
            word("/lines/broken"),
        );
        for (title, total, lists) in SECTIONS {
            let total = told.pointer(total).filter(|total| total.is_u64());
            let total = total.map_or_else(String::new, |total| format!(": {}", plain(Some(total))));
            let _infallible = writeln!(out, "\n{title}{total}");
            for (name, pointer) in *lists {
                let rows = told.pointer(pointer).and_then(Value::as_array);
                for row in rows.into_iter().flatten() {
                    let _infallible = writeln!(out, "  {name}{}", line(row));
                }
            }
        }
        if told.get("complete") == Some(&Value::Bool(false)) {
            out.push_str("\nToo many clients for exact lists: the rarest are missing.\n");
        }
        out
    }
}

/// A section of the text: title, where its total is, lists with the word before each entry.
type Section = (
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
);

const SECTIONS: &[Section] = &[
    ("Requests", "/requests/total", &[("", "/days")]),
    (
        "Failures to authenticate or for want of permission",
        "/authentication_failures/total",
        &[
            ("ip ", "/authentication_failures/by_ip"),
            ("key ", "/authentication_failures/by_key"),
        ],
    ),
    (
        "Brute force suspects",
        "/brute_force_suspects/count",
        &[("", "/brute_force_suspects/clients")],
    ),
    (
        "Prompt injections",
        "/injections/total",
        &[
            ("rule ", "/injections/by_rule"),
            ("ip ", "/injections/by_ip"),
        ],
    ),
    ("Findings", "", &[("", "/findings/by_family")]),
    (
        "Rate limits exceeded",
        "/rate_limits/total",
        &[
            ("reason ", "/rate_limits/by_reason"),
            ("ip ", "/rate_limits/by_ip"),
            ("key ", "/rate_limits/by_key"),
        ],
    ),
    (
        "Size violations",
        "/size_violations/total",
        &[("ip ", "/size_violations/by_ip")],
    ),
    (
        "Top clients",
        "",
        &[
            ("ip ", "/top_clients/by_ip"),
            ("key ", "/top_clients/by_key"),
        ],
    ),
    ("Orders and blocks", "", &[("", "/operations")]),
    (
        "Anomalies",
        "/anomalies/count",
        &[("", "/anomalies/newest")],
    ),
    ("Alerts", "/alerts/count", &[("", "/alerts/newest")]),
];

/// A row as text: its values with their names, in their order.
fn line(row: &Value) -> String {
    let empty = Map::new();
    let fields = row.as_object().unwrap_or(&empty);
    let first = FIRST.iter().filter_map(|name| fields.get(*name));
    let first: Vec<String> = first.map(|value| plain(Some(value))).collect();
    let others = fields
        .iter()
        .filter(|(name, value)| !FIRST.contains(&name.as_str()) && !value.is_null())
        .map(|(name, value)| format!(", {name} {}", plain(Some(value))));
    first.join(" ") + &others.collect::<String>()
}

/// What a row is about stands first, without its name.
const FIRST: [&str; 12] = [
    "at", "day", "severity", "type", "figure", "ip", "id", "rule", "name", "family", "action",
    "message",
];

/// A value as text, without anything that could steer a terminal: lines of a log may be forged.
fn plain(value: Option<&Value>) -> String {
    let text = match value {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => "-".to_owned(),
        Some(other) => other.to_string(),
    };
    text.chars()
        .map(|c| if c.is_control() { '?' } else { c })
        .collect()
}

fn clients<K: ToString + Eq + std::hash::Hash + Ord + Clone>(
    table: &Table<K, Client>,
    count: impl Fn(&Client) -> u64,
) -> Vec<Value> {
    let top = table.top(MOST, &count);
    let shown = top.into_iter().map(|(id, client)| {
        json!({
            "id": id.to_string(),
            "count": count(client),
            "last_seen": time(client.last),
        })
    });
    shown.collect()
}

fn callers<K: ToString + Eq + std::hash::Hash + Ord + Clone>(
    table: &Table<K, Client>,
) -> Vec<Value> {
    let top = table.top(MOST, |client| client.requests);
    let shown = top.into_iter().map(|(id, client)| {
        json!({
            "id": id.to_string(),
            "requests": client.requests,
            "request_bytes": client.bytes,
            "last_seen": time(client.last),
        })
    });
    shown.collect()
}

fn rules(table: &Table<Box<str>, Rule>, weight: impl Fn(&Rule) -> u64) -> Vec<Value> {
    let top = table.top(MOST_LISTED, weight);
    let shown = top.into_iter().map(|(id, rule)| {
        json!({
            "rule": id,
            "family": rule.family,
            "kind": rule.kind,
            "count": rule.count,
            "blocked": rule.blocked,
            "last_seen": time(rule.last),
        })
    });
    shown.collect()
}

fn counts(table: &Table<Box<str>, u64>) -> Vec<Value> {
    let top = table.top(MOST_LISTED, |count| *count);
    let shown = top
        .into_iter()
        .map(|(name, count)| json!({"name": name, "count": count}));
    shown.collect()
}

fn suspects(from: &Followed) -> Value {
    let mut all: Vec<&Suspect> = from.suspects.values().collect();
    all.sort_by(|a, b| b.failures.cmp(&a.failures).then(a.address.cmp(&b.address)));
    let shown: Vec<Value> = all
        .iter()
        .take(MOST_LISTED)
        .map(|suspect| {
            json!({
                "ip": suspect.address,
                "pattern": suspect.pattern,
                "failures": suspect.failures,
                "tries_in_hour": suspect.tries,
                "failed_in_hour": suspect.failed,
                "last_seen": time(suspect.last),
            })
        })
        .collect();
    json!({"count": all.len(), "clients": shown})
}

fn anomalies(from: &Followed) -> Value {
    let shown = |one: &Anomaly| {
        json!({
            "subject": one.subject,
            "figure": one.figure,
            "value": one.value,
            "expected": one.expected,
            "at": time(one.at),
        })
    };
    let newest: Vec<Value> = from
        .monitor
        .anomalies()
        .take(MOST_LISTED)
        .map(shown)
        .collect();
    json!({"count": newest.len(), "newest": newest})
}

fn alerts(from: &Followed) -> Value {
    let newest = from.alerts.iter().rev().take(MOST_LISTED);
    let count: u64 = from.alerts_by_kind.values().sum();
    json!({
        "count": count,
        "by_type": from.alerts_by_kind,
        "newest": newest.map(alert).collect::<Vec<_>>(),
    })
}

fn alert(alert: &Alert) -> Value {
    json!({
        "at": time(alert.first),
        "severity": alert.severity.as_str(),
        "type": alert.kind,
        "subject": alert.subject,
        "message": alert.message,
        "tags": alert.tags,
    })
}
