//! The end of the process: whether it has begun, and what is done before it.
//!
//! Decides that connections are let go one by one from the moment that a successor takes over:
//! each answer from then on tells its client to come anew, so that hardly a connection is left
//! idle, for a client to write to just as it is closed, when Pingora ends them all.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use pingora::server::{ExecutionPhase, Server};

use super::{clock, systemd};
use crate::internal::control::Control;
use crate::proxy::answers::streams::Filter;
use crate::record::metrics::Metrics;

/// How long before the drain's end the streams that are left are told that they end.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Whether this process is about to end.
#[derive(Debug, Default)]
pub(crate) struct Leaving(AtomicBool);

impl Leaving {
    /// Says that it is.
    pub(crate) fn begin(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it is.
    pub(crate) fn has_begun(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Ends the process as soon as nothing is in flight any more: Pingora sleeps its whole grace
/// period, however idle it is. Streams that outlast the drain end with their API's error event.
pub(crate) fn leave_early(
    server: &Server,
    metrics: Arc<Metrics>,
    (control, leaving): (Arc<Control>, Arc<Leaving>),
    drain: Duration,
) {
    let mut phases = server.watch_execution_phase();
    let wait = move || {
        while !matches!(
            phases.blocking_recv(),
            Ok(ExecutionPhase::ShutdownGracePeriod) | Err(_)
        ) {}
        leaving.begin();
        systemd::tell("STOPPING=1\nSTATUS=Draining");
        let end = clock::now().checked_add(drain);
        let last_words = end.and_then(|end| end.checked_sub(LAST_WORDS.min(drain.div_f32(2.0))));
        let (_never, nobody) = mpsc::channel::<()>();
        while metrics.active() > 0 && end.is_some_and(|end| clock::now() < end) {
            match nobody.recv_timeout(Duration::from_millis(20)) {
                Ok(()) | Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
            }
            if last_words.is_some_and(|time| clock::now() >= time) {
                control.streams.terminate(&Filter::default());
            }
        }
        log::info!("drained; exiting");
        control.lines.flush(Duration::from_secs(2));
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
