//! Builds an automaton from literals: byte classes, trie, failure links, numbering.
//!
//! Decides which bytes share a class. Never guesses: where a shared class makes a literal's path
//! ambiguous, the literal is marked and compared byte for byte at each candidate.
//!
//! The automaton has two roots. Nearly all literals begin where a word begins, so inside of a word
//! it waits in the second, from which they can't be reached: most steps through ordinary text then
//! read one row, and no state is met for a word that only ends as a literal does.

use super::automaton::{Automaton, LOUD, Output, Row, WIDTH, continuing, is_word};
use super::{Literal, ScanError};
use std::collections::VecDeque;

/// Classes that rare bytes share once a set needs more than the table is wide: so many for bytes of
/// words, and as many for others.
const SHARED: usize = 2;

/// Bytes of a literal whose states stand with those of others: what ordinary text visits.
const SHALLOW: usize = 5;

/// Where a literal can begin, and where the text and every lane do.
const ROOT: u16 = 0;

/// Behind a byte of a word, where only literals can begin that need no word's start.
const INSIDE: u16 = 1;

/// The automaton of a set, or none for an empty set.
pub(super) fn automaton(literals: &[&Literal<'_>]) -> Result<Option<Automaton>, ScanError> {
    if literals.is_empty() {
        return Ok(None);
    }
    let Classes { of, own, words } = classes(literals);
    let mut trie = Trie::new(words);
    let mut bytes = Vec::new();
    for literal in literals {
        let folded = literal.bytes.to_ascii_lowercase();
        let compare = !folded.iter().all(|&byte| at(&own, byte));
        let output = Output {
            id: literal.id,
            len: u8::try_from(folded.len()).unwrap_or(u8::MAX),
            compare,
            from: u32::try_from(bytes.len()).unwrap_or(u32::MAX),
            not_before: edge(literal.word_start, folded.first()),
            not_after: edge(literal.word_end, folded.last()),
        };
        let path = || folded.iter().map(|&byte| at(&of, byte));
        let state = trie.insert(ROOT, path())?;
        trie.output(state, output);
        // Other bytes lead out of a word, and so from both roots to the same.
        if !literal.word_start && folded.first().is_some_and(|&byte| is_word(byte)) {
            let state = trie.insert(INSIDE, path())?;
            trie.output(state, output);
        }
        bytes.extend_from_slice(&folded);
    }
    let order = trie.order();
    trie.link();
    trie.number(&order, of, bytes).map(Some)
}

/// Kinds of neighbours that an edge of a literal forbids.
fn edge(bound: bool, byte: Option<&u8>) -> u8 {
    byte.filter(|_| bound).copied().map_or(0, continuing)
}

fn at<T: Copy + Default>(table: &[T; 256], byte: u8) -> T {
    table.get(usize::from(byte)).copied().unwrap_or_default()
}

/// What is known of each byte.
struct Classes {
    /// Its class.
    of: [u8; 256],
    /// Whether it has that class to itself (but for its other case).
    own: [bool; 256],
    /// By class: whether its bytes are those of words. No class has both kinds.
    words: [bool; WIDTH],
}

/// Class 0 is every byte no literal holds, but for those of words. The commonest bytes of the
/// literals get a class each, so that ambiguity falls on rare punctuation.
fn classes(literals: &[&Literal<'_>]) -> Classes {
    let mut counts = [0_u32; 256];
    for byte in literals.iter().flat_map(|literal| literal.bytes) {
        if let Some(count) = counts.get_mut(usize::from(byte.to_ascii_lowercase())) {
            *count = count.saturating_add(1);
        }
    }
    let mut ranked: Vec<(u32, u8)> = (0..=u8::MAX)
        .map(|byte| (at(&counts, byte), byte))
        .collect();
    ranked.retain(|&(count, _)| count > 0);
    ranked.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    // All but class 0, and the first one that bytes of words share.
    let free = WIDTH.saturating_sub(2);
    let single = if ranked.len() > free {
        free.saturating_add(1).saturating_sub(2 * SHARED)
    } else {
        ranked.len()
    };
    let shared = |byte: u8, rank: usize| {
        let others = if is_word(byte) { 0 } else { SHARED };
        let among = rank.checked_rem(SHARED).unwrap_or(0);
        single.saturating_add(others).saturating_add(among)
    };
    let mut classes = Classes {
        of: [0; 256],
        own: [true; 256],
        words: [false; WIDTH],
    };
    for byte in (0..=u8::MAX).filter(|&byte| is_word(byte)) {
        classes.set(byte, shared(byte, 0), false);
    }
    for (rank, &(_, byte)) in ranked.iter().enumerate() {
        let alone = rank < single;
        let class = if alone { rank } else { shared(byte, rank) };
        for case in [byte, byte.to_ascii_uppercase()] {
            classes.set(case, class, alone);
        }
    }
    classes
}

impl Classes {
    /// Gives a byte the class after this one: 0 has no literal's.
    fn set(&mut self, byte: u8, class: usize, own: bool) {
        let class = class.saturating_add(1);
        if let Some(slot) = self.of.get_mut(usize::from(byte)) {
            *slot = u8::try_from(class).unwrap_or(0);
        }
        if let Some(slot) = self.own.get_mut(usize::from(byte)) {
            *slot = own;
        }
        if let Some(slot) = self.words.get_mut(class) {
            *slot |= is_word(byte);
        }
    }
}

/// The trees of class strings, later closed into a complete automaton. The first two states are the
/// roots; a 0 in an unlinked row is "no child", as no step leads down to a root.
struct Trie {
    rows: Vec<Row>,
    outputs: Vec<Vec<Output>>,
    words: [bool; WIDTH],
}

impl Trie {
    fn new(words: [bool; WIDTH]) -> Self {
        Self {
            rows: vec![[0; WIDTH]; 2],
            outputs: vec![Vec::new(); 2],
            words,
        }
    }

    /// The state at the end of a path from a root.
    fn insert(&mut self, root: u16, path: impl Iterator<Item = u8>) -> Result<u16, ScanError> {
        let mut state = root;
        for class in path {
            let fresh = u16::try_from(self.rows.len())
                .map_err(|_too_many| ScanError::TooMany { limit: LOUD })?;
            let Some(slot) = slot(&mut self.rows, state, class) else {
                continue;
            };
            if *slot == 0 {
                *slot = fresh;
                self.rows.push([0; WIDTH]);
                self.outputs.push(Vec::new());
                state = fresh;
            } else {
                state = *slot;
            }
        }
        Ok(state)
    }

    fn output(&mut self, state: u16, output: Output) {
        if let Some(list) = self.outputs.get_mut(usize::from(state)) {
            list.push(output);
        }
    }

    /// All states, before they are linked: the shallow ones first, level by level, as ordinary text
    /// visits little else, and so few pages; then the rest of each literal in one row, which the
    /// processor has fetched by the time that text made of literals gets there.
    fn order(&self) -> Vec<u16> {
        let below = |state: &u16| {
            let row = self.rows.get(usize::from(*state));
            let row = row.into_iter().flatten().rev();
            row.copied().filter(|&step| step != 0)
        };
        let mut order = Vec::with_capacity(self.rows.len());
        let mut level = vec![INSIDE, ROOT];
        for _ in 0..SHALLOW {
            order.extend(level.iter().rev());
            level = level.iter().flat_map(below).collect();
        }
        while let Some(state) = level.pop() {
            order.push(state);
            level.extend(below(&state));
        }
        order
    }

    /// Breadth first: a state's missing steps are those of its longest proper suffix, which is
    /// shallower and so already complete; its outputs are added to the state's own.
    fn link(&mut self) {
        let mut queue = VecDeque::from([(ROOT, ROOT), (INSIDE, INSIDE)]);
        while let Some((state, suffix)) = queue.pop_front() {
            if state > INSIDE {
                let inherited = self
                    .outputs
                    .get(usize::from(suffix))
                    .cloned()
                    .unwrap_or_default();
                if let Some(list) = self.outputs.get_mut(usize::from(state)) {
                    list.extend(inherited);
                }
            }
            for class in 0..WIDTH {
                let word = self.words.get(class).copied().unwrap_or(false);
                let class = u8::try_from(class).unwrap_or(0);
                // What is left of a literal's first byte is where the text stands behind it.
                let fallback = if state > INSIDE {
                    self.step(suffix, class)
                } else if word {
                    INSIDE
                } else {
                    ROOT
                };
                let shared = if state == INSIDE && !word {
                    self.step(ROOT, class)
                } else {
                    ROOT
                };
                match slot(&mut self.rows, state, class) {
                    Some(step) if *step == 0 && shared != ROOT => *step = shared,
                    Some(step) if *step == 0 => *step = fallback,
                    Some(step) => queue.push_back((*step, fallback)),
                    None => {}
                }
            }
        }
    }

    fn step(&self, state: u16, class: u8) -> u16 {
        let row = self.rows.get(usize::from(state));
        row.and_then(|row| row.get(usize::from(class)))
            .copied()
            .unwrap_or(0)
    }

    /// Numbers the states with outputs apart from those without, both in the order given.
    fn number(
        self,
        order: &[u16],
        classes: [u8; 256],
        bytes: Vec<u8>,
    ) -> Result<Automaton, ScanError> {
        let Self {
            rows, mut outputs, ..
        } = self;
        let (loud, quiet): (Vec<u16>, Vec<u16>) = order.iter().partition(|&&state| {
            outputs
                .get(usize::from(state))
                .is_some_and(|list| !list.is_empty())
        });
        let too_many = ScanError::TooMany { limit: LOUD };
        if loud.len().max(quiet.len()) > LOUD {
            return Err(too_many);
        }
        let mut names = vec![0_u16; rows.len()];
        for (name, &old) in (0_u16..).zip(&quiet).chain((1 << 15..).zip(&loud)) {
            if let Some(slot) = names.get_mut(usize::from(old)) {
                *slot = name;
            }
        }
        let rename = |state: u16| names.get(usize::from(state)).copied().unwrap_or(0);
        let row = |old: u16| rows.get(usize::from(old)).map(|row| row.map(rename));
        let quiet: Vec<Row> = quiet.into_iter().filter_map(row).collect();
        let loud: Vec<(Row, Vec<Output>)> = loud
            .into_iter()
            .filter_map(|old| {
                Some((
                    row(old)?,
                    std::mem::take(outputs.get_mut(usize::from(old))?),
                ))
            })
            .collect();
        Automaton::new(&quiet, loud, classes, bytes).ok_or(too_many)
    }
}

fn slot(rows: &mut [Row], state: u16, class: u8) -> Option<&mut u16> {
    rows.get_mut(usize::from(state))?
        .get_mut(usize::from(class))
}
