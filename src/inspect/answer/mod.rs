//! What a provider answers, plain or streamed: judged, cleaned and written on.
//!
//! ```text
//! bytes ─► sse (events) ─► json, walk (what stands where) ─► texts (one Speech each) ─► script ─► bytes
//! ```
//! Lives here: the shapes of answers, the texts that go on over events, how events are rewritten
//! and how a stream must end. Must not live here: sockets, clocks, the words of refusals.
//!
//! A plain answer is a stream of one frame, held until it is judged. A text that goes on over
//! events is one `Speech`; what of it may leave is put back into the events it came in.
//! May miss: what `walk` and the detectors miss.

mod again;
mod arguments;
mod cross_check;
mod frame;
mod script;
pub mod sse;
mod talk;
mod tally;
#[cfg(test)]
mod tests;
mod texts;
mod walk;
mod whole;
mod words;
mod write;

use std::time::Duration;

pub use cross_check::{Disagreement, cross_check};

use self::script::Script;
use self::sse::{Framer, TooLong};
use self::talk::Talk;
use super::engine::{Hold, Inspector, Notes};
use super::finding::{Refusal, Report};
use super::json::{JsonError, Limits};

/// The longest plain answer.
pub const PLAIN_MOST: usize = 16 * 1024 * 1024;

/// What is done to answers besides what the inspector looks for.
#[derive(Debug, Clone)]
pub struct AnswerPolicy {
    /// Fields that go, in any case and at any depth.
    pub strip: Box<[Box<str>]>,
    /// Whether a tool call waits until it is whole and judged.
    pub hold_calls: bool,
    /// How much of a text may wait, and how long; how long a text may be.
    pub hold: Hold,
    /// How JSON is read.
    pub limits: Limits,
}

/// How an answer is shaped, by the path that was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Chat and the older completions: `choices`, and `[DONE]` at the end.
    Chat,
    /// The responses API: typed, numbered events.
    Responses,
    /// Anthropic's messages: typed events of content blocks.
    Messages,
    /// JSON of another kind.
    Other,
}

/// Why an answer goes no further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// What it says is refused.
    #[error("the answer is refused for what it says")]
    Refused(Refusal),
    /// It is not JSON.
    #[error("the answer is not valid JSON")]
    Json,
    /// It is longer than what can be held, or has more parts.
    #[error("the answer is too large to be inspected")]
    TooLarge,
    /// The provider says in its stream that it failed.
    #[error("the provider reports an error in its stream")]
    Failed,
    /// The stream is over and its end was not said.
    #[error("the stream ends without its end")]
    Unfinished,
}

impl From<TooLong> for Broken {
    fn from(_: TooLong) -> Self {
        Self::TooLarge
    }
}

impl From<Refusal> for Broken {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<JsonError> for Broken {
    fn from(_: JsonError) -> Self {
        Self::Json
    }
}

/// What an answer is inspected by.
#[derive(Debug, Clone, Copy)]
pub struct By<'p> {
    /// The detectors.
    pub inspector: &'p Inspector,
    /// What else is done.
    pub policy: &'p AnswerPolicy,
    /// Time since the answer began.
    pub now: Duration,
}

/// What was used, as far as the provider has said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Used {
    /// Tokens read.
    pub prompt: Option<u64>,
    /// Tokens written.
    pub completion: Option<u64>,
}

/// An answer as far as it was read.
#[derive(Debug)]
pub struct Answer {
    shape: Shape,
    body: Body,
    notes: Notes,
    bytes: u64,
    used: Used,
    outcome: Result<(), Broken>,
}

/// What a plain answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// JSON.
    Json,
    /// Text.
    Text,
    /// JSON that tells the caller of a fault.
    Fault,
}

#[derive(Debug)]
enum Body {
    Plain(Kind, Vec<u8>),
    Stream(Box<Stream>),
}

/// A stream of events.
#[derive(Debug, Default)]
struct Stream {
    framer: Framer,
    talk: Talk,
}

impl Answer {
    /// An answer in one piece of JSON.
    pub fn plain(shape: Shape) -> Self {
        Self::new(shape, Body::Plain(Kind::Json, Vec::new()))
    }

    /// An answer that is text and no JSON, such as a transcript.
    pub fn text() -> Self {
        Self::new(Shape::Other, Body::Plain(Kind::Text, Vec::new()))
    }

    /// A refusal of the provider's in JSON, which may pass if there is nothing to find in it.
    pub fn fault() -> Self {
        Self::new(Shape::Other, Body::Plain(Kind::Fault, Vec::new()))
    }

    /// An answer in events.
    pub fn stream(shape: Shape) -> Self {
        Self::new(shape, Body::Stream(Box::default()))
    }

