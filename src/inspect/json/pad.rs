//! Decodes a stretch of a string in one go: the characters as they read, and where escapes stood.
//!
//! Decides nothing: what is no plain character and no ordinary escape is left to the reader, which
//! knows what is wrong with it. Its buffers have one size, whatever the string, and belong to the
//! thread and not to a message: they are used from the start of a call to its end.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "lengths of parts of a slice, and of an array that is smaller than a u16"
)]

use std::cell::Cell;

use crate::each_byte::each_byte;

use super::decoded::{Decoded, Unit};
use super::escapes::{self, Escape};
use crate::inspect::sixtyfour::{SixtyFour, WIDE, WINDOW, below, equal, window, within, zeros};

/// Bytes of text.
const ROOM: usize = 1024 + WINDOW;
/// Escapes.
const UNITS: usize = 160 + WIDE / 2;

/// A stretch in the making.
pub(super) struct Pad {
    bytes: [u8; ROOM],
    len: usize,
    units: [Unit; UNITS],
    count: usize,
}

thread_local! {
    /// The thread's, while nobody has it.
    static SPARE: Cell<Option<Box<Pad>>> = const { Cell::new(None) };
}

impl Pad {
    /// Has the thread's pad used; a new one where that is in use.
    pub(super) fn lend<R>(then: impl FnOnce(&mut Self) -> R) -> R {
        let mut pad = SPARE.take().unwrap_or_else(|| Box::new(Self::new()));
        let outcome = then(&mut pad);
        SPARE.set(Some(pad));
        outcome
    }

    /// With nothing in it.
    const fn new() -> Self {
        Self {
            bytes: [0; ROOM],
            len: 0,
            units: [Unit::NONE; UNITS],
            count: 0,
        }
    }

    /// Forgets what it has and decodes the string from `here` on, up to its end, to what it can't
    /// decode, or until it is full; where that is.
    #[inline]
    pub(super) fn fill(&mut self, text: &str, here: usize) -> usize {
        (self.len, self.count) = (0, 0);
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
        let (mut done, mut extra) = (0, 0);
        loop {
            let rest = raw.get(done..).unwrap_or_default();
            let mut cut = None;
            let window = window(rest, &mut cut);
            let Some(end) = self.row(window, &mut extra) else {
                return done;
            };
            done = done.wrapping_add(end);
            let mut more = end == WIDE;
            while let Some([b'\\', behind @ ..]) = raw.get(done..) {
                if behind.first().is_some_and(|mark| short(*mark) != 0) {
                    // It lies across the end of the row.
                    more = true;
                    break;
                }
                let Some(took) = self.long(raw.get(done..).unwrap_or_default(), &mut extra) else {
                    return done;
                };
                (done, more) = (done + took, true);
            }
            if !more {
                return done;
            }
        }
    }

    /// Decodes a row, the first sixty-four bytes of a window, up to what ends it; where that is.
    /// None if there is no room.
    #[inline]
    fn row(&mut self, window: &[u8; WINDOW], extra: &mut u16) -> Option<usize> {
        let bytes = free::<WINDOW>(&mut self.bytes, self.len)?;
        let units = self.units.get_mut(self.count..)?;
        let units = units.first_chunk_mut::<{ WIDE / 2 }>()?;
        let at = u16::try_from(self.len).ok()?;
        let row = SixtyFour::new(window.first_chunk()?);
        let starts = begins(row.equal(b'\\'));
        let stop = row.ask(|part| within(part, 0, 0x1f) | equal(part, b'"'));
        // An escape across the end of the row is the next one's.
        let mut end = zeros((stop & !(starts << 1)) | (starts & LAST));
        let mut left = starts & below(end);
        // Where the characters begin that were not copied yet, and where they go.
        let (mut from, mut to) = (0_usize, 0_usize);
        for unit in units {
            if left == 0 {
                break;
            }
            let place = zeros(left);
            copy(window, from, bytes, to);
            to = to.wrapping_add(place.wrapping_sub(from));
            from = place;
            let ch = mark_at(window, place);
            if ch == 0 {
                end = place;
                break;
            }
            put(bytes, to, ch);
            *unit = Unit::new((at.wrapping_add(narrow(to)), *extra), (1, 2));
            *extra = unit.extra_behind();
            to = to.wrapping_add(1);
            from = place.wrapping_add(2);
            left &= left.wrapping_sub(1);
        }
        copy(window, from, bytes, to);
        let escapes = (starts & below(end)).count_ones();
        self.count = self
            .count
            .wrapping_add(usize::try_from(escapes).unwrap_or(0));
        self.len = self
            .len
            .wrapping_add(to)
            .wrapping_add(end.wrapping_sub(from));
        Some(end)
    }

    /// Decodes an escape that is no pair of bytes, if it is whole and right and there is room; how
    /// many bytes it took.
    fn long(&mut self, raw: &[u8], extra: &mut u16) -> Option<usize> {
        let (ch, wide, took) = long(raw)?;
        let at = u16::try_from(self.len).ok()?;
        let room = free(&mut self.bytes, self.len)?;
        let unit = self.units.get_mut(self.count)?;
        *room = ch;
        *unit = Unit::new((at, *extra), (wide, took));
        *extra = unit.extra_behind();
        self.count += 1;
        self.len += usize::from(wide);
        Some(usize::from(took))
    }
}

/// The last byte of a row.
const LAST: u64 = 1 << 63;

