//! What routing is told of a body, and which field is blamed.

use super::super::fault::{FieldFault, Problem};
use super::super::json::{JsonError, Limits, Reader};
use super::{Facts, MODEL_BYTES, Peek};

fn peek_by(body: &str, size: usize) -> Result<Facts, FieldFault> {
    let mut reader = Reader::new(Limits::default());
    let mut peek = Peek::default();
    let outcome: Result<(), JsonError> = body
        .as_bytes()
        .chunks(size)
        .try_for_each(|piece| reader.push(piece, &mut peek))
        .and_then(|()| reader.finish(&mut peek));
    assert_eq!(outcome, Ok(()), "{body} is JSON");
    peek.facts()
}

/// Peeks in pieces of several sizes, which must not matter.
fn peek(body: &str) -> Result<Facts, FieldFault> {
    let whole = peek_by(body, body.len());
    for size in [1, 2, 3, 7] {
        assert_eq!(peek_by(body, size), whole, "{body} in pieces of {size}");
    }
    whole
}

fn facts(body: &str) -> Facts {
    peek(body).unwrap_or_else(|fault| panic!("{body}: {fault}"))
}

#[test]
fn the_model_is_found_wherever_it_stands() {
    for body in [
        r#"{"model":"m"}"#,
        r#"{"messages":[{"role":"user","content":"hi"}],"temperature":0.5,"model":"m"}"#,
        r#"{"model":"m","metadata":{"model":"other","stream":true,"max_tokens":9}}"#,
        r#"{"tools":[{"model":1}],"model":"m","input":["model","stream"]}"#,
        r#"{"\u006dodel":"\u006d"}"#,
        r#"{"x":"model","model":"m","y":{}}"#,
    ] {
        let facts = facts(body);
        assert_eq!(facts.model, "m", "{body}");
        assert!(!facts.stream, "{body} asks for no stream");
        assert_eq!(facts.max_tokens, None, "{body} names no limit");
    }
}

#[test]
fn the_range_of_the_model_is_its_raw_string_with_quotes() {
    for model in ["\"gpt-4o\"", r#""\u0067pt\/4\ud83d\ude00""#, "\"модель\""] {
        let body = format!("{{\"a\" : \"b\", \"model\" :  {model} , \"stream\":true}}");
        let facts = facts(&body);
        let start = usize::try_from(facts.model_at.start).expect("small");
        let end = usize::try_from(facts.model_at.end).expect("small");
        assert_eq!(body.get(start..end), Some(model), "what a rewrite replaces");
        let read: String = serde_json::from_str(model).expect("a string");
        assert_eq!(facts.model, read, "what routing compares");
    }
}

