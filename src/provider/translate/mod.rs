//! One conversation in two languages: OpenAI's chat and Anthropic's messages, both directions.
//!
//! Lives here: how a judged request is said in the provider's words, and how its answer, plain,
//! streamed or a fault, is said in the client's. Must not live here: which provider is called, how
//! bytes travel, what may be said at all: answers are inspected after they were translated.
//!
//! What has no counterpart is a fault that names the field, unless leaving it out changes nothing
//! that the caller asked for (hints for caches, seeds, the caller's own labels). May miss: the
//! order of keys in schemas and tool input, and numbers that no double holds.

mod answer;
mod fault;
mod request;
mod stream;
#[cfg(test)]
mod tests;
mod words;

use serde_json::Value;

use crate::inspect::answer::PLAIN_MOST;
use crate::inspect::answer::sse::TooLong;
use crate::inspect::fault::{FieldFault, Problem};
use crate::policy::Api;
use crate::record::endpoint::Endpoint;

/// How a request of one path is said to one provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// As it is.
    Same,
    /// In other words.
    Translated(Direction),
    /// Not at all: the provider has no such call.
    Nowhere,
}

/// Whose words the client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The client speaks OpenAI's chat API, the provider Anthropic's messages API.
    ChatToMessages,
    /// The other way round.
    MessagesToChat,
}

impl Way {
    /// The way of a call to `endpoint` towards a provider that speaks `api`.
    pub const fn of(api: Api, endpoint: Endpoint) -> Self {
        match (api, endpoint) {
            (Api::Anthropic, Endpoint::ChatCompletions) => {
                Self::Translated(Direction::ChatToMessages)
            }
            (Api::OpenAi, Endpoint::Messages) => Self::Translated(Direction::MessagesToChat),
            (
                Api::Anthropic,
                Endpoint::Completions
                | Endpoint::Responses
                | Endpoint::Embeddings
                | Endpoint::Moderations,
            ) => Self::Nowhere,
            (Api::Anthropic | Api::OpenAi | Api::Echo, _) => Self::Same,
        }
    }
}

impl Direction {
    /// The path of the call at the provider.
    pub const fn path(self) -> &'static str {
        match self {
            Self::ChatToMessages => "/v1/messages",
            Self::MessagesToChat => "/v1/chat/completions",
        }
    }
}

/// What the answer must be like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// Whose words the client speaks.
    pub direction: Direction,
    /// Whether the client asked for a chunk with usage at the end of a stream.
    pub usage: bool,
}

/// Says a request in the provider's words.
///
/// # Errors
/// A field that has no counterpart there, or that is not what it must be.
pub fn request(
    direction: Direction,
    body: &[u8],
    model: &str,
) -> Result<(Vec<u8>, Wanted), FieldFault> {
    let body: Value = serde_json::from_slice(body).map_err(|_of_json| FieldFault {
        param: "".into(),
        problem: Problem::NotAnObject,
    })?;
    let usage = body.pointer("/stream_options/include_usage");
    let usage = usage.and_then(Value::as_bool).unwrap_or_default();
    let said = match direction {
        Direction::ChatToMessages => request::chat::to_messages(&body, model)?,
        Direction::MessagesToChat => request::messages::to_chat(&body, model)?,
    };
    Ok((said.to_string().into_bytes(), Wanted { direction, usage }))
}

/// Why an answer can't be translated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Untold {
    /// It is not what the provider's API answers.
    #[error("the answer is not in the shape of the provider's API")]
    Shape,
    /// It is longer than what can be held.
    #[error("the answer is too large to be translated")]
    TooLarge,
    /// The provider says in its stream that it failed.
    #[error("the provider reports an error in its stream")]
    Failed,
}

impl From<TooLong> for Untold {
    fn from(_: TooLong) -> Self {
        Self::TooLarge
    }
}

/// An answer on its way into the client's words.
#[derive(Debug)]
pub struct Translator {
    wanted: Wanted,
    /// Seconds since 1970.
    created: u64,
    body: Body,
}

#[derive(Debug)]
enum Body {
    Plain(Vec<u8>),
    Fault(Vec<u8>, u16),
    Stream(Box<stream::Stream>),
}

impl Translator {
    /// For an answer in one piece of JSON.
    pub const fn plain(wanted: Wanted, created: u64) -> Self {
        Self::new(wanted, created, Body::Plain(Vec::new()))
    }

    /// For a refusal with this status.
    pub const fn fault(wanted: Wanted, status: u16) -> Self {
        Self::new(wanted, 0, Body::Fault(Vec::new(), status))
    }

    /// For an answer in events.
    pub fn stream(wanted: Wanted, created: u64) -> Self {
        let stream = stream::Stream::new(wanted, created);
        Self::new(wanted, created, Body::Stream(Box::new(stream)))
    }

    const fn new(wanted: Wanted, created: u64, body: Body) -> Self {
        Self {
            wanted,
            created,
            body,
        }
    }

    /// Takes the provider's next bytes and appends what they say, in the client's words.
    ///
    /// # Errors
    /// The answer can't be told; nothing of it may follow.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Untold> {
        match &mut self.body {
            Body::Plain(held) | Body::Fault(held, _) => {
                if held.len().saturating_add(bytes.len()) > PLAIN_MOST {
                    return Err(Untold::TooLarge);
                }
                held.extend_from_slice(bytes);
                Ok(())
            }
            Body::Stream(stream) => stream.push(bytes, out),
        }
    }

    /// The provider's answer is over; appends the rest. A stream that did not say its end gets
    /// none here either.
    ///
    /// # Errors
    /// As for [`Translator::push`].
    pub fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), Untold> {
        let said = match &mut self.body {
            Body::Stream(_) => return Ok(()),
            Body::Plain(held) => {
                let answer = parsed(&std::mem::take(held))?;
                match self.wanted.direction {
                    Direction::ChatToMessages => answer::to_completion(&answer, self.created)?,
                    Direction::MessagesToChat => answer::to_message(&answer)?,
                }
            }
            Body::Fault(held, status) => {
                let answer = parsed(&std::mem::take(held))?;
                fault::told(self.wanted.direction, &answer, *status)?
            }
        };
        out.extend_from_slice(said.to_string().as_bytes());
        Ok(())
    }
}

fn parsed(bytes: &[u8]) -> Result<Value, Untold> {
    serde_json::from_slice(bytes).map_err(|_of_json| Untold::Shape)
}
