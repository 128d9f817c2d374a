//! From hits to findings, edits and the verdict.
//!
//! Decides what becomes of a hit by the action of its family; for the families that score, by the
//! points of the message or field in which it stands. Takes the hits in the order of the text: the
//! first that is refused decides, and nothing after it counts.
//! Never sees the text but to number labels. May miss: findings past the caps are only counted.

use std::ops::Range;

use super::Inspector;
use super::labels::Labels;
use super::work::Found;
use crate::inspect::block::Block;
use crate::inspect::channel::Channel;
use crate::inspect::detect::{BLOCK_POINTS, Family, Level, RuleIx, Tally};
use crate::inspect::finding::{Edit, Finding, Refusal};
use crate::policy::inspection::Action;

/// Findings that are kept of one message.
pub(super) const FINDINGS: usize = 256;
/// Findings of one unit that wait for its points.
const WAITING: usize = 64;
/// Places of one message that can be rewritten; the limit of text is reached long before.
pub(super) const EDITS: usize = 1 << 16;

/// The families whose hits add up to points.
const SCORED: [Family; 3] = [
    Family::PromptInjection,
    Family::CodePatterns,
    Family::WebAttacks,
];

/// What is known of a message so far.
#[derive(Debug, Default)]
pub(super) struct Judge {
    unit: Option<Unit>,
    findings: Vec<Finding>,
    further: u32,
    edits: Vec<Edit>,
    /// How many there were, with those that were taken.
    edited: usize,
    labels: Labels,
    refusal: Option<Refusal>,
    /// Points of injection of the worst unit.
    worst: u32,
}

/// The message or field being judged.
#[derive(Debug)]
struct Unit {
    number: u32,
    /// Where its first hit stands; points count from there.
    base: u64,
    trusted: bool,
    tally: Tally,
    waiting: Vec<Finding>,
}

impl Judge {
    /// Why the message is refused, if it is.
    pub(super) const fn refusal(&self) -> Option<Refusal> {
        self.refusal
    }

    /// The message is refused, unless it is already.
    pub(super) fn refuse(&mut self, refusal: Refusal) {
        self.refusal.get_or_insert(refusal);
    }

    /// The role of a message was said: what was found in it before has its name, too.
    pub(super) fn role(&mut self, unit: u32, channel: Channel) {
        let waiting = self
            .unit
            .iter_mut()
            .flat_map(|unit| unit.waiting.iter_mut());
        let kept = self
            .findings
            .iter_mut()
            .rev()
            .take_while(|finding| finding.unit == unit);
        for finding in kept.chain(waiting) {
            if finding.unit == unit && finding.channel.awaits_role() {
                finding.channel = channel;
            }
        }
    }

    /// Judges the hits of a block.
    pub(super) fn block(&mut self, inspector: &Inspector, block: &Block, found: &[Found]) {
        let mut parts = Vec::new();
        for hit in found {
            if self.refusal.is_some() {
                return;
            }
            parts.clear();
            parts.extend(block.raw(hit.start..hit.end.max(hit.start.saturating_add(1))));
            self.hit(inspector, (block, hit), &parts);
        }
    }

    /// The text is over.
    pub(super) fn end(&mut self, inspector: &Inspector) {
        if let Some(unit) = self.unit.take() {
            self.close(inspector, unit);
        }
    }

    /// Judges a hit, by the parts of the body where it stands.
    fn hit(&mut self, inspector: &Inspector, (block, hit): (&Block, &Found), parts: &[Range<u64>]) {
        let (Some(first), Some(final_part), Some(span)) =
            (parts.first(), parts.last(), block.span(hit.start))
        else {
            return;
        };
        let finding = Finding {
            raw: first.start..final_part.end,
            family: hit.family,
            rule: hit.rule,
            channel: span.channel,
            unit: span.unit,
            action: inspector.action(hit.family),
        };
        if SCORED.contains(&hit.family) {
            self.scored(inspector, (block, hit), finding);
            return;
        }
        match finding.action {
            Action::Off => return,
            Action::Flag => {}
            Action::Mask => self.mask(inspector, (block, hit), parts),
            Action::Block => self.refuse(Refusal::Family(hit.family)),
        }
        if !hit.goes_on {
            self.keep(finding);
        }
    }

    /// A hit whose points add up with those of its unit.
    fn scored(
        &mut self,
        inspector: &Inspector,
        (block, hit): (&Block, &Found),
        mut finding: Finding,
    ) {
        // A hit may end behind one of a later unit, but is of the unit in which it starts.
        if self
            .unit
            .as_ref()
            .is_some_and(|unit| unit.number < finding.unit)
            && let Some(unit) = self.unit.take()
        {
            self.close(inspector, unit);
        }
        let place = block.base().saturating_add(u64::from(hit.end));
        let unit = self.unit.get_or_insert_with(|| Unit {
            number: finding.unit,
            base: place,
            trusted: finding.channel.is_trusted(),
            tally: Tally::default(),
            waiting: Vec::new(),
        });
        let score = inspector.set.rule(hit.rule).map_or(0, |rule| rule.points);
        let plain = crate::inspect::detect::Hit {
            family: hit.family,
            rule: hit.rule,
            start: 0,
            end: 0,
            score,
        };
        unit.tally
            .add(&inspector.set, place.saturating_sub(unit.base), &plain);
        let blocks = finding.action == Action::Block && unit.blocks(hit.family);
        finding.action = if blocks { Action::Block } else { Action::Flag };
        if unit.waiting.len() < WAITING {
            unit.waiting.push(finding);
        } else {
            self.further = self.further.saturating_add(1);
        }
        if blocks {
            self.refuse(Refusal::Family(hit.family));
        }
    }

