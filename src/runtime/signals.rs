//! Signals, as the contract has them.
//!
//! Decides nothing but which order a signal stands for.

use std::sync::Arc;

use async_trait::async_trait;
use pingora::server::{ShutdownSignal, ShutdownSignalWatch};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::clock;
use super::handover::old::Host;
use super::handover::place::Place;
use super::handover::state;
use super::leaving::Leaving;
use super::reload::reload;
use crate::internal::control::Control;

/// Waits for the signal to stop, or to hand over; reopens log files and reloads in the
/// meantime.
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
            log::error!("SIGQUIT: no process can take over from this one; going on");
            return false;
        };
        let state = || state::gather(&self.control, clock::moment());
        match host.hand_over(state).await {
            Ok(()) => {
                log::info!("SIGQUIT: handing the listening sockets over");
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
                log::error!("SIGQUIT: {fault}; going on");
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
        let mut host = self.host();
        loop {
            tokio::select! {
                () = visited(&mut host) => {}
                () = next(&mut quit) => {
                    // What must not wait for a successor that is slow.
                    tokio::select! {
                        () = next(&mut terminate) => return ShutdownSignal::GracefulTerminate,
                        () = next(&mut interrupt) => return ShutdownSignal::FastShutdown,
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
