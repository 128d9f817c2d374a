//! A client's connection, with a deadline on what must come at once.
//!
//! Decides nothing: [`Owed`] says since when something is owed. What is late ends the connection;
//! where part of an HTTP/1 head has come, 408 is written first. A connection has at most one timer,
//! which is let run and set anew when it fires, so that no request has one of its own.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use pingora::protocols::Stream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::watch::{Due, Heads, Owed};
use crate::runtime::clock;
use crate::runtime::timer::Alarm;
use crate::runtime::transport::answers_for;

/// Told of a client that was too late; answers with what is written to it.
pub(super) type Late = Arc<dyn Fn() -> Bytes + Send + Sync>;

/// A connection with a deadline.
pub(super) struct Line {
    io: Stream,
    owed: Owed,
    heads: Arc<Heads>,
    /// How long anything may be owed.
    limit: Duration,
    late: Late,
    alarm: Alarm,
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.io.fmt(f)
    }
}

impl Line {
    pub(super) fn new(
        io: Stream,
        owed: Owed,
        heads: Arc<Heads>,
        (limit, late): (Duration, Late),
    ) -> Self {
        Self {
            io,
            owed,
            heads,
            limit,
            late,
            alarm: Alarm::default(),
        }
    }

    /// What should have come by now; wakes the task when something should have.
    fn late(&mut self, context: &mut Context<'_>) -> Option<Due> {
        let due = self.owed.due(&self.heads, self.limit, clock::now)?;
        let late = self.alarm.poll(due.end(), context).is_ready();
        late.then_some(due)
    }

    /// Says so, as far as the connection takes it at once.
    fn say_late(&mut self, context: &mut Context<'_>) {
        let answer = (self.late)();
        if self.owed.is_http1() && self.owed.heard {
            let _written = Pin::new(&mut self.io).poll_write(context, &answer);
            let _flushed = Pin::new(&mut self.io).poll_flush(context);
        }
    }
}

impl AsyncRead for Line {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let line = self.get_mut();
        let before = buffer.filled().len();
        match Pin::new(&mut line.io).poll_read(context, buffer) {
            Poll::Ready(Ok(())) => {
                let new = buffer.filled().get(before..).unwrap_or_default();
                line.owed.hear(new, &line.heads, clock::now);
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => match line.late(context) {
                None => Poll::Pending,
                // As if the client had left, which it may do just as well.
                Some(Due::Next(_)) => Poll::Ready(Ok(())),
                Some(Due::Rest(_)) => {
                    line.say_late(context);
                    Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
                }
            },
        }
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().io).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_shutdown(context)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().io).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}

answers_for!(Line, io);
