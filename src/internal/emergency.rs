//! Emergency measures: the orders of operators under attack.
//!
//! Decides what the body of each order means. What a measure changes is `policy::overlay`'s.
//! Every order that is carried out leaves a security event that says who, what and until when.

use std::time::SystemTime;

use http::HeaderValue;
use serde_json::{Value, json};

use super::ask::{Ask, Fields};
use super::invalid;
use crate::inspect::engine::InspectorFault;
use crate::policy::Denial;
use crate::policy::limits::{KeyLimits, Limit};
use crate::policy::overlay::{Change, Measure, Order, Overlay, moment};
use crate::policy::units::{ByteLimit, Rate};
use crate::proxy::Answer;

/// What a rate is called in orders.
const RATES: &str = "requests_per_minute";
/// Requests a minute that an order without a rate leaves to an address or a key.
const RATE: u64 = 10;
/// A hundred years.
const LONGEST_HSTS: u64 = 3_153_600_000;

/// `GET /internal/security/measures`.
pub(super) fn list(ask: &Ask, fields: Fields) -> Result<Answer, Denial> {
    fields.done()?;
    let measures = ask.control.measures();
    let shown: Vec<_> = measures.iter().map(Measure::shown).collect();
    Ok(Answer::json(
        200,
        &json!({"status": "ok", "count": shown.len(), "measures": shown}),
    ))
}

/// `DELETE /internal/security/measures/ID`: by id, or by kind.
pub(super) fn undo(ask: &Ask, fields: Fields) -> Result<Answer, Denial> {
    fields.done()?;
    let name = ask.segment()?;
    let undone = change(ask, |overlay| overlay.undo(name))?.ok_or(Denial::NotFound)?;
    tell(ask, "emergency_undone", &undone);
    Ok(Answer::json(
        200,
        &json!({"status": "undone", "measure": undone.shown()}),
    ))
}

/// `POST /internal/security/reset-config`: undoes every emergency measure, operators' blocks
/// included. What the gateway blocked by itself stays blocked.
pub(super) fn reset(ask: &Ask, mut fields: Fields) -> Result<Answer, Denial> {
    let reason = fields.text(&["reason"])?;
    fields.done()?;
    let undone = ask.control.reset().map_err(|fault| not_taken(&fault))?;
    let unblocked = super::blocks::lift_all(ask);
    let (count, lifted) = (undone.len().to_string(), unblocked.to_string());
    let reason = reason.unwrap_or_default();
    ask.control.acted(
        ask,
        "emergency_reset",
        "applied",
        &[
            ("undone", &count),
            ("unblocked", &lifted),
            ("note", &reason),
        ],
    );
    let shown: Vec<_> = undone.iter().map(Measure::shown).collect();
    Ok(Answer::json(
        200,
        &json!({"status": "reset", "undone": shown, "unblocked": unblocked}),
    ))
}

/// `POST /internal/middleware/request-size/emergency-limits`.
pub(super) fn sizes(ask: &Ask, mut fields: Fields) -> Result<Answer, Denial> {
    let any = size(&mut fields, &["max_request_size", "max_size"])?;
    let json = size(&mut fields, &["max_json_size"])?;
    if any.is_none() && json.is_none() {
        return Err(invalid(
            Some("max_request_size"),
            "Write `max_request_size`, `max_json_size` or both, in bytes.",
        ));
    }
    order(ask, fields, Change::Sizes { any, json })
}

fn size(fields: &mut Fields, names: &[&str]) -> Result<Option<ByteLimit>, Denial> {
    let Some((name, value)) = fields.take(names)? else {
        return Ok(None);
    };
    let size = match (value.as_u64(), value.as_str()) {
        (Some(bytes), _) => ByteLimit::new(bytes).ok(),
        (None, Some(text)) => text.parse().ok(),
        (None, None) => None,
    };
    let problem = || format!("`{name}` takes a number of bytes, or a text such as \"64KiB\".");
    size.map(Some)
        .ok_or_else(|| invalid(Some(&name), problem()))
}

/// `POST /internal/middleware/security/emergency-headers`.
pub(super) fn headers(ask: &Ask, mut fields: Fields) -> Result<Answer, Denial> {
    let csp = match fields.text(&["csp_policy", "csp"])? {
        Some(text) if text.trim().is_empty() => return Err(no_header()),
        Some(text) => Some(HeaderValue::from_str(&text).map_err(|_not_a_value| no_header())?),
        None => None,
    };
    let hsts_max_age = fields.number(&["hsts_max_age"], 0..=LONGEST_HSTS)?;
    if csp.is_none() && hsts_max_age.is_none() {
        return Err(invalid(
            Some("csp_policy"),
            "Write `csp_policy`, `hsts_max_age` or both.",
        ));
    }
    order(ask, fields, Change::Headers { csp, hsts_max_age })
}

fn no_header() -> Denial {
    invalid(
        Some("csp_policy"),
        "`csp_policy` takes visible ASCII in one line.",
    )
}

/// `POST /internal/security/enhance-sanitization`.
pub(super) fn sanitization(ask: &Ask, mut fields: Fields) -> Result<Answer, Denial> {
    if let Some(level) = fields.text(&["level"])?
        && level != "strict"
    {
        return Err(invalid(Some("level"), "`level` takes \"strict\" alone."));
    }
    order(ask, fields, Change::Sanitization)
}

