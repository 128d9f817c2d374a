//! The configuration in force: shown, looked through for what is insecure, loaded anew.
//!
//! Decides the shape of the answers; the findings are those of `portcullis check`, and loading is
//! `runtime::reload`'s. No answer holds a secret.

use serde_json::json;

use super::ask::{Ask, Fields};
use super::canary;
use crate::config::fault::Fault;
use crate::policy::overlay::{Measure, moment};
use crate::policy::{AuthMode, Denial};
use crate::proxy::Answer;
use crate::runtime::{referee, reload};

/// `GET /internal/security/validate-config`.
pub(super) fn validate(ask: &Ask, fields: Fields) -> Result<Answer, Denial> {
    fields.done()?;
    let loaded = ask.control.loaded.load();
    let at = moment(loaded.at);
    Ok(Answer::json(
        200,
        &json!({
            "valid": true,
            "secure": loaded.findings.is_empty(),
            "hash": ask.snapshot.policy.hash,
            "loaded_at": at,
            "findings": loaded.findings,
        }),
    ))
}

/// `GET /internal/config`: the configuration in force, without its secrets.
pub(super) fn show(ask: &Ask, fields: Fields) -> Result<Answer, Denial> {
    fields.done()?;
    let loaded = ask.control.loaded.load();
    let measures = ask.control.measures();
    let measures: Vec<_> = measures.iter().map(Measure::shown).collect();
    let policy = &ask.snapshot.policy;
    Ok(Answer::json(
        200,
        &json!({
            "hash": policy.hash,
            "mode": match policy.auth.mode {
                AuthMode::Required => "required",
                AuthMode::Development => "development",
            },
            "loaded_at": moment(loaded.at),
            "keys": policy.auth.keys.len(),
            "config": loaded.view.config,
            "measures": measures,
            "canary": ask.control.trial_shown(),
        }),
    ))
}

/// `POST /internal/config/reload`: what changed, or 422 with everything that is wrong.
pub(super) fn reload(ask: &Ask, mut fields: Fields) -> Result<Answer, Denial> {
    let reason = fields.text(&["reason"])?.unwrap_or_default();
    let plan = canary::plan(&mut fields)?;
    fields.done()?;
    let outcome = match plan {
        Some(plan) => referee::try_out(&ask.control, plan),
        None => reload::reload(&ask.control),
    };
    match outcome {
        Ok(reloaded) => {
            let changed: Vec<&str> = reloaded
                .changes
                .iter()
                .map(|one| one.key.as_str())
                .collect();
            ask.control.acted(
                ask,
                "config_reload",
                "success",
                &[
                    ("policy", &reloaded.hash),
                    ("changed", &changed.join(" ")),
                    ("note", &reason),
                ],
            );
            Ok(Answer::json(
                200,
                &json!({
                    "status": if plan.is_some() { "canary" } else { "reloaded" },
                    "canary": plan.map(|_plan| ask.control.trial_shown()),
                    "hash": reloaded.hash,
                    "changed": changed,
                    "changes": reloaded.changes,
                    "keys": reloaded.keys,
                    "needs_upgrade": reloaded.needs_upgrade,
                    "findings": reloaded.findings,
                    "milliseconds": u64::try_from(reloaded.took.as_millis()).unwrap_or(u64::MAX),
                }),
            ))
        }
        Err(faults) => Ok(rejected(ask, &faults, &reason)),
    }
}

/// Says what is wrong with a configuration that was not loaded.
fn rejected(ask: &Ask, faults: &[Fault], reason: &str) -> Answer {
    let count = faults.len().to_string();
    let details = [("faults", &*count), ("note", reason)];
    ask.control.acted(ask, "config_reload", "failure", &details);
    let first = faults.first();
    let message = "The configuration has faults; the old one stays in force.";
    Answer::json(
        422,
        &json!({
            "error": {
                "message": message,
                "type": "invalid_request_error",
                "code": "invalid_configuration",
                "param": first.map(|fault| fault.key.as_str()).filter(|key| !key.is_empty()),
            },
            "request_id": ask.request_id,
            "status": "rejected",
            "hash": ask.snapshot.policy.hash,
            "faults": faults,
        }),
    )
}
