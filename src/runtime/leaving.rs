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

use super::house::House;
use super::kept::Counters;
use super::{clock, systemd};
use crate::internal::control::Control;
use crate::proxy::answers::streams::Filter;

/// How long before the drain's end the streams that are left are told that they end.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// How long the last spans may take to their collector, and the last lines to the disk. Generous: a
/// busy machine is slow, and only one that hangs makes anybody wait for so long.
const LAST_SPANS: Duration = Duration::from_secs(4);
pub(super) const LAST_LINES: Duration = Duration::from_secs(5);
/// How often it is looked whether all is done.
const LOOK: Duration = Duration::from_millis(20);
/// How long nothing must have happened before the process ends: where no connection is open, those
/// that are being accepted may come; an idle one is given time for the request on its way.
const QUIET: Duration = Duration::from_millis(100);
const QUIET_IF_OPEN: Duration = Duration::from_secs(3);

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
pub(super) fn leave_early(server: &Server, house: &House, control: &Arc<Control>, drain: Duration) {
    let (metrics, ledger) = (Arc::clone(&house.metrics), Arc::clone(&house.ledger));
    let (leaving, control) = (Arc::clone(&house.leaving), Arc::clone(control));
    let mut phases = server.watch_execution_phase();
    let wait = move || {
        while !matches!(
            phases.blocking_recv(),
            Ok(ExecutionPhase::ShutdownGracePeriod) | Err(_)
        ) {}
        // To the manager the service goes on in the process that took over.
        if !leaving.has_begun() {
            systemd::tell("STOPPING=1\nSTATUS=Draining");
        }
        leaving.begin();
        log::info!("the gateway drains");
        let busy = || (metrics.active(), ledger.connections.open());
        let last_words = || {
            control.streams.terminate(&Filter::default());
        };
        drained(drain, busy, last_words);
        log::info!("drained; exiting");
        control.keeper.save(&Counters::of(&control));
        if let Some(tracer) = &control.tracer {
            tracer.flush(LAST_SPANS);
        }
        control.lines.close(LAST_LINES);
        exit();
    };
    if let Err(error) = std::thread::Builder::new()
        .name("drain".to_owned())
        .spawn(wait)
    {
        log::warn!("a stop will take the whole drain period: {error}");
    }
}

/// Returns when nothing is left to wait for, or the drain is over. `busy` tells how many requests
/// are in flight and how many connections are open.
fn drained(drain: Duration, busy: impl Fn() -> (i64, u32), last_words: impl Fn()) {
    let start = clock::now();
    let patience = QUIET_IF_OPEN.min(drain.div_f32(4.0));
    let speak = drain.saturating_sub(LAST_WORDS.min(drain.div_f32(2.0)));
    let (_never, nobody) = mpsc::channel::<()>();
    let (mut before, mut since) = (busy(), start);
    loop {
        match nobody.recv_timeout(LOOK) {
            Ok(()) | Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
        }
        let (now, state) = (clock::now(), busy());
        let passed = now.saturating_duration_since(start);
        if state != before {
            (before, since) = (state, now);
        }
        let quiet = now.saturating_duration_since(since);
        let enough = match state {
            (0, 0) => quiet >= QUIET,
            (0, _) => quiet >= patience,
            _ => false,
        };
        if enough || passed >= drain {
            return;
        }
        if passed >= speak {
            last_words();
        }
    }
}

#[expect(
    clippy::exit,
    reason = "the main thread sleeps in Pingora, which can't be woken"
)]
fn exit() {
    std::process::exit(0);
}
