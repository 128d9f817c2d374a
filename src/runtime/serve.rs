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
use pingora::listeners::tls::TlsSettings;
use pingora::proxy::{HttpProxy, ProxyServiceBuilder};
use pingora::server::configuration::ServerConf;
use pingora::server::{ExecutionPhase, RunArgs, Server, ShutdownWatch};
use pingora::services::background::{BackgroundService, background_service};
use pingora::services::listening::Service;
use prometheus::process_collector::ProcessCollector;
use thiserror::Error;

use super::clock;
use super::door::Door;
use super::logger::{self, LineWriter, RequestLog};
use super::pools::REFRESH;
use super::reload::{self, Load, Reloader};
use super::signals::Signals;
use super::tls::{Certificates, TlsFault};
use super::watch::Watch;
use super::writer::{LogSink, SinkFault};
use crate::admit::budget::Budget;
use crate::admit::ledger::Ledger;
use crate::config::Reviewed;
use crate::internal::control::{Control, Loaded};
use crate::internal::emergency;
use crate::policy::{Listener, Logging, Policy};
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
pub fn serve(reviewed: Reviewed, load: Load) -> Result<(), ServeFault> {
    let Reviewed {
        policy,
        findings,
        view,
    } = reviewed;
    check_addresses(&policy.listeners)?;
    let mut random = [0_u8; 16];
    getrandom::fill(&mut random).map_err(ServeFault::Random)?;
    let lines = open_logs(&policy.logging)?;
    let metrics = metrics(&policy)?;

    let conf = Arc::new(configuration(&policy));
    let mut server = Server::new_with_opt_and_conf(None, configuration(&policy));
    server.bootstrap();
    let drain = policy.drain.get();
    let mut certificates = Certificates::default();
    let settings = tls_settings(&policy.listeners, &mut certificates)?;
    let keepalive = policy.timeouts.keepalive.get();
    let budget = Budget::new(policy.bytes_in_flight.get());
    log::info!(
        "policy {} is in force; listening on {}",
        policy.hash,
        addresses(&policy)
    );
    let snapshot = Arc::new(ArcSwap::from_pointee(Snapshot::new(policy)));
    resolve_first(&snapshot)?;

    let watch = Arc::new(Watch::default());
    let recorder = RequestLog::new(Arc::clone(&metrics), Arc::clone(&watch), lines.clone());
    let desk = Desk {
        recorder: Arc::new(recorder),
        metrics: Arc::clone(&metrics),
        lines: lines.clone(),
    };
    let ledger = Arc::new(Ledger::default());
    let loaded = Loaded {
        findings,
        view,
        at: clock::wall(),
    };
    let reloader = Reloader::new(load, certificates, (&budget, &metrics));
    let state = (Arc::clone(&snapshot), Arc::clone(&ledger));
    let control = Control::new(state, loaded, (desk.lines.clone(), watch), reloader);
    let control = Arc::new(control);
    let state = (budget, Arc::clone(&ledger));
    let gateway = Gateway::new(Arc::clone(&control), state, desk, random);
    let mut options = HttpServerOptions::default();
    options.h2_idle_timeout = Some(keepalive);
    let mut service = ProxyServiceBuilder::new(&conf, gateway)
        .name("gateway")
        .server_options(options)
        .build();
    service.set_connection_filter(Arc::new(Door { snapshot, ledger }));
    listen(&mut service, settings);
    server.add_service(service);
    add_tasks(&mut server, &control);
    leave_early(&server, metrics, lines.clone(), drain);
    server.run(RunArgs {
        shutdown_signal: Box::new(Signals { control }),
    });
    lines.flush(Duration::from_secs(2));
    Ok(())
}

/// The log, which the whole process writes to from here on.
fn open_logs(logging: &Logging) -> Result<LineWriter, ServeFault> {
    let open = |path| LogSink::open(path, logging.mask_secrets);
    let sink = open(logging.file.as_deref())?;
    let security = logging.security_file.as_deref().map(Some).map(open);
    let lines = LineWriter::new(sink, logging.format, clock::wall);
    let lines = lines.with_security(security.transpose()?);
    logger::install(lines.clone(), logging.level).map_err(ServeFault::Logger)?;
    logger::report_panics(lines.clone());
    Ok(lines)
}

/// Addresses to listen on, and how TLS is spoken there.
type Doors = Vec<(String, Option<TlsSettings>)>;

fn listen(service: &mut Service<HttpProxy<Gateway>>, doors: Doors) {
    for (address, settings) in doors {
        match settings {
            Some(settings) => service.add_tls_with_settings(&address, None, settings),
            None => service.add_tcp(&address),
        }
    }
}

/// What runs beside the requests.
fn add_tasks(server: &mut Server, control: &Arc<Control>) {
    let snapshot = Arc::clone(&control.snapshot);
    server.add_service(background_service("resolver", Resolver { snapshot }));
    let expiry = Expiry(Arc::clone(control));
    server.add_service(background_service("measures", expiry));
}

/// The TLS settings of each listener that has any.
fn tls_settings(
    listeners: &[Listener],
    certificates: &mut Certificates,
) -> Result<Doors, TlsFault> {
    let settings = listeners.iter().map(|listener| {
        let address = listener.address;
        let files = listener.tls.as_ref();
        let settings = files.map(|files| certificates.settings(address, files));
        Ok((address.to_string(), settings.transpose()?))
    });
    settings.collect()
}

/// The process's metrics, with labels for what the policy names.
fn metrics(policy: &Policy) -> Result<Arc<Metrics>, prometheus::Error> {
    let metrics = Metrics::new()?;
    metrics.register(Box::new(ProcessCollector::for_self()))?;
    reload::know(&metrics, policy);
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
struct Expiry(Arc<Control>);

#[async_trait]
impl BackgroundService for Expiry {
    async fn start(&self, mut shutdown: ShutdownWatch) {
        loop {
            let next = emergency::expire(&self.0, clock::wall());
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
                () = self.0.measured.notified() => {}
                () = wait => {}
            }
        }
    }
}

/// Ends the process as soon as nothing is in flight any more: Pingora sleeps its whole grace
/// period, however idle it is.
fn leave_early(server: &Server, metrics: Arc<Metrics>, lines: LineWriter, drain: Duration) {
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
        lines.flush(Duration::from_secs(2));
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