    /// The same, without the chunk that says what was used, and nothing else.
    #[must_use]
    pub fn without_usage(mut self) -> Self {
        if let Body::Stream(stream) = &mut self.body {
            stream.talk.without_usage = true;
        }
        self
    }

    /// The same with every event read as JSON, the same as others or not.
    fn reading_each(mut self) -> Self {
        if let Body::Stream(stream) = &mut self.body {
            stream.talk.reads_each = true;
        }
        self
    }

    fn new(shape: Shape, body: Body) -> Self {
        Self {
            shape,
            body,
            notes: Notes::new(),
            bytes: 0,
            used: Used::default(),
            outcome: Ok(()),
        }
    }

    /// Whether it comes in events.
    pub const fn is_stream(&self) -> bool {
        matches!(self.body, Body::Stream(_))
    }

    /// Whether the stream has said its own end; what follows is left out.
    pub fn has_ended(&self) -> bool {
        matches!(&self.body, Body::Stream(stream) if stream.talk.ended)
    }

    /// Takes the next bytes and appends what may leave. After an error nothing leaves any more.
    ///
    /// # Errors
    /// The answer goes no further; what was appended before still may leave.
    pub fn push(&mut self, by: By<'_>, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Broken> {
        self.outcome?;
        self.bytes = self
            .bytes
            .saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        self.outcome = match &mut self.body {
            Body::Plain(_, held) if held.len().saturating_add(bytes.len()) > PLAIN_MOST => {
                Err(Broken::TooLarge)
            }
            Body::Plain(_, held) => {
                held.extend_from_slice(bytes);
                Ok(())
            }
            Body::Stream(stream) => {
                let Stream { framer, talk } = &mut **stream;
                let heard = (&mut self.notes, &mut self.used);
                Script::with(|script| {
                    talk.hear((framer, bytes), (self.shape, by), heard, script, out)
                })
            }
        };
        self.outcome
    }

    /// When what is held may be held no longer.
    pub fn due(&self, policy: &AnswerPolicy) -> Option<Duration> {
        match &self.body {
            Body::Plain(..) => None,
            Body::Stream(_) if self.outcome.is_err() => None,
            Body::Stream(stream) => stream.talk.texts.due(&policy.hold),
        }
    }

    /// Lets go of what was held for as long as it may be.
    ///
    /// # Errors
    /// As for [`Answer::push`].
    pub fn tick(&mut self, by: By<'_>, out: &mut Vec<u8>) -> Result<(), Broken> {
        self.outcome?;
        if let Body::Stream(stream) = &mut self.body {
            let (talk, notes, shape) = (&mut stream.talk, &mut self.notes, self.shape);
            self.outcome = Script::with(|script| talk.expire((shape, by), notes, script, out));
        }
        self.outcome
    }

    /// The answer is over; appends the rest.
    ///
    /// # Errors
    /// As for [`Answer::push`]; or it has no end of its own.
    pub fn finish(&mut self, by: By<'_>, out: &mut Vec<u8>) -> Result<(), Broken> {
        self.outcome?;
        self.outcome = match &mut self.body {
            Body::Plain(kind, held) => {
                let held = std::mem::take(held);
                let heard = (&mut self.notes, &mut self.used);
                match kind {
                    Kind::Json if tally::hears(by, &held) => tally::read(held, by, heard.1, out),
                    Kind::Text => whole::text(&held, by, heard.0, out),
                    Kind::Json => Script::with(|script| whole::json(&held, by, heard, script, out)),
                    Kind::Fault => {
                        Script::with(|script| whole::fault(&held, by, heard, script, out))
                    }
                }
            }
            Body::Stream(stream) if stream.talk.ended => Ok(()),
            Body::Stream(stream) if self.shape == Shape::Other => {
                let (talk, notes) = (&mut stream.talk, &mut self.notes);
                Script::with(|script| talk.over(by, notes, script, out))
            }
            Body::Stream(_) => Err(Broken::Unfinished),
        };
        self.outcome
    }

    /// What was done and found.
    pub fn report(&self, inspector: &Inspector) -> Report {
        self.notes.report(inspector, self.bytes)
    }

    /// What was used.
    pub const fn used(&self) -> Used {
        self.used
    }

    /// The number of an event of our own that ends a stream of the responses API.
    pub fn next_number(&self) -> u64 {
        match &self.body {
            Body::Plain(..) => 0,
            Body::Stream(stream) => stream.talk.next_number(),
        }
    }

    /// Bytes that it takes in memory.
    pub fn state_bytes(&self) -> usize {
        let body = match &self.body {
            Body::Plain(_, held) => held.capacity(),
            Body::Stream(stream) => stream
                .framer
                .state_bytes()
                .saturating_add(stream.talk.state_bytes())
                .saturating_add(size_of::<Stream>()),
        };
        size_of::<Self>().saturating_add(body)
    }
}
