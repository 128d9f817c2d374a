//! What inspections find, on its way into the record, the log and the refusal.
//!
//! Decides nothing: rules, places and outcomes are the engine's. No text passes through here.

use std::sync::Arc;

use http::header::{self, HeaderValue};
use pingora::proxy::Session;

use super::Gateway;
use super::ctx::{Body, Flight};
use crate::inspect::detect;
use crate::inspect::engine::Inspector;
use crate::inspect::finding::Report;
use crate::record::Inspected;
use crate::record::event::{FoundAt, SecurityEvent, Severity};

/// Findings of one request that have a line of their own; the others are counted.
const MOST_EVENTS: usize = 16;

/// Writes down what an inspection did and found.
pub(crate) fn note(gateway: &Gateway, session: &Session, flight: &mut Flight, report: &Report) {
    flight.record.inspection = Some(Inspected::from(report));
    let snapshot = Arc::clone(&flight.snapshot);
    tell(
        gateway,
        session,
        flight,
        (&snapshot.policy.inspector, report, Way::Request),
    );
}

/// Writes down what was read of a body on its way that never came to its end.
pub(crate) fn abandoned(gateway: &Gateway, session: &Session, flight: &mut Flight) {
    let Some(Body::Passing(passing)) = flight.call().map(|call| &mut call.body) else {
        return;
    };
    let Some((inspection, _)) = passing.reading.take() else {
        return;
    };
    let report = inspection.report(&flight.snapshot.policy.inspector);
    note(gateway, session, flight, &report);
}

/// Which way a message goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// To a provider.
    Request,
    /// Back to the client.
    Answer,
}

/// Writes the findings of a message to the security log, each on a line of its own.
pub(crate) fn tell(
    gateway: &Gateway,
    session: &Session,
    flight: &Flight,
    (inspector, report, way): (&Inspector, &Report, Way),
) {
    if report.findings.is_empty() {
        return;
    }
    let agent = user_agent(session);
    for finding in report.findings.iter().take(MOST_EVENTS) {
        let Some(rule) = inspector.rule(finding.rule) else {
            continue;
        };
        let found = FoundAt {
            rule: &rule.id,
            kind: &rule.kind,
            in_answer: way == Way::Answer,
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
