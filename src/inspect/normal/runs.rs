//! Runs of characters outside ASCII that need little thought: words of Greek, Cyrillic and other
//! scripts of two bytes a letter, and stretches of Han, kana and Hangul, which stay what they are.
//!
//! Decides nothing that the fold's way character by character would decide otherwise; it only
//! takes many at a time. Long stretches of the world's text are like this.

use super::fold::Fold;
use super::narrow::Narrow;

/// Bytes written at a time.
const PAD: usize = 64;

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

    /// Characters that stay what they are and end a word; how many bytes they are.
    pub(super) fn unchanged(&mut self, at: usize) -> usize {
        let rest = self.source.get(at..).unwrap_or_default();
        let mut len = 0_usize;
        for c in rest.chars() {
            if c.is_ascii() || !self.table.is_unchanged(c) {
                break;
            }
            self.last = c;
            len = len.saturating_add(c.len_utf8());
        }
        if len > 0 {
            self.close(at);
            self.out
                .extend_from_slice(rest.as_bytes().get(..len).unwrap_or_default());
            self.map.copy(at, len);
        }
        len
    }
}
