//! A client's connection, with a deadline on what must come at once.
//!
//! Decides nothing: [`Owed`] says since when something is owed. What is late ends the connection;
//! where part of an HTTP/1 head has come, 408 is written first. A timer is only made for a head
//! that does not come in one piece, so that most requests have none.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use pingora::protocols::raw_connect::ProxyDigest;
use pingora::protocols::tls::{SslDigest, TlsRef};
use pingora::protocols::{
    ALPN, GetProxyDigest, GetSocketDigest, GetTimingDigest, Peek, Shutdown, SocketDigest, Ssl,
    Stream, TimingDigest, UniqueID, UniqueIDType,
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

use super::watch::{Heads, Owed};
use crate::runtime::clock;

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
    timer: Option<(Instant, Pin<Box<Sleep>>)>,
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
            timer: None,
        }
    }

    /// Whether what is owed is late; wakes the task when it will be.
    fn is_late(&mut self, context: &mut Context<'_>) -> bool {
        let Some(since) = self.owed.since(&self.heads, clock::now) else {
            return false;
        };
        let Some(end) = since.checked_add(self.limit) else {
            return false;
        };
        let (armed, timer) = self.timer.get_or_insert_with(|| {
            let timer = tokio::time::sleep_until(end.into());
            (end, Box::pin(timer))
        });
        if *armed != end {
            timer.as_mut().reset(end.into());
            *armed = end;
        }
        timer.as_mut().poll(context).is_ready()
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
            Poll::Pending if line.is_late(context) => {
                line.say_late(context);
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
            Poll::Pending => Poll::Pending,
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

#[async_trait]
impl Shutdown for Line {
    async fn shutdown(&mut self) {
        self.io.shutdown().await;
    }
}

impl UniqueID for Line {
    fn id(&self) -> UniqueIDType {
        self.io.id()
    }
}

impl Ssl for Line {
    fn get_ssl(&self) -> Option<&TlsRef> {
        self.io.get_ssl()
    }

    fn get_ssl_digest(&self) -> Option<Arc<SslDigest>> {
        self.io.get_ssl_digest()
    }

    fn selected_alpn_proto(&self) -> Option<ALPN> {
        self.io.selected_alpn_proto()
    }
}

impl GetTimingDigest for Line {
    fn get_timing_digest(&self) -> Vec<Option<TimingDigest>> {
        self.io.get_timing_digest()
    }

    fn get_read_pending_time(&self) -> Duration {
        self.io.get_read_pending_time()
    }

    fn get_write_pending_time(&self) -> Duration {
        self.io.get_write_pending_time()
    }
}

impl GetProxyDigest for Line {
    fn get_proxy_digest(&self) -> Option<Arc<ProxyDigest>> {
        self.io.get_proxy_digest()
    }
}

impl GetSocketDigest for Line {
    fn get_socket_digest(&self) -> Option<Arc<SocketDigest>> {
        self.io.get_socket_digest()
    }
}

#[async_trait]
impl Peek for Line {
    async fn try_peek(&mut self, buffer: &mut [u8]) -> io::Result<bool> {
        self.io.try_peek(buffer).await
    }
}
