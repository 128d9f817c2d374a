//! Signals, as the contract has them.
//!
//! Decides nothing but which order a signal stands for.

use std::sync::Arc;

use async_trait::async_trait;
use pingora::server::{ShutdownSignal, ShutdownSignalWatch};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::reload::reload;
use crate::internal::control::Control;

/// Waits for the signal to stop; in the meantime reopens log files and reloads.
pub(crate) struct Signals {
    /// Whose log files `SIGHUP` reopens, and whose configuration it loads anew.
    pub(crate) control: Arc<Control>,
}

#[async_trait]
impl ShutdownSignalWatch for Signals {
    async fn recv(&self) -> ShutdownSignal {
        let mut terminate = stream(SignalKind::terminate());
        let mut interrupt = stream(SignalKind::interrupt());
        let mut hangup = stream(SignalKind::hangup());
        loop {
            tokio::select! {
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
