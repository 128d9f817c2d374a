//! Personal data in plain text, by exact range.
//!
//! Decides where e-mail addresses, telephone, card, account, social security and
//! other personal numbers, network and crypto-currency addresses stand. One pass
//! finds digits, `@` and `:`; hand-written checkers look around each. Shapes with a
//! check digit stand alone; weak shapes need a keyword up to 40 bytes before them.
//! Works on the text as it is, not on the canonical form, because it is masked.
//! Never claims names, places or streets: patterns can't tell them.
//! May miss: numbers spelled out or spaced oddly, digits of other scripts, and all
//! that the checkers' own pages name. The month's name before a date of birth
//! stays. Linear: every byte is read a bounded number of times.

mod checks;
mod crypto;
mod email;
mod gate;
mod groups;
mod ident;
mod idle;
mod net;
mod number;
mod phone;
#[cfg(test)]
mod tests;

use super::index::{Index, Indexed};
use super::rules::personal::{CREDIT_CARD, CRYPTO, RULES};
use super::window::{Edges, Found, Places, Rest, Window};
use super::words::Heard;
use super::{Family, Hit, RuleSet};
use crate::inspect::sixtyfour::{WIDE, zeros};
use gate::{Behind, Three, Word};
use groups::Chain;

/// No word or mark that the gate passes over looks further ahead.
const EDGE: usize = 128;

/// Longer words of letters and digits are no identifier of any kind.
const WORD: usize = 64;

/// The personal-data detector of one rule set.
#[derive(Clone, Debug)]
pub struct Personal {
    places: Places,
}

impl Personal {
    /// Takes over which rules are on.
    pub fn compile(set: &RuleSet) -> Self {
        Self {
            places: Places::compile(Family::Pii, RULES, set),
        }
    }

    /// Appends what is found in the undecided part of `text`, in order, without
    /// overlaps, and says what the next block must see again.
    pub fn find(&self, read: Indexed<'_>, edges: Edges, out: &mut Vec<Hit>) -> Rest {
        self.look((read, edges), false, out)
    }

