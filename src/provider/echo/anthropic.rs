//! Anthropic's messages, as the embedded provider answers them.
//!
//! Decides the shape of the answer and the order of its events. It never invents tool use or
//! thinking, and never pings: there is no wait to bridge.

use serde_json::{Value, json};

use super::call::{Call, Echo, Fault, last_user_text, text_of, words, words_of};
use super::{Answer, named_frame};

/// `/v1/messages`.
pub(super) fn messages(call: &Call) -> Result<Answer, Fault> {
    let model = call.model()?;
    let messages = call.messages()?;
    // Anthropic's API refuses a call without it; an echo that did not would hide a client's bug.
    if !call.field("max_tokens").is_some_and(Value::is_u64) {
        return Err(Fault::field("max_tokens", "a number"));
    }
    let asked = words_of(messages).saturating_add(words(&text_of(call.field("system"))));
    let echo = Echo::new(&last_user_text(messages), 1);
    let message = |content: Vec<Value>, stop_reason: Option<&str>, output: usize| {
        json!({
            "id": format!("msg_{}", call.id),
            "type": "message",
            "role": "assistant",
            "model": model,
            "content": content,
            "stop_reason": stop_reason,
            "stop_sequence": null,
            "usage": usage(asked, output),
        })
    };
    if call.streams()? {
        return Ok(stream(&message(Vec::new(), None, 0), &echo, asked));
    }
    let content = vec![json!({"type": "text", "text": echo.text})];
    Ok(Answer::plain(
        200,
        &message(content, Some(stop_reason(&echo)), echo.words()),
    ))
}

fn stream(message: &Value, echo: &Echo, asked: usize) -> Answer {
    let mut events = vec![
        json!({"type": "message_start", "message": message}),
        json!({
            "type": "content_block_start",
            "index": 0,
            "content_block": {"type": "text", "text": ""},
        }),
    ];
    events.extend(echo.pieces().into_iter().map(|piece| {
        json!({
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "text_delta", "text": piece},
        })
    }));
    events.extend([
        json!({"type": "content_block_stop", "index": 0}),
        json!({
            "type": "message_delta",
            "delta": {"stop_reason": stop_reason(echo), "stop_sequence": null},
            "usage": usage(asked, echo.words()),
        }),
        json!({"type": "message_stop"}),
    ]);
    Answer::Stream(events.iter().map(named_frame).collect())
}

const fn stop_reason(echo: &Echo) -> &'static str {
    if echo.whole { "end_turn" } else { "max_tokens" }
}

fn usage(input: usize, output: usize) -> Value {
    json!({
        "input_tokens": input,
        "output_tokens": output,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
    })
}
