//! The fold itself: from source characters to canonical ones.
//!
//! Decides the form of every character. ASCII goes 64 bytes at a time; all else goes through the
//! table, one look-up a character. A word in which another script appears is written as read first
//! and written anew (`rewrite`) once it has ended and its reading is known.
//!
//! Never reorders marks as NFKC would, so a letter with several marks of other scripts in unusual
//! order stays distinct. Never expands a character to more than three times its bytes.

use super::Oddities;
use super::ascii;
use super::hidden::Hidden;
use super::map::SourceMap;
use super::table::{Entry, Kind, Table};
use super::word::{Before, Word, is_word};
use unicode_normalization::char::compose;

/// One fold under way.
pub(super) struct Fold<'a> {
    pub(super) table: &'static Table,
    pub(super) source: &'a str,
    pub(super) out: Vec<u8>,
    pub(super) map: &'a mut SourceMap,
    pub(super) hidden: &'a mut Hidden,
    pub(super) oddities: Oddities,
    pub(super) word: Option<Word>,
    pub(super) before: Before,
    /// How far Latin letters have been looked for.
    pub(super) searched: usize,
    /// The character written last, if it is not ASCII.
    pub(super) last: char,
    /// Where the mark dropped last ended.
    marked: usize,
}

impl<'a> Fold<'a> {
    pub(super) fn new(
        table: &'static Table,
        source: &'a str,
        (out, map, hidden): (Vec<u8>, &'a mut SourceMap, &'a mut Hidden),
    ) -> Self {
        Self {
            table,
            source,
            out,
            map,
            hidden,
            oddities: Oddities::default(),
            word: None,
            before: Before {
                latin: false,
                genuine: false,
            },
            searched: 0,
            last: '\0',
            marked: 0,
        }
    }

    pub(super) fn run(&mut self) {
        let mut at = 0;
        while let Some(&byte) = self.source.as_bytes().get(at) {
            at = match (byte.is_ascii(), self.word.is_some()) {
                (true, false) => self.ascii(at),
                (true, true) => self.ascii_in_word(at, byte),
                (false, _) => self.others(at),
            };
        }
        self.close(at);
    }

    /// One ASCII byte while a word with foreign letters is open.
    fn ascii_in_word(&mut self, at: usize, byte: u8) -> usize {
        if let Some(word) = self.word.as_mut().filter(|_| is_word(byte)) {
            word.ascii(byte);
            self.out.push(byte.to_ascii_lowercase());
            self.map.copy(at, 1);
            return at.saturating_add(1);
        }
        if ascii::is_white(byte) || !byte.is_ascii_control() {
            self.close(at);
        }
        // A single sign or space between foreign words is not worth a chunk.
        if byte.is_ascii_graphic() {
            self.out.push(byte);
            self.map.copy(at, 1);
        } else if !ascii::is_white(byte) {
            self.oddities.controls = self.oddities.controls.saturating_add(1);
        } else if self.out.last() != Some(&b' ') {
            self.out.push(b' ');
            self.map.copy(at, 1);
        }
        at.saturating_add(1)
    }

    /// Characters outside ASCII and the signs and spaces between them, up to the next ASCII letter,
    /// digit or control character.
    fn others(&mut self, from: usize) -> usize {
        let mut at = from;
        while let Some(&byte) = self.source.as_bytes().get(at) {
            let run = match byte {
                0..0x80 => {
                    let white = ascii::is_white(byte);
                    if !white && (is_word(byte) || byte.is_ascii_control()) {
                        return at;
                    }
                    self.ascii_in_word(at, byte);
                    1
                }
                0x80..0xe0 => self.many(at),
                0xe0.. => self.unchanged(at),
            };
            at = at.saturating_add(run);
            if run == 0 {
                let Some(c) = self.source.get(at..).and_then(|rest| rest.chars().next()) else {
                    return at;
                };
                self.put(c, self.table.get(c), at);
                at = at.saturating_add(c.len_utf8());
            }
        }
        at
    }

    /// As much of characters of two bytes as can be taken at once: words of another script, the rest
    /// of a disguised one, letters of a script with look-alikes, or what stays as it is. Zero if
    /// nothing can.
    fn many(&mut self, at: usize) -> usize {
        let mut run = self.words(at);
        if run == 0 {
            run = self.disguised(at);
        }
        if run == 0 {
            run = self.letters(at);
        }
        if run == 0 {
            run = self.unchanged(at);
        }
        run
    }

    #[inline]
    pub(super) fn put(&mut self, c: char, entry: Entry, at: usize) {
        let Entry { kind, to, .. } = entry;
        let width = c.len_utf8();
        match kind {
            Kind::Other | Kind::Sign => {
                self.close(at);
                self.write(to, at, width);
            }
            Kind::Latin => {
                self.count(kind, to);
                self.write(to, at, width);
                let styled = u32::from(is_styled(c));
                self.oddities.styled = self.oddities.styled.saturating_add(styled);
            }
            Kind::Genuine | Kind::Lookalike => {
                self.open(at);
                self.count(kind, to);
                self.write(to, at, width);
            }
            Kind::Mark => self.mark(c, at, true),
            Kind::Space => {
                self.close(at);
                if self.out.last() != Some(&b' ') {
                    self.write(' ', at, width);
                }
            }
            Kind::Dropped => {
                let after_word = self.out.last().is_some_and(u8::is_ascii_alphanumeric);
                self.hidden.drop(c, at, after_word, &mut self.oddities);
            }
            Kind::Regional if self.is_flag(at, width) => {
                self.close(at);
                self.write(c, at, width);
            }
            Kind::Regional => {
                self.count(Kind::Latin, to);
                self.write(to, at, width);
            }
            Kind::Several => self.several(c, at),
        }
    }

