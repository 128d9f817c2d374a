//! Words written with digits and signs for letters ("1gn0r3").
//!
//! Decides which stretches of canonical text are such, and writes them anew with 64 bytes of what
//! stands around, so that a phrase of which one word is disguised is read whole. Never judges: a
//! part number makes a view as well, which then matches nothing.

use super::ascii::{self, Chunks, WIDE};
use super::canon::Canon;
use super::spelled::around;
use super::views::{Pad, ViewKind};
use std::ops::Range;

/// Longer parts of letters and digits are no words.
const LONGEST: usize = 64;

/// The letter a digit or sign stands for; 1 and ! are read as `i` or as `l`.
const fn letter(byte: u8, one: u8) -> Option<u8> {
    match byte {
        b'0' => Some(b'o'),
        b'1' | b'!' => Some(one),
        b'3' => Some(b'e'),
        b'4' | b'@' => Some(b'a'),
        b'5' | b'$' => Some(b's'),
        b'7' => Some(b't'),
        _ => None,
    }
}

/// Writes views of text in which digits stand for letters. `text` is the canonical text, or what
/// was written to the pad at `from`.
pub(super) fn unleet(text: &str, from: Option<usize>, canon: &Canon, pad: &mut Pad) {
    let bytes = text.as_bytes();
    let (mut region, mut done): (Option<Range<usize>>, usize) = (None, 0);
    while let Some(at) = next_candidate(bytes, done) {
        let token = token(bytes, at, done);
        done = token.end.max(at.saturating_add(1));
        let part = bytes.get(token.clone()).unwrap_or(&[]);
        let domain = part.contains(&b'@') && bytes.get(token.end) == Some(&b'.');
        if domain || !is_leet(part) {
            continue;
        }
        let next = around(text, &token);
        region = match region.take() {
            Some(open) if next.start <= open.end => Some(open.start..next.end),
            Some(open) => {
                write_leet(text, from, &open, canon, pad);
                Some(next)
            }
            None => Some(next),
        };
    }
    if let Some(open) = region {
        write_leet(text, from, &open, canon, pad);
    }
}

/// The next place, from an offset on, of a leet digit before a letter, or of a leet sign between
/// two letters.
fn next_candidate(text: &[u8], from: usize) -> Option<usize> {
    let (mut letter_before, mut leet_before, mut at) = (0, 0, from);
    for chunk in Chunks(text.get(from..)?) {
        let digit = chunk.map(|byte| {
            let low = u8::from(byte.wrapping_sub(b'0') < 2) | u8::from(byte == b'7');
            low | u8::from(byte.wrapping_sub(b'3') < 3)
        });
        let sign = chunk
            .map(|byte| u8::from(byte == b'@') | u8::from(byte == b'$') | u8::from(byte == b'!'));
        let letters = ascii::gather(&chunk.map(|byte| u8::from(byte.wrapping_sub(b'a') < 26)));
        let signs = ascii::gather(&sign) & ((letters << 1) | letter_before);
        let leet = ascii::gather(&digit) | signs;
        let hits = letters & ((leet << 1) | leet_before);
        if hits != 0 {
            let hit = usize::try_from(hits.trailing_zeros()).unwrap_or(0);
            return at.saturating_add(hit).checked_sub(1);
        }
        (letter_before, leet_before) = (letters >> 63, leet >> 63);
        at = at.saturating_add(WIDE);
    }
    None
}

const fn is_part(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'@' | b'$' | b'!')
}

/// The letters, digits and signs around a place, not before a floor.
fn token(bytes: &[u8], at: usize, floor: usize) -> Range<usize> {
    let before = bytes.get(floor..at).unwrap_or(&[]);
    let back = before
        .iter()
        .rev()
        .take_while(|&&byte| is_part(byte))
        .count();
    let after = bytes.get(at..).unwrap_or(&[]);
    let ahead = after.iter().take_while(|&&byte| is_part(byte)).count();
    at.saturating_sub(back)..at.saturating_add(ahead)
}

/// Letters and digits for letters only, and one of these between letters, or before three: `1st`,
/// `3d`, `md5` and `utf8` are none.
fn is_leet(token: &[u8]) -> bool {
    if token.len() > LONGEST {
        return false;
    }
    let known = |&byte: &u8| byte.is_ascii_lowercase() || letter(byte, b'i').is_some();
    let small = u8::is_ascii_lowercase;
    let Some(first) = token.iter().position(small) else {
        return false;
    };
    let last = token.iter().rposition(small).unwrap_or(first);
    let inner = token.get(first..last).unwrap_or(&[]);
    let letters = token.iter().filter(|byte| small(byte)).count();
    let between = !inner.iter().all(small);
    token.iter().all(known) && (between || (first > 0 && letters > 2))
}

/// Writes a region with its letters restored: with each 1 as `i`, and if there was one, as `l`.
fn write_leet(
    text: &str,
    from: Option<usize>,
    region: &Range<usize>,
    canon: &Canon,
    pad: &mut Pad,
) {
    let part = text.get(region.clone()).unwrap_or_default();
    for one in [b'i', b'l'] {
        let Some(start) = pad.begin(part.len()) else {
            return;
        };
        let mut restored = pad.take_scratch();
        let ambiguous = restore(part, one, &mut restored);
        let canonical = match from {
            None => {
                pad.copy(&restored, region.start);
                region.clone()
            }
            Some(from) => pad.repeat(&restored, from.saturating_add(region.start)),
        };
        pad.put_scratch(restored);
        let (first, last) = (super::offset(canonical.start), super::offset(canonical.end));
        pad.end(ViewKind::Leet, start, canon.source_range(first, last));
        if !ambiguous {
            return;
        }
    }
}

/// Writes a text with digits replaced in each part that is of letters and such digits alone. Tells
/// whether a 1 was among them. Two of them beside each other are `ll` in either reading.
fn restore(text: &str, one: u8, out: &mut String) -> bool {
    let mut ambiguous = false;
    for part in text.split_inclusive(|c: char| !u8::try_from(c).is_ok_and(is_part)) {
        let body = part.trim_end_matches(|c: char| !u8::try_from(c).is_ok_and(is_part));
        let known = |byte: u8| byte.is_ascii_lowercase() || letter(byte, one).is_some();
        if body.len() > LONGEST || !body.bytes().all(known) {
            out.push_str(part);
            continue;
        }
        let bytes = body.as_bytes();
        for (at, &byte) in bytes.iter().enumerate() {
            let before = at.checked_sub(1).and_then(|at| bytes.get(at));
            let after = bytes.get(at.saturating_add(1));
            let to = match byte {
                // At the end it is what it looks like.
                b'!' | b'$' | b'@' if after.is_none() => byte,
                b'1' if before == Some(&b'1') || after == Some(&b'1') => b'l',
                _ => letter(byte, one).unwrap_or(byte),
            };
            ambiguous |= to != byte && matches!(byte, b'1' | b'!');
            out.push(char::from(to));
        }
        out.push_str(part.get(body.len()..).unwrap_or_default());
    }
    ambiguous
}
