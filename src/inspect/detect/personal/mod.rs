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
mod groups;
mod ident;
mod net;
mod number;
mod phone;
#[cfg(test)]
mod tests;

use super::bytes::{ALNUM, is};
use super::index::{Index, Indexed, Row};
use super::rules::personal::{CRYPTO, RULES};
use super::window::{Edges, Found, Places, Rest, Window};
use super::words::Heard;
use super::{Family, Hit, RuleSet};
use groups::Chain;

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
        let window = Window::new(read.text, edges);
        let mut found = Vec::new();
        let pending = sweep(&window, read.index, &mut found);
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

/// Runs the checkers over every mark; answers the first undecided candidate.
fn sweep(window: &Window<'_>, index: &Index, found: &mut Vec<Found>) -> Option<usize> {
    let mut heard = Heard::new(index);
    let mut chain = Chain::default();
    let mut i = window.from;
    let mut hex_done = 0;
    while let Some(mark) = index.next(Row::personal, i) {
        if let Some(next) = number::inner(window, mark) {
            i = next;
            continue;
        }
        window.fresh();
        let (start, next) = match window.bytes.get(mark) {
            Some(b'@') => {
                let (address, start) = email::check(window, mark);
                found.extend(address);
                (start, mark.saturating_add(1))
            }
            Some(b':') => {
                let (address, start) = net::letters(window, mark);
                found.extend(address);
                (start, mark.saturating_add(1))
            }
            _ => word(
                (window, index),
                mark,
                (&mut heard, &mut chain),
                (&mut hex_done, found),
            ),
        };
        if window.undecided() {
            return Some(start);
        }
        i = next;
    }
    None
}

/// Checks the word around the digit at `mark`; answers where the candidate that
/// reaches furthest back starts, and where to go on.
fn word(
    (window, index): (&Window<'_>, &Index),
    mark: usize,
    (heard, chain): (&mut Heard<'_>, &mut Chain),
    (hex_done, found): (&mut usize, &mut Vec<Found>),
) -> (usize, usize) {
    let in_word = |byte: u8| is(byte, ALNUM);
    let start = mark.wrapping_sub(index.back(Row::alnum, mark).min(WORD));
    let digits = window.digits(mark, WORD);
    let end = if in_word(window.at(digits)) {
        window.run(mark, WORD, in_word)
    } else {
        digits
    };
    if start < window.from || end.saturating_sub(start) >= WORD {
        window.fresh();
        return (start, index.end(Row::alnum, mark));
    }
    let before = window.behind(start);
    let mut reach = start;
    if matches!(before, b'+' | b'(') {
        reach = window.run_back(start, 3, |byte| matches!(byte, b'+' | b'('));
    }
    let length = end.wrapping_sub(start);
    let after = window.at(end);
    // Before the first digit only letters stand in the word.
    if start == mark && end == digits {
        number::check(window, (start, end), (heard, chain), found);
        if length <= 3 && after == b'.' {
            found.extend(net::four(window, start, heard));
        }
        if length == 2 && before == b' ' {
            reach = reach.min(start.saturating_sub(3)).max(window.from);
            found.extend(ident::british_spaced(window, start));
        }
    } else {
        ident::check(window, (start, end), heard, found);
        if crypto::check(window.slice(start, end)) {
            found.push(Found::new(CRYPTO, start, end));
        }
    }
    if length == 8 {
        found.extend(ident::spanish_dashed(window, start, end));
    }
    if start >= *hex_done && (before == b':' || after == b':') {
        let first = net::hex_start(window, start);
        let (address, done) = net::hex(window, first);
        reach = reach.min(first);
        found.extend(address);
        *hex_done = done;
    } else if length == 2 && (before == b'-' || after == b'-') {
        reach = reach.min(window.run_back(start, 15, |b| b.is_ascii_hexdigit() || b == b'-'));
        found.extend(net::dashed(window, start));
    } else if length == 4 && (before == b'.' || after == b'.') {
        reach = reach.min(window.run_back(start, 10, |b| b.is_ascii_hexdigit() || b == b'.'));
        found.extend(net::dotted(window, start));
    }
    (reach.max(window.from), end)
}
