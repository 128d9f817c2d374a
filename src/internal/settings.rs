//! `/internal/security/validate-config`: what is insecure in the configuration in force.
//!
//! Decides the shape of the answers; the findings are those of `portcullis check`.

use serde_json::json;

use super::ask::{Ask, Fields};
use crate::policy::Denial;
use crate::proxy::Answer;

/// `GET /internal/security/validate-config`.
pub(super) fn validate(ask: &Ask, fields: Fields) -> Result<Answer, Denial> {
    fields.done()?;
    let loaded = ask.control.loaded.load();
    let at = jiff::Timestamp::try_from(loaded.at)
        .ok()
        .map(|at| at.to_string());
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
