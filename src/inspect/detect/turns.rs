//! What each literal does where it stands: steps of phrases, and rules that are whole with it.
//!
//! Decides in which order that is done, and lays it out so that a word which does nothing here costs
//! next to nothing: most words of a phrase stand where nothing went before them. Never looks at a
//! text.

use super::set::{Node, RuleFault};

/// One thing that a literal does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Wake {
    /// It is this step of a phrase.
    Step(u16),
    /// It is all that this rule wants.
    Rule(u16),
}

/// A step behind another one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turn {
    /// Where the phrase is noted so far: the place of its node.
    pub(super) place: u16,
    /// Where the step before it is noted.
    pub(super) parent: u16,
    /// Bytes allowed between the step before and this one.
    pub(super) gap: u8,
    rules: Part,
}

/// Rules that are whole with a word alone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Whole {
    /// Where it is noted, if it is the first step of a phrase, too.
    pub(super) place: Option<u16>,
    rules: Part,
}

/// A part of a list: where it begins, and how many it has.
#[derive(Clone, Copy, Debug, Default)]
struct Part {
    from: u32,
    count: u16,
}

impl Part {
    fn of<T>(self, list: &[T]) -> &[T] {
        let from = usize::try_from(self.from).unwrap_or(usize::MAX);
        let to = from.saturating_add(usize::from(self.count));
        list.get(from..to).unwrap_or_default()
    }

    /// The end of a list, from where it was so long.
    fn behind<T>(list: &[T], from: usize) -> Result<Self, RuleFault> {
        let count = list.len().saturating_sub(from);
        Ok(Self {
            from: u32::try_from(from).map_err(|_too_long| RuleFault::TooMany)?,
            count: u16::try_from(count).map_err(|_too_many| RuleFault::TooMany)?,
        })
    }
}

/// What one literal does.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word {
    /// Bits of the steps that its steps may go on from: see [`bit`].
    pub(super) parents: u64,
    /// Bits of the first steps that it is.
    pub(super) firsts: u64,
    later: Part,
    first: Part,
    whole: Part,
}

/// The bit that tells, with those of one in sixty-four others, that a step has been noted.
#[inline]
pub(super) fn bit(place: u16) -> u64 {
    1 << (place & 63)
}

/// What all literals do.
#[derive(Debug, Default)]
pub(super) struct Turns {
    words: Vec<Word>,
    later: Vec<Turn>,
    first: Vec<u16>,
    whole: Vec<Whole>,
    rules: Vec<u16>,
}

impl Turns {
    /// Appends what the next literal does, in the order in which it is to be done.
    pub(super) fn push(&mut self, wakes: &[Wake], nodes: &[Node]) -> Result<(), RuleFault> {
        let (later, first, whole) = (self.later.len(), self.first.len(), self.whole.len());
        let (mut parents, mut firsts) = (0, 0);
        for wake in wakes {
            let (rules, step) = match wake {
                Wake::Step(place) => {
                    let node = nodes.get(usize::from(*place));
                    let rules = node.map_or(&[][..], |node| &node.rules);
                    (rules, Some(*place).zip(node))
                }
                Wake::Rule(rule) => (std::slice::from_ref(rule), None),
            };
            let known = self.rules.len();
            self.rules.extend_from_slice(rules);
            let rules = Part::behind(&self.rules, known)?;
            let Some((place, node)) = step else {
                self.whole.push(Whole { place: None, rules });
                continue;
            };
            if let Some(parent) = node.parent {
                parents |= bit(parent);
                self.later.push(Turn {
                    place,
                    parent,
                    gap: node.gap,
                    rules,
                });
                continue;
            }
            firsts |= bit(place);
            if rules.count == 0 {
                self.first.push(place);
            } else {
                let place = Some(place);
                self.whole.push(Whole { place, rules });
            }
        }
        self.words.push(Word {
            parents,
            firsts,
            later: Part::behind(&self.later, later)?,
            first: Part::behind(&self.first, first)?,
            whole: Part::behind(&self.whole, whole)?,
        });
        Ok(())
    }

    /// What a literal does, by its place.
    #[inline]
    pub(super) fn word(&self, literal: u16) -> Option<&Word> {
        self.words.get(usize::from(literal))
    }

    /// The steps behind others that a word is, those that come last in their phrases before the
    /// others: one word must not be two steps of a phrase.
    #[inline]
    pub(super) fn later(&self, word: &Word) -> &[Turn] {
        word.later.of(&self.later)
    }

    /// The first steps with which no rule is whole.
    #[inline]
    pub(super) fn first(&self, word: &Word) -> &[u16] {
        word.first.of(&self.first)
    }

    /// What is whole with the word alone.
    #[inline]
    pub(super) fn whole(&self, word: &Word) -> &[Whole] {
        word.whole.of(&self.whole)
    }

    /// The rules that are whole with a step behind others.
    #[inline]
    pub(super) fn rules(&self, turn: &Turn) -> &[u16] {
        turn.rules.of(&self.rules)
    }

    /// Those that are whole with a word alone.
    pub(super) fn rules_of(&self, whole: &Whole) -> &[u16] {
        whole.rules.of(&self.rules)
    }
}
