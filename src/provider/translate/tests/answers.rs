//! Plain answers and faults.

use super::*;

fn plain(direction: Direction, answer: &Value) -> Result<Value, Untold> {
    let translator = Translator::plain(wanted(direction), 1_700_000_000);
    let bytes = answer.to_string();
    let (first, rest) = bytes.split_at(bytes.len() / 2);
    let out = told(translator, &[first.as_bytes(), rest.as_bytes()])?;
    Ok(serde_json::from_slice(&out).unwrap())
}

#[test]
fn a_message_becomes_a_completion() {
    let message = json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-x",
        "content": [
            {"type": "thinking", "thinking": "hm", "signature": "s"},
            {"type": "text", "text": "Hello "}, {"type": "text", "text": "you."},
            {"type": "tool_use", "id": "c1", "name": "weather", "input": {"city": "Bonn"}},
        ],
        "stop_reason": "tool_use", "stop_sequence": null,
        "usage": {"input_tokens": 5, "cache_read_input_tokens": 3,
                  "cache_creation_input_tokens": 2, "output_tokens": 7},
    });
    let completion = json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1_700_000_000,
        "model": "claude-x",
        "choices": [{"index": 0, "logprobs": null, "finish_reason": "tool_calls", "message": {
            "role": "assistant", "content": "Hello you.", "refusal": null,
            "tool_calls": [{"id": "c1", "type": "function",
                "function": {"name": "weather", "arguments": "{\"city\":\"Bonn\"}"}}],
        }}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 7, "total_tokens": 17,
                  "prompt_tokens_details": {"cached_tokens": 3}},
    });
    assert_eq!(plain(ChatToMessages, &message), Ok(completion));
}

#[test]
fn a_completion_becomes_a_message() {
    let completion = json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt-x",
        "choices": [{"index": 0, "finish_reason": "tool_calls", "message": {
            "role": "assistant", "content": "I look.", "refusal": null,
            "tool_calls": [
                {"id": "c1", "type": "function",
                 "function": {"name": "weather", "arguments": "{\"city\": \"Bonn\"}"}},
                {"id": "c2", "type": "function", "function": {"name": "now", "arguments": ""}},
            ],
        }}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 7, "total_tokens": 17,
                  "prompt_tokens_details": {"cached_tokens": 3}},
    });
    let message = json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "gpt-x",
        "content": [
            {"type": "text", "text": "I look."},
            {"type": "tool_use", "id": "c1", "name": "weather", "input": {"city": "Bonn"}},
            {"type": "tool_use", "id": "c2", "name": "now", "input": {}},
        ],
        "stop_reason": "tool_use", "stop_sequence": null,
        "usage": {"input_tokens": 7, "output_tokens": 7, "cache_creation_input_tokens": 0,
                  "cache_read_input_tokens": 3},
    });
    assert_eq!(plain(MessagesToChat, &completion), Ok(message));
}

#[test]
fn reasons_to_stop_have_their_counterparts() {
    for (stop, finish) in [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("pause_turn", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("tool_use", "tool_calls"),
        ("refusal", "content_filter"),
    ] {
        let message = json!({"type": "message", "stop_reason": stop, "content": []});
        let completion = plain(ChatToMessages, &message).unwrap();
        assert_eq!(completion["choices"][0]["finish_reason"], finish, "{stop}");
        assert_eq!(completion["choices"][0]["message"]["content"], Value::Null);
    }
    for (finish, stop) in [
        ("stop", "end_turn"),
        ("length", "max_tokens"),
        ("tool_calls", "tool_use"),
        ("content_filter", "refusal"),
    ] {
        let choice = json!({"finish_reason": finish, "message": {"refusal": "No."}});
        let message = plain(MessagesToChat, &json!({"choices": [choice]})).unwrap();
        assert_eq!(message["stop_reason"], stop, "{finish}");
        assert_eq!(message["content"][0]["text"], "No.", "a refusal is text");
    }
}

#[test]
fn an_answer_of_another_shape_is_not_told() {
    let call = |arguments: &str| {
        json!({"choices": [{"message": {"tool_calls": [
            {"function": {"name": "f", "arguments": arguments}}]}}]})
    };
    for (direction, answer) in [
        (ChatToMessages, json!({"choices": []})),
        (ChatToMessages, json!([])),
        (MessagesToChat, json!({"type": "message"})),
        (MessagesToChat, json!({"choices": [{}]})),
        (MessagesToChat, call("{\"cut")),
        (MessagesToChat, call("[]")),
    ] {
        assert_eq!(plain(direction, &answer), Err(Untold::Shape), "{answer}");
    }
    for direction in [ChatToMessages, MessagesToChat] {
        let translator = Translator::plain(wanted(direction), 0);
        assert_eq!(told(translator, &[b"{"]), Err(Untold::Shape), "not JSON");
    }
    let mut translator = Translator::plain(wanted(ChatToMessages), 0);
    let much = vec![b' '; PLAIN_MOST + 1];
    let pushed = translator.push(&much, &mut Vec::new());
    assert_eq!(pushed, Err(Untold::TooLarge));
}

#[test]
fn a_fault_is_told_in_the_clients_shape() {
    let theirs = json!({"type": "error",
        "error": {"type": "invalid_request_error", "message": "too long"}});
    let translator = Translator::fault(wanted(ChatToMessages), 400);
    let ours = told(translator, &[theirs.to_string().as_bytes()]).unwrap();
    let ours: Value = serde_json::from_slice(&ours).unwrap();
    assert_eq!(
        ours,
        json!({"error": {"message": "too long", "type": "invalid_request_error",
            "param": null, "code": null}})
    );
    let theirs = json!({"error": {"message": "no such model", "type": "invalid_request_error"}});
    let translator = Translator::fault(wanted(MessagesToChat), 404);
    let ours = told(translator, &[theirs.to_string().as_bytes()]).unwrap();
    let ours: Value = serde_json::from_slice(&ours).unwrap();
    assert_eq!(
        ours,
        json!({"type": "error",
            "error": {"type": "not_found_error", "message": "no such model"}})
    );
    let translator = Translator::fault(wanted(MessagesToChat), 404);
    assert_eq!(told(translator, &[b"{\"error\": 1}"]), Err(Untold::Shape));
}
