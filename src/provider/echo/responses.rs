//! OpenAI's responses, as the embedded provider answers them.
//!
//! Decides the shape of the answer and the order of its events. It never keeps a response: each is
//! `"store": false`, and none can be asked for later or continued.

use bytes::Bytes;
use serde_json::{Value, json};

use super::call::{Call, Echo, Fault, last_user_text, text_of, words, words_of};
use super::{Answer, named_frame};

/// `/v1/responses`.
pub(super) fn responses(call: &Call) -> Result<Answer, Fault> {
    let response = Response::new(call)?;
    if call.streams()? {
        return Ok(Answer::Stream(response.events()));
    }
    Ok(Answer::plain(200, &response.document(Stage::Ended)))
}

/// How far a response has come.
#[derive(Clone, Copy)]
enum Stage {
    Begun,
    Ended,
}

struct Response<'a> {
    call: &'a Call,
    model: &'a str,
    echo: Echo,
    asked: usize,
    item_id: String,
}

impl<'a> Response<'a> {
    fn new(call: &'a Call) -> Result<Self, Fault> {
        let model = call.model()?;
        let input = call
            .field("input")
            .filter(|input| input.is_string() || input.is_array())
            .ok_or_else(|| Fault::field("input", "a text or a list of items"))?;
        let items = input.as_array().map(Vec::as_slice);
        let text = items.map_or_else(|| text_of(Some(input)), last_user_text);
        let asked = items
            .map_or_else(|| words(&text), words_of)
            .saturating_add(words(&text_of(call.field("instructions"))));
        Ok(Self {
            call,
            model,
            echo: Echo::new(&text, 1),
            asked,
            item_id: format!("msg_{}", call.id),
        })
    }

    const fn status(&self) -> &'static str {
        if self.echo.whole {
            "completed"
        } else {
            "incomplete"
        }
    }

    fn part(text: &str) -> Value {
        json!({"type": "output_text", "text": text, "annotations": [], "logprobs": []})
    }

    fn item(&self, stage: Stage) -> Value {
        let (status, content) = match stage {
            Stage::Begun => ("in_progress", Vec::new()),
            Stage::Ended => (self.status(), vec![Self::part(&self.echo.text)]),
        };
        json!({
            "type": "message",
            "id": self.item_id,
            "status": status,
            "role": "assistant",
            "content": content,
        })
    }

    fn document(&self, stage: Stage) -> Value {
        let (status, output, usage, incomplete) = match stage {
            Stage::Begun => ("in_progress", Vec::new(), None, None),
            Stage::Ended => (
                self.status(),
                vec![self.item(stage)],
                Some(self.usage()),
                (!self.echo.whole).then(|| json!({"reason": "max_output_tokens"})),
            ),
        };
        json!({
            "id": format!("resp_{}", self.call.id),
            "object": "response",
            "created_at": self.call.now,
            "status": status,
            "background": false,
            "error": null,
            "incomplete_details": incomplete,
            "instructions": self.call.field("instructions"),
            "max_output_tokens": self.call.field("max_output_tokens"),
            "metadata": self.metadata(),
            "model": self.model,
            "output": output,
            "parallel_tool_calls": true,
            "previous_response_id": null,
            "reasoning": {"effort": null, "summary": null},
            "store": false,
            "temperature": 1.0,
            "text": {"format": {"type": "text"}},
            "tool_choice": "auto",
            "tools": [],
            "top_p": 1.0,
            "truncation": "disabled",
            "usage": usage,
        })
    }

    /// What the caller attached comes back, as it does from the API that this is modelled on.
    fn metadata(&self) -> Value {
        let given = self
            .call
            .field("metadata")
            .filter(|given| given.is_object());
        given.cloned().unwrap_or_else(|| json!({}))
    }

    fn usage(&self) -> Value {
        let answered = self.echo.words();
        json!({
            "input_tokens": self.asked,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": answered,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": self.asked.saturating_add(answered),
        })
    }

    fn events(&self) -> Vec<Bytes> {
        let text = &self.echo.text;
        let begun = self.document(Stage::Begun);
        let mut events = vec![
            json!({"type": "response.created", "response": begun}),
            json!({"type": "response.in_progress", "response": begun}),
            json!({
                "type": "response.output_item.added",
                "output_index": 0,
                "item": self.item(Stage::Begun),
            }),
            self.within_item(
                "response.content_part.added",
                json!({"part": Self::part("")}),
            ),
        ];
        for piece in self.echo.pieces() {
            let delta = json!({"delta": piece, "logprobs": []});
            events.push(self.within_item("response.output_text.delta", delta));
        }
        events.extend([
            self.within_item(
                "response.output_text.done",
                json!({"text": text, "logprobs": []}),
            ),
            self.within_item(
                "response.content_part.done",
                json!({"part": Self::part(text)}),
            ),
            json!({
                "type": "response.output_item.done",
                "output_index": 0,
                "item": self.item(Stage::Ended),
            }),
            json!({
                "type": format!("response.{}", self.status()),
                "response": self.document(Stage::Ended),
            }),
        ]);
        events.into_iter().enumerate().map(numbered).collect()
    }

    /// An event about the one content part of the one output item.
    fn within_item(&self, kind: &str, mut event: Value) -> Value {
        if let Some(fields) = event.as_object_mut() {
            fields.insert("type".to_owned(), kind.into());
            fields.insert("item_id".to_owned(), self.item_id.as_str().into());
            fields.insert("output_index".to_owned(), 0.into());
            fields.insert("content_index".to_owned(), 0.into());
        }
        event
    }
}

fn numbered((number, mut event): (usize, Value)) -> Bytes {
    if let Some(fields) = event.as_object_mut() {
        fields.insert("sequence_number".to_owned(), number.into());
    }
    named_frame(&event)
}