/// The place of a row. One behind the row is none of them, and then nothing is to be done there.
const ROW: usize = WIDE - 1;

/// Copies sixty-four bytes from a place of a row to another.
#[inline]
fn copy(window: &[u8; WINDOW], from: usize, bytes: &mut [u8; WINDOW], to: usize) {
    let part = window
        .get(from & ROW..)
        .and_then(<[u8]>::first_chunk::<WIDE>);
    let slots = bytes.get_mut(to & ROW..).and_then(<[u8]>::first_chunk_mut);
    if let (Some(part), Some(slots)) = (part, slots) {
        *slots = *part;
    }
}

/// What the escape at a place of a row means.
#[inline]
fn mark_at(window: &[u8; WINDOW], place: usize) -> u8 {
    let mark = window.get((place & ROW) + 1);
    mark.map_or(0, |mark| short(*mark))
}

/// Writes a byte at a place of a row.
#[inline]
fn put(bytes: &mut [u8; WINDOW], place: usize, byte: u8) {
    if let Some(slot) = bytes.get_mut(place & ROW) {
        *slot = byte;
    }
}

/// Which backslashes begin an escape: in a run of them, every other one.
#[inline]
const fn begins(slash: u64) -> u64 {
    const ODD: u64 = u64::from_ne_bytes([0xaa; 8]);
    // From each run's first one on, the difference carries through the run.
    let behind = (slash << 1) | ODD;
    (behind.wrapping_sub(slash) ^ ODD) & slash
}

/// A place in a row.
#[inline]
fn narrow(place: usize) -> u16 {
    u16::try_from(place & ROW).unwrap_or(0)
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

#[cfg(test)]
mod tests {
    use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};

    use super::{Pad, begins, escapes, short};

    /// What is decoded of a text one character at a time, and how many bytes of it.
    fn decoded(text: &str) -> (String, usize) {
        let (mut said, mut at) = (String::new(), 0);
        while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
            let (ch, len) = match rest.as_bytes() {
                [b'"' | 0..=0x1f, ..] => break,
                [b'\\', ..] => match escapes::decode(rest.as_bytes(), 0) {
                    Ok(escapes::Escape::Char(ch, len)) if ch != '\0' => (ch, usize::from(len)),
                    Ok(escapes::Escape::Char(..) | escapes::Escape::Cut) | Err(_) => break,
                },
                _ => rest
                    .chars()
                    .next()
                    .map_or(('?', 1), |ch| (ch, ch.len_utf8())),
            };
            said.push(ch);
            at = at.wrapping_add(len);
        }
        (said, at)
    }

    fn texts() -> impl Strategy<Value = String> {
        let escapes =
            r#"(\\[nt"/bfr\\]|\\u00e9|\\ud83d\\ude00|\\u[0d]{4}|[a-z ]|\u{20ac}|\\|"){0,90}"#;
        let many = r#"(\\[n"\\]){0,90}[\n"]?"#;
        let few = r#"([a-z]{0,70}(\\n|\\"|\\\\|\u{e9}|\\u0041)){0,9}[a-z]{0,70}\\?"#;
        prop_oneof![escapes, many, few]
    }

    proptest! {
        #[test]
        fn every_other_backslash_of_a_run_begins_an_escape(slash in any::<u64>(), more in any::<u64>()) {
            let slash = slash | more;
            let (mut want, mut escaped) = (0, false);
            for bit in (0..64).map(|bit| 1_u64 << bit) {
                escaped = slash & bit != 0 && !escaped;
                want |= if escaped { bit } else { 0 };
            }
            prop_assert_eq!(begins(slash), want);
        }

        #[test]
        fn many_bytes_at_once_are_decoded_as_each_by_itself(text in texts()) {
            let mut pad = Pad::new();
            let mut at = 0;
            let (want, end) = decoded(&text);
            let mut said = String::new();
            loop {
                let next = pad.fill(&text, at);
                let stretch = pad.decoded(7);
                let mut place = at.wrapping_add(7);
                for unit in stretch.escaped() {
                    let from = usize::try_from(unit.raw).expect("small").wrapping_sub(7).wrapping_add(at);
                    let part = text.get(from..).expect("a place");
                    prop_assert_eq!(part.as_bytes().first(), Some(&b'\\'));
                    let means = stretch.text().get(usize::from(unit.at)..).expect("a place");
                    let (alone, len) = decoded(part.get(..usize::from(unit.len)).expect("whole"));
                    prop_assert_eq!(alone.len(), usize::from(unit.wide));
                    prop_assert_eq!(means.get(..alone.len()), Some(alone.as_str()));
                    prop_assert_eq!(len, usize::from(unit.len));
                    prop_assert!(place <= from.wrapping_add(7));
                    place = from.wrapping_add(7);
                }
                prop_assert_eq!(stretch.raw_end(), u64::try_from(next.wrapping_sub(at).wrapping_add(7)).expect("small"));
                said.push_str(stretch.text());
                if next == at {
                    break;
                }
                at = next;
            }
            prop_assert_eq!((said, at), (want, end));
        }
    }

    #[test]
    fn what_a_mark_means_is_what_its_escape_means() {
        for mark in 0..=255_u8 {
            let alone = match escapes::decode(&[b'\\', mark], 0) {
                Ok(escapes::Escape::Char(ch, _)) => u8::try_from(ch).expect("ASCII"),
                Ok(escapes::Escape::Cut) | Err(_) => 0,
            };
            assert_eq!(short(mark), alone, "{mark}");
        }
    }
}
