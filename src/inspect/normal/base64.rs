//! Runs of base64 characters and of hex digits, decoded.
//!
//! Decides what is encoded: a run must be long and decode to readable text. Never decodes what a
//! run of base64 hides after a first part that is no text (images, keys): 24 characters tell.

use super::kinds::{Kinds, halves, those};
use super::peel::Seen;
use super::views::ViewKind;
use crate::each_byte::each_byte;
use crate::inspect::sixtyfour::{SixtyFour, WIDE, zeros};
use std::ops::Range;

/// Shortest run of base64 characters or hex digits that is tried.
const RUN: usize = 24;

/// Line lengths of wrapped base64 are multiples of four from here on.
const LINE: usize = 40;

/// The value of a base64 character of either alphabet.
const fn sextet(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte.wrapping_sub(b'A')),
        b'a'..=b'z' => Some(byte.wrapping_sub(b'a').wrapping_add(26)),
        b'0'..=b'9' => Some(byte.wrapping_sub(b'0').wrapping_add(52)),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    }
}

/// Base64 characters, and what other encodings begin with.
const KINDS: Kinds = Kinds::new([
    // `+`, `-` and `/`.
    (those([2]), those([0xb, 0xd, 0xf])),
    // Digits.
    (those([3]), halves(0, 9)),
    // Letters.
    (those([4, 6]), halves(1, 15)),
    (those([5, 7]), halves(0, 0xa)),
    // `_`.
    (those([5]), those([0xf])),
    // `%` and `&`.
    (those([2]), those([5, 6])),
    // `\`.
    (those([5]), those([0xc])),
    (0, 0),
]);
const IN_RUNS: u8 = 0b0001_1111;
const TRIGGERS: u8 = 0b0110_0000;

/// Which of many bytes are base64 characters.
#[inline]
fn in_runs(all: &SixtyFour) -> u64 {
    KINDS.ask(all, IN_RUNS)
}

/// Reports each run that is readable: its kind, where it stands, and what it decodes to. Notes which
/// other encodings there may be, as it reads all of the text.
pub(super) fn runs(
    text: &[u8],
    scratch: &mut Vec<u8>,
    seen: &mut Seen,
    found: &mut impl FnMut(ViewKind, Range<usize>, &[u8]),
) {
    let mut at = 0_usize;
    while let Some(start) = next_run(text, at, seen) {
        let end = run_end(text, start);
        let run = text.get(start..end).unwrap_or(&[]);
        if let Some(kind) = decode_run(run, scratch) {
            found(kind, start..end, scratch);
        }
        at = end;
    }
}

/// Where the first run begins that is long enough, from a place on that is in none; tells of the
/// other encodings on the way.
fn next_run(text: &[u8], from: usize, seen: &mut Seen) -> Option<usize> {
    // Where the run begins that reaches the chunk at hand.
    let (mut at, mut start) = (from, from);
    while at < text.len() {
        let all = SixtyFour::at(text, at);
        if KINDS.any(&all, TRIGGERS) {
            seen.look(text, at, &all);
        }
        let inside = in_runs(&all);
        let reach = at.saturating_add(ones(inside));
        if reach.saturating_sub(start) >= RUN {
            return Some(start);
        }
        // Bits with so many set ones from them on.
        let two = inside & (inside >> 1);
        let four = two & (two >> 2);
        let eight = four & (four >> 4);
        let all = eight & (eight >> 8) & (eight >> 16);
        if all != 0 {
            return Some(at.saturating_add(ones(!all)));
        }
        at = at.saturating_add(WIDE);
        start = at.saturating_sub(usize::try_from(inside.leading_ones()).unwrap_or(WIDE));
    }
    None
}

/// How many of the lowest bits are set.
#[inline]
fn ones(bits: u64) -> usize {
    zeros(!bits)
}

/// How many base64 characters a text begins with.
fn run_len(text: &[u8]) -> usize {
    let mut len = 0_usize;
    while len < text.len() {
        let more = ones(in_runs(&SixtyFour::at(text, len)));
        len = len.saturating_add(more);
        if more < WIDE {
            break;
        }
    }
    len
}

