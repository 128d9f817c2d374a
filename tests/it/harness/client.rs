//! A client that writes exactly the bytes it is told to, and reads replies as they come.

use std::fmt;
use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

use super::http1::{Framing, Headers, Piece, Reader, chunked};
use super::{contract, within};

/// A request, as bytes in the making.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    method: String,
    path: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
    chunk: Option<usize>,
}

impl Request {
    /// A request with this method, for the host `gateway.test`.
    pub(crate) fn new(method: &str, path: &str) -> Self {
        let (method, path) = (method.to_owned(), path.to_owned());
        Self {
            method,
            path,
            headers: Vec::new(),
            body: Vec::new(),
            chunk: None,
        }
    }

    /// A GET.
    pub(crate) fn get(path: &str) -> Self {
        Self::new("GET", path)
    }

    /// A POST with a JSON body.
    pub(crate) fn post(path: &str, body: &Value) -> Self {
        Self::new("POST", path).json(body.to_string().as_bytes())
    }

    /// Adds a header; the same name may be added twice.
    pub(crate) fn header(self, name: &str, value: &str) -> Self {
        self.header_bytes(name, value.as_bytes())
    }

    /// Adds a header whose value need not be text.
    pub(crate) fn header_bytes(mut self, name: &str, value: &[u8]) -> Self {
        self.headers.push((name.to_owned(), value.to_vec()));
        self
    }

    /// Adds a bearer credential.
    pub(crate) fn key(self, key: &str) -> Self {
        self.header("authorization", &format!("Bearer {key}"))
    }

    /// Sets the body and calls it JSON, whatever it is.
    pub(crate) fn json(self, body: &[u8]) -> Self {
        self.header("content-type", "application/json").body(body)
    }

    /// Sets the body.
    pub(crate) fn body(mut self, body: &[u8]) -> Self {
        self.body = body.to_vec();
        self
    }

    /// Sends the body in chunks of this size instead of with a length.
    pub(crate) fn chunked(mut self, size: usize) -> Self {
        self.chunk = Some(size);
        self
    }

    /// The bytes of the whole request.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut wire = self.head();
        match self.chunk {
            Some(size) => wire.extend_from_slice(&chunked(&self.body, size)),
            None => wire.extend_from_slice(&self.body),
        }
        wire
    }

    /// The bytes of the head alone.
    pub(crate) fn head(&self) -> Vec<u8> {
        let mut wire = format!("{} {} HTTP/1.1\r\n", self.method, self.path).into_bytes();
        let mut line = |name: &str, value: &[u8]| {
            wire.extend_from_slice(name.as_bytes());
            wire.extend_from_slice(b": ");
            wire.extend_from_slice(value);
            wire.extend_from_slice(b"\r\n");
        };
        line("host", b"gateway.test");
        for (name, value) in &self.headers {
            line(name, value);
        }
        if self.chunk.is_some() {
            line("transfer-encoding", b"chunked");
        } else if !self.body.is_empty() || self.method == "POST" {
            line("content-length", self.body.len().to_string().as_bytes());
        }
        wire.extend_from_slice(b"\r\n");
        wire
    }
}

/// A reply's head, before its body.
#[derive(Clone, Debug)]
pub(crate) struct ReplyHead {
    pub(crate) status: u16,
    pub(crate) headers: Headers,
    framing: Framing,
}

/// A whole reply.
#[derive(Clone)]
pub(crate) struct Reply {
    /// The path it answers.
    pub(crate) path: String,
    pub(crate) status: u16,
    pub(crate) headers: Headers,
    pub(crate) body: Vec<u8>,
    /// Whether the body came to the end that its framing promises.
    pub(crate) complete: bool,
}

/// With the body as text: this is what a failed test shows.
impl fmt::Debug for Reply {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (status, headers, text) = (self.status, &self.headers.0, self.text());
        let whole = if self.complete { "" } else { " (incomplete)" };
        write!(out, "{} {status} {headers:?} {text:?}{whole}", self.path)
    }
}

impl Reply {
    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Fails unless this is the gateway's own refusal with this status and code.
    pub(crate) fn assert_refused(&self, status: u16, code: &str, why: &str) {
        contract::assert_refused(self, status, code, why);
    }

    /// Fails unless the answer is 200 and complete.
    pub(crate) fn assert_fine(&self, why: &str) {
        assert_eq!(self.status, 200, "{why}: {}", self.text());
        assert!(self.complete, "{why}: the answer is complete");
    }
}

/// One connection to the gateway.
#[derive(Debug)]
pub(crate) struct Connection {
    reader: Reader<OwnedReadHalf>,
    writer: OwnedWriteHalf,
    path: String,
    method: String,
    interims: usize,
}

