//! Which characters do not belong into text, one character at a time.
//!
//! Decides what is taken out of text before any detector reads it, so that what the detectors saw
//! is what goes on. Looks at one character and the one kept before it, and so at no cut of the
//! input. Never removes what a script needs: joiners stay behind letters that join, variation
//! selectors behind what varies.
//! May miss: invisible characters that are also used visibly; a joiner behind a letter of its own
//! script. Where sanitization is off, the canonical form has to see through all of them.

use super::detect::{Family, Rule, Severity};
use crate::each_byte::each_byte;

/// The rules' names: characters to be removed, and markup to be escaped.
pub(super) const RULES: &[Rule] = &[
    row("sanitization.control", "CONTROL", Severity::Low),
    row("sanitization.invisible", "INVISIBLE", Severity::Medium),
    row("sanitization.direction", "DIRECTION", Severity::Medium),
    row("sanitization.tag", "TAG", Severity::High),
    row("sanitization.noncharacter", "NONCHARACTER", Severity::Low),
    row("sanitization.html", "HTML", Severity::Low),
];

const fn row(id: &'static str, kind: &'static str, severity: Severity) -> Rule {
    Rule::new(id, Family::Sanitization, kind).severity(severity)
}

/// Why a character does not stay as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// C0, C1 and DEL; tab and line ends are text.
    Control,
    /// Takes no room: splits words for a machine and not for a reader.
    Invisible,
    /// Turns the direction of reading.
    Direction,
    /// Spells a text that nobody sees.
    Tag,
    /// Is no character.
    Noncharacter,
    /// Is markup, and what to write instead.
    Html(&'static str),
}

impl Flaw {
    /// Its row in [`RULES`].
    pub(super) const fn row(self) -> usize {
        match self {
            Self::Control => 0,
            Self::Invisible => 1,
            Self::Direction => 2,
            Self::Tag => 3,
            Self::Noncharacter => 4,
            Self::Html(_) => 5,
        }
    }
}

/// What is wrong with `ch` after `before`, the character kept before it in the same string.
pub(super) const fn flaw(ch: char, before: Option<char>) -> Option<Flaw> {
    match ch {
        '\t' | '\n' | '\r' => None,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' => Some(Flaw::Control),
        // Zero width: space, word joiner and its kin, and the byte order mark.
        '\u{200b}' | '\u{2060}'..='\u{2064}' | '\u{feff}' => Some(Flaw::Invisible),
        '\u{200c}' | '\u{200d}' if !joins(before) => Some(Flaw::Invisible),
        '\u{e0100}'..='\u{e01ef}' if !varies(before) => Some(Flaw::Invisible),
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => Some(Flaw::Direction),
        '\u{e0000}'..='\u{e007f}' => Some(Flaw::Tag),
        '\u{fffe}' | '\u{ffff}' => Some(Flaw::Noncharacter),
        _ => None,
    }
}

/// Whether a joiner can have a meaning behind this character: letters and signs of scripts that
/// join and pictures do, ASCII does not.
const fn joins(before: Option<char>) -> bool {
    matches!(before, Some(ch) if !ch.is_ascii() && !matches!(ch, '\u{200c}' | '\u{200d}'))
}

/// Whether this character has ideographic variants.
const fn varies(before: Option<char>) -> bool {
    matches!(
        before,
        Some('\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
    )
}

/// What stands for a character of markup.
pub(super) const fn entity(ch: char) -> Option<&'static str> {
    match ch {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        '"' => Some("&quot;"),
        '\'' => Some("&#39;"),
        _ => None,
    }
}

/// How many bytes of `text`, from its start, hold no suspect.
pub(super) fn clean_len(text: &str, html: bool) -> usize {
    let bytes = text.as_bytes();
    let (chunks, rest) = bytes.as_chunks::<32>();
    let mut at: usize = 0;
    for chunk in chunks {
        let odd = html || chunk.iter().fold(0, |odd, &byte| odd | may_begin(byte)) != 0;
        if odd && let Some(place) = first_suspect(bytes, at, chunk, html) {
            return place;
        }
        at = at.saturating_add(32);
    }
    let end = at.saturating_add(rest.len());
    first_suspect(bytes, at, rest, html).unwrap_or(end)
}

/// The first suspect in a part of `bytes` that begins at `at`.
fn first_suspect(bytes: &[u8], at: usize, part: &[u8], html: bool) -> Option<usize> {
    let wanted = if html { LEAD | MARKUP } else { LEAD };
    let mut from = 0_usize;
    loop {
        let rest = part.get(from..)?;
        let class = |byte: &u8| CLASSES.get(usize::from(*byte)).copied().unwrap_or(LEAD);
        let next = rest.iter().position(|byte| class(byte) & wanted != 0)?;
        let place = at.saturating_add(from).saturating_add(next);
        if suspect(bytes, place, html) {
            return Some(place);
        }
        from = from.saturating_add(next).saturating_add(1);
    }
}

/// A byte with which a character begins that could be a flaw.
const LEAD: u8 = 1;
/// A byte of markup.
const MARKUP: u8 = 2;

const CLASSES: [u8; 256] = each_byte!(byte => match byte {
    0..=0x08 | 0x0b | 0x0c | 0x0e..=0x1f | 0x7f | 0xc2 | 0xe2 | 0xef | 0xf3 => LEAD,
    b'&' | b'<' | b'>' | b'"' | b'\'' => MARKUP,
    _ => 0,
});

