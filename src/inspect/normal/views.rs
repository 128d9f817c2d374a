//! Other readings of a block: letters spelled out, digits for letters, encoded text.
//!
//! *Decides*, by tests cheap enough for every block, which readings there are, and writes each as a
//! view with the way back to the source. *Never* reads a text backwards or by rotated letters.
//!
//! *May miss*: encodings more than two levels deep, or past [`PEELED`] decoded bytes and [`VIEWS`]
//! views ([`Views::saturated`] then says so); words of a spelled-out phrase whose gaps are as wide
//! as those between letters, which come out as one word; base64 that begins inside a longer run.

use super::canon::Canon;
use super::map::SourceMap;
use super::rows::Rows;
use super::{leet, offset, peel, spelled};
use std::ops::Range;

/// Bytes decoded from one block at most, over both levels.
pub const PEELED: usize = 8192;

/// Views of one block at most.
pub const VIEWS: usize = 64;

/// Levels of encoding that are undone.
const LEVELS: u8 = 2;

/// Canonical bytes rewritten as spelled or leet views at most, for each byte of the block.
const SPELLED: usize = 4;

/// How a view came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ViewKind {
    /// Unseen characters that carry text.
    Hidden,
    /// Single letters set apart, joined. Canonical text.
    Despaced,
    /// Digits and signs that stand for letters, replaced. Canonical text.
    Leet,
    /// Base64, either alphabet, UTF-16 too.
    Base64,
    /// Pairs of hex digits.
    Hex,
    /// `%41` and `%u0041`.
    Percent,
    /// HTML entities, named and numeric.
    Entity,
    /// `\x41`, `\u0041` and `\u{41}`.
    Escape,
}

impl ViewKind {
    /// The view's text is in canonical form. All others are as written, and to be folded.
    pub const fn is_canonical(self) -> bool {
        match self {
            Self::Despaced | Self::Leet => true,
            Self::Hidden
            | Self::Base64
            | Self::Hex
            | Self::Percent
            | Self::Entity
            | Self::Escape => false,
        }
    }
}

/// One other reading of a part of the block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View<'a> {
    /// How it came about, at the last level.
    pub kind: ViewKind,
    /// Encodings undone: 1 or 2, and 0 for canonical views.
    pub level: u8,
    /// What it says.
    pub text: &'a str,
    /// The part of the block, in source bytes.
    pub source: (u32, u32),
    start: usize,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    kind: ViewKind,
    level: u8,
    start: usize,
    end: usize,
    source: (u32, u32),
}

/// The views of one block, in buffers that are kept.
#[derive(Debug, Default)]
pub struct Views {
    pad: Pad,
    rows: Rows,
    runs: Vec<spelled::Run>,
    input: String,
    scratch: Vec<u8>,
}

impl Views {
    /// Empty buffers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Finds all views of a block. `canon` must have folded this very block last.
    pub fn find(&mut self, source: &str, canon: &Canon) {
        self.pad.clear();
        self.spell(canon);
        let pad = &mut self.pad;
        if let Some((hidden, range)) = canon.hidden() {
            pad.add_peeled(ViewKind::Hidden, 1, hidden.as_bytes(), range);
        }
        peel::each(source, &mut self.scratch, &mut |kind, range, decoded| {
            pad.add_peeled(kind, 1, decoded, (offset(range.start), offset(range.end)));
        });
        self.peel_again();
    }

    /// The views, canonical ones first, then by level.
    pub fn iter(&self) -> impl Iterator<Item = View<'_>> {
        self.pad.list.iter().filter_map(|entry| {
            Some(View {
                kind: entry.kind,
                level: entry.level,
                text: self.pad.text.get(entry.start..entry.end)?,
                source: entry.source,
                start: entry.start,
            })
        })
    }

    /// The block has no other readings.
    pub const fn is_empty(&self) -> bool {
        self.pad.list.is_empty()
    }

    /// Number of views.
    pub const fn len(&self) -> usize {
        self.pad.list.len()
    }

    /// There were more readings than are kept.
    pub const fn saturated(&self) -> bool {
        self.pad.saturated
    }

    /// Source bytes of a stretch of a view's text: exact for canonical views, the whole encoded
    /// part for the others. `canon` must be the one the views were found with.
    pub fn source_range(&self, canon: &Canon, view: &View<'_>, start: u32, end: u32) -> (u32, u32) {
        if !view.kind.is_canonical() {
            return view.source;
        }
        let len = view.text.len();
        let at = |offset| {
            let inside = usize::try_from(offset).unwrap_or(len).min(len);
            view.start.saturating_add(inside)
        };
        let (start, end) = (at(start), at(end));
        if end <= start {
            return (view.source.0, view.source.0);
        }
        let map = &self.pad.map;
        canon.source_range(offset(map.start(start)), offset(map.end(end)))
    }

    /// Spelled-out words, then digits for letters, in the text and in what was spelled out.
    fn spell(&mut self, canon: &Canon) {
        let text = canon.text();
        self.pad.limit = text.len().saturating_mul(SPELLED);
        self.rows.read(text.as_bytes());
        spelled::despace(canon, &self.rows, &mut self.runs, &mut self.pad);
        let despaced = self.pad.list.len();
        leet::unleet(text, &self.rows, None, canon, &mut self.pad);
        for at in 0..despaced {
            let Some(&Entry { start, end, .. }) = self.pad.list.get(at) else {
                continue;
            };
            self.input.clear();
            self.input
                .push_str(self.pad.text.get(start..end).unwrap_or_default());
            self.rows.read(self.input.as_bytes());
            leet::unleet(&self.input, &self.rows, Some(start), canon, &mut self.pad);
        }
    }

    /// Undoes encodings inside what was decoded.
    fn peel_again(&mut self) {
        let first = self.pad.list.len();
        for at in 0..first {
            let Some(&entry) = self.pad.list.get(at) else {
                continue;
            };
            if entry.level == 0 || entry.level >= LEVELS {
                continue;
            }
            self.input.clear();
            self.input.push_str(
                self.pad
                    .text
                    .get(entry.start..entry.end)
                    .unwrap_or_default(),
            );
            let (pad, level) = (&mut self.pad, entry.level.saturating_add(1));
            peel::each(&self.input, &mut self.scratch, &mut |kind, _, decoded| {
                pad.add_peeled(kind, level, decoded, entry.source);
            });
        }
    }
}

