//! One block through all detectors.
//!
//! Decides which hits a block has, and up to where each detector is done with the text. A hit is
//! reported by the one block in which its detector decided it. Never sees actions or thresholds.
//! Its buffers belong to the thread and not to a message: they are used from the start of a call
//! to its end.
//! May miss: a phrase that begins more than [`HELD`] bytes before a block's end and is not over
//! there.

use std::cell::RefCell;
use std::ops::Range;

use super::Inspector;
use super::covered::Covered;
use super::labels;
use crate::inspect::block::Block;
use crate::inspect::detect::window::{Edges, LOOKBACK, Rest};
use crate::inspect::detect::{Family, Hit, RuleIx, Scratch};
use crate::inspect::normal::{Canon, Views};
use crate::inspect::scan::{Hits, LiteralHit, MAX_LITERAL};

const INJECTION: Family = Family::PromptInjection;

/// Bytes at a block's end of which the rules decide in the next block.
const HELD: usize = 512;
/// How often values are looked for once more behind those found.
const ROUNDS: u8 = 3;
/// Bytes on both sides of a value in which its label may bring another to light.
const NEAR: u32 = 640;
/// Longest word that such a stretch is made longer for.
const LONG_WORD: usize = 1024;
/// Pieces in which text is searched again that has more literals than one search lists.
const PIECE: usize = 256;

/// Up to where the text was judged, by detector; offsets in the whole text.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Progress {
    rules: u64,
    personal: u64,
    secrets: u64,
    canaries: u64,
    /// Up to where all detectors are done.
    pub(super) settled: u64,
    /// The secret in whose middle the block before ended.
    open: Option<RuleIx>,
}

/// A hit in a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Found {
    pub(super) end: u32,
    pub(super) start: u32,
    pub(super) rule: RuleIx,
    pub(super) family: Family,
    /// It is the rest of the value whose start the block before had.
    pub(super) goes_on: bool,
}

impl Found {
    fn new(hit: &Hit, (start, end): (u32, u32)) -> Self {
        Self {
            end,
            start,
            rule: hit.rule,
            family: hit.family,
            goes_on: false,
        }
    }
}

/// Buffers of one thread.
#[derive(Debug, Default)]
pub(super) struct Work {
    canon: Canon,
    /// For the text of views, while `canon` still holds the block.
    inner: Canon,
    views: Views,
    literals: Literal,
    /// The block without the words in labels.
    unlabelled: String,
    covered: Covered,
    /// Values found last, and then the parts of the text around them.
    fresh: Vec<Range<u32>>,
    hits: Vec<Hit>,
    found: Vec<Found>,
}

/// Buffers of the literal stage and what follows it.
#[derive(Debug, Default)]
pub(super) struct Literal {
    hits: Hits,
    piecewise: Vec<LiteralHit>,
    scratch: Scratch,
}

thread_local! {
    static WORK: RefCell<Work> = RefCell::default();
}

/// Judges a block; `last` if no text follows it, `odd` where unseen characters were taken out of
/// words. The hits are in order of their ends.
pub(super) fn judge<R>(
    inspector: &Inspector,
    block: &Block,
    (last, odd): (bool, &[u64]),
    progress: &mut Progress,
    then: impl FnOnce(&[Found]) -> R,
) -> R {
    WORK.with_borrow_mut(|work| {
        work.found.clear();
        work.rules(inspector, block, (last, odd), progress);
        work.values(inspector, block, last, progress);
        work.found.sort_unstable();
        work.found.dedup();
        progress.settle(inspector, block);
        then(&work.found)
    })
}

impl Progress {
    /// Takes up to where those that are on are done.
    fn settle(&mut self, inspector: &Inspector, block: &Block) {
        let rules = !inspector.set.literals().is_empty() || inspector.canaries.is_some();
        let done = [
            (rules, self.rules),
            (inspector.personal.is_some(), self.personal),
            (inspector.secrets.is_some(), self.secrets),
            (inspector.canaries.is_some(), self.canaries),
        ];
        let done = done.into_iter().filter_map(|(on, at)| on.then_some(at));
        self.settled = done.min().unwrap_or_else(|| block.total());
    }
}

impl Work {
    /// The rules over the canonical form, and the canaries too.
    fn rules(
        &mut self,
        inspector: &Inspector,
        block: &Block,
        (last, odd): (bool, &[u64]),
        progress: &mut Progress,
    ) {
        if inspector.set.literals().is_empty() && inspector.canaries.is_none() {
            return;
        }
        let text = block.text();
        let from = offset(progress.rules, block.base());
        let done = if last {
            text.len()
        } else {
            text.floor_char_boundary(text.len().saturating_sub(HELD))
        };
        let done = u32::try_from(done).unwrap_or(u32::MAX);
        // What begins at the very end of the last block is decided there, too.
        let mine = |at: u32| at >= from && (at < done || last);
        self.canon.fold(text);
        self.hits.clear();
        self.literals
            .find(inspector, self.canon.text(), &mut self.hits);
        for hit in &self.hits {
            let range = self.canon.source_range(hit.start, hit.end);
            if mine(range.0) {
                self.found.push(Found::new(hit, range));
            }
        }
        self.views(inspector, text, &mine);
        if let Some(rule) = inspector.invisible {
            let places = odd.iter().map(|place| offset(*place, block.base()));
            let inside = self.canon.oddities();
            let whole = inside
                .invisible
                .saturating_add(inside.tags)
                .saturating_add(inside.bidi);
            let places = places.chain((whole > 0).then_some(from));
            let family = INJECTION;
            for start in places.filter(|place| mine(*place)) {
                let after = usize::try_from(start)
                    .unwrap_or(usize::MAX)
                    .saturating_add(1);
                let end = text.ceil_char_boundary(after);
                let end = u32::try_from(end).unwrap_or(u32::MAX);
                self.found.push(Found {
                    end,
                    start,
                    rule,
                    family,
                    goes_on: false,
                });
            }
        }
        progress.rules = block.base().saturating_add(u64::from(done));
    }

