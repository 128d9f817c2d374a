//! The steps of phrases, in the order in which their words stand.
//!
//! Decides how far each phrase has come, by comparing numbers alone: where its last step ended, and
//! in which sentence. Never decides whether a rule has found something.

use super::super::set::RuleSet;
use super::super::turns::{Turn, bit};
use super::Partial;
use super::edges::{joined_after, joined_before};
use super::sentences::Sentences;
use crate::inspect::scan::LiteralHit;

/// Further than any step's gap.
const APART: u32 = 256;

/// The phrases of one text.
#[derive(Debug, Default)]
pub(super) struct Phrases {
    /// Where the text begins if all texts are taken as one, [`APART`] from each other: so nothing
    /// noted in an earlier one stands near, and nothing is wiped.
    base: u32,
    /// Where the next one begins.
    next: u32,
    sentences: Sentences,
    /// How far each phrase has come, by node.
    noted: Vec<Partial>,
    /// Bits of the steps noted in this text.
    alive: u64,
}

impl Phrases {
    /// For so many nodes.
    pub(super) fn new(nodes: usize) -> Self {
        Self {
            next: APART,
            noted: vec![Partial::default(); nodes],
            ..Self::default()
        }
    }

    /// For how many nodes this is.
    pub(super) const fn nodes(&self) -> usize {
        self.noted.len()
    }

    /// A text begins.
    pub(super) fn begin(&mut self, canon: &str) {
        let length = u32::try_from(canon.len()).unwrap_or(u32::MAX);
        let end = |base: u32| base.checked_add(length)?.checked_add(APART);
        self.base = self.next;
        self.next = end(self.base).unwrap_or_else(|| {
            self.noted.fill(Partial::default());
            self.base = APART;
            end(APART).unwrap_or(u32::MAX)
        });
        self.alive = 0;
        self.sentences.read(canon);
    }

    /// Moves the phrases on by the words of a text, and tells which rules are whole, and where.
    pub(super) fn grow(
        &mut self,
        set: &RuleSet,
        (canon, hits): (&str, &[LiteralHit]),
        mut whole: impl FnMut(&[u16], Partial),
    ) {
        let (turns, foreign) = (&set.turns, self.sentences.foreign());
        for hit in hits {
            // Of ASCII beside it the literal stage has asked.
            if foreign && continues(set, canon, hit) {
                continue;
            }
            let Some(word) = turns.word(hit.id) else {
                continue;
            };
            let place = Partial {
                start: hit.start.wrapping_add(self.base),
                end: hit.end.wrapping_add(self.base),
            };
            if word.parents & self.alive != 0 {
                for turn in turns.later(word) {
                    if let Some(phrase) = self.goes_on(turn, place) {
                        self.note(turn.place, phrase);
                        self.alive |= bit(turn.place);
                        whole(turns.rules(turn), self.inside(phrase));
                    }
                }
            }
            for alone in turns.whole(word) {
                whole(turns.rules_of(alone), self.inside(place));
                if let Some(first) = alone.place {
                    self.note(first, place);
                }
            }
            for first in turns.first(word) {
                self.note(*first, place);
            }
            self.alive |= word.firsts;
        }
    }

    /// How far a phrase has come with a word, if that stands near behind its last step and in the
    /// same sentence.
    #[inline]
    fn goes_on(&self, turn: &Turn, word: Partial) -> Option<Partial> {
        let before = *self.noted.get(usize::from(turn.parent))?;
        // What stands behind the word is far ahead of it.
        if word.start.wrapping_sub(before.end) > u32::from(turn.gap) {
            return None;
        }
        let ends = |place: u32| self.sentences.before(place.wrapping_sub(self.base));
        let one = ends(word.start) <= ends(before.end.wrapping_add(1));
        one.then_some(Partial {
            start: before.start,
            end: word.end,
        })
    }

    #[inline]
    fn note(&mut self, place: u16, phrase: Partial) {
        if let Some(noted) = self.noted.get_mut(usize::from(place)) {
            *noted = phrase;
        }
    }

    /// A place in all texts as one in this.
    #[inline]
    const fn inside(&self, place: Partial) -> Partial {
        Partial {
            start: place.start.wrapping_sub(self.base),
            end: place.end.wrapping_sub(self.base),
        }
    }
}

/// Whether a literal is a part of a longer word.
fn continues(set: &RuleSet, canon: &str, hit: &LiteralHit) -> bool {
    let Some(literal) = set.literals().get(usize::from(hit.id)) else {
        return true;
    };
    (literal.word_start && joined_before(canon, hit.start))
        || (literal.word_end && joined_after(canon, hit.end))
}

#[cfg(test)]
mod tests {
    use super::{APART, Partial, Phrases};

    /// Where a word at the start of the next text stands behind what was noted last.
    fn distance(phrases: &mut Phrases, next: &str) -> u32 {
        let noted = phrases.noted.first().expect("there is a node").end;
        phrases.begin(next);
        phrases.base.wrapping_sub(noted)
    }

    fn note_end_of(phrases: &mut Phrases, text: &str) {
        phrases.begin(text);
        let end = u32::try_from(text.len()).expect("a short text");
        let end = phrases.base.wrapping_add(end);
        phrases.note(0, Partial { start: end, end });
    }

    #[test]
    fn nothing_noted_in_one_text_is_near_in_the_next() {
        let mut phrases = Phrases::new(1);
        assert!(distance(&mut phrases, "first") >= APART);
        note_end_of(&mut phrases, "ignore all");
        assert!(distance(&mut phrases, "rules") >= APART);
    }

    #[test]
    fn texts_begin_anew_when_their_places_have_run_out() {
        let mut phrases = Phrases::new(1);
        phrases.next = u32::MAX - 2 * APART;
        note_end_of(&mut phrases, "ignore all");
        assert_eq!(phrases.base, u32::MAX - 2 * APART);
        let long = "x".repeat(2 * 256);
        phrases.begin(&long);
        assert_eq!((phrases.base, phrases.next), (APART, 4 * APART));
        let noted = phrases.noted.first().expect("there is a node");
        assert!(phrases.base.wrapping_sub(noted.end) >= APART);
    }
}
