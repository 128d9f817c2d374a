//! One text or body through the engine, cut as it was asked for.
//!
//! Decides nothing of its own: verdict, places and output are the engine's, as on the wire.

use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

use super::answer::{Answer, Place};
use crate::inspect::answer::{self as inspect, AnswerPolicy, Broken, By, Shape};
use crate::inspect::channel::Channel;
use crate::inspect::engine::{BodyInspection, BodyKind, Inspector, Notes, Speech};
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

/// Judges a text of an answer, as it would be said in pieces.
pub(super) fn spoken(
    (inspector, policy): (&Inspector, &AnswerPolicy),
    text: &[u8],
    chunk: usize,
) -> Answer {
    let text = String::from_utf8_lossy(text);
    let (mut speech, mut notes) = (Speech::new(Channel::Text, 1), Notes::new());
    let (mut output, mut rest) = (String::with_capacity(text.len()), &*text);
    let mut take = |speech: &mut Speech| {
        let release = speech.release();
        release.write(release.start, release.end, &mut output);
        speech.released();
    };
    let mut outcome = Ok(());
    while !rest.is_empty() && outcome.is_ok() {
        let end = rest.ceil_char_boundary(chunk.min(rest.len()));
        let (piece, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        rest = after;
        outcome = speech.push(inspector, &mut notes, (&policy.hold, Duration::ZERO), piece);
        take(&mut speech);
    }
    if outcome.is_ok() {
        outcome = speech.finish(inspector, &mut notes);
        take(&mut speech);
    }
    let length = u64::try_from(text.len()).unwrap_or(u64::MAX);
    let report = notes.report(inspector, length);
    let outcome = outcome.map_err(Denial::Withheld);
    said(inspector, text.as_bytes(), (outcome, output), &report)
}

/// Judges a body of an answer: JSON, or a stream of events. Places are those of its texts.
pub(super) fn answered(
    (inspector, policy): (&Inspector, &AnswerPolicy),
    body: &[u8],
    chunk: usize,
) -> Answer {
    let by = By {
        inspector,
        policy,
        now: Duration::ZERO,
    };
    let json = matches!(body.trim_ascii_start().first(), Some(b'{' | b'['));
    let mut answer = if json {
        inspect::Answer::plain(Shape::Other)
    } else {
        inspect::Answer::stream(Shape::Other)
    };
    let mut output = Vec::new();
    let mut outcome = Ok(());
    for piece in body.chunks(chunk) {
        outcome = outcome.and_then(|()| answer.push(by, piece, &mut output));
    }
    let outcome = outcome.and_then(|()| answer.finish(by, &mut output));
    let outcome = outcome.map_err(|broken| match broken {
        Broken::Refused(refusal) => Denial::Withheld(refusal),
        Broken::Json | Broken::TooLarge | Broken::Failed | Broken::Unfinished => {
            Denial::UpstreamError
        }
    });
    let output = String::from_utf8_lossy(&output).into_owned();
    said(
        inspector,
        body,
        (outcome, output),
        &answer.report(inspector),
    )
}

/// What is said of an answer.
fn said(
    inspector: &Inspector,
    body: &[u8],
    (outcome, output): (Result<(), Denial>, String),
    report: &Report,
) -> Answer {
    let verdict = match &outcome {
        Err(_) => "block",
        Ok(()) if output.as_bytes() != body => "mask",
        Ok(()) if !report.findings.is_empty() => "flag",
        Ok(()) => "pass",
    };
    Answer {
        verdict,
        code: outcome.as_ref().err().map(|denial| denial.face().code),
        score: report.score,
        findings: places(inspector, body, report),
        further: NonZeroU32::new(report.further),
        uninspected_bytes: NonZeroU64::new(report.uninspected_bytes),
        output: outcome.is_ok().then_some(output),
    }
}

/// Judges a body of a request.
pub(super) fn body(
    inspector: &Inspector,
    body: &[u8],
    chunk: usize,
    (kind, limits): (&BodyKind, Limits),
) -> Answer {
    let (outcome, report) = read(inspector, body, chunk, BodyInspection::new(kind, limits));
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
    mut inspection: BodyInspection,
) -> (Result<Vec<Edit>, Stop>, Report) {
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
