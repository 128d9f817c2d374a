//! The policy on trial, as the control plane sees it: begun, watched, ended.
//!
//! Decides what ends a trial: its own budgets (`record::trial`), an operator, or another
//! configuration that is put in force meanwhile. Measures hold for both policies, and a reset of
//! them leaves the trial alone.

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use serde_json::{Value, json};

use super::Control;
use crate::inspect::engine::InspectorFault;
use crate::policy::Policy;
use crate::policy::overlay::{Overlay, moment};
use crate::proxy::Snapshot;
use crate::proxy::trial::Trial;
use crate::record::trial::Decision;
use crate::record::trial::tally::Sums;
use crate::runtime::reload::Prepared;

/// A configuration on trial.
pub(crate) struct Candidate {
    pub(crate) prepared: Prepared,
    pub(super) base: Arc<Policy>,
    pub(super) trial: Arc<Trial>,
    began: Instant,
    since: SystemTime,
}

/// How a trial ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Its policy is in force.
    Promoted,
    /// The old policy is in force for everybody.
    RolledBack,
    /// Another configuration was put in force.
    Superseded,
}

impl Verdict {
    /// The word in answers.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Promoted => "promoted",
            Self::RolledBack => "rolled_back",
            Self::Superseded => "superseded",
        }
    }
}

/// A trial that is over.
#[derive(Debug, Clone)]
pub(super) struct Ended {
    hash: Box<str>,
    verdict: Verdict,
    reason: String,
    at: SystemTime,
    sums: (Sums, Sums),
}

impl Candidate {
    /// A configuration whose trial begins now.
    pub(crate) fn new(
        prepared: Prepared,
        trial: Trial,
        (began, since): (Instant, SystemTime),
    ) -> Self {
        Self {
            base: Arc::new(prepared.policy.clone()),
            trial: Arc::new(trial),
            prepared,
            began,
            since,
        }
    }

    fn ended(&self, verdict: Verdict, reason: String, at: SystemTime) -> Ended {
        let hash = self.base.hash.clone();
        let word = verdict.as_str();
        log::warn!("the trial of policy {hash} is over ({word}): {reason}");
        Ended {
            hash,
            verdict,
            reason,
            at,
            sums: self.trial.sums(),
        }
    }

    fn shown(&self) -> Value {
        let (plan, budgets) = (&self.trial.plan, &self.trial.plan.budgets);
        json!({
            "state": "running",
            "hash": self.base.hash,
            "share": plan.share.to_string(),
            "since": moment(self.since),
            "until": moment(self.since.checked_add(plan.length).unwrap_or(self.since)),
            "budgets": {
                "errors": budgets.errors.to_string(),
                "verdicts": budgets.verdicts.to_string(),
                "latency": budgets.latency.to_string(),
                "requests": budgets.requests,
            },
            "policies": policies(self.trial.sums()),
        })
    }
}

impl Ended {
    fn shown(&self) -> Value {
        json!({
            "state": self.verdict.as_str(),
            "hash": self.hash,
            "reason": self.reason,
            "at": moment(self.at),
            "policies": policies(self.sums),
        })
    }
}

fn policies((old, new): (Sums, Sums)) -> Value {
    let one = |sums: Sums| {
        json!({
            "requests": sums.requests,
            "refused": sums.refused,
            "flagged_or_masked": sums.found,
            "failed": sums.failed,
            "p95_first_byte_ms": u64::try_from(sums.slow.as_millis()).unwrap_or(u64::MAX),
        })
    };
    json!({"old": one(old), "new": one(new)})
}

impl Control {
    /// Has a share of the callers try a configuration; one that was tried before is given up.
    ///
    /// # Errors
    /// No policy can be made of it; then nothing has changed.
    pub(crate) fn try_out(&self, candidate: Candidate) -> Result<(), InspectorFault> {
        let mut state = self.lock();
        let policy = state.overlay.over(&state.base)?;
        let next = self.snapshot.load().successor(policy);
        let next = beside(next, &state.overlay, &candidate)?;
        let at = candidate.since;
        let before = state.candidate.replace(candidate);
        if let Some(before) = before {
            let reason = "another configuration is tried".to_owned();
            state.ended = Some(before.ended(Verdict::Superseded, reason, at));
        }
        self.snapshot.store(Arc::new(next));
        Ok(())
    }

    /// What is to be done about the trial; none, where there is none.
    pub(crate) fn decision(&self, now: Instant) -> Option<Decision> {
        let state = self.lock();
        let candidate = state.candidate.as_ref()?;
        let passed = now.saturating_duration_since(candidate.began);
        Some(candidate.trial.decide(passed))
    }

    /// Ends the trial: the old policy is for everybody again. Answers what was tried, to be put in
    /// force where that is the verdict.
    pub(crate) fn end_trial(
        &self,
        verdict: Verdict,
        reason: String,
        at: SystemTime,
    ) -> Result<Option<Prepared>, InspectorFault> {
        let mut state = self.lock();
        if state.candidate.is_none() {
            return Ok(None);
        }
        let policy = state.overlay.over(&state.base)?;
        let next = self.snapshot.load().successor(policy);
        self.snapshot.store(Arc::new(next));
        let candidate = state.candidate.take();
        state.ended = candidate
            .as_ref()
            .map(|candidate| candidate.ended(verdict, reason, at));
        Ok(candidate.map(|candidate| candidate.prepared))
    }

    /// The trial under way, or the last one; null, where there was none.
    pub(crate) fn trial_shown(&self) -> Value {
        let state = self.lock();
        match (&state.candidate, &state.ended) {
            (Some(candidate), _) => candidate.shown(),
            (None, Some(ended)) => ended.shown(),
            (None, None) => Value::Null,
        }
    }
}

/// A snapshot with the candidate beside it, both under the same measures.
pub(super) fn beside(
    next: Snapshot,
    overlay: &Overlay,
    candidate: &Candidate,
) -> Result<Snapshot, InspectorFault> {
    let policy = overlay.over(&candidate.base)?;
    let pools = Arc::clone(&candidate.prepared.pools);
    Ok(next.beside(policy, pools, &candidate.trial))
}

/// What another configuration does to a trial.
pub(super) fn superseded(candidate: Option<Candidate>, at: SystemTime) -> Option<Ended> {
    let reason = "another configuration was put in force".to_owned();
    candidate.map(|candidate| candidate.ended(Verdict::Superseded, reason, at))
}
