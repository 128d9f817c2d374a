//! The literal stage: one pass over a block tells which of many literals occur in it, and where.
//!
//! *Decides* nothing: it reports every occurrence, overlapping ones too, ASCII letters matched in
//! either case, in order of end, id and start. Detectors are woken by these hits.
//!
//! *Never does*: copy or keep text, run patterns, allocate per byte, depend on what the text holds
//! for its speed. One load per byte is done in interleaved lanes, so a text full of triggers
//! costs what plain prose costs, but for the hits it yields, which are bounded by [`MAX_HITS`].
//!
//! *May miss*: occurrences past the 1,536th place in an eighth of the text, which no block of 9 KiB
//! has; a canonical form may be longer. [`Hits::saturated`] then says so. What is listed is true,
//! but the list has gaps, and a caller must not read the absence of a hit as innocence: the text is
//! scanned again in smaller pieces.
//!
//! Literals of ASCII bytes and those with other bytes live in two automata. The second runs only
//! near non-ASCII bytes, so that rules for other languages cost an English text nothing; the first
//! only near ASCII ones that say something, so that English rules cost a Chinese text nothing.

mod automaton;
mod build;
#[cfg(test)]
mod tests;

use automaton::{Automaton, LANES, Lane};
use thiserror::Error;

/// Places of one stretch of text at which a literal ends that are looked at: more than a full block
/// has bytes. It bounds what text made of triggers can make a scan do and write.
pub const MAX_HITS: usize = 12 * 1024;

/// Longest literal in bytes. Each lane reads this much twice, so it is kept well below a block.
pub const MAX_LITERAL: usize = 128;

/// One literal to look for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Literal<'a> {
    /// UTF-8 in canonical form. ASCII capitals are taken as their small letters.
    pub bytes: &'a [u8],
    /// What a hit reports. Several literals may share one.
    pub id: u16,
    /// The byte before an occurrence must not continue the literal's first word.
    pub word_start: bool,
    /// The byte after an occurrence must not continue the literal's last word.
    pub word_end: bool,
}

/// One occurrence, in byte offsets of the scanned text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LiteralHit {
    /// Offset after the last byte.
    pub end: u32,
    /// The literal's id.
    pub id: u16,
    /// Offset of the first byte.
    pub start: u32,
}

/// Why a set of literals was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ScanError {
    /// A literal without bytes would occur everywhere.
    #[error("literal {id} is empty")]
    Empty {
        /// The literal's id.
        id: u16,
    },
    /// A literal is longer than [`MAX_LITERAL`].
    #[error("literal {id} has {len} bytes, at most {MAX_LITERAL} are allowed")]
    TooLong {
        /// The literal's id.
        id: u16,
        /// Its length in bytes.
        len: usize,
    },
    /// All literals together need more states than the table can number.
    #[error("the literals need more than {limit} states")]
    TooMany {
        /// The number of states one automaton can hold.
        limit: usize,
    },
}

/// The hits of one text. Kept and reused: a scan clears it first.
#[derive(Debug, Default)]
pub struct Hits {
    list: Vec<LiteralHit>,
    lanes: [Lane; LANES],
    saturated: bool,
}

impl Hits {
    /// An empty list. The first scan makes room for 100 KiB of notes, which are kept.
    pub fn new() -> Self {
        Self::default()
    }

    /// The hits, ordered by end, then id, then start.
    pub fn as_slice(&self) -> &[LiteralHit] {
        &self.list
    }

    /// The text held more hits than are looked at, and the list has gaps.
    pub const fn saturated(&self) -> bool {
        self.saturated
    }
}

/// A compiled set of literals. Immutable, shared by all threads.
#[derive(Debug)]
pub struct Literals {
    ascii: Option<Automaton>,
    wide: Option<Automaton>,
    /// Each literal of ASCII bytes has one that is none of [`SIGNS`].
    signs_say_nothing: bool,
}

/// What stands between the words of other scripts, too.
const SIGNS: [u8; 3] = [b' ', b',', b'.'];

/// Bytes without a literal's part for which it is worth while to begin anew behind them.
const GAP: usize = 256;

