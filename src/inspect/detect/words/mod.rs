//! Which words stand near a candidate, read once and only where a candidate asks.
//!
//! Decides whether a keyword of a topic ("passport", "iban", "api key") stands
//! within reach before a place. Never reads a byte twice, so that a text full of
//! candidates costs one more pass and no more. May miss: keywords after the
//! value, keywords of languages not listed, words longer than 40 bytes.

mod keywords;

use super::index::{Index, Row};
use super::window::Window;
use crate::inspect::sixtyfour::{WIDE, below, zeros};
use keywords::ALL;

/// What a keyword speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Topic {
    /// A telephone, without doubt.
    Phone,
    /// Perhaps a telephone: "call", "contact".
    Call,
    /// Social security or another number of a person at an office.
    Person,
    /// A passport.
    Passport,
    /// A driving licence.
    Licence,
    /// A birthday.
    Birth,
    /// A bank account.
    Account,
    /// Health insurance.
    Health,
    /// Tax.
    Tax,
    /// A version follows, no address.
    Version,
    /// A password: any value may follow.
    Password,
    /// A key, token or other credential: a random value may follow.
    Secret,
}

const TOPICS: usize = 12;
/// Longest word that is looked at; also what must be read before the reach.
const WORD: usize = 40;
/// Words that end further before a candidate don't matter to it.
const OLDEST: usize = Heard::REACH + WORD;

impl Topic {
    const fn index(self) -> usize {
        match self {
            Self::Phone => 0,
            Self::Call => 1,
            Self::Person => 2,
            Self::Passport => 3,
            Self::Licence => 4,
            Self::Birth => 5,
            Self::Account => 6,
            Self::Health => 7,
            Self::Tax => 8,
            Self::Version => 9,
            Self::Password => 10,
            Self::Secret => 11,
        }
    }
}

/// The newest keyword of each topic, up to where the text was read.
#[derive(Debug)]
pub(super) struct Heard<'i> {
    index: &'i Index,
    upto: usize,
    /// Up to there no letter follows.
    quiet: usize,
    /// One past the keyword's end; 0: none yet.
    ends: [usize; TOPICS],
    /// The furthest of these.
    newest: usize,
}

impl<'i> Heard<'i> {
    /// Of a text's index, before anything is read.
    pub(super) const fn new(index: &'i Index) -> Self {
        Self {
            index,
            upto: 0,
            quiet: 0,
            ends: [0; TOPICS],
            newest: 0,
        }
    }

    /// The furthest that a keyword may stand before a candidate.
    pub(super) const REACH: usize = 64;

    /// Whether a keyword of `topic` ends at most `reach` bytes before `place`.
    /// Places must not go backwards.
    #[inline]
    pub(super) fn near(
        &mut self,
        window: &Window<'_>,
        topic: Topic,
        place: usize,
        reach: usize,
    ) -> bool {
        self.advance(window, place);
        let end = self.ends.get(topic.index()).copied().unwrap_or(0);
        is_near(end, place, reach)
    }

    /// Whether a keyword of any topic is [`near`](Self::near).
    #[inline]
    pub(super) fn any(&mut self, window: &Window<'_>, place: usize) -> bool {
        self.advance(window, place);
        is_near(self.newest, place, Self::REACH)
    }

    #[inline]
    fn advance(&mut self, window: &Window<'_>, place: usize) {
        if place > self.upto {
            if place > self.quiet {
                self.read(window, place);
            }
            self.upto = place;
        }
    }

    fn read(&mut self, window: &Window<'_>, place: usize) {
        let oldest = place.saturating_sub(OLDEST);
        let mut i = self.upto;
        if oldest > i {
            // A word cut here is too far away to matter.
            i = self.index.end(Row::script, oldest).min(place);
        }
        let seen = i.max(self.quiet);
        let next = self.index.next(Row::script, seen);
        self.quiet = next.unwrap_or(window.bytes.len());
        if place <= self.quiet {
            return;
        }
        while i < place {
            i = self.words(window, i, place);
        }
    }

