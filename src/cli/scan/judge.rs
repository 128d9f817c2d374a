//! One text or body through the engine, cut as it was asked for.
//!
//! Decides nothing of its own: verdict, places and output are the engine's, as on the wire.

use std::num::{NonZeroU32, NonZeroU64};

use super::answer::{Answer, Place};
use crate::inspect::channel::Channel;
use crate::inspect::engine::{Inspection, Inspector};
use crate::inspect::finding::{Edit, Report, Stop};
use crate::inspect::json::Limits;
use crate::inspect::rewrite;
use crate::policy::Denial;

/// Judges a text.
pub(super) fn text(inspector: &Inspector, text: &[u8], chunk: usize, channel: Channel) -> Answer {
    let scanned = inspector.scan_text(text.chunks(chunk), channel);
    Answer {
        verdict: scanned.verdict(),
        code: scanned
            .refusal
            .map(|refusal| Denial::Inspected(refusal).face().code),
        score: scanned.score,
        findings: scanned.findings.into_iter().map(Place::from).collect(),
        further: NonZeroU32::new(scanned.further),
        uninspected_bytes: None,
        output: scanned.output,
    }
}

/// Judges a JSON body.
pub(super) fn body(inspector: &Inspector, body: &[u8], chunk: usize, limits: Limits) -> Answer {
    let (outcome, report) = read(inspector, body, chunk, limits);
    let found = !report.findings.is_empty() || report.further > 0;
    let (verdict, code, output) = match outcome {
        Err(stop) => ("block", Some(code(stop)), None),
        Ok(edits) => {
            let verdict = match (edits.is_empty(), found) {
                (false, _) => "mask",
                (true, true) => "flag",
                (true, false) => "pass",
            };
            let output = String::from_utf8_lossy(&rewrite::apply(body, &edits)).into_owned();
            (verdict, None, Some(output))
        }
    };
    Answer {
        verdict,
        code,
        score: report.score,
        findings: places(inspector, body, &report),
        further: NonZeroU32::new(report.further),
        uninspected_bytes: NonZeroU64::new(report.uninspected_bytes),
        output,
    }
}

fn read(
    inspector: &Inspector,
    body: &[u8],
    chunk: usize,
    limits: Limits,
) -> (Result<Vec<Edit>, Stop>, Report) {
    let mut inspection = Inspection::new(limits);
    for piece in body.chunks(chunk) {
        if let Err(stop) = inspection.push(inspector, piece, &mut ()) {
            return (Err(stop), inspection.report(inspector));
        }
    }
    match inspection.finish(inspector, &mut ()) {
        Ok(cleared) => {
            let (report, edits, _facts) = cleared.into_parts();
            (Ok(edits), report)
        }
        Err((stop, report)) => (Err(stop), report),
    }
}

fn code(stop: Stop) -> &'static str {
    Denial::from(stop).face().code
}

/// The findings with their places in characters of the body.
fn places(inspector: &Inspector, body: &[u8], report: &Report) -> Vec<Place> {
    // Findings come in order of their starts, so that the body is counted through once; what lies
    // between a start and its end is short.
    let (mut done, mut characters) = (0, 0_usize);
    let named = report.findings.iter().filter_map(|finding| {
        let rule = inspector.rule(finding.rule)?;
        let (start, end) = (at(finding.raw.start), at(finding.raw.end));
        characters = characters.saturating_add(counted(body, done, start));
        done = start;
        Some(Place {
            family: finding.family,
            rule: rule.id.clone(),
            kind: rule.kind.clone(),
            start: characters,
            end: characters.saturating_add(counted(body, start, end)),
            channel: Some(finding.channel.as_str()),
        })
    });
    named.collect()
}

fn at(place: u64) -> usize {
    usize::try_from(place).unwrap_or(usize::MAX)
}

/// How many characters begin between two places of a body that is text.
fn counted(body: &[u8], from: usize, to: usize) -> usize {
    let part = body.get(from..to).unwrap_or_default();
    part.iter().filter(|byte| **byte & 0xc0 != 0x80).count()
}
