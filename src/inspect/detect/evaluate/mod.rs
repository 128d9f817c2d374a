//! From literal hits to rule hits, in one pass over the literal hits of a block.
//!
//! Decides whether a woken rule has really found something: word edges, the order
//! and distance of a phrase's steps, the veto words before it, its pattern.
//! Never reads more of the text than the neighbourhood of a literal.
//! Work is linear in literal hits and in the text: patterns are run over no more bytes than [`share`]
//! tells.
//! A rule that used up its share counts as having found something: a text that
//! wakes the same rule that often in 8 KiB without ever confirming it is written
//! to tire the scanner, and must not hide the one real hit behind the decoys.

mod bounds;
mod edges;
mod phrases;
mod sentences;

use crate::inspect::scan::LiteralHit;

use super::set::{Body, RuleSet};
use super::{Family, Hit, RuleIx, Standard, TAIL};

pub use bounds::{Bounds, OneString};
use edges::{before, reported};
use phrases::Phrases;

/// Times that one rule may run its pattern in one block.
const WINDOWS: u8 = 200;
/// Bytes that all rules together may run patterns over, however short the text, and for each of its
/// bytes. Benign texts and most attacks ask for less than two a byte and 6 KiB.
const WINDOW_BYTES: u32 = 12 * 1024;
const WINDOW_BYTES_EACH: u32 = 2;
/// Hits that one rule may report from one block; the score needs only the first.
const REPORTS: u8 = 16;
/// Bytes before a phrase that may hold the veto words.
const VETO_REACH: usize = 28;
/// Bytes before a phrase in which an author's sentence may tell of others.
const REPORT_REACH: usize = 160;

/// How far a phrase has come: bytes from its first step to its newest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Partial {
    start: u32,
    end: u32,
}

/// What one rule has used up in this block.
#[derive(Clone, Copy, Debug, Default)]
struct Used {
    windows: u8,
    reports: u8,
    /// Patterns already searched up to here found nothing new behind it.
    searched: u32,
}

/// Whether a list of veto words stands before a place, asked last.
#[derive(Clone, Copy, Debug, Default)]
struct Vetoed {
    place: u32,
    answer: bool,
}

/// Something of this text, or of one before it, which does not count.
#[derive(Clone, Copy, Debug, Default)]
struct Noted<T> {
    text: u32,
    value: T,
}

/// Reusable memory of the evaluation, a few KiB; belongs to one thread of work.
#[derive(Debug, Default)]
pub struct Scratch {
    /// Tells what was noted for this text from what an earlier one left: nothing is wiped.
    text: u32,
    phrases: Phrases,
    used: Vec<Noted<Used>>,
    vetoed: Vec<Noted<Vetoed>>,
    spent: u32,
}

impl Scratch {
    fn reset(&mut self, set: &RuleSet) {
        self.spent = 0;
        self.text = self.text.wrapping_add(1);
        let sizes = (set.nodes.len(), set.bodies.len(), set.vetoes.len());
        let kept = (self.phrases.nodes(), self.used.len(), self.vetoed.len());
        if sizes != kept || self.text == 0 {
            self.text = 1;
            self.phrases = Phrases::new(sizes.0);
            self.used.clear();
            self.used.resize(sizes.1, Noted::default());
            self.vetoed.clear();
            self.vetoed.resize(sizes.2, Noted::default());
        }
    }
}

/// What is evaluated, and by which standard.
struct Reading<'t> {
    canon: &'t str,
    bounds: &'t dyn Bounds,
    standard: Standard,
}

impl RuleSet {
    /// [`Self::evaluate_strings`] of a text that is one string.
    pub fn evaluate(
        &self,
        scratch: &mut Scratch,
        hits: &[LiteralHit],
        canon: &str,
        out: &mut Vec<Hit>,
    ) {
        self.evaluate_strings(scratch, hits, (canon, &OneString(canon)), out);
    }

    /// Appends to `out` what the rules find in `canon`, which may be many strings, given
    /// its literal hits in order of their ends. Offsets are bytes of `canon`, on character
    /// boundaries.
    pub fn evaluate_strings(
        &self,
        scratch: &mut Scratch,
        hits: &[LiteralHit],
        (canon, bounds): (&str, &dyn Bounds),
        out: &mut Vec<Hit>,
    ) {
        let reading = Reading {
            canon,
            bounds,
            standard: Standard::Anyone,
        };
        self.read(&reading, scratch, hits, out);
    }

    /// The same of a text that is one string, as far as it counts by `standard`.
    pub fn evaluate_by(
        &self,
        standard: Standard,
        scratch: &mut Scratch,
        hits: &[LiteralHit],
        canon: &str,
        out: &mut Vec<Hit>,
    ) {
        let reading = Reading {
            canon,
            bounds: &OneString(canon),
            standard,
        };
        self.read(&reading, scratch, hits, out);
    }