impl Connection {
    /// Connects.
    pub(crate) async fn open(address: SocketAddr) -> Self {
        let socket = within("a connection", TcpStream::connect(address))
            .await
            .expect("connects");
        socket.set_nodelay(true).expect("no delay");
        let (source, writer) = socket.into_split();
        let (path, method) = (String::new(), String::new());
        Self {
            reader: Reader::new(source),
            writer,
            path,
            method,
            interims: 0,
        }
    }

    /// How many interim answers came before those that were read.
    pub(crate) fn interims(&self) -> usize {
        self.interims
    }

    /// Writes a whole request.
    pub(crate) async fn send(&mut self, request: &Request) {
        self.begin(request);
        self.write(&request.bytes()).await;
    }

    /// Writes a part of a request's bytes; the rest follows by [`Connection::write`].
    pub(crate) async fn send_part(&mut self, request: &Request, bytes: &[u8]) {
        self.begin(request);
        self.write(bytes).await;
    }

    /// Writes a request's head alone; its body follows by [`Connection::write`].
    pub(crate) async fn send_head(&mut self, request: &Request) {
        self.begin(request);
        self.write(&request.head()).await;
    }

    fn begin(&mut self, request: &Request) {
        self.path.clone_from(&request.path);
        self.method.clone_from(&request.method);
    }

    /// Writes bytes as they are. A gateway that has refused already may not read them all; what
    /// it answered is what counts.
    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        drop(within("the gateway reads", self.writer.write_all(bytes)).await);
    }

    /// Leaves with a reset, as a killed client does.
    pub(crate) fn reset(self) {
        self.writer.as_ref().set_zero_linger().expect("zero linger");
        self.writer.forget();
    }

    /// Waits for an interim `100 Continue`.
    pub(crate) async fn interim(&mut self) {
        let head = within("an interim answer", self.reader.head()).await;
        assert_eq!(
            status_of(&head.expect("an interim answer")),
            100,
            "go on with the body"
        );
    }

    /// The next reply's head, interim ones passed over; none when the connection ended first.
    pub(crate) async fn head(&mut self) -> Option<ReplyHead> {
        loop {
            let bytes = within("the head of a reply", self.reader.head())
                .await
                .ok()?;
            let status = status_of(&bytes);
            if status != 101 && status < 200 {
                self.interims += 1;
            } else {
                let headers = Headers::parse(&bytes);
                let framing = Framing::of_answer(status, &self.method, &headers);
                return Some(ReplyHead {
                    status,
                    headers,
                    framing,
                });
            }
        }
    }

    /// The next piece of the body under `head`.
    pub(crate) async fn piece(&mut self, head: &ReplyHead) -> Piece {
        within("the next piece of a reply", self.reader.piece(head.framing)).await
    }

    /// Reads the body until it holds `text`, and returns what was read.
    pub(crate) async fn read_until(&mut self, head: &ReplyHead, text: &str) -> String {
        let mut body = String::new();
        while !body.contains(text) {
            match self.piece(head).await {
                Piece::Data(data) => body.push_str(&String::from_utf8_lossy(&data)),
                end @ (Piece::End | Piece::Cut) => panic!("{end:?} before {text:?}: {body:?}"),
            }
        }
        body
    }

    /// The rest of the body under `head`, and whether it came to its end.
    pub(crate) async fn rest(&mut self, head: &ReplyHead) -> (Vec<u8>, bool) {
        within("the end of a reply", self.reader.body(head.framing)).await
    }

    /// The next reply, whole, unchecked; none when the connection ended before its head did.
    pub(crate) async fn raw_reply(&mut self) -> Option<Reply> {
        let head = self.head().await?;
        let (body, complete) = self.rest(&head).await;
        let (path, status, headers) = (self.path.clone(), head.status, head.headers);
        Some(Reply {
            path,
            status,
            headers,
            body,
            complete,
        })
    }

    /// The next reply, whole and checked against the contract.
    pub(crate) async fn reply(&mut self) -> Reply {
        let reply = self
            .raw_reply()
            .await
            .expect("the gateway answers before it closes");
        contract::check(&reply.path, &reply);
        reply
    }

    /// Waits for the gateway to close, and fails if it says anything first.
    pub(crate) async fn closed(&mut self) {
        let sign = within("the gateway closes the connection", self.reader.next_sign()).await;
        assert!(
            sign.is_err(),
            "nothing but the end: {:?}",
            self.reader.early()
        );
    }
}

/// Makes one connection a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Client {
    pub(crate) address: SocketAddr,
}

impl Client {
    /// Sends one request on a connection of its own and reads the checked reply.
    pub(crate) async fn send(&self, request: &Request) -> Reply {
        let mut connection = Connection::open(self.address).await;
        connection.send(request).await;
        connection.reply().await
    }
}

fn status_of(head: &[u8]) -> u16 {
    let text = String::from_utf8_lossy(head);
    let status = text
        .strip_prefix("HTTP/1.1 ")
        .and_then(|rest| rest.get(..3));
    status
        .and_then(|digits| digits.parse().ok())
        .unwrap_or_else(|| panic!("no status: {text:?}"))
}
