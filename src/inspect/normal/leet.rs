//! Words written with digits and signs for letters ("1gn0r3").
//!
//! Decides which stretches of canonical text are such, and writes them anew with 64 bytes of what
//! stands around, so that a phrase of which one word is disguised is read whole. Never judges: a
//! part number makes a view as well, which then matches nothing.

use super::canon::Canon;
use super::rows::{LEET, Rows};
use super::spelled::around;
use super::views::{Pad, ViewKind};
use crate::each_byte::each_byte;
use crate::inspect::sixtyfour::{Part, SixtyFour, WIDE, equal, within, zeros};
use std::ops::Range;

/// Longer parts of letters and digits are no words.
const LONGEST: usize = 64;

/// Each byte, and the letter in the place of one that stands for it.
const LETTERS: [u8; 256] = each_byte!(byte => match letter(byte) {
    Some(letter) => letter,
    None => byte,
});

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
pub(super) fn unleet(text: &str, rows: &Rows, from: Option<usize>, canon: &Canon, pad: &mut Pad) {
    let mut region: Option<Range<usize>> = None;
    each_word(text.as_bytes(), rows, |word| {
        let next = around(text, &word);
        region = match region.take() {
            Some(open) if next.start <= open.end => Some(open.start..next.end),
            Some(open) => {
                write_leet(text, from, &open, canon, pad);
                Some(next)
            }
            None => Some(next),
        };
    });
    if let Some(open) = region {
        write_leet(text, from, &open, canon, pad);
    }
}

/// Tells each word in which digits or signs stand for letters, in order.
fn each_word(text: &[u8], rows: &Rows, mut told: impl FnMut(Range<usize>)) {
    // What lies before `done` belongs to words that have been looked at.
    let (mut at, mut done, mut again) = (0_usize, 0_usize, None);
    while let Some(place) = again.take().or_else(|| rows.next(LEET, at)) {
        at = place;
        let mut next = at.saturating_add(WIDE);
        let all = SixtyFour::at(text, at);
        let mut left = candidates(&all, text, at) & from(done.saturating_sub(at));
        let word = if left == 0 { 0 } else { words(&all) };
        while left != 0 {
            let place = zeros(left);
            let gap = !word & !from(place);
            let start = WIDE.saturating_sub(leading(gap));
            let end = place.saturating_add(zeros(!(word >> (place & 63))));
            let begun = at.saturating_add(start);
            let cut = start == 0 && part_before(text, at);
            if cut || (end >= WIDE && part_at(text, at.saturating_add(WIDE))) {
                // Looked at again from its beginning on, unless it is too long for that.
                if start > 0 {
                    again = Some(begun);
                    break;
                }
                let word = token(text, at.saturating_add(place), done);
                if word.len() > LONGEST {
                    done = word.end;
                    next = word.end;
                } else {
                    again = Some(word.start);
                }
                break;
            }
            let letters = all.within(b'a', b'z') & from(start) & !from(end);
            let other = others(&all) & from(start) & !from(end);
            done = at.saturating_add(end.min(WIDE));
            let domain = text.get(done) == Some(&b'.')
                && text
                    .get(begun..done)
                    .is_some_and(|word| word.contains(&b'@'));
            if other == 0 && is_leet(letters, start) && !domain {
                told(begun..done);
            }
            left &= from(end);
        }
        at = next;
    }
}

/// All bits from a place on; none if that is no place of a chunk.
#[inline]
fn from(place: usize) -> u64 {
    let place = u32::try_from(place).unwrap_or(u32::MAX);
    u64::MAX.checked_shl(place).unwrap_or(0)
}

/// Places behind the last bit that is set.
#[inline]
fn leading(bits: u64) -> usize {
    usize::try_from(bits.leading_zeros()).unwrap_or(WIDE)
}

/// Which bytes are signs that look like letters.
#[inline]
fn sign(part: Part) -> Part {
    equal(part, b'@') | equal(part, b'$') | equal(part, b'!')
}

