//! Plain answers: a message as a chat completion, and back.

use serde_json::{Value, json};

use super::Untold;
use super::words::{
    anthropic_usage, arguments, elements, finish_reason, id, input, openai_usage, stop_reason, text,
};

/// Anthropic's message as OpenAI's chat completion, made at `created` (seconds since 1970).
/// Thinking is left out, as it can't have been asked for.
pub(super) fn to_completion(message: &Value, created: u64) -> Result<Value, Untold> {
    if text(message, "type") != "message" {
        return Err(Untold::Shape);
    }
    let (mut content, mut calls) = (String::new(), Vec::new());
    let mut said = false;
    for block in elements(message, "content") {
        match text(block, "type") {
            "text" => {
                content.push_str(text(block, "text"));
                said = true;
            }
            "tool_use" => calls.push(json!({
                "id": text(block, "id"), "type": "function", "function": {
                    "name": text(block, "name"),
                    "arguments": arguments(block),
                },
            })),
            _ => {}
        }
    }
    let content = if said {
        Value::from(content)
    } else {
        Value::Null
    };
    let mut answer = json!({"role": "assistant", "content": content, "refusal": null});
    if let (Some(answer), false) = (answer.as_object_mut(), calls.is_empty()) {
        answer.insert("tool_calls".to_owned(), calls.into());
    }
    Ok(json!({
        "id": id("chatcmpl-", text(message, "id")), "object": "chat.completion",
        "created": created, "model": text(message, "model"),
        "choices": [{
            "index": 0, "message": answer, "logprobs": null,
            "finish_reason": finish_reason(text(message, "stop_reason")),
        }],
        "usage": openai_usage(message.get("usage")),
    }))
}

/// OpenAI's chat completion as Anthropic's message.
pub(super) fn to_message(completion: &Value) -> Result<Value, Untold> {
    let choice = elements(completion, "choices").first();
    let choice = choice.ok_or(Untold::Shape)?;
    let answer = choice.get("message").ok_or(Untold::Shape)?;
    let mut content = Vec::new();
    for name in ["content", "refusal"] {
        let said = text(answer, name);
        if !said.is_empty() {
            content.push(json!({"type": "text", "text": said}));
        }
    }
    for call in elements(answer, "tool_calls") {
        let function = call.get("function").ok_or(Untold::Shape)?;
        content.push(json!({
            "type": "tool_use", "id": text(call, "id"), "name": text(function, "name"),
            "input": input(text(function, "arguments")).ok_or(Untold::Shape)?,
        }));
    }
    Ok(json!({
        "id": id("msg_", text(completion, "id")), "type": "message", "role": "assistant",
        "model": text(completion, "model"), "content": content,
        "stop_reason": stop_reason(text(choice, "finish_reason")), "stop_sequence": null,
        "usage": anthropic_usage(completion.get("usage")),
    }))
}