    #[inline]
    pub(super) fn write(&mut self, to: char, at: usize, width: usize) {
        if to.is_ascii() {
            self.out.push(u8::try_from(to).unwrap_or(b' '));
            self.map.character(1, at, width);
        } else {
            push(&mut self.out, to);
            self.map.character(to.len_utf8(), at, width);
            self.last = to;
        }
    }

    /// A mark is dropped over ASCII, else joined to the letter before it where one letter is both.
    pub(super) fn mark(&mut self, c: char, at: usize, counted: bool) {
        let width = c.len_utf8();
        match self.out.last() {
            Some(last) if last.is_ascii() => {
                let struck = matches!(c, '\u{334}'..='\u{338}' | '\u{489}');
                if counted && (struck || self.marked == at) {
                    self.oddities.marks = self.oddities.marks.saturating_add(1);
                }
                self.marked = at.saturating_add(width);
            }
            Some(_) => match compose(self.last, c) {
                Some(joined) => self.join(joined, at, width),
                None => self.write(c, at, width),
            },
            None => self.write(c, at, width),
        }
    }

    /// Puts one character in the place of the last one and the mark that follows it.
    fn join(&mut self, joined: char, at: usize, width: usize) {
        let start = self.out.len().saturating_sub(self.last.len_utf8());
        let (source, end) = (self.map.start(start), self.map.end(self.out.len()));
        self.out.truncate(start);
        self.map.truncate(start);
        let own = end.saturating_sub(source);
        // With something dropped between the two, the letter's own bytes stand for both.
        let len = if end == at {
            own.saturating_add(width)
        } else {
            own
        };
        self.write(joined, source, len);
    }

    /// A character that becomes several: mapped as one.
    fn several(&mut self, c: char, at: usize) {
        let pieces = self.table.pieces(c);
        if pieces.iter().all(|&(kind, _)| kind == Kind::Mark) {
            return pieces
                .iter()
                .for_each(|&(_, mark)| self.mark(mark, at, true));
        }
        let foreign = |&(kind, _): &(Kind, char)| matches!(kind, Kind::Genuine | Kind::Lookalike);
        let ends = |&(kind, _): &(Kind, char)| matches!(kind, Kind::Other | Kind::Sign);
        if pieces.iter().any(foreign) {
            self.open(at);
        } else if pieces.iter().any(ends) {
            self.close(at);
        }
        for &(kind, to) in pieces {
            self.count(kind, to);
        }
        self.write_all(pieces, at, c.len_utf8());
    }

    /// Writes the pieces of one character.
    pub(super) fn write_all(&mut self, pieces: &[(Kind, char)], at: usize, width: usize) {
        let start = self.out.len();
        for &(kind, to) in pieces {
            let over_ascii = self.out.last().is_some_and(u8::is_ascii);
            if kind == Kind::Mark && over_ascii {
                continue;
            }
            if kind == Kind::Mark
                && self.out.len() > start
                && let Some(joined) = compose(self.last, to)
            {
                let keep = self.out.len().saturating_sub(self.last.len_utf8());
                self.out.truncate(keep);
                self.push(joined);
            } else {
                self.push(to);
            }
        }
        self.map
            .unit(self.out.len().saturating_sub(start), at, width);
    }

    fn push(&mut self, to: char) {
        push(&mut self.out, to);
        self.last = if to.is_ascii() { self.last } else { to };
    }

    /// Two halves beside each other are a flag; one alone is a letter in a box.
    fn is_flag(&self, at: usize, width: usize) -> bool {
        let regional = |c: char| matches!(c, '\u{1f1e6}'..='\u{1f1ff}');
        let before = self
            .source
            .get(..at)
            .and_then(|text| text.chars().next_back());
        let after = self
            .source
            .get(at.saturating_add(width)..)
            .and_then(|t| t.chars().next());
        before.is_some_and(regional) || after.is_some_and(regional)
    }
}

/// Writes a character; copies of a length known beforehand are much the faster ones.
#[inline]
fn push(out: &mut Vec<u8>, c: char) {
    let mut buffer = [0; 4];
    let len = c.encode_utf8(&mut buffer).len();
    let [a, b, d, _] = buffer;
    match len {
        1 => out.push(a),
        2 => out.extend_from_slice(&[a, b]),
        3 => out.extend_from_slice(&[a, b, d]),
        _ => out.extend_from_slice(&buffer),
    }
}

/// Letters and digits in another dress: mathematical, full width, circled, small capitals.
const fn is_styled(c: char) -> bool {
    matches!(c, '\u{1d400}'..='\u{1d7ff}' | '\u{ff01}'..='\u{ff5e}' | '\u{2460}'..='\u{24ff}')
        || matches!(c, '\u{1f130}'..='\u{1f189}' | '\u{1d00}'..='\u{1d22}')
}