/// Which bytes of a chunk make a word one of digits and signs for letters, perhaps: a digit before
/// a letter, and a sign between two.
fn candidates(all: &SixtyFour, text: &[u8], at: usize) -> u64 {
    let small = all.within(b'a', b'z');
    // Those beside the chunk.
    let is_small = |place: Option<usize>| {
        let byte = place.and_then(|place| text.get(place));
        u64::from(byte.is_some_and(u8::is_ascii_lowercase))
    };
    let after = (small >> 1) | (is_small(at.checked_add(WIDE)) << 63);
    let before = (small << 1) | is_small(at.checked_sub(1));
    let digits = all.within(b'0', b'7') & !others(all);
    after & (digits | (all.ask(sign) & before))
}

/// Which bytes of a chunk stand in words: small letters, digits, and signs that look like letters.
#[inline]
fn words(all: &SixtyFour) -> u64 {
    all.ask(|part| within(part, b'a', b'z') | within(part, b'0', b'9') | sign(part))
}

/// Which bytes of a chunk are digits that look like no letter.
#[inline]
fn others(all: &SixtyFour) -> u64 {
    all.ask(|part| equal(part, b'2') | equal(part, b'6') | within(part, b'8', b'9'))
}

/// A byte of a word stands at a place.
fn part_at(text: &[u8], place: usize) -> bool {
    text.get(place).is_some_and(|&byte| is_part(byte))
}

/// A byte of a word stands before a place.
fn part_before(text: &[u8], place: usize) -> bool {
    place
        .checked_sub(1)
        .is_some_and(|before| part_at(text, before))
}

const fn is_part(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'@' | b'$' | b'!')
}

/// The letters, digits and signs around a place, not before a floor.
fn token(bytes: &[u8], at: usize, floor: usize) -> Range<usize> {
    let (mut start, mut end) = (at, at);
    while start > floor {
        let before = start.saturating_sub(WIDE).max(floor);
        let wide = start.saturating_sub(before);
        let others = !words(&SixtyFour::at(bytes, before)) & !from(wide);
        let gap = WIDE.saturating_sub(leading(others));
        start = before.saturating_add(gap);
        if gap > 0 {
            break;
        }
    }
    loop {
        let more = zeros(!words(&SixtyFour::at(bytes, end)));
        end = end.saturating_add(more);
        if more < WIDE {
            return start..end;
        }
    }
}

/// What is no letter stands between the letters of a word that begins at a place, or before three:
/// `1st`, `3d`, `md5` and `utf8` are none.
fn is_leet(letters: u64, start: usize) -> bool {
    let first = zeros(letters);
    // From the first letter on: all ones if nothing stands between them.
    let tail = letters >> (first & 63);
    let between = tail & tail.wrapping_add(1) != 0;
    letters != 0 && (between || (first > start && tail > 0b11))
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
        let all = SixtyFour::at(bytes, at);
        let word = words(&all);
        let mut whole = word;
        let mut next = at.saturating_add(WIDE);
        if word >> 63 == 1 && part_at(bytes, next) {
            // The last word goes on behind the chunk, and so is read from its beginning on.
            let start = WIDE.saturating_sub(leading(!word));
            next = if start > 0 {
                at.saturating_add(start)
            } else {
                // Too long to be one.
                token(bytes, at, at).end
            };
            whole &= !from(start);
        }
        let mut other = others(&all) & whole;
        while other != 0 {
            let place = zeros(other);
            let gap = !word & !from(place);
            let start = WIDE.saturating_sub(leading(gap));
            let end = place.saturating_add(zeros(!(word >> (place & 63))));
            whole &= !from(start) | from(end);
            other &= from(end);
        }
        // At the end a sign is what it looks like.
        let signs = all.ask(sign) & (word >> 1);
        let digits = all.within(b'0', b'9');
        let slots = letters.get_mut(at..).unwrap_or_default();
        each_bit((digits | signs) & whole, |place| {
            if let Some(slot) = slots.get_mut(place) {
                *slot = LETTERS.get(usize::from(*slot)).copied().unwrap_or(*slot);
            }
        });
        let one = all.equal(b'1') & whole;
        let doubled = one & ((one << 1) | (one >> 1));
        each_bit(doubled, |place| {
            if let Some(slot) = slots.get_mut(place) {
                *slot = b'l';
            }
        });
        let single = (one & !doubled) | (all.equal(b'!') & signs & whole);
        each_bit(single, |place| ones.push(at.saturating_add(place)));
        at = next;
    }
    *out = String::from_utf8(letters).unwrap_or_default();
}