    /// What stands in the text in another writing. A find in a decoded text is one of the stretch
    /// in which it was hidden.
    fn views(&mut self, inspector: &Inspector, text: &str, mine: &impl Fn(u32) -> bool) {
        self.views.find(text, &self.canon);
        if self.views.is_empty() {
            return;
        }
        // What was found before a view is in order, for the search; what it adds is few.
        let mut known = 0;
        for view in self.views.iter() {
            if self.found.len() > known {
                self.found.sort_unstable();
                known = self.found.len();
            }
            let canonical = if view.kind.is_canonical() {
                view.text
            } else {
                self.inner.fold(view.text);
                self.inner.text()
            };
            self.hits.clear();
            self.literals.find(inspector, canonical, &mut self.hits);
            let mut attack = None;
            for hit in &self.hits {
                let range = self
                    .views
                    .source_range(&self.canon, &view, hit.start, hit.end);
                let found = Found::new(hit, range);
                // What can be read as it stands was not hidden.
                let (before, new) = self.found.split_at_checked(known).unwrap_or_default();
                let again = before.binary_search(&found).is_ok() || new.contains(&found);
                if mine(range.0) && !again {
                    attack = attack.or_else(|| Some(range).filter(|_| hit.family == INJECTION));
                    self.found.push(found);
                }
            }
            if let (Some(rule), Some((start, end))) = (inspector.decoded, attack) {
                self.found.push(Found {
                    end,
                    start,
                    rule,
                    family: INJECTION,
                    goes_on: false,
                });
            }
        }
    }

    /// The detectors that find exact values in the text as it is.
    fn values(
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
        let edges = |from: u64, open: Option<RuleIx>| Edges {
            from: offset(from, block.base()),
            ends_string: last,
            open,
        };
        let onward = |rest: Rest| block.base().saturating_add(u64::from(rest.from));
        self.hits.clear();
        if let Some((canaries, _)) = &inspector.canaries {
            let rest = canaries.find(text, edges(before.canaries, None), &mut self.hits);
            progress.canaries = onward(rest);
        }
        if let Some(personal) = &inspector.personal {
            let rest = personal.find(text, edges(before.personal, None), &mut self.hits);
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
            let rest = secrets.find(text, edges, &mut self.hits);
            for hit in &self.hits {
                let goes_on = hit.start == edges.from && edges.open == Some(hit.rule);
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
        let name = |rule: RuleIx| inspector.kinds.get(usize::from(rule.0));
        // The shortest label that it can get: a bracket, the name, `_1`, a bracket.
        let label = |rule| {
            name(rule)
                .map_or(0, |(_, name)| name.len())
                .saturating_add(4)
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
                inside.map(|f| (f.start..f.end, label(f.rule))),
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
            if let Some(personal) = &inspector.personal {
                personal.find(self.covered.text(), edges(before.personal), &mut self.hits);
            }
            let personal = self.hits.len();
            if let Some(secrets) = &inspector.secrets {
                secrets.find(self.covered.text(), edges(before.secrets), &mut self.hits);
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

impl Literal {
    /// Appends what the rules and the canaries find in a canonical text.
    pub(super) fn find(&mut self, inspector: &Inspector, canon: &str, out: &mut Vec<Hit>) {
        inspector.literals.scan(canon.as_bytes(), &mut self.hits);
        if self.hits.saturated() {
            self.in_pieces(inspector, canon.as_bytes());
            inspector
                .set
                .evaluate(&mut self.scratch, &self.piecewise, canon, out);
        } else {
            inspector
                .set
                .evaluate(&mut self.scratch, self.hits.as_slice(), canon, out);
        }
        if let Some((_, canaries)) = &inspector.canaries {
            canaries.find(canon, Edges::WHOLE, out);
        }
    }

    /// Searches a text again that is made of literals: piece by piece, so that none is left out.
    fn in_pieces(&mut self, inspector: &Inspector, canon: &[u8]) {
        self.piecewise.clear();
        let mut start = 0_usize;
        while start < canon.len() {
            let end = start.saturating_add(PIECE).min(canon.len());
            // One byte more on both sides, for the edges of words.
            let from = start.saturating_sub(MAX_LITERAL.saturating_add(1));
            let to = end.saturating_add(1).min(canon.len());
            inspector
                .literals
                .scan(canon.get(from..to).unwrap_or_default(), &mut self.hits);
            let shift = u32::try_from(from).unwrap_or(u32::MAX);
            let ends =
                u32::try_from(start).unwrap_or(u32::MAX)..u32::try_from(end).unwrap_or(u32::MAX);
            let moved = self.hits.as_slice().iter().map(|hit| LiteralHit {
                end: hit.end.saturating_add(shift),
                id: hit.id,
                start: hit.start.saturating_add(shift),
            });
            self.piecewise
                .extend(moved.filter(|hit| ends.start < hit.end && hit.end <= ends.end));
            start = end;
        }
    }
}

/// A place in the whole text as one in the block.
fn offset(place: u64, base: u64) -> u32 {
    u32::try_from(place.saturating_sub(base)).unwrap_or(u32::MAX)
}
