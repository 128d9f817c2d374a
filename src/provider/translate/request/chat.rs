//! OpenAI's chat request in the words of Anthropic's messages API.

use serde_json::{Map, Value, json};

use super::super::words::{elements, input, text};
use super::{data_url, fields, is_idle, must_be, untranslatable};
use crate::inspect::fault::FieldFault;

/// Anthropic asks for a bound; this is the one where the caller gave none.
const MOST_TOKENS: u64 = 4096;

pub(in super::super) fn to_messages(body: &Value, model: &str) -> Result<Value, FieldFault> {
    let mut said = Map::new();
    said.insert("model".to_owned(), model.into());
    said.insert("max_tokens".to_owned(), most_tokens(body).into());
    for (name, value) in fields(body)? {
        field(name, value, &mut said)?;
    }
    let parallel = body.get("parallel_tool_calls").and_then(Value::as_bool);
    if let Some(choice) = tool_choice(body.get("tool_choice"), parallel)? {
        said.insert("tool_choice".to_owned(), choice);
    }
    let (system, messages) = conversation(elements(body, "messages"))?;
    if !system.is_empty() {
        said.insert("system".to_owned(), system.into());
    }
    said.insert("messages".to_owned(), messages.into());
    Ok(said.into())
}

fn most_tokens(body: &Value) -> u64 {
    ["max_completion_tokens", "max_tokens"]
        .iter()
        .find_map(|name| body.get(name).and_then(Value::as_u64))
        .unwrap_or(MOST_TOKENS)
}

/// One field of the body, besides those that are looked at together.
fn field(name: &str, value: &Value, said: &mut Map<String, Value>) -> Result<(), FieldFault> {
    let kept = match name {
        "temperature" if value.as_f64().is_some_and(|degree| degree > 1.0) => {
            return Err(must_be(name, "at most 1 for the provider of this model"));
        }
        "temperature" | "top_p" | "stream" if !value.is_null() => (name, value.clone()),
        "stop" if value.is_string() => ("stop_sequences", json!([value])),
        "stop" if value.is_array() => ("stop_sequences", value.clone()),
        "user" | "safety_identifier" if value.is_string() => {
            ("metadata", json!({"user_id": value}))
        }
        "tools" if !is_idle(value) => ("tools", tools(value)?),
        "n" if value.as_u64() == Some(1) => return Ok(()),
        "response_format" if text(value, "type") == "text" => return Ok(()),
        "modalities" if *value == json!(["text"]) => return Ok(()),
        // Looked at elsewhere, or hints without which the answer is the same kind of answer.
        "messages"
        | "model"
        | "max_tokens"
        | "max_completion_tokens"
        | "tool_choice"
        | "parallel_tool_calls"
        | "stream_options"
        | "metadata"
        | "store"
        | "seed"
        | "service_tier"
        | "prompt_cache_key"
        | "prompt_cache_retention" => return Ok(()),
        _ if is_idle(value) => return Ok(()),
        _ => return Err(untranslatable(name)),
    };
    said.insert(kept.0.to_owned(), kept.1);
    Ok(())
}

fn tools(value: &Value) -> Result<Value, FieldFault> {
    let tools = value.as_array().map(Vec::as_slice).unwrap_or_default();
    let tools = tools.iter().enumerate().map(|(number, tool)| {
        let function = tool
            .get("function")
            .filter(|_| text(tool, "type") == "function");
        let function = function.ok_or_else(|| untranslatable(format!("tools[{number}].type")))?;
        let schema = function.get("parameters").filter(|schema| !is_idle(schema));
        let mut said = json!({
            "name": text(function, "name"),
            "input_schema": schema.cloned().unwrap_or_else(|| json!({"type": "object", "properties": {}})),
        });
        if let (Some(said), Some(about)) = (said.as_object_mut(), function.get("description")) {
            said.insert("description".to_owned(), about.clone());
        }
        Ok(said)
    });
    tools.collect()
}

fn tool_choice(
    choice: Option<&Value>,
    parallel: Option<bool>,
) -> Result<Option<Value>, FieldFault> {
    let mut said = match choice {
        None | Some(Value::Null) if parallel != Some(false) => return Ok(None),
        None | Some(Value::Null) => json!({"type": "auto"}),
        Some(Value::String(word)) => match word.as_str() {
            "auto" => json!({"type": "auto"}),
            "none" => json!({"type": "none"}),
            "required" => json!({"type": "any"}),
            _ => return Err(untranslatable("tool_choice")),
        },
        Some(choice) => match choice.pointer("/function/name").and_then(Value::as_str) {
            Some(name) => json!({"type": "tool", "name": name}),
            None => return Err(untranslatable("tool_choice")),
        },
    };
    if let (Some(said), Some(false)) = (said.as_object_mut(), parallel)
        && said.get("type").is_none_or(|kind| kind != "none")
    {
        said.insert("disable_parallel_tool_use".to_owned(), true.into());
    }
    Ok(Some(said))
}

