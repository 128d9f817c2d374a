//! What was found in all texts of an answer.
//!
//! Decides which findings are kept and what number a label has, which is one for each value of
//! the whole answer, so that a delta and the aggregate after it read alike. Never keeps a value.

use crate::inspect::channel::Channel;
use crate::inspect::detect::{Hit, RuleIx};
use crate::inspect::engine::Inspector;
use crate::inspect::engine::labels::Labels;
use crate::inspect::finding::{Finding, Report};
use crate::policy::inspection::Action;

/// Findings that are kept of one answer.
const MOST: usize = 64;

/// Findings, labels and sums of one answer.
#[derive(Debug, Default)]
pub struct Notes {
    labels: Labels,
    findings: Vec<Finding>,
    further: u32,
    /// Bytes of text that were judged.
    heard: u64,
    /// Bytes that can't be read as text.
    uninspected: u64,
    /// Findings are of a text that was judged before, as part of what it was put together from.
    again: bool,
}

impl Notes {
    /// Nothing found.
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on texts are new, or the same once more: then findings are not counted twice.
    pub const fn again(&mut self, again: bool) {
        self.again = again;
    }

    /// So many bytes of the answer hold no text.
    pub fn uninspected(&mut self, bytes: usize) {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.uninspected = self.uninspected.saturating_add(bytes);
    }

    /// Whether anything was found.
    pub const fn is_empty(&self) -> bool {
        self.findings.is_empty()
    }

    /// What was done and found in an answer of so many bytes.
    pub fn report(&self, inspector: &Inspector, body_bytes: u64) -> Report {
        Report {
            findings: self.findings.clone(),
            further: self.further,
            body_bytes,
            text_bytes: self.heard,
            uninspected_bytes: self.uninspected,
            ran: inspector.families(),
            score: 0.0,
        }
    }

    pub(super) fn heard(&mut self, bytes: usize) {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.heard = self.heard.saturating_add(bytes);
    }

    pub(super) fn find(
        &mut self,
        hit: &Hit,
        (start, end): (usize, usize),
        (unit, channel): (u32, Channel),
        action: Action,
    ) {
        if action == Action::Off || (self.again && action != Action::Block) {
            return;
        }
        if self.findings.len() >= MOST {
            self.further = self.further.saturating_add(1);
            return;
        }
        let at = |place: usize| u64::try_from(place).unwrap_or(u64::MAX);
        self.findings.push(Finding {
            raw: at(start)..at(end),
            family: hit.family,
            rule: hit.rule,
            channel,
            unit,
            action,
        });
    }

    pub(super) fn label(&mut self, inspector: &Inspector, rule: RuleIx, value: &str) -> Box<str> {
        match inspector.kinds.get(usize::from(rule.0)) {
            Some((kind, name)) => self.labels.label((*kind, name), value),
            None => Box::default(),
        }
    }
}
