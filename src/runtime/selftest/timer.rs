//! The gateway tries its own controls, as often as the policy in force says.
//!
//! Decides where it calls itself: its first listener for the API, over loopback where that listens
//! on all addresses. A control that does not act is an alert and a metric. Its own probes are kept
//! out of the monitor by a random mark that holds for one run, so that they raise no alert of
//! their own; they are in the log and in the metrics like any request.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use async_trait::async_trait;
use pingora::server::ShutdownWatch;
use pingora::services::background::BackgroundService;
use prometheus::{IntCounterVec, IntGaugeVec, Opts};

use super::{Bench, Known, Outcome, State, Tried, run};
use crate::identify::keys;
use crate::internal::control::Control;
use crate::policy::alerts::Selftest;
use crate::policy::web::WebAddress;
use crate::policy::{Listener, Policy};
use crate::record::metrics::Metrics;
use crate::runtime::clock;
use crate::runtime::outgoing::Outgoing;

/// How often it is looked whether another policy is in force.
const LOOK: Duration = Duration::from_secs(1);
/// A wrong key is tried no more often: more would have this host blocked.
const WRONG_KEY: Duration = Duration::from_mins(5);

/// Tries this process.
pub(crate) struct Trier {
    control: Arc<Control>,
    runs: IntCounterVec,
    acts: IntGaugeVec,
}

impl Trier {
    /// Tries the process of this control plane.
    ///
    /// # Errors
    /// Its metrics can't be registered.
    pub(crate) fn new(control: Arc<Control>, metrics: &Metrics) -> Result<Self, prometheus::Error> {
        let runs = IntCounterVec::new(
            Opts::new("proxy_api_selftest_runs_total", "Self-tests, by result."),
            &["result"],
        )?;
        let acts = IntGaugeVec::new(
            Opts::new(
                "proxy_api_selftest_control_acts",
                "1 where a control acted in the last self-test, 0 where it did not.",
            ),
            &["control"],
        )?;
        metrics.register(Box::new(runs.clone()))?;
        metrics.register(Box::new(acts.clone()))?;
        Ok(Self {
            control,
            runs,
            acts,
        })
    }

    async fn try_all(&self, selftest: &Selftest) {
        let snapshot = self.control.snapshot.load_full();
        let mut random = [0_u8; 48];
        let Some(to) = own_address(&snapshot.policy) else {
            return log::error!("self-test: no listener serves the API");
        };
        if let Err(error) = getrandom::fill(&mut random) {
            return log::error!("self-test: the system gives no random bits: {error}");
        }
        let (mark, of_key) = random.split_at(16);
        let mark = super::hex(mark);
        let known = Known::of(self.control.loaded.load().view.config.clone());
        let named = selftest.model.as_ref().map(ToString::to_string);
        let wrong_key = of_key
            .try_into()
            .ok()
            .map(|of_key: &[u8; 32]| keys::mint(of_key));
        let outgoing = Outgoing::to_itself();
        let bench = Bench {
            to,
            key: Some(selftest.key.clone()),
            outgoing: &outgoing,
            model: named.or_else(|| known.embedded_model()),
            known,
            canary: snapshot.policy.response.canaries.first().cloned(),
            mark: format!("selftest-{mark}-"),
            wrong_key: wrong_key.filter(|_| selftest.every >= WRONG_KEY),
            sent: AtomicU32::new(0),
            state: State::default(),
        };
        self.control
            .watch
            .leave_out(Some(bench.mark.as_str().into()));
        let tried = match Box::pin(super::door::opens(&bench)).await {
            Ok(()) => Box::pin(run(&bench, false)).await,
            Err(fault) => vec![Tried {
                control: "selftest",
                outcome: Outcome::DidNot,
                detail: format!("the gateway can't be tried: {fault}"),
            }],
        };
        // Records follow their answers; the last are there soon.
        tokio::time::sleep(LOOK).await;
        self.control.watch.leave_out(None);
        self.tell(&tried);
    }

    fn tell(&self, tried: &[Tried]) {
        let mut failed = false;
        for one in tried {
            let gauge = self.acts.with_label_values(&[one.control]);
            match one.outcome {
                Outcome::Acted => gauge.set(1),
                Outcome::DidNot => {
                    gauge.set(0);
                    failed = true;
                    log::error!("self-test: {} did not act: {}", one.control, one.detail);
                    let mut monitor = self.control.watch.monitor();
                    monitor.raise_control(one.control, &one.detail, clock::unix());
                }
                Outcome::NotConfigured | Outcome::CannotTell => {
                    // What is off or can't be told has no value.
                    let _not_there = self.acts.remove_label_values(&[one.control]);
                }
            }
        }
        let result = if failed { "failed" } else { "ok" };
        self.runs.with_label_values(&[result]).inc();
        let acted = super::count(tried, Outcome::Acted);
        log::info!("self-test: {acted} of {} controls acted", tried.len());
    }
}

/// Where this process answers callers.
fn own_address(policy: &Policy) -> Option<WebAddress> {
    let mut serving = policy
        .listeners
        .iter()
        .filter(|listener| listener.serve.api);
    let Listener { address, tls, .. } = serving.next()?;
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip @ (IpAddr::V4(_) | IpAddr::V6(_)) => ip,
    };
    let scheme = if tls.is_some() { "https" } else { "http" };
    let at = SocketAddr::new(ip, address.port());
    format!("{scheme}://{at}").parse().ok()
}

#[async_trait]
impl BackgroundService for Trier {
    async fn start(&self, mut shutdown: ShutdownWatch) {
        let mut last = clock::uptime();
        loop {
            let selftest = self
                .control
                .snapshot
                .load()
                .policy
                .operations
                .selftest
                .clone();
            if let Some(selftest) = selftest
                && clock::uptime().saturating_sub(last) >= selftest.every
            {
                tokio::select! {
                    _changed = shutdown.changed() => return,
                    () = Box::pin(self.try_all(&selftest)) => {}
                }
                last = clock::uptime();
            }
            tokio::select! {
                _changed = shutdown.changed() => return,
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }
}
