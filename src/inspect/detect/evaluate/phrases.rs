//! The steps of phrases, in the order in which their words stand.
//!
//! Decides how far each phrase has come, by comparing numbers alone: where its last step ended, and
//! in which sentence. Never decides whether a rule has found something.

use super::super::set::{RuleSet, Turn, may_join};
use super::Partial;
use super::edges::{joined_after, joined_before};
use super::sentences::Sentences;
use crate::inspect::scan::LiteralHit;

/// The phrases of one text.
#[derive(Debug, Default)]
pub(super) struct Phrases {
    /// The text in which they are.
    text: u32,
    sentences: Sentences,
    /// By node, and one that is no node's.
    noted: Vec<Noted>,
}

/// How far a phrase has come, in one text.
#[derive(Clone, Copy, Debug, Default)]
struct Noted {
    text: u32,
    /// Ends of sentences up to the byte behind its newest step.
    sentence: u32,
    phrase: Partial,
}

/// A literal where it stands.
#[derive(Clone, Copy, Debug)]
struct Word {
    text: u32,
    place: Partial,
    /// Ends of sentences before it, and up to the byte behind it.
    sentences: (u32, u32),
}

impl Phrases {
    /// For so many nodes.
    pub(super) fn new(nodes: usize) -> Self {
        Self {
            noted: vec![Noted::default(); nodes.saturating_add(1)],
            ..Self::default()
        }
    }

    /// For how many nodes this is.
    pub(super) const fn nodes(&self) -> usize {
        self.noted.len().saturating_sub(1)
    }

    /// A text begins; `text` has not been its number since [`Self::new`].
    pub(super) fn begin(&mut self, text: u32, canon: &str) {
        self.text = text;
        self.sentences.read(canon);
    }

    /// Moves the phrases on by the words of a text, and tells which rules are whole, and where.
    pub(super) fn grow(
        &mut self,
        set: &RuleSet,
        (canon, hits): (&str, &[LiteralHit]),
        mut whole: impl FnMut(&[u16], Partial),
    ) {
        for hit in hits {
            if continues(set, canon, hit) {
                continue;
            }
            let before = |place| self.sentences.before(place);
            let word = Word {
                text: self.text,
                place: Partial {
                    start: hit.start,
                    end: hit.end,
                },
                sentences: (before(hit.start), before(hit.end.saturating_add(1))),
            };
            for turn in set.turns_of(hit.id) {
                if let Some(phrase) = word.take(turn, &mut self.noted) {
                    whole(set.whole_with(turn), phrase);
                }
            }
        }
    }
}

impl Word {
    /// Notes a phrase that goes on with this word; how far it has come, if rules are whole with it.
    #[inline]
    fn take(&self, turn: &Turn, noted: &mut [Noted]) -> Option<Partial> {
        let mut start = self.place.start;
        if !turn.first {
            let before = noted.get(usize::from(turn.parent))?;
            // What stands behind it is far ahead of it.
            let distance = start.wrapping_sub(before.phrase.end);
            let near = distance <= u32::from(turn.gap);
            let one = self.sentences.0 <= before.sentence;
            if !((before.text == self.text) & near & one) {
                return None;
            }
            start = before.phrase.start;
        }
        let phrase = Partial {
            start,
            end: self.place.end,
        };
        if let Some(noted) = noted.get_mut(usize::from(turn.place)) {
            *noted = Noted {
                text: self.text,
                sentence: self.sentences.1,
                phrase,
            };
        }
        (turn.rules.1 > 0).then_some(phrase)
    }
}

/// Whether a literal is a part of a longer word. Of ASCII beside it the literal stage has asked
/// before, and so the first answer nearly always is no.
#[inline]
fn continues(set: &RuleSet, canon: &str, hit: &LiteralHit) -> bool {
    let Some(literal) = set.literals().get(usize::from(hit.id)) else {
        return true;
    };
    let joins = |place: Option<u32>| {
        let place = place.and_then(|place| usize::try_from(place).ok());
        let byte = place.and_then(|place| canon.as_bytes().get(place));
        byte.is_some_and(|byte| may_join(*byte))
    };
    let before = literal.word_start & joins(hit.start.checked_sub(1));
    let after = literal.word_end & joins(Some(hit.end));
    (before | after)
        && ((literal.word_start && joined_before(canon, hit.start))
            || (literal.word_end && joined_after(canon, hit.end)))
}
