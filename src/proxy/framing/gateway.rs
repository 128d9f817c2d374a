//! A proxy without a server around it: Pingora's own, with hooks that each test scripts.

use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use pingora::apps::{HttpServerOptions, ServerApp};
use pingora::http::{RequestHeader, ResponseHeader};
use pingora::protocols::l4::stream::Stream;
use pingora::proxy::{FailToProxy, HttpProxy, ProxyHttp, Session};
use pingora::server::configuration::ServerConf;
use pingora::upstreams::peer::HttpPeer;
use pingora::{Error, ErrorSource, ErrorType, Result};
use tempfile::NamedTempFile;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::upstream::Upstream;
use super::{Version, within};
use crate::admit::budget::Budget;
use crate::inspect::finding::Settled;
use crate::policy::{ClientTimeouts, ProviderTimeouts};
use crate::proxy::guard::{self, Handle, Source};
use crate::proxy::tail::HeldTail;

/// The field by which a request says at which piece of its body it is to be refused.
pub(super) const REFUSE_AT: &str = "x-refuse-at";

/// What the body hook does with a piece.
pub(super) type Hook = fn(&mut Ctx, &mut Option<Bytes>, bool) -> Result<()>;

/// What happens to the body before a provider is connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Early {
    /// Nothing.
    Leave,
    /// It is read to its end.
    Read,
    /// The same, with Pingora's own buffer for replays.
    ReadBuffered,
    /// At least so many bytes are read with that buffer, and the rest is left.
    Prefix(usize),
    /// It is read to its end and held by a guarded session.
    Hold,
    /// A guarded session is put before it.
    Guard,
}

/// The script of a proxy.
pub(super) struct Plan {
    pub(super) early: Early,
    pub(super) hook: Hook,
    /// Where each attempt goes; the last one serves for all that follow.
    pub(super) peers: Vec<(SocketAddr, Version)>,
    /// Whether an answer of 503 makes for another attempt.
    pub(super) retries: bool,
    pub(super) read_timeout: Option<Duration>,
    pub(super) provider: ProviderTimeouts,
    pub(super) client: ClientTimeouts,
}

impl Plan {
    /// Every piece passes as it is, to this provider.
    pub(super) fn to(upstream: &Upstream) -> Self {
        let long = "20s".parse().expect("a span");
        Self {
            early: Early::Leave,
            hook: |_, _, _| Ok(()),
            peers: vec![upstream.peer()],
            retries: false,
            read_timeout: None,
            provider: ProviderTimeouts {
                connect: long,
                first_byte: long,
                idle: long,
                total: long,
            },
            client: ClientTimeouts {
                header: long,
                body_idle: long,
                body: long,
                min_body_rate: None,
                keepalive: long,
            },
        }
    }

    pub(super) fn early(self, early: Early) -> Self {
        Self { early, ..self }
    }

    pub(super) fn hook(self, hook: Hook) -> Self {
        Self { hook, ..self }
    }

    /// Another attempt follows an answer of 503.
    pub(super) fn retrying(self) -> Self {
        Self {
            retries: true,
            ..self
        }
    }

    pub(super) fn read_timeout(self, millis: u64) -> Self {
        Self {
            read_timeout: Some(Duration::from_millis(millis)),
            ..self
        }
    }

    /// Starts the proxy.
    pub(super) async fn start(self) -> Gateway {
        let (ended, seen) = watch::channel(Vec::new());
        let mut proxy = HttpProxy::new(Scripted { plan: self, ended }, Arc::new(conf()));
        proxy.handle_init_modules();
        let mut options = HttpServerOptions::default();
        options.h2c = true;
        proxy.server_options = Some(options);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener
            .local_addr()
            .expect("a bound socket has an address");
        let accepting = tokio::spawn(accept(listener, Arc::new(proxy)));
        Gateway {
            address,
            seen,
            accepting,
        }
    }
}

/// One root in place of the machine's own, which take their time to load and serve nobody here.
static ROOTS: LazyLock<NamedTempFile> = LazyLock::new(|| {
    let made = rcgen::generate_simple_self_signed(["root.test".to_owned()]).expect("a certificate");
    let mut file = NamedTempFile::new().expect("a file");
    file.write_all(made.cert.pem().as_bytes())
        .expect("a certificate is written");
    file
});

fn conf() -> ServerConf {
    let roots = ROOTS.path().to_str().expect("a path in UTF-8").to_owned();
    ServerConf {
        max_retries: 4,
        ca_file: Some(roots),
        ..ServerConf::default()
    }
}

async fn accept(listener: TcpListener, proxy: Arc<HttpProxy<Scripted>>) {
    let (_running, shutdown) = watch::channel(false);
    loop {
        let (socket, _) = listener.accept().await.expect("accept");
        socket.set_nodelay(true).expect("no delay");
        let (proxy, shutdown) = (Arc::clone(&proxy), shutdown.clone());
        let stream = Box::new(Stream::from(socket));
        tokio::spawn(async move { proxy.process_new(stream, &shutdown).await });
    }
}

/// A running proxy.
pub(super) struct Gateway {
    pub(super) address: SocketAddr,
    seen: watch::Receiver<Vec<Ended>>,
    accepting: JoinHandle<()>,
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Gateway {
    /// How the request with this number, counted from 0, ended.
    pub(super) async fn ended(&self, number: usize) -> Ended {
        let mut seen = self.seen.clone();
        let reached = within(
            "the end of a request",
            seen.wait_for(|all| all.len() > number),
        );
        reached.await.expect("the proxy is alive")[number].clone()
    }
}

/// How a request ended, as the last hook saw it.
#[derive(Clone, Debug)]
pub(super) struct Ended {
    /// What went wrong.
    pub(super) error: Option<String>,
    /// How often a provider was asked.
    pub(super) attempts: usize,
    /// The body hook's calls in the last attempt: how many bytes, and whether it was the end.
    pub(super) calls: Vec<(Option<usize>, bool)>,
    /// The bytes of the head as they came, where Pingora still has them.
    pub(super) raw_head: Vec<u8>,
}

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

struct Scripted {
    plan: Plan,
    ended: watch::Sender<Vec<Ended>>,
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