    /// The unit is over: what it has of each family is found, or was nothing.
    fn close(&mut self, inspector: &Inspector, unit: Unit) {
        self.worst = self.worst.max(unit.points(Family::PromptInjection));
        let verdicts = SCORED.map(|family| (family, unit.level(family), unit.blocks(family)));
        for mut finding in unit.waiting {
            let verdict = verdicts
                .iter()
                .find(|(family, ..)| *family == finding.family);
            let Some((_, Level::Flag | Level::Block, blocks)) = verdict else {
                continue;
            };
            let refuses = *blocks && inspector.action(finding.family) == Action::Block;
            finding.action = if refuses { Action::Block } else { Action::Flag };
            self.keep(finding);
        }
    }

    /// Puts a label in a value's place.
    fn mask(
        &mut self,
        inspector: &Inspector,
        (block, hit): (&Block, &Found),
        parts: &[Range<u64>],
    ) {
        let at = |offset: u32| usize::try_from(offset).unwrap_or(usize::MAX);
        let value = block
            .text()
            .get(at(hit.start)..at(hit.end))
            .unwrap_or_default();
        let label = match inspector.kinds.get(usize::from(hit.rule.0)) {
            Some((kind, name)) if !hit.goes_on => self.labels.label((*kind, name), value),
            Some(_) | None => Box::default(),
        };
        let mut with = Some(label);
        for raw in parts {
            self.edit(Edit {
                raw: raw.clone(),
                with: with.take().unwrap_or_default(),
            });
        }
    }

    /// One more place to be written differently.
    pub(super) fn edit(&mut self, edit: Edit) {
        if self.edited >= EDITS {
            self.refuse(Refusal::TextTooLong);
            return;
        }
        self.edited = self.edited.saturating_add(1);
        self.edits.push(edit);
    }

    /// The edits since this was asked last.
    pub(super) fn take_edits(&mut self) -> Vec<Edit> {
        std::mem::take(&mut self.edits)
    }

    /// One more finding.
    pub(super) fn keep(&mut self, finding: Finding) {
        if self.findings.len() < FINDINGS {
            self.findings.push(finding);
        } else {
            self.further = self.further.saturating_add(1);
        }
    }

    /// The score of injection, 0 to 1.
    pub(super) fn score(&self) -> f64 {
        let points = f64::from(self.worst);
        points / (points + f64::from(BLOCK_POINTS))
    }

    /// Findings in order of place, how many more there were, and the edits.
    pub(super) fn into_parts(mut self) -> (Vec<Finding>, u32, Vec<Edit>) {
        let order = |f: &Finding| (f.raw.start, f.raw.end, f.rule);
        self.findings.sort_by_key(order);
        (self.findings, self.further, self.edits)
    }

    /// Bytes that it takes in memory, without the edits, which belong to what comes out.
    pub(super) fn state_bytes(&self) -> usize {
        let waiting = self.unit.as_ref().map_or(0, |unit| unit.waiting.capacity());
        let findings = self.findings.capacity().saturating_add(waiting);
        findings
            .saturating_mul(size_of::<Finding>())
            .saturating_add(self.labels.state_bytes())
            .saturating_add(size_of::<Self>())
    }
}

impl Unit {
    /// Whether its points are refused where the policy refuses the family. Shapes of code and
    /// payloads that are findings at all are what such a policy means; a suspicion of injection
    /// is not yet an attack.
    fn blocks(&self, family: Family) -> bool {
        let level = self.level(family);
        level == Level::Block || (level == Level::Flag && family != Family::PromptInjection)
    }

    /// Its points of a family. Where the application itself speaks, only what is out of place even
    /// there was counted, and still it takes twice as much: a prompt that guards itself names what
    /// it guards against, and refusing it refuses every request.
    fn points(&self, family: Family) -> u32 {
        let points = self.tally.points(family);
        if self.trusted { points / 2 } else { points }
    }

    /// What its points of a family amount to.
    fn level(&self, family: Family) -> Level {
        Level::of(self.points(family))
    }
}

/// A finding of the sanitizer.
pub(super) const fn cleaned(
    raw: Range<u64>,
    rule: RuleIx,
    (unit, channel): (u32, Channel),
) -> Finding {
    Finding {
        raw,
        family: Family::Sanitization,
        rule,
        channel,
        unit,
        action: Action::Mask,
    }
}
