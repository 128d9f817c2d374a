//! Words that both languages have: why a model stopped, what was used, whose an id is.

use serde_json::{Map, Value, json};

/// A text in an object; nothing where there is none.
pub(super) fn text<'v>(object: &'v Value, name: &str) -> &'v str {
    object.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// A count in an object.
pub(super) fn count(object: Option<&Value>, name: &str) -> u64 {
    let count = object.and_then(|object| object.get(name));
    count.and_then(Value::as_u64).unwrap_or_default()
}

/// The elements of an array in an object; none where there is none.
pub(super) fn elements<'v>(object: &'v Value, name: &str) -> &'v [Value] {
    let elements = object.get(name).and_then(Value::as_array);
    elements.map(Vec::as_slice).unwrap_or_default()
}

/// What a tool is called with, as the text that OpenAI makes of it.
pub(super) fn arguments(block: &Value) -> String {
    let input = block.get("input");
    input.map_or_else(|| "{}".to_owned(), Value::to_string)
}

/// The same back: an object; none where the text is something else.
pub(super) fn input(arguments: &str) -> Option<Value> {
    if arguments.trim().is_empty() {
        return Some(json!({}));
    }
    let input: Value = serde_json::from_str(arguments).ok()?;
    input.is_object().then_some(input)
}

/// Anthropic's `stop_reason` as OpenAI's `finish_reason`.
pub(super) fn finish_reason(stop: &str) -> &'static str {
    match stop {
        "max_tokens" | "model_context_window_exceeded" => "length",
        "tool_use" => "tool_calls",
        "refusal" => "content_filter",
        // `end_turn`, `stop_sequence`, `pause_turn`, and what may come to be.
        _ => "stop",
    }
}

/// OpenAI's `finish_reason` as Anthropic's `stop_reason`.
pub(super) fn stop_reason(finish: &str) -> &'static str {
    match finish {
        "length" => "max_tokens",
        "tool_calls" | "function_call" => "tool_use",
        "content_filter" => "refusal",
        _ => "end_turn",
    }
}

/// Anthropic's counts, which tell cached tokens apart, as OpenAI's, which tell them among all.
pub(super) fn openai_usage(usage: Option<&Value>) -> Value {
    let cached = count(usage, "cache_read_input_tokens");
    let prompt = count(usage, "input_tokens")
        .saturating_add(cached)
        .saturating_add(count(usage, "cache_creation_input_tokens"));
    let completion = count(usage, "output_tokens");
    json!({
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt.saturating_add(completion),
        "prompt_tokens_details": {"cached_tokens": cached},
    })
}

/// OpenAI's counts as Anthropic's.
pub(super) fn anthropic_usage(usage: Option<&Value>) -> Value {
    let details = usage.and_then(|usage| usage.get("prompt_tokens_details"));
    let cached = count(details, "cached_tokens");
    json!({
        "input_tokens": count(usage, "prompt_tokens").saturating_sub(cached),
        "output_tokens": count(usage, "completion_tokens"),
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": cached,
    })
}

/// Joins what two events say of the usage: the later count stands.
pub(super) fn merge(known: &mut Map<String, Value>, usage: Option<&Value>) {
    for (name, value) in usage.and_then(Value::as_object).into_iter().flatten() {
        if !value.is_null() {
            known.insert(name.clone(), value.clone());
        }
    }
}

/// An id of one API in the form of the other.
pub(super) fn id(prefix: &str, theirs: &str) -> String {
    let name = theirs.strip_prefix("chatcmpl-");
    let name = name.or_else(|| theirs.strip_prefix("msg_"));
    format!("{prefix}{}", name.unwrap_or(theirs))
}