    /// Reads the words of the next sixty-four bytes before `place`; where to go on, which is before
    /// a word that they don't have the end of.
    fn words(&mut self, window: &Window<'_>, from: usize, place: usize) -> usize {
        let left = place.wrapping_sub(from);
        let all = self.index.bits(Row::script, from) & below(left);
        // A letter alone is no keyword.
        let mut words = all & (all << 1 | all >> 1 | 1 << 63);
        while words != 0 {
            let start = zeros(words);
            let end = start.wrapping_add(zeros(!(words >> start)));
            if end == WIDE && left > WIDE {
                return match start {
                    // Longer than any keyword.
                    0 => self.index.end(Row::script, from).min(place),
                    start => from.wrapping_add(start),
                };
            }
            let end_of_word = from.wrapping_add(end);
            let letters = window.slice(from.wrapping_add(start), end_of_word);
            if ALL.may_be(letters) {
                self.word(letters, end_of_word);
            }
            words &= !below(end);
        }
        from.wrapping_add(left.min(WIDE))
    }

    fn word(&mut self, letters: &[u8], end: usize) {
        let mut lower = [0_u8; WORD];
        for (to, from) in lower.iter_mut().zip(letters) {
            *to = from.to_ascii_lowercase();
        }
        let word = lower.get(..letters.len()).unwrap_or_default();
        for topic in [ALL.topic(word), ALL.credential(word)]
            .into_iter()
            .flatten()
        {
            if let Some(place) = self.ends.get_mut(topic.index()) {
                *place = end;
                self.newest = end;
            }
        }
    }
}

/// Whether a keyword that ends before `end`, which is 0 if there is none, stands within reach.
#[inline]
fn is_near(end: usize, place: usize, reach: usize) -> bool {
    end != 0
        && place
            .checked_sub(end)
            .is_some_and(|gap| gap <= reach.min(Heard::REACH))
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::arithmetic_side_effects,
        reason = "a wrong place must fail the test"
    )]

    use proptest::prelude::*;

    use super::{ALL, Heard, Topic, WORD};
    use crate::inspect::detect::index::Index;
    use crate::inspect::detect::window::{Edges, Window};

    const TOPICS: [Topic; 4] = [Topic::Phone, Topic::Person, Topic::Secret, Topic::Password];

    fn is_letter(byte: u8) -> bool {
        byte.is_ascii_alphabetic() || !byte.is_ascii()
    }

    /// Whether a word of a topic stands there, read letter by letter.
    fn plainly(bytes: &[u8], topic: Topic, place: usize, reach: usize) -> bool {
        (place.saturating_sub(reach)..=place).any(|end| {
            let (before, behind) = bytes.split_at(end);
            let letters = before.iter().rev().take_while(|byte| is_letter(**byte));
            let word = before
                .split_at(end - letters.count())
                .1
                .to_ascii_lowercase();
            let whole = end == place || !behind.first().is_some_and(|byte| is_letter(*byte));
            let of = [ALL.topic(&word), ALL.credential(&word)];
            whole && word.len() <= WORD && of.contains(&Some(topic))
        })
    }

    proptest! {
        #[test]
        fn keywords_are_heard_wherever_they_stand(
            parts in prop::collection::vec(prop_oneof![
                "phone|SSN|tel|ph|Password|api|key|token|téléphone|телефон",
                "[a-c]{1,3}|[a-z]{30,80}|é{1,20}",
                "[ -~]{0,9}|[0-9._=:]{1,70}| {1,5}",
            ], 0..30),
            reach in 0_usize..80,
        ) {
            let text = parts.concat() + "7";
            let (bytes, mut index) = (text.as_bytes(), Index::default());
            let read = index.read(&text, 0);
            let window = Window::new(&text, Edges::WHOLE);
            let mut heard = Heard::new(read.index);
            // Values are words of their own.
            let starts = (1..bytes.len()).filter(|at| !is_letter(bytes[at - 1]));
            for place in starts {
                for topic in TOPICS {
                    let near = heard.near(&window, topic, place, reach);
                    let plain = plainly(bytes, topic, place, reach.min(Heard::REACH));
                    prop_assert_eq!(near, plain, "{:?} before {} of {:?}", topic, place, text);
                }
            }
        }
    }
}
