//! One call to the embedded provider: the parsed body, the texts in it, and what is echoed.
//!
//! Decides which text of a request is the prompt and how it is counted and cut. It never makes a
//! shape of an answer.

use serde_json::{Map, Value};

use super::{MAX_CHOICES, MAX_PIECES, MAX_TEXT};

/// Longest name of a model: every chunk of a stream repeats it.
const MAX_MODEL: usize = 256;

/// Why a call is refused.
pub(super) struct Fault {
    pub(super) status: u16,
    pub(super) message: String,
    pub(super) param: Option<&'static str>,
}

impl Fault {
    fn new(status: u16, message: &str) -> Self {
        Self {
            status,
            message: message.to_owned(),
            param: None,
        }
    }

    pub(super) fn not_found() -> Self {
        Self::new(404, "Unknown request URL.")
    }

    pub(super) fn too_large() -> Self {
        Self::new(413, "The request body is too large.")
    }

    pub(super) fn not_http() -> Self {
        Self::new(400, "The request could not be parsed as HTTP.")
    }

    fn not_json() -> Self {
        Self::new(400, "The JSON body of the request could not be parsed.")
    }

    /// The field is missing or not of the kind that `wanted` says.
    pub(super) fn field(param: &'static str, wanted: &str) -> Self {
        Self {
            status: 400,
            message: format!("`{param}` must be {wanted}."),
            param: Some(param),
        }
    }

    pub(super) const fn anthropic_type(&self) -> &'static str {
        match self.status {
            413 => "request_too_large",
            _ => "invalid_request_error",
        }
    }
}

/// The parsed body and what names its answer.
pub(super) struct Call {
    fields: Map<String, Value>,
    /// Hexadecimal, the same for the same body at the same time.
    pub(super) id: String,
    /// Seconds since 1970.
    pub(super) now: u64,
}

impl Call {
    pub(super) fn parse(body: &[u8], now: u64) -> Result<Self, Fault> {
        // serde_json stops at 128 levels, so that a deep body can't exhaust the stack.
        let Ok(Value::Object(fields)) = serde_json::from_slice(body) else {
            return Err(Fault::not_json());
        };
        let id = format!("{:016x}", digest(now, body));
        Ok(Self { fields, id, now })
    }

    /// A field; `null` counts as missing, as it does for the real APIs.
    pub(super) fn field(&self, name: &str) -> Option<&Value> {
        self.fields.get(name).filter(|value| !value.is_null())
    }

    pub(super) fn model(&self) -> Result<&str, Fault> {
        self.field("model")
            .and_then(Value::as_str)
            .filter(|model| model.len() <= MAX_MODEL)
            .ok_or_else(|| Fault::field("model", "the name of a model"))
    }

    /// Whether the answer is to be streamed.
    pub(super) fn streams(&self) -> Result<bool, Fault> {
        match self.field("stream") {
            None => Ok(false),
            Some(value) => value
                .as_bool()
                .ok_or_else(|| Fault::field("stream", "true or false")),
        }
    }

    /// Whether a stream ends with a piece that tells the usage.
    pub(super) fn usage_wanted(&self) -> bool {
        self.field("stream_options")
            .and_then(|options| options.get("include_usage"))
            .and_then(Value::as_bool)
            .unwrap_or(false)
    }

    /// How many choices are asked for.
    pub(super) fn choices(&self) -> Result<usize, Fault> {
        let Some(value) = self.field("n") else {
            return Ok(1);
        };
        value
            .as_u64()
            .and_then(|n| usize::try_from(n).ok())
            .filter(|n| (1..=MAX_CHOICES).contains(n))
            .ok_or_else(|| Fault::field("n", &format!("a number from 1 to {MAX_CHOICES}")))
    }

    /// The messages of a chat: at least one.
    pub(super) fn messages(&self) -> Result<&[Value], Fault> {
        self.field("messages")
            .and_then(Value::as_array)
            .filter(|messages| !messages.is_empty())
            .map(Vec::as_slice)
            .ok_or_else(|| Fault::field("messages", "a list of at least one message"))
    }
}

