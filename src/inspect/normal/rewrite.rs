//! Words with letters of another script: where they begin and end, and writing them anew.
//!
//! A word is written at most twice, so the fold stays linear.

use super::fold::Fold;
use super::script::Script;
use super::table::{Entry, Kind};
use super::word::{Reading, Word, is_word};

impl Fold<'_> {
    /// Begins a word at its first foreign letter, with the ASCII letters before it.
    pub(super) fn open(&mut self, at: usize) {
        if self.word.is_some() {
            return;
        }
        let letters = self
            .out
            .iter()
            .rev()
            .take_while(|&&byte| is_word(byte))
            .count();
        let out = self.out.len().saturating_sub(letters);
        let source = if letters == 0 {
            at
        } else {
            self.map.start(out)
        };
        let mut word = Word::new(out, source);
        for &byte in self.out.get(out..).unwrap_or(&[]) {
            word.ascii(byte);
        }
        self.word = Some(word);
    }

    #[inline]
    pub(super) fn count(&mut self, kind: Kind, to: char) {
        if let Some(word) = &mut self.word {
            word.letter(kind, to);
        }
    }

    /// Ends an open word: decides its reading and writes it anew if that is not how it stands.
    pub(super) fn close(&mut self, end: usize) {
        let Some(word) = self.word.take() else { return };
        self.look_for_latin(word.out);
        let reading = word.reading(self.before);
        self.before.genuine |= word.is_genuine(reading);
        if word.is_mixed() {
            self.oddities.mixed_words = self.oddities.mixed_words.saturating_add(1);
        } else if reading == Reading::Latin {
            self.oddities.disguised_words = self.oddities.disguised_words.saturating_add(1);
        }
        if reading != Reading::Plain {
            self.out.truncate(word.out);
            self.map.truncate(word.out);
            self.rewrite(word.source, end, reading);
        }
    }

    /// Notes whether there are Latin letters before a word that begins in the canonical text.
    pub(super) fn look_for_latin(&mut self, out: usize) {
        if !self.before.latin {
            let fresh = self.out.get(self.searched..out).unwrap_or(&[]);
            self.before.latin = fresh.iter().any(u8::is_ascii_alphabetic);
            self.searched = out;
        }
    }

    /// Writes the source of one word again. What it drops was counted the first time.
    fn rewrite(&mut self, start: usize, end: usize, reading: Reading) {
        let mut at = start;
        for c in self.source.get(start..end).unwrap_or_default().chars() {
            // Most letters of a disguised word are no others.
            if reading == Reading::Latin
                && let Ok(byte) = u8::try_from(c)
                && is_word(byte)
            {
                self.out.push(byte.to_ascii_lowercase());
                self.map.copy(at, 1);
                at = at.saturating_add(1);
                continue;
            }
            let Entry { kind, to, latin } = self.table.get(c);
            let width = c.len_utf8();
            let letter = match reading {
                Reading::Plain => to,
                Reading::Latin => latin.unwrap_or(to),
                Reading::Foreign(script) => foreign(to, script),
            };
            match kind {
                Kind::Dropped => {}
                Kind::Mark => self.mark(c, at, false),
                Kind::Several => self.rewrite_pieces(c, at, reading),
                Kind::Other
                | Kind::Sign
                | Kind::Latin
                | Kind::Genuine
                | Kind::Lookalike
                | Kind::Space
                | Kind::Regional => self.write(letter.to_ascii_lowercase(), at, width),
            }
            at = at.saturating_add(width);
        }
    }

    fn rewrite_pieces(&mut self, c: char, at: usize, reading: Reading) {
        let mut pieces = [(Kind::Other, '\0'); PIECES];
        let found = self.table.pieces(c);
        if found.iter().all(|&(kind, _)| kind == Kind::Mark) {
            return found
                .iter()
                .for_each(|&(_, mark)| self.mark(mark, at, false));
        }
        for (slot, &(kind, to)) in pieces.iter_mut().zip(found) {
            let to = match reading {
                Reading::Plain => to,
                Reading::Latin => self.table.get(to).latin.unwrap_or(to),
                Reading::Foreign(script) => foreign(to, script),
            };
            *slot = (kind, to);
        }
        self.write_all(pieces.get(..found.len()).unwrap_or(&[]), at, c.len_utf8());
    }
}

/// More than the longest expansion that is not left as it is.
const PIECES: usize = 16;

/// An ASCII letter as one of a script that it may stand in for.
fn foreign(to: char, script: Script) -> char {
    let letter = u8::try_from(to).ok().and_then(|byte| script.letter(byte));
    letter.unwrap_or(to)
}
