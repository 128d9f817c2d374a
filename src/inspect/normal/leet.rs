//! Words written with digits and signs for letters ("1gn0r3").
//!
//! Decides which stretches of canonical text are such, and writes them anew with 64 bytes of what
//! stands around, so that a phrase of which one word is disguised is read whole. Never judges: a
//! part number makes a view as well, which then matches nothing.

use super::ascii::WIDE;
use super::canon::Canon;
use super::spelled::around;
use super::views::{Pad, ViewKind};
use crate::each_byte::each_byte;
use std::ops::Range;

/// Longer parts of letters and digits are no words.
const LONGEST: usize = 64;

/// Bytes that are looked at one by one before many are looked at together.
const NEAR: usize = 12;

/// What a byte is in a word: nothing (0), or one of these.
const SMALL: u8 = 1;
const LEET: u8 = 2;
const OTHER: u8 = 4;
/// With [`LEET`]: read as `i` and as `l`.
const ONE: u8 = 8;

const CLASSES: [u8; 256] = each_byte!(byte => match byte {
    b'a'..=b'z' => SMALL,
    b'2' | b'6' | b'8' | b'9' => OTHER,
    b'1' | b'!' => LEET | ONE,
    _ if letter(byte).is_some() => LEET,
    _ => 0,
});

/// Each byte, and the letter in the place of one that stands for it.
const LETTERS: [u8; 256] = each_byte!(byte => match letter(byte) {
    Some(letter) => letter,
    None => byte,
});

/// What this byte is in a word.
fn class(byte: u8) -> u8 {
    CLASSES.get(usize::from(byte)).copied().unwrap_or(0)
}

