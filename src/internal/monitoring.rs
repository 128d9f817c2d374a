//! `/internal/monitoring/`: what operators look at.
//!
//! Decides the shape of the answers. The figures come from the ledger, the monitor and the policy.

use serde_json::{Value, json};

use super::ask::{Ask, Fields};
use super::routes::ROWS;
use crate::policy::{AuthMode, Denial};
use crate::proxy::Answer;

/// `GET /internal/monitoring/`: what there is to look at.
pub(super) fn index(ask: &Ask, fields: Fields) -> Result<Answer, Denial> {
    fields.done()?;
    let policy = &ask.snapshot.policy;
    let below = |path: &str| path.starts_with("/internal/monitoring/") && !path.ends_with('/');
    let endpoints: Vec<Value> = ROWS
        .iter()
        .filter(|row| below(row.path))
        .map(|row| Value::from(row.path))
        .collect();
    Ok(Answer::json(
        200,
        &json!({
            "status": "ok",
            "version": env!("CARGO_PKG_VERSION"),
            "policy": policy.hash,
            "mode": match policy.auth.mode {
                AuthMode::Required => "required",
                AuthMode::Development => "development",
            },
            "endpoints": endpoints,
        }),
    ))
}
