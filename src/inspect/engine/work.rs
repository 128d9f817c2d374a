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
use crate::inspect::block::Block;
use crate::inspect::detect::window::{Edges, Open};
use crate::inspect::detect::{Bounds, Family, Hit, Index, OneString, RuleIx, Scratch};
use crate::inspect::normal::{Canon, Views};
use crate::inspect::scan::{Hits, LiteralHit, MAX_LITERAL};

const INJECTION: Family = Family::PromptInjection;

/// Bytes at a block's end of which the rules decide in the next block.
const HELD: usize = 512;
/// Pieces in which text is searched again that has more literals than one search lists.
const PIECE: usize = 256;

/// Up to where the text was judged, by detector; offsets in the whole text.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Progress {
    pub(super) rules: u64,
    pub(super) personal: u64,
    pub(super) secrets: u64,
    pub(super) canaries: u64,
    /// Up to where all detectors are done.
    pub(super) settled: u64,
    /// The secret in whose middle the block before ended.
    pub(super) open: Option<Open>,
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
    /// A find of a detector, by its range in the block.
    pub(super) fn new(hit: &Hit, (start, end): (u32, u32)) -> Self {
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
    pub(super) unlabelled: String,
    pub(super) covered: Covered,
    /// Of the text that is looked through for values.
    pub(super) index: Index,
    /// Values found last, and then the parts of the text around them.
    pub(super) fresh: Vec<Range<u32>>,
    pub(super) hits: Vec<Hit>,
    pub(super) found: Vec<Found>,
    /// Those that only a view has.
    hidden: Vec<Found>,
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
        let canon = self.canon.text();
        let strings = Strings {
            canon: &self.canon,
            block,
            last,
        };
        self.literals
            .find(inspector, (canon, &strings), &mut self.hits);
        for hit in &self.hits {
            let range = self.canon.source_range(hit.start, hit.end);
            let told = || !inspector.set.counts_for_author(canon, hit);
            if mine(range.0) && !(is_authors(block, range.0) && told()) {
                self.found.push(Found::new(hit, range));
            }
        }
        self.views(inspector, block, &mine);
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
    fn views(&mut self, inspector: &Inspector, block: &Block, mine: &impl Fn(u32) -> bool) {
        self.views.find(block.text(), &self.canon);
        if self.views.is_empty() {
            return;
        }
        // What was found in the text as it stands, and in views so far, each in order, for the
        // search: views are read in order, and so what one adds is mostly behind all others.
        self.found.sort_unstable();
        self.hidden.clear();
        for view in self.views.iter() {
            let canonical = if view.kind.is_canonical() {
                view.text
            } else {
                self.inner.fold(view.text);
                self.inner.text()
            };
            self.hits.clear();
            let whole = OneString(canonical);
            self.literals
                .find(inspector, (canonical, &whole), &mut self.hits);
            let mut attack = None;
            for hit in &self.hits {
                let range = self
                    .views
                    .source_range(&self.canon, &view, hit.start, hit.end);
                let found = Found::new(hit, range);
                let told = || !inspector.set.counts_for_author(canonical, hit);
                // What can be read as it stands was not hidden.
                if let Err(place) = self.hidden.binary_search(&found)
                    && self.found.binary_search(&found).is_err()
                    && mine(range.0)
                    && !(is_authors(block, range.0) && told())
                {
                    attack = attack.or_else(|| Some(range).filter(|_| hit.family == INJECTION));
                    self.hidden.insert(place, found);
                }
            }
            if let (Some(rule), Some((start, end))) = (inspector.decoded, attack) {
                let found = Found {
                    end,
                    start,
                    rule,
                    family: INJECTION,
                    goes_on: false,
                };
                if let Err(place) = self.hidden.binary_search(&found) {
                    self.hidden.insert(place, found);
                }
            }
        }
        self.found.append(&mut self.hidden);
    }
}

impl Literal {
    /// Appends what the rules and the canaries find in a canonical text.
    pub(super) fn find(
        &mut self,
        inspector: &Inspector,
        (canon, bounds): (&str, &dyn Bounds),
        out: &mut Vec<Hit>,
    ) {
        inspector.literals.scan(canon.as_bytes(), &mut self.hits);
        let hits = if self.hits.saturated() {
            self.in_pieces(inspector, canon.as_bytes());
            self.piecewise.as_slice()
        } else {
            self.hits.as_slice()
        };
        inspector
            .set
            .evaluate_strings(&mut self.scratch, hits, (canon, bounds), out);
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

/// The strings of a block, by their places in its canonical form.
struct Strings<'a> {
    canon: &'a Canon,
    block: &'a Block,
    last: bool,
}

impl Bounds for Strings<'_> {
    fn start(&self, at: u32, within: u32) -> Option<u32> {
        let source = |at: u32| self.canon.source(at);
        let begins = self.block.string_start(source(at))?;
        let (mut low, mut high) = (at.saturating_sub(within), at);
        if source(low) < begins || low == 0 {
            // The first place in canonical text that is of the string.
            while low < high {
                let middle = low.midpoint(high);
                if source(middle) < begins {
                    low = middle.saturating_add(1);
                } else {
                    high = middle;
                }
            }
            return Some(high);
        }
        (source(low) == begins).then_some(low)
    }

    fn end(&self, at: u32, within: u32) -> Option<u32> {
        let length = u32::try_from(self.canon.text().len()).unwrap_or(u32::MAX);
        let before = self.canon.source(at.saturating_sub(1));
        let ends = self.block.string_end(before, self.last)?;
        let (mut low, mut high) = (at, at.saturating_add(within).min(length));
        let behind = |at: u32| at >= length || self.canon.source(at) >= ends;
        if !behind(high) {
            return None;
        }
        while low < high {
            let middle = low.midpoint(high);
            if behind(middle) {
                high = middle;
            } else {
                low = middle.saturating_add(1);
            }
        }
        Some(high)
    }
}

/// Whether the application's author wrote what stands there.
fn is_authors(block: &Block, at: u32) -> bool {
    block.span(at).is_some_and(|span| span.channel.is_trusted())
}

/// A place in the whole text as one in the block.
pub(super) fn offset(place: u64, base: u64) -> u32 {
    u32::try_from(place.saturating_sub(base)).unwrap_or(u32::MAX)
}