    /// Whether a hit in `canon` counts in what an application's author writes: see
    /// [`Standard::Author`].
    pub fn counts_for_author(&self, canon: &str, hit: &Hit) -> bool {
        self.counts(hit.rule, Standard::Author) && !reported(canon, hit)
    }

    fn read(
        &self,
        reading: &Reading<'_>,
        scratch: &mut Scratch,
        hits: &[LiteralHit],
        out: &mut Vec<Hit>,
    ) {
        if hits.is_empty() {
            return;
        }
        scratch.reset(self);
        let mut phrases = std::mem::take(&mut scratch.phrases);
        phrases.begin(reading.canon);
        phrases.grow(self, (reading.canon, hits), |rules, whole| {
            for rule in rules {
                out.extend(self.whole(scratch, *rule, whole, reading));
            }
        });
        scratch.phrases = phrases;
    }

    /// All that a rule wants has been found at one place: whether it is a hit.
    fn whole(
        &self,
        scratch: &mut Scratch,
        rule: u16,
        whole: Partial,
        reading: &Reading<'_>,
    ) -> Option<Hit> {
        let (ix, canon) = (RuleIx(rule), reading.canon);
        let body = self.bodies.get(usize::from(rule))?;
        let text = scratch.text;
        let used = scratch.used.get_mut(usize::from(rule))?;
        if used.text != text {
            *used = Noted {
                text,
                value: Used::default(),
            };
        }
        if used.value.reports >= REPORTS
            || !self.counts(ix, reading.standard)
            || (body.at_end && reading.bounds.end(whole.end, TAIL).is_none())
        {
            return None;
        }
        if let Some(veto) = body.veto
            && self.vetoed(&mut scratch.vetoed, (veto, text), whole.start, canon)
        {
            return None;
        }
        let span = confirm(body, &mut used.value, &mut scratch.spent, whole, reading)?;
        used.value.reports = used.value.reports.saturating_add(1);
        let info = self.rule(ix)?;
        let hit = Hit {
            family: info.family,
            rule: ix,
            start: span.start,
            end: span.end,
            score: info.points,
        };
        (reading.standard == Standard::Anyone || !reported(canon, &hit)).then_some(hit)
    }

    /// Whether a word of a veto list stands right before a place. Many rules share a list, and
    /// ask about one place one after the other.
    fn vetoed(
        &self,
        memory: &mut [Noted<Vetoed>],
        (veto, text): (u16, u32),
        place: u32,
        canon: &str,
    ) -> bool {
        let words = self.vetoes.get(usize::from(veto)).copied();
        let Some(known) = memory.get_mut(usize::from(veto)) else {
            return false;
        };
        if known.text != text || known.value.place != place {
            let head = before(canon, place, VETO_REACH);
            let answer = words
                .unwrap_or_default()
                .iter()
                .any(|word| head.ends_with(word));
            *known = Noted {
                text,
                value: Vetoed { place, answer },
            };
        }
        known.value.answer
    }
}

/// Runs the rule's pattern, if it has one, over the bytes around the literal.
fn confirm(
    body: &Body,
    used: &mut Used,
    spent: &mut u32,
    whole: Partial,
    reading: &Reading<'_>,
) -> Option<Partial> {
    let Reading { canon, bounds, .. } = *reading;
    let Some(pattern) = &body.pattern else {
        return Some(whole);
    };
    if whole.start < used.searched {
        return None;
    }
    if used.windows >= WINDOWS || *spent >= share(canon) {
        return Some(whole);
    }
    let (before, behind) = (u32::from(body.reach.0), u32::from(body.reach.1));
    let from = whole.start.saturating_sub(before).max(used.searched);
    let narrow = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    let length = narrow(canon.len());
    let to = whole.end.saturating_add(behind).min(length);
    // Never into the next string, so that `$` sees this one's end.
    let to = bounds.end(whole.end, behind).map_or(to, |end| to.min(end));
    // From the string's start, so that `^` sees one, or from before the reach, so that word edges
    // see what really stands before.
    let first = bounds.start(whole.start, before).unwrap_or(0);
    let from = from.max(first);
    used.windows = used.windows.saturating_add(1);
    *spent = spent
        .saturating_add(to.saturating_sub(from))
        .saturating_add(64);
    let string = canon.as_bytes().get(index(first)..index(to))?;
    let matched = pattern.find_at(string, index(from.saturating_sub(first)))?;
    let place = |at: usize| u32::try_from(at).ok()?.checked_add(first);
    let start = place(matched.start)?;
    if body.reach.0 == 0 && start != from {
        return None;
    }
    let end = place(matched.end)?;
    used.searched = end;
    Some(Partial {
        start: narrow(canon.floor_char_boundary(index(start))),
        end: narrow(canon.ceil_char_boundary(index(end))),
    })
}

/// Over how many bytes all rules together may run patterns in a text.
fn share(canon: &str) -> u32 {
    let length = u32::try_from(canon.len()).unwrap_or(u32::MAX);
    length
        .saturating_mul(WINDOW_BYTES_EACH)
        .saturating_add(WINDOW_BYTES)
}

fn index(offset: u32) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;
