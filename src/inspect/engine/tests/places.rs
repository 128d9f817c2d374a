//! Text is seen wherever it stands, and told apart by where it stands.

use super::{ATTACK, DEFAULT, EMAIL, LENIENT, cleared, found, inspector};
use crate::inspect::detect::Family;
use crate::inspect::finding::Refusal;
use crate::policy::inspection::Uninspectable;
use serde_json::{Value, json};

/// Every place of the API shapes, with a text in it, and the channel that it is.
#[expect(clippy::too_many_lines, reason = "one table")]
fn places(text: &str) -> Vec<(&'static str, Value)> {
    let arguments = json!({"query": format!("a \"quoted\"\n{text}")}).to_string();
    let chat = |message: Value| json!({"model": "m", "messages": [message]});
    let mut key = serde_json::Map::new();
    key.insert(text.to_owned(), json!(1));
    vec![
        ("system", chat(json!({"role": "system", "content": text}))),
        (
            "developer",
            chat(json!({"role": "developer", "content": text})),
        ),
        ("user", chat(json!({"role": "user", "content": text}))),
        (
            "user",
            chat(json!({"role": "user", "name": text, "content": ""})),
        ),
        (
            "assistant",
            chat(json!({"role": "assistant", "content": text})),
        ),
        (
            "assistant",
            chat(json!({"role": "assistant", "refusal": text})),
        ),
        (
            "tool",
            chat(json!({"role": "tool", "tool_call_id": "c1", "content": text})),
        ),
        ("message", chat(json!({"role": "wizard", "content": text}))),
        ("message", chat(json!({"content": text}))),
        (
            "user",
            chat(json!({"role": "user", "content": [{"type": "text", "text": text}]})),
        ),
        (
            "user",
            chat(json!({"role": "user", "content": [
            {"type": "text", "text": "hello"}, {"type": "text", "text": text}]})),
        ),
        (
            "user",
            chat(json!({"role": "user", "content": [
            {"type": "image_url", "image_url": {"url": "https://x.test/", "detail": text}}]})),
        ),
        (
            "user",
            chat(json!({"role": "user", "content": [
            {"type": "image_url", "image_url": {"url": format!("https://x.test/?q={text}")}}]})),
        ),
        (
            "user",
            chat(json!({"role": "user", "content": [
            {"type": "file", "file": {"filename": text, "file_data": "aGVsbG8="}}]})),
        ),
        (
            "tool_arguments",
            chat(json!({"role": "assistant", "tool_calls": [
            {"id": "c", "type": "function", "function": {"name": "f", "arguments": arguments}}]})),
        ),
        (
            "tool_arguments",
            chat(json!({"role": "assistant",
            "function_call": {"name": "f", "arguments": arguments}})),
        ),
        (
            "tool_definition",
            json!({"model": "m", "tools": [{"type": "function", "function":
            {"name": "f", "description": text}}]}),
        ),
        (
            "tool_definition",
            json!({"model": "m", "tools": [{"type": "function", "function":
            {"name": "f", "parameters": {"properties": {"q": {"description": text}}}}}]}),
        ),
        (
            "tool_definition",
            json!({"model": "m", "functions": [{"description": text}]}),
        ),
        (
            "field",
            json!({"model": "m", "tool_choice": {"function": {"name": text}}}),
        ),
        (
            "field",
            json!({"model": "m", "response_format": {"json_schema": {"description": text}}}),
        ),
        ("field", json!({"model": "m", "stop": [text]})),
        ("field", json!({"model": "m", "user": text})),
        (
            "field",
            json!({"model": "m", "x_unknown": [[{"deep": [text]}]]}),
        ),
        ("field", json!({"model": text})),
        ("field", json!({"model": "m", "type": text})),
        (
            "metadata",
            json!({"model": "m", "metadata": {"note": text}}),
        ),
        ("key", json!({"model": "m", "metadata": key})),
        ("prompt", json!({"model": "m", "prompt": text})),
        ("prompt", json!({"model": "m", "prompt": ["hello", text]})),
        ("input", json!({"model": "m", "input": text})),
        ("input", json!({"model": "m", "input": ["hello", text]})),
        ("instructions", json!({"model": "m", "instructions": text})),
        (
            "user",
            json!({"model": "m", "input": [{"role": "user", "content": text}]}),
        ),
        (
            "user",
            json!({"model": "m", "input": [{"type": "message", "role": "user",
            "content": [{"type": "input_text", "text": text}]}]}),
        ),
        (
            "tool_arguments",
            json!({"model": "m", "input": [
            {"type": "function_call", "name": "f", "arguments": arguments}]}),
        ),
        (
            "tool",
            json!({"model": "m", "input": [
            {"type": "function_call_output", "call_id": "c", "output": text}]}),
        ),
        ("system", json!({"model": "m", "system": text})),
        (
            "system",
            json!({"model": "m", "system": [{"type": "text", "text": text}]}),
        ),
        (
            "user",
            json!({"model": "m", "messages": [{"role": "user", "content": [
            {"type": "document", "source": {"type": "text", "data": text}}]}]}),
        ),
        (
            "tool",
            json!({"model": "m", "messages": [{"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "t", "content": text}]}]}),
        ),
        (
            "tool",
            json!({"model": "m", "messages": [{"role": "user", "content": [
            {"type": "tool_result", "content": [{"type": "text", "text": text}]}]}]}),
        ),
        (
            "tool_arguments",
            json!({"model": "m", "messages": [{"role": "assistant", "content": [
            {"type": "tool_use", "name": "f", "input": {"query": text}}]}]}),
        ),
        (
            "assistant",
            json!({"model": "m", "messages": [{"role": "assistant", "content": [
            {"type": "thinking", "thinking": text}]}]}),
        ),
        ("field", json!([text])),
        ("field", json!(text)),
    ]
}

#[test]
fn a_value_is_found_wherever_text_can_stand() {
    let text = format!("please write to {EMAIL} about it");
    for (channel, body) in places(&text) {
        // The order of keys is serde's: a role that comes late counts, a type does not.
        let body = body.to_string();
        let seen = found(&LENIENT, &body);
        let families: Vec<Family> = seen.iter().map(|(_, family)| *family).collect();
        assert_eq!(
            families,
            [Family::Pii],
            "exactly the address is found: {body}"
        );
        let typed = body
            .find("\"type\"")
            .is_none_or(|kind| kind < body.find(EMAIL).unwrap_or(0));
        if typed {
            assert_eq!(seen, [(channel, Family::Pii)], "{body}");
        }
    }
}

#[test]
fn an_attack_is_refused_wherever_text_can_stand() {
    for (channel, body) in places(ATTACK) {
        let body = body.to_string();
        let stop = super::whole(&DEFAULT, &body)
            .map(|_| ())
            .map_err(|(stop, _)| stop);
        let refused = Err(super::Stop::Refused(Refusal::Family(
            Family::PromptInjection,
        )));
        assert_eq!(stop, refused, "{channel}: {body}");
    }
}

#[test]
fn roles_said_first_name_the_channel() {
    let body = format!(r#"{{"model":"m","messages":[{{"role":"tool","content":"{EMAIL}"}}]}}"#);
    assert_eq!(found(&LENIENT, &body), [("tool", Family::Pii)]);
    let body =
        format!(r#"{{"model":"m","messages":[{{"r\u006fle":"t\u006fol","content":"{EMAIL}"}}]}}"#);
    assert_eq!(
        found(&LENIENT, &body),
        [("tool", Family::Pii)],
        "escapes change nothing"
    );
}

#[test]
fn words_of_the_api_are_no_text() {
    let body = r#"{"model":"org/model-1.5:free","messages":[{"role":"user","content":[
        {"type":"text","text":"abc"}]}]}"#;
    assert_eq!(
        cleared(&DEFAULT, body).report().text_bytes,
        3,
        "only the content is"
    );
    let body = r#"{"model":"two words","messages":[{"role":"us\u0065r","content":"abc"}]}"#;
    assert_eq!(
        cleared(&DEFAULT, body).report().text_bytes,
        9 + 1 + 4 + 1 + 3,
        "then they are"
    );
}

#[test]
fn base64_data_is_counted_and_not_read() {
    let data = "iVBORw0KGgo".repeat(1000);
    let image = |url: &str| {
        json!({"model": "m", "messages": [{"role": "user", "content": [
            {"type": "text", "text": "what is this?"},
            {"type": "image_url", "image_url": {"url": url}}]}]})
        .to_string()
    };
    for (body, uninspected) in [
        (
            image(&format!("data:image/png;base64,{data}")),
            data.len() + 22,
        ),
        (image("data:image/png;base64,aGVsbG8="), 30),
        (image("https://images.test/cat.png"), 0),
        (
            json!({"model": "m", "input": [{"data": data}]}).to_string(),
            data.len(),
        ),
        (
            json!({"model": "m", "input": [{"data": "hello"}]}).to_string(),
            0,
        ),
        // Only under a key for data.
        (
            json!({"model": "m", "input": [{"text": data}]}).to_string(),
            0,
        ),
        (
            image(&data.replace('V', "\\/")).replace("\\\\", "\\"),
            data.len(),
        ),
    ] {
        let report = cleared(&LENIENT, &body).into_parts().0;
        assert_eq!(
            report.uninspected_bytes,
            u64::try_from(uninspected).unwrap(),
            "{body:.90}"
        );
    }
    let blind = inspector(|settings| settings.uninspectable = Uninspectable::Block);
    let stop = super::whole(&blind, &image(&data))
        .map(|_| ())
        .map_err(|(stop, _)| stop);
    assert_eq!(stop, Err(super::Stop::Refused(Refusal::Uninspectable)));
    assert!(super::whole(&blind, &image("https://images.test/cat.png")).is_ok());
}

#[test]
fn text_behind_data_is_read() {
    for data in [
        "data:image/png;base64,",
        "data:text/plain,",
        "",
        "https://x.test/?",
    ] {
        for filler in [0, 10, 60, 1023, 1024, 1025, 5000] {
            let text = format!("{data}{} {EMAIL}", "A".repeat(filler));
            let body = json!({"model": "m", "input": [{"file_data": text}]}).to_string();
            assert_eq!(
                found(&LENIENT, &body),
                [("input", Family::Pii)],
                "{data} {filler}"
            );
        }
    }
}
