//! The canonical form of a block, and the way back to the block.

use super::fold::Fold;
use super::hidden::Hidden;
use super::map::SourceMap;
use super::table::{self, Table};
use super::{Oddities, offset};
use crate::inspect::sixtyfour::WIDE;

/// Folds block after block into buffers that are kept.
pub struct Canon {
    table: &'static Table,
    text: String,
    /// What the fold writes before it is known to be text.
    bytes: Vec<u8>,
    map: SourceMap,
    hidden: Hidden,
    oddities: Oddities,
}

impl std::fmt::Debug for Canon {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Canon")
            .field("len", &self.text.len())
            .finish_non_exhaustive()
    }
}

impl Default for Canon {
    fn default() -> Self {
        Self::new()
    }
}

impl Canon {
    /// Empty buffers. The first of a process builds the character table, which takes milliseconds.
    pub fn new() -> Self {
        Self {
            table: table::table(),
            text: String::new(),
            bytes: Vec::new(),
            map: SourceMap::default(),
            hidden: Hidden::default(),
            oddities: Oddities::default(),
        }
    }

    /// Folds a block. All other answers are about the block folded last.
    pub fn fold(&mut self, source: &str) {
        self.map.clear();
        self.hidden.clear();
        let mut out = std::mem::take(&mut self.bytes);
        out.clear();
        out.reserve(source.len().saturating_add(2 * WIDE));
        let (map, hidden) = (&mut self.map, &mut self.hidden);
        let mut fold = Fold::new(self.table, source, (out, map, hidden));
        fold.run();
        self.oddities = fold.oddities;
        self.bytes = fold.out;
        self.text.clear();
        // Only whole characters were written, so the second way is never taken.
        match simdutf8::basic::from_utf8(&self.bytes) {
            Ok(text) => self.text.push_str(text),
            Err(_) => self.text.push_str(&String::from_utf8_lossy(&self.bytes)),
        }
    }

    /// The canonical text: lower case, one space between words, nothing unseen.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What was hidden in tag characters and variation selectors, and where it stood in the source.
    pub fn hidden(&self) -> Option<(&str, (u32, u32))> {
        self.hidden.text()
    }

    /// What was dropped or disguised.
    pub const fn oddities(&self) -> Oddities {
        self.oddities
    }

    /// Canonical offsets are source offsets.
    pub fn is_identity(&self) -> bool {
        self.map.is_identity()
    }

    /// Source bytes of a stretch of canonical text: from the start of its first character's source
    /// to the end of its last one's. What was dropped between two of its characters lies inside,
    /// what was dropped around it does not.
    pub fn source_range(&self, start: u32, end: u32) -> (u32, u32) {
        let len = self.text.len();
        let at = |offset| usize::try_from(offset).unwrap_or(len).min(len);
        let (start, end) = (at(start), at(end));
        let from = if start == len {
            self.map.end(len)
        } else {
            self.map.start(start)
        };
        let to = if end > start {
            self.map.end(end).max(from)
        } else {
            from
        };
        (offset(from), offset(to))
    }

    /// Where in the source the character begins that the byte at a canonical offset belongs to;
    /// behind the text, where that ends.
    pub fn source(&self, at: u32) -> u32 {
        let len = self.text.len();
        let at = usize::try_from(at).unwrap_or(len);
        offset(if at < len {
            self.map.start(at)
        } else {
            self.map.end(len)
        })
    }

    /// After which of up to sixty-four ASCII characters from a canonical offset on something was
    /// dropped from the source, a bit for each. Asked in order of offsets, with the cursor of
    /// [`Canon::cursor`].
    pub(super) fn drops_in(&self, at: usize, len: usize, cursor: &mut usize) -> u64 {
        self.map.drops_in(at.saturating_add(1), len, cursor)
    }

    /// Something was dropped from the source after the ASCII character at a canonical offset.
    /// Asked in order of offsets, with the cursor of [`Canon::cursor`].
    pub(super) fn drops_after(&self, at: usize, cursor: &mut usize) -> bool {
        let next = at.saturating_add(1);
        next < self.text.len() && self.map.drops_before(next, cursor)
    }

    /// Where a walk from a canonical offset on begins.
    pub(super) fn cursor(&self, at: usize) -> usize {
        self.map.cursor(at)
    }

    /// Bytes that the way back takes at present.
    pub const fn map_bytes(&self) -> usize {
        self.map.size()
    }
}
