//! A provider's refusal in the client's words.

use serde_json::{Value, json};

use super::words::text;
use super::{Direction, Untold};

pub(super) fn told(direction: Direction, answer: &Value, status: u16) -> Result<Value, Untold> {
    let error = answer.get("error").filter(|error| error.is_object());
    let error = error.ok_or(Untold::Shape)?;
    let message = text(error, "message");
    Ok(match direction {
        Direction::ChatToMessages => json!({"error": {
            "message": message, "type": openai_type(status), "param": null, "code": null,
        }}),
        Direction::MessagesToChat => json!({"type": "error", "error": {
            "type": anthropic_type(status), "message": message,
        }}),
    })
}

/// What OpenAI calls a fault with this status.
const fn openai_type(status: u16) -> &'static str {
    match status {
        401 => "authentication_error",
        403 => "permission_error",
        429 => "rate_limit_error",
        500.. => "server_error",
        _ => "invalid_request_error",
    }
}

/// What Anthropic calls it.
const fn anthropic_type(status: u16) -> &'static str {
    match status {
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        529 => "overloaded_error",
        500.. => "api_error",
        _ => "invalid_request_error",
    }
}
