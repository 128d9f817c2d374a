//! Anthropic's messages request in the words of OpenAI's chat API.

use serde_json::{Map, Value, json};

use super::super::words::{arguments, elements, text};
use super::{fields, is_idle, must_be, untranslatable};
use crate::inspect::fault::FieldFault;

/// OpenAI takes so many stop sequences.
const STOPS: usize = 4;

pub(in super::super) fn to_chat(body: &Value, model: &str) -> Result<Value, FieldFault> {
    let mut said = Map::new();
    said.insert("model".to_owned(), model.into());
    for (name, value) in fields(body)? {
        field(name, value, &mut said)?;
    }
    if body.get("stream").and_then(Value::as_bool) == Some(true) {
        // Anthropic's streams always tell what was used.
        said.insert("stream_options".to_owned(), json!({"include_usage": true}));
    }
    if let Some(choice) = body.get("tool_choice").filter(|choice| !is_idle(choice)) {
        tool_choice(choice, &mut said)?;
    }
    let mut messages = Vec::new();
    match body.get("system") {
        None | Some(Value::Null) => {}
        Some(Value::String(words)) => messages.push(json!({"role": "system", "content": words})),
        Some(system) => {
            let content = parts(system, "system")?;
            messages.push(json!({"role": "system", "content": content}));
        }
    }
    for (number, message) in elements(body, "messages").iter().enumerate() {
        turn(message, &format!("messages[{number}]"), &mut messages)?;
    }
    said.insert("messages".to_owned(), messages.into());
    Ok(said.into())
}

fn field(name: &str, value: &Value, said: &mut Map<String, Value>) -> Result<(), FieldFault> {
    let kept = match name {
        "max_tokens" => ("max_completion_tokens", value.clone()),
        "temperature" | "top_p" | "stream" if !value.is_null() => (name, value.clone()),
        "stop_sequences" if value.as_array().is_some_and(|all| all.len() > STOPS) => {
            return Err(must_be(
                name,
                "at most 4 texts for the provider of this model",
            ));
        }
        "stop_sequences" if !is_idle(value) => ("stop", value.clone()),
        "metadata" if value.get("user_id").is_some_and(Value::is_string) => {
            ("user", value.get("user_id").cloned().unwrap_or_default())
        }
        "tools" if !is_idle(value) => ("tools", tools(value)?),
        "thinking" if text(value, "type") == "disabled" => return Ok(()),
        "messages" | "model" | "system" | "tool_choice" | "metadata" | "service_tier"
        | "cache_control" => return Ok(()),
        _ if is_idle(value) => return Ok(()),
        _ => return Err(untranslatable(name)),
    };
    said.insert(kept.0.to_owned(), kept.1);
    Ok(())
}

fn tools(value: &Value) -> Result<Value, FieldFault> {
    let tools = value.as_array().map(Vec::as_slice).unwrap_or_default();
    let tools = tools.iter().enumerate().map(|(number, tool)| {
        if !matches!(text(tool, "type"), "" | "custom") {
            return Err(untranslatable(format!("tools[{number}].type")));
        }
        let mut function = json!({
            "name": text(tool, "name"),
            "parameters": tool.get("input_schema").cloned().unwrap_or_else(|| json!({"type": "object"})),
        });
        if let (Some(function), Some(about)) = (function.as_object_mut(), tool.get("description")) {
            function.insert("description".to_owned(), about.clone());
        }
        Ok(json!({"type": "function", "function": function}))
    });
    tools.collect()
}

fn tool_choice(choice: &Value, said: &mut Map<String, Value>) -> Result<(), FieldFault> {
    let word = match text(choice, "type") {
        "auto" => "auto".into(),
        "any" => "required".into(),
        "none" => "none".into(),
        "tool" => json!({"type": "function", "function": {"name": text(choice, "name")}}),
        _ => return Err(untranslatable("tool_choice.type")),
    };
    said.insert("tool_choice".to_owned(), word);
    if choice
        .get("disable_parallel_tool_use")
        .and_then(Value::as_bool)
        == Some(true)
    {
        said.insert("parallel_tool_calls".to_owned(), false.into());
    }
    Ok(())
}

