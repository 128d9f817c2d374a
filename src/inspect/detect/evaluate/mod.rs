//! From literal hits to rule hits, in one pass over the literal hits of a block.
//!
//! Decides whether a woken rule has really found something: word edges, the order
//! and distance of a phrase's steps, the veto words before it, its pattern.
//! Never reads more of the text than the neighbourhood of a literal.
//! Work is linear in literal hits plus [`WINDOW_BYTES`] of pattern search a block.
//! A rule that used up its share counts as having found something: a text that
//! wakes the same rule that often in 8 KiB without ever confirming it is written
//! to tire the scanner, and must not hide the one real hit behind the decoys.

use crate::inspect::scan::LiteralHit;

use super::rules::injection_words::REPORTED;
use super::set::{Body, RuleSet, Wake, is_word};
use super::{Family, Hit, RuleIx, Standard, TAIL};

/// Times that one rule may run its pattern in one block.
const WINDOWS: u8 = 200;
/// Bytes that all rules together may run patterns over in one block.
const WINDOW_BYTES: u32 = 96 * 1024;
/// Hits that one rule may report from one block; the score needs only the first.
const REPORTS: u8 = 16;
/// Bytes before a phrase that may hold the veto words.
const VETO_REACH: usize = 28;
/// Bytes before a phrase in which an author's sentence may tell of others.
const REPORT_REACH: usize = 160;

/// How far a phrase has come: bytes from its first step to its newest.
#[derive(Clone, Copy, Debug, Default)]
struct Partial {
    start: u32,
    /// 0: not come here yet; no literal ends at 0.
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

/// Reusable memory of the evaluation, a few KiB; belongs to one thread of work.
#[derive(Debug, Default)]
pub struct Scratch {
    partials: Vec<Partial>,
    used: Vec<Used>,
    spent: u32,
}

impl Scratch {
    fn reset(&mut self, set: &RuleSet) {
        self.partials.clear();
        self.partials.resize(set.gaps.len(), Partial::default());
        self.used.clear();
        self.used.resize(set.bodies.len(), Used::default());
        self.spent = 0;
    }
}

impl RuleSet {
    /// [`Self::evaluate_by`] the standard for anyone.
    pub fn evaluate(
        &self,
        scratch: &mut Scratch,
        hits: &[LiteralHit],
        canon: &str,
        out: &mut Vec<Hit>,
    ) {
        self.evaluate_by(Standard::Anyone, scratch, hits, canon, out);
    }

    /// Appends to `out` what the rules find in `canon`, given its literal hits in
    /// order of their ends, as far as it counts by `standard`. Offsets are bytes of
    /// `canon`, on character boundaries.
    pub fn evaluate_by(
        &self,
        standard: Standard,
        scratch: &mut Scratch,
        hits: &[LiteralHit],
        canon: &str,
        out: &mut Vec<Hit>,
    ) {
        if hits.is_empty() {
            return;
        }
        scratch.reset(self);
        for hit in hits {
            let id = usize::from(hit.id);
            let (Some(literal), Some(wakes)) = (self.literals().get(id), self.wakes.get(id)) else {
                continue;
            };
            if (literal.word_start && joined_before(canon, hit.start))
                || (literal.word_end && joined_after(canon, hit.end))
            {
                continue;
            }
            let found = Partial {
                start: hit.start,
                end: hit.end,
            };
            for wake in wakes {
                if !self.counts(RuleIx(wake.rule), standard) {
                    continue;
                }
                let hit = self.woken(scratch, *wake, found, canon);
                out.extend(hit.filter(|hit| standard == Standard::Anyone || !reported(canon, hit)));
            }
        }
    }

    fn woken(&self, scratch: &mut Scratch, wake: Wake, found: Partial, canon: &str) -> Option<Hit> {
        let body = self.bodies.get(usize::from(wake.rule))?;
        let whole = if body.steps == 0 {
            found
        } else {
            self.step(scratch, body, usize::from(wake.step), found, canon)?
        };
        if body
            .veto
            .iter()
            .any(|word| before(canon, whole.start, VETO_REACH).ends_with(&**word))
        {
            return None;
        }
        if body.at_end && index(whole.end.saturating_add(TAIL)) < canon.len() {
            return None;
        }
        let used = scratch.used.get_mut(usize::from(wake.rule))?;
        if used.reports >= REPORTS {
            return None;
        }
        let span = confirm(body, used, &mut scratch.spent, whole, canon)?;
        used.reports = used.reports.saturating_add(1);
        let info = self.rule(RuleIx(wake.rule))?;
        Some(Hit {
            family: info.family,
            rule: RuleIx(wake.rule),
            start: span.start,
            end: span.end,
            score: info.points,
        })
    }

