//! Signals, as the contract has them.
//!
//! Decides nothing but which order a signal stands for.

use std::sync::Arc;
use std::sync::mpsc::Sender;

use async_trait::async_trait;
use pingora::server::{ShutdownSignal, ShutdownSignalWatch};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::clock;
use super::handover::old::Host;
use super::handover::place::Place;
use super::handover::spawn;
use super::handover::state;
use super::leaving::Leaving;
use super::reload::reload;
use crate::internal::control::Control;

/// Waits for the signal to stop, or to hand over; reopens log files and reloads in the
/// meantime. `SIGUSR2` starts a successor first, so that one order is a whole upgrade.
pub(crate) struct Signals {
    /// Whose log files `SIGHUP` reopens, whose configuration it loads anew, and what a successor
    /// must not forget.
    pub(crate) control: Arc<Control>,
    /// Told when a successor takes over.
    pub(crate) leaving: Arc<Leaving>,
    /// Where successors call, if they can.
    pub(crate) place: Option<Place>,
    /// The addresses whose sockets a successor gets.
    pub(crate) addresses: Vec<String>,
    /// Told when signals are orders: until then they would end the process.
    pub(crate) obeys: Sender<()>,
}

impl Signals {
    /// Where successors call, opened.
    fn host(&self) -> Option<Host> {
        let place = self.place.as_ref()?;
        Host::open(place, self.addresses.clone())
            .inspect_err(|error| log::warn!("no process can take over from this one: {error}"))
            .ok()
    }

    /// Whether everything was handed over, so that this process may end.
    async fn handed_over(&self, host: &mut Option<Host>) -> bool {
        let Some(host) = host else {
            log::error!("no process can take over from this one; going on");
            return false;
        };
        let state = || state::gather(&self.control, clock::moment());
        match host.hand_over(state).await {
            Ok(()) => {
                log::info!("handing the listening sockets over");
                self.leaving.begin();
                self.control.lines.audit("upgrade", |entry| {
                    entry.number("pid", u64::from(std::process::id()))
                });
                if let Some(audit) = self.control.lines.audit_log() {
                    audit.goes_on();
                }
                self.control.keeper.give_up();
                true
            }
            Err(fault) => {
                log::error!("{fault}; going on");
                false
            }
        }
    }
}

#[async_trait]
impl ShutdownSignalWatch for Signals {
    async fn recv(&self) -> ShutdownSignal {
        let mut terminate = stream(SignalKind::terminate());
        let mut interrupt = stream(SignalKind::interrupt());
        let mut hangup = stream(SignalKind::hangup());
        let mut quit = stream(SignalKind::quit());
        let mut replace = stream(SignalKind::user_defined2());
        let mut host = self.host();
        // Without a listener nobody waits for it.
        let _nobody = self.obeys.send(());
        loop {
            tokio::select! {
                () = visited(&mut host) => {}
                replaced = order(&mut quit, &mut replace) => {
                    let mut successor = None;
                    if replaced {
                        successor = started();
                        if successor.is_none() {
                            continue;
                        }
                    }
                    // What must not wait for a successor that is slow.
                    tokio::select! {
                        () = next(&mut terminate) => return ShutdownSignal::GracefulTerminate,
                        () = next(&mut interrupt) => return ShutdownSignal::FastShutdown,
                        () = ended(&mut successor) => {}
                        done = self.handed_over(&mut host) => {
                            if done {
                                return ShutdownSignal::GracefulUpgrade;
                            }
                        }
                    }
                }
                () = next(&mut terminate) => return ShutdownSignal::GracefulTerminate,
                () = next(&mut interrupt) => return ShutdownSignal::FastShutdown,
                () = next(&mut hangup) => {
                    match self.control.lines.reopen() {
                        Ok(()) => log::info!("SIGHUP: the log file was opened anew"),
                        Err(fault) => log::error!("SIGHUP: the old log file stays in use: {fault}"),
                    }
                    let control = Arc::clone(&self.control);
                    // What came of it is in the log; the next signal need not wait for it.
                    let _logged = tokio::task::spawn_blocking(move || reload(&control));
                }
            }
        }
    }
}

/// A process called; never, where none can.
async fn visited(host: &mut Option<Host>) {
    match host {
        Some(host) => host.visited().await,
        None => std::future::pending().await,
    }
}

fn stream(kind: SignalKind) -> Option<Signal> {
    signal(kind)
        .inspect_err(|error| log::error!("signal {kind:?} can't be listened for: {error}"))
        .ok()
}

/// The next signal; never, where it can't be listened for.
async fn next(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => {
            if signal.recv().await.is_none() {
                std::future::pending::<()>().await;
            }
        }
        None => std::future::pending().await,
    }
}

/// `SIGQUIT`, or `SIGUSR2`; says whether it was the latter.
async fn order(quit: &mut Option<Signal>, replace: &mut Option<Signal>) -> bool {
    tokio::select! {
        () = next(quit) => false,
        () = next(replace) => true,
    }
}

fn started() -> Option<spawn::Child> {
    spawn::successor()
        .inspect(|child| log::info!("process {} was started to take over", child.pid))
        .inspect_err(|error| log::error!("no process can be started to take over: {error}"))
        .ok()
}

/// The process that was started to take over has ended instead; never, where none was started.
async fn ended(successor: &mut Option<spawn::Child>) {
    let Some(child) = successor else {
        return std::future::pending().await;
    };
    if let Ok(status) = (&mut child.end).await {
        log::error!(
            "the new process {} has ended ({status}); going on",
            child.pid
        );
    }
}
