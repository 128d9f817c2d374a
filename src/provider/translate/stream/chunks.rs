//! Anthropic's events as OpenAI's chunks.

use serde_json::{Map, Value, json};

use super::super::Untold;
use super::super::words::{finish_reason, id, merge, openai_usage, text};
use super::write;

/// A stream of chunks as far as it was told.
#[derive(Debug)]
pub(super) struct Chunks {
    /// Whether the client asked for a last chunk with usage.
    asked: bool,
    created: u64,
    id: String,
    model: String,
    usage: Map<String, Value>,
    /// The tool call whose input comes, its number among the calls, and whether any came.
    call: Option<(u64, bool)>,
    calls: u64,
    ended: bool,
}

impl Chunks {
    pub(super) fn new(asked: bool, created: u64) -> Self {
        Self {
            asked,
            created,
            id: String::new(),
            model: String::new(),
            usage: Map::new(),
            call: None,
            calls: 0,
            ended: false,
        }
    }

    pub(super) fn tell(&mut self, event: &Value, out: &mut Vec<u8>) -> Result<(), Untold> {
        if self.ended {
            return Ok(());
        }
        match text(event, "type") {
            "message_start" => {
                let message = event.get("message").ok_or(Untold::Shape)?;
                self.id = id("chatcmpl-", text(message, "id"));
                text(message, "model").clone_into(&mut self.model);
                merge(&mut self.usage, message.get("usage"));
                self.chunk(&json!({"role": "assistant", "content": ""}), None, out);
            }
            "content_block_start" => self.begin(event, out)?,
            "content_block_delta" => self.go_on(event, out)?,
            "content_block_stop" => {
                if let Some((number, false)) = self.call.take() {
                    // A call without input: what OpenAI's clients parse must be JSON.
                    self.arguments(number, "{}", out);
                }
            }
            "message_delta" => {
                merge(&mut self.usage, event.get("usage"));
                let stop = event.pointer("/delta/stop_reason").and_then(Value::as_str);
                if let Some(stop) = stop {
                    self.chunk(&json!({}), Some(finish_reason(stop)), out);
                }
            }
            "message_stop" => {
                if self.asked {
                    let mut last = self.frame(json!([]));
                    last.insert("usage".to_owned(), self.used());
                    write(out, None, &Value::from(last).to_string());
                }
                write(out, None, "[DONE]");
                self.ended = true;
            }
            "error" => return Err(Untold::Failed),
            // `ping`, and what may come to be.
            _ => {}
        }
        Ok(())
    }

    /// A block begins.
    fn begin(&mut self, event: &Value, out: &mut Vec<u8>) -> Result<(), Untold> {
        let block = event.get("content_block").ok_or(Untold::Shape)?;
        match text(block, "type") {
            "text" if !text(block, "text").is_empty() => {
                self.chunk(&json!({"content": text(block, "text")}), None, out);
            }
            "tool_use" => {
                let number = self.calls;
                self.calls = number.saturating_add(1);
                self.call = Some((number, false));
                let call = json!({
                    "index": number, "id": text(block, "id"), "type": "function",
                    "function": {"name": text(block, "name"), "arguments": ""},
                });
                self.chunk(&json!({"tool_calls": [call]}), None, out);
            }
            _ => {}
        }
        Ok(())
    }

    fn go_on(&mut self, event: &Value, out: &mut Vec<u8>) -> Result<(), Untold> {
        let delta = event.get("delta").ok_or(Untold::Shape)?;
        match text(delta, "type") {
            "text_delta" => self.chunk(&json!({"content": text(delta, "text")}), None, out),
            "input_json_delta" => {
                let piece = text(delta, "partial_json");
                if let (Some((number, begun)), false) = (&mut self.call, piece.is_empty()) {
                    *begun = true;
                    let number = *number;
                    self.arguments(number, piece, out);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn arguments(&self, number: u64, piece: &str, out: &mut Vec<u8>) {
        let call = json!({"index": number, "function": {"arguments": piece}});
        self.chunk(&json!({"tool_calls": [call]}), None, out);
    }

    /// What all chunks have.
    fn frame(&self, choices: Value) -> Map<String, Value> {
        let mut chunk = Map::new();
        chunk.insert("id".to_owned(), self.id.as_str().into());
        chunk.insert("object".to_owned(), "chat.completion.chunk".into());
        chunk.insert("created".to_owned(), self.created.into());
        chunk.insert("model".to_owned(), self.model.as_str().into());
        chunk.insert("choices".to_owned(), choices);
        chunk
    }

    fn used(&self) -> Value {
        openai_usage(Some(&Value::from(self.usage.clone())))
    }

    fn chunk(&self, delta: &Value, finish: Option<&str>, out: &mut Vec<u8>) {
        let choice = json!({
            "index": 0, "delta": delta, "logprobs": null, "finish_reason": finish,
        });
        let mut chunk = self.frame(json!([choice]));
        if finish.is_some() && !self.asked {
            // Told where no client stumbles over it: the gateway counts by it.
            chunk.insert("usage".to_owned(), self.used());
        }
        write(out, None, &Value::from(chunk).to_string());
    }
}
