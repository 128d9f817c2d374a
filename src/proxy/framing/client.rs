//! Clients: a plain socket, and HTTP/2 by prior knowledge. A request is a list of pieces, so that
//! a test says how a body is cut and where it breaks off.

use std::net::SocketAddr;

use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use super::gateway::Gateway;
use super::http1::{Kind, LAST_CHUNK, Message, chunk};
use super::{Version, within};

/// A request in the making.
#[derive(Clone, Debug, Default)]
pub(super) struct Request {
    /// The pieces of its body.
    pub(super) pieces: Vec<Vec<u8>>,
    /// Whether the head announces the body's length.
    pub(super) announced: bool,
    /// Whether the end comes on its own, behind the last piece (HTTP/2).
    pub(super) end_alone: bool,
    /// Further fields.
    pub(super) fields: Vec<(&'static str, String)>,
}

impl Request {
    /// A request with a body that comes in these pieces.
    pub(super) fn of(pieces: &[&[u8]]) -> Self {
        let pieces = pieces.iter().map(|piece| piece.to_vec()).collect();
        Self {
            pieces,
            ..Self::default()
        }
    }

    /// A request with this body, in pieces of some kilobytes.
    pub(super) fn whole(body: &[u8]) -> Self {
        Self {
            pieces: body.chunks(10_000).map(<[u8]>::to_vec).collect(),
            ..Self::default()
        }
    }

    pub(super) fn announced(self) -> Self {
        Self {
            announced: true,
            ..self
        }
    }

    pub(super) fn end_alone(self) -> Self {
        Self {
            end_alone: true,
            ..self
        }
    }

    pub(super) fn field(mut self, name: &'static str, value: &str) -> Self {
        self.fields.push((name, value.to_owned()));
        self
    }

    fn length(&self) -> Option<String> {
        let length: usize = self.pieces.iter().map(Vec::len).sum();
        self.announced.then(|| length.to_string())
    }

    fn head(&self) -> String {
        let mut head = "POST /v1/x HTTP/1.1\r\nhost: gateway.test\r\n".to_owned();
        match self.length() {
            Some(length) => head += &line("content-length", &length),
            None if self.pieces.is_empty() => {}
            None => head += &line("transfer-encoding", "chunked"),
        }
        for (name, value) in &self.fields {
            head += &line(name, value);
        }
        head + "\r\n"
    }

    fn parts(&self) -> http::Request<()> {
        let mut request = http::Request::post("http://gateway.test/v1/x");
        if let Some(length) = self.length() {
            request = request.header("content-length", length);
        }
        for (name, value) in &self.fields {
            request = request.header(*name, value);
        }
        request.body(()).expect("a head")
    }
}

fn line(name: &str, value: &str) -> String {
    format!("{name}: {value}\r\n")
}

/// An answer as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reply {
    /// None where there was no answer at all.
    pub(super) status: Option<u16>,
    pub(super) body: Vec<u8>,
    /// Whether it came to the end that its framing promises.
    pub(super) complete: bool,
}

impl Reply {
    const NONE: Self = Self {
        status: None,
        body: Vec::new(),
        complete: false,
    };

    /// Whether it is a whole answer with this status.
    pub(super) fn is(&self, status: u16) -> bool {
        self.complete && self.status == Some(status)
    }
}

/// A connection to the proxy.
pub(super) enum Client {
    One {
        socket: TcpStream,
        wire: Vec<u8>,
    },
    Two {
        sink: h2::client::SendRequest<Bytes>,
        driver: JoinHandle<()>,
    },
}

impl Drop for Client {
    fn drop(&mut self) {
        if let Self::Two { driver, .. } = self {
            driver.abort();
        }
    }
}

/// A request that is under way.
pub(super) enum Call<'a> {
    One {
        socket: &'a mut TcpStream,
        wire: &'a mut Vec<u8>,
        chunked: bool,
    },
    Two {
        answer: h2::client::ResponseFuture,
        body: h2::SendStream<Bytes>,
    },
}

impl Client {
    /// Connects.
    pub(super) async fn connect(gateway: &Gateway, version: Version) -> Self {
        let address: SocketAddr = gateway.address;
        let connecting = within("a connection", TcpStream::connect(address));
        let socket = connecting.await.expect("it connects");
        socket.set_nodelay(true).expect("no delay");
        if version == Version::One {
            return Self::One {
                socket,
                wire: Vec::new(),
            };
        }
        let mut builder = h2::client::Builder::new();
        builder.initial_window_size(1 << 20);
        let shaking = within("a handshake", builder.handshake(socket));
        let (sink, connection) = shaking.await.expect("it shakes hands");
        // How the connection ends is for the streams to say.
        let driver = tokio::spawn(async move { drop(connection.await) });
        Self::Two { sink, driver }
    }

    /// Sends a request and reads the answer.
    pub(super) async fn send(&mut self, request: &Request) -> Reply {
        let call = self.send_all(request).await;
        call.reply().await
    }

