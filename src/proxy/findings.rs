//! What inspections find, on its way into the record, the log and the refusal.
//!
//! Decides nothing: rules, places and outcomes are the engine's. No text passes through here.

use http::header::{self, HeaderValue};
use pingora::proxy::Session;

use super::Gateway;
use super::ctx::Flight;
use crate::inspect::detect;
use crate::inspect::finding::Report;
use crate::record::Inspected;
use crate::record::event::{FoundAt, SecurityEvent, Severity};

/// Findings of one request that have a line of their own; the others are counted.
const MOST_EVENTS: usize = 16;

/// Writes down what an inspection did and found.
pub(crate) fn note(gateway: &Gateway, session: &Session, flight: &mut Flight, report: &Report) {
    flight.record.inspection = Some(Inspected::from(report));
    if report.findings.is_empty() {
        return;
    }
    let agent = user_agent(session);
    let inspector = &flight.snapshot.policy.inspector;
    for finding in report.findings.iter().take(MOST_EVENTS) {
        let Some(rule) = inspector.rule(finding.rule) else {
            continue;
        };
        let found = FoundAt {
            rule: &rule.id,
            kind: &rule.kind,
            channel: finding.channel.as_str(),
            offset: finding.raw.start,
            length: finding.raw.end.saturating_sub(finding.raw.start),
            action: finding.action.as_str(),
        };
        let event = SecurityEvent::of_finding(
            finding.family,
            severity(rule.severity),
            found,
            &flight.record,
            agent,
        );
        gateway.desk.lines.security(&event);
    }
}

/// What the client says it is; nothing where it says nothing.
pub(crate) fn user_agent(session: &Session) -> &[u8] {
    let agent = session.req_header().headers.get(header::USER_AGENT);
    agent.map_or(&b""[..], HeaderValue::as_bytes)
}

const fn severity(severity: detect::Severity) -> Severity {
    match severity {
        detect::Severity::Low => Severity::Low,
        detect::Severity::Medium => Severity::Medium,
        detect::Severity::High => Severity::High,
        detect::Severity::Critical => Severity::Critical,
    }
}
