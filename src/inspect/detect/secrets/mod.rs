//! Secrets in plain text, by exact range.
//!
//! Decides where keys, tokens, passwords and private keys stand. One pass finds
//! digits, `_`, `-`, `=` and `:`; around each a hand-written checker looks for a
//! known prefix, a known shape, a name that promises a secret, or a random word
//! near a keyword. Works on the text as it is, because it is masked.
//! Never reports hashes, UUIDs, versions or base64 without such a sign.
//! Never asks a vendor whether a key is live. May miss: unknown vendors' keys far
//! from any keyword, passwords of letters only, a short key of letters only, keys
//! split by blanks. Linear: every byte is read a bounded number of times.

mod address;
mod assign;
mod chance;
#[cfg(test)]
mod tests;
mod token;

use super::bytes::{ALNUM, BASE64, DIGIT, DOT, JOINT, is, kind, leading, next_mark, values};
use super::rules::secrets::{PRIVATE_KEY, RULES, SHORTEST};
use super::window::{Body, Edges, Found, Open, PENDING, Places, Rest, Window};
use super::words::Heard;
use super::{Family, Hit, RuleSet};
use crate::each_byte::each_byte;
use token::Prefixes;

/// Bytes before a word's first mark in which the word may have begun.
const LEAD: usize = 64;

/// Bytes of such a word's dotted prefix (`dp.st.dev.`), less than the lead.
const DOTTED: usize = 32;

/// What wakes a checker: of `0` to `:` all but the last are digits.
const fn is_mark(byte: u8) -> bool {
    matches!(byte, b'0'..=b':' | b'=' | b'_' | b'-')
}

const MARKS: [bool; 256] = each_byte!(byte => is_mark(byte));

/// The secrets detector of one rule set.
#[derive(Clone, Debug)]
pub struct Secrets {
    places: Places,
    prefixes: Prefixes,
}

/// The first undecided candidate, and what it is if it can't wait: so far, up to the edge.
#[derive(Clone, Copy, Debug)]
struct Pending {
    start: usize,
    so_far: Option<(Found, Body)>,
}

impl Secrets {
    /// Takes over which rules are on.
    pub fn compile(set: &RuleSet) -> Self {
        Self {
            places: Places::compile(Family::Secrets, RULES, set),
            prefixes: Prefixes::compile(),
        }
    }

    /// Appends what is found in the undecided part of `text`, in order, without
    /// overlaps, and says what the next block must see again. A value too long to
    /// wait is cut at the edge and goes on in the next block ([`Rest::open`]).
    pub fn find(&self, text: &str, edges: Edges, out: &mut Vec<Hit>) -> Rest {
        let mut window = Window::new(text, edges);
        let mut found = Vec::new();
        if let Some(rest) = self.resume(&mut window, edges.open, &mut found) {
            self.places.settle(&mut found, out);
            return rest;
        }
        let pending = self.sweep(&window, &mut found);
        let waits = |pending: &Pending| text.len().saturating_sub(pending.start) <= PENDING;
        let (mut from, mut cut) = (text.len(), pending);
        if pending.as_ref().is_none_or(waits) {
            from = window.close(pending.map(|pending| pending.start), &mut found);
            // What was found before it reaches so far back that both together can't wait.
            cut = pending.filter(|pending| pending.start < from);
        }
        let open = cut.and_then(|pending| pending.so_far).map(|(hit, body)| {
            found.push(hit);
            from = text.len();
            (hit.row, body)
        });
        self.places.settle(&mut found, out);
        Rest {
            from: u32::try_from(from).unwrap_or(u32::MAX),
            open: open.and_then(|(row, body)| {
                let rule = self.places.ix(row)?;
                Some(Open { rule, body })
            }),
        }
    }

    /// Where the part of a live text starts that could still become or extend a
    /// find when more comes.
    pub fn hold_from(&self, text: &str) -> usize {
        let mut unused = Vec::new();
        let edges = Edges {
            ends_string: false,
            ..Edges::WHOLE
        };
        let rest = self.find(text, edges, &mut unused);
        usize::try_from(rest.from).unwrap_or(usize::MAX)
    }

