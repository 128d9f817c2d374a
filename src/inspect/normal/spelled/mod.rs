//! Words that are spelled out ("i g n o r e").
//!
//! Decides which stretches of canonical text are such, and writes them anew with 64 bytes of what
//! stands around, so that a phrase of which one word is disguised is read whole. Never judges: a
//! list of initials makes a view as well, which then matches nothing.

mod join;
#[cfg(test)]
mod tests;

use super::canon::Canon;
use super::rows::{Rows, SPELLED};
use super::views::Pad;
use crate::inspect::sixtyfour::{Part, SixtyFour, WIDE, below, equal, letter, within, zeros};
use std::ops::Range;

/// What is copied on both sides of a disguised word.
const CONTEXT: usize = 64;

/// Letters in a row, set apart, that are taken for a word spelled out.
const LETTERS: usize = 5;

/// Single letters set apart, by their place in the canonical text.
#[derive(Debug, Clone)]
pub(super) struct Run {
    range: Range<usize>,
    long: bool,
}

/// Writes views of text in which letters are set apart.
pub(super) fn despace(canon: &Canon, rows: &Rows, runs: &mut Vec<Run>, pad: &mut Pad) {
    let text = canon.text();
    let mut next = next_long(text, rows, 0);
    while let Some(run) = next.take() {
        let mut region = around(text, &run);
        let mut end = run.end;
        next = next_long(text, rows, end);
        while let Some(near) = next.take_if(|near| around(text, near).start <= region.end) {
            end = near.end;
            region.end = around(text, &near).end;
            next = next_long(text, rows, end);
        }
        find_runs(text, &region, runs);
        join::write_joined(canon, &region, runs, pad);
    }
}

/// The first run of many letters from an offset on.
fn next_long(text: &str, rows: &Rows, from: usize) -> Option<Range<usize>> {
    let mut from = from;
    while let Some(gap) = next_link(text.as_bytes(), rows, from) {
        let run = run_at(text, gap, from);
        if run.long {
            return Some(run.range);
        }
        from = run.range.end.max(gap.saturating_add(1));
    }
    None
}

/// The letters set apart around a gap, from a floor on.
fn run_at(text: &str, gap: usize, floor: usize) -> Run {
    let mut start = gap;
    let head = text.get(floor..gap).unwrap_or_default();
    let mut back = head.chars().rev();
    while let Some(letter) = back.next().filter(|&c| is_letter(c)) {
        let width = letter.len_utf8();
        match back.next() {
            Some(before) if is_letter(before) => break,
            Some(before) if is_gap(before) => {
                start = start.saturating_sub(width);
                // The gap belongs to the run only if a letter stands before it.
                if !back.clone().next().is_some_and(is_letter) {
                    break;
                }
                start = start.saturating_sub(before.len_utf8());
            }
            Some(_) | None => {
                start = start.saturating_sub(width);
                break;
            }
        }
    }
    if text
        .get(start..)
        .and_then(|rest| rest.chars().next())
        .is_some_and(is_gap)
    {
        start = start.saturating_add(1);
    }
    measure(text, start)
}

/// The run that begins with the letter at an offset.
fn measure(text: &str, start: usize) -> Run {
    let first = text
        .get(start..)
        .and_then(|rest| rest.chars().next())
        .filter(|&c| is_letter(c));
    let Some(first) = first else {
        return Run {
            range: start..start,
            long: false,
        };
    };
    let mut end = start.saturating_add(first.len_utf8());
    let (mut count, mut alphabetic) = (1_usize, usize::from(first.is_alphabetic()));
    loop {
        let many = letters_at(&SixtyFour::at(text.as_bytes(), end));
        end = end.saturating_add(many.count.saturating_mul(2));
        count = count.saturating_add(many.count);
        alphabetic = alphabetic.saturating_add(many.alphabetic);
        if many.count == Letters::MOST {
            continue;
        }
        let Some((len, letter)) = next_letter(text, end) else {
            break;
        };
        end = end.saturating_add(len);
        count = count.saturating_add(1);
        alphabetic = alphabetic.saturating_add(usize::from(letter.is_alphabetic()));
    }
    let long = count >= LETTERS && alphabetic.saturating_mul(2) > count;
    Run {
        range: start..end,
        long,
    }
}

/// Gaps and single letters of ASCII.
#[derive(Debug, PartialEq, Eq)]
struct Letters {
    count: usize,
    alphabetic: usize,
}

impl Letters {
    /// How many of a row are told at most: of each, what follows it must be in the row, too.
    const MOST: usize = WIDE / 2 - 1;
}

/// Every second bit, from the first on.
const EVEN: u64 = 0x5555_5555_5555_5555;

/// How many times a gap and a single letter stand at the beginning of a row, all ASCII with what
/// follows.
fn letters_at(all: &SixtyFour) -> Letters {
    let foreign = all.foreign();
    let letters = all.ask(|part| letter(part) | other_letter(part));
    let single = gaps_of(all) & (letters >> 1) & !((letters | foreign) >> 2);
    let end = 1 << (2 * Letters::MOST);
    let len = zeros((!single & EVEN) | end);
    let alphabetic = all.letters() & below(len);
    Letters {
        count: len / 2,
        alphabetic: usize::try_from(alphabetic.count_ones()).unwrap_or(0),
    }
}

/// Digits, and signs that are taken for letters.
#[inline]
fn other_letter(part: Part) -> Part {
    let sign = equal(part, b'@') | equal(part, b'$') | equal(part, b'!');
    within(part, b'0', b'9') | sign
}