/// One message, which is several where results of tools are among its blocks.
fn turn(message: &Value, place: &str, out: &mut Vec<Value>) -> Result<(), FieldFault> {
    let role = text(message, "role");
    let content = message.get("content").unwrap_or(&Value::Null);
    if content.is_string() {
        out.push(json!({"role": role, "content": content}));
        return Ok(());
    }
    let blocks = content.as_array().map(Vec::as_slice).unwrap_or_default();
    match role {
        "assistant" => answered(blocks, place, out),
        _ => asked(blocks, place, out),
    }
}

/// What the model said before. Its thoughts go: the API they come from passes them over itself.
fn answered(blocks: &[Value], place: &str, out: &mut Vec<Value>) -> Result<(), FieldFault> {
    let (mut words, mut calls) = (String::new(), Vec::new());
    for (at, block) in blocks.iter().enumerate() {
        match text(block, "type") {
            "text" => words.push_str(text(block, "text")),
            "thinking" | "redacted_thinking" => {}
            "tool_use" => calls.push(json!({
                "id": text(block, "id"), "type": "function", "function": {
                    "name": text(block, "name"),
                    "arguments": arguments(block),
                },
            })),
            _ => return Err(untranslatable(format!("{place}.content[{at}].type"))),
        }
    }
    let words = if words.is_empty() {
        Value::Null
    } else {
        words.into()
    };
    let mut said = json!({"role": "assistant", "content": words});
    if let (Some(said), false) = (said.as_object_mut(), calls.is_empty()) {
        said.insert("tool_calls".to_owned(), calls.into());
    }
    out.push(said);
    Ok(())
}

/// What the user said, behind the results of the tools that were called.
fn asked(blocks: &[Value], place: &str, out: &mut Vec<Value>) -> Result<(), FieldFault> {
    let mut said = Vec::new();
    for (at, block) in blocks.iter().enumerate() {
        let place = format!("{place}.content[{at}]");
        if text(block, "type") == "tool_result" {
            out.push(json!({
                "role": "tool", "tool_call_id": text(block, "tool_use_id"),
                "content": result(block, &place)?,
            }));
        } else {
            said.push(part(block, &place)?);
        }
    }
    if !said.is_empty() {
        out.push(json!({"role": "user", "content": said}));
    }
    Ok(())
}

/// The result of a tool, which must be text there.
fn result(block: &Value, place: &str) -> Result<Value, FieldFault> {
    match block.get("content") {
        None | Some(Value::Null) => Ok("".into()),
        Some(words @ Value::String(_)) => Ok(words.clone()),
        Some(content) => {
            let blocks = content.as_array().map(Vec::as_slice).unwrap_or_default();
            if let Some(at) = blocks
                .iter()
                .position(|block| text(block, "type") != "text")
            {
                return Err(untranslatable(format!("{place}.content[{at}].type")));
            }
            parts(content, &format!("{place}.content"))
        }
    }
}

/// Blocks as parts of a content.
fn parts(blocks: &Value, place: &str) -> Result<Value, FieldFault> {
    let blocks = blocks.as_array().map(Vec::as_slice).unwrap_or_default();
    let parts = blocks.iter().enumerate();
    parts
        .map(|(at, block)| part(block, &format!("{place}[{at}]")))
        .collect()
}

fn part(block: &Value, place: &str) -> Result<Value, FieldFault> {
    let source = || {
        let source = block.get("source").ok_or_else(|| untranslatable(place))?;
        let data = || {
            format!(
                "data:{};base64,{}",
                text(source, "media_type"),
                text(source, "data")
            )
        };
        match text(source, "type") {
            "base64" => Ok(data()),
            "url" => Ok(text(source, "url").to_owned()),
            _ => Err(untranslatable(format!("{place}.source.type"))),
        }
    };
    match text(block, "type") {
        "text" => Ok(json!({"type": "text", "text": text(block, "text")})),
        "image" => Ok(json!({"type": "image_url", "image_url": {"url": source()?}})),
        "document"
            if block
                .pointer("/source/type")
                .is_some_and(|kind| kind == "text") =>
        {
            let words = block.pointer("/source/data").cloned().unwrap_or_default();
            Ok(json!({"type": "text", "text": words}))
        }
        "document"
            if block
                .pointer("/source/type")
                .is_some_and(|kind| kind == "base64") =>
        {
            let name = match text(block, "title") {
                "" => "document.pdf",
                title => title,
            };
            let file = json!({"filename": name, "file_data": source()?});
            Ok(json!({"type": "file", "file": file}))
        }
        _ => Err(untranslatable(format!("{place}.type"))),
    }
}