/// The text of a message's content: a text, or the texts among its parts.
pub(super) fn text_of(content: Option<&Value>) -> String {
    let Some(content) = content else {
        return String::new();
    };
    if let Some(text) = content.as_str() {
        return text.to_owned();
    }
    let texts: Vec<&str> = content
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|part| part.get("text").and_then(Value::as_str))
        .collect();
    texts.join("\n")
}

/// What is echoed of a chat: the text of the last message that the user wrote.
pub(super) fn last_user_text(messages: &[Value]) -> String {
    let last = messages
        .iter()
        .rev()
        .find(|message| message.get("role").and_then(Value::as_str) == Some("user"));
    text_of(last.and_then(|message| message.get("content")))
}

/// The words of all messages.
pub(super) fn words_of(messages: &[Value]) -> usize {
    messages
        .iter()
        .map(|message| words(&text_of(message.get("content"))))
        .sum()
}

/// The unit of `usage`: a run of non-blank characters.
pub(super) fn words(text: &str) -> usize {
    text.split_whitespace().count()
}

/// A prompt as completions and embeddings take it: a text, tokens, or a list of either. None where
/// it is neither, or empty.
pub(super) fn prompts(value: &Value) -> Option<Vec<String>> {
    if let Some(text) = value.as_str() {
        return Some(vec![text.to_owned()]);
    }
    let items = value.as_array().filter(|items| !items.is_empty())?;
    if items.iter().all(Value::is_u64) {
        return tokens(value).map(|text| vec![text]);
    }
    items
        .iter()
        .map(|item| item.as_str().map(str::to_owned).or_else(|| tokens(item)))
        .collect()
}

/// Tokens stand for themselves: there is no vocabulary here to look them up in.
fn tokens(value: &Value) -> Option<String> {
    let numbers: Option<Vec<String>> = value
        .as_array()?
        .iter()
        .map(|token| token.as_u64().map(|number| number.to_string()))
        .collect();
    numbers.map(|numbers| numbers.join(" "))
}

/// The text of one choice, cut to its share of what an answer may hold.
pub(super) struct Echo {
    pub(super) text: String,
    /// False where the text was cut.
    pub(super) whole: bool,
    most_pieces: usize,
}

impl Echo {
    /// One of `choices` that share the limits of an answer.
    pub(super) fn new(text: &str, choices: usize) -> Self {
        let most = MAX_TEXT.checked_div(choices).unwrap_or(MAX_TEXT);
        let (kept, cut) = text
            .split_at_checked(text.floor_char_boundary(most))
            .unwrap_or((text, ""));
        let most_pieces = MAX_PIECES.checked_div(choices).unwrap_or(MAX_PIECES).max(1);
        Self {
            text: kept.to_owned(),
            whole: cut.is_empty(),
            most_pieces,
        }
    }

    pub(super) fn words(&self) -> usize {
        words(&self.text)
    }

    /// The text in pieces of a word each, or of several where it has too many words.
    pub(super) fn pieces(&self) -> Vec<String> {
        let blank_ended = || self.text.split_inclusive(char::is_whitespace);
        let a_piece = blank_ended().count().div_ceil(self.most_pieces).max(1);
        let mut rest = blank_ended().peekable();
        let mut pieces = Vec::new();
        while rest.peek().is_some() {
            pieces.push(rest.by_ref().take(a_piece).collect());
        }
        pieces
    }
}

/// FNV-1a with a final mix: names answers and makes vectors. No part of any security promise.
pub(super) fn digest(seed: u64, bytes: &[u8]) -> u64 {
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let hash = seed
        .to_le_bytes()
        .iter()
        .chain(bytes)
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(PRIME)
        });
    // FNV alone leaves the high bits of short inputs nearly alike.
    let mixed = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    mixed ^ (mixed >> 33)
}
