//! What a provider has seen: requests, whole and partial, and how each ended.

use serde_json::Value;

use super::http1::Headers;

/// How far a request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// More may follow.
    Open,
    /// Complete, by its own framing.
    Whole,
    /// The gateway left in the middle of it.
    Cut,
}

/// One request as the provider saw it.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    /// On which connection, counted from 0.
    pub(crate) connection: usize,
    /// The head, byte by byte.
    pub(crate) head: Vec<u8>,
    /// The body without its chunk framing.
    pub(crate) body: Vec<u8>,
    /// How far it came.
    pub(crate) arrival: Arrival,
    /// Whether the answer was sent to its end.
    pub(crate) answered: bool,
    /// Whether the gateway closed the connection before the answer was at its end.
    pub(crate) abandoned: bool,
}

impl Received {
    /// The method and the path of the request line.
    pub(crate) fn line(&self) -> (String, String) {
        let text = String::from_utf8_lossy(&self.head);
        let mut words = text.split(' ').map(str::to_owned);
        (
            words.next().unwrap_or_default(),
            words.next().unwrap_or_default(),
        )
    }

    /// The headers, in order.
    pub(crate) fn headers(&self) -> Headers {
        Headers::parse(&self.head)
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("the provider was sent JSON")
    }

    /// Everything that was received of it, for searching.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&[self.head.as_slice(), self.body.as_slice()].concat()).into_owned()
    }

    /// Whether this is a health probe of the gateway and not a caller's request.
    pub(super) fn is_probe(&self) -> bool {
        self.line() == ("GET".to_owned(), "/v1/models".to_owned())
    }
}

/// What a provider has seen up to now.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Every request, probes included, in the order of their heads.
    pub(super) all: Vec<Received>,
    /// How many connections were ever accepted.
    pub(crate) connections: usize,
    /// Which of them have ended.
    pub(super) gone: Vec<usize>,
}

impl Seen {
    /// The callers' requests.
    pub(crate) fn requests(&self) -> Vec<Received> {
        self.all
            .iter()
            .filter(|one| !one.is_probe())
            .cloned()
            .collect()
    }
}
