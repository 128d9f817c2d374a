//! A proxy without a server around it: Pingora's own, with hooks that each test scripts.

use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use bytes::Bytes;
use pingora::Result;
use pingora::apps::{HttpServerOptions, ServerApp};
use pingora::protocols::l4::stream::Stream;
use pingora::proxy::HttpProxy;
use pingora::server::configuration::ServerConf;
use tempfile::NamedTempFile;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::scripted::{Ctx, Scripted};
use super::upstream::Upstream;
use super::{Version, within};
use crate::policy::{ClientTimeouts, ProviderTimeouts};

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
