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
mod gate;
mod mix;
mod names;
#[cfg(test)]
mod tests;
mod token;

use super::bytes::{ALNUM, BASE64, JOINT, is};
use super::index::{Index, Indexed, Row};
use super::rules::secrets::{PRIVATE_KEY, RULES};
use super::window::{Body, Edges, Found, Open, PENDING, Places, Rest, Window};
use super::words::Heard;
use super::{Family, Hit, RuleSet};
use gate::Gate;
use token::Prefixes;

/// Bytes before a word's first mark in which the word may have begun.
const LEAD: usize = 64;

/// Bytes of such a word's dotted prefix (`dp.st.dev.`), less than the lead.
const DOTTED: usize = 32;

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
    pub fn find(&self, read: Indexed<'_>, edges: Edges, out: &mut Vec<Hit>) -> Rest {
        self.look::<true>(read, edges, out)
    }

    /// What [`Self::find`] does; not `GATED`, it looks at every mark, which tests hold it against.
    fn look<const GATED: bool>(&self, read: Indexed<'_>, edges: Edges, out: &mut Vec<Hit>) -> Rest {
        let Indexed { text, index } = read;
        let mut window = Window::new(text, edges);
        let mut found = Vec::new();
        if let Some(rest) = self.resume(&mut window, edges.open, &mut found) {
            self.places.settle(&mut found, out);
            return rest;
        }
        let pending = self.sweep::<GATED>(&window, index, &mut found);
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
        let mut index = Index::default();
        let rest = self.find(index.read(text, 0), edges, &mut unused);
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

    /// Stops at each mark that the gate lets through, or where it is not asked, at each.
    fn sweep<const GATED: bool>(
        &self,
        window: &Window<'_>,
        index: &Index,
        found: &mut Vec<Found>,
    ) -> Option<Pending> {
        let mut heard = Heard::new(index);
        let mut gate = Gate::new(window, index, &self.prefixes);
        let mut i = window.from;
        // The gate tells of words by their first marks.
        let within = |i: usize| is(window.behind(i), ALNUM | JOINT);
        let mut gated = GATED && !within(i);
        loop {
            let mark = if gated {
                gate.next(i)
            } else {
                index.next(Row::secret, i)
            };
            let Some(mark) = mark else { break };
            let sign = window.bytes.get(mark).copied().unwrap_or(0);
            window.fresh();
            let mut body = Body::Token;
            let (hit, start, next) = if matches!(sign, b'=' | b':') {
                let url = sign == b':' && window.at(mark.saturating_add(1)) == b'/';
                let hit = if url && window.at(mark.saturating_add(2)) == b'/' {
                    address::url(window, mark)
                } else {
                    let assigned = assign::check(window, index, mark);
                    assigned.map(|(hit, of)| {
                        body = of;
                        hit
                    })
                };
                (hit, mark, assign::next(mark, hit))
            } else {
                // The gate may have stopped at another mark of the word than the first.
                let begin = index.start(Row::joined, mark, i);
                let mark = index.next(Row::secret, begin).unwrap_or(mark);
                let told = self.word(window, index, mark, &mut heard);
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
            i = next;
            gated = GATED && hit.is_none_or(|_| !within(i));
            found.extend(hit.map(|hit| Found {
                wake: start.min(hit.start),
                ..hit
            }));
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

    /// Checks the word around the mark: what it is, where it starts, where to go on.
    fn word(
        &self,
        window: &Window<'_>,
        index: &Index,
        mark: usize,
        heard: &mut Heard<'_>,
    ) -> (Option<Found>, usize, usize) {
        let in_word = |byte: u8| is(byte, ALNUM | JOINT);
        let end = index.end(Row::joined, mark);
        let first = mark.wrapping_sub(index.back(Row::joined, mark).min(LEAD));
        let dashed = is(window.behind(first.saturating_add(1)), JOINT);
        let start = if dashed {
            index.end(Row::joints, first).min(end)
        } else {
            first
        };
        if start < window.from || mark.saturating_sub(first) >= LEAD {
            return (None, first, end);
        }
        let first = first.max(window.from);
        let joined = window.behind(first) == b'.';
        let reach = if joined {
            let joined = |byte: u8| in_word(byte) || byte == b'.';
            window.run_back(first, DOTTED, joined)
        } else {
            first
        };
        if end >= window.bytes.len() {
            // The word may go on.
            window.note_past();
        }
        if dashed && start.saturating_sub(first) == 5 && window.reads(start, b"begin ") {
            let block = token::block(window, first);
            return (block, first, block.map_or(end, |hit| hit.end.max(end)));
        }
        // Base64 is one value from its first word on; read from each of its words
        // it would cost its length times its words.
        let inner = matches!(window.behind(first), b'+' | b'/');
        let whole = if inner || !is(window.at(end), BASE64) {
            end
        } else {
            let left = token::RANDOM
                .wrapping_add(1)
                .saturating_sub(end.wrapping_sub(start));
            window.run(end, left, |byte| is(byte, ALNUM | JOINT | BASE64))
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
            .or_else(|| token::told(window, index, (start, end), heard))
            .or_else(|| {
                (whole > end).then(|| token::told(window, index, (start, whole), heard))?
            });
        (
            hit,
            reach.max(window.from),
            hit.map_or(end, |hit| hit.end.max(end)),
        )
    }
}
