//! Alerts on their way to people: into the log, and to the webhook of the policy in force.
//!
//! Decides what is posted (by severity) and that nobody waits for it: alerts are taken from the
//! monitor twice a second, put into a bounded queue, and posted by a task of its own. What finds
//! no room is counted and stays in the log and in `/internal/monitoring/alerts`. What waits when
//! the process ends is lost as a post.

mod post;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use pingora::server::ShutdownWatch;
use pingora::services::background::BackgroundService;
use prometheus::{IntCounterVec, Opts};
use tokio::sync::mpsc::{self, error::TrySendError};

use super::clock;
use crate::internal::control::Control;
use crate::internal::monitoring;
use crate::record::event::{SecurityEvent, Verdict};
use crate::record::metrics::Metrics;
use crate::record::monitor::alert::Alert;
use post::Post;

/// How often alerts are taken from the monitor.
const LOOK: Duration = Duration::from_millis(500);
/// Alerts that wait for a slow receiver.
const QUEUE: usize = 256;

/// What carries alerts.
pub(crate) struct Alarm {
    control: Arc<Control>,
    counts: Counts,
}

/// What is counted of alerts.
#[derive(Clone)]
struct Counts {
    raised: IntCounterVec,
    posts: IntCounterVec,
}

impl Alarm {
    /// What carries the alerts of this process.
    ///
    /// # Errors
    /// Its metrics can't be registered.
    pub(crate) fn new(control: Arc<Control>, metrics: &Metrics) -> Result<Self, prometheus::Error> {
        let raised = IntCounterVec::new(
            Opts::new("proxy_api_alerts_total", "Alerts, by severity."),
            &["severity"],
        )?;
        let posts = IntCounterVec::new(
            Opts::new(
                "proxy_api_alert_posts_total",
                "Alerts for the webhook, by what became of them.",
            ),
            &["result"],
        )?;
        metrics.register(Box::new(raised.clone()))?;
        metrics.register(Box::new(posts.clone()))?;
        Ok(Self {
            control,
            counts: Counts { raised, posts },
        })
    }

    /// Writes an alert down, and has it posted where it is grave enough.
    fn carry(&self, alert: &Alert, queue: &mpsc::Sender<Post>) {
        let severity = alert.severity.as_str();
        self.counts.raised.with_label_values(&[severity]).inc();
        self.write(alert);
        let snapshot = self.control.snapshot.load();
        let Some(webhook) = &snapshot.policy.operations.webhook else {
            return;
        };
        if alert.severity < webhook.min_severity {
            return;
        }
        let post = Post {
            webhook: webhook.clone(),
            id: alert.id(),
            body: body(alert).into(),
        };
        if let Err(TrySendError::Full(_) | TrySendError::Closed(_)) = queue.try_send(post) {
            self.counts.posts.with_label_values(&["dropped"]).inc();
        }
    }

    fn write(&self, alert: &Alert) {
        let (id, count) = (alert.id(), alert.count.to_string());
        // Who it is about: an address, or the id of a key.
        let address = alert.about.as_ref().and_then(|about| about.parse().ok());
        let key = alert.about.as_deref().filter(|_| address.is_none());
        self.control.lines.security(&SecurityEvent {
            level: alert.level,
            operation: "alert",
            verdict: Verdict::Threat(alert.kind),
            severity: alert.severity,
            user_id: key,
            client_ip: address,
            user_agent: b"",
            request_id: "",
            key_prefix: None,
            reason: "threshold",
            tags: &alert.tags,
            found: None,
            details: &[
                ("alert_id", &id),
                ("subject", &alert.subject),
                ("message", &alert.message),
                ("count", &count),
            ],
        });
    }
}

/// An alert as it is posted.
fn body(alert: &Alert) -> Vec<u8> {
    let mut told = monitoring::alert(alert);
    if let Some(told) = told.as_object_mut() {
        let at = crate::policy::overlay::moment(clock::wall());
        told.insert("timestamp".to_owned(), at.into());
        told.insert("source".to_owned(), "portcullis".into());
        told.insert("version".to_owned(), env!("CARGO_PKG_VERSION").into());
    }
    told.to_string().into_bytes()
}

#[async_trait]
impl BackgroundService for Alarm {
    async fn start(&self, mut shutdown: ShutdownWatch) {
        let (queue, waiting) = mpsc::channel(QUEUE);
        tokio::spawn(post::deliver(waiting, self.counts.posts.clone()));
        loop {
            let raised = self.control.watch.monitor().take_raised();
            for alert in &raised {
                self.carry(alert, &queue);
            }
            tokio::select! {
                _changed = shutdown.changed() => return,
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }
}
