//! The client that times event streams.
//!
//! Opens many streams through one proxy, each on a connection of its own and one after another on
//! it, and says how late each event came: an event carries the time of its sending, by the clock
//! that this client reads too. It judges nothing else; a stream that ends early, or with another
//! number of events than were asked for, is counted as failed.

use std::io;
use std::time::Duration;

use bytes::BytesMut;
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use crate::wire::{self, Framing, Head};

/// What stands before an event's time of sending, in nanoseconds.
pub(crate) const STAMP: &str = "fp_";

/// What to do.
#[derive(Clone, Default)]
pub(crate) struct Plan {
    /// The proxy's port on this machine.
    to: u16,
    /// Streams at a time.
    streams: u32,
    /// Streams one after another on each connection.
    repeats: u32,
    /// Events of each stream.
    events: u32,
    /// Milliseconds between two events.
    every: u32,
    /// Milliseconds over which the streams open; one interval, if it is not said.
    opening: u32,
    /// The key that the proxy asks for.
    key: String,
}

impl Plan {
    /// Reads a query such as
    /// `to=8080&streams=100&repeats=3&events=50&every=20&opening=20&key=K`.
    pub(crate) fn read(query: &str) -> Self {
        let mut plan = Self::default();
        for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
            let number = value.parse().unwrap_or_default();
            match name {
                "to" => plan.to = value.parse().unwrap_or_default(),
                "streams" => plan.streams = number,
                "repeats" => plan.repeats = number,
                "events" => plan.events = number,
                "every" => plan.every = number,
                "opening" => plan.opening = number,
                "key" => value.clone_into(&mut plan.key),
                _ => {}
            }
        }
        if plan.opening == 0 {
            plan.opening = plan.every;
        }
        plan
    }

    fn request(&self, body: &[u8]) -> Vec<u8> {
        let mut bytes = format!(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:{}\r\n\
             authorization: Bearer {}\r\ncontent-type: application/json\r\n\
             accept: text/event-stream\r\nx-mock-sse: {}:{}\r\ncontent-length: {}\r\n\r\n",
            self.to,
            self.key,
            self.events,
            self.every,
            body.len()
        )
        .into_bytes();
        bytes.extend_from_slice(body);
        bytes
    }

    /// Streams that take longer than this together hang. Being late is measured, and no failure: a
    /// machine that does much else is slow.
    fn patience(&self) -> Duration {
        let pace = Duration::from_millis(u64::from(self.every));
        let whole = pace
            .saturating_mul(self.events)
            .saturating_mul(self.repeats);
        whole
            .saturating_mul(2)
            .saturating_add(Duration::from_millis(u64::from(self.opening)))
            .saturating_add(Duration::from_mins(1))
    }
}

/// What was measured, in nanoseconds.
#[derive(Default)]
struct Times {
    /// From a request's first byte to its first event.
    first: Vec<u64>,
    /// From the sending of a first event to its arrival.
    first_way: Vec<u64>,
    /// From the sending of any event to its arrival.
    way: Vec<u64>,
    /// Between two arrivals.
    gap: Vec<u64>,
    /// Streams that came whole.
    whole: u32,
}

impl Times {
    fn add(&mut self, other: &Self) {
        self.first.extend_from_slice(&other.first);
        self.first_way.extend_from_slice(&other.first_way);
        self.way.extend_from_slice(&other.way);
        self.gap.extend_from_slice(&other.gap);
        self.whole = self.whole.saturating_add(other.whole);
    }
}

/// Runs a plan on a thread of its own, so that the mock's sending does not wait for the reading,
/// and answers with a JSON object.
pub(crate) async fn drive(plan: Plan, body: Vec<u8>, origin: Instant) -> String {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        // Nobody is left to tell when the receiver has gone.
        let _ = sender.send(runtime.map(|runtime| runtime.block_on(run(&plan, &body, origin))));
    });
    match receiver.await {
        Ok(Ok(report)) => report,
        Ok(Err(error)) => json!({ "error": error.to_string() }).to_string(),
        Err(error) => json!({ "error": error.to_string() }).to_string(),
    }
}

