//! OpenAI's chat completions and completions, as the embedded provider answers them.
//!
//! Decides the shape of the two answers, whole and in chunks. It never invents tool calls, log
//! probabilities or refusals.

use bytes::Bytes;
use serde_json::{Value, json};

use super::call::{Call, Echo, Fault, last_user_text, prompts, words, words_of};
use super::{Answer, DONE_FRAME, MAX_CHOICES, data_frame};

/// `/v1/chat/completions`.
pub(super) fn chat(call: &Call) -> Result<Answer, Fault> {
    let model = call.model()?;
    let messages = call.messages()?;
    let choices = call.choices()?;
    let echo = Echo::new(&last_user_text(messages), choices);
    let usage = usage(words_of(messages), echo.words().saturating_mul(choices));
    let head = Head {
        id: format!("chatcmpl-{}", call.id),
        created: call.now,
        model,
    };
    if call.streams()? {
        return Ok(chat_stream(
            &head,
            &echo,
            choices,
            call.usage_wanted().then_some(usage),
        ));
    }
    let choices: Vec<Value> = (0..choices)
        .map(|index| {
            json!({
                "index": index,
                "message": {
                    "role": "assistant",
                    "content": echo.text,
                    "refusal": null,
                    "annotations": [],
                },
                "logprobs": null,
                "finish_reason": finish_reason(&echo),
            })
        })
        .collect();
    Ok(Answer::plain(
        200,
        &head.document("chat.completion", &choices, Some(usage)),
    ))
}

fn chat_stream(head: &Head<'_>, echo: &Echo, choices: usize, usage: Option<Value>) -> Answer {
    let chunk = |delta: Value, finish: Option<&str>, index: usize| {
        let choice = json!({
            "index": index,
            "delta": delta,
            "logprobs": null,
            "finish_reason": finish,
        });
        head.chunk("chat.completion.chunk", &[choice], usage.is_some())
    };
    let mut frames = Vec::new();
    for index in 0..choices {
        let opening = json!({"role": "assistant", "content": "", "refusal": null});
        frames.push(chunk(opening, None, index));
    }
    for piece in echo.pieces() {
        for index in 0..choices {
            frames.push(chunk(json!({"content": piece}), None, index));
        }
    }
    for index in 0..choices {
        frames.push(chunk(json!({}), Some(finish_reason(echo)), index));
    }
    finish_stream(frames, head, "chat.completion.chunk", usage)
}

/// `/v1/completions`.
pub(super) fn completions(call: &Call) -> Result<Answer, Fault> {
    let model = call.model()?;
    let prompts = call
        .field("prompt")
        .and_then(prompts)
        .ok_or_else(|| Fault::field("prompt", "a text, tokens, or a list of either"))?;
    let each = call.choices()?;
    let choices = prompts.len().saturating_mul(each);
    if choices > MAX_CHOICES {
        let most = format!("a list that makes at most {MAX_CHOICES} choices");
        return Err(Fault::field("prompt", &most));
    }
    let asked = prompts.iter().map(|prompt| words(prompt)).sum();
    // OpenAI numbers the choices prompt by prompt.
    let echoes: Vec<Echo> = prompts
        .iter()
        .flat_map(|prompt| std::iter::repeat_n(prompt.as_str(), each))
        .map(|text| Echo::new(text, choices))
        .collect();
    let usage = usage(asked, echoes.iter().map(Echo::words).sum());
    let head = Head {
        id: format!("cmpl-{}", call.id),
        created: call.now,
        model,
    };
    if call.streams()? {
        return Ok(completion_stream(
            &head,
            &echoes,
            call.usage_wanted().then_some(usage),
        ));
    }
    let choices: Vec<Value> = echoes
        .iter()
        .enumerate()
        .map(|(index, echo)| completion_choice(index, &echo.text, Some(finish_reason(echo))))
        .collect();
    Ok(Answer::plain(
        200,
        &head.document("text_completion", &choices, Some(usage)),
    ))
}

fn completion_stream(head: &Head<'_>, echoes: &[Echo], usage: Option<Value>) -> Answer {
    let chunk = |index: usize, text: &str, finish: Option<&str>| {
        let choice = completion_choice(index, text, finish);
        head.chunk("text_completion", &[choice], usage.is_some())
    };
    let mut frames = Vec::new();
    for (index, echo) in echoes.iter().enumerate() {
        for piece in echo.pieces() {
            frames.push(chunk(index, &piece, None));
        }
        frames.push(chunk(index, "", Some(finish_reason(echo))));
    }
    finish_stream(frames, head, "text_completion", usage)
}

fn completion_choice(index: usize, text: &str, finish: Option<&str>) -> Value {
    json!({"text": text, "index": index, "logprobs": null, "finish_reason": finish})
}

/// What every document of one answer repeats.
struct Head<'a> {
    id: String,
    created: u64,
    model: &'a str,
}

impl Head<'_> {
    fn document(&self, object: &str, choices: &[Value], usage: Option<Value>) -> Value {
        let mut document = json!({
            "id": self.id,
            "object": object,
            "created": self.created,
            "model": self.model,
            "choices": choices,
            "system_fingerprint": "fp_echo",
        });
        if let (Some(usage), Some(fields)) = (usage, document.as_object_mut()) {
            fields.insert("usage".to_owned(), usage);
        }
        document
    }

    /// A chunk; where the usage comes at the end, all chunks before it say `"usage": null`.
    fn chunk(&self, object: &str, choices: &[Value], usage_follows: bool) -> Bytes {
        let usage = usage_follows.then_some(Value::Null);
        data_frame(&self.document(object, choices, usage))
    }
}

fn finish_stream(
    mut frames: Vec<Bytes>,
    head: &Head<'_>,
    object: &str,
    usage: Option<Value>,
) -> Answer {
    if usage.is_some() {
        frames.push(data_frame(&head.document(object, &[], usage)));
    }
    frames.push(DONE_FRAME);
    Answer::Stream(frames)
}

const fn finish_reason(echo: &Echo) -> &'static str {
    if echo.whole { "stop" } else { "length" }
}

fn usage(prompt: usize, completion: usize) -> Value {
    json!({
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt.saturating_add(completion),
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": 0,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    })
}
