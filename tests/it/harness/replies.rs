//! What a well-behaved provider answers, by path, in the shapes that the official SDKs parse.
//!
//! A model called `status-NNN` is answered with that status and with the kind of error body
//! that the real providers send; so a client in another process can choose it.

use serde_json::{Value, json};

use super::received::Received;
use super::script::{Script, data, named};

/// What every plain answer of the mock says.
pub(crate) const TEXT: &str = "Hello from the mock.";

/// The words of a streamed answer; together they are [`TEXT`].
const WORDS: [&str; 4] = ["Hello ", "from ", "the ", "mock."];

/// The answer to a complete request.
pub(crate) fn natural(request: &Received) -> Script {
    let (method, path) = request.line();
    let body: Value = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
    let model = body["model"].as_str().unwrap_or("none").to_owned();
    let streamed = body["stream"].as_bool() == Some(true);
    let path = path.split('?').next().unwrap_or_default();
    if let Some(status) = model
        .strip_prefix("status-")
        .and_then(|text| text.parse().ok())
    {
        return failure(status, path);
    }
    if let Some(name) = model.strip_prefix("play-") {
        return Script::events(&[played(name, path)]);
    }
    match (method.as_str(), path, streamed) {
        ("GET", "/v1/models", _) => Script::json(200, &models()),
        (_, "/v1/chat/completions", false) => Script::json(200, &chat(&model)),
        (_, "/v1/chat/completions", true) => {
            let mut events = chat_events(&model);
            if body["stream_options"]["include_usage"] == true {
                events.insert(events.len() - 1, usage_event(&model));
            }
            Script::events(&events)
        }
        (_, "/v1/completions", false) => Script::json(200, &completion(&model)),
        (_, "/v1/completions", true) => Script::events(&completion_events(&model)),
        (_, "/v1/responses", false) => Script::json(200, &response(&model, "completed")),
        (_, "/v1/responses", true) => Script::events(&response_events(&model)),
        (_, "/v1/embeddings", _) => Script::json(200, &embedding(&model)),
        (_, "/v1/messages", false) => Script::json(200, &message(&model)),
        (_, "/v1/messages", true) => Script::events(&message_events(&model)),
        (_, "/v1/moderations", _) => Script::json(200, &json!({"id": "modr-1", "results": []})),
        _ => Script::json(200, &json!({"object": "file", "id": "file-1"})),
    }
}

/// A recording of `tests/fixtures/answers` by its name; `canary` and `broken` are streams of
/// `path` that say what they must not, or end before their end.
fn played(name: &str, path: &str) -> String {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/answers")
        .join(format!("{name}.sse"));
    if let Ok(recording) = std::fs::read_to_string(file) {
        return recording;
    }
    let words = if name == "canary" {
        ["It is ", "our-can", "ary-text", ". "]
    } else {
        ["It ", "is ", "not ", "all "]
    };
    let event = |word: &&str| match path {
        "/v1/responses" => named(
            "response.output_text.delta",
            &json!({"type": "response.output_text.delta", "item_id": "m", "output_index": 0,
                "content_index": 0, "delta": word, "sequence_number": 0, "logprobs": []}),
        ),
        "/v1/messages" => named(
            "content_block_delta",
            &json!({"type": "content_block_delta", "index": 0,
                "delta": {"type": "text_delta", "text": word}}),
        ),
        _ => chat_event("played", word),
    };
    words.iter().map(event).collect()
}

/// A provider's own error, with the details that a provider gives away.
pub(crate) fn failure(status: u16, path: &str) -> Script {
    let message = format!("mock says {status}");
    let body = if path == "/v1/messages" {
        let kind = anthropic_kind(status);
        json!({"type": "error", "error": {"type": kind, "message": message}})
    } else {
        let kind = if status < 500 {
            "invalid_request_error"
        } else {
            "server_error"
        };
        json!({"error": {"message": message, "type": kind, "code": null, "param": null}})
    };
    let headers: &[(&str, &str)] = match status {
        429 | 503 | 529 => &[("retry-after", "7")],
        _ => &[],
    };
    Script::json_with(status, headers, &body)
}

fn anthropic_kind(status: u16) -> &'static str {
    match status {
        400 => "invalid_request_error",
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        529 => "overloaded_error",
        _ => "api_error",
    }
}

fn models() -> Value {
    json!({"object": "list", "data": [
        {"id": "gpt-4o", "object": "model", "created": 1, "owned_by": "mock"},
    ]})
}

fn usage() -> Value {
    json!({"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13})
}

/// A plain chat answer.
pub(crate) fn chat(model: &str) -> Value {
    let message = json!({"role": "assistant", "content": TEXT});
    json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": usage(),
    })
}

/// One chunk of a streamed chat answer.
pub(crate) fn chat_event(model: &str, word: &str) -> String {
    chat_chunk(model, &json!({"content": word}), &Value::Null, &Value::Null)
}

fn chat_chunk(model: &str, delta: &Value, finish: &Value, usage: &Value) -> String {
    data(&json!({
        "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": model,
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}], "usage": usage,
    }))
}

