//! The hooks of the tests' proxy, each by its script.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use pingora::http::{RequestHeader, ResponseHeader};
use pingora::proxy::{FailToProxy, ProxyHttp, Session};
use pingora::upstreams::peer::HttpPeer;
use pingora::{Error, ErrorSource, ErrorType, Result};
use tokio::sync::watch;

use super::Version;
use super::gateway::{Early, Ended, Plan};
use crate::admit::budget::Budget;
use crate::inspect::finding::Settled;
use crate::proxy::guard::{self, Handle, Source};
use crate::proxy::tail::HeldTail;

/// The field by which a request says at which piece of its body it is to be refused.
pub(super) const REFUSE_AT: &str = "x-refuse-at";

/// What a request's hooks know.
#[derive(Default)]
pub(super) struct Ctx {
    tail: Option<HeldTail>,
    pub(super) calls: Vec<(Option<usize>, bool)>,
    pub(super) refuse_at: Option<usize>,
    pub(super) kept: Vec<u8>,
    attempts: usize,
    again: bool,
    held: Option<usize>,
    handle: Option<Arc<Handle>>,
    raw_head: Vec<u8>,
}

impl Ctx {
    /// What is kept back of the body.
    pub(super) fn tail(&mut self) -> &mut HeldTail {
        let new = || HeldTail::new(u64::MAX, Budget::new(u64::MAX).share());
        self.tail.get_or_insert_with(new)
    }
}

/// Nothing that was seen changes any more.
pub(super) fn all_settled() -> Settled {
    let (upto, edits) = (u64::MAX, Vec::new());
    Settled { upto, edits }
}

pub(super) struct Scripted {
    pub(super) plan: Plan,
    pub(super) ended: watch::Sender<Vec<Ended>>,
}

impl Scripted {
    async fn prepare(&self, session: &mut Session, ctx: &mut Ctx) -> Result<()> {
        let most = match self.plan.early {
            Early::Leave => return Ok(()),
            Early::Guard => {
                let source = Source::Client(self.plan.client);
                ctx.handle = Some(guard::install(session, source, self.plan.provider));
                return Ok(());
            }
            Early::Prefix(most) => most,
            Early::Read | Early::ReadBuffered | Early::Hold => usize::MAX,
        };
        if matches!(self.plan.early, Early::ReadBuffered | Early::Prefix(_)) {
            session.enable_retry_buffering();
        }
        let mut body = Vec::new();
        while body.len() < most {
            let Some(piece) = session.as_downstream_mut().read_request_body().await? else {
                break;
            };
            body.extend_from_slice(&piece);
        }
        if self.plan.early == Early::Hold {
            ctx.held = Some(body.len());
            let source = Source::Held(body.into());
            ctx.handle = Some(guard::install(session, source, self.plan.provider));
        }
        Ok(())
    }
}

#[async_trait]
impl ProxyHttp for Scripted {
    type CTX = Ctx;

    fn new_ctx(&self) -> Ctx {
        Ctx::default()
    }

    async fn request_filter(&self, session: &mut Session, ctx: &mut Ctx) -> Result<bool> {
        let number = session.req_header().headers.get(REFUSE_AT);
        ctx.refuse_at = number.and_then(|number| number.to_str().ok()?.parse().ok());
        if let Some(session) = session.as_downstream().as_http1() {
            ctx.raw_head = session.get_headers_raw_bytes().to_vec();
        }
        self.prepare(session, ctx).await?;
        Ok(false)
    }

    async fn upstream_peer(&self, _: &mut Session, ctx: &mut Ctx) -> Result<Box<HttpPeer>> {
        let last = self.plan.peers.len() - 1;
        let (address, version) = self.plan.peers[ctx.attempts.min(last)];
        ctx.attempts += 1;
        ctx.calls.clear();
        let mut peer = HttpPeer::new(address, false, String::new());
        let number = if version == Version::Two { 2 } else { 1 };
        peer.options.set_http_version(number, number);
        peer.options.read_timeout = self.plan.read_timeout;
        peer.options.write_timeout = Some(self.plan.provider.idle.get());
        Ok(Box::new(peer))
    }

    fn fail_to_connect(
        &self,
        _: &mut Session,
        _: &HttpPeer,
        ctx: &mut Ctx,
        mut error: Box<Error>,
    ) -> Box<Error> {
        error.set_retry(ctx.attempts < self.plan.peers.len());
        error
    }

    async fn upstream_request_filter(
        &self,
        _: &mut Session,
        head: &mut RequestHeader,
        ctx: &mut Ctx,
    ) -> Result<()> {
        if let Some(handle) = &ctx.handle {
            handle.attempt_begins(self.plan.provider, None);
        }
        if let Some(held) = ctx.held {
            head.remove_header(&TRANSFER_ENCODING);
            head.insert_header(CONTENT_LENGTH, held)?;
        }
        Ok(())
    }

    async fn request_body_filter(
        &self,
        _: &mut Session,
        piece: &mut Option<Bytes>,
        end: bool,
        ctx: &mut Ctx,
    ) -> Result<()> {
        ctx.calls.push((piece.as_ref().map(Bytes::len), end));
        (self.plan.hook)(ctx, piece, end)
    }

    async fn upstream_response_filter(
        &self,
        _: &mut Session,
        head: &mut ResponseHeader,
        ctx: &mut Ctx,
    ) -> Result<()> {
        ctx.again = self.plan.retries && head.status == 503;
        if ctx.again {
            return Err(Error::explain(ErrorType::HTTPStatus(503), "another attempt").into_up());
        }
        Ok(())
    }

    fn error_while_proxy(
        &self,
        _: &HttpPeer,
        _: &mut Session,
        mut error: Box<Error>,
        ctx: &mut Ctx,
        _: bool,
    ) -> Box<Error> {
        error.set_retry(std::mem::take(&mut ctx.again));
        error
    }

    async fn fail_to_proxy(
        &self,
        session: &mut Session,
        error: &Error,
        ctx: &mut Ctx,
    ) -> FailToProxy {
        if let Some(handle) = &ctx.handle {
            guard::give_back(session, handle).await;
        }
        let status = match (error.etype(), error.esource()) {
            (ErrorType::HTTPStatus(status), _) => *status,
            (_, ErrorSource::Upstream) => 502,
            (ErrorType::ConnectionClosed | ErrorType::ReadError, ErrorSource::Downstream) => 0,
            (_, ErrorSource::Downstream) => 400,
            (_, ErrorSource::Internal | ErrorSource::Unset) => 500,
        };
        if status != 0 && session.as_downstream().response_written().is_none() {
            // A client that has gone takes no answer.
            drop(session.respond_error(status).await);
        }
        FailToProxy {
            error_code: status,
            can_reuse_downstream: false,
        }
    }

    fn suppress_error_log(&self, _: &Session, _: &Ctx, _: &Error) -> bool {
        true
    }

    async fn logging(&self, session: &mut Session, error: Option<&Error>, ctx: &mut Ctx) {
        if let Some(handle) = &ctx.handle {
            // The second call is one too many, as after a failure.
            guard::give_back(session, handle).await;
            guard::give_back(session, handle).await;
        }
        let ended = Ended {
            error: error.map(|error| format!("{error}")),
            attempts: ctx.attempts,
            calls: std::mem::take(&mut ctx.calls),
            raw_head: std::mem::take(&mut ctx.raw_head),
        };
        self.ended.send_modify(|all| all.push(ended));
    }
}