async fn run(plan: &Plan, body: &[u8], origin: Instant) -> String {
    let mut tasks = tokio::task::JoinSet::new();
    let patience = plan.patience();
    for index in 0..plan.streams {
        let (plan, request) = (plan.clone(), plan.request(body));
        tasks.spawn(async move {
            // Spread: neither do all clients call at the same moment, nor do providers send.
            let opening = u64::from(plan.opening).saturating_mul(1000);
            let share = opening.checked_div(u64::from(plan.streams)).unwrap_or(0);
            sleep(Duration::from_micros(
                share.saturating_mul(u64::from(index)),
            ))
            .await;
            let mut times = Times::default();
            let ran = timeout(patience, follow(&plan, &request, origin, &mut times)).await;
            (times, ran.map_err(io::Error::from).flatten())
        });
    }
    let mut all = Times::default();
    let mut faults = Vec::new();
    while let Some(done) = tasks.join_next().await {
        match done {
            Ok((times, ran)) => {
                all.add(&times);
                faults.extend(ran.err().map(|fault| fault.to_string()));
            }
            Err(fault) => faults.push(fault.to_string()),
        }
    }
    let asked = plan.streams.saturating_mul(plan.repeats);
    json!({
        "streams": all.whole,
        "failed": asked.saturating_sub(all.whole),
        "fault": faults.first(),
        "events": all.way.len(),
        "first": spread(&mut all.first),
        "first_one_way": spread(&mut all.first_way),
        "one_way": spread(&mut all.way),
        "gap": spread(&mut all.gap),
    })
    .to_string()
}

/// Follows the streams of one connection.
async fn follow(plan: &Plan, request: &[u8], origin: Instant, times: &mut Times) -> io::Result<()> {
    let mut stream = TcpStream::connect(("127.0.0.1", plan.to)).await?;
    stream.set_nodelay(true)?;
    let mut buf = BytesMut::new();
    for _ in 0..plan.repeats {
        let asked = origin.elapsed();
        stream.write_all(request).await?;
        let text = wire::head(&mut stream, &mut buf).await?;
        let text = text.ok_or(io::ErrorKind::UnexpectedEof)?;
        let head = Head::read(&text)?;
        if head.start.split(' ').nth(1) != Some("200") {
            return Err(io::Error::other(head.start.to_owned()));
        }
        // A proxy that is about to leave says so; the next stream has a connection of its own.
        let closes = head
            .field("connection")
            .is_some_and(|word| word.eq_ignore_ascii_case("close"));
        let mut framing = Framing::of(&head);
        let mut reader = Reader::new(asked);
        loop {
            let over = framing.take(&mut buf, |piece| reader.push(piece, origin, times))?;
            if over {
                break;
            }
            if wire::more(&mut stream, &mut buf).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        if reader.events != plan.events || !reader.done {
            return Err(io::Error::other(format!("{} events", reader.events)));
        }
        times.whole = times.whole.saturating_add(1);
        if closes {
            stream = TcpStream::connect(("127.0.0.1", plan.to)).await?;
            stream.set_nodelay(true)?;
            buf.clear();
        }
    }
    Ok(())
}

/// Takes a stream apart into its events, wherever its bytes were cut.
struct Reader {
    asked: Duration,
    last: Option<Duration>,
    held: Vec<u8>,
    events: u32,
    done: bool,
}

impl Reader {
    fn new(asked: Duration) -> Self {
        Self {
            asked,
            last: None,
            held: Vec::new(),
            events: 0,
            done: false,
        }
    }

    fn push(&mut self, piece: &[u8], origin: Instant, times: &mut Times) {
        self.held.extend_from_slice(piece);
        while let Some(end) = memchr::memmem::find(&self.held, b"\n\n") {
            let rest = self.held.split_off(end.saturating_add(2));
            let event = std::mem::replace(&mut self.held, rest);
            if let Some(sent) = stamp(&event) {
                self.event(Duration::from_nanos(sent), origin.elapsed(), times);
            } else {
                self.done |= event.starts_with(b"data: [DONE]");
            }
        }
    }

    fn event(&mut self, sent: Duration, now: Duration, times: &mut Times) {
        let way = nanos(now.saturating_sub(sent));
        if let Some(last) = self.last {
            times.gap.push(nanos(now.saturating_sub(last)));
        } else {
            times.first.push(nanos(now.saturating_sub(self.asked)));
            times.first_way.push(way);
        }
        times.way.push(way);
        self.last = Some(now);
        self.events = self.events.saturating_add(1);
    }
}

/// The time of sending that an event carries.
fn stamp(event: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(event).ok()?;
    let (_, rest) = text.split_once(STAMP)?;
    rest.split_once('"')?.0.parse().ok()
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// Median, 99th percentile and the latest, in nanoseconds.
fn spread(times: &mut [u64]) -> serde_json::Value {
    times.sort_unstable();
    let at = |percent: usize| {
        let index = times.len().saturating_mul(percent) / 100;
        times.get(index).copied()
    };
    json!({ "p50_ns": at(50), "p99_ns": at(99), "max_ns": times.last() })
}
