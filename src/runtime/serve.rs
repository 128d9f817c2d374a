//! The server: listeners, background services, and an end in good order.
//!
//! Decides nothing about requests. Whatever keeps it from serving is found before it listens, so
//! that a wrong certificate or a port in use is an error with a name, not a panic in a thread.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use pingora::apps::HttpServerOptions;
use pingora::proxy::ProxyServiceBuilder;
use pingora::server::configuration::ServerConf;
use pingora::server::{ExecutionPhase, RunArgs, Server, ShutdownWatch};
use pingora::services::background::{BackgroundService, background_service};
use prometheus::process_collector::ProcessCollector;
use thiserror::Error;

use super::clock;
use super::door::Door;
use super::logger::{self, LineWriter, RequestLog};
use super::pools::REFRESH;
use super::probe::Prober;
use super::signals::Signals;
use super::tls::{self, TlsFault};
use super::writer::{LogSink, SinkFault};
use crate::admit::budget::Budget;
use crate::admit::ledger::Ledger;
use crate::config::Reviewed;
use crate::config::lint::Finding;
use crate::internal::control::{Control, Loaded};
use crate::internal::emergency;
use crate::policy::{Listener, Policy};
use crate::proxy::{Desk, Gateway, Snapshot};
use crate::record::metrics::Metrics;

/// How long names may take to be resolved before the first request is taken.
const FIRST_RESOLVE: Duration = Duration::from_secs(3);
/// How often the time of day is looked at while an emergency measure is to end.
const LOOK_AT_CLOCK: Duration = Duration::from_secs(1);
/// Idle connections kept for each worker.
const KEPT_CONNECTIONS: usize = 512;

