//! The embedded provider: answers in the true shapes of OpenAI's and Anthropic's APIs, with the
//! text that it was given.
//!
//! Decides what the answer to a path and a body is, as bytes; the same bytes at the same time give
//! the same answer. It needs no key, no model list and no network, and never connects, waits or
//! reads a clock. A model is whatever the caller names. Counts in `usage` are words (runs of
//! non-blank characters): the prompt's over all texts in it, the answer's over all its choices. A
//! stream has a piece a word, its blanks included, so that the pieces joined are the text.
//!
//! May miss: fields that change nothing in an echo (sampling, token limits, tools) are accepted and
//! ignored. Of parts of a content only texts are read; several are joined by line breaks. One
//! answer is at most [`MAX_TEXT`] bytes of text over all choices, [`MAX_CHOICES`] choices and about
//! [`MAX_PIECES`] pieces; a longer text is cut and says so, as a model's does that ran into its
//! limit.

mod anthropic;
mod call;
mod embeddings;
mod openai;
mod responses;
mod uploads;

#[cfg(test)]
mod tests;

use bytes::Bytes;
use serde_json::{Value, json};

use call::{Call, Fault};
pub use uploads::{HEAD, Upload, answer as upload, takes as is_upload};

/// Most bytes of text in one answer, over all its choices.
pub const MAX_TEXT: usize = 1 << 20;

/// Most pieces that a streamed answer's text is cut into, over all its choices.
pub const MAX_PIECES: usize = 4096;

/// Most choices in one answer.
pub const MAX_CHOICES: usize = 64;

/// The answer to one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// One JSON document.
    Plain {
        /// HTTP status.
        status: u16,
        /// The document.
        body: Vec<u8>,
    },
    /// Server-sent events, each a whole frame, in the order in which they are sent.
    Stream(Vec<Bytes>),
}

impl Answer {
    fn plain(status: u16, document: &Value) -> Self {
        Self::Plain {
            status,
            body: document.to_string().into_bytes(),
        }
    }
}

/// Whose shape an error has.
#[derive(Clone, Copy)]
enum Dialect {
    OpenAi,
    Anthropic,
}

type Endpoint = fn(&Call) -> Result<Answer, Fault>;

/// Answers the body that came with a `POST` to `path`; `now` is in seconds since 1970.
pub fn answer(path: &str, body: &[u8], now: u64) -> Answer {
    let path = path.split_once('?').map_or(path, |(before, _)| before);
    let (dialect, endpoint): (_, Endpoint) = match path {
        "/v1/chat/completions" => (Dialect::OpenAi, openai::chat),
        "/v1/completions" => (Dialect::OpenAi, openai::completions),
        "/v1/responses" => (Dialect::OpenAi, responses::responses),
        "/v1/embeddings" => (Dialect::OpenAi, embeddings::embeddings),
        "/v1/moderations" => (Dialect::OpenAi, embeddings::moderations),
        "/v1/messages" => (Dialect::Anthropic, anthropic::messages),
        _ => return refuse(Dialect::OpenAi, &Fault::not_found()),
    };
    Call::parse(body, now)
        .and_then(|call| endpoint(&call))
        .unwrap_or_else(|fault| refuse(dialect, &fault))
}

/// The answer to a body that is longer than the embedded provider takes.
pub fn too_large(path: &str) -> Answer {
    let dialect = if path == "/v1/messages" {
        Dialect::Anthropic
    } else {
        Dialect::OpenAi
    };
    refuse(dialect, &Fault::too_large())
}

/// The answer to bytes that are no HTTP request.
pub fn not_http() -> Answer {
    refuse(Dialect::OpenAi, &Fault::not_http())
}

fn refuse(dialect: Dialect, fault: &Fault) -> Answer {
    let document = match dialect {
        Dialect::OpenAi => json!({"error": {
            "message": fault.message,
            "type": "invalid_request_error",
            "param": fault.param,
            "code": null,
        }}),
        Dialect::Anthropic => json!({
            "type": "error",
            "error": {"type": fault.anthropic_type(), "message": fault.message},
            "request_id": null,
        }),
    };
    Answer::plain(fault.status, &document)
}

/// A frame without a name, as OpenAI's completions have it.
fn data_frame(document: &Value) -> Bytes {
    Bytes::from(format!("data: {document}\n\n"))
}

/// A frame named after its document's `type`.
fn named_frame(document: &Value) -> Bytes {
    let name = document
        .get("type")
        .and_then(Value::as_str)
        .unwrap_or("message");
    Bytes::from(format!("event: {name}\ndata: {document}\n\n"))
}

/// The frame that ends OpenAI's completions.
const DONE_FRAME: Bytes = Bytes::from_static(b"data: [DONE]\n\n");
