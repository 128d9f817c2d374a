//! The gateway: what all requests share, and how one begins.
//!
//! Decides nothing: a request takes the policy that is in force when it arrives, and keeps it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use bytes::Bytes;
use pingora::proxy::Session;

use super::ctx::{Flight, Marks, Stage};
use super::ids::{self, RequestIds};
use super::{Snapshot, receive, reply, trial};
use crate::admit::budget::Budget;
use crate::admit::ledger::Ledger;
use crate::internal::control::Control;
use crate::record::endpoint::Endpoint;
use crate::record::metrics::Metrics;
use crate::record::{Facts, Record, Recorder};
use crate::runtime::leaving::Leaving;
use crate::runtime::logger::LineWriter;
use crate::runtime::{clock, telemetry};

/// The gateway, as Pingora sees it.
pub(crate) struct Gateway {
    pub(super) snapshot: Arc<ArcSwap<Snapshot>>,
    pub(super) budget: Arc<Budget>,
    pub(super) ledger: Arc<Ledger>,
    pub(super) leaving: Arc<Leaving>,
    pub(super) control: Arc<Control>,
    pub(super) desk: Desk,
    ids: RequestIds,
    ticks: AtomicU64,
}

/// Where all that is written down and counted goes.
pub(crate) struct Desk {
    pub(crate) recorder: Arc<dyn Recorder>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) lines: LineWriter,
}

impl Gateway {
    /// A gateway that judges by whatever policy is current when a request arrives.
    pub(crate) fn new(
        control: Arc<Control>,
        (budget, ledger, leaving): (Arc<Budget>, Arc<Ledger>, Arc<Leaving>),
        desk: Desk,
        random: [u8; 16],
    ) -> Self {
        let ids = RequestIds::new(random);
        Self {
            snapshot: Arc::clone(&control.snapshot),
            budget,
            ledger,
            leaving,
            control,
            desk,
            ids,
            ticks: AtomicU64::new(0),
        }
    }

    /// Whether connections are to end with the answer under way.
    pub(super) fn is_leaving(&self, session: &Session) -> bool {
        session.is_process_shutting_down() || self.leaving.has_begun()
    }

    pub(super) fn budget(&self) -> &Arc<Budget> {
        &self.budget
    }

    pub(super) fn tick(&self) -> u64 {
        self.ticks.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn render_metrics(&self) -> Bytes {
        let blocked = self.ledger.blocks.len(clock::moment());
        self.desk.metrics.note_blocked_clients(blocked);
        let open = self.ledger.connections.open();
        self.desk.metrics.note_open_connections(open);
        let snapshot = self.snapshot.load();
        let reports = snapshot.report(clock::uptime());
        self.desk.metrics.show_providers(&reports);
        self.desk
            .metrics
            .note_log_dropped(self.desk.lines.dropped());
        self.desk.metrics.render().into()
    }

    pub(super) fn open(&self, session: &Session) -> Box<Flight> {
        let head = session.req_header();
        let address = || receive::peer_address(session);
        let snapshot = trial::seat(self.snapshot.load_full(), head, address);
        let sent = head
            .headers
            .get(&reply::REQUEST_ID)
            .map(http::HeaderValue::as_bytes);
        let made;
        let id = if let Some(id) = sent.and_then(ids::well_formed) {
            id
        } else {
            made = self.ids.next();
            &*made
        };
        let target = head.uri.path().as_bytes();
        let mut facts = Facts::new(id, head.method.clone(), target, &snapshot.policy.hash);
        if self.control.tracer.is_some() && is_traced(facts.endpoint) {
            facts.trace = telemetry::begin(&head.headers);
        }
        let record = Record::open(Arc::clone(&self.desk.recorder), facts);
        let clock = Marks::new(clock::now());
        Box::new(Flight {
            snapshot,
            record,
            clock,
            stage: Stage::Arrived,
            admitted: None,
            most_tokens: None,
        })
    }
}

/// Whoever looks at the gateway would fill the traces.
fn is_traced(endpoint: Endpoint) -> bool {
    !endpoint.is_probe() && endpoint != Endpoint::Internal
}
