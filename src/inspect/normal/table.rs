//! What becomes of each character: one table, built once from the normalization crate's data, the
//! look-alike lists and the rules here.
//!
//! Decides kinds (letter of which sort, mark, white space, to be dropped) and the folded form where
//! that is one character. Never looks at neighbours: what depends on the word is `word`'s matter.

use super::lookalike::{FOREIGN, LATIN, SIGNS};
use super::narrow::{Disguises, NARROW, Narrow, Pairs};
use super::script::Script;
use std::sync::LazyLock;
use unicode_normalization::char::{
    compose, decompose_canonical, decompose_compatible, is_combining_mark,
};

/// What a character is to the fold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Kept, and no part of a word that could be disguised.
    Other,
    /// Becomes an ASCII character that ends a word.
    Sign,
    /// Becomes an ASCII letter, digit or underscore.
    Latin,
    /// A letter of another script that no one takes for a Latin one.
    Genuine,
    /// A letter of another script that looks like a Latin one.
    Lookalike,
    /// Sits on the character before it.
    Mark,
    /// White space of any width.
    Space,
    /// Not seen by a reader.
    Dropped,
    /// Half of a flag, or a boxed letter when it stands alone.
    Regional,
    /// Becomes several characters, see [`Table::pieces`].
    Several,
}

const KINDS: [Kind; 10] = [
    Kind::Other,
    Kind::Sign,
    Kind::Latin,
    Kind::Genuine,
    Kind::Lookalike,
    Kind::Mark,
    Kind::Space,
    Kind::Dropped,
    Kind::Regional,
    Kind::Several,
];

/// A character's fate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) kind: Kind,
    /// What it becomes.
    pub(super) to: char,
    /// What it looks like, for look-alikes.
    pub(super) latin: Option<char>,
}

/// Pages of 256 characters. Equal ones are kept once.
pub(super) struct Table {
    pages: Vec<u16>,
    /// A character in 21 bits (0 for itself, or the number of an expansion), a kind in 4, and the
    /// ASCII look-alike in 7.
    blocks: Vec<[u32; 256]>,
    /// Ends of expansions in the list of their pieces.
    ends: Vec<usize>,
    pieces: Vec<(Kind, char)>,
    /// What becomes of the characters of two bytes, where that is a letter of two bytes.
    narrow: Box<[Narrow; NARROW]>,
    pub(super) pairs: Pairs,
    pub(super) disguises: Disguises,
    /// For each first byte of characters of three bytes, whether all of them stay what they are:
    /// nearly all of Han and Hangul.
    plain: [bool; 16],
}

static TABLE: LazyLock<Table> = LazyLock::new(Table::build);

/// The table. The first call builds it, in some ten milliseconds.
pub(super) fn table() -> &'static Table {
    &TABLE
}

impl Table {
    fn build() -> Self {
        let (ends, pieces) = (vec![0], Vec::new());
        let mut table = Self {
            pages: Vec::new(),
            blocks: vec![[0; 256]],
            ends,
            pieces,
            narrow: Box::new([Narrow::default(); NARROW]),
            pairs: Pairs::default(),
            disguises: Disguises::default(),
            plain: [false; 16],
        };
        for page in 0..=0x10ff_u32 {
            let mut index = 0;
            if !is_plain(page) {
                let block = table.block(page);
                let known = table.blocks.iter().position(|known| *known == block);
                index = known.unwrap_or(table.blocks.len());
                if known.is_none() {
                    table.blocks.push(block);
                }
            }
            table.pages.push(u16::try_from(index).unwrap_or(0));
        }
        let entries: Vec<Narrow> = ('\0'..'\u{800}')
            .map(|c| Narrow::new(table.get(c)))
            .collect();
        for (slot, narrow) in table.narrow.iter_mut().zip(entries) {
            *slot = narrow;
        }
        table.pairs = Pairs::new(&table.narrow);
        table.disguises = Disguises::new(|c| table.get(c));
        for lead in 1..16_u32 {
            let mut all = (lead << 12..=(lead << 12 | 0xfff)).filter_map(char::from_u32);
            let stays = all.all(|c| table.is_unchanged(c));
            if let Some(slot) = usize::try_from(lead)
                .ok()
                .and_then(|at| table.plain.get_mut(at))
            {
                *slot = stays;
            }
        }
        table
    }

    fn block(&mut self, page: u32) -> [u32; 256] {
        let mut block = [0; 256];
        for (slot, low) in block.iter_mut().zip(0_u32..) {
            let Some(c) = char::from_u32((page << 8) | low) else {
                continue;
            };
            let Entry { kind, to, latin } = classify(c);
            let to = if kind == Kind::Several {
                self.expansion(c)
            } else if to == c {
                0
            } else {
                u32::from(to)
            };
            *slot = to | (number(kind) << 21) | (latin.map_or(0, u32::from) << 25);
        }
        block
    }

