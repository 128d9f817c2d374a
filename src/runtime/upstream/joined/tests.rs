//! What goes out in one piece, and that nothing is lost, kept back or reordered.

use std::io;
use std::io::IoSlice;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use pingora::protocols::{
    GetProxyDigest, GetSocketDigest, GetTimingDigest, Peek, Shutdown, Ssl, TimingDigest, UniqueID,
    UniqueIDType,
};
use proptest::prelude::*;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{Joined, MOST};

/// What a connection has been asked for.
#[derive(Debug, Default)]
struct Seen {
    /// The bytes of each send.
    sends: Vec<Vec<u8>>,
    /// What the next reads give; nothing means that none is there yet.
    answers: Vec<Vec<u8>>,
    /// How much a send takes; 0 once makes it wait.
    room: Vec<usize>,
    /// How many bytes had been sent at each flush.
    flushes: Vec<usize>,
}

/// A connection that writes down what it is asked for.
#[derive(Debug, Clone, Default)]
struct Wire(Arc<Mutex<Seen>>);

impl Wire {
    fn sends(&self) -> Vec<String> {
        let seen = self.0.lock().unwrap();
        let text = |send: &Vec<u8>| String::from_utf8_lossy(send).into_owned();
        seen.sends.iter().map(text).collect()
    }

