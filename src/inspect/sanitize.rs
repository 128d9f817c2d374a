//! Which characters do not belong into text, one character at a time.
//!
//! Decides what is taken out of text before any detector reads it, so that what the detectors saw
//! is what goes on. Looks at one character and the one kept before it, and so at no cut of the
//! input. Never removes what a script needs: joiners stay behind letters that join, variation
//! selectors behind what varies.
//! May miss: invisible characters that are also used visibly; a joiner behind a letter of its own
//! script. Where sanitization is off, the canonical form has to see through all of them.

use super::detect::{Family, Rule, Severity};
use super::sixtyfour::{Part, SixtyFour, WIDE, below, equal, within, zeros};

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

/// The characters of a text that could be flaws, in order.
pub(super) struct Suspects<'t> {
    bytes: &'t [u8],
    html: bool,
    /// How far the text was looked through, and where the last sixty-four bytes of that begin.
    at: usize,
    row: usize,
    /// Those in them that were not told.
    left: u64,
}

impl<'t> Suspects<'t> {
    /// Before the first; with markup, too, for HTML.
    pub(super) const fn new(text: &'t str, html: bool) -> Self {
        Self {
            bytes: text.as_bytes(),
            html,
            at: 0,
            row: 0,
            left: 0,
        }
    }

    /// Where the next one begins.
    pub(super) fn next(&mut self) -> Option<usize> {
        while self.left == 0 {
            let rest = self.bytes.len().saturating_sub(self.at);
            if rest < SHORT {
                if !self.html && is_plain(self.bytes.get(self.at..).unwrap_or_default()) {
                    self.at = self.bytes.len();
                    return None;
                }
                let mut places = self.at..self.bytes.len();
                let place = places.find(|&place| suspect(self.bytes, place, self.html));
                self.at = places.start;
                return place;
            }
            (self.row, self.left) = (self.at, self.look(self.at) & below(rest));
            self.at = self.at.saturating_add(WIDE);
        }
        let place = self.row.saturating_add(zeros(self.left));
        self.left &= self.left.wrapping_sub(1);
        Some(place)
    }

    /// Which of sixty-four bytes begin one, with those behind the end.
    #[inline]
    fn look(&self, at: usize) -> u64 {
        let all = SixtyFour::at(self.bytes, at);
        let markup = if self.html { all.ask(markup) } else { 0 };
        if all.any(may_begin) {
            return suspects(self.bytes, at, &all) | markup;
        }
        markup
    }
}

/// So few bytes are looked at one by one, unless they are nothing but ASCII without controls.
pub(super) const SHORT: usize = 16;

/// Whether fewer than [`SHORT`] bytes are of ASCII and none is a control character, not even one
/// of text. Read by parts that may overlap, as nobody can foresee how many there are.
#[inline]
pub(super) fn is_plain(bytes: &[u8]) -> bool {
    /// 0x01 in every byte.
    const ONES: u64 = u64::from_ne_bytes([0x01; 8]);
    let both = |first: u64, last: u64| {
        // A carry into the next byte comes only from one that is told by itself.
        let odd = |word: u64| {
            let above = word.wrapping_add(ONES);
            word.wrapping_sub(ONES << 5) | word | above
        };
        (odd(first) | odd(last)) & (ONES << 7) == 0
    };
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        return both(u64::from_le_bytes(*first), u64::from_le_bytes(*last));
    }
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        let first = u64::from(u32::from_le_bytes(*first));
        let word = first | u64::from(u32::from_le_bytes(*last)) << 32;
        return both(word, word);
    }
    bytes.iter().all(|byte| matches!(byte, b' '..=b'~'))
}

/// Control characters but tab and line ends, with some others. Asked of every byte of every text.
#[inline]
fn control(part: Part) -> Part {
    let text = equal(part, b'\t') | equal(part, b'\n') | equal(part, b'\r');
    (within(part, 0, 0x1f) & !text) | equal(part, 0x7f)
}

/// What may be a flaw or the first byte of one, with all that is no ASCII.
#[inline]
fn may_begin(part: Part) -> Part {
    control(part) | part
}

fn markup(part: Part) -> Part {
    let quote = equal(part, b'"') | equal(part, b'\'');
    quote | equal(part, b'&') | equal(part, b'<') | equal(part, b'>')
}

/// Which of the bytes at a place begin a character that could be a flaw: see [`suspect`].
fn suspects(bytes: &[u8], at: usize, all: &SixtyFour) -> u64 {
    let sure = all.ask(|part| control(part) | equal(part, 0xf3));
    let leads = all.ask(|part| equal(part, 0xc2) | equal(part, 0xe2) | equal(part, 0xef));
    if leads == 0 {
        return sure;
    }
    let second = SixtyFour::at(bytes, at.saturating_add(1));
    let third = SixtyFour::at(bytes, at.saturating_add(2));
    let two = all.equal(0xc2) & second.within(0x80, 0x9f);
    let unseen = third.ask(|part| within(part, 0x8b, 0x8d) | within(part, 0xaa, 0xae));
    let general = second.equal(0x80) & unseen | second.equal(0x81) & third.within(0xa0, 0xa9);
    let special = second.equal(0xbb) & third.equal(0xbf);
    let special = special | second.equal(0xbf) & third.within(0xbe, 0xbf);
    sure | two | (all.equal(0xe2) & general) | (all.equal(0xef) & special)
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
    use proptest::prelude::{Strategy, any, prop_assert_eq, prop_oneof, proptest};

    use super::{Flaw, SHORT, Suspects, entity, flaw, is_plain, suspect};

    /// How many bytes of a text, from its start, hold no suspect.
    fn clean_len(text: &str, html: bool) -> usize {
        Suspects::new(text, html).next().unwrap_or(text.len())
    }

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

    fn texts() -> impl Strategy<Value = String> {
        let mixed =
            "([a-z\\n<& ]{0,40}[\u{80}-\u{a5}\u{1ffd}-\u{2070}\u{fee0}-\u{ffff}]?){0,6}[a-z]{0,20}";
        let dense = "[\u{80}-\u{a5}\u{1ffd}-\u{2070}\u{fef0}-\u{ffff}\u{e0040}a-z]{0,90}";
        prop_oneof![mixed, dense, "[\\PC\t\r\n]{0,150}",]
    }

    proptest! {
        #[test]
        fn many_bytes_at_once_are_asked_as_each_by_itself(text in texts(), html in any::<bool>()) {
            let mut suspects = Suspects::new(&text, html);
            for at in (0..text.len()).filter(|&at| suspect(text.as_bytes(), at, html)) {
                prop_assert_eq!(suspects.next(), Some(at));
            }
            prop_assert_eq!(suspects.next(), None);
        }
    }

    #[test]
    fn each_byte_of_a_short_text_is_plain_or_not_at_every_place() {
        for byte in 0..=255_u8 {
            for (len, at) in (1..SHORT).flat_map(|len| (0..len).map(move |at| (len, at))) {
                let mut text = vec![b'~'; len];
                if let Some(slot) = text.get_mut(at) {
                    *slot = byte;
                }
                let want = (b' '..=b'~').contains(&byte);
                assert_eq!(is_plain(&text), want, "{byte:#x} at {at} of {len}");
            }
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
