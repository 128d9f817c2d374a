//! A provider that speaks HTTP/2 without TLS (prior knowledge), and records how each request
//! ended: with `END_STREAM`, by a reset, or with the connection.

use std::net::SocketAddr;

use bytes::Bytes;
use http::request::Parts;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::{replies, within};

/// How a request ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StreamEnd {
    /// More may follow.
    Open,
    /// By `END_STREAM`: the provider holds it complete.
    Complete,
    /// By a reset with this code.
    Reset(u32),
    /// With its connection.
    Lost(String),
}

/// One request as the provider saw it.
#[derive(Clone, Debug)]
pub(crate) struct ReceivedH2 {
    /// Method, path and headers.
    pub(crate) parts: Parts,
    /// The body.
    pub(crate) body: Vec<u8>,
    /// How it ended.
    pub(crate) end: StreamEnd,
}

type Seen = watch::Sender<Vec<ReceivedH2>>;

/// A mock provider over HTTP/2, alive as long as the value.
#[derive(Debug)]
pub(crate) struct UpstreamH2 {
    address: SocketAddr,
    seen: Seen,
    accepting: JoinHandle<()>,
}

impl Drop for UpstreamH2 {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl UpstreamH2 {
    /// Starts one on a free port; it answers each complete request with a chat answer.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener
            .local_addr()
            .expect("a bound socket has an address");
        let seen = watch::Sender::new(Vec::new());
        let accepting = tokio::spawn(accept(listener, seen.clone()));
        Self {
            address,
            seen,
            accepting,
        }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The requests up to now.
    pub(crate) fn requests(&self) -> Vec<ReceivedH2> {
        self.seen.borrow().clone()
    }

    /// Waits until what was seen satisfies `enough`, and returns it.
    pub(crate) async fn wait(
        &self,
        what: &str,
        enough: impl Fn(&[ReceivedH2]) -> bool,
    ) -> Vec<ReceivedH2> {
        let mut updates = self.seen.subscribe();
        let reached = updates.wait_for(|seen| enough(seen));
        within(what, reached)
            .await
            .expect("the provider is alive")
            .clone()
    }
}

async fn accept(listener: TcpListener, seen: Seen) {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let (socket, _) = listener.accept().await.expect("accept");
        connections.spawn(serve(socket, seen.clone()));
    }
}

async fn serve(socket: TcpStream, seen: Seen) {
    let Ok(mut connection) = h2::server::handshake(socket).await else {
        return;
    };
    let mut streams = tokio::task::JoinSet::new();
    while let Some(Ok((request, answer))) = connection.accept().await {
        let (parts, body) = request.into_parts();
        let index = seen.borrow().len();
        let received = ReceivedH2 {
            parts,
            body: Vec::new(),
            end: StreamEnd::Open,
        };
        seen.send_modify(|seen| seen.push(received));
        streams.spawn(record(body, answer, index, seen.clone()));
    }
    while streams.join_next().await.is_some() {}
}

async fn record(
    mut body: h2::RecvStream,
    mut answer: h2::server::SendResponse<Bytes>,
    index: usize,
    seen: Seen,
) {
    let end = loop {
        match body.data().await {
            Some(Ok(data)) => {
                drop(body.flow_control().release_capacity(data.len()));
                seen.send_modify(|seen| seen[index].body.extend_from_slice(&data));
            }
            Some(Err(error)) => break ending(&error),
            None => break StreamEnd::Complete,
        }
    };
    let complete = end == StreamEnd::Complete;
    seen.send_modify(|seen| seen[index].end = end);
    if complete {
        let head = http::Response::builder().header("content-type", "application/json");
        let head = head.body(()).expect("a head");
        if let Ok(mut sink) = answer.send_response(head, false) {
            let text = replies::chat("gpt-4o").to_string();
            drop(sink.send_data(Bytes::from(text), true));
        }
    }
}

fn ending(error: &h2::Error) -> StreamEnd {
    match error.reason() {
        Some(reason) if error.is_reset() => StreamEnd::Reset(reason.into()),
        Some(_) | None => StreamEnd::Lost(error.to_string()),
    }
}
