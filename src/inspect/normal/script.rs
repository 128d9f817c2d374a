//! Scripts whose letters can be taken for Latin ones.
//!
//! Decides the script of a letter by its block, and which of its letters an ASCII one stands in
//! for. Never tells Armenian, Cherokee, Coptic and the like apart.

/// Scripts with look-alikes, as far as they are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Script {
    Greek,
    Cyrillic,
    Rare,
}

impl Script {
    /// All of them.
    pub(super) const ALL: [Self; 3] = [Self::Greek, Self::Cyrillic, Self::Rare];

    /// A bit of its own.
    pub(super) const fn bit(self) -> u8 {
        match self {
            Self::Greek => 1,
            Self::Cyrillic => 2,
            Self::Rare => 4,
        }
    }

    /// The script of a letter, if it is one with letters that look Latin.
    pub(super) const fn of(c: char) -> Option<Self> {
        match c {
            '\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}' => Some(Self::Greek),
            '\u{400}'..='\u{52f}' | '\u{1c80}'..='\u{1c8f}' | '\u{a640}'..='\u{a69f}' => {
                Some(Self::Cyrillic)
            }
            '\u{530}'..='\u{58f}'
            | '\u{10a0}'..='\u{10ff}'
            | '\u{13a0}'..='\u{167f}'
            | '\u{16a0}'..='\u{16ff}'
            | '\u{18b0}'..='\u{18ff}'
            | '\u{1c90}'..='\u{1cbf}'
            | '\u{2c80}'..='\u{2d7f}'
            | '\u{a4d0}'..='\u{a4ff}'
            | '\u{ab70}'..='\u{abbf}'
            | '\u{10280}'..='\u{1031f}'
            | '\u{10400}'..='\u{104ff}'
            | '\u{118a0}'..='\u{118ff}' => Some(Self::Rare),
            _ => None,
        }
    }

    /// The letter of this script that an ASCII letter may stand in for.
    pub(super) const fn letter(self, ascii: u8) -> Option<char> {
        match (self, ascii.to_ascii_lowercase()) {
            (Self::Cyrillic, b'a') => Some('а'),
            (Self::Cyrillic, b'b') => Some('в'),
            (Self::Cyrillic, b'c') => Some('с'),
            (Self::Cyrillic, b'e') => Some('е'),
            (Self::Cyrillic, b'h') => Some('н'),
            (Self::Cyrillic, b'i') => Some('і'),
            (Self::Cyrillic, b'k') => Some('к'),
            (Self::Cyrillic, b'm') => Some('м'),
            (Self::Cyrillic, b'o') => Some('о'),
            (Self::Cyrillic, b'p') => Some('р'),
            (Self::Cyrillic, b't') => Some('т'),
            (Self::Cyrillic, b'x') => Some('х'),
            (Self::Cyrillic, b'y') => Some('у'),
            (Self::Greek, b'a') => Some('α'),
            (Self::Greek, b'b') => Some('β'),
            (Self::Greek, b'e') => Some('ε'),
            (Self::Greek, b'h') => Some('η'),
            (Self::Greek, b'i') => Some('ι'),
            (Self::Greek, b'k') => Some('κ'),
            (Self::Greek, b'm') => Some('μ'),
            (Self::Greek, b'n' | b'v') => Some('ν'),
            (Self::Greek, b'o') => Some('ο'),
            (Self::Greek, b'p') => Some('ρ'),
            (Self::Greek, b't') => Some('τ'),
            (Self::Greek, b'u' | b'y') => Some('υ'),
            (Self::Greek, b'x') => Some('χ'),
            (Self::Greek, b'z') => Some('ζ'),
            (Self::Greek | Self::Cyrillic | Self::Rare, _) => None,
        }
    }
}
