//! One question to the control plane: who asks, when, and the fields of its body.
//!
//! Decides what a well-formed body is: one JSON object, no field twice, no field that nobody
//! reads. A fault names the field and never repeats the value. It reads no clock and no socket.

use std::fmt;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::control::Control;
use super::invalid;
use crate::admit::moment::Moment;
use crate::policy::Denial;
use crate::policy::units::Span;
use crate::proxy::Snapshot;

/// Who asks.
#[derive(Debug, Clone)]
pub(crate) struct Actor {
    /// The id of the key, or `development`.
    pub(crate) id: Box<str>,
    pub(crate) address: IpAddr,
    pub(crate) agent: Box<[u8]>,
}

/// A question, with everything that a handler may use.
pub(crate) struct Ask {
    pub(crate) control: Arc<Control>,
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) actor: Actor,
    pub(crate) request_id: Box<str>,
    pub(crate) path: Box<str>,
    /// The pattern of the row that was asked for.
    pub(crate) pattern: &'static str,
    pub(crate) now: SystemTime,
    /// The same moment, by a clock that does not jump.
    pub(crate) moment: Moment,
}

impl Ask {
    /// The segment that the row leaves free.
    pub(crate) fn segment(&self) -> Result<&str, Denial> {
        super::routes::free_segment(self.pattern, &self.path).ok_or(Denial::NotFound)
    }
}

/// The fields of a body, each to be taken once.
#[derive(Debug, Default)]
pub(crate) struct Fields(Vec<(String, Value)>);

/// Longest text that a field may hold, in bytes.
const LONGEST_TEXT: usize = 256;

impl Fields {
    /// Reads a body. Nothing at all stands for an object without fields.
    ///
    /// # Errors
    /// Not JSON, not an object, or a field that is there twice.
    pub(crate) fn read(body: &[u8]) -> Result<Self, Denial> {
        if body.iter().all(u8::is_ascii_whitespace) {
            return Ok(Self::default());
        }
        let mut reader = serde_json::Deserializer::from_slice(body);
        let fields = reader
            .deserialize_any(ObjectVisitor)
            .and_then(|fields| reader.end().map(|()| fields))
            .map_err(|error| fault(&error))?;
        for (index, (name, _)) in fields.iter().enumerate() {
            if fields
                .iter()
                .skip(index.saturating_add(1))
                .any(|(other, _)| other == name)
            {
                return Err(invalid(Some(name), "A field is there twice."));
            }
        }
        Ok(Self(fields))
    }

    /// The fields of an object within a body.
    pub(crate) fn within(object: serde_json::Map<String, Value>) -> Self {
        Self(object.into_iter().collect())
    }

    /// Takes a field out under any of its names; `null` stands for nothing.
    ///
    /// # Errors
    /// It is there under two names.
    pub(crate) fn take(&mut self, names: &[&str]) -> Result<Option<(String, Value)>, Denial> {
        let found = self
            .0
            .iter()
            .position(|(name, _)| names.contains(&name.as_str()));
        let Some(index) = found else {
            return Ok(None);
        };
        let (name, value) = self.0.swap_remove(index);
        let twin = self
            .0
            .iter()
            .find(|(other, _)| names.contains(&other.as_str()));
        if let Some((other, _)) = twin {
            let problem = format!("Write `{name}` or `{other}`, not both.");
            return Err(invalid(Some(other), problem));
        }
        Ok((!value.is_null()).then_some((name, value)))
    }

    /// A short text without control characters.
    ///
    /// # Errors
    /// Anything else.
    pub(crate) fn text(&mut self, names: &[&str]) -> Result<Option<String>, Denial> {
        let Some((name, value)) = self.take(names)? else {
            return Ok(None);
        };
        match value {
            Value::String(text)
                if text.len() <= LONGEST_TEXT && !text.chars().any(char::is_control) =>
            {
                Ok(Some(text))
            }
            Value::String(_)
            | Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Array(_)
            | Value::Object(_) => Err(invalid(
                Some(&name),
                format!("`{name}` takes one line of at most {LONGEST_TEXT} bytes."),
            )),
        }
    }

    /// A whole number within bounds.
    ///
    /// # Errors
    /// Anything else.
    pub(crate) fn number(
        &mut self,
        names: &[&str],
        within: RangeInclusive<u64>,
    ) -> Result<Option<u64>, Denial> {
        let Some((name, value)) = self.take(names)? else {
            return Ok(None);
        };
        let number = value.as_u64().filter(|number| within.contains(number));
        number.map(Some).ok_or_else(|| {
            let (least, most) = (within.start(), within.end());
            let problem = format!("`{name}` takes a whole number from {least} to {most}.");
            invalid(Some(&name), problem)
        })
    }

    /// Yes or no.
    ///
    /// # Errors
    /// Anything else.
    pub(crate) fn flag(&mut self, names: &[&str]) -> Result<Option<bool>, Denial> {
        let Some((name, value)) = self.take(names)? else {
            return Ok(None);
        };
        let problem = || invalid(Some(&name), format!("`{name}` takes true or false."));
        value.as_bool().map(Some).ok_or_else(problem)
    }

