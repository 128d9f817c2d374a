//! Answers that come whole.

use serde_json::{Value, json};

use super::super::{Answer, Shape};
use super::usual;

#[test]
fn a_plain_answer_is_cleaned_for_every_choice() {
    let body = json!({
        "id": "c", "object": "chat.completion", "model": "m", "password": "x",
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": "bob@example.com"},
             "logprobs": {"content": [{"token": "bob", "logprob": -1}]}, "finish_reason": "stop"},
            {"index": 1, "message": {"content": null, "refusal": "ask bob@example.com", "tool_calls": [
                {"function": {"name": "f", "arguments": "{\"a\":\"bob@example.com\",\"Token\":1}"}}]},
             "finish_reason": "tool_calls"},
        ],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2}, "internal_id": 1,
    });
    let text = body.to_string();
    let got = usual(Answer::plain(Shape::Chat), &[text.as_bytes()]);
    assert_eq!(got.outcome, Ok(()));
    let clean: Value = serde_json::from_str(&got.out).unwrap();
    assert_eq!(clean["choices"][0]["message"]["content"], "[EMAIL_1]");
    assert_eq!(clean["choices"][0]["logprobs"], Value::Null);
    assert_eq!(clean["choices"][1]["message"]["refusal"], "ask [EMAIL_1]");
    let call = &clean["choices"][1]["message"]["tool_calls"][0]["function"];
    assert_eq!(call["arguments"], "{\"a\":\"[EMAIL_1]\"}");
    assert!(clean.get("password").is_none() && clean.get("internal_id").is_none());
    assert_eq!(clean["usage"], body["usage"]);
    let bytes: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
    assert_eq!(
        usual(Answer::plain(Shape::Chat), &bytes).out,
        got.out,
        "byte by byte"
    );
}

#[test]
fn a_harmless_plain_answer_keeps_its_bytes() {
    let body = "{ \"choices\" : [ { \"message\": {\"content\": \"caf\\u00e9 \\/ ok\"}, \"logprobs\": {\"content\": []}}]}\n";
    assert_eq!(
        usual(Answer::plain(Shape::Chat), &[body.as_bytes()]).out,
        body
    );
}

#[test]
fn fields_go_wherever_they_stand() {
    for (body, want) in [
        (r#"{"token":1,"a":2}"#, r#"{"a":2}"#),
        (r#"{"a":2, "token":1}"#, r#"{"a":2}"#),
        (r#"{"token":1,"Password":{"x":[1]},"a":2,"token":3}"#, ""),
        (r#"{"token":1,"PASSWORD":{"x":[1]},"a":2}"#, r#"{"a":2}"#),
        (
            r#"{"a":2,"token":1,"password":2,"b":3}"#,
            r#"{"a":2,"b":3}"#,
        ),
        (r#"{"token":1}"#, "{}"),
        (
            r#"{"a":[{"token":1},{"b":{"token":"x"}}]}"#,
            r#"{"a":[{},{"b":{}}]}"#,
        ),
        (r#"{"token":1,"password":2}"#, "{}"),
    ] {
        let got = usual(Answer::plain(Shape::Other), &[body.as_bytes()]);
        assert_eq!(got.out, want, "{body}");
    }
}
