use std::time::SystemTime;

use http::Method;
use proptest::prelude::*;

use super::*;
use crate::policy::Denial;
use crate::record::{Facts, Outcome, Refusal, Times, Usage};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const SPAN: &str = "b7ad6b7169203331";

#[test]
fn a_traceparent_is_read_as_the_recommendation_says() {
    for (text, sampled) in [
        (format!("00-{TRACE}-{SPAN}-01"), Some(true)),
        (format!("00-{TRACE}-{SPAN}-00"), Some(false)),
        (format!("00-{TRACE}-{SPAN}-ff"), Some(true)),
        (format!("cc-{TRACE}-{SPAN}-01"), Some(true)),
        (format!("cc-{TRACE}-{SPAN}-01-what-comes"), Some(true)),
        (format!("00-{TRACE}-{SPAN}-01-more"), None),
        (format!("ff-{TRACE}-{SPAN}-01"), None),
        (format!("00-{}-{SPAN}-01", TRACE.to_uppercase()), None),
        (format!("00-{}-{SPAN}-01", "0".repeat(32)), None),
        (format!("00-{TRACE}-{}-01", "0".repeat(16)), None),
        (format!("00-{TRACE}-{SPAN}-1"), None),
        (format!("00-{TRACE}-{SPAN}"), None),
        (format!(" 00-{TRACE}-{SPAN}-01"), None),
        (String::new(), None),
    ] {
        let found = Parent::parse(text.as_bytes());
        assert_eq!(found.map(|one| one.sampled), sampled, "{text}");
        if let Some(parent) = found {
            assert_eq!(parent.trace.to_string(), TRACE, "{text}");
            assert_eq!(parent.span.to_string(), SPAN, "{text}");
        }
    }
}

proptest! {
    #[test]
    fn no_field_makes_the_reader_fail(bytes in any::<Vec<u8>>()) {
        let _ = Parent::parse(&bytes);
    }

    #[test]
    fn ids_survive_a_round_trip(trace: [u8; 16], span: [u8; 8]) {
        prop_assume!(trace != [0; 16] && span != [0; 8]);
        let text = format!("00-{}-{}-01", TraceId(trace), SpanId(span));
        let parent = Parent::parse(text.as_bytes()).unwrap();
        prop_assert_eq!((parent.trace.0, parent.span.0), (trace, span));
    }
}

fn written(facts: &Facts) -> Vec<serde_json::Value> {
    let now = (
        SystemTime::UNIX_EPOCH
            .checked_add(Duration::from_secs(1_000))
            .unwrap(),
        Duration::from_secs(50),
    );
    let finished = Finished::of(facts, now).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&write(&[finished], "gate")).unwrap();
    let scope = &json["resourceSpans"][0]["scopeSpans"][0];
    scope["spans"].as_array().unwrap().clone()
}

fn attribute<'a>(span: &'a serde_json::Value, key: &str) -> Option<&'a str> {
    let all = span["attributes"].as_array().unwrap();
    let value = &all.iter().find(|one| one["key"] == key)?["value"];
    let text = &value["stringValue"];
    text.as_str().or_else(|| value["intValue"].as_str())
}

