//! What one escape means. A pure function of the bytes from the backslash on, used both on the
//! input as it stands and on the few bytes kept when a cut goes through an escape, so that the
//! two cannot disagree.

use super::JsonError;

/// The longest escape: a surrogate pair, `\uD83D\uDE00`.
pub(super) const LONGEST: usize = 12;

/// What the bytes of an escape come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Escape {
    /// A character, and the bytes that it took.
    Char(char, u8),
    /// Right so far, but cut off.
    Cut,
}

/// Reads the escape at the start of `raw`, whose first byte is the backslash, at `offset` of the
/// body.
pub(super) fn decode(raw: &[u8], offset: u64) -> Result<Escape, JsonError> {
    match (quick(raw), raw.get(1)) {
        (Some((ch, len)), _) => Ok(Escape::Char(ch, len)),
        (None, None) => Ok(Escape::Cut),
        (None, Some(b'u')) => unicode(raw, offset),
        (None, Some(_)) => Err(JsonError::Malformed {
            offset: offset.saturating_add(1),
        }),
    }
}

/// The escape at the start of `raw`, if it is whole, right, and not a surrogate: nearly all are.
#[inline]
pub(super) fn quick(raw: &[u8]) -> Option<(char, u8)> {
    let ch = match raw {
        [b'\\', b'u', a, b, c, d, ..] => {
            let [a, b, c, d] = [a, b, c, d].map(|&digit| hex(digit));
            if (a | b | c | d) > 0xF {
                return None;
            }
            return char::from_u32(a << 12 | b << 8 | c << 4 | d).map(|ch| (ch, 6));
        }
        [b'\\', b'n', ..] => '\n',
        [b'\\', b'"', ..] => '"',
        [b'\\', b'\\', ..] => '\\',
        [b'\\', b'/', ..] => '/',
        [b'\\', b't', ..] => '\t',
        [b'\\', b'r', ..] => '\r',
        [b'\\', b'b', ..] => '\u{8}',
        [b'\\', b'f', ..] => '\u{c}',
        _ => return None,
    };
    Some((ch, 2))
}

/// `\uXXXX`, or two of them where the first is the high half of a pair.
#[inline]
fn unicode(raw: &[u8], offset: u64) -> Result<Escape, JsonError> {
    let Some(first) = hex4(raw, 2, offset)? else {
        return Ok(Escape::Cut);
    };
    match char::from_u32(u32::from(first)) {
        Some(ch) => Ok(Escape::Char(ch, 6)),
        None => second_half(raw, first, offset),
    }
}

/// What must follow the half `first`: a backslash, `u` and the low half. Judged byte by byte as
/// far as they are there, so that a cut changes no error.
fn second_half(raw: &[u8], first: u16, offset: u64) -> Result<Escape, JsonError> {
    let lone = JsonError::LoneSurrogate { offset };
    if first >= 0xDC00 {
        return Err(lone);
    }
    match (raw.get(6), raw.get(7)) {
        (None, _) | (Some(b'\\'), None) => return Ok(Escape::Cut),
        (Some(b'\\'), Some(b'u')) => {}
        (Some(_), _) => return Err(lone),
    }
    let Some(second) = hex4(raw, 8, offset)? else {
        return Ok(Escape::Cut);
    };
    match char::decode_utf16([first, second]).next() {
        Some(Ok(ch)) => Ok(Escape::Char(ch, 12)),
        Some(Err(_)) | None => Err(lone),
    }
}

/// Four hexadecimal digits from `from` on; `None` if they are cut off.
fn hex4(raw: &[u8], from: usize, offset: u64) -> Result<Option<u16>, JsonError> {
    let mut value = 0_u16;
    for place in (from..).take(4) {
        let Some(&byte) = raw.get(place) else {
            return Ok(None);
        };
        let Ok(digit @ 0..=0xF) = u16::try_from(hex(byte)) else {
            let place = u64::try_from(place).unwrap_or(u64::MAX);
            return Err(JsonError::Malformed {
                offset: offset.saturating_add(place),
            });
        };
        value = value << 4 | digit;
    }
    Ok(Some(value))
}

/// The value of each byte as a hexadecimal digit; above 15 if it is none.
#[expect(
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "worked out by the compiler, where a wrong index is an error"
)]
const HEX: [u8; 256] = {
    let mut table = [0xFF; 256];
    let mut digit = 0_u8;
    while digit < 16 {
        let (lower, upper) = match digit {
            0..=9 => (b'0' + digit, b'0' + digit),
            _ => (b'a' - 10 + digit, b'A' - 10 + digit),
        };
        table[lower as usize] = digit;
        table[upper as usize] = digit;
        digit += 1;
    }
    table
};

#[inline]
fn hex(byte: u8) -> u32 {
    HEX.get(usize::from(byte))
        .copied()
        .map_or(u32::MAX, u32::from)
}
