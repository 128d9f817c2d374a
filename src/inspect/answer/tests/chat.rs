//! Chats in events, and what is held of them.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::{Answer, By, Shape};
use super::{Heard, chunk, data, inspector, policy, said, usual};

/// Two choices that speak at once, one of which calls a tool.
pub(super) fn chat() -> String {
    let none = Value::Null;
    let call = |text: &str| json!({"tool_calls": [{"index": 0, "function": {"arguments": text}}]});
    [
        chunk(0, &json!({"role": "assistant", "content": ""}), &none),
        chunk(0, &json!({"content": "Mail al"}), &none),
        chunk(1, &json!({"content": "Call +49 30 "}), &none),
        chunk(0, &json!({"content": "ice@example"}), &none),
        chunk(1, &json!({"content": "1234567 or alice@ex"}), &none),
        chunk(0, &json!({"content": ".com, or \"bob\""}), &none),
        chunk(1, &json!({"content": "ample.com"}), &none),
        chunk(0, &json!({"reasoning_content": "she is ali"}), &none),
        chunk(0, &json!({"reasoning_content": "ce@example.com"}), &none),
        chunk(
            1,
            &json!({"tool_calls": [{"index": 0, "id": "call_1", "type": "function",
                "function": {"name": "send", "arguments": ""}}]}),
            &none,
        ),
        chunk(1, &call("{\"to\": \"al\\u0069ce@ex"), &none),
        chunk(1, &call("ample.com\", \"token\": \"t\", \"n\": 1}"), &none),
        chunk(0, &json!({}), &json!("stop")),
        chunk(1, &json!({}), &json!("tool_calls")),
        "data: {\"id\":\"c-1\",\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":9}}\n\n"
            .to_owned(),
        "data: [DONE]\n\n".to_owned(),
    ]
    .concat()
}

pub(super) fn assert_chat(got: &Heard) {
    assert_eq!(got.outcome, Ok(()));
    let out = &got.out;
    assert_eq!(said(out, 0, "content"), "Mail [EMAIL_1], or \"bob\"");
    assert_eq!(said(out, 1, "content"), "Call [PHONE_1] or [EMAIL_1]");
    assert_eq!(said(out, 0, "reasoning_content"), "she is [EMAIL_1]");
    let arguments: String = data(out)
        .iter()
        .filter_map(|event| {
            let call = &event["choices"][0]["delta"]["tool_calls"][0];
            call["function"]["arguments"].as_str().map(str::to_owned)
        })
        .collect();
    let arguments: Value = serde_json::from_str(&arguments).unwrap();
    assert_eq!(
        arguments,
        json!({"to": "[EMAIL_1]", "n": 1}),
        "the whole call was cleaned"
    );
    assert!(out.ends_with("data: [DONE]\n\n"), "{out}");
    assert_eq!(got.answer.used().prompt, Some(3));
    assert_eq!(got.answer.used().completion, Some(9));
}

#[test]
fn a_chat_of_two_choices_is_cleaned_across_its_events() {
    assert_chat(&usual(Answer::stream(Shape::Chat), &[chat().as_bytes()]));
}

#[test]
fn a_harmless_stream_in_one_push_keeps_its_bytes() {
    let stream = [
        chunk(0, &json!({"content": "Hello wor"}), &Value::Null),
        chunk(0, &json!({"content": "ld."}), &Value::Null),
        chunk(0, &json!({}), &json!("stop")),
        "data: [DONE]\n\n".to_owned(),
    ]
    .concat();
    let got = usual(Answer::stream(Shape::Chat), &[stream.as_bytes()]);
    assert_eq!((got.out.as_str(), got.outcome), (stream.as_str(), Ok(())));
}

#[test]
fn no_event_waits_for_the_next_one_and_what_is_held_comes_with_the_end() {
    let inspector = inspector(|_| {});
    let (policy, mut answer) = (policy(), Answer::stream(Shape::Chat));
    let by = By {
        inspector: &inspector,
        policy: &policy,
        now: Duration::ZERO,
    };
    let mut all = String::new();
    for (delta, finish, want) in [
        (json!({"content": "Hello "}), Value::Null, "Hello "),
        (json!({"content": "mock."}), Value::Null, ""),
        (json!({}), json!("stop"), "mock."),
    ] {
        let mut out = Vec::new();
        answer
            .push(by, chunk(0, &delta, &finish).as_bytes(), &mut out)
            .unwrap();
        let out = String::from_utf8(out).unwrap();
        assert_eq!(data(&out).len(), 1, "one event for one: {out}");
        assert_eq!(said(&out, 0, "content"), want);
        all.push_str(&out);
    }
    assert_eq!(said(&all, 0, "content"), "Hello mock.");
    assert_eq!(answer.due(&policy), None);
}

#[test]
fn what_is_held_too_long_leaves_in_an_event_of_its_own() {
    let inspector = inspector(|_| {});
    let (policy, mut answer) = (policy(), Answer::stream(Shape::Chat));
    let at = |ms| By {
        inspector: &inspector,
        policy: &policy,
        now: Duration::from_millis(ms),
    };
    let mut out = Vec::new();
    let event = chunk(
        0,
        &json!({"content": "write to alice@example"}),
        &Value::Null,
    );
    answer.push(at(0), event.as_bytes(), &mut out).unwrap();
    assert_eq!(answer.due(&policy), Some(Duration::from_secs(2)));
    answer.tick(at(1999), &mut out).unwrap();
    assert_eq!(
        said(&String::from_utf8_lossy(&out), 0, "content"),
        "write to "
    );
    answer.tick(at(2000), &mut out).unwrap();
    let out = String::from_utf8(out).unwrap();
    assert_eq!(said(&out, 0, "content"), "write to alice@example", "{out}");
    let own = data(&out).pop().unwrap();
    assert_eq!(
        (&own["id"], &own["model"], &own["created"]),
        (&json!("c-1"), &json!("m"), &json!(7))
    );
}
