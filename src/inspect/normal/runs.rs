//! Runs of characters outside ASCII that need little thought: words of Greek, Cyrillic and other
//! scripts of two bytes a letter, and stretches of Han, kana and Hangul, which stay what they are.
//!
//! Decides nothing that the fold's way character by character would decide otherwise; it only
//! takes many at a time. Long stretches of the world's text are like this.

use super::ascii;
use super::fold::Fold;
use super::narrow::Narrow;
use super::table::Table;
use super::word::{is_sign, is_word};

/// Bytes written at a time.
const PAD: usize = 64;

/// Bytes of words written at a time. A word that is longer than half of it goes the slow way.
const PAGE: usize = 256;

impl Fold<'_> {
    /// Letters of two bytes that stay as wide; how many bytes of the source they are.
    pub(super) fn letters(&mut self, at: usize) -> usize {
        let rest = self.source.as_bytes().get(at..).unwrap_or_default();
        let (pairs, _) = rest.as_chunks::<2>();
        let narrow = |pair: &[u8; 2]| self.table.narrow(*pair);
        if !pairs.first().is_some_and(|pair| narrow(pair).is_letter()) {
            return 0;
        }
        self.open(at);
        let (mut genuine, mut lookalike, mut scripts) = (0_u32, 0_u32, 0_u8);
        let (mut pad, mut filled, mut len) = ([0_u8; PAD], 0_usize, 0_usize);
        let mut last = Narrow::default();
        for pair in pairs {
            let letter = self.table.narrow(*pair);
            if !letter.is_letter() {
                break;
            }
            if let Some(place) = pad.get_mut(filled..filled.saturating_add(2)) {
                place.copy_from_slice(&letter.bytes());
            }
            genuine = genuine.saturating_add(letter.genuine());
            lookalike = lookalike.saturating_add(1_u32.saturating_sub(letter.genuine()));
            scripts |= letter.script();
            last = letter;
            len = len.saturating_add(2);
            filled = filled.saturating_add(2);
            if filled == PAD {
                self.out.extend_from_slice(&pad);
                filled = 0;
            }
        }
        self.out
            .extend_from_slice(pad.get(..filled).unwrap_or_default());
        if let Some(word) = &mut self.word {
            word.letters(genuine, lookalike, scripts);
        }
        self.map.copy(at, len);
        self.last = last.char();
        len
    }

    /// Words wholly of letters of two bytes, with the signs and single spaces around them, once the
    /// text has had a genuine word of another script: none of them is taken for a Latin one from
    /// then on, so that nothing has to be counted. How many bytes of the source they are; zero if
    /// the next word is not such a one.
    pub(super) fn words(&mut self, at: usize) -> usize {
        let joined = self.out.last().is_some_and(|&byte| is_word(byte));
        if !self.before.genuine || self.word.is_some() || joined {
            return 0;
        }
        let mut tail = self.source.as_bytes().get(at..).unwrap_or_default();
        let (mut pad, mut filled, mut len) = ([0_u8; PAGE], 0_usize, 0_usize);
        let mut last = [0; 2];
        loop {
            if filled > PAGE / 2 {
                self.out
                    .extend_from_slice(pad.get(..filled).unwrap_or_default());
                filled = 0;
            }
            let free = pad.get_mut(filled..).unwrap_or_default();
            let letters = pairs(self.table, tail, free);
            let after = tail.get(letters..).unwrap_or_default();
            // Something that may belong to the word follows it.
            let ends = match after.first() {
                None => true,
                Some(&byte) => ascii::is_white(byte) || is_sign(byte),
            };
            if letters == 0 || !ends {
                break;
            }
            let (written, free) = free.split_at_mut_checked(letters).unwrap_or_default();
            if let Some(letter) = written.last_chunk() {
                last = *letter;
            }
            let signs = signs(after, free);
            let done = letters.saturating_add(signs);
            filled = filled.saturating_add(done);
            len = len.saturating_add(done);
            tail = after.get(signs..).unwrap_or_default();
        }
        self.out
            .extend_from_slice(pad.get(..filled).unwrap_or_default());
        if len > 0 {
            self.last = self.table.narrow(last).char();
            self.map.copy(at, len);
        }
        len
    }

    /// Characters that stay what they are and end a word, with the signs and single spaces behind
    /// them; how many bytes they are.
    pub(super) fn unchanged(&mut self, at: usize) -> usize {
        let rest = self.source.get(at..).unwrap_or_default();
        let mut len = 0_usize;
        loop {
            let tail = rest.get(len..).unwrap_or_default();
            let (triples, _) = tail.as_bytes().as_chunks::<3>();
            let plain = |[lead, ..]: &&[u8; 3]| self.table.is_plain_lead(*lead);
            let same = triples.iter().take_while(plain).count();
            if same > 0 {
                len = len.saturating_add(same.saturating_mul(3));
                continue;
            }
            let few = self.narrow_ones(
                tail,
                rest.get(..len).is_some_and(|text| text.ends_with(' ')),
            );
            if few > 0 {
                len = len.saturating_add(few);
                continue;
            }
            let next = tail.chars().next();
            let Some(c) = next.filter(|c| !c.is_ascii() && self.table.is_unchanged(*c)) else {
                break;
            };
            len = len.saturating_add(c.len_utf8());
        }
        let same = rest.get(..len).unwrap_or_default();
        if let Some(last) = same.chars().next_back() {
            // Closing writes the word before anew, and so notes another last character.
            self.close(at);
            self.last = last;
            self.out.extend_from_slice(same.as_bytes());
            self.map.copy(at, len);
        }
        len
    }

    /// How many bytes the characters of two bytes that stay what they are take at the start of a
    /// text, with the signs and single spaces between them; whether a space stands before it.
    fn narrow_ones(&self, text: &str, spaced: bool) -> usize {
        let mut spaced = spaced;
        let stays = |c: &char| {
            let after_space = std::mem::replace(&mut spaced, *c == ' ');
            match u8::try_from(*c).ok().filter(u8::is_ascii) {
                Some(byte) => is_sign(byte) || (byte == b' ' && !after_space),
                None => *c < '\u{800}' && self.table.is_unchanged(*c),
            }
        };
        text.chars().take_while(stays).map(char::len_utf8).sum()
    }
}

/// Writes the letters of two bytes at the start of a text; how many bytes they are. None if there
/// is no room for them.
#[inline]
fn pairs(table: &Table, text: &[u8], free: &mut [u8]) -> usize {
    let (pairs, _) = text.as_chunks::<2>();
    let (slots, _) = free.as_chunks_mut::<2>();
    let room = slots.len();
    let write = |(pair, slot): &mut (&[u8; 2], &mut [u8; 2])| {
        **slot = table.pairs.get(**pair);
        **slot != [0; 2]
    };
    let letters = pairs
        .iter()
        .zip(slots)
        .map_while(|mut both| write(&mut both).then_some(()))
        .count();
    if letters < room {
        letters.saturating_mul(2)
    } else {
        0
    }
}

/// Writes the signs and single spaces behind a word, as far as there is room for them; how many
/// they are.
fn signs(text: &[u8], free: &mut [u8]) -> usize {
    let (mut len, mut after_space) = (0_usize, false);
    for (&byte, slot) in text.iter().zip(free) {
        let white = ascii::is_white(byte);
        if (white && after_space) || !(white || is_sign(byte)) {
            break;
        }
        *slot = if white { b' ' } else { byte };
        after_space = white;
        len = len.saturating_add(1);
    }
    len
}
