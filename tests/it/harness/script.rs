//! How a mock provider answers one request, well or badly, as a list of steps.

use std::time::Duration;

use serde_json::Value;
use tokio::sync::mpsc;

use super::http1::chunked;

/// When the answer begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// As soon as the request's head is there.
    Head,
    /// As soon as so many bytes of the body are there.
    Body(usize),
    /// When the request is complete, as providers do.
    Whole,
}

/// One step of an answer.
#[derive(Debug)]
pub(crate) enum Step {
    /// Writes these bytes.
    Send(Vec<u8>),
    /// Writes these bytes again and again until the other side leaves.
    Forever(Vec<u8>),
    /// Writes one piece after the other, so far apart.
    Spaced(Duration, Vec<Vec<u8>>),
    /// Does what the test says through its [`Feed`], until it ends it or drops it.
    Follow(mpsc::UnboundedReceiver<Self>),
    /// Does nothing until the other side leaves.
    Stall,
    /// Closes the connection in good order.
    Close,
    /// Resets the connection.
    Reset,
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Script {
    pub(crate) when: When,
    pub(crate) steps: Vec<Step>,
}

impl Script {
    /// These steps, once the request is complete.
    pub(crate) fn new(steps: Vec<Step>) -> Self {
        Self {
            when: When::Whole,
            steps,
        }
    }

    /// The same answer, begun earlier.
    pub(crate) fn at(mut self, when: When) -> Self {
        self.when = when;
        self
    }

    /// The same answer, then one more step.
    pub(crate) fn then(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// A JSON answer with an honest length.
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::body(status, "application/json", &[], body.to_string().as_bytes())
    }

    /// A JSON answer with further headers.
    pub(crate) fn json_with(status: u16, headers: &[(&str, &str)], body: &Value) -> Self {
        Self::body(
            status,
            "application/json",
            headers,
            body.to_string().as_bytes(),
        )
    }

    /// Any answer with an honest length.
    pub(crate) fn body(status: u16, kind: &str, headers: &[(&str, &str)], body: &[u8]) -> Self {
        let length = body.len().to_string();
        let framing = [("content-type", kind), ("content-length", length.as_str())];
        let mut wire = head(status, &[&framing, headers].concat());
        wire.extend_from_slice(body);
        Self::new(vec![Step::Send(wire)])
    }

    /// An answer whose Content-Length is `promised`, whatever the body's length is, and a close.
    pub(crate) fn wrong_length(promised: usize, body: &[u8]) -> Self {
        let length = promised.to_string();
        let headers = [
            ("content-type", "application/json"),
            ("content-length", length.as_str()),
        ];
        let mut wire = head(200, &headers);
        wire.extend_from_slice(body);
        Self::new(vec![Step::Send(wire), Step::Close])
    }

    /// A whole event stream, in one write.
    pub(crate) fn events(events: &[String]) -> Self {
        let mut wire = stream_head();
        for event in events {
            wire.extend_from_slice(&chunk(event));
        }
        wire.extend_from_slice(b"0\r\n\r\n");
        Self::new(vec![Step::Send(wire)])
    }

    /// The head of an event stream at once, then what the test feeds it.
    pub(crate) fn live() -> (Self, Feed) {
        let (feed, steps) = mpsc::unbounded_channel();
        (
            Self::new(vec![Step::Send(stream_head()), Step::Follow(steps)]),
            Feed(feed),
        )
    }

    /// Nothing at all until the test feeds it.
    pub(crate) fn fed() -> (Self, Feed) {
        let (feed, steps) = mpsc::unbounded_channel();
        (Self::new(vec![Step::Follow(steps)]), Feed(feed))
    }

    /// Exactly these bytes, and a close.
    pub(crate) fn raw(bytes: &[u8]) -> Self {
        Self::new(vec![Step::Send(bytes.to_vec()), Step::Close])
    }

    /// No answer: the provider hangs until the gateway gives up.
    pub(crate) fn stall() -> Self {
        Self::new(vec![Step::Stall])
    }

    /// No answer: an orderly close.
    pub(crate) fn close() -> Self {
        Self::new(vec![Step::Close])
    }

    /// No answer: a reset.
    pub(crate) fn reset() -> Self {
        Self::new(vec![Step::Reset])
    }

    /// `count` interim answers before the real one.
    pub(crate) fn interim(count: usize, real: Self) -> Self {
        let storm = b"HTTP/1.1 103 Early Hints\r\nlink: </style.css>\r\n\r\n".repeat(count);
        let mut steps = vec![Step::Send(storm)];
        steps.extend(real.steps);
        Self {
            when: real.when,
            steps,
        }
    }

    /// A head whose headers never end.
    pub(crate) fn endless_headers() -> Self {
        let line = format!("x-filler: {}\r\n", "a".repeat(1000));
        let start = b"HTTP/1.1 200 OK\r\n".to_vec();
        Self::new(vec![Step::Send(start), Step::Forever(line.into_bytes())])
    }
}

/// The test's end of a live answer.
#[derive(Debug)]
pub(crate) struct Feed(mpsc::UnboundedSender<Step>);

impl Feed {
    /// Sends one event (`text` with its fields and its empty line) as a chunk of its own.
    pub(crate) fn event(&self, text: &str) {
        self.step(Step::Send(chunk(text)));
    }

    /// Sends bytes as they are.
    pub(crate) fn raw(&self, bytes: &[u8]) {
        self.step(Step::Send(bytes.to_vec()));
    }

    /// Ends the chunked body as it should end; the connection stays usable.
    pub(crate) fn end(self) {
        self.raw(b"0\r\n\r\n");
    }

    /// Closes the connection in the middle of the answer.
    pub(crate) fn cut(self) {
        self.step(Step::Close);
    }

    /// Resets the connection in the middle of the answer.
    pub(crate) fn reset(self) {
        self.step(Step::Reset);
    }

    /// A step that nobody waits for any more is no fault: the gateway may have left.
    fn step(&self, step: Step) {
        drop(self.0.send(step));
    }
}

/// One server-sent event with nothing but data.
pub(crate) fn data(value: &Value) -> String {
    format!("data: {value}\n\n")
}

/// One server-sent event with a name.
pub(crate) fn named(name: &str, value: &Value) -> String {
    format!("event: {name}\ndata: {value}\n\n")
}

/// A status line and headers, with their empty line.
pub(crate) fn head(status: u16, headers: &[(&str, &str)]) -> Vec<u8> {
    let lines: String = headers
        .iter()
        .flat_map(|(name, value)| [name, ": ", value, "\r\n"])
        .collect();
    format!("HTTP/1.1 {status} Mock\r\n{lines}\r\n").into_bytes()
}

fn stream_head() -> Vec<u8> {
    head(
        200,
        &[
            ("content-type", "text/event-stream"),
            ("transfer-encoding", "chunked"),
        ],
    )
}

fn chunk(text: &str) -> Vec<u8> {
    let whole = chunked(text.as_bytes(), text.len());
    let end = whole.len() - b"0\r\n\r\n".len();
    whole[..end].to_vec()
}