    /// Moves a phrase on by one step; the whole phrase when that was the last.
    fn step(
        &self,
        scratch: &mut Scratch,
        body: &Body,
        step: usize,
        found: Partial,
        canon: &str,
    ) -> Option<Partial> {
        let place = body.first.checked_add(step)?;
        let mut grown = found;
        if step > 0 {
            let gap = u32::from(*self.gaps.get(place)?);
            let previous = *scratch.partials.get(place.checked_sub(1)?)?;
            let distance = found.start.checked_sub(previous.end)?;
            if previous.end == 0
                || distance > gap
                || sentence_ends(canon, previous.end, found.start)
            {
                return None;
            }
            grown.start = previous.start;
        }
        *scratch.partials.get_mut(place)? = grown;
        (step.checked_add(1)? == body.steps).then_some(grown)
    }
}

/// Runs the rule's pattern, if it has one, over the bytes around the literal.
fn confirm(
    body: &Body,
    used: &mut Used,
    spent: &mut u32,
    whole: Partial,
    canon: &str,
) -> Option<Partial> {
    let Some(pattern) = &body.pattern else {
        return Some(whole);
    };
    if whole.start < used.searched {
        return None;
    }
    if used.windows >= WINDOWS || *spent >= WINDOW_BYTES {
        return Some(whole);
    }
    let from = whole
        .start
        .saturating_sub(body.reach.0.into())
        .max(used.searched);
    let length = u32::try_from(canon.len()).unwrap_or(u32::MAX);
    let to = whole.end.saturating_add(body.reach.1.into()).min(length);
    used.windows = used.windows.saturating_add(1);
    *spent = spent
        .saturating_add(to.saturating_sub(from))
        .saturating_add(64);
    // From the block's start, so that `^` and word edges see what really stands before.
    let matched = pattern.find_at(canon.as_bytes().get(..index(to))?, index(from))?;
    let start = u32::try_from(matched.start()).ok()?;
    if body.reach.0 == 0 && start != from {
        return None;
    }
    let end = u32::try_from(matched.end()).ok()?;
    used.searched = end;
    Some(Partial {
        start: boundary_before(canon, start),
        end: boundary_after(canon, end),
    })
}

fn index(offset: u32) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

fn boundary_before(canon: &str, offset: u32) -> u32 {
    u32::try_from(canon.floor_char_boundary(index(offset))).unwrap_or(offset)
}

fn boundary_after(canon: &str, offset: u32) -> u32 {
    u32::try_from(canon.ceil_char_boundary(index(offset))).unwrap_or(offset)
}

/// Whether a word's character stands right before `offset`.
fn joined_before(canon: &str, offset: u32) -> bool {
    let byte = index(offset)
        .checked_sub(1)
        .and_then(|at| canon.as_bytes().get(at));
    match byte {
        Some(byte) if byte.is_ascii() => is_word(char::from(*byte)),
        Some(_) => {
            let head = canon.get(..index(offset)).unwrap_or_default();
            head.chars().next_back().is_some_and(is_word)
        }
        None => false,
    }
}

/// Whether a word's character stands right after `offset`.
fn joined_after(canon: &str, offset: u32) -> bool {
    match canon.as_bytes().get(index(offset)) {
        Some(byte) if byte.is_ascii() => is_word(char::from(*byte)),
        Some(_) => {
            let tail = canon.get(index(offset)..).unwrap_or_default();
            tail.chars().next().is_some_and(is_word)
        }
        None => false,
    }
}

/// At most `reach` bytes before `offset`.
fn before(canon: &str, offset: u32, reach: usize) -> &str {
    let end = index(offset);
    let start = canon.floor_char_boundary(end.saturating_sub(reach));
    canon.get(start..end).unwrap_or_default()
}

/// Whether the sentence before a prompt injection hit tells of others or forbids it.
fn reported(canon: &str, hit: &Hit) -> bool {
    let told = before(canon, hit.start, REPORT_REACH);
    let sentence = told
        .rsplit_once(". ")
        .map_or(told, |(_, sentence)| sentence);
    hit.family == Family::PromptInjection && REPORTED.iter().any(|word| sentence.contains(word))
}

/// Whether a sentence ends between two steps: what follows is another thought.
fn sentence_ends(canon: &str, from: u32, to: u32) -> bool {
    let between = canon
        .as_bytes()
        .get(index(from)..index(to))
        .unwrap_or_default();
    between
        .windows(2)
        .any(|pair| matches!(pair, [b'.' | b'?' | b'!' | b';', b' ']))
}

#[cfg(test)]
mod tests;
