//! Probes of a running gateway: one harmless request for each control, and whether it acted.
//!
//! Lives here: the probes, what is known of the gateway's configuration, and the timer that tries
//! this process's own. Must not live here: what a control is or does.
//!
//! A probe never reaches a provider that costs: its body is faulty beside what it tries, so that
//! the gateway refuses it even where the control is asleep. What needs an answer is asked of an
//! embedded provider, where one serves a model. Each probe bears a request id that begins with
//! `selftest-`. One wrong key is sent a run, so that nobody is locked out. What can't be told
//! from outside is said to be so, and never counted as acting.

mod answers;
mod bench;
mod door;
mod families;
mod known;
mod limits;
pub(crate) mod timer;

use serde::Serialize;
use serde_json::{Value, json};

pub(crate) use bench::{Bench, State};
pub(crate) use door::opens;
pub(crate) use known::Known;

/// What became of a probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// The control did what it is there for.
    Acted,
    /// It did not.
    DidNot,
    /// It is switched off.
    NotConfigured,
    /// Nothing that came back says so or otherwise.
    CannotTell,
}

impl Outcome {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Acted => "acted",
            Self::DidNot => "did_not",
            Self::NotConfigured => "not_configured",
            Self::CannotTell => "cannot_tell",
        }
    }
}

/// One control that was tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Tried {
    pub(crate) control: &'static str,
    pub(crate) outcome: Outcome,
    /// What was seen, or why nothing can be said.
    pub(crate) detail: String,
}

/// What a probe says of its control.
type Said = (Outcome, String);

fn acted(detail: impl Into<String>) -> Said {
    (Outcome::Acted, detail.into())
}

fn did_not(detail: impl Into<String>) -> Said {
    (Outcome::DidNot, detail.into())
}

fn off(detail: impl Into<String>) -> Said {
    (Outcome::NotConfigured, detail.into())
}

fn unknown(detail: impl Into<String>) -> Said {
    (Outcome::CannotTell, detail.into())
}

/// Tries every control. `burst`: use up the rate limit too, which callers from the same address or
/// with the same key will feel for a moment.
pub(crate) async fn run(bench: &Bench<'_>, burst: bool) -> Vec<Tried> {
    let mut all = Vec::new();
    Box::pin(door::run(bench, &mut all)).await;
    Box::pin(families::run(bench, &mut all)).await;
    Box::pin(answers::run(bench, &mut all)).await;
    Box::pin(limits::run(bench, burst, &mut all)).await;
    all
}

/// Random bytes as a text that may stand in a request id.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or('0');
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    digits.map(digit).collect()
}

fn note(all: &mut Vec<Tried>, control: &'static str, (outcome, detail): Said) {
    all.push(Tried {
        control,
        outcome,
        detail,
    });
}

/// How many came to this.
pub(crate) fn count(all: &[Tried], outcome: Outcome) -> usize {
    all.iter().filter(|one| one.outcome == outcome).count()
}

/// What was tried, as JSON.
pub(crate) fn json(all: &[Tried]) -> Value {
    let failed = count(all, Outcome::DidNot);
    json!({
        "status": if failed == 0 { "ok" } else { "failed" },
        "acted": count(all, Outcome::Acted),
        "did_not": failed,
        "not_configured": count(all, Outcome::NotConfigured),
        "cannot_tell": count(all, Outcome::CannotTell),
        "controls": all,
    })
}