#[cfg(test)]
impl Views {
    /// What is written of a text by itself.
    pub(super) fn written(&mut self, canon: &Canon, write: impl FnOnce(&mut Pad)) {
        self.pad.clear();
        self.pad.limit = canon.text().len();
        write(&mut self.pad);
    }
}

/// Where views are written.
#[derive(Debug, Default)]
pub(super) struct Pad {
    text: String,
    list: Vec<Entry>,
    /// From the text of canonical views to the canonical text.
    map: SourceMap,
    /// Bytes that canonical views may take.
    limit: usize,
    peeled: usize,
    saturated: bool,
    scratch: String,
    places: Vec<usize>,
}

impl Pad {
    fn clear(&mut self) {
        self.text.clear();
        self.list.clear();
        self.map.clear();
        self.limit = 0;
        self.peeled = 0;
        self.saturated = false;
    }

    /// Whether another canonical view of at most this length may be begun; where it then begins.
    pub(super) fn begin(&mut self, len: usize) -> Option<usize> {
        let start = self.text.len();
        if self.list.len() >= VIEWS || start.saturating_add(len) > self.limit {
            self.saturated = true;
            return None;
        }
        Some(start)
    }

    /// Writes characters as they stand in the canonical text.
    pub(super) fn copy(&mut self, text: &str, canonical: usize) {
        self.text.push_str(text);
        self.map.copy(canonical, text.len());
    }

    /// Writes one character for one of the canonical text.
    pub(super) fn put(&mut self, c: char, canonical: usize, len: usize) {
        self.text.push(c);
        self.map.character(c.len_utf8(), canonical, len);
    }

    /// Writes ASCII of which a part has been mapped by [`Pad::seconds`], one by [`Pad::one`], and
    /// so on.
    pub(super) fn write(&mut self, ascii: &[u8]) {
        self.text
            .push_str(str::from_utf8(ascii).unwrap_or_default());
    }

    /// Maps ASCII characters as every second one of the canonical text from a place on.
    #[inline]
    pub(super) fn seconds(&mut self, canonical: usize, len: usize) {
        self.map.seconds(canonical, len);
    }

    /// Maps an ASCII character as one of the canonical text.
    #[inline]
    pub(super) fn one(&mut self, canonical: usize) {
        self.map.copy(canonical, 1);
    }

    /// Writes a text mapped as the one of its length at an earlier place of this pad. Answers the
    /// canonical bytes it stands for.
    pub(super) fn repeat(&mut self, text: &str, from: usize) -> Range<usize> {
        self.text.push_str(text);
        self.map.repeat(from, text.len());
        self.map.start(from)..self.map.end(from.saturating_add(text.len()))
    }

    /// A buffer to write a view in before it is copied here.
    pub(super) fn take_scratch(&mut self) -> String {
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        scratch
    }

    /// A list for places in it.
    pub(super) fn take_places(&mut self) -> Vec<usize> {
        let mut places = std::mem::take(&mut self.places);
        places.clear();
        places
    }

    pub(super) fn put_scratch(&mut self, scratch: String, places: Vec<usize>) {
        self.scratch = scratch;
        self.places = places;
    }

    pub(super) fn end(&mut self, kind: ViewKind, start: usize, source: (u32, u32)) {
        let end = self.text.len();
        self.list.push(Entry {
            kind,
            level: 0,
            start,
            end,
            source,
        });
    }

    fn add_peeled(&mut self, kind: ViewKind, level: u8, decoded: &[u8], source: (u32, u32)) {
        let room = PEELED.saturating_sub(self.peeled);
        if self.list.len() >= VIEWS || room == 0 {
            self.saturated = true;
            return;
        }
        let start = self.text.len();
        if let Ok(text) = str::from_utf8(decoded) {
            self.text.push_str(text);
        } else {
            for chunk in decoded.utf8_chunks() {
                self.text.push_str(chunk.valid());
                if !chunk.invalid().is_empty() {
                    self.text.push(char::REPLACEMENT_CHARACTER);
                }
            }
        }
        if self.text.len().saturating_sub(start) > room {
            self.saturated = true;
            self.text
                .truncate(self.text.floor_char_boundary(start.saturating_add(room)));
        }
        let end = self.text.len();
        self.peeled = self.peeled.saturating_add(end.saturating_sub(start));
        self.list.push(Entry {
            kind,
            level,
            start,
            end,
            source,
        });
    }
}