    /// A length of time: a number of seconds, or a text such as `30m`.
    ///
    /// # Errors
    /// Anything else, nothing at all, or more than a year.
    pub(crate) fn duration(&mut self, names: &[&str]) -> Result<Option<Duration>, Denial> {
        let Some((name, value)) = self.take(names)? else {
            return Ok(None);
        };
        let text = match &value {
            Value::Number(number) => number.as_u64().map(|seconds| format!("{seconds}s")),
            // Bare digits are seconds too, as in so many shells.
            Value::String(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => {
                Some(format!("{text}s"))
            }
            Value::String(text) => Some(text.clone()),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        };
        let span = text.and_then(|text| text.parse::<Span>().ok());
        span.map(|span| Some(span.get())).ok_or_else(|| {
            let problem = format!("`{name}` takes seconds, or a text such as \"30m\" or \"24h\".");
            invalid(Some(&name), problem)
        })
    }

    /// Says that everything has been taken.
    ///
    /// # Errors
    /// A field that nobody took.
    pub(crate) fn done(self) -> Result<(), Denial> {
        match self.0.first() {
            None => Ok(()),
            Some((name, _)) => {
                let shown: String = name.chars().filter(|c| !c.is_control()).take(64).collect();
                Err(invalid(Some(&shown), "This path has no such field."))
            }
        }
    }
}

/// What is wrong with a body, without its text: serde's words may repeat it.
fn fault(error: &serde_json::Error) -> Denial {
    if error.is_data() {
        return invalid(None, "The request body must be a JSON object.");
    }
    let (line, column) = (error.line(), error.column());
    Denial::InvalidJson(format!("it can't be read at line {line}, column {column}"))
}

/// Keeps the fields of an object in their order, twins included.
struct ObjectVisitor;

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = Vec<(String, Value)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        Ok(fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn param(denial: &Denial) -> Option<&str> {
        denial.param()
    }

    #[test]
    fn a_body_is_one_object_or_nothing() {
        for body in [&b""[..], b" \r\n", b"{}", b"{\"a\": 1}"] {
            assert!(Fields::read(body).is_ok(), "{body:?}");
        }
        for (body, code) in [
            (&b"[]"[..], "invalid_request"),
            (b"1", "invalid_request"),
            (b"null", "invalid_request"),
            (b"{\"a\": 1", "invalid_json"),
            (b"{} x", "invalid_json"),
            (b"{\"a\": NaN}", "invalid_json"),
            (b"\xff", "invalid_json"),
            (b"{\"a\": 1, \"a\": 2}", "invalid_request"),
        ] {
            let denial = Fields::read(body).unwrap_err();
            assert_eq!(denial.face().code, code, "{body:?}");
        }
    }

    #[test]
    fn nesting_without_end_is_refused_and_not_followed() {
        let body = format!("{{\"a\": {}", "[".repeat(60_000));
        let denial = Fields::read(body.as_bytes()).unwrap_err();
        assert_eq!(denial.face().status, 400, "no overflow of the stack");
    }

    #[test]
    fn durations_are_seconds_or_texts() {
        for (body, seconds) in [
            (r#"{"duration": 90}"#, Some(90)),
            (r#"{"duration": "90"}"#, Some(90)),
            (r#"{"duration": "1h"}"#, Some(3_600)),
            (r#"{"duration": null}"#, None),
            ("{}", None),
        ] {
            let found = Fields::read(body.as_bytes())
                .unwrap()
                .duration(&["duration"]);
            assert_eq!(found.unwrap(), seconds.map(Duration::from_secs), "{body}");
        }
        for body in [
            r#"{"duration": 0}"#,
            r#"{"duration": -1}"#,
            r#"{"duration": 1.5}"#,
            r#"{"duration": "soon"}"#,
            r#"{"duration": "999999d"}"#,
            r#"{"duration": true}"#,
            r#"{"duration": 1e300}"#,
        ] {
            let found = Fields::read(body.as_bytes())
                .unwrap()
                .duration(&["duration"]);
            assert_eq!(param(&found.unwrap_err()), Some("duration"), "{body}");
        }
    }

    #[test]
    fn what_nobody_takes_is_a_fault_that_names_it() {
        let mut fields = Fields::read(br#"{"ip": "192.0.2.1", "tpyo": 1}"#).unwrap();
        assert_eq!(
            fields.text(&["ip"]).unwrap().as_deref(),
            Some("192.0.2.1"),
            "taken"
        );
        assert_eq!(
            param(&fields.done().unwrap_err()),
            Some("tpyo"),
            "left over"
        );
    }

    #[test]
    fn a_field_under_two_of_its_names_is_a_fault() {
        let mut fields = Fields::read(br#"{"burst": 1, "burst_size": 2}"#).unwrap();
        let denial = fields.number(&["burst_size", "burst"], 1..=10).unwrap_err();
        assert_eq!(denial.face().status, 400, "which of the two?");
    }

    #[test]
    fn numbers_have_a_floor_and_a_ceiling() {
        for (text, good) in [
            ("1", true),
            ("10", true),
            ("0", false),
            ("11", false),
            ("-1", false),
            ("\"1\"", false),
        ] {
            let body = format!("{{\"n\": {text}}}");
            let found = Fields::read(body.as_bytes())
                .unwrap()
                .number(&["n"], 1..=10);
            assert_eq!(found.is_ok(), good, "{text}");
        }
    }
}
