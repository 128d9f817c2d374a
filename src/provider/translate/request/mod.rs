//! Requests: what is asked, in the provider's words.
//!
//! Lives here: one file a direction, and the faults that both make. Must not live here: whether a
//! body is a good one of its own API; that was checked when it was read.

pub(super) mod chat;
pub(super) mod messages;

use serde_json::{Map, Value};

use crate::inspect::fault::{FieldFault, Problem};

/// What a field is, where it has no counterpart.
const ABSENT: &str = "left out: the provider of this model has no counterpart for it";

/// The fault that a field has no counterpart at the provider.
fn untranslatable(param: impl Into<String>) -> FieldFault {
    must_be(param, ABSENT)
}

fn must_be(param: impl Into<String>, what: &'static str) -> FieldFault {
    FieldFault {
        param: param.into().into(),
        problem: Problem::MustBe(what),
    }
}

/// The fields of a body.
fn fields(body: &Value) -> Result<&Map<String, Value>, FieldFault> {
    body.as_object().ok_or_else(|| FieldFault {
        param: "".into(),
        problem: Problem::NotAnObject,
    })
}

/// Whether a field says nothing: null, false, nought or empty.
fn is_idle(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(set) => !set,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(items) => items.is_empty(),
    }
}

/// The type and the data of a `data:` URL in base64.
fn data_url(url: &str) -> Option<(&str, &str)> {
    let (kind, data) = url.strip_prefix("data:")?.split_once(";base64,")?;
    Some((kind, data))
}
