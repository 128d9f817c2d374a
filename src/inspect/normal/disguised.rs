//! Words of ASCII letters and look-alikes, taken whole: each is written once, as it is read.
//!
//! Decides nothing that counting a word's letters and writing it anew would decide otherwise. A word
//! goes that way if it is long, has a letter nobody takes for a Latin one, or stands beside
//! something that may belong to it.

use super::ascii;
use super::fold::Fold;
use super::kinds::{Kinds, halves, those};
use super::map::TOLD;
use super::narrow::Disguises;
use super::word::{is_sign, is_word};
use crate::inspect::sixtyfour::{SixtyFour, WIDE, WINDOW, below, window, zeros};

const KINDS: Kinds = Kinds::new([
    // Letters.
    (those([4, 6]), halves(1, 15)),
    (those([5, 7]), halves(0, 0xa)),
    // Digits.
    (those([3]), halves(0, 9)),
    // `_`.
    (those([5]), those([0xf])),
    // Characters of two bytes.
    (halves(8, 0xd), halves(0, 15)),
    (0, 0),
    (0, 0),
    (0, 0),
]);
const IN_WORDS: u8 = 0b0001_1111;

/// A word as it reads in Latin letters.
struct Latin {
    /// The letters, and whatever behind them.
    letters: [u8; WIDE],
    count: usize,
    /// Which of them came from two bytes.
    twos: u32,
    /// Some are Latin ones in the source.
    mixed: bool,
}

impl Fold<'_> {
    /// The rest of a word with look-alikes from its first one on, and a sign or white space behind
    /// it; how many bytes of the source they are. Zero if it has to be read letter by letter.
    pub(super) fn disguised(&mut self, at: usize) -> usize {
        let source = self.source.as_bytes();
        let pair = source.get(at..).and_then(<[u8]>::first_chunk);
        let looks = |pair: &[u8; 2]| self.table.disguises.get(*pair) != 0;
        if self.word.is_some() || !pair.is_some_and(looks) {
            return 0;
        }
        let before = source.get(..at).unwrap_or_default().iter().rev();
        let head = before.take(TOLD).take_while(|&&byte| is_word(byte)).count();
        let out = self.out.len().saturating_sub(head);
        // What was written for other characters may belong to the word.
        let written = self.out.get(..out).and_then(<[u8]>::last);
        if written.is_some_and(|&byte| is_word(byte)) {
            return 0;
        }
        let rest = source.get(at.saturating_sub(head)..).unwrap_or_default();
        let mut cut = None;
        let window = window(rest, &mut cut);
        let row = SixtyFour::at(window, 0);
        let len = zeros(!KINDS.ask(&row, IN_WORDS));
        let end = match rest.get(len) {
            None => None,
            Some(&byte) if ascii::is_white(byte) => Some(b' '),
            Some(&byte) if is_sign(byte) => Some(byte),
            Some(_) => return 0,
        };
        let Some(mut latin) = latin(&self.table.disguises, window, &row, len) else {
            return 0;
        };
        self.look_for_latin(out);
        if latin.mixed {
            self.oddities.mixed_words = self.oddities.mixed_words.saturating_add(1);
        } else if self.before.latin && !self.before.genuine {
            self.oddities.disguised_words = self.oddities.disguised_words.saturating_add(1);
        } else {
            return 0;
        }
        if let Some(end) = end
            && let Some(slot) = latin.letters.get_mut(latin.count)
        {
            *slot = end;
            latin.count = latin.count.saturating_add(1);
        }
        let count = latin.count.saturating_sub(head);
        self.map.narrowed(at, count, latin.twos >> head);
        // A copy of a length known beforehand is much the faster one: all is written, whatever of
        // it is right.
        self.out.truncate(out);
        self.out.extend_from_slice(&latin.letters);
        self.out.truncate(out.saturating_add(latin.count));
        len.saturating_add(usize::from(end.is_some()))
            .saturating_sub(head)
    }
}

/// Reads a word of so many bytes at the beginning of a row; none if not all of it is ASCII letters
/// and look-alikes, or if it is too long.
#[inline]
fn latin(
    disguises: &Disguises,
    window: &[u8; WINDOW],
    row: &SixtyFour,
    len: usize,
) -> Option<Latin> {
    let mut left = !row.within(0x80, 0xbf) & below(len);
    let count = usize::try_from(left.count_ones()).unwrap_or(WIDE);
    if count >= TOLD {
        return None;
    }
    let (mut letters, mut twos, mut mixed, mut other) = ([0; WIDE], 0_u32, 0_u8, false);
    for (n, slot) in (0_u32..).zip(letters.iter_mut().take(count)) {
        let place = zeros(left) & (WIDE - 1);
        left &= left.wrapping_sub(1);
        let pair = window.get(place..).and_then(<[u8]>::first_chunk)?;
        let letter = disguises.get(*pair);
        let [lead, _] = *pair;
        other |= letter == 0;
        mixed |= letter;
        twos |= u32::from(lead >> 7) << (n & 31);
        *slot = letter & 0x7f;
    }
    (!other).then_some(Latin {
        letters,
        count,
        twos,
        mixed: mixed >= 0x80,
    })
}
