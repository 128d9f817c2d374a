//! Begins the trial of a policy, watches it, and ends it by its own plan or an operator's word.
//!
//! Decides nothing: `record::trial` does, from what was counted and the time that has passed.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use pingora::server::ShutdownWatch;
use pingora::services::background::BackgroundService;

use super::clock;
use super::reload::{Prepared, Reloaded, note, prepare, put_in_force, unmade};
use crate::config::fault::Fault;
use crate::internal::control::Control;
use crate::internal::control::trial::{Candidate, Verdict};
use crate::proxy::trial::Trial;
use crate::record::trial::{Decision, Plan};

/// How often a trial is looked at.
const LOOK: Duration = Duration::from_millis(500);

/// The one who ends trials.
pub(super) struct Referee(pub(super) Arc<Control>);

#[async_trait]
impl BackgroundService for Referee {
    async fn start(&self, mut shutdown: ShutdownWatch) {
        loop {
            tokio::select! {
                _changed = shutdown.changed() => return,
                () = tokio::time::sleep(LOOK) => {}
            }
            judge(&self.0);
        }
    }
}

/// Loads the configuration anew and has a share of the callers try it.
///
/// # Errors
/// Everything that is wrong with the new configuration; then nothing has changed.
pub(crate) fn try_out(control: &Control, plan: Plan) -> Result<Reloaded, Vec<Fault>> {
    let reloader = &control.reloader;
    let _one_at_a_time = reloader.one_at_a_time();
    let began = clock::now();
    let prepared = prepare(control)?;
    let told = prepared.told.clone();
    let (hash, share) = (&told.hash, plan.share);
    let start = (clock::now(), clock::wall());
    let candidate = Candidate::new(prepared, Trial::new(plan), start);
    control.try_out(candidate).map_err(|fault| unmade(&fault))?;
    log::info!("policy {hash} is on trial for {share} of the callers");
    Ok(Reloaded {
        took: clock::now().saturating_duration_since(began),
        ..told
    })
}

/// Ends the trial, if its plan says so.
fn judge(control: &Control) {
    let verdict = match control.decision(clock::now()) {
        None | Some(Decision::GoOn) => return,
        Some(Decision::Promote(reason)) => (Verdict::Promoted, reason),
        Some(Decision::RollBack(reason)) => (Verdict::RolledBack, reason),
    };
    // A reload under way ends the trial itself.
    if let Some(_one_at_a_time) = control.reloader.if_idle() {
        end_trial(control, verdict);
    }
}

/// Ends the trial by an operator's word; answers whether there was one.
pub(crate) fn order_end(control: &Control, verdict: Verdict) -> bool {
    let _one_at_a_time = control.reloader.one_at_a_time();
    end_trial(control, (verdict, "an operator said so".to_owned()))
}

fn end_trial(control: &Control, (verdict, reason): (Verdict, String)) -> bool {
    let ended = control.end_trial(verdict, reason, clock::wall());
    let outcome = match (ended, verdict) {
        (Ok(None), _) => return false,
        (Ok(Some(prepared)), Verdict::Promoted) => promote(control, prepared),
        (Ok(Some(_)), Verdict::RolledBack | Verdict::Superseded) => Err(Vec::new()),
        (Err(fault), _) => Err(unmade(&fault)),
    };
    control.reloader.metrics().reloaded(outcome.is_ok());
    for fault in outcome.err().iter().flatten() {
        log::error!("the trial can't be ended as it should: {fault}");
    }
    true
}

fn promote(control: &Control, prepared: Prepared) -> Result<(), Vec<Fault>> {
    let before = control.base();
    let promoted = put_in_force(control, prepared);
    note(control, &before.hash, &promoted);
    promoted.map(drop)
}