    /// Stores what a character expands to and answers the expansion's number.
    fn expansion(&mut self, c: char) -> u32 {
        let number = self.ends.len().saturating_sub(1);
        expand(c, &mut |kind, to| self.pieces.push((kind, to)));
        self.ends.push(self.pieces.len());
        u32::try_from(number).unwrap_or(0)
    }

    /// What becomes of a character.
    #[inline]
    pub(super) fn get(&self, c: char) -> Entry {
        let entry = self.entry(c);
        let kind = KINDS.get(usize::try_from((entry >> 21) & 15).unwrap_or(0));
        let to = match entry & 0x1f_ffff {
            0 => c,
            to => char::from_u32(to).unwrap_or(c),
        };
        let latin = u8::try_from(entry >> 25)
            .ok()
            .filter(|&latin| latin != 0)
            .map(char::from);
        Entry {
            kind: kind.copied().unwrap_or(Kind::Other),
            to,
            latin,
        }
    }

    #[inline]
    fn entry(&self, c: char) -> u32 {
        let code = u32::from(c);
        let page = usize::try_from(code >> 8)
            .ok()
            .and_then(|page| self.pages.get(page));
        let block = page.and_then(|&block| self.blocks.get(usize::from(block)));
        let [low, ..] = code.to_le_bytes();
        block
            .and_then(|block| block.get(usize::from(low)))
            .copied()
            .unwrap_or(0)
    }

    /// The letter that a character of two bytes becomes. What is no such character is none.
    #[inline]
    pub(super) fn narrow(&self, [lead, low]: [u8; 2]) -> Narrow {
        let place = (usize::from(lead & 0x1f) << 6) | usize::from(low & 0x3f);
        match lead {
            0xc2..0xe0 => self.narrow.get(place).copied().unwrap_or_default(),
            _ => Narrow::default(),
        }
    }

    /// It stays what it is and is no part of a word that could be disguised.
    #[inline]
    pub(super) fn is_unchanged(&self, c: char) -> bool {
        self.entry(c) == 0
    }

    /// All characters of three bytes that begin with this byte stay what they are.
    #[inline]
    pub(super) fn is_plain_lead(&self, lead: u8) -> bool {
        lead & 0xf0 == 0xe0
            && self
                .plain
                .get(usize::from(lead & 15))
                .copied()
                .unwrap_or(false)
    }

    /// The pieces of a character that becomes several.
    pub(super) fn pieces(&self, c: char) -> &[(Kind, char)] {
        let number = usize::try_from(self.entry(c) & 0x1f_ffff).unwrap_or(0);
        let start = self.ends.get(number).copied().unwrap_or(0);
        let end = self
            .ends
            .get(number.saturating_add(1))
            .copied()
            .unwrap_or(0);
        self.pieces.get(start..end).unwrap_or(&[])
    }
}

fn number(kind: Kind) -> u32 {
    let at = KINDS.iter().position(|&known| known == kind).unwrap_or(0);
    u32::try_from(at).unwrap_or(0)
}

/// Pages in which every character stays what it is: Han, Yi, Hangul syllables, private use, planes
/// without letters of alphabets. Saves most of the building.
const fn is_plain(page: u32) -> bool {
    matches!(page, 0x34..=0x4c | 0x4e..=0xa3 | 0xac..=0xd6 | 0xd8..=0xf8 | 0x120..=0x167)
        || matches!(page, 0x170..=0x1bb | 0x1bd..=0x1cb | 0x200..=0x2f7 | 0x2fb..=0xdff)
        || matches!(page, 0xe10..=0x10ff)
}

fn classify(c: char) -> Entry {
    let plain = |kind, to| Entry {
        kind,
        to,
        latin: None,
    };
    if is_dropped(c) {
        return plain(Kind::Dropped, c);
    }
    if c.is_whitespace() || c == '\u{2800}' {
        return plain(Kind::Space, ' ');
    }
    if let Some(letter) = regional(c) {
        return plain(Kind::Regional, letter);
    }
    let (mut pieces, mut base): (Vec<(Kind, char)>, _) = (Vec::new(), None);
    expand_with(c, &mut |kind, piece, to| {
        base = base.or(Some(piece));
        match pieces.last_mut() {
            Some((_, last)) if kind == Kind::Mark && last.is_ascii() => {}
            Some((_, last)) if kind == Kind::Mark && compose(*last, to).is_some() => {
                *last = compose(*last, to).unwrap_or(*last);
            }
            Some(_) | None => pieces.push((kind, to)),
        }
    });
    match pieces.as_slice() {
        [(Kind::Lookalike, to)] => {
            let latin = base.and_then(|base| find(FOREIGN, base));
            Entry {
                kind: Kind::Lookalike,
                to: *to,
                latin,
            }
        }
        [(kind, to)] => plain(*kind, *to),
        _ => plain(Kind::Several, c),
    }
}