/// `POST /internal/middleware/rate-limiting/emergency-mode` and
/// `POST /internal/security/emergency-rate-limit`. Without a rate, [`RATE`] a minute.
pub(super) fn rates(ask: &Ask, mut fields: Fields) -> Result<Answer, Denial> {
    let limit = limit(&mut fields, Some(RATE))?.ok_or_else(|| no_rate(RATES))?;
    order(ask, fields, Change::Rates(limit))
}

/// The limit that an order names; one a minute or as a text such as `5/second`.
fn limit(fields: &mut Fields, otherwise: Option<u64>) -> Result<Option<Limit>, Denial> {
    let named = fields.take(&[RATES, "rate"])?;
    let burst = fields.number(&["burst_size", "burst"], 1..=u64::from(u32::MAX))?;
    let rate = match &named {
        None => otherwise.map(|number| format!("{number}/minute")),
        Some((_, Value::Number(number))) => Some(format!("{number}/minute")),
        Some((_, Value::String(text))) => Some(text.clone()),
        Some((name, Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_))) => {
            return Err(no_rate(name));
        }
    };
    let Some(rate) = rate else {
        return burst.map_or(Ok(None), |_burst| Err(no_rate(RATES)));
    };
    let name = named.as_ref().map_or(RATES, |(name, _)| name);
    let rate: Rate = rate.parse().map_err(|_fault| no_rate(name))?;
    let burst = burst.unwrap_or_else(|| rate.count().get().min(u64::from(KeyLimits::BURST)));
    let burst = u32::try_from(burst).unwrap_or(u32::MAX);
    let limit = Limit::new(rate, burst);
    limit.map(Some).map_err(|fault| {
        let problem = format!("`burst_size` does not go with the rate: {fault}.");
        invalid(Some("burst_size"), problem)
    })
}

fn no_rate(name: &str) -> Denial {
    let problem = format!(
        "`{name}` takes a whole number of requests a minute, more than zero, or a text such as \
         \"5/second\"."
    );
    invalid(Some(name), problem)
}

/// `POST /internal/security/emergency-mode`; with a rate it limits too.
pub(super) fn mode(ask: &Ask, mut fields: Fields) -> Result<Answer, Denial> {
    if fields.flag(&["enabled", "enable"])? == Some(false) {
        fields.text(&["reason"])?;
        fields.done()?;
        let undone = change(ask, |overlay| overlay.undo(Change::Strict(None).kind()))?;
        if let Some(undone) = &undone {
            tell(ask, "emergency_undone", undone);
        }
        return Ok(Answer::json(
            200,
            &json!({"status": "undone", "measure": undone.as_ref().map(Measure::shown)}),
        ));
    }
    let limit = limit(&mut fields, None)?;
    order(ask, fields, Change::Strict(limit))
}

/// Takes a measure: the fields that every order may have, the change, the event, the answer.
pub(super) fn order(ask: &Ask, mut fields: Fields, change_to: Change) -> Result<Answer, Denial> {
    let duration = fields.duration(super::DURATION)?;
    let reason = fields.text(&["reason"])?.map(String::into_boxed_str);
    fields.done()?;
    let order = Order {
        change: change_to,
        by: ask.actor.id.clone(),
        reason,
        until: duration.and_then(|duration| ask.now.checked_add(duration)),
    };
    let measure = change(ask, |overlay| overlay.take(order, ask.now))?;
    tell(ask, "emergency_measure", &measure);
    Ok(Answer::json(
        200,
        &json!({
            "status": "active",
            "measure": measure.shown(),
            "policy": ask.control.snapshot.load().policy.hash,
        }),
    ))
}

pub(super) fn change<T>(ask: &Ask, change: impl FnOnce(&mut Overlay) -> T) -> Result<T, Denial> {
    let changed = ask.control.remeasure(change);
    changed.map_err(|fault| not_taken(&fault))
}

fn not_taken(fault: &InspectorFault) -> Denial {
    log::error!("the measure can't be taken: {fault}");
    Denial::Internal
}

pub(super) fn tell(ask: &Ask, operation: &'static str, measure: &Measure) {
    let effect = measure.change.describe();
    let until = measure.until.and_then(moment);
    ask.control.acted(
        ask,
        operation,
        "applied",
        &[
            ("measure", &measure.id),
            ("effect", &effect),
            ("until", until.as_deref().unwrap_or("undone")),
            ("note", measure.reason.as_deref().unwrap_or_default()),
        ],
    );
}

/// Ends the measures whose time is over; the answer is when to look again.
pub(crate) fn expire(control: &super::control::Control, now: SystemTime) -> Option<SystemTime> {
    match control.expire(now) {
        Ok(over) => {
            for measure in over {
                log::info!("the emergency measure {} has run out", measure.id);
                control.lines.audit("measure_over", |entry| {
                    let effect = measure.change.describe();
                    entry.text("measure", &measure.id).text("effect", &effect)
                });
            }
        }
        Err(fault) => log::error!("an emergency measure can't be ended: {fault}"),
    }
    control.next_end()
}
