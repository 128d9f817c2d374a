//! A connection that sends the head of a request together with what follows it.
//!
//! Pingora writes a request's head and flushes it, then the body: two system calls, two segments
//! and a reader that is woken twice, for a body that lies ready. Each costs a host as much as all
//! of our own work on a small request. So the first flush of a message is put off: the head goes
//! with the next write, or alone as soon as it is clear that nothing comes now, which is when the
//! answer is asked for a second time. Bytes are never reordered, and none waits for an event from
//! outside.
//!
//! Decides nothing about what is sent. What is still held when the connection is given up was
//! never sent, and never is: a request that was refused early does not reach the provider.

use std::fmt;
use std::io;
use std::io::IoSlice;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pingora::protocols::Stream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use zeroize::Zeroize as _;

use crate::runtime::transport::answers_for;

/// A longer head goes out by itself.
const MOST: usize = 16 * 1024;
/// Between requests, no more than this is kept for the next head.
const KEPT: usize = 4 * 1024;
/// How often the answer is asked for before a head goes out alone: by the second time, whatever
/// was ready to be written has been.
const TURNS: u8 = 1;

/// A connection that puts off the first flush of a message.
pub(super) struct Joined {
    io: Stream,
    /// What was written and not yet sent; behind `sent`.
    held: Vec<u8>,
    sent: usize,
    stage: Stage,
}

/// Where a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Nothing of it was flushed: what is written is held.
    Beginning,
    /// Its flush was put off, and the answer asked for so often.
    PutOff(u8),
    /// What is written is sent.
    Through,
}

impl fmt::Debug for Joined {
    /// Without what is held, which has the provider's key in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.io.fmt(f)
    }
}

impl Drop for Joined {
    fn drop(&mut self) {
        self.held.zeroize();
    }
}

impl Joined {
    pub(super) fn new(io: Stream) -> Self {
        Self {
            io,
            held: Vec::new(),
            sent: 0,
            stage: Stage::Beginning,
        }
    }

    /// Whether a write of so many bytes is held.
    fn holds(&self, more: usize) -> bool {
        self.stage == Stage::Beginning && self.held.len().saturating_add(more) <= MOST
    }

    /// Everything that was held is on its way.
    fn let_go(&mut self) {
        // The key in it does not stay in memory between requests.
        self.held.fill(0);
        self.held.clear();
        self.held.shrink_to(KEPT);
        self.sent = 0;
    }

    /// Sends what is held, with `more` in the same call where there is room; says how much of
    /// `more` was taken.
    fn poll_send(&mut self, context: &mut Context<'_>, more: &[u8]) -> Poll<io::Result<usize>> {
        self.stage = Stage::Through;
        while !self.held.is_empty() {
            let held = self.held.get(self.sent..).unwrap_or_default();
            let left = held.len();
            let both = [IoSlice::new(held), IoSlice::new(more)];
            let taken = ready!(Pin::new(&mut self.io).poll_write_vectored(context, &both))?;
            if taken == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            if taken < left {
                self.sent = self.sent.saturating_add(taken);
                continue;
            }
            self.let_go();
            if taken > left {
                return Poll::Ready(Ok(taken.saturating_sub(left)));
            }
        }
        if more.is_empty() {
            return Poll::Ready(Ok(0));
        }
        Pin::new(&mut self.io).poll_write(context, more)
    }
}

impl AsyncRead for Joined {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let joined = self.get_mut();
        if !joined.held.is_empty() {
            let asked = match joined.stage {
                Stage::Beginning => 0,
                Stage::PutOff(asked) => asked,
                Stage::Through => TURNS,
            };
            if asked < TURNS {
                joined.stage = Stage::PutOff(asked.saturating_add(1));
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            ready!(joined.poll_send(context, &[]))?;
            ready!(Pin::new(&mut joined.io).poll_flush(context))?;
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut joined.io).poll_read(context, buffer))?;
        if buffer.filled().len() > before {
            // Part of an answer. What is written next may be the next request.
            joined.stage = Stage::Beginning;
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Joined {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let joined = self.get_mut();
        if joined.holds(bytes.len()) {
            joined.held.extend_from_slice(bytes);
            return Poll::Ready(Ok(bytes.len()));
        }
        joined.poll_send(context, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let joined = self.get_mut();
        if joined.stage == Stage::Through && joined.held.is_empty() {
            return Pin::new(&mut joined.io).poll_write_vectored(context, slices);
        }
        let first = slices.iter().find(|slice| !slice.is_empty());
        let first = first.map_or(&[][..], |slice| slice);
        Pin::new(joined).poll_write(context, first)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let joined = self.get_mut();
        if !joined.held.is_empty() {
            if joined.stage == Stage::Beginning {
                joined.stage = Stage::PutOff(0);
                return Poll::Ready(Ok(()));
            }
            ready!(joined.poll_send(context, &[]))?;
        }
        Pin::new(&mut joined.io).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_shutdown(context)
    }
}

answers_for!(Joined, io);

#[cfg(test)]
mod tests;