impl Literals {
    /// Compiles a set. An empty set is allowed and never hits.
    ///
    /// 600 literals take about 2 ms, 2,000 about 8 ms, and 64 bytes a state.
    pub fn compile(literals: &[Literal<'_>]) -> Result<Self, ScanError> {
        for literal in literals {
            let (id, len) = (literal.id, literal.bytes.len());
            if len == 0 {
                return Err(ScanError::Empty { id });
            }
            if len > MAX_LITERAL {
                return Err(ScanError::TooLong { id, len });
            }
        }
        let (ascii, wide): (Vec<_>, Vec<_>) = literals.iter().partition(|l| l.bytes.is_ascii());
        Ok(Self {
            ascii: build::automaton(&ascii)?,
            wide: build::automaton(&wide)?,
            signs_say_nothing: ascii
                .iter()
                .all(|literal| literal.bytes.iter().any(|byte| !SIGNS.contains(byte))),
        })
    }

    /// Writes every occurrence in `text` to `hits`. Bytes past 4 GiB are not read.
    pub fn scan(&self, text: &[u8], hits: &mut Hits) {
        hits.list.clear();
        hits.saturated = false;
        let text = match usize::try_from(u32::MAX) {
            Ok(limit) => text.get(..limit).unwrap_or(text),
            Err(_) => text,
        };
        if let Some(ascii) = &self.ascii {
            if text.is_ascii() {
                ascii.scan(text, 0..text.len(), hits);
                return;
            }
            let signs = u8::from(self.signs_say_nothing);
            let says = |&byte: &u8| {
                let sign = SIGNS
                    .iter()
                    .fold(0, |any, &sign| any | u8::from(byte == sign));
                u8::from(byte < 0x80) & !(sign & signs)
            };
            let any = |bytes: &[u8]| bytes.iter().fold(0, |any, byte| any | says(byte)) != 0;
            scan_regions((ascii, GAP), text, any, hits);
        }
        if let Some(wide) = &self.wide {
            scan_wide(wide, text, hits);
        }
    }

    /// Bytes of both transition tables.
    pub fn table_bytes(&self) -> usize {
        [&self.ascii, &self.wide]
            .into_iter()
            .flatten()
            .map(Automaton::table_bytes)
            .sum()
    }

    /// States of both automata.
    pub fn states(&self) -> usize {
        [&self.ascii, &self.wide]
            .into_iter()
            .flatten()
            .map(Automaton::states)
            .sum()
    }
}

/// Adds the hits of an automaton of which each literal has a non-ASCII byte.
fn scan_wide(wide: &Automaton, text: &[u8], hits: &mut Hits) {
    let before = hits.list.len();
    scan_regions((wide, 0), text, |bytes| !bytes.is_ascii(), hits);
    if hits.list.len() > before {
        // Two sorted runs: the stable sort merges them in linear time.
        hits.list.sort();
    }
}

/// Adds the hits of an automaton of which each literal has a byte for which `any` is true, the
/// stretches that are looked at being at least `gap` bytes apart.
fn scan_regions(
    (automaton, gap): (&Automaton, usize),
    text: &[u8],
    any: impl Fn(&[u8]) -> bool,
    hits: &mut Hits,
) {
    let (mut from, before) = (0, hits.list.len());
    let reach = automaton.reach();
    while let Some(region) = next_region(text, from, (reach, gap), &any) {
        if hits.list.len().saturating_sub(before) >= MAX_HITS {
            hits.saturated = true;
            break;
        }
        from = region.end;
        automaton.scan(text, region, hits);
    }
}

/// The next stretch, from `from` on, in which a literal that has such a byte can lie: every such
/// byte with `reach` bytes on both sides, stretches that touch taken as one.
fn next_region(
    text: &[u8],
    from: usize,
    (reach, gap): (usize, usize),
    any: &impl Fn(&[u8]) -> bool,
) -> Option<std::ops::Range<usize>> {
    let first = from.saturating_add(skip(text.get(from..)?, any)?);
    let start = first.saturating_sub(reach).max(from);
    let mut end = first.saturating_add(1);
    while let Some(rest) = text.get(end..) {
        // Most text of one script has such a byte nearly everywhere: chunks of it are not searched.
        let (chunks, _) = rest.as_chunks::<32>();
        let full = chunks.iter().take_while(|chunk| any(*chunk)).count();
        if full > 0 {
            end = end.saturating_add(full.saturating_mul(32));
            continue;
        }
        let Some(next) = skip(rest, any) else {
            break;
        };
        if next > reach.saturating_mul(2).saturating_add(gap) {
            break;
        }
        end = end.saturating_add(next).saturating_add(1);
    }
    Some(start..end.saturating_add(reach).min(text.len()))
}

/// Offset of the first such byte.
fn skip(text: &[u8], any: &impl Fn(&[u8]) -> bool) -> Option<usize> {
    let (chunks, _) = text.as_chunks::<32>();
    let clean = chunks
        .iter()
        .take_while(|chunk| !any(*chunk))
        .count()
        .saturating_mul(32);
    let rest = text.get(clean..)?;
    let place = rest
        .iter()
        .position(|byte| any(std::slice::from_ref(byte)))?;
    Some(clean.saturating_add(place))
}