/// Tells each bit that is set, in order.
#[inline]
fn each_bit(bits: u64, mut told: impl FnMut(usize)) {
    let mut left = bits;
    while left != 0 {
        told(zeros(left));
        left &= left.wrapping_sub(1);
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::arithmetic_side_effects, reason = "small numbers of a test")]

    use super::{Rows, each_word, is_part, restore};
    use proptest::prelude::*;
    use std::ops::Range;

    /// Words with digits and signs for letters, told byte by byte.
    fn words(text: &[u8]) -> Vec<Range<usize>> {
        let small = |at: usize| text.get(at).is_some_and(u8::is_ascii_lowercase);
        let begins = |at: usize| match text[at] {
            b'0' | b'1' | b'3' | b'4' | b'5' | b'7' => small(at + 1),
            b'@' | b'$' | b'!' => at > 0 && small(at - 1) && small(at + 1),
            _ => false,
        };
        let is_word = |word: &Range<usize>| {
            let part = &text[word.clone()];
            let letters = part.iter().filter(|byte| byte.is_ascii_lowercase()).count();
            let first = part.iter().position(u8::is_ascii_lowercase);
            let last = part.iter().rposition(u8::is_ascii_lowercase);
            let (Some(first), Some(last)) = (first, last) else {
                return false;
            };
            word.clone().any(begins)
                && part.len() <= 64
                && !part.iter().any(|byte| b"2689".contains(byte))
                && (last - first >= letters || (first > 0 && letters > 2))
                && !(part.contains(&b'@') && text.get(word.end) == Some(&b'.'))
        };
        parts(text).into_iter().filter(is_word).collect()
    }

    fn parts(text: &[u8]) -> Vec<Range<usize>> {
        let (mut parts, mut at) = (Vec::new(), 0);
        while at < text.len() {
            let len = text[at..].iter().take_while(|byte| is_part(**byte)).count();
            if len > 0 {
                parts.push(at..at + len);
            }
            at += len + 1;
        }
        parts
    }

    /// The text with its letters restored, and where a 1 has another reading, byte by byte.
    fn restored(text: &str) -> (String, Vec<usize>) {
        let (bytes, mut letters, mut ones) = (text.as_bytes(), text.as_bytes().to_vec(), vec![]);
        for part in parts(bytes) {
            let inside = &bytes[part.clone()];
            if inside.len() > 64 || inside.iter().any(|byte| b"2689".contains(byte)) {
                continue;
            }
            for at in part.clone() {
                let beside = |at: usize| part.contains(&at) && bytes[at] == b'1';
                let doubled = beside(at.wrapping_sub(1)) || beside(at + 1);
                let last = at + 1 == part.end;
                letters[at] = match bytes[at] {
                    b'1' if doubled => b'l',
                    sign @ (b'@' | b'$' | b'!') if last => sign,
                    byte => super::letter(byte).unwrap_or(byte),
                };
                if (bytes[at] == b'1' && !doubled) || (bytes[at] == b'!' && !last) {
                    ones.push(at);
                }
            }
        }
        (String::from_utf8(letters).expect("ASCII for ASCII"), ones)
    }

    fn texts() -> impl Strategy<Value = String> {
        let mixed = "([a-z0134157@$!.é -]|[0-9a-z]{1,9} |[a-z]{5,9}|[a-z1]{50,80}){0,60}";
        prop_oneof![mixed, "[a-z1!. ]{0,300}", "[ -~]{0,300}"]
    }

    proptest! {
        #[test]
        fn many_bytes_at_once_are_read_as_each_by_itself(text in texts()) {
            let mut found = Vec::new();
            let mut rows = Rows::default();
            rows.read(text.as_bytes());
            each_word(text.as_bytes(), &rows, |word| found.push(word));
            prop_assert_eq!(found, words(text.as_bytes()));
            let (mut out, mut ones) = (String::new(), Vec::new());
            restore(&text, &mut out, &mut ones);
            prop_assert_eq!((out, ones), restored(&text));
        }
    }
}
