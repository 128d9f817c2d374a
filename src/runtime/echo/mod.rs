//! The embedded provider's end of an in-memory connection, so that a request to it takes the very
//! path through Pingora that a request to any provider takes.
//!
//! Decides how HTTP/1.1 is spoken there; what is answered is [`crate::provider::echo`]'s. It never
//! opens a socket, resolves a name or panics, and serves one request a connection: Pingora 0.9.1
//! can't reuse a connection without a file descriptor. Its pool tells connections apart by
//! descriptor, which is -1 for all of these, and asks the kernel for the peer of the descriptor
//! before it reuses one, which fails. A connection kept alive would only lie in the pool until the
//! next request throws it away.

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::UNIX_EPOCH;

use async_trait::async_trait;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, EXPECT, TRANSFER_ENCODING};
use pingora::connectors::l4::Connect;
use pingora::http::ResponseHeader;
use pingora::protocols::http::ServerSession;
use pingora::protocols::l4::socket::SocketAddr;
use pingora::protocols::l4::stream::Stream;
use pingora::protocols::l4::virt::{VirtualSockOpt, VirtualSocket, VirtualSocketStream};
use pingora::upstreams::peer::HttpPeer;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf, duplex};

use super::clock;
use crate::provider::echo::{self, Answer, Upload};

/// Bytes under way in one direction before the writer waits for the reader.
const PIPE_BYTES: usize = 64 * 1024;

/// Longest body taken. The gateway's own limits are lower; this one keeps the provider honest.
const MAX_BODY: usize = 16 * 1024 * 1024;

/// From TEST-NET-1 (RFC 5737), which nothing routes: it names the peer in logs and is never
/// connected to.
const ADDRESS: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(192, 0, 2, 1), 1);

/// The embedded provider as Pingora sees it: HTTP/1.1, no TLS.
pub fn peer() -> HttpPeer {
    let mut peer = HttpPeer::new(ADDRESS, false, String::new());
    peer.options.custom_l4 = Some(Arc::new(EchoConnect));
    peer
}

/// Makes in-memory connections, each with a task that serves its other end.
#[derive(Debug)]
struct EchoConnect;

#[async_trait]
impl Connect for EchoConnect {
    async fn connect(&self, _: &SocketAddr) -> pingora::Result<Stream> {
        let (near, far) = duplex(PIPE_BYTES);
        tokio::spawn(serve(far));
        Ok(VirtualSocketStream::new(Box::new(Pipe(near))).into())
    }
}

/// The near end, dressed as a socket.
#[derive(Debug)]
struct Pipe(DuplexStream);

impl VirtualSocket for Pipe {
    fn set_socket_option(&self, _: VirtualSockOpt) -> io::Result<()> {
        // Delays and keep-alive probes mean nothing in memory.
        Ok(())
    }
}

impl AsyncRead for Pipe {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().0).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_shutdown(cx)
    }
}

/// Serves one request, then closes.
async fn serve(far: DuplexStream) {
    let mut session = ServerSession::new_http1(Box::new(far));
    if let Err(error) = exchange(&mut session).await {
        // Usual: the client left, so the gateway dropped its end.
        log::debug!(
            "embedded provider: connection ended early: {}",
            error.etype().as_str()
        );
    }
}

async fn exchange(session: &mut ServerSession) -> pingora::Result<()> {
    let answer = match session.read_request().await {
        Ok(true) => judge(session).await?,
        Ok(false) => return Ok(()),
        Err(_) => echo::not_http(),
    };
    // Says `connection: close`, so that the gateway's pool does not keep its end.
    session.set_keepalive(None);
    match answer {
        Answer::Plain { status, body } => {
            let mut head = ResponseHeader::build(status, Some(4))?;
            head.insert_header(CONTENT_TYPE, "application/json")?;
            head.set_content_length(body.len())?;
            session.write_response_header(Box::new(head)).await?;
            session.write_response_body(Bytes::from(body), true).await
        }
        Answer::Stream(frames) => {
            let mut head = ResponseHeader::build(200, Some(5))?;
            head.insert_header(CONTENT_TYPE, "text/event-stream; charset=utf-8")?;
            head.insert_header(CACHE_CONTROL, "no-cache")?;
            head.insert_header(TRANSFER_ENCODING, "chunked")?;
            session.write_response_header(Box::new(head)).await?;
            for frame in frames {
                session.write_response_body(frame, false).await?;
            }
            session.write_response_body(Bytes::new(), true).await
        }
    }
}

/// Reads the body to its end, even past the limit: a gateway that is still writing would take an
/// early close for a failed provider and never read the refusal.
async fn judge(session: &mut ServerSession) -> pingora::Result<Answer> {
    let expects = session
        .get_header_bytes(EXPECT)
        .eq_ignore_ascii_case(b"100-continue");
    if expects {
        session.write_continue_response().await?;
    }
    let upload = echo::is_upload(session.req_header().uri.path());
    let most = if upload { echo::HEAD } else { MAX_BODY };
    let (mut body, mut length) = (Vec::new(), 0_u64);
    while let Some(piece) = session.read_request_body().await? {
        length = length.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
        let room = most.saturating_sub(body.len());
        body.extend_from_slice(piece.get(..room).unwrap_or(&piece));
    }
    let path = session.req_header().uri.path();
    // Before 1970 there is nothing to tell.
    let since = clock::wall().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = since.as_secs();
    let head = Upload {
        head: &body,
        length,
    };
    if let Some(answer) = echo::upload(path, &head, now) {
        return Ok(answer);
    }
    if u64::try_from(body.len()).is_ok_and(|kept| kept < length) {
        return Ok(echo::too_large(path));
    }
    Ok(echo::answer(path, &body, now))
}

#[cfg(test)]
mod tests;
