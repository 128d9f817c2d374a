//! The server: listeners, background services, and an end in good order.
//!
//! Decides nothing about requests. Whatever keeps it from serving is found before it listens, so
//! that a wrong certificate or a port in use is an error with a name, not a panic in a thread.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use pingora::server::configuration::Opt;
use pingora::server::configuration::ServerConf;
use pingora::server::{RunArgs, Server, ShutdownWatch};
use pingora::services::background::{BackgroundService, background_service};
use thiserror::Error;

use super::activation::{Activated, ActivationFault};
use super::alarm::Alarm;
use super::audit::{AuditFault, AuditLog};
use super::clock;
use super::entrance::{self, Way};
use super::files::FileWatch;
use super::handover::heir::Heir;
use super::handover::new::TakeoverFault;
use super::handover::place::{Place, PlaceFault};
use super::house::House;
use super::kept::{self, Keeping};
use super::leaving::{LAST_LINES, leave_early};
use super::logger::LineWriter;
use super::pools::Resolver;
use super::probe::Prober;
use super::ready;
use super::referee::Referee;
use super::reload::Source;
use super::retention::Retention;
use super::selftest::timer::Trier;
use super::signals::Signals;
use super::tls::{Certificates, TlsFault};
use super::writer::SinkFault;
use crate::config::Reviewed;
use crate::internal::control::{Control, Loaded};
use crate::internal::emergency;
use crate::policy::{Listener, Policy};
use crate::proxy::Snapshot;

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
    /// The audit log can't be kept.
    #[error("the audit log: {0}")]
    Audit(#[from] AuditFault),
    /// The metrics can't be set up.
    #[error("the metrics can't be set up: {0}")]
    Metrics(#[from] prometheus::Error),
    /// Another logger is there already.
    #[error("the log can't be installed: {0}")]
    Logger(log::SetLoggerError),
    /// The system gives no random bits.
    #[error("the system gives no random bits: {0}")]
    Random(getrandom::Error),
    /// There is no safe place to meet the running process.
    #[error(transparent)]
    Place(#[from] PlaceFault),
    /// The running process does not hand over.
    #[error(transparent)]
    Takeover(#[from] TakeoverFault),
    /// The sockets of systemd can't be taken.
    #[error(transparent)]
    Activation(#[from] ActivationFault),
    /// No runtime can be made.
    #[error("no runtime can be made: {0}")]
    Runtime(std::io::Error),
}

/// The addresses of a policy's listeners, for people.
pub fn addresses(policy: &Policy) -> String {
    shown(&policy.listeners)
}

fn shown(listeners: &[Listener]) -> String {
    let all: Vec<_> = listeners.iter().map(|l| l.address.to_string()).collect();
    all.join(", ")
}

/// How a process comes to its listening sockets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// It opens them.
    Anew,
    /// It takes them over from the running process.
    Upgrade,
}

/// Serves until a signal ends it.
///
/// # Errors
/// Whatever keeps it from serving; once it serves, nothing does.
pub fn serve(reviewed: Reviewed, start: Start, source: Source) -> Result<(), ServeFault> {
    let Reviewed {
        policy,
        findings,
        view,
    } = reviewed;
    let activated = activated(&policy.listeners, start)?;
    let random = random()?;
    let place = meeting_place(&policy.listeners, start)?;
    let conf = Arc::new(configuration(&policy, place.as_ref()));
    let takes = start == Start::Upgrade || !activated.is_empty();
    let mut server = server(&policy, takes, place.as_ref());
    let (drain, keepalive) = (policy.drain.get(), policy.timeouts.keepalive.get());
    let (listeners, hash) = (policy.listeners.clone(), policy.hash.clone());
    // Read before anything is taken over: a process that can't speak TLS takes nothing.
    let mut certificates = Certificates::default();
    let ways = ways(&listeners, &mut certificates)?;
    let mut house = House::open(policy)?;
    resolve_first(&house.snapshot)?;
    // From here on everything that can be wrong with the configuration has been found.
    let heir = inherited(start, place.as_ref(), &listeners)?;
    house.inherit(heir.seed());
    let loaded = Loaded {
        findings,
        view,
        at: clock::wall(),
    };
    let control = house.control(loaded, source, certificates);
    heir.settle(&control)?;
    activated.hand_in(place.as_ref())?;
    if start == Start::Anew {
        kept::resume(&control);
    }
    // Waits for the sockets, in an upgrade, and ends the process if they don't come.
    server.bootstrap();
    let shown = shown(&listeners);
    log::info!("policy {hash} is in force; listening on {shown}");
    started(&house.lines, &hash, start);
    let gateway = house.gateway(&control, random);
    let entrance = house.entrance(ways, keepalive, random);
    let outside = (listeners.as_slice(), house.door());
    server.add_service(entrance::service(&conf, gateway, entrance, outside));
    add_tasks(&mut server, &control, &mut house)?;
    leave_early(&server, &house, &control, drain);
    let (obeys, obeyed) = mpsc::channel();
    ready::announce(&server, &listeners, obeyed);
    let shutdown_signal = Box::new(Signals {
        control,
        leaving: Arc::clone(&house.leaving),
        place,
        addresses: listeners.iter().map(|l| l.address.to_string()).collect(),
        obeys,
    });
    server.run(RunArgs { shutdown_signal });
    house.lines.close(LAST_LINES);
    Ok(())
}

/// Tells the audit log which process goes on with it.
fn started(lines: &LineWriter, hash: &str, start: Start) {
    let found = lines.audit_log().map_or("", AuditLog::found);
    lines.audit("start", |entry| {
        entry
            .text("version", env!("CARGO_PKG_VERSION"))
            .text("policy", hash)
            .number("pid", u64::from(std::process::id()))
            .text(
                "how",
                match start {
                    Start::Anew => "anew",
                    Start::Upgrade => "upgrade",
                },
            )
            .text("chain_found", found)
    });
}

/// The sockets that systemd opened, if the others can be; a process that takes over gets its own
/// from the one before.
fn activated(listeners: &[Listener], start: Start) -> Result<Activated, ServeFault> {
    if start == Start::Upgrade {
        return Ok(Activated::default());
    }
    let activated = Activated::from_environment(listeners)?;
    check_addresses(listeners, &activated.addresses())?;
    Ok(activated)
}

/// What the process before hands on, if the sockets that it has not can be opened.
fn inherited<'p>(
    start: Start,
    place: Option<&'p Place>,
    listeners: &[Listener],
) -> Result<Heir<'p>, ServeFault> {
    let heir = Heir::call(start, place)?;
    if start == Start::Upgrade {
        check_addresses(listeners, heir.listeners())?;
    }
    Ok(heir)
}

/// Random bits of the system.
pub(super) fn random() -> Result<[u8; 16], ServeFault> {
    let mut random = [0_u8; 16];
    getrandom::fill(&mut random).map_err(ServeFault::Random)?;
    Ok(random)
}

/// What runs beside the requests.
fn add_tasks(
    server: &mut Server,
    control: &Arc<Control>,
    house: &mut House,
) -> Result<(), ServeFault> {
    let snapshot = Arc::clone(&control.snapshot);
    let prober = Prober::new(Arc::clone(&snapshot));
    server.add_service(background_service("prober", prober));
    server.add_service(background_service("resolver", Resolver { snapshot }));
    let retention = Retention(Arc::clone(control));
    server.add_service(background_service("retention", retention));
    let expiry = Expiry(Arc::clone(control));
    server.add_service(background_service("measures", expiry));
    let watch = FileWatch(Arc::clone(control));
    server.add_service(background_service("files", watch));
    let referee = Referee(Arc::clone(control));
    server.add_service(background_service("trial", referee));
    let alarm = Alarm::new(Arc::clone(control), &house.metrics)?;
    server.add_service(background_service("alerts", alarm));
    let trier = Trier::new(Arc::clone(control), &house.metrics)?;
    server.add_service(background_service("selftest", trier));
    let keeping = Keeping(Arc::clone(control));
    server.add_service(background_service("counters", keeping));
    if let Some(delivery) = house.delivery.take() {
        server.add_service(background_service("telemetry", delivery));
    }
    if let Some(fleet) = &house.fleet {
        server.add_service(background_service("fleet", fleet.member(control)));
    }
    Ok(())
}

/// How connections come in by each listener.
fn ways(listeners: &[Listener], certificates: &mut Certificates) -> Result<Vec<Way>, TlsFault> {
    let ways = listeners.iter().map(|listener| {
        let address = listener.address;
        let tls = listener.tls.as_ref();
        let speaker = tls.map(|tls| certificates.speaker(address, tls));
        Ok(Way {
            address,
            speaker: speaker.transpose()?,
        })
    });
    ways.collect()
}

fn server(policy: &Policy, upgrade: bool, place: Option<&Place>) -> Server {
    let opt = Opt {
        upgrade,
        ..Opt::default()
    };
    Server::new_with_opt_and_conf(opt, configuration(policy, place))
}

/// Where a successor will find this process, or this one its predecessor. A gateway that can't be
/// taken over serves all the same.
fn meeting_place(listeners: &[Listener], start: Start) -> Result<Option<Place>, ServeFault> {
    let Some(first) = listeners.first() else {
        return Ok(None);
    };
    match Place::of(first.address, |name| std::env::var(name).ok()) {
        Ok(place) => Ok(Some(place)),
        Err(fault) if start == Start::Upgrade => Err(fault.into()),
        Err(fault) => {
            log::warn!("no process can take over from this one: {fault}");
            Ok(None)
        }
    }
}

/// Pingora panics in a thread of its own where an address can't be bound. Those that another
/// process hands over are bound already.
fn check_addresses(listeners: &[Listener], handed: &[String]) -> Result<(), ServeFault> {
    let ours = |listener: &&Listener| !handed.contains(&listener.address.to_string());
    for Listener { address, .. } in listeners.iter().filter(ours) {
        TcpListener::bind(address).map_err(|source| ServeFault::Listen {
            address: *address,
            source,
        })?;
    }
    Ok(())
}

fn configuration(policy: &Policy, place: Option<&Place>) -> ServerConf {
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    let threads = policy.workers.unwrap_or_else(cores);
    let transfer = place.map(|place| place.transfer.to_string_lossy().into_owned());
    let defaults = ServerConf::default();
    ServerConf {
        threads,
        upgrade_sock: transfer.unwrap_or(defaults.upgrade_sock),
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