/// What the system says, wherever it stood, and the turns of the others. Turns of one side that
/// follow one another are one: results of tools must stand in the turn after their calls.
fn conversation(messages: &[Value]) -> Result<(Vec<Value>, Vec<Value>), FieldFault> {
    let mut system = Vec::new();
    let mut turns: Vec<(&'static str, Vec<Value>)> = Vec::new();
    for (number, message) in messages.iter().enumerate() {
        let place = format!("messages[{number}]");
        let (role, blocks) = match text(message, "role") {
            "system" | "developer" => {
                system.extend(content(message, &place)?);
                continue;
            }
            "user" => ("user", content(message, &place)?),
            "assistant" => ("assistant", answered(message, &place)?),
            "tool" => ("user", vec![result(message, &place)?]),
            _ => return Err(untranslatable(format!("{place}.role"))),
        };
        match turns.last_mut() {
            Some((before, held)) if *before == role => held.extend(blocks),
            _ => turns.push((role, blocks)),
        }
    }
    let turns = turns.into_iter().filter(|(_, blocks)| !blocks.is_empty());
    let turns = turns.map(|(role, content)| json!({"role": role, "content": content}));
    Ok((system, turns.collect()))
}

/// The content of a message as blocks; texts that are empty go, which Anthropic refuses.
fn content(message: &Value, place: &str) -> Result<Vec<Value>, FieldFault> {
    let blocks = match message.get("content") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::String(said)) => vec![json!({"type": "text", "text": said})],
        Some(Value::Array(parts)) => {
            let parts = parts.iter().enumerate();
            let blocks = parts.map(|(at, part)| block(part, &format!("{place}.content[{at}]")));
            blocks.collect::<Result<_, _>>()?
        }
        Some(_) => return Err(must_be(format!("{place}.content"), "a string or an array")),
    };
    let is_said = |block: &Value| block.get("text").is_none_or(|said| !is_idle(said));
    Ok(blocks.into_iter().filter(is_said).collect())
}

fn block(part: &Value, place: &str) -> Result<Value, FieldFault> {
    match text(part, "type") {
        "text" => Ok(json!({"type": "text", "text": text(part, "text")})),
        "refusal" => Ok(json!({"type": "text", "text": text(part, "refusal")})),
        "image_url" => {
            let url = part
                .pointer("/image_url/url")
                .and_then(Value::as_str)
                .unwrap_or_default();
            let source = match data_url(url) {
                Some((kind, data)) => json!({"type": "base64", "media_type": kind, "data": data}),
                None => json!({"type": "url", "url": url}),
            };
            Ok(json!({"type": "image", "source": source}))
        }
        "file" => {
            let data = part.pointer("/file/file_data").and_then(Value::as_str);
            let (kind, data) = data
                .and_then(data_url)
                .ok_or_else(|| untranslatable(place))?;
            let source = json!({"type": "base64", "media_type": kind, "data": data});
            Ok(json!({"type": "document", "source": source}))
        }
        _ => Err(untranslatable(format!("{place}.type"))),
    }
}

/// What the model said before: text, and calls of tools.
fn answered(message: &Value, place: &str) -> Result<Vec<Value>, FieldFault> {
    for name in ["function_call", "audio"] {
        if message.get(name).is_some_and(|value| !is_idle(value)) {
            return Err(untranslatable(format!("{place}.{name}")));
        }
    }
    let mut blocks = content(message, place)?;
    let refusal = text(message, "refusal");
    if !refusal.is_empty() {
        blocks.push(json!({"type": "text", "text": refusal}));
    }
    for (at, call) in elements(message, "tool_calls").iter().enumerate() {
        let place = format!("{place}.tool_calls[{at}]");
        let function = call.get("function").ok_or_else(|| untranslatable(&place))?;
        let input = input(text(function, "arguments"))
            .ok_or_else(|| must_be(format!("{place}.function.arguments"), "an object in JSON"))?;
        blocks.push(json!({
            "type": "tool_use", "id": text(call, "id"), "name": text(function, "name"),
            "input": input,
        }));
    }
    Ok(blocks)
}

fn result(message: &Value, place: &str) -> Result<Value, FieldFault> {
    Ok(json!({
        "type": "tool_result", "tool_use_id": text(message, "tool_call_id"),
        "content": content(message, place)?,
    }))
}
