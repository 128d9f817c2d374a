//! What other hosts have ordered, put in force here and written down.
//!
//! Decides nothing about which of two orders counts (`news`). What an operator ordered elsewhere
//! is a security event and an audit entry here too, with who, at which host and until when; a
//! block that another gateway made by itself is a line of the log alone, since there may be many.

use ipnet::IpNet;

use super::Member;
use super::items::{self, Name, Told, What};
use super::news::News;
use crate::admit::blocks::{Block, By};
use crate::policy::overlay::{Measure, moment};
use crate::record::event::{Level, SecurityEvent, Severity, Verdict};
use crate::runtime::clock;

/// What stands for an end that nobody has set.
const OPEN: &str = "undone";

impl Member {
    /// Takes over what is later than what is known here.
    pub(super) async fn apply(&self, news: &mut News, told: Told) {
        if !news.is_later(&told) {
            return;
        }
        let now = clock::moment();
        let blocks = &self.control.ledger.blocks;
        match (told.name, told.what) {
            (Name::Block(network), What::Lifted) => {
                if blocks.forget(network, now) {
                    self.unblocked(network, &told.host);
                }
            }
            (Name::Block(network), What::Block(block)) => {
                let Some(block) = block.block(network, news.time(), now) else {
                    return;
                };
                match blocks.adopt(block.clone(), now) {
                    Ok(()) => self.blocked(&block, &told.host),
                    Err(full) => {
                        let shown = items::shown(network);
                        log::error!("{shown} is not blocked: {full}");
                    }
                }
            }
            (Name::Measure(kind), What::Lifted) => self.measure(kind, None, &told.host).await,
            (Name::Measure(kind), What::Measure(measure)) => {
                let measure = measure.measure(kind);
                let over = |until| until <= clock::wall();
                let measure = measure.filter(|one| !one.until.is_some_and(over));
                self.measure(kind, measure, &told.host).await;
            }
            (Name::Block(_), What::Measure(_)) | (Name::Measure(_), What::Block(_)) => {}
        }
    }

    /// Puts a measure of another host in force, or undoes it. It may have to compile.
    async fn measure(&self, kind: &'static str, measure: Option<Measure>, host: &str) {
        let control = std::sync::Arc::clone(&self.control);
        let taken = measure.clone();
        let changing = move || control.adopt_measure(kind, measure);
        let changed = tokio::task::spawn_blocking(changing).await;
        match (changed, taken) {
            (Ok(Ok(true)), Some(measure)) => self.measured(&measure, host),
            (Ok(Ok(true)), None) => {
                log::warn!("the measure {kind} was undone by the fleet ({host})");
                self.told(
                    "emergency_undone",
                    None,
                    &[("host", host), ("measure", kind)],
                );
            }
            (Ok(Ok(false)), _) => {}
            (Ok(Err(fault)), _) => {
                log::error!("the fleet's measure {kind} can't be taken: {fault}");
            }
            (Err(broken), _) => {
                log::error!("the fleet's measure {kind} can't be taken: {broken}");
            }
        }
    }

    fn measured(&self, measure: &Measure, host: &str) {
        let (kind, effect) = (measure.change.kind(), measure.change.describe());
        log::warn!("the measure {kind} was taken by the fleet ({host})");
        let until = measure.until.and_then(moment);
        let details = [
            ("host", host),
            ("measure", &*measure.id),
            ("effect", &effect),
            ("until", until.as_deref().unwrap_or(OPEN)),
            ("note", measure.reason.as_deref().unwrap_or_default()),
        ];
        self.told("emergency_measure", Some(&measure.by), &details);
    }

    fn blocked(&self, block: &Block, host: &str) {
        let shown = items::shown(block.network);
        log::info!("{shown} is blocked by the fleet ({host})");
        let By::Operator(who) = &block.by else {
            return;
        };
        let left = block.until.map(|until| until.since(block.since));
        let until = left
            .and_then(|left| clock::wall().checked_add(left))
            .and_then(moment);
        let details = [
            ("host", host),
            ("network", &*block.network.to_string()),
            ("until", until.as_deref().unwrap_or(OPEN)),
            ("note", &*block.reason),
        ];
        self.told("block_ip", Some(who), &details);
    }

    fn unblocked(&self, network: IpNet, host: &str) {
        let shown = items::shown(network);
        log::info!("the block of {shown} was lifted by the fleet ({host})");
        let network = network.to_string();
        self.told("unblock_ip", None, &[("host", host), ("network", &network)]);
    }

    /// Writes down an order of another host. Of what is lifted it is known where, not who.
    fn told(&self, operation: &'static str, who: Option<&str>, details: &[(&'static str, &str)]) {
        self.control.lines.security(&SecurityEvent {
            level: Level::Warning,
            operation,
            verdict: Verdict::Status("taken_over"),
            severity: Severity::High,
            user_id: who,
            client_ip: None,
            user_agent: b"",
            request_id: "",
            key_prefix: None,
            reason: "fleet",
            tags: &["control", "fleet"],
            found: None,
            details,
        });
    }
}