fn called(failure: Option<(&'static str, Option<u16>)>) -> Facts {
    let mut facts = Facts::new("req-1", Method::POST, b"/v1/messages", "");
    let mut trace = Trace::new(TraceId([1; 16]), Some(SpanId([2; 8])), SpanId([3; 8]));
    let at = Duration::from_secs(48);
    for number in [4, 5] {
        trace.calls.push(Call {
            span: SpanId([number; 8]),
            provider: "near".parse().unwrap(),
            api: Api::Anthropic,
            host: "api.test".into(),
            port: 443,
            began: at,
            failed: None,
        });
        if let Some((class, status)) = failure.filter(|_| number == 4) {
            trace.failed(class, status, Duration::from_secs(49));
        }
    }
    facts.trace = Some(Box::new(trace));
    facts.model = "claude".parse().ok();
    facts.status = Some(200);
    facts.upstream_status = Some(200);
    facts.outcome = Outcome::Completed;
    facts.usage = Usage {
        prompt: Some(7),
        completion: Some(9),
    };
    facts.times = Some(Times {
        duration: Duration::from_secs(4),
        upstream: Some(Duration::from_secs(1)),
        ..Times::default()
    });
    facts
}

#[test]
fn a_request_is_a_server_span_with_a_client_span_for_each_attempt() {
    let spans = written(&called(Some(("not_connected", None))));
    let [server, first, second] = &spans[..] else {
        panic!("three spans: {spans:?}");
    };
    assert_eq!(server["parentSpanId"], "0202020202020202", "the caller's");
    assert_eq!(server["name"], "POST /v1/messages");
    assert_eq!(server["startTimeUnixNano"], "996000000000");
    assert_eq!(server["endTimeUnixNano"], "1000000000000");
    for (call, start, end) in [(first, "998", "999"), (second, "998", "999")] {
        assert_eq!(call["parentSpanId"], "0303030303030303", "the request's");
        assert_eq!(call["traceId"], server["traceId"]);
        assert_eq!(call["kind"], 3);
        assert_eq!(call["name"], "chat claude");
        assert_eq!(call["startTimeUnixNano"], format!("{start}000000000"));
        assert_eq!(call["endTimeUnixNano"], format!("{end}000000000"));
    }
    assert_eq!(attribute(first, "error.type"), Some("not_connected"));
    assert_eq!(first["status"]["code"], 2);
    assert_eq!(attribute(first, "gen_ai.usage.input_tokens"), None);
    assert_eq!(attribute(second, "error.type"), None);
    assert_eq!(attribute(second, "gen_ai.usage.input_tokens"), Some("7"));
    assert_eq!(attribute(second, "gen_ai.usage.output_tokens"), Some("9"));
    assert_eq!(attribute(second, "gen_ai.provider.name"), Some("anthropic"));
    assert_eq!(attribute(second, "http.request.resend_count"), Some("1"));
}

#[test]
fn a_refusal_is_told_by_its_code_and_is_no_fault_of_the_server() {
    let mut facts = called(Some(("status", Some(529))));
    facts.refusal = Some(Refusal::from(&Denial::RequestTooLarge(1)));
    facts.outcome = Outcome::Denied;
    facts.status = Some(413);
    let spans = written(&facts);
    assert_eq!(
        attribute(&spans[0], "error.type"),
        Some("request_too_large")
    );
    assert_eq!(spans[0]["status"], serde_json::json!({}));
    assert_eq!(attribute(&spans[1], "error.type"), Some("529"));
}

#[test]
fn what_has_no_trace_has_no_spans() {
    let facts = Facts::new("req-1", Method::GET, b"/health", "");
    assert!(Finished::of(&facts, (SystemTime::UNIX_EPOCH, Duration::ZERO)).is_none());
}

/// Every member of a JSON value, by its name.
fn members<'a>(value: &'a serde_json::Value, take: &mut dyn FnMut(&'a str, &'a serde_json::Value)) {
    match value {
        serde_json::Value::Object(all) => {
            for (name, value) in all {
                take(name, value);
                members(value, take);
            }
        }
        serde_json::Value::Array(all) => all.iter().for_each(|one| members(one, take)),
        serde_json::Value::Null
        | serde_json::Value::Bool(_)
        | serde_json::Value::Number(_)
        | serde_json::Value::String(_) => {}
    }
}

#[test]
fn the_json_is_what_otlp_makes_of_its_protobuf() {
    let facts = called(Some(("status", Some(503))));
    let now = (SystemTime::UNIX_EPOCH, Duration::from_secs(50));
    let finished = Finished::of(&facts, now).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&write(&[finished], "gate")).unwrap();
    let mut seen = std::collections::BTreeSet::new();
    members(&json, &mut |name, value| {
        seen.insert(name);
        let text = value.as_str().unwrap_or_default();
        let hex = |digits: usize| {
            text.len() == digits && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        };
        let right = match name {
            // Ids are hex here, and not base64 as other bytes.
            "traceId" => hex(32),
            "spanId" | "parentSpanId" => hex(16),
            // 64-bit numbers are texts.
            "startTimeUnixNano" | "endTimeUnixNano" | "intValue" => text.parse::<u64>().is_ok(),
            // Enums are numbers, never names.
            "kind" => value == 2 || value == 3,
            "code" => value == 2,
            "doubleValue" => value.is_f64(),
            "boolValue" => value.is_boolean(),
            "stringValue" | "key" | "name" | "version" => value.is_string(),
            "resource" | "scope" | "value" | "status" => value.is_object(),
            "resourceSpans" | "scopeSpans" | "spans" | "attributes" => value.is_array(),
            _ => false,
        };
        assert!(right, "{name}: {value} in {json}");
    });
    for name in [
        "traceId",
        "parentSpanId",
        "intValue",
        "doubleValue",
        "boolValue",
        "kind",
        "code",
    ] {
        assert!(seen.contains(name), "{name} is looked at: {seen:?}");
    }
}
