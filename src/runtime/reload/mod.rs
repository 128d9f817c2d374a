//! A new configuration in a running process: load, compile, swap; on any fault the old one stays.
//!
//! Decides what can take effect in place and what can't: listening addresses, threads and where
//! logs go belong to the process, and a change of theirs is told as needing an upgrade while all
//! else takes effect. Everything that may fail is done before the first thing is changed, so that
//! a request sees the old policy or the new one. Requests in flight end under the old one.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;

use crate::admit::budget::Budget;
use crate::config::Reviewed;
use crate::config::fault::Fault;
use crate::config::view::{Change, KeyChanges, key_changes};
use crate::inspect::engine::InspectorFault;
use crate::internal::control::{Control, Loaded};
use crate::policy::{Listener, Policy};
use crate::record::metrics::Metrics;
use crate::runtime::clock;
use crate::runtime::files::Files;
use crate::runtime::pools::Pools;
use crate::runtime::systemd;
use crate::runtime::tls::{Certificates, Renewed};

/// Reads and compiles the configuration anew.
pub type Load = Box<dyn Fn() -> Result<Reviewed, Vec<Fault>> + Send + Sync>;

/// Where the configuration comes from.
pub struct Source {
    /// Reads and compiles it.
    pub load: Load,
    /// The files of its last load.
    pub files: Files,
}

/// How long names of new endpoints may take to be resolved before the new policy is in force.
const RESOLVE: Duration = Duration::from_secs(3);

/// Keys that are read at the start alone.
const FIXED: [(&str, &str); 13] = [
    ("server.workers", "threads are started once"),
    ("server.state_dir", "what is kept is read at the start"),
    ("server.shutdown", "the time to drain is set at the start"),
    (
        "server.timeouts.keepalive",
        "HTTP/2 connections keep the old value",
    ),
    ("logging.file", "the log file is opened at the start"),
    (
        "logging.security_file",
        "the log file is opened at the start",
    ),
    ("logging.audit_file", "the audit log is opened at the start"),
    (
        "logging.retention_days",
        "the audit log reads it at the start",
    ),
    ("logging.rotate", "log files are opened at the start"),
    ("logging.format", "the form of lines is set at the start"),
    ("logging.mask_secrets", "masking is set at the start"),
    (
        "rate_limits.store",
        "the store is connected to at the start",
    ),
    ("telemetry", "the exporter is started once"),
];

/// What a reload needs of the process.
pub(crate) struct Reloader {
    source: Source,
    certificates: Certificates,
    budget: Arc<Budget>,
    metrics: Arc<Metrics>,
    /// One reload at a time.
    running: Mutex<()>,
}

impl Reloader {
    /// What a reload needs, of a process that has just started.
    pub(crate) fn new(
        source: Source,
        certificates: Certificates,
        (budget, metrics): (&Arc<Budget>, &Arc<Metrics>),
    ) -> Self {
        Self {
            source,
            certificates,
            budget: Arc::clone(budget),
            metrics: Arc::clone(metrics),
            running: Mutex::new(()),
        }
    }

    /// Leave to change the configuration, until it is dropped.
    pub(in crate::runtime) fn one_at_a_time(&self) -> MutexGuard<'_, ()> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same, unless one is under way.
    pub(in crate::runtime) fn if_idle(&self) -> Option<MutexGuard<'_, ()>> {
        self.running.try_lock().ok()
    }

    /// What is counted.
    pub(in crate::runtime) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// The files of the last load.
    pub(in crate::runtime) const fn files(&self) -> &Files {
        &self.source.files
    }
}

/// A key whose new value waits for an upgrade.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Waiting {
    key: String,
    reason: String,
}