/// Where a run ends: at its last line, if it is wrapped.
fn run_end(text: &[u8], start: usize) -> usize {
    let mut line = start;
    loop {
        let len = run_len(text.get(line..).unwrap_or(&[]));
        let end = line.saturating_add(len);
        let gap = match text.get(end..).unwrap_or(&[]) {
            [b'\r', b'\n', next, ..] if sextet(*next).is_some() => 2,
            [b'\n', next, ..] if sextet(*next).is_some() => 1,
            _ => return end,
        };
        if len < LINE || !len.is_multiple_of(4) {
            return end;
        }
        line = end.saturating_add(gap);
    }
}

/// Decodes a run if it is readable; what follows the readable part is left out.
fn decode_run(run: &[u8], out: &mut Vec<u8>) -> Option<ViewKind> {
    let digits = run.iter().filter(|byte| !byte.is_ascii_whitespace());
    if digits.clone().all(u8::is_ascii_hexdigit) {
        let nibble = |byte: &u8| {
            char::from(*byte)
                .to_digit(16)
                .and_then(|n| u8::try_from(n).ok())
        };
        out.clear();
        let mut nibbles = digits.filter_map(nibble);
        while let (Some(high), Some(low)) = (nibbles.next(), nibbles.next()) {
            out.push((high << 4) | low);
        }
        return keep_readable(out).then_some(ViewKind::Hex);
    }
    // Most runs are names, paths and keys: their beginning shows it.
    if sixteen(run.first_chunk()?).is_some_and(|bytes| is_noise(&bytes)) {
        return None;
    }
    decode_base64(run.get(..RUN)?, out);
    if !keep_readable(out) {
        return None;
    }
    decode_base64(run, out);
    keep_readable(out).then_some(ViewKind::Base64)
}

/// The value of each base64 character, and more than any has for others.
const SEXTETS: [u8; 256] = each_byte!(byte => match sextet(byte) {
    Some(value) => value,
    None => u8::MAX,
});

/// What sixteen base64 characters decode to; none if others are among them.
#[inline]
fn sixteen(run: &[u8; 16]) -> Option<[u8; 12]> {
    let (mut bytes, mut all) = ([0; 12], 0);
    let (slots, _) = bytes.as_chunks_mut::<3>();
    let (fours, _) = run.as_chunks::<4>();
    for (slot, four) in slots.iter_mut().zip(fours) {
        let [a, b, c, d] = four.map(value);
        all |= a | b | c | d;
        let [_, bytes @ ..] = ((a << 18) | (b << 12) | (c << 6) | d).to_be_bytes();
        *slot = bytes;
    }
    (all < 64).then_some(bytes)
}

/// Whether the beginning of something decoded shows that it is no text: it has control characters,
/// or is no UTF-8. What has zeros in it may be UTF-16.
fn is_noise(bytes: &[u8; 12]) -> bool {
    const OWN: u64 = 0xfff;
    let mut row = [b' '; WIDE];
    if let Some(slots) = row.first_chunk_mut() {
        *slots = *bytes;
    }
    let all = SixtyFour::new(&row);
    let zeros = all.equal(0);
    let white = all.either(b'\t', b'\n') | all.equal(b'\r');
    let odd = all.within(0, 0x1f) & !white | all.either(0x7f, 0xc0) | all.equal(0xc1);
    // The first bytes of characters of at least so many.
    let [two, three, four] = [0xc0, 0xe0, 0xf0].map(|first| all.within(first, 0xff));
    let rest = (two << 1) | (three << 2) | (four << 3);
    let wrong = odd | all.within(0xf5, 0xff) | (all.within(0x80, 0xbf) ^ rest);
    zeros == 0 && wrong & OWN != 0
}

fn value(byte: u8) -> u32 {
    u32::from(SEXTETS.get(usize::from(byte)).copied().unwrap_or(u8::MAX))
}