    /// Goes on with a value that the block before cut; answers if it fills this one.
    fn resume(
        &self,
        window: &mut Window<'_>,
        open: Option<Open>,
        found: &mut Vec<Found>,
    ) -> Option<Rest> {
        let open = open?;
        let row = self.places.row(open.rule)?;
        let start = window.from;
        let end = match open.body {
            Body::Token if row == PRIVATE_KEY => token::block_body(window, start, token::HEADED).0,
            Body::Token => window.run(start, usize::MAX, |byte| {
                byte.is_ascii_alphanumeric()
                    || matches!(byte, b'_' | b'-' | b'.' | b'+' | b'/' | b'=')
            }),
            Body::Value { key, quoted } => assign::rest(window, start, key, quoted),
        };
        let end = end.min(window.bytes.len());
        if end > start {
            found.push(Found::new(row, start, end));
        }
        window.from = end;
        (window.undecided() && end == window.bytes.len()).then(|| Rest {
            from: u32::try_from(end).unwrap_or(u32::MAX),
            open: Some(open),
        })
    }

    fn sweep(&self, window: &Window<'_>, found: &mut Vec<Found>) -> Option<Pending> {
        let mut heard = Heard::default();
        let mut i = window.from;
        while let Some(mark) = next_mark(window.bytes, i, &MARKS, is_mark) {
            let sign = window.bytes.get(mark).copied().unwrap_or(0);
            let nothing = match sign {
                b'=' | b':' => Self::counts(window, mark),
                b'_' | b'-' => Self::short(window, mark),
                _ => Self::number(window, mark).or_else(|| Self::short(window, mark)),
            };
            if let Some(next) = nothing {
                i = next;
                continue;
            }
            window.fresh();
            let mut body = Body::Token;
            let (hit, start, next) = if matches!(sign, b'=' | b':') {
                let url = sign == b':' && window.at(mark.saturating_add(1)) == b'/';
                let hit = if url && window.at(mark.saturating_add(2)) == b'/' {
                    address::url(window, mark)
                } else {
                    let assigned = assign::check(window, mark);
                    assigned.map(|(hit, of)| {
                        body = of;
                        hit
                    })
                };
                (hit, mark, assign::next(mark, hit))
            } else {
                let told = self.word(window, mark, &mut heard);
                body = told.0.map_or(body, |hit| address::body(window, &hit));
                told
            };
            if window.undecided() {
                let so_far = hit.filter(|hit| hit.end == window.bytes.len());
                let length = window.bytes.len().saturating_sub(start);
                if length <= PENDING || so_far.is_some() {
                    return Some(Pending {
                        start,
                        so_far: so_far.map(|hit| (hit, body)),
                    });
                }
            }
            found.extend(hit.map(|hit| Found {
                wake: start.min(hit.start),
                ..hit
            }));
            i = next;
        }
        None
    }

    /// A key whose prefix has a dot in it (`SG.`, `hvs.`) and so is another word.
    /// `reach` is where such a key would start.
    fn dotted(&self, window: &Window<'_>, reach: usize, first: usize) -> Option<Found> {
        // At the limit it would start within a word.
        let cut = first.saturating_sub(reach) >= DOTTED;
        if reach == first || reach < window.from || cut {
            return None;
        }
        self.prefixes
            .check(window, reach)
            .filter(|key| key.end > first)
    }

    /// Where to go on behind a sign that stands behind a digit, as in times and tables: no name
    /// ends so.
    #[inline]
    fn counts(window: &Window<'_>, mark: usize) -> Option<usize> {
        let next = mark.wrapping_add(1);
        let digit = is(window.behind(mark), DIGIT);
        let address = window.bytes.get(next).is_none_or(|byte| *byte == b'/');
        (digit && !address).then_some(next)
    }

    /// Where to go on behind a short number that nothing goes on with.
    #[inline]
    fn number(window: &Window<'_>, mark: usize) -> Option<usize> {
        let eight = window.bytes.get(mark..)?.first_chunk()?;
        let length = leading(values(*eight));
        let after = *eight.get(length)?;
        let ends = !is(after, ALNUM | JOINT | DOT | BASE64) && !matches!(after, b'$' | b'~');
        (ends && !is(window.behind(mark), ALNUM | JOINT | DOT)).then(|| mark.wrapping_add(length))
    }

