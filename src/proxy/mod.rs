//! Pingora's hooks: each hands data to a stage and carries out what the stage decided.
//!
//! Lives here: everything that touches a session, a body in flight or a peer. Must not live here:
//! what is allowed, where a request goes, what is written down; those are functions of the inner
//! ring, and take no type of Pingora's.

pub(crate) mod answers;
mod attempt;
pub(crate) mod body;
mod cors;
mod ctx;
mod failure;
mod findings;
#[cfg(test)]
mod framing;
mod gateway;
mod guard;
mod guesses;
mod headers;
mod holding;
mod ids;
pub(crate) mod late;
mod limits;
mod local;
mod operate;
pub(crate) mod peer;
mod reading;
mod receive;
mod reply;
mod snapshot;
mod tail;
mod tracing;
pub(crate) mod trial;
mod wording;

use std::any::Any;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::header;
use pingora::http::{RequestHeader, ResponseHeader};
use pingora::modules::http::HttpModules;
use pingora::protocols::Digest;
use pingora::proxy::{FailToProxy, ProxyHttp, Session};
use pingora::upstreams::peer::HttpPeer;
use pingora::{Error, Result};

use crate::runtime::clock;
use crate::runtime::entrance::Heads;
use attempt::Progress;
pub use ctx::RequestCtx;
use ctx::Stage;
pub(crate) use gateway::{Desk, Gateway};
use receive::{Received, Stop};
pub(crate) use reply::Answer;
pub(crate) use snapshot::Snapshot;

#[async_trait]
impl ProxyHttp for Gateway {
    type CTX = RequestCtx;

    fn new_ctx(&self) -> RequestCtx {
        RequestCtx::default()
    }

    fn init_downstream_modules(&self, _modules: &mut HttpModules) {
        // Pingora's own is a compression that is switched off, and made anew for each request.
    }

    fn on_connection_reuse(
        &self,
        _session: &mut Session,
        _ctx: &mut RequestCtx,
        heads: Box<dyn Any + Send + Sync>,
    ) {
        // The first hook after a head has been read, and called for each (see `entrance`).
        if let Ok(heads) = heads.downcast::<Arc<Heads>>() {
            heads.is_in();
        }
    }

    async fn request_filter(&self, session: &mut Session, ctx: &mut RequestCtx) -> Result<bool> {
        let flight = ctx.flight.insert(self.open(session));
        let stays = !self.is_leaving(session);
        // Their heads would pass no filter, so a provider's interim answers stay here.
        session.set_ignore_info_resp(true);
        // Without an end of Pingora's: the entrance watches idle connections.
        session.set_keepalive(stays.then_some(0));
        match receive::receive(self, session, flight).await {
            Ok(Received::Call(call)) => {
                flight.stage = Stage::Call(call);
                return Ok(false);
            }
            Ok(Received::Answer(answer)) => {
                flight.stage = Stage::Answered;
                flight.record.status = Some(answer.status);
                let told = limits::standing(flight, None);
                let (policy, id) = (&flight.snapshot.policy, &flight.record.request_id);
                reply::send(session, policy, id, told, answer).await?;
            }
            Ok(Received::Preflight(fields)) => {
                flight.stage = Stage::Answered;
                flight.record.status = Some(204);
                let (policy, id) = (&flight.snapshot.policy, &flight.record.request_id);
                reply::preflight(session, policy, id, fields).await?;
            }
            Ok(Received::Redirect(location)) => {
                flight.stage = Stage::Answered;
                flight.record.status = Some(308);
                let (policy, id) = (&flight.snapshot.policy, &flight.record.request_id);
                reply::redirect(session, policy, id, location).await?;
            }
            Err(Stop::Denied(denial)) => failure::refuse(self, session, flight, &denial).await?,
            Err(Stop::Broken(error)) => return Err(error),
        }
        Ok(true)
    }

    async fn upstream_peer(
        &self,
        session: &mut Session,
        ctx: &mut RequestCtx,
    ) -> Result<Box<HttpPeer>> {
        let flight = ctx.flight.as_mut().ok_or_else(lost)?;
        peer::next(&self.ledger, session, flight).await
    }

    fn fail_to_connect(
        &self,
        session: &mut Session,
        _peer: &HttpPeer,
        ctx: &mut RequestCtx,
        mut error: Box<Error>,
    ) -> Box<Error> {
        let flight = ctx.flight.as_mut();
        error.set_retry(flight.is_some_and(|flight| attempt::failed(flight, session, &error)));
        error
    }

    async fn connected_to_upstream(
        &self,
        _session: &mut Session,
        _reused: bool,
        _peer: &HttpPeer,
        #[cfg(unix)] _fd: std::os::unix::io::RawFd,
        #[cfg(windows)] _sock: std::os::windows::io::RawSocket,
        _digest: Option<&Digest>,
        ctx: &mut RequestCtx,
    ) -> Result<()> {
        let call = ctx.flight.as_mut().and_then(|flight| flight.call());
        if let Some(attempt) = call.and_then(|call| call.attempt.as_mut()) {
            attempt.reached(Progress::Connected);
        }
        Ok(())
    }

