//! Encoded parts of a text, decoded: percent signs, entities, escapes, and the runs of `base64`.
//!
//! Decides what is encoded: escapes must be several and close together, and are decoded with 64
//! bytes of what stands around them.

use super::base64;
use super::views::ViewKind;
use crate::each_byte::each_byte;
use crate::inspect::sixtyfour::{Part, SixtyFour, equal, within};
use memchr::memchr;
use std::ops::Range;

/// Bytes of plain text that are copied around escapes, and that may lie between them.
const CONTEXT: usize = 64;

/// Reports each encoded part of a text: its kind, where it stands, and what it decodes to.
pub(super) fn each(
    text: &str,
    scratch: &mut Vec<u8>,
    found: &mut impl FnMut(ViewKind, Range<usize>, &[u8]),
) {
    let mut seen = Seen::default();
    base64::runs(text.as_bytes(), scratch, &mut seen, found);
    for (kind, trigger, least, from) in [
        (ViewKind::Percent, PERCENT, 3, seen.percent),
        (ViewKind::Entity, ENTITY, 2, seen.entity),
        (ViewKind::Escape, ESCAPE, 2, seen.escape),
    ] {
        if let Some(from) = from {
            escapes(text, (kind, trigger, least), from, scratch, found);
        }
    }
}

/// What an encoded character begins with, by kind.
const PERCENT: u8 = b'%';
const ENTITY: u8 = b'&';
const ESCAPE: u8 = b'\\';

/// Where the rows of a text begin that are the first ones with what may be an encoded character, by
/// kind: most signs begin none, and most texts have none at all.
#[derive(Debug, Default)]
pub(super) struct Seen {
    percent: Option<usize>,
    entity: Option<usize>,
    escape: Option<usize>,
}

impl Seen {
    /// Looks at the row of a text at a place, which has signs that may begin one.
    pub(super) fn look(&mut self, text: &[u8], at: usize, row: &SixtyFour) {
        let next = SixtyFour::at(text, at.saturating_add(1));
        let digit = |part| within(part, b'0', b'9') | within(part | SMALL, b'a', b'f');
        let wide = next.ask(|part| equal(part | SMALL, b'u'));
        let percent = row.equal(PERCENT) & (next.ask(digit) | wide);
        let entity = row.equal(ENTITY) & (next.letters() | next.equal(b'#'));
        let escape = row.equal(ESCAPE) & (next.ask(|part| equal(part | SMALL, b'x')) | wide);
        for (first, bits) in [
            (&mut self.percent, percent),
            (&mut self.entity, entity),
            (&mut self.escape, escape),
        ] {
            if bits != 0 && first.is_none() {
                *first = Some(at);
            }
        }
    }
}

/// What makes a letter small.
const SMALL: Part = Part::new([0x20; 32]);

/// Stretches of a text with at least so many escapes of one kind, of which none begins before a
/// place.
fn escapes(
    text: &str,
    (kind, trigger, least): (ViewKind, u8, usize),
    start: usize,
    out: &mut Vec<u8>,
    found: &mut impl FnMut(ViewKind, Range<usize>, &[u8]),
) {
    let bytes = text.as_bytes();
    let next = |from: usize| {
        let rest = bytes.get(from..)?;
        Some(from.saturating_add(memchr(trigger, rest)?))
    };
    let (mut floor, mut from) = (0, start);
    while let Some(first) = next(from) {
        // Most of these characters begin nothing.
        if escape(kind, bytes.get(first..).unwrap_or(&[]), out).is_none() {
            from = first.saturating_add(1);
            continue;
        }
        out.clear();
        let start = text
            .floor_char_boundary(first.saturating_sub(CONTEXT))
            .max(floor);
        out.extend_from_slice(bytes.get(start..first).unwrap_or(&[]));
        let (mut at, mut count, mut after, mut written) = (first, 0_usize, first, out.len());
        while let Some(rest) = bytes.get(at..) {
            let search = if let Some(len) = escape(kind, rest, out) {
                at = at.saturating_add(len);
                count = count.saturating_add(1);
                (after, written) = (at, out.len());
                at
            } else {
                at.saturating_add(1)
            };
            let near = |place: &usize| place.saturating_sub(after) <= CONTEXT;
            // Often they stand right behind each other.
            let here = bytes.get(search) == Some(&trigger);
            let place = if here { Some(search) } else { next(search) };
            let Some(place) = place.filter(near) else {
                break;
            };
            out.extend_from_slice(bytes.get(at..place).unwrap_or(&[]));
            at = place;
        }
        let end = text.ceil_char_boundary(after.saturating_add(CONTEXT));
        if count >= least {
            out.truncate(written);
            out.extend_from_slice(bytes.get(after..end).unwrap_or(&[]));
            found(kind, start..end, out);
        }
        floor = if count >= least { end } else { floor };
        from = at.max(first).saturating_add(1).max(floor);
    }
}