/// Why the server can't serve.
#[derive(Debug, Error)]
pub enum ServeFault {
    /// An address can't be listened on.
    #[error("can't listen on {address}: {source}")]
    Listen {
        /// The address.
        address: std::net::SocketAddr,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A listener can't speak TLS.
    #[error(transparent)]
    Tls(#[from] TlsFault),
    /// The log can't be written.
    #[error(transparent)]
    Log(#[from] SinkFault),
    /// The metrics can't be set up.
    #[error("the metrics can't be set up: {0}")]
    Metrics(#[from] prometheus::Error),
    /// Another logger is there already.
    #[error("the log can't be installed: {0}")]
    Logger(log::SetLoggerError),
    /// The system gives no random bits.
    #[error("the system gives no random bits: {0}")]
    Random(getrandom::Error),
    /// No runtime can be made.
    #[error("no runtime can be made: {0}")]
    Runtime(std::io::Error),
}

/// The addresses of a policy's listeners, for people.
pub fn addresses(policy: &Policy) -> String {
    let all: Vec<_> = policy
        .listeners
        .iter()
        .map(|l| l.address.to_string())
        .collect();
    all.join(", ")
}

/// Serves until a signal ends it.
///
/// # Errors
/// Whatever keeps it from serving; once it serves, nothing does.
pub fn serve(reviewed: Reviewed) -> Result<(), ServeFault> {
    let Reviewed { policy, findings } = reviewed;
    check_addresses(&policy.listeners)?;
    let mut random = [0_u8; 16];
    getrandom::fill(&mut random).map_err(ServeFault::Random)?;
    let sink = LogSink::open(policy.logging.file.as_deref(), policy.logging.mask_secrets)?;
    let lines = LineWriter::new(sink.clone(), policy.logging.format, clock::wall);
    logger::install(lines.clone(), policy.logging.level).map_err(ServeFault::Logger)?;
    logger::report_panics(lines.clone());
    let metrics = metrics(&policy)?;

    let conf = Arc::new(configuration(&policy));
    let mut server = Server::new_with_opt_and_conf(None, configuration(&policy));
    server.bootstrap();
    let drain = policy.drain.get();
    let listeners = policy.listeners.clone();
    let keepalive = policy.timeouts.keepalive.get();
    let budget = Budget::new(policy.bytes_in_flight.get());
    let ledger = Arc::new(Ledger::new(policy.limits.max_clients));
    log::info!(
        "policy {} is in force; listening on {}",
        policy.hash,
        addresses(&policy)
    );
    let snapshot = Arc::new(ArcSwap::from_pointee(Snapshot::new(policy)));
    resolve_first(&snapshot)?;

    let desk = Desk {
        recorder: Arc::new(RequestLog::new(Arc::clone(&metrics), lines.clone())),
        metrics: Arc::clone(&metrics),
        lines,
        sink: sink.clone(),
    };
    let state = (Arc::clone(&snapshot), Arc::clone(&ledger));
    let control = control(state, findings, &desk.lines);
    let state = (budget, Arc::clone(&ledger));
    let gateway = Gateway::new(Arc::clone(&control), state, desk, random);
    let mut options = HttpServerOptions::default();
    options.h2_idle_timeout = Some(keepalive);
    let mut service = ProxyServiceBuilder::new(&conf, gateway)
        .name("gateway")
        .server_options(options)
        .build();
    service.set_connection_filter(Arc::new(Door {
        snapshot: Arc::clone(&snapshot),
        ledger,
    }));
    for listener in &listeners {
        let address = listener.address.to_string();
        match &listener.tls {
            Some(files) => service.add_tls_with_settings(&address, None, tls::settings(files)?),
            None => service.add_tcp(&address),
        }
    }
    server.add_service(service);
    server.add_service(background_service("prober", Prober::new(snapshot.clone())));
    server.add_service(background_service("resolver", Resolver { snapshot }));
    server.add_service(background_service("measures", Expiry { control }));
    leave_early(&server, metrics, sink.clone(), drain);
    server.run(RunArgs {
        shutdown_signal: Box::new(Signals { sink: sink.clone() }),
    });
    sink.flush(Duration::from_secs(2));
    Ok(())
}

/// What the control plane acts on.
fn control(
    state: (Arc<ArcSwap<Snapshot>>, Arc<Ledger>),
    findings: Vec<Finding>,
    lines: &LineWriter,
) -> Arc<Control> {
    let loaded = Loaded {
        findings,
        at: clock::wall(),
    };
    Arc::new(Control::new(state, loaded, lines.clone()))
}

/// The process's metrics, with labels for what the policy names.
fn metrics(policy: &Policy) -> Result<Arc<Metrics>, prometheus::Error> {
    let metrics = Metrics::new()?;
    metrics.register(Box::new(ProcessCollector::for_self()))?;
    metrics.know(
        policy
            .providers
            .iter()
            .map(|provider| provider.name.as_str()),
        policy
            .routes
            .iter()
            .flat_map(|route| &route.models)
            .filter_map(|model| model.exact()),
    );
    Ok(Arc::new(metrics))
}

/// Pingora panics in a thread of its own where an address can't be bound.
fn check_addresses(listeners: &[Listener]) -> Result<(), ServeFault> {
    for Listener { address, .. } in listeners {
        TcpListener::bind(address).map_err(|source| ServeFault::Listen {
            address: *address,
            source,
        })?;
    }
    Ok(())
}

fn configuration(policy: &Policy) -> ServerConf {
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    let threads = policy.workers.unwrap_or_else(cores);
    ServerConf {
        threads,
        grace_period_seconds: Some(policy.drain.get().as_secs()),
        graceful_shutdown_timeout_seconds: Some(1),
        upstream_keepalive_pool_size: KEPT_CONNECTIONS,
        ..ServerConf::default()
    }
}

/// Resolves all names once, so that the first request finds them; a name that takes longer is
/// resolved in the background.
fn resolve_first(snapshot: &ArcSwap<Snapshot>) -> Result<(), ServeFault> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(ServeFault::Runtime)?;
    let current = snapshot.load_full();
    let resolving = async { tokio::time::timeout(FIRST_RESOLVE, current.pools.refresh()).await };
    if runtime.block_on(resolving).is_err() {
        log::warn!("some names are not resolved yet; going on in the background");
    }
    // A lookup that hangs in the system's resolver must not keep the server from starting.
    runtime.shutdown_background();
    Ok(())
}

/// Resolves names anew, for as long as the server runs.
struct Resolver {
    snapshot: Arc<ArcSwap<Snapshot>>,
}

#[async_trait]
impl BackgroundService for Resolver {
    async fn start(&self, mut shutdown: ShutdownWatch) {
        loop {
            tokio::select! {
                _changed = shutdown.changed() => return,
                () = tokio::time::sleep(REFRESH) => self.snapshot.load_full().pools.refresh().await,
            }
        }
    }
}

/// Ends emergency measures whose time is over.
struct Expiry {
    control: Arc<Control>,
}

#[async_trait]
impl BackgroundService for Expiry {
    async fn start(&self, mut shutdown: ShutdownWatch) {
        loop {
            let next = emergency::expire(&self.control, clock::wall());
            // The time of day may jump, so that it is looked at every second.
            let wait = async {
                match next {
                    Some(end) => {
                        let left = end.duration_since(clock::wall()).unwrap_or_default();
                        tokio::time::sleep(left.min(LOOK_AT_CLOCK)).await;
                    }
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                _changed = shutdown.changed() => return,
                () = self.control.measured.notified() => {}
                () = wait => {}
            }
        }
    }
}

/// Ends the process as soon as nothing is in flight any more: Pingora sleeps its whole grace
/// period, however idle it is.
fn leave_early(server: &Server, metrics: Arc<Metrics>, sink: LogSink, drain: Duration) {
    let mut phases = server.watch_execution_phase();
    let wait = move || {
        while !matches!(
            phases.blocking_recv(),
            Ok(ExecutionPhase::ShutdownGracePeriod) | Err(_)
        ) {}
        let end = clock::now().checked_add(drain);
        let (_never, nobody) = mpsc::channel::<()>();
        while metrics.active() > 0 && end.is_some_and(|end| clock::now() < end) {
            match nobody.recv_timeout(Duration::from_millis(20)) {
                Ok(()) | Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
            }
        }
        log::info!("drained; exiting");
        sink.flush(Duration::from_secs(2));
        exit();
    };
    if let Err(error) = std::thread::Builder::new()
        .name("drain".to_owned())
        .spawn(wait)
    {
        log::warn!("a stop will take the whole drain period: {error}");
    }
}

#[expect(
    clippy::exit,
    reason = "the main thread sleeps in Pingora, which can't be woken"
)]
fn exit() {
    std::process::exit(0);
}
