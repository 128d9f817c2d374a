//! OpenAI's chunks as Anthropic's events.

use serde_json::{Map, Value, json};

use super::super::Untold;
use super::super::words::{anthropic_usage, elements, id, merge, stop_reason, text};
use super::write;

/// A stream of events as far as it was told.
#[derive(Debug, Default)]
pub(super) struct Events {
    begun: bool,
    /// The block that is open, and the number of the next one.
    open: Option<Block>,
    next: u64,
    /// The number of the last tool call, in the provider's count.
    call: Option<u64>,
    finish: Option<&'static str>,
    usage: Map<String, Value>,
    ended: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Block {
    Text(u64),
    Call(u64),
}

impl Events {
    pub(super) fn tell(&mut self, chunk: &Value, out: &mut Vec<u8>) -> Result<(), Untold> {
        if self.ended {
            return Ok(());
        }
        if chunk.get("error").is_some_and(|error| !error.is_null()) {
            return Err(Untold::Failed);
        }
        if text(chunk, "object") != "chat.completion.chunk" {
            return Err(Untold::Shape);
        }
        merge(&mut self.usage, chunk.get("usage"));
        if !self.begun {
            self.begin(chunk, out);
        }
        let first = |choice: &&Value| choice.get("index").is_none_or(|index| *index == 0);
        let Some(choice) = elements(chunk, "choices").iter().find(first) else {
            return Ok(());
        };
        let delta = choice.get("delta").unwrap_or(&Value::Null);
        for name in ["content", "refusal"] {
            self.said(text(delta, name), out);
        }
        for call in elements(delta, "tool_calls") {
            self.called(call, out)?;
        }
        let finish = text(choice, "finish_reason");
        if !finish.is_empty() {
            self.finish = Some(stop_reason(finish));
        }
        Ok(())
    }

    /// The provider has said its end.
    pub(super) fn end(&mut self, out: &mut Vec<u8>) {
        if self.ended || !self.begun {
            return;
        }
        self.close(out);
        let usage = anthropic_usage(Some(&Value::from(std::mem::take(&mut self.usage))));
        event(
            out,
            &json!({
                "type": "message_delta",
                "delta": {"stop_reason": self.finish.unwrap_or("end_turn"), "stop_sequence": null},
                "usage": usage,
            }),
        );
        event(out, &json!({"type": "message_stop"}));
        self.ended = true;
    }

    fn begin(&mut self, chunk: &Value, out: &mut Vec<u8>) {
        self.begun = true;
        event(
            out,
            &json!({"type": "message_start", "message": {
                "id": id("msg_", text(chunk, "id")), "type": "message", "role": "assistant",
                "model": text(chunk, "model"), "content": [], "stop_reason": null,
                "stop_sequence": null, "usage": anthropic_usage(None),
            }}),
        );
    }

    fn said(&mut self, words: &str, out: &mut Vec<u8>) {
        if words.is_empty() {
            return;
        }
        let number = match self.open {
            Some(Block::Text(number)) => number,
            Some(Block::Call(_)) | None => {
                let number = self.open(&json!({"type": "text", "text": ""}), out);
                self.open = Some(Block::Text(number));
                number
            }
        };
        event(
            out,
            &json!({
                "type": "content_block_delta", "index": number,
                "delta": {"type": "text_delta", "text": words},
            }),
        );
    }

    /// A piece of a tool call. The calls of one answer come one after the other.
    fn called(&mut self, call: &Value, out: &mut Vec<u8>) -> Result<(), Untold> {
        let theirs = call
            .get("index")
            .and_then(Value::as_u64)
            .unwrap_or_default();
        let function = call.get("function").unwrap_or(&Value::Null);
        let number = match (self.open, self.call) {
            (Some(Block::Call(number)), Some(known)) if known == theirs => number,
            (_, Some(known)) if theirs <= known => return Err(Untold::Shape),
            _ => {
                let number = self.open(
                    &json!({
                        "type": "tool_use", "id": text(call, "id"),
                        "name": text(function, "name"), "input": {},
                    }),
                    out,
                );
                (self.open, self.call) = (Some(Block::Call(number)), Some(theirs));
                number
            }
        };
        let piece = text(function, "arguments");
        if !piece.is_empty() {
            event(
                out,
                &json!({
                    "type": "content_block_delta", "index": number,
                    "delta": {"type": "input_json_delta", "partial_json": piece},
                }),
            );
        }
        Ok(())
    }

    /// Opens a block in the place of the one that is open.
    fn open(&mut self, block: &Value, out: &mut Vec<u8>) -> u64 {
        self.close(out);
        let number = self.next;
        self.next = number.saturating_add(1);
        event(
            out,
            &json!({
                "type": "content_block_start", "index": number, "content_block": block,
            }),
        );
        number
    }

    fn close(&mut self, out: &mut Vec<u8>) {
        if let Some(Block::Text(number) | Block::Call(number)) = self.open.take() {
            event(out, &json!({"type": "content_block_stop", "index": number}));
        }
    }
}

fn event(out: &mut Vec<u8>, event: &Value) {
    write(out, Some(text(event, "type")), &event.to_string());
}