/// A whole streamed chat answer, `[DONE]` included.
pub(crate) fn chat_events(model: &str) -> Vec<String> {
    let role = json!({"role": "assistant", "content": ""});
    let mut events = vec![chat_chunk(model, &role, &Value::Null, &Value::Null)];
    events.extend(WORDS.iter().map(|word| chat_event(model, word)));
    events.push(chat_chunk(model, &json!({}), &json!("stop"), &Value::Null));
    events.push("data: [DONE]\n\n".to_owned());
    events
}

/// The chunk that says what was used, to who asked for it.
pub(crate) fn usage_event(model: &str) -> String {
    data(&json!({
        "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": model,
        "choices": [], "usage": usage(),
    }))
}

fn completion(model: &str) -> Value {
    json!({
        "id": "cmpl-1", "object": "text_completion", "created": 1, "model": model,
        "choices": [{"index": 0, "text": TEXT, "logprobs": null, "finish_reason": "stop"}],
        "usage": usage(),
    })
}

fn completion_events(model: &str) -> Vec<String> {
    let part = |word: &&str| {
        data(&json!({
            "id": "cmpl-1", "object": "text_completion", "created": 1, "model": model,
            "choices": [{"index": 0, "text": word, "logprobs": null, "finish_reason": null}],
        }))
    };
    WORDS
        .iter()
        .map(part)
        .chain(["data: [DONE]\n\n".to_owned()])
        .collect()
}

fn output_message(text: &str, status: &str) -> Value {
    json!({
        "type": "message", "id": "msg-1", "status": status, "role": "assistant",
        "content": [{"type": "output_text", "text": text, "annotations": []}],
    })
}

fn response(model: &str, status: &str) -> Value {
    let output = if status == "completed" {
        vec![output_message(TEXT, status)]
    } else {
        vec![]
    };
    json!({
        "id": "resp-1", "object": "response", "created_at": 1, "status": status, "model": model,
        "output": output, "error": null, "incomplete_details": null, "instructions": null,
        "metadata": {}, "parallel_tool_calls": true, "temperature": 1.0, "tool_choice": "auto",
        "tools": [], "top_p": 1.0,
        "usage": {
            "input_tokens": 9, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 4,
            "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 13,
        },
    })
}

fn response_events(model: &str) -> Vec<String> {
    let mut bodies = vec![
        json!({"type": "response.created", "response": response(model, "in_progress")}),
        json!({"type": "response.output_item.added", "output_index": 0,
            "item": {"type": "message", "id": "msg-1", "status": "in_progress",
                "role": "assistant", "content": []}}),
        json!({"type": "response.content_part.added", "item_id": "msg-1", "output_index": 0,
            "content_index": 0, "part": {"type": "output_text", "text": "", "annotations": []}}),
    ];
    bodies.extend(WORDS.iter().map(|word| {
        json!({"type": "response.output_text.delta", "item_id": "msg-1", "output_index": 0,
            "content_index": 0, "delta": word, "logprobs": []})
    }));
    bodies.extend([
        json!({"type": "response.output_text.done", "item_id": "msg-1", "output_index": 0,
            "content_index": 0, "text": TEXT, "logprobs": []}),
        json!({"type": "response.output_item.done", "output_index": 0,
            "item": output_message(TEXT, "completed")}),
        json!({"type": "response.completed", "response": response(model, "completed")}),
    ]);
    let numbered = |(number, mut body): (usize, Value)| {
        body["sequence_number"] = json!(number);
        named(body["type"].as_str().unwrap_or_default(), &body)
    };
    bodies.into_iter().enumerate().map(numbered).collect()
}

fn embedding(model: &str) -> Value {
    let vector = json!([0.5, -0.25, 0.125]);
    json!({
        "object": "list", "model": model,
        "data": [{"object": "embedding", "index": 0, "embedding": vector}],
        "usage": {"prompt_tokens": 3, "total_tokens": 3},
    })
}

/// A plain Anthropic answer.
pub(crate) fn message(model: &str) -> Value {
    json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": model,
        "content": [{"type": "text", "text": TEXT}],
        "stop_reason": "end_turn", "stop_sequence": null,
        "usage": {"input_tokens": 9, "output_tokens": 4},
    })
}

/// A whole streamed Anthropic answer.
pub(crate) fn message_events(model: &str) -> Vec<String> {
    let mut start = message(model);
    start["content"] = json!([]);
    start["stop_reason"] = Value::Null;
    let mut bodies = vec![
        json!({"type": "message_start", "message": start}),
        json!({"type": "content_block_start", "index": 0,
            "content_block": {"type": "text", "text": ""}}),
        json!({"type": "ping"}),
    ];
    bodies.extend(WORDS.iter().map(|word| {
        json!({"type": "content_block_delta", "index": 0,
            "delta": {"type": "text_delta", "text": word}})
    }));
    bodies.extend([
        json!({"type": "content_block_stop", "index": 0}),
        json!({"type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": null},
            "usage": {"output_tokens": 4}}),
        json!({"type": "message_stop"}),
    ]);
    bodies
        .iter()
        .map(|body| named(body["type"].as_str().unwrap_or_default(), body))
        .collect()
}