#[test]
fn stream_is_a_boolean_or_null() {
    for (stream, wanted) in [("true", true), ("false", false), ("null", false)] {
        let body = format!(r#"{{"stream":{stream},"model":"m"}}"#);
        assert_eq!(facts(&body).stream, wanted, "{body}");
    }
}

#[test]
fn the_largest_token_limit_counts() {
    let cases = [
        (r#""max_tokens":0"#, Some(0)),
        (r#""max_tokens":256"#, Some(256)),
        (
            r#""max_completion_tokens":18446744073709551615"#,
            Some(u64::MAX),
        ),
        (r#""max_output_tokens":7"#, Some(7)),
        (
            r#""max_tokens":5,"max_completion_tokens":9,"max_output_tokens":6"#,
            Some(9),
        ),
        (r#""max_tokens":null,"max_output_tokens":6"#, Some(6)),
        (r#""max_tokens":null"#, None),
        (r#""max_tokens_":5"#, None),
    ];
    for (field, limit) in cases {
        let body = format!(r#"{{"model":"m",{field}}}"#);
        assert_eq!(facts(&body).max_tokens, limit, "{body}");
    }
}

const FAULTS: &[(&str, &str, Problem)] = &[
    ("[]", "", Problem::NotAnObject),
    (r#"[{"model":"m"}]"#, "", Problem::NotAnObject),
    ("\"model\"", "", Problem::NotAnObject),
    ("null", "", Problem::NotAnObject),
    ("1", "", Problem::NotAnObject),
    ("{}", "model", Problem::Required),
    (r#"{"Model":"m"}"#, "model", Problem::Required),
    (r#"{"a":{"model":"m"}}"#, "model", Problem::Required),
    (r#"{"a":[{"model":"m"}]}"#, "model", Problem::Required),
    (r#"{"model":null}"#, "model", Problem::MustBe("a string")),
    (r#"{"model":true}"#, "model", Problem::MustBe("a string")),
    (r#"{"model":1}"#, "model", Problem::MustBe("a string")),
    (r#"{"model":["m"]}"#, "model", Problem::MustBe("a string")),
    (
        r#"{"model":{"model":"m"}}"#,
        "model",
        Problem::MustBe("a string"),
    ),
    (r#"{"model":""}"#, "model", Problem::Empty),
    (
        r#"{"model":"m","stream":1}"#,
        "stream",
        Problem::MustBe("true or false"),
    ),
    (
        r#"{"model":"m","stream":"true"}"#,
        "stream",
        Problem::MustBe("true or false"),
    ),
    (
        r#"{"model":"m","stream":[true]}"#,
        "stream",
        Problem::MustBe("true or false"),
    ),
    (
        r#"{"stream":{},"model":"m"}"#,
        "stream",
        Problem::MustBe("true or false"),
    ),
    (
        r#"{"model":"m","max_tokens":-1}"#,
        "max_tokens",
        Problem::MustBe("a whole number"),
    ),
    (
        r#"{"model":"m","max_tokens":1.0}"#,
        "max_tokens",
        Problem::MustBe("a whole number"),
    ),
    (
        r#"{"model":"m","max_tokens":1e3}"#,
        "max_tokens",
        Problem::MustBe("a whole number"),
    ),
    (
        r#"{"model":"m","max_tokens":"9"}"#,
        "max_tokens",
        Problem::MustBe("a whole number"),
    ),
    (
        r#"{"model":"m","max_tokens":true}"#,
        "max_tokens",
        Problem::MustBe("a whole number"),
    ),
    (
        r#"{"model":"m","max_output_tokens":[9]}"#,
        "max_output_tokens",
        Problem::MustBe("a whole number"),
    ),
    (
        r#"{"model":"m","max_completion_tokens":18446744073709551616}"#,
        "max_completion_tokens",
        Problem::MustBe("a whole number"),
    ),
    // One fault is told: the model's, else the first.
    (
        r#"{"stream":1,"max_tokens":-1}"#,
        "model",
        Problem::Required,
    ),
    (
        r#"{"max_tokens":-1,"stream":1,"model":"m"}"#,
        "max_tokens",
        Problem::MustBe("a whole number"),
    ),
];

#[test]
fn each_fault_names_its_field() {
    for &(body, param, problem) in FAULTS {
        let param = param.into();
        assert_eq!(peek(body), Err(FieldFault { param, problem }), "{body}");
    }
}

#[test]
fn the_longest_model_is_taken_and_one_byte_more_is_not() {
    let name = "é".repeat(MODEL_BYTES / 2);
    assert_eq!(facts(&format!(r#"{{"model":"{name}"}}"#)).model, name);
    for more in ["x", "\\n", "é", "\\u00e9"] {
        let body = format!(r#"{{"model":"{name}{more}","stream":true}}"#);
        let fault = FieldFault {
            param: "model".into(),
            problem: Problem::TooLong(MODEL_BYTES),
        };
        assert_eq!(peek(&body), Err(fault), "{more:?} is too much");
    }
}

#[test]
fn messages_say_what_is_wrong_and_never_the_value() {
    let fault = peek(r#"{"model":"m","stream":"hunter2"}"#).expect_err("not a boolean");
    assert_eq!(fault.to_string(), "`stream` must be true or false");
    let fault = peek("[\"hunter2\"]").expect_err("not an object");
    assert_eq!(fault.to_string(), "the body must be a JSON object");
}
