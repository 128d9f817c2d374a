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
/// How long nothing must have happened before the process ends: where no connection is open, the
/// last ones are being closed; an idle one is given time for the request on its way.
const QUIET: Duration = Duration::from_millis(100);
const QUIET_IF_OPEN: Duration = Duration::from_secs(3);

/// What must come to nothing before the process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Busy {
    /// Connections are accepted.
    listens: bool,
    /// Connections that have been accepted, and no more.
    coming: u64,
    open: u32,
    /// Requests in flight.
    active: i64,
}

/// For how many looks in a row nothing has happened. Looks are counted and not the time between
/// them: a host that is short of time lets this process stand still for as long as it likes, and
/// what came meanwhile has not been seen by anybody.
#[derive(Debug)]
struct Calm {
    last: Busy,
    looks: u32,
}

impl Calm {
    const fn since(now: Busy) -> Self {
        Self {
            last: now,
            looks: 0,
        }
    }

    /// Looks; answers whether nothing is left to wait for, with so many looks for connections that
    /// are open.
    fn is_enough(&mut self, now: Busy, patience: u32) -> bool {
        self.looks = if now == self.last {
            self.looks.saturating_add(1)
        } else {
            0
        };
        self.last = now;
        match now {
            Busy {
                listens: false,
                coming: 0,
                open: 0,
                active: 0,
            } => self.looks >= looks(QUIET),
            Busy {
                listens: false,
                active: 0,
                ..
            } => self.looks >= patience,
            Busy { .. } => false,
        }
    }
}

/// How many looks take so long, where nothing comes between them.
fn looks(time: Duration) -> u32 {
    let looks = time.as_millis().checked_div(LOOK.as_millis());
    looks.map_or(u32::MAX, |looks| u32::try_from(looks).unwrap_or(u32::MAX))
}

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
    let arrivals = Arc::clone(&house.arrivals);
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
        // In the order in which a connection goes through them.
        let busy = || Busy {
            listens: arrivals.go_on(),
            coming: arrivals.on_their_way(),
            open: ledger.connections.open(),
            active: metrics.active(),
        };
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

/// Returns when nothing is left to wait for, or the drain is over.
fn drained(drain: Duration, busy: impl Fn() -> Busy, last_words: impl Fn()) {
    let start = clock::now();
    let patience = looks(QUIET_IF_OPEN.min(drain.div_f32(4.0)));
    let speak = drain.saturating_sub(LAST_WORDS.min(drain.div_f32(2.0)));
    let (_never, nobody) = mpsc::channel::<()>();
    let mut calm = Calm::since(busy());
    loop {
        match nobody.recv_timeout(LOOK) {
            Ok(()) | Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
        }
        let passed = clock::now().saturating_duration_since(start);
        if calm.is_enough(busy(), patience) || passed >= drain {
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

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: Busy = Busy {
        listens: false,
        coming: 0,
        open: 0,
        active: 0,
    };
    const PATIENCE: u32 = 150;

    /// After how many looks at this, nothing changing, the process ends.
    fn enough_after(busy: Busy) -> Option<u32> {
        let mut calm = Calm::since(busy);
        (1..1_000).find(|_look| calm.is_enough(busy, PATIENCE))
    }

    #[test]
    fn the_end_comes_when_nothing_is_left_and_nobody_is_at_the_door() {
        let table = [
            (NOTHING, Some(5)),
            (Busy { open: 2, ..NOTHING }, Some(PATIENCE)),
            (
                Busy {
                    coming: 1,
                    ..NOTHING
                },
                Some(PATIENCE),
            ),
            (
                Busy {
                    active: 1,
                    open: 1,
                    ..NOTHING
                },
                None,
            ),
            (
                Busy {
                    listens: true,
                    ..NOTHING
                },
                None,
            ),
        ];
        for (busy, expected) in table {
            assert_eq!(enough_after(busy), expected, "{busy:?}");
        }
    }

    #[test]
    fn whatever_happens_begins_the_wait_anew() {
        let mut calm = Calm::since(NOTHING);
        for _ in 0..4 {
            assert!(!calm.is_enough(NOTHING, PATIENCE), "four looks");
        }
        let one = Busy {
            active: 1,
            open: 1,
            ..NOTHING
        };
        assert!(!calm.is_enough(one, PATIENCE), "a call");
        assert!(!calm.is_enough(NOTHING, PATIENCE), "its end");
        for _ in 0..4 {
            assert!(!calm.is_enough(NOTHING, PATIENCE), "and four looks more");
        }
        assert!(calm.is_enough(NOTHING, PATIENCE), "are enough with a fifth");
    }
}
