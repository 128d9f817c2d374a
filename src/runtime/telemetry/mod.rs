//! Traces on their way to a collector: begun with a request, queued when it has ended, delivered
//! in the background.
//!
//! Decides nothing about requests and stops none: a full queue drops and counts, a collector that
//! is away, slow or wrong costs its spans alone. What a span says is `record::trace`'s. Without a
//! collector there is no [`Tracer`], and no request has a trace.

mod deliver;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::HeaderMap;
use prometheus::{Error, IntCounter};
use tokio::sync::Notify;
use tokio::sync::mpsc::{self, Sender};

use super::clock;
use crate::policy::telemetry::Telemetry;
use crate::record::Facts;
use crate::record::metrics::Metrics;
use crate::record::trace::{Finished, Parent, SpanId, Trace, TraceId};
pub(crate) use deliver::Delivery;

/// Requests whose spans may wait.
const ROOM: usize = 4_096;
/// How often a flush looks whether it is done.
const LOOK: Duration = Duration::from_millis(10);

/// Takes the spans of requests that have ended. Clones share one queue.
#[derive(Debug, Clone)]
pub(crate) struct Tracer {
    queue: Sender<Finished>,
    told: Arc<Told>,
}

/// What the queue's two ends know of each other.
#[derive(Debug)]
struct Told {
    /// Requests that were queued and are neither delivered nor given up.
    waiting: AtomicU64,
    /// Told when what waits is to go at once.
    hurry: Notify,
    sent: IntCounter,
    dropped: IntCounter,
}

impl Tracer {
    /// A tracer and what delivers its spans; counted among these metrics.
    ///
    /// # Errors
    /// A metric's name is taken.
    pub(crate) fn new(telemetry: &Telemetry, metrics: &Metrics) -> Result<(Self, Delivery), Error> {
        let counter = |name: &str, help: &str| {
            let made = IntCounter::new(name, help)?;
            metrics.register(Box::new(made.clone()))?;
            Ok::<_, Error>(made)
        };
        let sent = "Spans that the collector took.";
        let dropped = "Spans lost for want of room or of a collector.";
        let told = Arc::new(Told {
            waiting: AtomicU64::new(0),
            hurry: Notify::new(),
            sent: counter("proxy_api_spans_sent_total", sent)?,
            dropped: counter("proxy_api_spans_dropped_total", dropped)?,
        });
        let (queue, ended) = mpsc::channel(ROOM);
        let delivery = Delivery::new(telemetry.clone(), ended, Arc::clone(&told));
        Ok((Self { queue, told }, delivery))
    }

    /// Takes the spans of a request that has ended.
    pub(crate) fn ended(&self, facts: &Facts) {
        let Some(finished) = Finished::of(facts, (clock::wall(), clock::uptime())) else {
            return;
        };
        let spans = finished.spans();
        self.told.waiting.fetch_add(1, Ordering::Relaxed);
        if self.queue.try_send(finished).is_err() {
            self.told.waiting.fetch_sub(1, Ordering::Relaxed);
            self.told.dropped.inc_by(spans);
        }
    }

    /// Waits until what was queued is delivered or given up; the process ends after it.
    pub(crate) fn flush(&self, patience: Duration) {
        let end = clock::now().checked_add(patience);
        let (_never, nobody) = std::sync::mpsc::channel::<()>();
        self.told.hurry.notify_one();
        while self.told.waiting.load(Ordering::Relaxed) > 0
            && end.is_some_and(|end| clock::now() < end)
        {
            // Ends by its time alone.
            let _nobody_speaks = nobody.recv_timeout(LOOK);
        }
    }
}

/// The trace of a request that begins: its caller's, or a new one. None where the caller does
/// not record its own.
pub(crate) fn begin(fields: &HeaderMap) -> Option<Box<Trace>> {
    let mut sent = fields.get_all("traceparent").into_iter();
    let parent = sent.next().filter(|_| sent.next().is_none());
    let parent = parent.and_then(|value| Parent::parse(value.as_bytes()));
    if parent.is_some_and(|parent| !parent.sampled) {
        return None;
    }
    let id = match parent {
        Some(parent) => parent.trace,
        None => TraceId::new(random()?)?,
    };
    let span = fresh_span()?;
    Some(Box::new(Trace::new(
        id,
        parent.map(|parent| parent.span),
        span,
    )))
}

/// The id of a new span.
pub(crate) fn fresh_span() -> Option<SpanId> {
    SpanId::new(random()?)
}

/// Random bytes; none where the system has none, and then there is no trace.
fn random<const N: usize>() -> Option<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).ok()?;
    Some(bytes)
}
