//! What is dropped from a text, and what was hidden in it.
//!
//! Decides which of the characters a reader does not see are odd where they stand, and decodes the
//! two kinds that carry text: tag characters (each an ASCII one) and runs of variation selectors
//! (each a byte). Never decodes bits out of zero-width characters.

use super::{Oddities, offset};

/// Text decoded from unseen characters.
#[derive(Debug, Default)]
pub(super) struct Hidden {
    text: String,
    selectors: Vec<u8>,
    /// The selector met last: where it ended, its byte, and whether the byte was taken.
    last: Option<(usize, u8, bool)>,
    range: Option<(usize, usize)>,
}

/// Selectors that make a text. Fewer are styles of pictures.
const SELECTORS: usize = 4;

impl Hidden {
    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.selectors.clear();
        self.last = None;
        self.range = None;
    }

    pub(super) fn text(&self) -> Option<(&str, (u32, u32))> {
        let (start, end) = self.range?;
        let (source, tags) = ((offset(start), offset(end)), self.text.as_str());
        if self.selectors.len() >= SELECTORS
            && tags.is_empty()
            && let Ok(text) = std::str::from_utf8(&self.selectors)
        {
            return Some((text, source));
        }
        (!tags.is_empty()).then_some((tags, source))
    }

    /// Notes a dropped character. Joiners and marks of direction belong to many scripts and to
    /// pictures; they are odd only within a word of ASCII letters.
    pub(super) fn drop(&mut self, c: char, at: usize, in_word: bool, seen: &mut Oddities) {
        let add = |count: &mut u32| *count = count.saturating_add(1);
        match c {
            '\u{e0020}'..='\u{e007e}' => {
                add(&mut seen.tags);
                self.text.extend(char::from_u32(u32::from(c) & 0x7f));
                self.widen(at, c.len_utf8());
            }
            '\u{e0000}'..='\u{e00ff}' | '\u{e01f0}'..='\u{e0fff}' => add(&mut seen.tags),
            '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}' => self.selector(c, at, seen),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => add(&mut seen.bidi),
            '\u{ad}' => add(&mut seen.soft_hyphens),
            _ if at == 0 && c == '\u{feff}' || !in_word && belongs_to_script(c) => {}
            '\0'..='\u{9f}' => add(&mut seen.controls),
            _ => add(&mut seen.invisible),
        }
    }

    /// One selector styles the picture before it; the second in a row carries data.
    fn selector(&mut self, c: char, at: usize, seen: &mut Oddities) {
        let code = u32::from(c);
        let value = if code < 0x1_0000 {
            code & 0xf
        } else {
            code.saturating_sub(0xe_00f0)
        };
        let byte = u8::try_from(value).unwrap_or(u8::MAX);
        let run = self.last.filter(|&(end, _, _)| end == at);
        if let Some((_, first, taken)) = run {
            if !taken {
                self.selectors.push(first);
                seen.selectors = seen.selectors.saturating_add(1);
                self.widen(at.saturating_sub(if first < 16 { 3 } else { 4 }), 0);
            }
            self.selectors.push(byte);
            seen.selectors = seen.selectors.saturating_add(1);
            self.widen(at, c.len_utf8());
        }
        self.last = Some((at.saturating_add(c.len_utf8()), byte, run.is_some()));
    }

    fn widen(&mut self, at: usize, len: usize) {
        let start = self.range.map_or(at, |(start, _)| start);
        self.range = Some((start, at.saturating_add(len)));
    }
}

/// Joiners, marks of direction and fillers that ordinary text of some script holds.
const fn belongs_to_script(c: char) -> bool {
    matches!(c, '\u{200c}'..='\u{200f}' | '\u{61c}' | '\u{34f}' | '\u{180b}'..='\u{180f}')
        || matches!(c, '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}')
}