/// The characters a character becomes, marks not yet joined to their letters.
fn expand(c: char, each: &mut impl FnMut(Kind, char)) {
    expand_with(c, &mut |kind, _, to| each(kind, to));
}

/// The same, with the character of the decomposition that each came from.
fn expand_with(c: char, each: &mut impl FnMut(Kind, char, char)) {
    if find(SIGNS, c).is_some() {
        return atom(c, each);
    }
    let (mut first, mut len) = (None, 0_usize);
    decompose_compatible(c, |piece| {
        first = first.or(Some(piece));
        len = len.saturating_add(piece.len_utf8());
    });
    if first == Some(' ') {
        // A diacritic by itself, which is written as one on a space.
        each(Kind::Other, c, c);
    } else if len > c.len_utf8().saturating_mul(3) {
        // Whole words in one character would let text grow elevenfold.
        decompose_canonical(c, |piece| atom(piece, each));
    } else {
        decompose_compatible(c, |piece| atom(piece, each));
    }
}

/// What one character without a decomposition becomes.
fn atom(c: char, each: &mut impl FnMut(Kind, char, char)) {
    if let Some(sign) = find(SIGNS, c) {
        return each(Kind::Sign, c, sign);
    }
    if is_combining_mark(c) || is_second_jamo(c) {
        return each(Kind::Mark, c, c);
    }
    if let Some(digit) = digit(c) {
        return each(Kind::Latin, c, digit);
    }
    let lower = match c.to_lowercase().next() {
        // One letter, whose form depends on its place.
        Some('ς') => 'σ',
        lower => lower.unwrap_or(c),
    };
    if lower.is_ascii() {
        let word = lower.is_ascii_alphanumeric() || lower == '_';
        return each(if word { Kind::Latin } else { Kind::Sign }, c, lower);
    }
    if let Some(letters) = find(LATIN, lower).or_else(|| boxed(c)) {
        return letters
            .chars()
            .for_each(|letter| each(Kind::Latin, c, letter));
    }
    let kind = match find(FOREIGN, c) {
        Some(_) => Kind::Lookalike,
        None if c.is_alphabetic() && Script::of(lower).is_some() => Kind::Genuine,
        None => Kind::Other,
    };
    each(kind, c, lower);
}

fn find<T: Copy>(list: &[(char, T)], c: char) -> Option<T> {
    let at = list.binary_search_by_key(&c, |&(known, _)| known).ok()?;
    list.get(at).map(|&(_, to)| to)
}

/// Vowel and final jamo, which compose with what stands before them although they are no marks.
const fn is_second_jamo(c: char) -> bool {
    matches!(c, '\u{1161}'..='\u{1175}' | '\u{11a8}'..='\u{11c2}')
}

/// Letters in filled circles and boxes, which have no decomposition.
fn boxed(c: char) -> Option<&'static str> {
    const LETTERS: &str = "abcdefghijklmnopqrstuvwxyz";
    let base = match c {
        '\u{1f150}'..='\u{1f169}' => 0x1f150,
        '\u{1f170}'..='\u{1f189}' => 0x1f170,
        _ => return None,
    };
    let at = usize::try_from(u32::from(c).checked_sub(base)?).ok()?;
    LETTERS.get(at..at.checked_add(1)?)
}

fn regional(c: char) -> Option<char> {
    let at = u32::from(c).checked_sub(0x1f1e6).filter(|&at| at < 26)?;
    char::from_u32(u32::from(b'a').checked_add(at)?)
}

/// The zeros of scripts with digits of their own. Cards and telephone numbers are written in them.
const ZEROS: [u32; 37] = [
    0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6,
    0xe50, 0xed0, 0xf20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50,
    0x1bb0, 0x1c40, 0x1c50, 0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0x104a0,
    0x11066,
];

fn digit(c: char) -> Option<char> {
    let code = u32::from(c);
    let after = ZEROS.partition_point(|&zero| zero <= code);
    let zero = ZEROS.get(after.checked_sub(1)?)?;
    char::from_digit(code.checked_sub(*zero).filter(|&value| value < 10)?, 10)
}

/// Characters without a picture of their own: Unicode's default ignorables, bidi controls,
/// annotation marks, and control characters that are no white space.
pub(super) const fn is_dropped(c: char) -> bool {
    matches!(c,
        '\0'..='\u{8}' | '\u{e}'..='\u{1f}' | '\u{7f}'..='\u{84}' | '\u{86}'..='\u{9f}'
        | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}