/// Decodes the escape at the beginning of some text and answers its length.
fn escape(kind: ViewKind, text: &[u8], out: &mut Vec<u8>) -> Option<usize> {
    match kind {
        ViewKind::Percent => match text {
            [b'%', b'u' | b'U', rest @ ..] => unit(rest, 4, 2, out),
            [b'%', rest @ ..] => byte(rest, 1, out),
            _ => None,
        },
        ViewKind::Escape => match text {
            [b'\\', b'x' | b'X', rest @ ..] => byte(rest, 2, out),
            [b'\\', b'u', b'{', rest @ ..] => braced(rest, out),
            [b'\\', b'u', rest @ ..] => surrogates(rest, out).or_else(|| unit(rest, 4, 2, out)),
            [b'\\', b'U', rest @ ..] => unit(rest, 8, 2, out),
            _ => None,
        },
        ViewKind::Entity => entity(text, out),
        ViewKind::Hidden
        | ViewKind::Despaced
        | ViewKind::Leet
        | ViewKind::Base64
        | ViewKind::Hex => None,
    }
}

/// The value of so many hex digits, at most eight.
fn hex(text: &[u8], len: usize) -> Option<u32> {
    text.get(..len)?.iter().try_fold(0_u32, |value, &byte| {
        let digit = NIBBLES.get(usize::from(byte)).copied().unwrap_or(NONE);
        (digit != NONE).then(|| (value << 4) | u32::from(digit))
    })
}

/// No digit.
const NONE: u8 = u8::MAX;

/// The value of each hex digit.
const NIBBLES: [u8; 256] = each_byte!(byte => match byte {
    b'0'..=b'9' => byte.wrapping_sub(b'0'),
    b'a'..=b'f' => byte.wrapping_sub(b'a').wrapping_add(10),
    b'A'..=b'F' => byte.wrapping_sub(b'A').wrapping_add(10),
    _ => NONE,
});

fn push(code: u32, out: &mut Vec<u8>) {
    let c = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}

/// Two digits are a byte, which may be part of a character.
fn byte(text: &[u8], before: usize, out: &mut Vec<u8>) -> Option<usize> {
    out.push(u8::try_from(hex(text, 2)?).ok()?);
    Some(before.saturating_add(2))
}

fn unit(text: &[u8], digits: usize, before: usize, out: &mut Vec<u8>) -> Option<usize> {
    push(hex(text, digits)?, out);
    Some(before.saturating_add(digits))
}

/// The rest of a `\uD83D\uDE00`.
fn surrogates(text: &[u8], out: &mut Vec<u8>) -> Option<usize> {
    let high = hex(text, 4).filter(|code| (0xd800..0xdc00).contains(code))?;
    let rest = text.get(4..)?.strip_prefix(b"\\u")?;
    let low = hex(rest, 4).filter(|code| (0xdc00..0xe000).contains(code))?;
    push(
        0x1_0000_u32.saturating_add((high & 0x3ff) << 10) | (low & 0x3ff),
        out,
    );
    Some(12)
}

