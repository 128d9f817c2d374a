//! What is looked for in a text's canonical form: canaries and the rules for phrases.
//!
//! Decides from where on a text could become a canary, and which phrases stand in it. A canary is
//! held from its first character on; of a phrase, what stood before its last word has left.

use super::{BEFORE, BENCH, BLOCK, Bench, Notes, Speech, TAIL, place};
use crate::inspect::detect::window::Edges;
use crate::inspect::detect::{Family, Hit, Level, OneString};
use crate::inspect::engine::Inspector;
use crate::inspect::finding::Refusal;
use crate::policy::inspection::Action;

impl Inspector {
    /// What becomes of a phrase in an answer. One has no exact place, so that what would be masked
    /// is only noted; and where points add up in requests, here each stands for itself.
    fn phrase(&self, hit: &Hit) -> Action {
        let action = match self.action(hit.family) {
            Action::Mask => Action::Flag,
            action @ (Action::Off | Action::Flag | Action::Block) => action,
        };
        let scored = match hit.family {
            Family::PromptInjection | Family::CodePatterns | Family::WebAttacks => true,
            Family::Pii
            | Family::Secrets
            | Family::Harmful
            | Family::Canary
            | Family::Sanitization => false,
        };
        match Level::of(u32::from(hit.score)) {
            _ if !scored => action,
            Level::Quiet => Action::Off,
            Level::Flag if hit.family == Family::PromptInjection && action == Action::Block => {
                Action::Flag
            }
            Level::Flag | Level::Block => action,
        }
    }
}

impl Speech {
    /// Canaries as they are and in canonical form; from where on the text could become one.
    pub(super) fn canaries(
        &self,
        inspector: &Inspector,
        notes: &mut Notes,
        bench: &mut Bench,
        last: bool,
    ) -> Result<usize, Refusal> {
        let Some((plain, canonical)) = &inspector.canaries else {
            return Ok(self.total());
        };
        let from = self.total().saturating_sub(BLOCK).max(self.base);
        let text = self.tail(from);
        let from = self.total().saturating_sub(text.len());
        bench.hits.clear();
        plain.find(text, Edges::WHOLE, &mut bench.hits);
        bench.canon.fold(text);
        if bench.hits.is_empty() {
            canonical.find(bench.canon.text(), Edges::WHOLE, &mut bench.hits);
        }
        if let Some(hit) = bench.hits.first() {
            let place = (from, self.total());
            notes.find(hit, place, (self.unit, self.channel), Action::Block);
            return Err(Refusal::Family(Family::Canary));
        }
        if last {
            return Ok(self.total());
        }
        let held = canonical.hold_from(bench.canon.text());
        let source = if held >= bench.canon.text().len() {
            text.len()
        } else {
            let at = u32::try_from(held).unwrap_or(u32::MAX);
            let (start, _) = bench.canon.source_range(at, at.saturating_add(1));
            usize::try_from(start).unwrap_or(usize::MAX)
        };
        Ok(from.saturating_add(source.min(plain.hold_from(text))))
    }

    /// The rules for phrases, over what they have not decided.
    pub(super) fn rules(
        &mut self,
        inspector: &Inspector,
        notes: &mut Notes,
        last: bool,
    ) -> Result<(), Refusal> {
        if inspector.set.literals().is_empty() {
            self.ruled = self.total();
            return Ok(());
        }
        let total = self.total();
        let done = if last {
            total
        } else {
            total.saturating_sub(TAIL)
        };
        let ruled = self.ruled;
        BENCH.with_borrow_mut(|bench| {
            let from = self.found(inspector, bench, ruled.saturating_sub(BEFORE));
            for hit in &bench.hits {
                let (start, end) = (place(from, hit.start), place(from, hit.end));
                if start < ruled || (start >= done && !last) {
                    continue;
                }
                let action = inspector.phrase(hit);
                notes.find(hit, (start, end), (self.unit, self.channel), action);
                if action == Action::Block {
                    return Err(Refusal::Family(hit.family));
                }
            }
            Ok(())
        })?;
        self.ruled = done;
        Ok(())
    }

    /// Whether a phrase that is refused stands in what was not decided.
    pub(super) fn phrases(
        &self,
        inspector: &Inspector,
        notes: &mut Notes,
        bench: &mut Bench,
    ) -> Result<(), Refusal> {
        let from = self.found(inspector, bench, self.ruled.saturating_sub(BEFORE));
        for hit in &bench.hits {
            let (start, end) = (place(from, hit.start), place(from, hit.end));
            if start >= self.ruled && inspector.phrase(hit) == Action::Block {
                notes.find(hit, (start, end), (self.unit, self.channel), Action::Block);
                return Err(Refusal::Family(hit.family));
            }
        }
        Ok(())
    }

    /// The rules' hits from `from` on; the offset that their places count from.
    fn found(&self, inspector: &Inspector, bench: &mut Bench, from: usize) -> usize {
        let text = self.tail(from);
        let from = self.total().saturating_sub(text.len());
        bench.canon.fold(text);
        bench.hits.clear();
        let canon = bench.canon.text();
        bench
            .literal
            .find(inspector, (canon, &OneString(canon)), &mut bench.hits);
        for hit in &mut bench.hits {
            (hit.start, hit.end) = bench.canon.source_range(hit.start, hit.end);
        }
        bench
            .hits
            .sort_unstable_by_key(|hit| (hit.start, hit.end, hit.rule));
        bench.hits.dedup();
        from
    }
}
