//! Decodes a stretch of a string in one go: the characters as they read, and where escapes stood.
//!
//! Decides nothing: what is no plain character and no ordinary escape is left to the reader, which
//! knows what is wrong with it. Its buffers have one size, whatever the string.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "lengths of parts of a slice, and of an array that is smaller than a u16"
)]

use crate::each_byte::each_byte;

use super::decoded::{Decoded, Unit};
use super::escapes::{self, Escape};
use super::plain::{ends_in, ends_run, first_byte};
use crate::inspect::sixtyfour::{SixtyFour, WIDE, zeros};

/// Bytes of text.
const ROOM: usize = 1024;
/// Escapes.
const UNITS: usize = 160;

/// A stretch in the making.
pub(super) struct Pad {
    bytes: [u8; ROOM],
    len: usize,
    units: [Unit; UNITS],
    count: usize,
}

impl Pad {
    /// With nothing in it.
    pub(super) const fn new() -> Self {
        Self {
            bytes: [0; ROOM],
            len: 0,
            units: [Unit::NONE; UNITS],
            count: 0,
        }
    }

    /// Decodes the string from `here` on, up to its end, to what it can't decode, or until it is
    /// full; where that is.
    #[inline]
    pub(super) fn fill(&mut self, text: &str, here: usize) -> usize {
        let done = here + self.read(text.as_bytes().get(here..).unwrap_or_default());
        // Several bytes at a time may have ended inside a character.
        let whole = text.floor_char_boundary(done);
        self.len = self.len.saturating_sub(done - whole);
        whole
    }

    /// What was decoded, which stands in the body from `at` on.
    pub(super) fn decoded(&self, at: u64) -> Decoded<'_> {
        let bytes = self.bytes.get(..self.len).unwrap_or_default();
        // Whole characters of a text, and whole characters.
        let text = simdutf8::basic::from_utf8(bytes).unwrap_or_default();
        let units = self.units.get(..self.count).unwrap_or_default();
        Decoded::new(at, text, units)
    }

    /// How many bytes of `raw` were decoded.
    #[inline]
    fn read(&mut self, raw: &[u8]) -> usize {
        let mut rest = raw;
        // Bytes that the escapes took more than their characters.
        let mut extra = 0;
        let (mut len, mut units) = (0, self.units.iter_mut());
        loop {
            // Escapes often come in twos and threes.
            if rest.first() != Some(&b'\\') {
                (rest, len) = run(rest, &mut self.bytes, len);
            }
            let Ok(at) = u16::try_from(len) else {
                break;
            };
            let [b'\\', escape @ ..] = rest else {
                break;
            };
            if let [mark, after @ ..] = escape
                && short(*mark) != 0
            {
                let Some(room) = self.bytes.get_mut(len) else {
                    break;
                };
                let Some(unit) = units.next() else {
                    break;
                };
                *room = short(*mark);
                *unit = Unit::new((at, extra), (1, 2));
                extra = unit.extra_behind();
                len += 1;
                rest = after;
                continue;
            }
            let Some((ch, wide, took)) = long(rest) else {
                break;
            };
            let Some(room) = free(&mut self.bytes, len) else {
                break;
            };
            let Some(unit) = units.next() else {
                break;
            };
            *room = ch;
            *unit = Unit::new((at, extra), (wide, took));
            extra = unit.extra_behind();
            len += usize::from(wide);
            rest = rest.get(usize::from(took)..).unwrap_or_default();
        }
        self.count = UNITS - units.len();
        self.len = len;
        raw.len() - rest.len()
    }
}

/// Copies plain characters to a place; what follows them, and the place behind.
#[inline]
fn run<'a>(mut raw: &'a [u8], to: &mut [u8; ROOM], mut len: usize) -> (&'a [u8], usize) {
    // Many runs are no longer than a word. How long the others are nobody can foresee, so that
    // many bytes are looked at together.
    if let Some((word, after)) = raw.split_first_chunk::<8>()
        && let Some(room) = free(to, len)
    {
        *room = *word;
        let ends = ends_in(u64::from_le_bytes(*word));
        if ends != 0 {
            let plain = first_byte(ends);
            return (raw.get(plain..).unwrap_or_default(), len + plain);
        }
        len += 8;
        raw = after;
    }
    while let Some(block) = raw.first_chunk::<WIDE>()
        && let Some(room) = free(to, len)
    {
        *room = *block;
        let all = SixtyFour::new(block);
        let ends = all.within(0, 0x1f) | all.either(b'"', b'\\');
        let plain = zeros(ends);
        raw = raw.get(plain..).unwrap_or_default();
        len += plain;
        if ends != 0 {
            return (raw, len);
        }
    }
    // The last bytes of what there is; with more, it is the room that is at its end.
    while raw.len() < WIDE
        && let Some((&byte, after)) = raw.split_first()
        && !ends_run(byte)
        && let Some(room) = free(to, len)
    {
        *room = [byte];
        len += 1;
        raw = after;
    }
    (raw, len)
}

/// The free bytes at a place.
#[inline]
fn free<const N: usize>(bytes: &mut [u8; ROOM], len: usize) -> Option<&mut [u8; N]> {
    bytes.get_mut(len..)?.first_chunk_mut()
}

/// What each byte means behind a backslash; zero for those that mean no character by themselves.
const SHORT: [u8; 256] = each_byte!(byte => match byte {
    b'n' => b'\n',
    b't' => b'\t',
    b'r' => b'\r',
    b'b' => 0x08,
    b'f' => 0x0c,
    b'"' | b'\\' | b'/' => byte,
    _ => 0,
});

#[inline]
fn short(mark: u8) -> u8 {
    SHORT.get(usize::from(mark)).copied().unwrap_or(0)
}

/// The escape at the start of `raw`, its character's bytes and how many, and how many it took; if
/// it is whole and right, and not U+0000, which may be forbidden.
fn long(raw: &[u8]) -> Option<([u8; 4], u8, u8)> {
    let (ch, took) = match escapes::quick(raw) {
        Some(('\0', _)) => return None,
        Some(found) => found,
        None => match escapes::decode(raw, 0) {
            Ok(Escape::Char(ch, len)) => (ch, len),
            Ok(Escape::Cut) | Err(_) => return None,
        },
    };
    let mut bytes = [0; 4];
    let wide = ch.encode_utf8(&mut bytes).len();
    Some((bytes, u8::try_from(wide).ok()?, took))
}
