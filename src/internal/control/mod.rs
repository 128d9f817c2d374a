//! What the control plane acts on: the policy in force and the measures over it.
//!
//! Decides the order of changes: one at a time, each made into a whole policy before it is put in
//! force, so that a request sees all of a change or nothing of it. Made once, at the start, it
//! outlives every policy.

pub(crate) mod trial;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::SystemTime;

use arc_swap::ArcSwap;
use tokio::sync::Notify;

use super::ask::Ask;
use crate::admit::ledger::Ledger;
use crate::config::lint::Finding;
use crate::config::view::View;
use crate::inspect::engine::InspectorFault;
use crate::policy::Policy;
use crate::policy::overlay::{Change, Measure, Overlay};
use crate::proxy::Snapshot;
use crate::proxy::answers::streams::Streams;
use crate::record::event::{Level, SecurityEvent, Severity, Verdict};
use crate::runtime::fleet::Status;
use crate::runtime::kept::Keeper;
use crate::runtime::logger::LineWriter;
use crate::runtime::pools::Pools;
use crate::runtime::reload::Reloader;
use crate::runtime::telemetry::Tracer;
use crate::runtime::watch::Watch;
use trial::{Candidate, Ended};

/// A configuration as it was loaded.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// What is legal in it, and insecure.
    pub(crate) findings: Vec<Finding>,
    /// The configuration for people to read.
    pub(crate) view: View,
    /// When it was loaded.
    pub(crate) at: SystemTime,
}

/// The reach of the control plane.
pub(crate) struct Control {
    pub(crate) snapshot: Arc<ArcSwap<Snapshot>>,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) loaded: ArcSwap<Loaded>,
    pub(crate) lines: LineWriter,
    /// The streams in flight.
    pub(crate) streams: Arc<Streams>,
    pub(crate) watch: Arc<Watch>,
    /// What begins traces, where any are sent.
    pub(crate) tracer: Option<Tracer>,
    pub(crate) reloader: Reloader,
    /// Where the counts of the day are kept.
    pub(crate) keeper: Keeper,
    /// Told whenever the next end of a measure may have changed.
    pub(crate) measured: Notify,
    /// How it stands with the store of the fleet, if there is one.
    pub(crate) fleet: OnceLock<Arc<Status>>,
    state: Mutex<State>,
}

struct State {
    /// The policy as it was loaded, without any measure.
    base: Arc<Policy>,
    overlay: Overlay,
    /// The configuration on trial.
    candidate: Option<Candidate>,
    /// The last trial that is over.
    ended: Option<Ended>,
    /// Kinds of measures that were changed here, for whoever tells other hosts.
    changed: Option<BTreeSet<&'static str>>,
}

impl Control {
    /// The control plane of a process that has just loaded its configuration.
    pub(crate) fn new(
        (snapshot, ledger): (Arc<ArcSwap<Snapshot>>, Arc<Ledger>),
        loaded: Loaded,
        (lines, watch): (LineWriter, Arc<Watch>),
        reloader: Reloader,
    ) -> Self {
        let base = Arc::new(snapshot.load().policy.clone());
        let keeper = Keeper::new(base.operations.state_dir.clone());
        Self {
            snapshot,
            ledger,
            loaded: ArcSwap::from_pointee(loaded),
            lines,
            streams: Arc::default(),
            watch,
            tracer: None,
            reloader,
            keeper,
            measured: Notify::new(),
            fleet: OnceLock::new(),
            state: Mutex::new(State {
                base,
                overlay: Overlay::default(),
                candidate: None,
                ended: None,
                changed: None,
            }),
        }
    }

    /// The measures in force.
    pub(crate) fn measures(&self) -> Vec<Measure> {
        self.lock().overlay.measures().to_vec()
    }

    /// The policy as it was loaded, without any measure.
    pub(crate) fn base(&self) -> Arc<Policy> {
        Arc::clone(&self.lock().base)
    }

    /// When the next measure runs out.
    pub(crate) fn next_end(&self) -> Option<SystemTime> {
        self.lock().overlay.next_end()
    }

    /// Changes the measures; what comes of it is in force when this returns.
    ///
    /// # Errors
    /// No policy can be made of it; then nothing has changed.
    pub(crate) fn remeasure<T>(
        &self,
        change: impl FnOnce(&mut Overlay) -> T,
    ) -> Result<T, InspectorFault> {
        let mut state = self.lock();
        let before = state.overlay.clone();
        let answer = self.put(&mut state, change)?;
        let touched = Change::SHARED
            .into_iter()
            .filter(|kind| before.of_kind(kind) != state.overlay.of_kind(kind));
        let touched: Vec<_> = touched.collect();
        state
            .changed
            .iter_mut()
            .for_each(|all| all.extend(&touched));
        Ok(answer)
    }

