//! The values in a block, by exact range: personal data, secrets, canaries.
//!
//! Decides up to where each detector is done with the text, and looks once more around what was
//! found as it reads when that has become labels. Never sees what becomes of a value.

use std::ops::Range;

use super::Inspector;
use super::labels;
use super::work::{Found, Progress, Work, offset};
use crate::inspect::block::Block;
use crate::inspect::detect::RuleIx;
use crate::inspect::detect::window::{Edges, LOOKBACK, Open, Rest};

/// How often values are looked for once more behind those found.
const ROUNDS: u8 = 3;
/// Bytes on both sides of a value in which its label may bring another to light.
const NEAR: u32 = 640;
/// Longest word that such a stretch is made longer for.
const LONG_WORD: usize = 1024;

impl Work {
    /// The detectors that find exact values in the text as it is.
    pub(super) fn values(
        &mut self,
        inspector: &Inspector,
        block: &Block,
        last: bool,
        progress: &mut Progress,
    ) {
        let first = self.found.len();
        let labelled = labels::blank(block.text(), &mut self.unlabelled);
        let text = if labelled {
            self.unlabelled.as_str()
        } else {
            block.text()
        };
        let before = *progress;
        let edges = |from: u64, open: Option<Open>| Edges {
            from: offset(from, block.base()),
            ends_string: last,
            open,
        };
        let from = before.personal.min(before.secrets);
        let read = self.index.read(text, offset(from, block.base()));
        let onward = |rest: Rest| block.base().saturating_add(u64::from(rest.from));
        self.hits.clear();
        if let Some((canaries, _)) = &inspector.canaries {
            let rest = canaries.find(text, edges(before.canaries, None), &mut self.hits);
            progress.canaries = onward(rest);
        }
        if let Some(personal) = &inspector.personal {
            let rest = personal.find(read, edges(before.personal, None), &mut self.hits);
            progress.personal = onward(rest);
        }
        self.found.extend(
            self.hits
                .iter()
                .map(|hit| Found::new(hit, (hit.start, hit.end))),
        );
        if let Some(secrets) = &inspector.secrets {
            self.hits.clear();
            let edges = edges(before.secrets, before.open);
            let rest = secrets.find(read, edges, &mut self.hits);
            for hit in &self.hits {
                let same = edges.open.is_some_and(|open| open.rule == hit.rule);
                let goes_on = hit.start == edges.from && same;
                self.found.push(Found {
                    goes_on,
                    ..Found::new(hit, (hit.start, hit.end))
                });
            }
            progress.secrets = onward(rest);
            progress.open = rest.open;
        }
        if inspector.masks() {
            self.fresh.clear();
            let found = self.found.get(first..).unwrap_or_default();
            self.fresh.extend(found.iter().map(|f| f.start..f.end));
            for _ in 0..ROUNDS {
                if self.fresh.is_empty() {
                    break;
                }
                self.uncovered(inspector, block, (first, last), (&before, progress));
            }
        }
    }

    /// Values that come to light once those found have become labels: what stood right beside
    /// another may not have looked like one. Looked for around the values found last.
    fn uncovered(
        &mut self,
        inspector: &Inspector,
        block: &Block,
        (first, last): (usize, bool),
        (before, after): (&Progress, &Progress),
    ) {
        self.found
            .get_mut(first..)
            .unwrap_or_default()
            .sort_unstable();
        let labelled = labels::blank(block.text(), &mut self.unlabelled);
        let text = if labelled {
            self.unlabelled.as_str()
        } else {
            block.text()
        };
        let known = self.found.len();
        near(text, &mut self.fresh);
        for part in self.fresh.drain(..) {
            let values = self.found.get(first..known).unwrap_or_default();
            let from = values.partition_point(|f| f.end <= part.start);
            let values = values.get(from..).unwrap_or_default();
            // In the order of their ends, so that one may begin behind the part and another not.
            let inside = values.iter().filter(|f| f.start < part.end);
            self.covered.write(
                (text, part.clone()),
                inside.map(|f| (f.start..f.end, label_bytes(inspector, f.rule))),
            );
            let whole = usize::try_from(part.end).is_ok_and(|end| end >= text.len());
            let lead = if part.start == 0 { 0 } else { LOOKBACK };
            let edges = |from: u64| Edges {
                from: offset(from, block.base())
                    .saturating_sub(part.start)
                    .max(u32::try_from(lead).unwrap_or(0)),
                ends_string: last && whole,
                open: None,
            };
            self.hits.clear();
            let read = self.index.read(self.covered.text(), 0);
            if let Some(personal) = &inspector.personal {
                personal.find(read, edges(before.personal), &mut self.hits);
            }
            let personal = self.hits.len();
            if let Some(secrets) = &inspector.secrets {
                secrets.find(read, edges(before.secrets), &mut self.hits);
            }
            for (place, hit) in self.hits.iter().enumerate() {
                let until = if place < personal {
                    after.personal
                } else {
                    after.secrets
                };
                // What reaches to the end of a part may go on behind it.
                if let Some(range) = self.covered.source(hit.start..hit.end)
                    && range.end <= offset(until, block.base())
                    && (whole || range.end < part.end)
                {
                    self.found.push(Found::new(hit, (range.start, range.end)));
                }
            }
        }
        let new = self.found.get(known..).unwrap_or_default();
        self.fresh.extend(new.iter().map(|f| f.start..f.end));
    }
}

/// The shortest label that a rule's find can get: a bracket, the name, `_1`, a bracket.
fn label_bytes(inspector: &Inspector, rule: RuleIx) -> usize {
    let named = inspector.kinds.get(usize::from(rule.0));
    named.map_or(0, |(_, name)| name.len()).saturating_add(4)
}

/// The parts of a text around some places, joined where they meet.
fn near(text: &str, places: &mut Vec<Range<u32>>) {
    let boundary = |at: u32| {
        let at = usize::try_from(at).unwrap_or(usize::MAX);
        u32::try_from(text.floor_char_boundary(at)).unwrap_or(u32::MAX)
    };
    places.sort_unstable_by_key(|place| (place.start, place.end));
    places.dedup_by(|next, open| {
        let meet = next.start <= open.end.saturating_add(NEAR.saturating_mul(2));
        if meet {
            open.end = open.end.max(next.end);
        }
        meet
    });
    for place in places {
        let end = boundary(place.end.saturating_add(NEAR));
        let rest = usize::try_from(end).ok().and_then(|end| text.get(end..));
        let rest = rest.unwrap_or_default().bytes().take(LONG_WORD);
        // A word that is cut would not be decided.
        let word = rest.take_while(|byte| !byte.is_ascii_whitespace()).count();
        let end = end.saturating_add(u32::try_from(word).unwrap_or(0));
        *place = boundary(place.start.saturating_sub(NEAR))..boundary(end);
    }
}