/// The rest of a `\u{1f600}`.
fn braced(text: &[u8], out: &mut Vec<u8>) -> Option<usize> {
    let len = text
        .iter()
        .take(7)
        .position(|&byte| byte == b'}')
        .filter(|&len| len > 0)?;
    push(hex(text, len)?, out);
    Some(len.saturating_add(4))
}

/// Named entities that stand for what rules look at.
const NAMED: [(&[u8], char); 30] = [
    (b"lt", '<'),
    (b"gt", '>'),
    (b"amp", '&'),
    (b"quot", '"'),
    (b"apos", '\''),
    (b"nbsp", ' '),
    (b"sol", '/'),
    (b"bsol", '\\'),
    (b"colon", ':'),
    (b"semi", ';'),
    (b"lpar", '('),
    (b"rpar", ')'),
    (b"lbrack", '['),
    (b"lsqb", '['),
    (b"rbrack", ']'),
    (b"rsqb", ']'),
    (b"lbrace", '{'),
    (b"lcub", '{'),
    (b"rbrace", '}'),
    (b"rcub", '}'),
    (b"equals", '='),
    (b"num", '#'),
    (b"percnt", '%'),
    (b"excl", '!'),
    (b"period", '.'),
    (b"comma", ','),
    (b"commat", '@'),
    (b"dollar", '$'),
    (b"Tab", '\t'),
    (b"NewLine", '\n'),
];

/// A numeric entity, with or without its semicolon, or a named one with it.
fn entity(text: &[u8], out: &mut Vec<u8>) -> Option<usize> {
    let (radix, before, rest) = match text {
        [b'&', b'#', b'x' | b'X', rest @ ..] => (16, 3_usize, rest),
        [b'&', b'#', rest @ ..] => (10, 2, rest),
        [b'&', rest @ ..] => {
            let len = rest.iter().take(9).position(|&byte| byte == b';')?;
            let name = rest.get(..len)?;
            let &(_, c) = NAMED.iter().find(|&&(known, _)| known == name)?;
            push(u32::from(c), out);
            return Some(len.saturating_add(2));
        }
        _ => return None,
    };
    let digits = rest
        .iter()
        .take(8)
        .map_while(|&byte| char::from(byte).to_digit(radix));
    let (mut code, mut len) = (0_u32, 0_usize);
    for digit in digits {
        code = code.saturating_mul(radix).saturating_add(digit);
        len = len.saturating_add(1);
    }
    if len == 0 {
        return None;
    }
    push(code, out);
    let semicolon = usize::from(rest.get(len) == Some(&b';'));
    Some(before.saturating_add(len).saturating_add(semicolon))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert, proptest};

    use super::{Seen, ViewKind, base64, escape};

    proptest! {
        #[test]
        fn nothing_encoded_stands_before_where_it_was_seen(
            text in "([a-f ]{0,40}(%[0-9a-gu]{0,5}|&#?x?[a-z0-9]{0,5};?|\\\\[xuUX{ny]?[0-9a-f]{0,4})){0,12}",
        ) {
            let (mut seen, mut out) = (Seen::default(), Vec::new());
            base64::runs(text.as_bytes(), &mut Vec::new(), &mut seen, &mut |_, _, _| {});
            for (kind, first) in [
                (ViewKind::Percent, seen.percent),
                (ViewKind::Entity, seen.entity),
                (ViewKind::Escape, seen.escape),
            ] {
                let begins = |at: usize| escape(kind, text.as_bytes().get(at..)?, &mut out);
                let place = (0..text.len()).find({ let mut begins = begins; move |&at| begins(at).is_some() });
                if let Some(place) = place {
                    prop_assert!(first.is_some_and(|first| first <= place), "{:?}", kind);
                }
            }
        }
    }
}
