//! Letters of two bytes, in two bytes: what the fold needs to know of the scripts from Latin to
//! Arabic, in tables of 4 KiB that stay in the first cache.

use super::script::Script;
use super::table::{Entry, Kind};
use super::word::is_word;

/// Characters of two bytes, and those before them.
pub(super) const NARROW: usize = 0x800;

/// A letter of two bytes, in 11 bits, with three bits for its script and one that says that it is
/// genuine; zero for everything else.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Narrow(u16);

impl Narrow {
    /// The letter that a character becomes, if that is one of two bytes.
    pub(super) fn new(Entry { kind, to, .. }: Entry) -> Self {
        let code = u16::try_from(u32::from(to)).unwrap_or(0);
        let genuine = kind == Kind::Genuine;
        let letter = genuine || kind == Kind::Lookalike;
        if !letter || !(0x80..0x800).contains(&code) {
            return Self(0);
        }
        let script = Script::of(to).filter(|_| genuine).map_or(0, Script::bit);
        Self(code | (u16::from(script) << 11) | (u16::from(genuine) << 14))
    }

    /// It is one at all.
    #[inline]
    pub(super) const fn is_letter(self) -> bool {
        self.0 != 0
    }

    /// One if no one takes it for a Latin letter.
    #[inline]
    pub(super) fn genuine(self) -> u32 {
        u32::from(self.0 >> 14)
    }

    /// The bit of its script, if it is genuine.
    #[inline]
    pub(super) fn script(self) -> u8 {
        let [high, _] = self.0.to_be_bytes();
        (high >> 3) & 7
    }

    /// Its bytes.
    #[inline]
    pub(super) fn bytes(self) -> [u8; 2] {
        let [high, low] = ((self.0 & 0x7c0) << 2 | (self.0 & 0x3f)).to_be_bytes();
        [high | 0xc0, low | 0x80]
    }

    /// Itself.
    pub(super) fn char(self) -> char {
        char::from_u32(u32::from(self.0 & 0x7ff)).unwrap_or('\0')
    }
}

/// Letters of two bytes by the bytes that become them: what a run of them is written with.
#[derive(Debug)]
pub(super) struct Pairs {
    /// The two bytes of the letter, or zero; behind them a page of zeros.
    letters: Box<[u16; PAIRS]>,
}

/// Characters of two bytes, and a page for what begins with no first byte of two.
const PAIRS: usize = NARROW + 64;

/// Where the characters with a first byte stand.
const LEADS: [usize; 256] = {
    let mut leads = [NARROW; 256];
    let mut lead = 0xc2_usize;
    while lead < 0xe0 {
        #[expect(clippy::indexing_slicing, reason = "a byte below 256")]
        {
            leads[lead] = (lead & 0x1f) << 6;
        }
        lead = lead.wrapping_add(1);
    }
    leads
};

impl Default for Pairs {
    fn default() -> Self {
        Self {
            letters: Box::new([0; PAIRS]),
        }
    }
}

impl Pairs {
    pub(super) fn new(letters: &[Narrow; NARROW]) -> Self {
        let mut pairs = Self::default();
        for (slot, letter) in pairs.letters.iter_mut().zip(letters) {
            if letter.is_letter() {
                *slot = u16::from_be_bytes(letter.bytes());
            }
        }
        pairs
    }

    /// The two bytes of the letter that a character of two bytes becomes; zeros for all else.
    #[inline]
    pub(super) fn get(&self, [lead, low]: [u8; 2]) -> [u8; 2] {
        let page = LEADS.get(usize::from(lead)).copied().unwrap_or(NARROW);
        let place = page | usize::from(low & 0x3f);
        let letter = self.letters.get(place).copied().unwrap_or(0);
        letter.to_be_bytes()
    }
}

/// What ASCII letters and look-alikes of two bytes are read as in a disguised word.
#[derive(Debug)]
pub(super) struct Disguises {
    /// The letter, digit or underscore, with the top bit for ASCII letters; zero for all else.
    letters: Box<[u8; NARROW]>,
}

impl Default for Disguises {
    fn default() -> Self {
        Self {
            letters: Box::new([0; NARROW]),
        }
    }
}

impl Disguises {
    /// Takes what becomes of each character.
    pub(super) fn new(entry: impl Fn(char) -> Entry) -> Self {
        let mut disguises = Self::default();
        for (slot, c) in disguises.letters.iter_mut().zip('\0'..) {
            let looks = Some(entry(c)).filter(|entry| Narrow::new(*entry).is_letter());
            let latin = looks.and_then(|entry| u8::try_from(entry.latin?).ok());
            *slot = match u8::try_from(c) {
                Ok(byte) if byte.is_ascii_alphabetic() => byte.to_ascii_lowercase() | 0x80,
                Ok(byte) if is_word(byte) => byte,
                _ => latin.map_or(0, |latin| latin.to_ascii_lowercase()),
            };
        }
        disguises
    }

    /// What the character is read as that begins with the first byte.
    #[inline]
    pub(super) fn get(&self, [lead, low]: [u8; 2]) -> u8 {
        let wide = (usize::from(lead & 0x1f) << 6) | usize::from(low & 0x3f);
        let place = if lead < 0x80 { usize::from(lead) } else { wide };
        self.letters.get(place).copied().unwrap_or(0)
    }
}
