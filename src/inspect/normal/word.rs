//! One word that holds letters of another script: is Latin meant, or is it that script?
//!
//! Decides from the word's letters alone, and from whether the text before it was Latin. Never
//! folds a word of genuine Russian, Greek or Armenian: letters nobody takes for Latin ones keep it.
//! May fold a short foreign word in a Latin sentence ("сор" becomes "cop"), which only matching sees.

use super::script::Script;
use super::table::Kind;
use crate::each_byte::each_byte;

/// An ASCII letter, and one that could be none of a script's.
const LETTER: u8 = 1;
const NOT_GREEK: u8 = 2;
const NOT_CYRILLIC: u8 = 4;

/// What each byte is to a word: nothing, or a letter.
const LETTERS: [u8; 256] = each_byte!(byte => if byte.is_ascii_alphabetic() {
    let greek = if Script::Greek.letter(byte).is_some() { 0 } else { NOT_GREEK };
    let cyrillic = if Script::Cyrillic.letter(byte).is_some() { 0 } else { NOT_CYRILLIC };
    LETTER | greek | cyrillic
} else {
    0
});

/// A word being read, from the first letter that is not Latin on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Word {
    /// Where it begins, in the canonical text and in the source.
    pub(super) out: usize,
    pub(super) source: usize,
    latin: u32,
    lookalike: u32,
    genuine: u32,
    /// The script of all genuine letters, unless there are several.
    script: Option<Script>,
    mixed: bool,
    /// What its ASCII letters are, see [`LETTERS`].
    seen: u8,
}

/// How a word is written in the canonical text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// As it is.
    Plain,
    /// With look-alikes as Latin letters.
    Latin,
    /// With Latin letters as letters of this script.
    Foreign(Script),
}

/// What the text before a word was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Before {
    pub(super) latin: bool,
    pub(super) genuine: bool,
}

impl Word {
    pub(super) const fn new(out: usize, source: usize) -> Self {
        Self {
            out,
            source,
            latin: 0,
            lookalike: 0,
            genuine: 0,
            script: None,
            mixed: false,
            seen: 0,
        }
    }

    /// Counts an ASCII byte of the word.
    #[inline]
    pub(super) fn ascii(&mut self, byte: u8) {
        let letter = LETTERS.get(usize::from(byte)).copied().unwrap_or(0);
        self.latin = self.latin.saturating_add(u32::from(letter & LETTER));
        self.seen |= letter;
    }

    /// Counts a character of the word as it was classified.
    #[inline]
    pub(super) fn letter(&mut self, kind: Kind, to: char) {
        match kind {
            Kind::Lookalike => self.lookalike = self.lookalike.saturating_add(1),
            Kind::Genuine => {
                self.genuine = self.genuine.saturating_add(1);
                let script = Script::of(to);
                self.mixed |= self.script.is_some() && self.script != script;
                self.script = script;
            }
            Kind::Latin => self.ascii(u8::try_from(to).unwrap_or(0)),
            Kind::Other
            | Kind::Sign
            | Kind::Mark
            | Kind::Space
            | Kind::Dropped
            | Kind::Regional
            | Kind::Several => {}
        }
    }

    /// Counts many letters of other scripts; `scripts` has the bits of the genuine ones'.
    pub(super) fn letters(&mut self, genuine: u32, lookalike: u32, scripts: u8) {
        self.genuine = self.genuine.saturating_add(genuine);
        self.lookalike = self.lookalike.saturating_add(lookalike);
        for script in Script::ALL {
            if scripts & script.bit() != 0 {
                self.mixed |= self.script.is_some_and(|known| known != script);
                self.script = Some(script);
            }
        }
    }

    /// How the finished word is to be read.
    pub(super) fn reading(&self, before: Before) -> Reading {
        if self.latin == 0 {
            let disguised = self.genuine == 0 && before.latin && !before.genuine;
            return if disguised {
                Reading::Latin
            } else {
                Reading::Plain
            };
        }
        let foreign = self.lookalike.saturating_add(self.genuine) > self.latin;
        match self.script.filter(|_| foreign && !self.mixed) {
            Some(Script::Greek) if self.seen & NOT_GREEK == 0 => Reading::Foreign(Script::Greek),
            Some(Script::Cyrillic) if self.seen & NOT_CYRILLIC == 0 => {
                Reading::Foreign(Script::Cyrillic)
            }
            Some(Script::Greek | Script::Cyrillic | Script::Rare) | None if self.lookalike > 0 => {
                Reading::Latin
            }
            Some(Script::Greek | Script::Cyrillic | Script::Rare) | None => Reading::Plain,
        }
    }

    /// Letters of two scripts stand in it.
    pub(super) const fn is_mixed(&self) -> bool {
        self.latin > 0
    }

    /// It is a word of a script that is not Latin.
    pub(super) const fn is_genuine(&self, reading: Reading) -> bool {
        match reading {
            Reading::Plain => self.latin == 0 && self.genuine > 0,
            Reading::Latin => false,
            Reading::Foreign(_) => true,
        }
    }
}

/// An ASCII byte that can stand in a disguised word.
#[inline]
pub(super) const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// A sign, which ends a word.
pub(super) const fn is_sign(byte: u8) -> bool {
    byte.is_ascii_graphic() && !is_word(byte)
}
