//! What lives as long as the process, and belongs to no service alone.
//!
//! Decides nothing; it is made once, from the policy that the process starts with, before anything
//! is listened on or taken over.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use pingora::apps::HttpServerOptions;
use prometheus::process_collector::ProcessCollector;

use super::arrivals::{Arrivals, Listening};
use super::audit::AuditLog;
use super::clock;
use super::door::Door;
use super::entrance::{Entrance, Way};
use super::fleet::Fleet;
use super::flood::Sketch;
use super::leaving::Leaving;
use super::logger::{self, LineWriter, RequestLog};
use super::reload::{self, Reloader, Source};
use super::serve::{ServeFault, random};
use super::telemetry::{Delivery, Tracer};
use super::tls::Certificates;
use super::watch::Watch;
use super::writer::LogSink;
use crate::admit::budget::Budget;
use crate::admit::ledger::Ledger;
use crate::admit::seed::Seed;
use crate::internal::control::{Control, Loaded};
use crate::policy::{Logging, Policy};
use crate::proxy::late::LateAnswer;
use crate::proxy::{Desk, Gateway, Snapshot};
use crate::record::metrics::Metrics;

/// State, counters and logs of the process.
pub(super) struct House {
    /// The policy in force.
    pub(super) snapshot: Arc<ArcSwap<Snapshot>>,
    /// Whether the end has begun.
    pub(super) leaving: Arc<Leaving>,
    /// Connections on their way in.
    pub(super) arrivals: Arc<Arrivals>,
    /// What is counted.
    pub(super) metrics: Arc<Metrics>,
    /// Where lines are written.
    pub(super) lines: LineWriter,
    /// What delivers spans, where any are sent, until it is taken to its service.
    pub(super) delivery: Option<Delivery>,
    tracer: Option<Tracer>,
    /// The fleet that it is one of.
    pub(super) fleet: Option<Fleet>,
    /// What outlives policies.
    pub(super) ledger: Arc<Ledger>,
    budget: Arc<Budget>,
    watch: Arc<Watch>,
}

impl House {
    /// Opens the logs and makes the state that `policy` asks for.
    ///
    /// # Errors
    /// A log that can't be written, or metrics that can't be set up.
    pub(super) fn open(policy: Policy) -> Result<Self, ServeFault> {
        let lines = open_logs(&policy.logging)?;
        let metrics = metrics(&policy)?;
        let telemetry = policy.telemetry.as_ref();
        let telemetry = telemetry
            .map(|one| Tracer::new(one, &metrics))
            .transpose()?;
        let (tracer, delivery) = telemetry.unzip();
        let fleet = Fleet::of(&policy.store, &metrics, random()?)?;
        Ok(Self {
            budget: Budget::new(policy.bytes_in_flight.get()),
            ledger: Arc::new(shared(
                Ledger::new(policy.limits.max_clients),
                fleet.as_ref(),
            )),
            snapshot: Arc::new(ArcSwap::from_pointee(Snapshot::new(policy))),
            leaving: Arc::default(),
            arrivals: Arc::default(),
            watch: Arc::default(),
            metrics,
            lines,
            delivery,
            tracer,
            fleet,
        })
    }

    /// Begins the ledger anew, with the keys under which the process before has counted.
    pub(super) fn inherit(&mut self, seed: Seed) {
        let most = self.snapshot.load().policy.limits.max_clients;
        self.ledger = Arc::new(shared(Ledger::seeded(most, seed), self.fleet.as_ref()));
    }

    /// What operators act through.
    pub(super) fn control(
        &self,
        loaded: Loaded,
        source: Source,
        tls: Certificates,
    ) -> Arc<Control> {
        let reloader = Reloader::new(source, tls, (&self.budget, &self.metrics));
        let state = (Arc::clone(&self.snapshot), Arc::clone(&self.ledger));
        let logs = (self.lines.clone(), Arc::clone(&self.watch));
        let mut control = Control::new(state, loaded, logs, reloader);
        control.tracer.clone_from(&self.tracer);
        Arc::new(control)
    }

    /// The gateway over this state.
    pub(super) fn gateway(&self, control: &Arc<Control>, random: [u8; 16]) -> Gateway {
        let (metrics, watch) = (Arc::clone(&self.metrics), Arc::clone(&self.watch));
        let recorder = RequestLog::new(Arc::clone(&metrics), watch, self.lines.clone());
        let recorder = recorder.with_tracer(self.tracer.clone());
        let desk = Desk {
            recorder: Arc::new(recorder),
            lines: self.lines.clone(),
            metrics,
        };
        let state = (
            Arc::clone(&self.budget),
            Arc::clone(&self.ledger),
            Arc::clone(&self.leaving),
        );
        Gateway::new(Arc::clone(control), state, desk, random)
    }

    /// Who is turned away before a byte is read.
    pub(super) fn door(&self) -> Door {
        Door {
            snapshot: Arc::clone(&self.snapshot),
            ledger: Arc::clone(&self.ledger),
            metrics: Arc::clone(&self.metrics),
            sketch: Sketch::default(),
            listening: Listening::new(Arc::clone(&self.arrivals)),
        }
    }

    /// Where connections come in.
    pub(super) fn entrance(
        &self,
        ways: Vec<Way>,
        keepalive: Duration,
        random: [u8; 16],
    ) -> Entrance {
        let mut options = HttpServerOptions::default();
        options.h2_idle_timeout = Some(keepalive);
        Entrance {
            ways,
            options,
            snapshot: Arc::clone(&self.snapshot),
            ledger: Arc::clone(&self.ledger),
            arrivals: Arc::clone(&self.arrivals),
            metrics: Arc::clone(&self.metrics),
            late: Arc::new(LateAnswer::new(Arc::clone(&self.snapshot), random)),
        }
    }
}

/// What is counted, shared with a fleet if there is one.
fn shared(ledger: Ledger, fleet: Option<&Fleet>) -> Ledger {
    match fleet {
        Some(fleet) => ledger.sharing(fleet.leases()),
        None => ledger,
    }
}

/// The log, which the whole process writes to from here on.
fn open_logs(logging: &Logging) -> Result<LineWriter, ServeFault> {
    let open = |path| {
        let mask = logging.mask_secrets;
        LogSink::open_rotated(path, mask, (logging.rotate, clock::wall))
    };
    let sink = open(logging.file.as_deref())?;
    let security = logging.security_file.as_deref().map(Some).map(open);
    let lines = LineWriter::new(sink, logging.format, clock::wall);
    let lines = lines.with_security(security.transpose()?);
    logger::install(lines.clone(), logging.level).map_err(ServeFault::Logger)?;
    logger::report_panics(lines.clone());
    // After the logger, which is told what is wrong with it.
    let audit = logging.audit_file.as_deref();
    let audit = audit.map(|path| AuditLog::open(path, logging.retention_days, clock::wall));
    Ok(lines.with_audit(audit.transpose()?))
}

/// The process's metrics, with labels for what the policy names.
fn metrics(policy: &Policy) -> Result<Arc<Metrics>, prometheus::Error> {
    let metrics = Metrics::new()?;
    metrics.register(Box::new(ProcessCollector::for_self()))?;
    reload::know(&metrics, policy);
    Ok(Arc::new(metrics))
}
