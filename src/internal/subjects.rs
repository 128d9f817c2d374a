//! What the audit log holds of a person: access, and erasure.
//!
//! Decides what is answered; a subject is a key's id, or the address of a caller without one. Both
//! questions are themselves written down, under the subject's pseudonym. Of somebody whose key was
//! erased nothing can be told, not even that there was something.

use std::time::Duration;

use serde_json::json;

use super::ask::{Ask, Fields};
use crate::policy::Denial;
use crate::proxy::Answer;
use crate::record::chain::entry::Entry;
use crate::runtime::audit::{AuditFault, AuditLog, read};

/// Lines of one answer.
const MOST_LINES: usize = 1_000;

/// How long lines that were just made may take to be written.
const FRESH: Duration = Duration::from_secs(5);

/// `GET /internal/audit/subjects/ID`: every line that names the subject, opened.
pub(super) fn access(ask: &Ask, fields: Fields) -> Result<Answer, Denial> {
    fields.done()?;
    let (id, audit) = (ask.segment()?, log(ask)?);
    // What is late is missing from the answer, as it is from the file.
    let _in_time = audit.flush(FRESH);
    let Some(key) = audit.find(id).map_err(|fault| failed(&fault))? else {
        return Ok(Answer::json(
            200,
            &json!({"status": "unknown", "subject": id, "count": 0, "records": []}),
        ));
    };
    let told = read::about(audit.places(), &key, MOST_LINES)
        .map_err(|error| failed(&AuditFault::io("read", &audit.path())(error)))?;
    let pseudonym = key.pseudonym.to_hex();
    let count = told.count.to_string();
    let details = [("pseudonym", &*pseudonym), ("records", &*count)];
    ask.control.acted(ask, "subject_access", "told", &details);
    Ok(Answer::json(
        200,
        &json!({
            "status": "known",
            "subject": id,
            "pseudonym": pseudonym,
            "count": told.count,
            "truncated": told.count > u64::try_from(told.lines.len()).unwrap_or(u64::MAX),
            "records": told.lines,
        }),
    ))
}

/// `DELETE /internal/audit/subjects/ID`: destroys the key that opens what is told of the subject.
pub(super) fn erase(ask: &Ask, fields: Fields) -> Result<Answer, Denial> {
    fields.done()?;
    let (id, audit) = (ask.segment()?, log(ask)?);
    let entry = Entry::new("erasure", ask.now)
        .text("request_id", &ask.request_id)
        .by(&ask.actor.id, Some(ask.actor.address), &ask.actor.agent);
    let erased = audit.erase(id, entry).map_err(|fault| failed(&fault))?;
    let Some(pseudonym) = erased else {
        return Ok(Answer::json(
            200,
            &json!({"status": "unknown", "subject": id, "erased": false}),
        ));
    };
    let pseudonym = pseudonym.to_hex();
    log::warn!("what the audit log holds of subject {pseudonym} was erased");
    Ok(Answer::json(
        200,
        &json!({
            "status": "erased",
            "subject": id,
            "erased": true,
            "pseudonym": pseudonym,
        }),
    ))
}

/// The audit log; nothing is served here without one.
fn log(ask: &Ask) -> Result<&AuditLog, Denial> {
    ask.control.lines.audit_log().ok_or(Denial::NotFound)
}

fn failed(fault: &AuditFault) -> Denial {
    log::error!("the audit log: {fault}");
    Denial::Internal
}