/// What a reload did.
#[derive(Debug, Clone)]
pub(crate) struct Reloaded {
    /// The new policy's hash.
    pub(crate) hash: Box<str>,
    /// Keys whose values differ.
    pub(crate) changes: Vec<Change>,
    /// API keys that differ.
    pub(crate) keys: KeyChanges,
    /// What did not take effect.
    pub(crate) needs_upgrade: Vec<Waiting>,
    /// What is insecure in it.
    pub(crate) findings: usize,
    /// How long it took.
    pub(crate) took: Duration,
}

/// Loads the configuration anew and puts it in force. Reads files, and may wait for names to be
/// resolved: to be called on a thread that may block.
///
/// # Errors
/// Everything that is wrong with the new configuration; the old one stays.
pub(crate) fn reload(control: &Control) -> Result<Reloaded, Vec<Fault>> {
    let reloader = &control.reloader;
    let _one_at_a_time = reloader.one_at_a_time();
    let began = clock::now();
    systemd::reloading();
    let before = control.base();
    let reloaded = prepare(control).and_then(|prepared| put_in_force(control, prepared));
    note(control, &before.hash, &reloaded);
    reloader.metrics.reloaded(reloaded.is_ok());
    systemd::tell(match &reloaded {
        Ok(_) => "READY=1\nSTATUS=Serving",
        Err(_) => "READY=1\nSTATUS=Serving; the last reload failed, see the log",
    });
    match &reloaded {
        Ok(reloaded) => log::info!(
            "the configuration was reloaded: policy {} is in force; {} keys changed",
            reloaded.hash,
            reloaded.changes.len()
        ),
        Err(faults) => {
            for fault in faults {
                log::error!("the configuration was not reloaded: {fault}");
            }
        }
    }
    reloaded.map(|reloaded| Reloaded {
        took: clock::now().saturating_duration_since(began),
        ..reloaded
    })
}

/// Tells the audit log what came of it.
pub(in crate::runtime) fn note(
    control: &Control,
    before: &str,
    reloaded: &Result<Reloaded, Vec<Fault>>,
) {
    let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    control.lines.audit("reload", |entry| {
        let entry = entry.text("from", before);
        match reloaded {
            Ok(done) => {
                let changed: Vec<&str> = done.changes.iter().map(|one| one.key.as_str()).collect();
                entry
                    .text("result", "success")
                    .text("to", &done.hash)
                    .text("changed", &changed.join(" "))
                    .number("keys_added", number(done.keys.added.count))
                    .number("keys_removed", number(done.keys.removed.count))
                    .number("keys_changed", number(done.keys.changed.count))
            }
            Err(faults) => entry
                .text("result", "failure")
                .number("faults", number(faults.len())),
        }
    });
}

/// A configuration that was loaded, and is not in force yet.
pub(crate) struct Prepared {
    /// Its policy.
    pub(crate) policy: Policy,
    /// Where its endpoints are.
    pub(crate) pools: Arc<Pools>,
    loaded: Loaded,
    certificates: Renewed,
    pub(in crate::runtime) told: Reloaded,
}

/// Loads and checks everything that a new configuration needs.
pub(in crate::runtime) fn prepare(control: &Control) -> Result<Prepared, Vec<Fault>> {
    let reloader = &control.reloader;
    let Reviewed {
        mut policy,
        findings,
        view,
    } = (reloader.source.load)()?;
    let certificates = reloader
        .certificates
        .renewed(&policy.listeners)
        .map_err(|fault| vec![fault.into()])?;
    let old = control.loaded.load();
    let changes = old.view.changes(&view);
    let mut needs_upgrade = fixed(&changes);
    let running = control.base();
    policy.listeners = listeners(&running.listeners, &policy.listeners, &mut needs_upgrade);
    let told = Reloaded {
        hash: policy.hash.clone(),
        keys: key_changes(&running.auth.keys, &policy.auth.keys),
        changes,
        needs_upgrade,
        findings: findings.len(),
        took: Duration::ZERO,
    };
    let loaded = Loaded {
        findings,
        view,
        at: clock::wall(),
    };
    let pools = resolved(&policy);
    know(&reloader.metrics, &policy);
    Ok(Prepared {
        policy,
        pools,
        loaded,
        certificates,
        told,
    })
}

