//! The downstream session of a proxied request: a stand-in for Pingora's own.
//!
//! Three things that Pingora 0.9.1 has no hook for are done here. A body that was held and judged
//! is replayed whole on every attempt: Pingora itself replays at most 64 KiB, and above that it
//! sends the rest alone as a complete request (#816). The provider's time to the first byte,
//! between bytes and in all is watched from the side that is always polled. And the request can
//! be ended from there. Everything else is passed on to the real session.
//!
//! Its trait is not stable: the crate is pinned, and the tests named `framing` hold the contract.
//! The real session must be put back ([`give_back`]) before the request ends, because Pingora
//! keeps no connection of a stand-in alive.

mod bell;
mod client;
mod ending;
mod handle;
mod watch;

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use futures_core::Stream;
use http::HeaderMap;
use pingora::http::{RequestHeader, ResponseHeader};
use pingora::protocols::Digest;
use pingora::protocols::http::custom::CustomMessageWrite;
use pingora::protocols::http::custom::server::Session as CustomSession;
use pingora::protocols::http::{HttpTask, ServerSession};
use pingora::protocols::l4::socket::SocketAddr;
use pingora::proxy::Session;
use pingora::{Error, ErrorType, Result};

use super::answers::{Live, Passed};
use crate::policy::{Denial, ProviderTimeouts};
use crate::runtime::clock;
use crate::runtime::timer::Alarm;
use bell::Bell;
pub(crate) use client::Source;
pub(crate) use handle::Handle;
use watch::Watch;

/// The code by which `shutdown` is told to hand the real session back. Not an HTTP/2 error code.
const HAND_BACK: u32 = 0x5041_4345;

type MessageReader = Box<dyn Stream<Item = Result<Bytes>> + Unpin + Send + Sync + 'static>;

/// Puts a guarded session in the place of the real one.
pub(crate) fn install(
    session: &mut Session,
    source: Source,
    timeouts: ProviderTimeouts,
) -> Arc<Handle> {
    let handle = Arc::new(Handle::default());
    let read_before = session.as_downstream().body_bytes_read();
    let real = std::mem::replace(&mut *session.downstream_session, vacancy());
    let began = clock::now();
    let watch = Watch::new(timeouts, began);
    let guard = Guard {
        real,
        handle: Arc::clone(&handle),
        source,
        watch,
        read_before,
        gone: false,
        live: None,
        began,
        writing: false,
        alarm: Alarm::default(),
        bell: Bell::new(Arc::clone(&handle).into()),
        asked: false,
    };
    *session.downstream_session = ServerSession::new_custom(Box::new(guard));
    handle
}

/// Puts the real session back. Does nothing the second time.
pub(crate) async fn give_back(session: &mut Session, handle: &Handle) {
    if let Some(guard) = session.downstream_session.as_custom_mut() {
        guard.shutdown(HAND_BACK, "hand back").await;
    }
    if let Some(real) = handle.take() {
        *session.downstream_session = real;
    }
}

/// What stands where no session is; nothing calls it, as it is never polled.
fn vacancy() -> ServerSession {
    ServerSession::new_custom(Box::new(()))
}

struct Guard {
    real: ServerSession,
    handle: Arc<Handle>,
    source: Source,
    watch: Watch,
    /// Bytes of the body that were read, and are held, before any provider was called.
    read_before: usize,
    gone: bool,
    live: Option<Box<Live>>,
    /// Since when the rest of the body is read.
    began: Instant,
    /// A write of our own has begun and not ended.
    writing: bool,
    alarm: Alarm,
    bell: Bell,
    /// Whoever rings the bell has been asked, and had nothing to say.
    asked: bool,
}

impl Guard {
    /// Begins anew with a new attempt: its time to the first byte, and no answer.
    fn renew(&mut self) {
        if self.handle.begins_anew() {
            self.watch.renew(self.handle.timeouts());
            self.live = None;
            self.asked = false;
        }
    }

    /// Keeps no body for another attempt once the client has the beginning of an answer.
    fn forget_body(&mut self) {
        if let Source::Held(body) = &mut self.source
            && !body.is_empty()
            && self.real.response_written().is_some()
        {
            *body = Bytes::new();
            self.handle.forget_body();
        }
    }
}

fn ended(denial: &Denial) -> Box<Error> {
    Error::explain(ErrorType::HTTPStatus(denial.face().status), denial.reason())
}

#[async_trait]
impl CustomSession for Guard {
    fn req_header(&self) -> &RequestHeader {
        self.real.req_header()
    }

    fn req_header_mut(&mut self) -> &mut RequestHeader {
        self.real.req_header_mut()
    }

    async fn read_body_bytes(&mut self) -> Result<Option<Bytes>> {
        match self.source {
            Source::Held(_) => Ok(None),
            Source::Client(_) => self.real.read_request_body().await,
        }
    }

    async fn drain_request_body(&mut self) -> Result<()> {
        self.real.drain_request_body().await
    }

    async fn write_response_header(&mut self, resp: Box<ResponseHeader>, _end: bool) -> Result<()> {
        self.real.write_response_header(resp).await
    }

    async fn write_response_header_ref(&mut self, resp: &ResponseHeader, _end: bool) -> Result<()> {
        self.real.write_response_header_ref(resp).await
    }

    async fn write_body(&mut self, data: Bytes, end: bool) -> Result<()> {
        self.real.write_response_body(data, end).await
    }

