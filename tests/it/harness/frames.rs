//! A provider that speaks HTTP/2 frame by frame, over TLS, so that it can do what no library would.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::replies;
use super::secured::{Identity, http2_settings};

/// What a client says before its first frame.
const PREFACE: usize = 24;
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// One step of an answer.
pub(crate) enum Step {
    /// Writes this frame.
    Send(Vec<u8>),
    /// Writes this frame again and again until the other side has had enough.
    Forever(Vec<u8>),
    /// Does nothing until the other side has had enough.
    Stall,
    /// Closes the connection.
    Close,
}

/// The answer to a call, by the number of its stream.
pub(crate) type Play = fn(u32) -> Vec<Step>;

/// A whole answer, as it should be.
pub(crate) fn fine(stream: u32) -> Vec<Step> {
    let body = replies::chat("gpt-4o").to_string();
    vec![
        Step::Send(head(stream, "200", "application/json")),
        Step::Send(data(stream, body.as_bytes(), true)),
    ]
}

/// The head of an answer, or an interim one.
pub(crate) fn head(stream: u32, status: &str, kind: &str) -> Vec<u8> {
    // Literal fields without indexing: `:status` is entry 8 of the static table, `content-type` 31.
    let mut block = vec![0x08];
    let text = |block: &mut Vec<u8>, text: &str| {
        block.push(u8::try_from(text.len()).expect("a short text"));
        block.extend_from_slice(text.as_bytes());
    };
    text(&mut block, status);
    if !kind.is_empty() {
        block.extend_from_slice(&[0x0f, 0x10]);
        text(&mut block, kind);
    }
    frame(HEADERS, END_HEADERS, stream, &block)
}

/// A piece of an answer's body.
pub(crate) fn data(stream: u32, bytes: &[u8], end: bool) -> Vec<u8> {
    frame(DATA, if end { END_STREAM } else { 0 }, stream, bytes)
}

/// The end of one stream, for this reason.
pub(crate) fn reset(stream: u32, reason: u32) -> Vec<u8> {
    frame(RST_STREAM, 0, stream, &reason.to_be_bytes())
}

/// The end of the connection; streams after `last` were not looked at.
pub(crate) fn goaway(last: u32, reason: u32) -> Vec<u8> {
    let payload = [last.to_be_bytes(), reason.to_be_bytes()].concat();
    frame(GOAWAY, 0, 0, &payload)
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a short frame");
    let mut wire = length.to_be_bytes()[1..].to_vec();
    wire.extend_from_slice(&[kind, flags]);
    wire.extend_from_slice(&stream.to_be_bytes());
    wire.extend_from_slice(payload);
    wire
}

/// A provider of frames, alive as long as the value.
pub(crate) struct Frames {
    address: SocketAddr,
    calls: Arc<Mutex<usize>>,
    plays: Arc<Mutex<VecDeque<Play>>>,
    _serving: JoinSet<()>,
}

impl Frames {
    /// Starts one on a free port. Without plays it answers as a provider should.
    pub(crate) async fn start(own: &Identity) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let acceptor = TlsAcceptor::from(Arc::new(http2_settings(own)));
        let (calls, plays) = (Arc::default(), Arc::default());
        let mut serving = JoinSet::new();
        let (seen, next) = (Arc::clone(&calls), Arc::clone(&plays));
        serving.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (socket, _) = listener.accept().await.expect("accept");
                let (acceptor, seen, next) =
                    (acceptor.clone(), Arc::clone(&seen), Arc::clone(&next));
                connections.spawn(async move {
                    if let Ok(stream) = acceptor.accept(socket).await {
                        // How a connection ends is the test's matter.
                        let _ended = converse(stream, &seen, &next).await;
                    }
                });
            }
        });
        Self {
            address,
            calls,
            plays,
            _serving: serving,
        }
    }

    /// The address for a configuration's `url`.
    pub(crate) fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// The next call is answered so.
    pub(crate) fn play(&self, play: Play) {
        self.plays.lock().expect("no panic").push_back(play);
    }

    /// Whole requests so far.
    pub(crate) fn calls(&self) -> usize {
        *self.calls.lock().expect("no panic")
    }
}

/// What a frame of the gateway's means here.
enum Heard {
    /// A request is whole.
    Request(u32),
    /// To be answered by this frame.
    Owed(Vec<u8>),
    /// It wants no more of a stream, or of the connection.
    Enough,
}

async fn converse<S>(
    stream: S,
    calls: &Mutex<usize>,
    plays: &Mutex<VecDeque<Play>>,
) -> std::io::Result<()>
where
    S: AsyncRead + AsyncWrite + Send + 'static,
{
    let (source, mut sink) = tokio::io::split(stream);
    sink.write_all(&frame(SETTINGS, 0, 0, &[])).await?;
    sink.flush().await?;
    let (tell, mut heard) = mpsc::unbounded_channel();
    let mut reading = JoinSet::new();
    reading.spawn(listen(source, tell));
    while let Some(one) = heard.recv().await {
        match one {
            Heard::Owed(frame) => sink.write_all(&frame).await?,
            Heard::Enough => {}
            Heard::Request(stream) => {
                *calls.lock().expect("no panic") += 1;
                let play = plays.lock().expect("no panic").pop_front();
                for step in play.unwrap_or(fine)(stream) {
                    match step {
                        Step::Send(frame) => sink.write_all(&frame).await?,
                        Step::Forever(frame) => {
                            while !matches!(heard.try_recv(), Ok(Heard::Enough)) {
                                sink.write_all(&frame).await?;
                                sink.flush().await?;
                            }
                        }
                        Step::Stall => {
                            while !matches!(heard.recv().await, Some(Heard::Enough) | None) {}
                        }
                        Step::Close => return sink.shutdown().await,
                    }
                }
            }
        }
        sink.flush().await?;
    }
    Ok(())
}

/// Reads frames until the other side leaves.
async fn listen(mut source: impl AsyncRead + Unpin, tell: mpsc::UnboundedSender<Heard>) {
    let mut preface = [0; PREFACE];
    if source.read_exact(&mut preface).await.is_err() {
        return;
    }
    let mut head = [0; 9];
    while source.read_exact(&mut head).await.is_ok() {
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let (kind, flags) = (head[3], head[4]);
        let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        let mut payload = vec![0; usize::try_from(length).expect("a length")];
        if source.read_exact(&mut payload).await.is_err() {
            break;
        }
        let heard = match kind {
            HEADERS | DATA if flags & END_STREAM != 0 => Heard::Request(stream),
            SETTINGS if flags & ACK == 0 => Heard::Owed(frame(SETTINGS, ACK, 0, &[])),
            PING if flags & ACK == 0 => Heard::Owed(frame(PING, ACK, 0, &payload)),
            RST_STREAM | GOAWAY => Heard::Enough,
            _ => continue,
        };
        if tell.send(heard).is_err() {
            return;
        }
    }
    // Whoever waits for enough has had it.
    drop(tell.send(Heard::Enough));
}