/// Puts a configuration in force, all of it or nothing.
pub(in crate::runtime) fn put_in_force(
    control: &Control,
    prepared: Prepared,
) -> Result<Reloaded, Vec<Fault>> {
    let reloader = &control.reloader;
    let Prepared {
        policy,
        pools,
        loaded,
        certificates,
        told,
    } = prepared;
    let (level, budget) = (policy.logging.level, policy.bytes_in_flight.get());
    control
        .adopt(policy, loaded, pools)
        .map_err(|fault| unmade(&fault))?;
    reloader.certificates.put_in_force(certificates);
    reloader.budget.set_limit(budget);
    log::set_max_level(level);
    Ok(told)
}

/// Measures can't be laid over the policy.
pub(in crate::runtime) fn unmade(fault: &InspectorFault) -> Vec<Fault> {
    let remedy = "correct the rules file";
    vec![Fault::of_file("", fault.to_string(), remedy)]
}

/// Where a policy's endpoints are, as far as that can be found out in time.
fn resolved(policy: &Policy) -> Arc<Pools> {
    let pools = Arc::new(Pools::new(policy));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    match runtime {
        Ok(runtime) => {
            let refresh = async { tokio::time::timeout(RESOLVE, pools.refresh()).await };
            if runtime.block_on(refresh).is_err() {
                log::warn!("some names are not resolved yet; going on in the background");
            }
            // A lookup that hangs in the system's resolver must not hold the reload up.
            runtime.shutdown_background();
        }
        Err(error) => log::warn!("names are resolved later: {error}"),
    }
    pools
}

/// Gives providers and models of a policy labels of their own.
pub(crate) fn know(metrics: &Metrics, policy: &Policy) {
    metrics.know(
        policy.providers.iter().map(|one| one.name.as_str()),
        policy
            .routes
            .iter()
            .flat_map(|route| &route.models)
            .filter_map(|model| model.exact()),
    );
}

/// The changes that wait for an upgrade because of their key.
fn fixed(changes: &[Change]) -> Vec<Waiting> {
    let below = |key: &str, fixed: &str| {
        key.strip_prefix(fixed)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    let waiting = changes.iter().filter_map(|change| {
        let (_, reason) = FIXED.iter().find(|(fixed, _)| below(&change.key, fixed))?;
        Some(Waiting {
            key: change.key.clone(),
            reason: (*reason).to_owned(),
        })
    });
    waiting.collect()
}

/// The listeners of the process: those that it was started with, each serving what the new
/// configuration says of its address.
fn listeners(
    started: &[Listener],
    wanted: &[Listener],
    waiting: &mut Vec<Waiting>,
) -> Vec<Listener> {
    let mut wait = |index: usize, reason: String| {
        waiting.push(Waiting {
            key: format!("server.listeners[{index}]"),
            reason,
        });
    };
    for (index, listener) in wanted.iter().enumerate() {
        let address = listener.address;
        match started.iter().find(|one| one.address == address) {
            None => wait(index, format!("{address} is not listened on yet")),
            Some(old) if old.tls.is_some() != listener.tls.is_some() => {
                wait(index, format!("{address} goes on as it is, TLS or no TLS"));
            }
            Some(_) => {}
        }
    }
    let kept = started.iter().enumerate().map(|(index, old)| {
        let Some(new) = wanted.iter().find(|one| one.address == old.address) else {
            wait(index, format!("{} is listened on until then", old.address));
            return old.clone();
        };
        let same_kind = old.tls.is_some() == new.tls.is_some();
        let goes_on = if same_kind { new } else { old };
        Listener {
            serve: new.serve,
            ..goes_on.clone()
        }
    });
    kept.collect()
}

#[cfg(test)]
mod tests;
