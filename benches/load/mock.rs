//! A provider that answers at once, and the client that times event streams.
//!
//! `load-mock LISTEN [MILLISECONDS]`: every request is read to its end and answered with the same
//! 600 bytes of JSON, at once or after so long. With the header `x-mock-sse: EVENTS:MILLISECONDS` (or the query `?sse=` with the same) the
//! answer is a stream of so many events at that pace, each stamped with the time of its sending.
//! `POST /drive` starts the client of `streams.rs` on a thread of its own and answers with what it
//! measured: one process, hence one clock for both ends. It decides nothing about a request's
//! content.

use std::error::Error;
use std::fmt::Write as _;
use std::io;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep, sleep_until};

mod streams;
mod wire;

use streams::Plan;
use wire::{Framing, Head};

/// Length of the JSON answer.
const ANSWER: usize = 600;
/// Pace of a stream where nothing says otherwise.
const USUAL: Pace = Pace {
    events: 20,
    every: Duration::from_millis(20),
};

/// How many events, and how long between two.
#[derive(Clone, Copy)]
struct Pace {
    events: u32,
    every: Duration,
}

impl Pace {
    /// Reads `EVENTS:MILLISECONDS`; what cannot be read is as usual.
    fn read(text: &str) -> Self {
        let (events, every) = text.split_once(':').unwrap_or((text, ""));
        Self {
            events: events.parse().unwrap_or(USUAL.events),
            every: every.parse().map_or(USUAL.every, Duration::from_millis),
        }
    }
}

/// What a request asks for.
enum Ask {
    Json,
    Stream(Pace),
    Drive(Plan),
}

impl Ask {
    fn of(head: &Head<'_>) -> Self {
        let target = head.start.split(' ').nth(1).unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        if path == "/drive" {
            return Self::Drive(Plan::read(query));
        }
        let asked = head.field("x-mock-sse");
        let asked = asked.or_else(|| query.split('&').find_map(|pair| pair.strip_prefix("sse=")));
        asked.map_or(Self::Json, |text| Self::Stream(Pace::read(text)))
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(listen), pause, None) = (arguments.next(), arguments.next(), arguments.next()) else {
        return Err("usage: load-mock LISTEN [MILLISECONDS]".into());
    };
    let pause = pause.map_or(Ok(0), |text| text.parse())?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    Ok(runtime.block_on(serve(&listen, Duration::from_millis(pause)))?)
}

async fn serve(listen: &str, pause: Duration) -> io::Result<()> {
    let listener = TcpListener::bind(listen).await?;
    let origin = Instant::now();
    let ready = Ready {
        answer: answer().leak(),
        pause,
    };
    loop {
        let (stream, _) = listener.accept().await?;
        // A client that leaves is no news to a mock: the bench counts failures on its own side.
        tokio::spawn(async move { converse(stream, ready, origin).await });
    }
}

/// The answer to a plain call, and when it comes.
#[derive(Clone, Copy)]
struct Ready {
    answer: &'static [u8],
    pause: Duration,
}

/// Answers the requests of one connection until its client closes it.
async fn converse(mut stream: TcpStream, ready: Ready, origin: Instant) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buf = BytesMut::new();
    while let Some(text) = wire::head(&mut stream, &mut buf).await? {
        let head = Head::read(&text)?;
        let (framing, ask) = (Framing::of(&head), Ask::of(&head));
        // While a piece of it lives, the buffer cannot be used again and a new one is allocated.
        drop(text);
        let kept = body(&mut stream, &mut buf, framing, &ask).await?;
        match ask {
            Ask::Json => {
                if !ready.pause.is_zero() {
                    sleep(ready.pause).await;
                }
                stream.write_all(ready.answer).await?;
            }
            Ask::Stream(pace) => tell(&mut stream, pace, origin).await?,
            Ask::Drive(plan) => {
                let report = streams::drive(plan, kept, origin).await;
                stream.write_all(&json(&report)).await?;
            }
        }
    }
    Ok(())
}

/// Reads a body to its end; only a plan's is kept, to be sent on.
async fn body(
    stream: &mut TcpStream,
    buf: &mut BytesMut,
    mut framing: Framing,
    ask: &Ask,
) -> io::Result<Vec<u8>> {
    let keep = matches!(ask, Ask::Drive(_));
    let mut kept = Vec::new();
    while !framing.take(buf, |piece| {
        if keep {
            kept.extend_from_slice(piece);
        }
    })? {
        if wire::more(stream, buf).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(kept)
}

/// Sends a stream of events: the first with the head, each by a write of its own.
async fn tell(stream: &mut TcpStream, pace: Pace, origin: Instant) -> io::Result<()> {
    let mut out = String::from(
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\n\
         transfer-encoding: chunked\r\n\r\n",
    );
    let mut next = Instant::now();
    for _ in 0..pace.events {
        sleep_until(next).await;
        next = next.checked_add(pace.every).unwrap_or(next);
        let event = format!(
            "data: {{\"id\":\"chatcmpl-mock\",\"object\":\"chat.completion.chunk\",\
             \"created\":1760000000,\"model\":\"gpt-mock\",\"system_fingerprint\":\"{}{}\",\
             \"choices\":[{{\"index\":0,\"delta\":{{\"content\":\" token\"}},\
             \"finish_reason\":null}}]}}\n\n",
            streams::STAMP,
            origin.elapsed().as_nanos()
        );
        chunk(&mut out, &event);
        stream.write_all(out.as_bytes()).await?;
        out.clear();
    }
    chunk(&mut out, "data: [DONE]\n\n");
    out.push_str("0\r\n\r\n");
    stream.write_all(out.as_bytes()).await
}

fn chunk(out: &mut String, data: &str) {
    // Writing to a `String` does not fail.
    let _ = write!(out, "{:x}\r\n{data}\r\n", data.len());
}

/// The one JSON answer, head included.
fn answer() -> Vec<u8> {
    let start = "{\"id\":\"chatcmpl-mock\",\"object\":\"chat.completion\",\"created\":1760000000,\
                 \"model\":\"gpt-mock\",\"choices\":[{\"index\":0,\"message\":{\"role\":\
                 \"assistant\",\"content\":\"";
    let end = "\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":11,\
               \"completion_tokens\":7,\"total_tokens\":18}}";
    let room = ANSWER.saturating_sub(start.len().saturating_add(end.len()));
    let filling = "The quick brown fox jumps over the lazy dog. ";
    let content: String = filling.chars().cycle().take(room).collect();
    json(&format!("{start}{content}{end}"))
}

fn json(body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n\
         {body}"
    )
    .into_bytes()
}