    /// Undoes all measures, here and, in a fleet, those that only other hosts know of.
    ///
    /// # Errors
    /// No policy can be made of it; then nothing has changed.
    pub(crate) fn reset(&self) -> Result<Vec<Measure>, InspectorFault> {
        let mut state = self.lock();
        let undone = self.put(&mut state, Overlay::clear)?;
        state
            .changed
            .iter_mut()
            .for_each(|all| all.extend(Change::SHARED));
        Ok(undone)
    }

    /// Ends the measures whose time is over. Other hosts see that for themselves.
    ///
    /// # Errors
    /// No policy can be made of it; then nothing has changed.
    pub(crate) fn expire(&self, now: SystemTime) -> Result<Vec<Measure>, InspectorFault> {
        self.put(&mut self.lock(), |overlay| overlay.expire(now))
    }

    /// Takes over what another host has done about a kind of measure; answers whether that
    /// changes anything. Nobody is told of it again.
    ///
    /// # Errors
    /// No policy can be made of it; then nothing has changed.
    pub(crate) fn adopt_measure(
        &self,
        kind: &'static str,
        measure: Option<Measure>,
    ) -> Result<bool, InspectorFault> {
        self.put(&mut self.lock(), |overlay| {
            let same = overlay.of_kind(kind) == measure.as_ref();
            match measure {
                Some(measure) => overlay.adopt(measure),
                None => drop(overlay.undo(kind)),
            }
            !same
        })
    }

    /// From now on keeps which measures are changed here, for [`Control::take_changes`].
    pub(crate) fn keep_changes(&self) {
        self.lock().changed.get_or_insert_default();
    }

    /// The kinds of measures that were changed here since the last call.
    pub(crate) fn take_changes(&self) -> BTreeSet<&'static str> {
        let mut state = self.lock();
        state
            .changed
            .as_mut()
            .map(std::mem::take)
            .unwrap_or_default()
    }

    fn put<T>(
        &self,
        state: &mut State,
        change: impl FnOnce(&mut Overlay) -> T,
    ) -> Result<T, InspectorFault> {
        let mut overlay = state.overlay.clone();
        let answer = change(&mut overlay);
        if overlay != state.overlay {
            let policy = overlay.over(&state.base)?;
            // The endpoints are the same, and so are their addresses.
            let mut next = self.snapshot.load().successor(policy);
            if let Some(candidate) = &state.candidate {
                next = trial::beside(next, &overlay, candidate)?;
            }
            self.snapshot.store(Arc::new(next));
            state.overlay = overlay;
            self.measured.notify_one();
        }
        Ok(answer)
    }

    /// Puts another configuration in force, under the measures that are. A trial is over with it.
    ///
    /// # Errors
    /// No policy can be made of it; then nothing has changed.
    pub(crate) fn adopt(
        &self,
        base: Policy,
        loaded: Loaded,
        pools: Arc<Pools>,
    ) -> Result<(), InspectorFault> {
        let mut state = self.lock();
        let policy = state.overlay.over(&base)?;
        let next = self.snapshot.load().reloaded(policy, pools);
        self.snapshot.store(Arc::new(next));
        state.base = Arc::new(base);
        if let Some(ended) = trial::superseded(state.candidate.take(), loaded.at) {
            state.ended = Some(ended);
        }
        self.loaded.store(Arc::new(loaded));
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A change is made on a copy, so that a panic leaves the state as it was.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes down that somebody acted: who, what, and the details of it.
    pub(crate) fn acted(
        &self,
        ask: &Ask,
        operation: &'static str,
        status: &'static str,
        details: &[(&'static str, &str)],
    ) {
        self.lines.security(&SecurityEvent {
            level: Level::Warning,
            operation,
            verdict: Verdict::Status(status),
            severity: Severity::High,
            user_id: Some(&ask.actor.id),
            client_ip: Some(ask.actor.address),
            user_agent: &ask.actor.agent,
            request_id: &ask.request_id,
            key_prefix: None,
            reason: "operator",
            tags: &["control", "operator"],
            found: None,
            details,
        });
    }
}