    /// Sends a request whole.
    pub(super) async fn send_all(&mut self, request: &Request) -> Call<'_> {
        let bodyless = request.pieces.is_empty();
        let mut call = self.begin(request, bodyless).await;
        let Some((last, first)) = request.pieces.split_last() else {
            return call;
        };
        for piece in first {
            call.piece(piece).await;
        }
        if request.end_alone {
            call.piece(last).await;
            call.end().await;
        } else {
            call.last(last).await;
        }
        call
    }

    /// Sends a request's head, which ends it if `end` says so.
    pub(super) async fn begin(&mut self, request: &Request, end: bool) -> Call<'_> {
        match self {
            Self::One { socket, wire } => {
                write(socket, request.head().as_bytes()).await;
                Call::One {
                    socket,
                    wire,
                    chunked: !request.announced,
                }
            }
            Self::Two { sink, .. } => {
                let ready = within("room for a stream", sink.clone().ready()).await;
                let mut sink = ready.expect("the connection lives");
                let (answer, body) = sink.send_request(request.parts(), end).expect("a request");
                Call::Two { answer, body }
            }
        }
    }

    /// Writes bytes as they are, over HTTP/1.
    pub(super) async fn raw(&mut self, bytes: &[u8]) -> Call<'_> {
        let Self::One { socket, wire } = self else {
            panic!("raw bytes are HTTP/1")
        };
        write(socket, bytes).await;
        Call::One {
            socket,
            wire,
            chunked: false,
        }
    }
}

/// What a proxy that has refused already does not read is not the client's concern.
async fn write(socket: &mut TcpStream, bytes: &[u8]) {
    drop(within("the proxy reads", socket.write_all(bytes)).await);
}

impl Call<'_> {
    /// Sends a piece of the body.
    pub(super) async fn piece(&mut self, piece: &[u8]) {
        match self {
            // An empty chunk would be the last one.
            Call::One { chunked: true, .. } if piece.is_empty() => {}
            Call::One {
                socket,
                chunked: true,
                ..
            } => write(socket, &chunk(piece)).await,
            Call::One { socket, .. } => write(socket, piece).await,
            Call::Two { body, .. } => send(body, piece, false).await,
        }
    }

    /// Sends the last piece of the body, and the end with it.
    pub(super) async fn last(&mut self, piece: &[u8]) {
        match self {
            Call::One {
                socket,
                chunked: true,
                ..
            } if piece.is_empty() => {
                write(socket, LAST_CHUNK).await;
            }
            Call::One {
                socket,
                chunked: true,
                ..
            } => {
                write(socket, &[&chunk(piece), LAST_CHUNK].concat()).await;
            }
            Call::One { socket, .. } => write(socket, piece).await,
            Call::Two { body, .. } => send(body, piece, true).await,
        }
    }

    /// Sends the end of the body on its own.
    pub(super) async fn end(&mut self) {
        match self {
            Call::One {
                socket,
                chunked: true,
                ..
            } => write(socket, LAST_CHUNK).await,
            Call::One { .. } => {}
            Call::Two { body, .. } => send(body, b"", true).await,
        }
    }

    /// Reads the answer.
    pub(super) async fn reply(self) -> Reply {
        match self {
            Call::One { socket, wire, .. } => within("an answer", reply(socket, wire)).await,
            Call::Two { answer, body } => {
                let reply = within("an answer", stream_reply(answer)).await;
                drop(body);
                reply
            }
        }
    }

    /// Gives the request up, as a client that goes does.
    pub(super) fn abandon(self) {
        match self {
            Call::One { socket, .. } => socket.set_zero_linger().expect("zero linger"),
            Call::Two { mut body, .. } => body.send_reset(h2::Reason::CANCEL),
        }
    }
}

async fn send(body: &mut h2::SendStream<Bytes>, piece: &[u8], end: bool) {
    // The window is wide enough for every body that a test sends; a stream that the proxy has
    // reset takes no more, and its answer says why.
    drop(body.send_data(Bytes::copy_from_slice(piece), end));
    tokio::task::yield_now().await;
}

async fn reply(socket: &mut TcpStream, wire: &mut Vec<u8>) -> Reply {
    loop {
        if let Some(message) = Message::read(wire, Kind::Answer) {
            let status = message.status();
            if message.complete {
                wire.drain(..message.length);
                if status >= 200 {
                    return Reply {
                        status: Some(status),
                        body: message.body,
                        complete: true,
                    };
                }
                continue;
            }
        }
        if !matches!(socket.read_buf(wire).await, Ok(1..)) {
            let begun = Message::read(wire, Kind::Answer);
            return begun.map_or(Reply::NONE, |message| Reply {
                status: Some(message.status()),
                complete: message.values("content-length").is_empty()
                    && message.values("transfer-encoding").is_empty(),
                body: message.body,
            });
        }
    }
}

async fn stream_reply(answer: h2::client::ResponseFuture) -> Reply {
    let Ok(answer) = answer.await else {
        return Reply::NONE;
    };
    let status = Some(answer.status().as_u16());
    let mut source = answer.into_body();
    let mut body = Vec::new();
    loop {
        match source.data().await {
            Some(Ok(data)) => {
                drop(source.flow_control().release_capacity(data.len()));
                body.extend_from_slice(&data);
            }
            Some(Err(_)) => {
                return Reply {
                    status,
                    body,
                    complete: false,
                };
            }
            None => {
                return Reply {
                    status,
                    body,
                    complete: true,
                };
            }
        }
    }
}