/// A stretch of text with what stands around it.
pub(super) fn around(text: &str, range: &Range<usize>) -> Range<usize> {
    let start = text.floor_char_boundary(range.start.saturating_sub(CONTEXT));
    start..text.ceil_char_boundary(range.end.saturating_add(CONTEXT))
}

/// The next place, from an offset on, of a gap with which a row of three single letters begins, a
/// gap on both sides of each, one of them perhaps of an alphabet; a run of five letters, most of
/// them of one, holds such a row.
fn next_link(text: &[u8], rows: &Rows, from: usize) -> Option<usize> {
    let mut from = from;
    while let Some(at) = rows.next(SPELLED, from) {
        let here = SixtyFour::at(text, at);
        let ahead = SixtyFour::at(text, at.saturating_add(WIDE));
        let row = links(&here, &ahead);
        if row != 0 {
            return Some(at.saturating_add(zeros(row)));
        }
        from = (at / WIDE).saturating_add(1).saturating_mul(WIDE);
    }
    None
}

/// The bits of a chunk and those of the one ahead.
#[inline]
fn both(here: u64, ahead: u64) -> u128 {
    (u128::from(ahead) << 64) | u128::from(here)
}

/// The bits of the first chunk.
#[inline]
fn first(bits: u128) -> u64 {
    u64::try_from(bits & u128::from(u64::MAX)).unwrap_or(0)
}

/// The gaps of a chunk with which a row may begin, told by gaps alone, its own and those ahead: four
/// of them, each one letter's width from the next. Asked of every chunk of every text.
#[inline]
pub(super) fn rows(gaps: u64, ahead: u64, ascii: bool) -> u64 {
    let gaps = both(gaps, ahead);
    if ascii {
        let two = gaps & (gaps >> 2);
        return first(two & (two >> 4));
    }
    let next = |bits: u128| (bits >> 2) | (bits >> 3) | (bits >> 4);
    first(gaps & next(gaps & next(gaps & next(gaps))))
}

/// The gaps of a chunk with which a row begins. A letter is one to three bytes here. The chunk
/// ahead is looked at as well, since a row may lie across their border.
fn links(here: &SixtyFour, ahead: &SixtyFour) -> u64 {
    let of = |question: fn(&SixtyFour) -> u64| both(question(here), question(ahead));
    let alphabet = of(|all| all.ask(|part| letter(part) | part));
    let gaps = of(gaps_of);
    // Within the bytes that a row is at most long. Rows of digits are none.
    let mut near = alphabet | (alphabet >> 1);
    near |= near >> 2;
    near |= (near >> 4) | (near >> 8);
    if first(gaps & near) == 0 {
        return 0;
    }
    let letters = alphabet | of(|all| all.ask(other_letter));
    let starts = !of(|all| all.within(0x80, 0xbf));
    let two = (gaps >> 3) & !(starts >> 2);
    let three = (gaps >> 4) & !(starts >> 2) & !(starts >> 3);
    let single = gaps & (letters >> 1) & ((gaps >> 2) | two | three);
    let next = |bits: u128| (bits >> 2) | (bits >> 3) | (bits >> 4);
    // A long run has more letters of an alphabet than others, so that three of it in a row have one.
    let spelling = single & (alphabet >> 1);
    let then = |one: u128, other: u128| one & next(other);
    let head = then(spelling, then(single, single));
    let row = head | then(single, then(spelling, single)) | then(single, then(single, spelling));
    first(row)
}

/// Gaps between letters: see [`is_gap`].
#[inline]
fn gaps_of(all: &SixtyFour) -> u64 {
    all.ask(|part| {
        let sign = equal(part, b'_') | equal(part, b'|') | equal(part, b'~') | equal(part, b'\\');
        equal(part, b' ') | within(part, b'*', b'/') | sign
    })
}

/// A character that can stand between letters: space, and `*` to `/`, `\`, `_`, `|`, `~`.
const fn is_gap(c: char) -> bool {
    matches!(c, ' ' | '*'..='/' | '\\' | '_' | '|' | '~')
}

fn is_letter(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '@' | '$' | '!')
}

/// All runs of two or more letters set apart within a region, in order: the short ones count where
/// a long one is near.
fn find_runs(text: &str, region: &Range<usize>, runs: &mut Vec<Run>) {
    runs.clear();
    let part = text.get(region.clone()).unwrap_or_default();
    let before = text
        .get(..region.start)
        .and_then(|text| text.chars().next_back());
    let mut chars = part.char_indices().peekable();
    // What lies before it was a run.
    let mut done = 0_usize;
    let mut inside = before.is_some_and(is_letter);
    while let Some((start, c)) = chars.next() {
        let start = done.saturating_add(start);
        let alone = is_letter(c) && !chars.peek().is_some_and(|&(_, next)| is_letter(next));
        if inside || !alone {
            inside = is_letter(c);
            continue;
        }
        let run = measure(part, start);
        // One letter is left as it is.
        if run.range.len() > c.len_utf8() {
            done = run.range.end;
            let rest = part.get(done..).unwrap_or_default();
            chars = rest.char_indices().peekable();
            let range = region.start.saturating_add(run.range.start)
                ..region.start.saturating_add(run.range.end);
            runs.push(Run {
                range,
                long: run.long,
            });
        }
    }
}

/// A gap and a single letter at an offset: their length, and the letter.
fn next_letter(text: &str, at: usize) -> Option<(usize, char)> {
    let mut chars = text.get(at..)?.chars();
    let gap = chars.next().filter(|&c| is_gap(c))?;
    let letter = chars.next().filter(|&c| is_letter(c))?;
    if chars.next().is_some_and(is_letter) {
        return None;
    }
    Some((gap.len_utf8().saturating_add(letter.len_utf8()), letter))
}