    fn answers(&self, answer: &str) {
        self.0.lock().unwrap().answers.push(answer.into());
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.0.lock().unwrap().answers.pop() {
            Some(answer) => {
                buffer.put_slice(&answer);
                Poll::Ready(Ok(()))
            }
            None => Poll::Pending,
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(context, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut seen = self.0.lock().unwrap();
        let mut bytes: Vec<u8> = slices.iter().flat_map(|slice| slice.to_vec()).collect();
        let room = seen.room.pop().unwrap_or(usize::MAX);
        if room == 0 {
            return Poll::Pending;
        }
        bytes.truncate(room);
        let taken = bytes.len();
        seen.sends.push(bytes);
        Poll::Ready(Ok(taken))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut seen = self.0.lock().unwrap();
        let sent = seen.sends.concat().len();
        seen.flushes.push(sent);
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[async_trait]
impl Shutdown for Wire {
    async fn shutdown(&mut self) {}
}
impl UniqueID for Wire {
    fn id(&self) -> UniqueIDType {
        7
    }
}
impl Ssl for Wire {}
impl GetTimingDigest for Wire {
    fn get_timing_digest(&self) -> Vec<Option<TimingDigest>> {
        Vec::new()
    }
}
impl GetProxyDigest for Wire {
    fn get_proxy_digest(&self) -> Option<Arc<pingora::protocols::raw_connect::ProxyDigest>> {
        None
    }
}
impl GetSocketDigest for Wire {
    fn get_socket_digest(&self) -> Option<Arc<pingora::protocols::SocketDigest>> {
        None
    }
}
impl Peek for Wire {}

/// The connection under test and what is beneath it, driven without a runtime.
struct Driven {
    joined: Joined,
    wire: Wire,
}

impl Driven {
    fn new() -> Self {
        let wire = Wire::default();
        let joined = Joined::new(Box::new(wire.clone()));
        Self { joined, wire }
    }

    /// Writes as `write_all` does, then flushes.
    fn write(&mut self, text: &str) -> &mut Self {
        let mut context = Context::from_waker(Waker::noop());
        let mut left = text.as_bytes();
        while !left.is_empty() {
            if let Poll::Ready(taken) = Pin::new(&mut self.joined).poll_write(&mut context, left) {
                left = &left[taken.unwrap()..];
            }
        }
        self.flush()
    }

    fn flush(&mut self) -> &mut Self {
        let mut context = Context::from_waker(Waker::noop());
        let mut flushed = Poll::Pending;
        while flushed.is_pending() {
            flushed = Pin::new(&mut self.joined)
                .poll_flush(&mut context)
                .map(Result::unwrap);
        }
        self
    }

    /// Asks for the answer once; empty where there is none yet.
    fn read(&mut self) -> String {
        let mut context = Context::from_waker(Waker::noop());
        let mut room = [0; 64];
        let mut buffer = ReadBuf::new(&mut room);
        let asked = Pin::new(&mut self.joined).poll_read(&mut context, &mut buffer);
        assert!(!matches!(asked, Poll::Ready(Err(_))));
        String::from_utf8(buffer.filled().to_vec()).unwrap()
    }
}

#[test]
fn a_head_goes_out_with_the_body_that_lies_ready() {
    let mut driven = Driven::new();
    driven.write("head;").write("body");
    assert_eq!(driven.wire.sends(), ["head;body"]);
    assert_eq!(driven.wire.0.lock().unwrap().flushes, ["head;body".len()]);
}

#[test]
fn an_answer_that_is_asked_for_first_does_not_part_them() {
    let mut driven = Driven::new();
    driven.write("head;");
    driven.read();
    driven.write("body");
    assert_eq!(driven.wire.sends(), ["head;body"]);
}

#[test]
fn a_head_without_a_body_goes_out_with_the_flush_that_ends_it() {
    let mut driven = Driven::new();
    driven.write("head;");
    assert!(driven.wire.sends().is_empty());
    driven.flush();
    assert_eq!(driven.wire.sends(), ["head;"]);
}

#[test]
fn a_head_goes_out_alone_when_the_answer_is_asked_for_again() {
    let mut driven = Driven::new();
    driven.write("head;");
    driven.read();
    assert!(driven.wire.sends().is_empty());
    driven.read();
    assert_eq!(driven.wire.sends(), ["head;"]);
    driven.write("bo").write("dy");
    assert_eq!(driven.wire.sends(), ["head;", "bo", "dy"]);
}

#[test]
fn who_waits_for_the_answer_is_woken_to_send_the_head() {
    #[derive(Default)]
    struct Woken(Mutex<usize>);
    impl std::task::Wake for Woken {
        fn wake(self: Arc<Self>) {
            *self.0.lock().unwrap() += 1;
        }
    }
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    let mut driven = Driven::new();
    driven.write("head;");
    let mut room = [0; 8];
    let mut buffer = ReadBuf::new(&mut room);
    let read = Pin::new(&mut driven.joined);
    let asked = read.poll_read(&mut Context::from_waker(&waker), &mut buffer);
    assert!(asked.is_pending());
    assert_eq!(*woken.0.lock().unwrap(), 1);
}

#[test]
fn the_next_request_of_a_connection_goes_out_in_one_piece_too() {
    let mut driven = Driven::new();
    for request in ["first", "second"] {
        driven.write(request).write(" body");
        driven.wire.answers("answer");
        assert_eq!(driven.read(), "answer");
    }
    assert_eq!(driven.wire.sends(), ["first body", "second body"]);
}

#[test]
fn a_head_that_is_too_long_to_hold_goes_out_at_once() {
    let mut driven = Driven::new();
    let long = "h".repeat(MOST + 1);
    driven.write(&long).write("body");
    assert_eq!(driven.wire.sends(), [long.as_str(), "body"]);
}

#[test]
fn what_was_not_sent_is_never_sent_and_is_not_shown() {
    let mut driven = Driven::new();
    driven.write("authorization: Bearer sk-secret");
    assert!(!format!("{:?}", driven.joined).contains("secret"));
    let wire = driven.wire.clone();
    drop(driven);
    assert!(wire.sends().is_empty());
}

proptest! {
    /// However writes, flushes and reads come, and however little the connection takes at a time,
    /// the bytes arrive whole and in order.
    #[test]
    fn bytes_arrive_whole_and_in_order(
        steps in prop::collection::vec((0_u8..4, "[a-z]{1,40}"), 1..30),
        room in prop::collection::vec(0_usize..9, 0..40),
    ) {
        let mut driven = Driven::new();
        driven.wire.0.lock().unwrap().room = room;
        let mut written = String::new();
        for (what, text) in &steps {
            match what {
                0 | 1 => {
                    written.push_str(text);
                    driven.write(text);
                }
                2 => { driven.flush(); }
                _ => { driven.read(); }
            }
        }
        driven.flush().flush();
        prop_assert_eq!(driven.wire.sends().concat(), written);
    }
}