fn decode_base64(run: &[u8], out: &mut Vec<u8>) {
    out.clear();
    let mut rest = run;
    loop {
        if let Some((many, behind)) = rest.split_first_chunk()
            && let Some(bytes) = sixteen(many)
        {
            out.extend_from_slice(&bytes);
            rest = behind;
            continue;
        }
        let Some((four, behind)) = rest.split_first_chunk() else {
            break;
        };
        let [a, b, c, d] = four.map(value);
        if a >= 64 {
            // The end of a line.
            rest = rest.get(1..).unwrap_or_default();
            continue;
        }
        if (b | c | d) >= 64 {
            break;
        }
        let [_, bytes @ ..] = ((a << 18) | (b << 12) | (c << 6) | d).to_be_bytes();
        out.extend_from_slice(&bytes);
        rest = behind;
    }
    let (mut bits, mut count) = (0_u32, 0_u8);
    for sextet in rest.iter().filter_map(|&byte| sextet(byte)) {
        bits = (bits << 6) | u32::from(sextet);
        count = count.saturating_add(1);
        if count == 4 {
            let [_, a, b, c] = bits.to_be_bytes();
            out.extend_from_slice(&[a, b, c]);
            (bits, count) = (0, 0);
        }
    }
    match count {
        2 => out.extend((bits >> 4).to_le_bytes().first()),
        3 => {
            let [a, b, ..] = (bits >> 2).to_le_bytes();
            out.extend_from_slice(&[b, a]);
        }
        _ => {}
    }
}

/// Cuts decoded bytes after their readable part, if that is most of them.
fn keep_readable(bytes: &mut Vec<u8>) -> bool {
    let (pairs, _) = bytes.as_chunks::<2>();
    if pairs.len() > 3
        && pairs
            .iter()
            .take(8)
            .all(|&[low, high]| high == 0 && low != 0)
    {
        let narrow: Vec<u8> = pairs.iter().map(|&[low, _]| low).collect();
        *bytes = narrow;
    }
    let whole = bytes.len();
    let plain = |byte: &u8| byte.wrapping_sub(b' ') < 95;
    if whole > 0 && bytes.iter().fold(true, |all, byte| all & plain(byte)) {
        return true;
    }
    let valid = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => bytes
            .get(..error.valid_up_to())
            .and_then(|valid| std::str::from_utf8(valid).ok())
            .unwrap_or_default(),
    };
    let seen = |c: char| !c.is_control() || matches!(c, '\t' | '\n' | '\r');
    let len = valid.find(|c| !seen(c)).unwrap_or(valid.len());
    bytes.truncate(len);
    // A window may end inside a character.
    len > 0 && whole.saturating_sub(len) <= 3.max(whole / 8)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::{Just, Strategy, any, prop_assert, prop_oneof, proptest};

    use super::{is_noise, keep_readable};

    proptest! {
        #[test]
        fn what_can_be_read_is_no_noise(
            head in vec(prop_oneof!["[ -~\t\n]", "[\u{e9}\u{20ac}\u{1f600}]"], 18),
            other in prop_oneof![Just(None), (0..18_usize, any::<u8>()).prop_map(Some)],
        ) {
            let mut bytes = head.concat().into_bytes();
            bytes.truncate(18);
            if let Some((place, byte)) = other {
                bytes[place] = byte;
            }
            let noise = bytes.first_chunk().is_some_and(is_noise);
            prop_assert!(!(noise && keep_readable(&mut bytes)));
        }
    }

    #[test]
    fn names_and_lines_are_noise_and_words_are_none() {
        for (bytes, noise) in [
            (b"ignore all p", false),
            (b"i\0g\0n\0o\0r\0e\0", false),
            (
                "\u{438}\u{433}\u{43d}\u{43e}\u{440}\u{438}"
                    .as_bytes()
                    .first_chunk()
                    .expect("12"),
                false,
            ),
            (b"ign\xfbre all p", true),
            (b"\x80gnore all p", true),
            (b"ignore all\x01p", true),
            (b"ignore al\xc3 p", true),
        ] {
            assert_eq!(is_noise(bytes), noise, "{bytes:?}");
        }
    }
}