    /// The same, with a look at `every` word and mark or at those alone that the gate wakes.
    fn look(&self, (read, edges): (Indexed<'_>, Edges), every: bool, out: &mut Vec<Hit>) -> Rest {
        let window = Window::new(read.text, edges);
        let mut found = Vec::new();
        // What the gate passes over may be undecided near the edge.
        let edge = if every { 0 } else { window.edge(EDGE) };
        let places = (!every).then_some(&self.places);
        let pending = sweep((&window, read.index, places), edge, &mut found);
        let from = window.close(pending, &mut found);
        self.places.settle(&mut found, out);
        Rest {
            from: u32::try_from(from).unwrap_or(u32::MAX),
            open: None,
        }
    }

    /// Where the part of a live text starts that could still become or extend a
    /// find when more comes: an unfinished word, a number, an address. After a
    /// blank behind a plain word that is the text's end.
    pub fn hold_from(&self, text: &str) -> usize {
        let mut unused = Vec::new();
        let edges = Edges {
            ends_string: false,
            ..Edges::WHOLE
        };
        let mut index = Index::default();
        let rest = self.find(index.read(text, 0), edges, &mut unused);
        usize::try_from(rest.from).unwrap_or(usize::MAX)
    }
}

/// Runs the checkers over every mark that may be one of something, and over all from the row with
/// `edge` on; answers the first undecided candidate. With `places`, which tell what rules are on,
/// numbers inside of a find that can be nothing that reaches out of it are passed over.
fn sweep(
    (window, index, places): (&Window<'_>, &Index, Option<&Places>),
    edge: usize,
    found: &mut Vec<Found>,
) -> Option<usize> {
    let mut sweep = Sweep {
        window,
        index,
        places,
        cards: places.is_some_and(|places| places.ix(CREDIT_CARD).is_some()),
        heard: Heard::new(index),
        chain: Chain::default(),
        hex_done: 0,
        inside: 0,
        found,
    };
    let first = window.from / WIDE;
    let mut rows = Three::at(index, first);
    let mut cut = rows.cut();
    for row in first..=index.rows() {
        let base = row.wrapping_mul(WIDE);
        let mut awake = rows.awake(&mut cut);
        if base.saturating_add(WIDE) > edge {
            awake = rows.all();
        }
        let words = awake.perhaps | awake.surely;
        let mut places = words | awake.marks;
        if row == first {
            places &= u64::MAX << (window.from % WIDE);
        }
        while places != 0 {
            let n = zeros(places);
            let is = |bits: u64| bits >> n & 1 == 1;
            places &= places.wrapping_sub(1);
            let place = base.wrapping_add(n);
            if is(words) {
                let (word, behind) = (rows.word(n), rows.beyond(n));
                let small = || sweep.has_small(place, word);
                if (is(awake.surely) || word.may_be(&behind, small))
                    && let Some(start) = sweep.word(place, (word, &behind))
                {
                    return Some(start);
                }
            }
            if is(awake.marks)
                && let Some(start) = sweep.mark(place)
            {
                return Some(start);
            }
        }
        rows = rows.step(index, row.wrapping_add(2));
    }
    None
}

/// A pass over one block.
struct Sweep<'w, 't> {
    window: &'w Window<'t>,
    index: &'w Index,
    places: Option<&'w Places>,
    cards: bool,
    heard: Heard<'w>,
    chain: Chain,
    hex_done: usize,
    /// Up to there a find has all digits that stand behind each other.
    inside: usize,
    found: &'w mut Vec<Found>,
}

impl Sweep<'_, '_> {
    /// Checks the `@` or `:` at a place; answers where it starts if that is undecided.
    fn mark(&mut self, place: usize) -> Option<usize> {
        let window = self.window;
        window.fresh();
        let (found, start) = match window.bytes.get(place)? {
            b'@' if email::unlike(window, self.index, place) => return None,
            b'@' => email::check(window, place),
            _ => net::letters(window, place),
        };
        self.found.extend(found);
        window.undecided().then_some(start)
    }

    /// Whether the word that ends before `end` has small letters.
    #[inline]
    fn has_small(&self, end: usize, word: Word) -> bool {
        let bytes = self.window.slice(end.wrapping_sub(word.length), end);
        bytes.iter().any(u8::is_ascii_lowercase)
    }

    /// Checks the word with a digit that ends before `end`; answers where the candidate that
    /// reaches furthest back starts if it is undecided.
    fn word(&mut self, end: usize, (word, behind): (Word, &Behind)) -> Option<usize> {
        let window = self.window;
        let start = end.wrapping_sub(word.length);
        if start < window.from || word.length >= WORD {
            return None;
        }
        if end <= self.inside && word.is_number() && self.is_part((start, end)) {
            return None;
        }
        let mut number = word.is_number();
        if number && self.places.is_some() {
            if start < self.hex_done && self.is_between_colons((start, end)) {
                return None;
            }
            number = !idle::begins_nothing(window, (start, end), behind)
                || (number::free_before(window, start) && self.heard.any(window, start));
            if !number && idle::stands_alone(window, self.index, (start, end)) {
                return None;
            }
        }
        window.fresh();
        let start = self.check((start, end), word.is_number(), number);
        window.undecided().then_some(start)
    }

    /// Whether the number, which is a group of those that a find has all of, can be nothing that
    /// reaches further than the find: of finds within another nothing is seen.
    fn is_part(&self, (start, end): (usize, usize)) -> bool {
        let (before, after) = (self.window.behind(start), self.window.at(end));
        let beside = |byte: u8| before == byte || after == byte;
        match end.wrapping_sub(start) {
            2 => !beside(b'-') && !beside(b':'),
            4 => !beside(b'.') && !beside(b':'),
            8 => after != b'-' && !beside(b':'),
            _ => !beside(b':'),
        }
    }

    /// Whether nothing but an address may have the number.
    fn is_between_colons(&self, (start, end): (usize, usize)) -> bool {
        let short = end.wrapping_sub(start) < 7;
        short && self.window.behind(start) == b':' && self.window.at(end) == b':'
    }

    /// Up to where the finds from `known` on have all digits that stand behind each other.
    fn inside(&self, known: usize) -> Option<usize> {
        let places = self.places?;
        let last = self.chain.last()?;
        let reach = phone::ends(self.window, last)?;
        let found = self.found.get(known..)?.iter();
        let mut on = found.filter(|found| places.ix(found.row).is_some());
        on.any(|found| found.end >= reach).then_some(last)
    }

    /// Checks the word at `start..end`, which is `digits` or letters and digits, and as digits may
    /// begin a `number`; answers where the candidate that reaches furthest back starts.
    fn check(&mut self, (start, end): (usize, usize), digits: bool, number: bool) -> usize {
        let window = self.window;
        let before = window.behind(start);
        let mut reach = start;
        if matches!(before, b'+' | b'(') {
            reach = window.run_back(start, 3, |byte| matches!(byte, b'+' | b'('));
        }
        let length = end.wrapping_sub(start);
        let after = window.at(end);
        if number {
            let near = (&mut self.heard, &mut self.chain, self.cards);
            let known = self.found.len();
            number::check(window, (start, end), near, self.found);
            if self.found.len() > known
                && let Some(inside) = self.inside(known)
            {
                self.inside = inside;
            }
        }
        if digits {
            if length <= 3 && after == b'.' && !net::unlike_four(window, self.index, start) {
                self.found.extend(net::four(window, start, &mut self.heard));
            }
            if length == 2 && before == b' ' {
                reach = reach.min(start.saturating_sub(3)).max(window.from);
                self.found.extend(ident::british_spaced(window, start));
            }
        } else {
            ident::check(window, (start, end), &mut self.heard, self.found);
            if crypto::check(window.slice(start, end)) {
                self.found.push(Found::new(CRYPTO, start, end));
            }
        }
        if length == 8 {
            self.found.extend(ident::spanish_dashed(window, start, end));
        }
        let mut coloned = start >= self.hex_done && (before == b':' || after == b':');
        if coloned && let Some(done) = net::unlike_six(window, self.index, start) {
            self.hex_done = done;
            coloned = false;
        }
        if coloned {
            let first = net::hex_start(window, start);
            let (address, done) = net::hex(window, first);
            reach = reach.min(first);
            self.found.extend(address);
            self.hex_done = done;
        }
        if length == 2 && (before == b'-' || after == b'-') {
            reach = reach.min(window.run_back(start, 15, |b| b.is_ascii_hexdigit() || b == b'-'));
            self.found.extend(net::dashed(window, start));
        } else if length == 4 && (before == b'.' || after == b'.') {
            reach = reach.min(window.run_back(start, 10, |b| b.is_ascii_hexdigit() || b == b'.'));
            self.found.extend(net::dotted(window, start));
        }
        reach.max(window.from)
    }
}