    /// Where to go on behind words with dots between, which are no secret as they are too short
    /// together. Not told of those that a dash begins, which may be an option, of those behind
    /// which more may belong to them, and of those that the block's edge cuts.
    #[inline]
    fn short(window: &Window<'_>, mark: usize) -> Option<usize> {
        let mut kinds = 0;
        let mut part = |byte: &u8| {
            let kind = kind(*byte);
            let inside = kind & (ALNUM | JOINT | DOT);
            kinds |= inside;
            inside != 0
        };
        let (before, behind) = window.bytes.split_at_checked(mark)?;
        let ahead = behind.iter().take(SHORTEST).take_while(|byte| part(byte));
        let ahead = ahead.count();
        let after = *behind.get(ahead)?;
        let back = before.iter().rev().take(SHORTEST);
        let back = back.take_while(|byte| part(byte)).count();
        let length = back.wrapping_add(ahead);
        let start = mark.wrapping_sub(back);
        let goes_on =
            is(after, BASE64) || matches!(after, b'$' | b'~') || (after == b':' && length > 7);
        let dashed = kinds & JOINT != 0
            && (kinds & DOT != 0 || window.bytes.get(start).is_some_and(|byte| is(*byte, JOINT)));
        (length < SHORTEST && !goes_on && !dashed && start >= window.from)
            .then(|| mark.wrapping_add(ahead))
    }

    /// Checks the word around the mark: what it is, where it starts, where to go on.
    fn word(
        &self,
        window: &Window<'_>,
        mark: usize,
        heard: &mut Heard,
    ) -> (Option<Found>, usize, usize) {
        let in_word = |byte: u8| is(byte, ALNUM | JOINT);
        let end = window.skip(mark, in_word);
        let first = window.run_back(mark, LEAD, in_word);
        let dashed = is(window.behind(first.saturating_add(1)), JOINT);
        let start = if dashed {
            window.skip(first, |byte| is(byte, JOINT)).min(end)
        } else {
            first
        };
        if start < window.from || mark.saturating_sub(first) >= LEAD {
            return (None, first, end);
        }
        let first = first.max(window.from);
        // Nothing so short is a secret where no more may belong to it.
        let after = window.at(end);
        let length = end.saturating_sub(first);
        let goes_on = is(after, BASE64)
            || matches!(after, b'.' | b'$' | b'~')
            || (after == b':' && length > 7);
        let joined = window.behind(first) == b'.';
        if !dashed && !joined && !goes_on && length < SHORTEST {
            return (None, first, end);
        }
        if dashed && start.saturating_sub(first) == 5 && window.reads(start, b"begin ") {
            let block = token::block(window, first);
            return (block, first, block.map_or(end, |hit| hit.end.max(end)));
        }
        let reach = if joined {
            let joined = |byte: u8| in_word(byte) || byte == b'.';
            window.run_back(first, DOTTED, joined)
        } else {
            first
        };
        // Base64 is one value from its first word on; read from each of its words
        // it would cost its length times its words.
        let inner = matches!(window.behind(first), b'+' | b'/');
        let whole = if inner || !is(window.at(end), BASE64) {
            end
        } else {
            window.run(start, 301, |byte| is(byte, ALNUM | JOINT | BASE64))
        };
        if dashed && matches!(window.slice(first, end), b"-u" | b"--user") {
            return (address::option(window, end), first, end);
        }
        let hit = self
            .prefixes
            .check(window, start)
            .or_else(|| self.dotted(window, reach, first))
            .or_else(|| {
                window
                    .slice(start, end)
                    .starts_with(b"eyJ")
                    .then(|| token::jwt(window, start))?
            })
            .or_else(|| token::parted(window, start, end))
            .or_else(|| token::told(window, (start, end), heard))
            .or_else(|| (whole > end).then(|| token::told(window, (start, whole), heard))?);
        (
            hit,
            reach.max(window.from),
            hit.map_or(end, |hit| hit.end.max(end)),
        )
    }
}