/// The letter a digit or sign stands for; 1 and ! are read as `l`, too.
const fn letter(byte: u8) -> Option<u8> {
    match byte {
        b'0' => Some(b'o'),
        b'1' | b'!' => Some(b'i'),
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
    // In a text full of them the next is near.
    let near = from.saturating_add(NEAR).min(text.len());
    if let Some(place) = (from..near).find(|&place| is_candidate(text, place, from)) {
        return Some(place);
    }
    let mut at = near;
    loop {
        let rest = text.get(at..)?;
        if rest.is_empty() {
            return None;
        }
        if may_begin(rest) {
            let end = at.saturating_add(WIDE).min(text.len());
            let found = (at..end).find(|&place| is_candidate(text, place, from));
            if found.is_some() {
                return found;
            }
        }
        at = at.saturating_add(WIDE);
    }
}

/// Whether a digit or sign stands before a letter in the next chunk: asked of every chunk of every
/// text, and so made of nothing that the compiler can't turn into vector code.
fn may_begin(rest: &[u8]) -> bool {
    let Some(window) = rest.first_chunk::<{ WIDE + 1 }>() else {
        return true;
    };
    let [_, after @ ..] = window;
    let pairs = window.iter().zip(after);
    let pairs = pairs.map(|(&byte, &next)| {
        // `0` to `7` but `2` and `6`, and the signs with a few others.
        let low = u8::from(byte.wrapping_sub(b'0') < 8) | u8::from(byte == b'@');
        let sign = u8::from(byte == b'$') | u8::from(byte == b'!');
        (low | sign) & u8::from(next.wrapping_sub(b'a') < 26)
    });
    pairs.fold(0, |any, hit| any | hit) != 0
}

fn is_candidate(text: &[u8], place: usize, from: usize) -> bool {
    let small = |at: usize| text.get(at).is_some_and(u8::is_ascii_lowercase);
    let after = small(place.saturating_add(1));
    match text.get(place) {
        Some(b'0' | b'1' | b'3' | b'4' | b'5' | b'7') => after,
        Some(b'@' | b'$' | b'!') => after && place > from && small(place.saturating_sub(1)),
        Some(_) | None => false,
    }
}

fn is_part(byte: u8) -> bool {
    class(byte) != 0
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
    let (mut seen, mut letters) = (0, 0_usize);
    for byte in token {
        let class = class(*byte);
        seen |= class;
        letters = letters.wrapping_add(usize::from(class & SMALL));
    }
    let small = |byte: &u8| class(*byte) == SMALL;
    let (Some(first), Some(last)) = (token.iter().position(small), token.iter().rposition(small))
    else {
        return false;
    };
    if seen & OTHER != 0 {
        return false;
    }
    let between = last.saturating_sub(first) >= letters;
    between || (first > 0 && letters > 2)
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
    let mut ones = pad.take_places();
    let mut restored = pad.take_scratch();
    restore(part, &mut restored, &mut ones);
    for one in [b'i', b'l'] {
        let Some(start) = pad.begin(part.len()) else {
            break;
        };
        if one == b'l' {
            restored = with_ones_as_l(restored, &ones);
        }
        let canonical = match from {
            None => {
                pad.copy(&restored, region.start);
                region.clone()
            }
            Some(from) => pad.repeat(&restored, from.saturating_add(region.start)),
        };
        let (first, last) = (super::offset(canonical.start), super::offset(canonical.end));
        pad.end(ViewKind::Leet, start, canon.source_range(first, last));
        if ones.is_empty() {
            break;
        }
    }
    pad.put_scratch(restored, ones);
}

/// The other reading of a restored text: each 1 as `l`.
fn with_ones_as_l(restored: String, ones: &[usize]) -> String {
    let mut letters = restored.into_bytes();
    for &place in ones {
        if let Some(slot) = letters.get_mut(place) {
            *slot = b'l';
        }
    }
    String::from_utf8(letters).unwrap_or_default()
}

/// Writes a text with digits replaced in each part that is of letters and such digits alone, each
/// 1 as `i`, and lists where these are. Two of them beside each other are `ll` in either reading.
fn restore(text: &str, out: &mut String, ones: &mut Vec<usize>) {
    let bytes = text.as_bytes();
    // A letter takes the place of one byte: what is written is as long as what is read.
    let mut letters = std::mem::take(out).into_bytes();
    letters.clear();
    letters.extend_from_slice(bytes);
    let mut at = 0_usize;
    while at < bytes.len() {
        let mut seen = 0;
        let rest = bytes.get(at..).unwrap_or_default();
        let length = rest.iter().position(|byte| {
            let class = class(*byte);
            seen |= class;
            class == 0
        });
        let end = at.saturating_add(length.unwrap_or(rest.len()));
        if seen & LEET != 0 && seen & OTHER == 0 && end.saturating_sub(at) <= LONGEST {
            let part = bytes.get(at..end).unwrap_or_default();
            let slots = letters.get_mut(at..end).unwrap_or_default();
            for (slot, byte) in slots.iter_mut().zip(part) {
                *slot = LETTERS.get(usize::from(*byte)).copied().unwrap_or(*byte);
            }
            if let ([.., slot], [.., last @ (b'!' | b'$' | b'@')]) = (&mut *slots, part) {
                // At the end it is what it looks like.
                *slot = *last;
            }
            if seen & ONE != 0 {
                list_ones(part, at, slots, ones);
            }
        }
        at = end.saturating_add(1);
    }
    *out = String::from_utf8(letters).unwrap_or_default();
}

/// Lists where the other reading of a part has `l`, and writes `ll` for two beside each other. The
/// part stands at `at` in the text.
fn list_ones(part: &[u8], at: usize, letters: &mut [u8], ones: &mut Vec<usize>) {
    let is_one = |place: usize| part.get(place) == Some(&b'1');
    for (place, byte) in part.iter().enumerate() {
        if class(*byte) & ONE == 0 {
            continue;
        }
        let after = place.wrapping_add(1);
        if *byte == b'1' && (is_one(place.wrapping_sub(1)) || is_one(after)) {
            if let Some(slot) = letters.get_mut(place) {
                *slot = b'l';
            }
        } else if *byte == b'1' || after < part.len() {
            ones.push(at.wrapping_add(place));
        }
    }
}