    async fn write_trailers(&mut self, trailers: HeaderMap) -> Result<()> {
        self.real.write_response_trailers(trailers).await
    }

    async fn response_duplex_vec(&mut self, tasks: Vec<HttpTask>) -> Result<bool> {
        if self.handle.is_to_close() {
            self.real.set_keepalive(None);
        }
        // While a provider takes nothing, Pingora polls this side alone.
        let now = clock::now();
        if self.watch.is_over(now) {
            return Err(ended(&Denial::UpstreamTimeout));
        }
        if self.writing {
            // A write of our own was given up half-way: nothing that follows would be in step.
            return Err(ended(&Denial::Internal).into_down());
        }
        self.renew();
        if self.live.is_none() {
            self.live = self.handle.answer_ends();
            self.asked &= self.live.is_none();
        }
        let passed = match &mut self.live {
            Some(live) => live.pass(tasks, now),
            None => Passed { tasks, cut: false },
        };
        let cut = passed.cut;
        let sent = self.send(passed).await?;
        if cut {
            // An error is what ends the provider's call at once, even where it is silent.
            return Err(self.left(&Denial::UpstreamError).await);
        }
        let taken = if sent.at_once { now } else { clock::now() };
        self.watch.sign_of_life(taken);
        self.forget_body();
        Ok(sent.over)
    }

    fn set_read_timeout(&mut self, timeout: Option<Duration>) {
        self.real.set_read_timeout(timeout);
    }

    fn get_read_timeout(&self) -> Option<Duration> {
        self.real.get_read_timeout()
    }

    fn set_write_timeout(&mut self, timeout: Option<Duration>) {
        self.real.set_write_timeout(timeout);
    }

    fn get_write_timeout(&self) -> Option<Duration> {
        self.real.get_write_timeout()
    }

    fn set_total_drain_timeout(&mut self, timeout: Option<Duration>) {
        self.real.set_total_drain_timeout(timeout);
    }

    fn get_total_drain_timeout(&self) -> Option<Duration> {
        self.real.get_total_drain_timeout()
    }

    fn request_summary(&self) -> String {
        self.real.request_summary()
    }

    fn response_written(&self) -> Option<&ResponseHeader> {
        self.real.response_written()
    }

    async fn shutdown(&mut self, code: u32, _ctx: &str) {
        if code != HAND_BACK {
            self.real.shutdown().await;
        } else if !self.gone {
            self.gone = true;
            if let Some(live) = self.live.take() {
                self.handle.answer_begins(live);
            }
            self.handle
                .put(std::mem::replace(&mut self.real, vacancy()));
        }
    }

    async fn abandon(&mut self, _ctx: &str) {
        self.real.shutdown().await;
    }

    fn is_body_done(&mut self) -> bool {
        match self.source {
            Source::Held(_) => true,
            Source::Client(_) => self.real.is_body_done(),
        }
    }

    async fn finish(&mut self) -> Result<()> {
        self.real.finish_body().await
    }

    fn is_body_empty(&mut self) -> bool {
        match &self.source {
            Source::Held(body) => body.is_empty(),
            Source::Client(_) => self.real.is_body_empty(),
        }
    }

    async fn read_body_or_idle(&mut self, no_body_expected: bool) -> Result<Option<Bytes>> {
        self.renew();
        let sent = no_body_expected || self.is_body_done();
        self.idle(no_body_expected, sent).await
    }

    fn body_bytes_sent(&self) -> usize {
        self.real.body_bytes_sent()
    }

    fn body_bytes_read(&self) -> usize {
        self.real.body_bytes_read()
    }

    fn digest(&self) -> Option<&Digest> {
        self.real.digest()
    }

    fn digest_mut(&mut self) -> Option<&mut Digest> {
        self.real.digest_mut()
    }

    fn client_addr(&self) -> Option<&SocketAddr> {
        self.real.client_addr()
    }

    fn server_addr(&self) -> Option<&SocketAddr> {
        self.real.server_addr()
    }

    fn pseudo_raw_h1_request_header(&self) -> Bytes {
        self.real.to_h1_raw()
    }

    /// Held bodies need no second copy, and bodies in flight are never replayed.
    fn enable_retry_buffering(&mut self) {}

    fn retry_buffer_truncated(&self) -> bool {
        match self.source {
            Source::Held(_) => false,
            Source::Client(_) => self.real.body_bytes_read() > self.read_before,
        }
    }

    fn get_retry_buffer(&self) -> Option<Bytes> {
        match &self.source {
            Source::Held(body) if !body.is_empty() => {
                self.handle.body().or_else(|| Some(body.clone()))
            }
            Source::Held(_) | Source::Client(_) => None,
        }
    }

    async fn finish_custom(&mut self) -> Result<()> {
        Ok(())
    }

    fn take_custom_message_reader(&mut self) -> Option<MessageReader> {
        None
    }

    fn restore_custom_message_reader(&mut self, _reader: MessageReader) -> Result<()> {
        Err(Error::explain(
            ErrorType::InternalError,
            "a guarded session takes no message reader",
        ))
    }

    fn take_custom_message_writer(&mut self) -> Option<Box<dyn CustomMessageWrite>> {
        None
    }

    fn restore_custom_message_writer(
        &mut self,
        _writer: Box<dyn CustomMessageWrite>,
    ) -> Result<()> {
        Err(Error::explain(
            ErrorType::InternalError,
            "a guarded session takes no message writer",
        ))
    }
}