    async fn upstream_request_filter(
        &self,
        _session: &mut Session,
        head: &mut RequestHeader,
        ctx: &mut RequestCtx,
    ) -> Result<()> {
        let flight = ctx.flight.as_mut().ok_or_else(lost)?;
        peer::prepare(flight, head)
    }

    async fn request_body_filter(
        &self,
        session: &mut Session,
        piece: &mut Option<Bytes>,
        end: bool,
        ctx: &mut RequestCtx,
    ) -> Result<()> {
        let flight = ctx.flight.as_mut().ok_or_else(lost)?;
        body::filter(self, session, flight, piece, end)
    }

    fn error_while_proxy(
        &self,
        peer: &HttpPeer,
        session: &mut Session,
        error: Box<Error>,
        ctx: &mut RequestCtx,
        _client_reused: bool,
    ) -> Box<Error> {
        let mut error = error.more_context(format!("Peer: {peer}"));
        let flight = ctx.flight.as_mut();
        error.set_retry(flight.is_some_and(|flight| attempt::failed(flight, session, &error)));
        error
    }

    async fn upstream_response_filter(
        &self,
        session: &mut Session,
        head: &mut ResponseHeader,
        ctx: &mut RequestCtx,
    ) -> Result<()> {
        let flight = ctx.flight.as_mut().ok_or_else(lost)?;
        if head.status.is_informational() {
            return Ok(());
        }
        let now = clock::now();
        flight.clock.first_byte(now);
        flight.record.upstream_status = Some(head.status.as_u16());
        let kind = head
            .headers
            .get(header::CONTENT_TYPE)
            .map(http::HeaderValue::as_bytes);
        flight.record.stream = kind.is_some_and(|kind| kind.starts_with(b"text/event-stream"));
        let asked = (&session.req_header().method, flight.record.endpoint);
        let Stage::Call(call) = &mut flight.stage else {
            return Ok(());
        };
        attempt::answered(call, &flight.snapshot, head, clock::uptime_at(now));
        failure::screen(head, call)?;
        answers::prepare(head, asked, call)
    }

    fn upstream_response_body_filter(
        &self,
        session: &mut Session,
        _piece: &mut Option<Bytes>,
        end: bool,
        ctx: &mut RequestCtx,
    ) -> Result<Option<std::time::Duration>> {
        let Some(flight) = &mut ctx.flight else {
            return Ok(None);
        };
        if end {
            flight.clock.call_ends(clock::now());
        } else if session.as_downstream().response_written().is_some()
            && let Some(call) = flight.call()
        {
            call.body.forget();
        }
        Ok(None)
    }

    async fn response_filter(
        &self,
        session: &mut Session,
        head: &mut ResponseHeader,
        ctx: &mut RequestCtx,
    ) -> Result<()> {
        let flight = ctx.flight.as_mut().ok_or_else(lost)?;
        if head.status.is_informational() {
            return Ok(());
        }
        flight.record.status = Some(head.status.as_u16());
        if let (true, Some(call)) = (self.is_leaving(session), flight.call()) {
            call.handle.close_after_answer();
        }
        let asked = session.req_header();
        failure::clean(head, asked, flight)?;
        answers::begin(self, head, flight);
        Ok(())
    }

    async fn fail_to_proxy(
        &self,
        session: &mut Session,
        error: &Error,
        ctx: &mut RequestCtx,
    ) -> FailToProxy {
        failure::answer(self, session, error, ctx).await
    }

    fn suppress_error_log(&self, _session: &Session, _ctx: &RequestCtx, _error: &Error) -> bool {
        // `failure` says it once, with the request's id.
        true
    }

    async fn logging(&self, session: &mut Session, error: Option<&Error>, ctx: &mut RequestCtx) {
        let Some(mut flight) = ctx.flight.take() else {
            return;
        };
        let mut tokens = None;
        if let Some(call) = flight.call() {
            tokens = attempt::ended(call, error);
            let handle = Arc::clone(&call.handle);
            guard::give_back(session, &handle).await;
        }
        findings::abandoned(self, session, &mut flight);
        answers::end(self, session, &mut flight);
        flight.record.response_bytes =
            u64::try_from(session.as_downstream().body_bytes_sent()).unwrap_or(u64::MAX);
        let outcome = failure::outcome(&mut flight, error);
        let now = clock::now();
        limits::settle(self, &mut flight, (tokens, outcome), now);
        trial::note(&flight, outcome, || flight.clock.times(now));
        flight.land(outcome, now);
    }
}

fn lost() -> Box<Error> {
    Error::explain(
        pingora::ErrorType::InternalError,
        "a hook ran without a request",
    )
}