/// 1 for a byte with which a character begins that could be a flaw. Asked of every byte of every
/// text, and so free of branches: the compiler turns it into vector code.
#[inline]
fn may_begin(byte: u8) -> u8 {
    let white = u8::from(byte == b'\t') | u8::from(byte == b'\n') | u8::from(byte == b'\r');
    let control = u8::from(byte < b' ') & !white;
    let two = u8::from(byte == 0xc2) | u8::from(byte == 0xe2);
    let more = u8::from(byte == 0xef) | u8::from(byte == 0xf3);
    control | two | more | u8::from(byte == 0x7f)
}

/// Whether the character that begins at a place could be a flaw. Dashes, quotes and the signs of
/// East Asian text share their first byte with flaws and are told apart here.
#[inline]
fn suspect(bytes: &[u8], place: usize, html: bool) -> bool {
    match bytes.get(place..).unwrap_or_default() {
        [0..=0x08 | 0x0b | 0x0c | 0x0e..=0x1f | 0x7f | 0xf3, ..]
        | [0xc2, 0x80..=0x9f, ..]
        | [0xe2, 0x80, 0x8b..=0x8d | 0xaa..=0xae, ..]
        | [0xe2, 0x81, 0xa0..=0xa9, ..]
        | [0xef, 0xbb, 0xbf, ..]
        | [0xef, 0xbf, 0xbe | 0xbf, ..] => true,
        [b'&' | b'<' | b'>' | b'"' | b'\'', ..] => html,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{CLASSES, Flaw, LEAD, MARKUP, clean_len, entity, flaw, may_begin};

    #[test]
    fn each_kind_of_flaw_has_its_characters() {
        for (before, ch, want) in [
            (None, 'a', None),
            (None, '\n', None),
            (None, '\t', None),
            (None, '\r', None),
            (None, '\0', Some(Flaw::Control)),
            (None, '\u{1b}', Some(Flaw::Control)),
            (None, '\u{7f}', Some(Flaw::Control)),
            (None, '\u{85}', Some(Flaw::Control)),
            (None, '\u{a0}', None),
            (Some('a'), '\u{200b}', Some(Flaw::Invisible)),
            (Some('a'), '\u{200d}', Some(Flaw::Invisible)),
            (None, '\u{200d}', Some(Flaw::Invisible)),
            (Some('\u{1f468}'), '\u{200d}', None),
            (Some('\u{200d}'), '\u{200d}', Some(Flaw::Invisible)),
            (Some('\u{645}'), '\u{200c}', None),
            (Some('\u{2764}'), '\u{fe0f}', None),
            (Some('\u{845b}'), '\u{e0100}', None),
            (Some('a'), '\u{e0100}', Some(Flaw::Invisible)),
            (Some('\u{e0100}'), '\u{e0101}', Some(Flaw::Invisible)),
            (Some('a'), '\u{202e}', Some(Flaw::Direction)),
            (Some('a'), '\u{2069}', Some(Flaw::Direction)),
            (Some('a'), '\u{200f}', None),
            (Some('a'), '\u{e0041}', Some(Flaw::Tag)),
            (Some('a'), '\u{ffff}', Some(Flaw::Noncharacter)),
            (Some('a'), '\u{fffd}', None),
        ] {
            assert_eq!(flaw(ch, before), want, "{ch:?} after {before:?}");
        }
    }

    #[test]
    fn both_ways_to_tell_a_byte_agree() {
        for byte in 0..=u8::MAX {
            let class = CLASSES[usize::from(byte)];
            assert_eq!(may_begin(byte) == 1, class == LEAD, "{byte:#x}");
            let markup = entity(char::from(byte)).is_some();
            assert_eq!(markup, class == MARKUP, "{byte:#x}");
        }
    }

    #[test]
    fn a_suspect_is_found_wherever_it_stands() {
        for odd in [
            '\0',
            '\u{7f}',
            '\u{80}',
            '\u{200b}',
            '\u{202e}',
            '\u{e0041}',
            '\u{ffff}',
        ] {
            for before in 0..70 {
                let text = format!("{}{odd}\u{20}b", "\u{e9}".repeat(before));
                assert_eq!(
                    clean_len(&text, false),
                    before * 2,
                    "{odd:?} after {before}"
                );
            }
        }
        let text = "plain text, caf\u{e9} \u{442}\u{435}\u{43a}\u{441}\u{442}\nand <more> of it";
        assert_eq!(
            clean_len(text, false),
            text.len(),
            "nothing is wrong with it"
        );
        assert_eq!(text.get(clean_len(text, true)..), Some("<more> of it"));
        assert_eq!(entity('<'), Some("&lt;"));
    }

    #[test]
    fn every_flaw_is_a_suspect_and_hardly_anything_else_is() {
        let mut others = 0;
        for ch in '\0'..=char::MAX {
            let suspected = clean_len(&ch.to_string(), false) == 0;
            if flaw(ch, None).is_some() {
                assert!(suspected, "{ch:?}");
                let behind = format!("{}{ch}", "\u{4e00}".repeat(12));
                assert_eq!(clean_len(&behind, false), 36, "{ch:?} in a chunk");
            } else {
                others += u32::from(suspected && ch < '\u{c0000}');
            }
        }
        assert!(others < 4, "{others} that are no flaw by themselves");
    }
}
