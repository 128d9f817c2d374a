//! The one text of a message: all its strings behind each other, block by block.
//!
//! Decides where a block ends, which is a function of the text alone, and where in the body each
//! of its characters came from. Every string but the first has a line feed before it that is no
//! one's. The last [`OVERLAP`] bytes of a block stand again at the start of the next.
//! Never looks at what the text says. May miss: nothing; it holds every byte that it took.

mod mark;
#[cfg(test)]
mod tests;

use std::ops::Range;

use super::channel::Channel;
use super::json::Decoded;
use mark::Mark;

/// New bytes of text in a full block.
pub(super) const BLOCK: usize = 8192;
/// Bytes of the block before that stand again at the start of the next.
pub(super) const OVERLAP: usize = 1024;
/// Marks that a block may add; text full of escapes fills it before its bytes do.
const MARKS: usize = 2048;
/// Bytes for which there is room once there is any.
const FIRST: usize = 2048;
/// Marks for which there is.
const FIRST_MARKS: usize = 128;
/// Strings that may begin in a block.
const SPANS: usize = 512;

/// A string in the block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    at: u32,
    /// The message or field to which it belongs.
    pub(super) unit: u32,
    /// Where it stands, by meaning.
    pub(super) channel: Channel,
}

/// The text that was not yet judged, with what stands before it.
#[derive(Debug, Default)]
pub(super) struct Block {
    text: String,
    /// Offset of the block's first byte in the whole text.
    base: u64,
    /// How much of the text the block before had, too.
    carried: usize,
    marks: Vec<Mark>,
    carried_marks: usize,
    spans: Vec<Span>,
    carried_spans: usize,
    /// A string has begun and has no character yet.
    fresh: Option<Span>,
}

impl Block {
    /// The text.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Offset of the text's first byte in the text of the whole message.
    pub(super) const fn base(&self) -> u64 {
        self.base
    }

    /// Bytes of text seen so far, in this block and those before.
    pub(super) fn total(&self) -> u64 {
        self.base
            .saturating_add(u64::try_from(self.text.len()).unwrap_or(u64::MAX))
    }

    /// A string begins.
    pub(super) fn begin(&mut self, unit: u32, channel: Channel) {
        if self.marks.capacity() == 0 {
            self.marks.reserve(FIRST_MARKS);
        }
        self.fresh = Some(Span {
            at: 0,
            unit,
            channel,
        });
    }

    /// The role of the message `unit` was said behind its text.
    pub(super) fn role(&mut self, unit: u32, channel: Channel) {
        let own = self
            .spans
            .iter_mut()
            .rev()
            .take_while(|span| span.unit == unit);
        for span in own.filter(|span| span.channel.awaits_role()) {
            span.channel = channel;
        }
    }

    /// Takes as much of a text as fits; how many bytes it took. If that is less than all, the block
    /// is full.
    pub(super) fn take(&mut self, text: &Decoded<'_>) -> usize {
        if text.escapes() == 0 {
            return self.take_plain(text.raw(), text.text());
        }
        let anchor = !text.begins_with_escape() && !self.follows(text.raw());
        let free = self.free_marks().checked_sub(usize::from(anchor));
        let (Some(room), Some(free)) = (self.room(), free) else {
            return 0;
        };
        let most = room.min(text.escape_at(free).unwrap_or(usize::MAX));
        let take = text.text().floor_char_boundary(most);
        if take == 0 {
            return 0;
        }
        let at = self.opens(anchor.then_some(text.raw()));
        let (part, _) = text.split_at(take);
        let at = u16::try_from(at).unwrap_or(u16::MAX);
        self.marks.extend(part.escaped().map(|escaped| {
            let (wide, len) = (u16::from(escaped.wide), u16::from(escaped.len));
            Mark::placed((at.wrapping_add(escaped.at), wide), (escaped.raw, len))
        }));
        self.append(part.text());
        take
    }

    /// Whether as many bytes fit that need a mark at most.
    #[inline]
    pub(super) fn has_room(&self, len: usize) -> bool {
        self.free_marks() > 0 && self.room().is_some_and(|room| len <= room)
    }

    /// Appends text that stands in the body as it is, from `raw` on, and for which there is room.
    #[inline]
    pub(super) fn put_plain(&mut self, raw: u64, text: &str) {
        let anchor = !self.follows(raw);
        self.opens(anchor.then_some(raw));
        self.append(text);
    }

    /// The same as [`Block::take`] of text that stands in the body as it is, as most does.
    fn take_plain(&mut self, raw: u64, all: &str) -> usize {
        let anchor = !self.follows(raw);
        let take = all.floor_char_boundary(self.room().unwrap_or(0));
        if take == 0 || (anchor && self.free_marks() == 0) {
            return 0;
        }
        self.put_plain(raw, all.get(..take).unwrap_or_default());
        take
    }

    #[inline]
    fn append(&mut self, text: &str) {
        let room = self.text.capacity().saturating_sub(self.text.len());
        if room < text.len() {
            self.grow(text.len());
        }
        match text.as_bytes() {
            // Letters by themselves come by the thousand, between others that are taken out.
            [one @ 0..=0x7f] => self.text.push(char::from(*one)),
            _ => self.text.push_str(text),
        }
    }

    /// Makes room for so many bytes.
    #[cold]
    fn grow(&mut self, bytes: usize) {
        let needed = self.text.len().saturating_add(bytes);
        // Most messages fit into the first; doubling would end at 16 KiB, and a block is never more
        // than the last.
        let whole = if needed <= FIRST {
            FIRST
        } else if needed <= BLOCK / 2 {
            BLOCK / 2
        } else {
            BLOCK.saturating_add(OVERLAP).saturating_add(8).max(needed)
        };
        self.text
            .reserve_exact(whole.saturating_sub(self.text.len()));
    }

    /// Takes text that is one unit of `len` bytes at `raw`; whether it fitted.
    pub(super) fn unit(&mut self, raw: u64, len: u16, text: &str) -> bool {
        let fits = self.has_room(text.len());
        if fits {
            let at = self.opens(None);
            let wide = u16::try_from(text.len()).unwrap_or(u16::MAX);
            self.marks.push(Mark::new((at, wide), (raw, len)));
            self.text.push_str(text);
        }
        fits
    }

    /// Marks that the block may still add.
    const fn free_marks(&self) -> usize {
        let own = self.marks.len().saturating_sub(self.carried_marks);
        MARKS.saturating_sub(own)
    }

    /// Room for text, besides what the line feed takes; none for a string that is one too many.
    fn room(&self) -> Option<usize> {
        let strings = self.spans.len().saturating_sub(self.carried_spans);
        if self.fresh.is_some() && strings >= SPANS {
            return None;
        }
        let feed = usize::from(self.fresh.is_some() && !self.text.is_empty());
        let used = self
            .text
            .len()
            .saturating_sub(self.carried)
            .saturating_add(feed);
        BLOCK.checked_sub(used)
    }

    /// Whether text at `raw` goes on where the last mark leaves off.
    #[inline]
    fn follows(&self, raw: u64) -> bool {
        let goes_on = |mark: &Mark| mark.end(self.end()) == raw;
        self.fresh.is_none() && self.marks.last().is_some_and(goes_on)
    }

    /// Text is about to stand here, which may be the first of a string; from `anchor` on, if there
    /// is one, it stands in the body as it is. Where that is in the block.
    #[inline]
    fn opens(&mut self, anchor: Option<u64>) -> u32 {
        if let Some(span) = self.fresh.take() {
            if !self.text.is_empty() {
                self.text.push('\n');
            }
            let at = self.end();
            self.spans.push(Span { at, ..span });
        }
        let at = self.end();
        if let Some(raw) = anchor {
            self.marks.push(Mark::new((at, 0), (raw, 0)));
        }
        at
    }

    fn end(&self) -> u32 {
        u32::try_from(self.text.len()).unwrap_or(u32::MAX)
    }

    /// The string in which the byte at `at` stands; for a line feed, the one before it.
    pub(super) fn span(&self, at: u32) -> Option<Span> {
        let after = self.spans.partition_point(|span| span.at <= at);
        self.spans.get(after.checked_sub(1)?).copied()
    }

    /// Where the string begins in which the byte at `at` stands, if that is in this block.
    pub(super) fn string_start(&self, at: u32) -> Option<u32> {
        let after = self.spans.partition_point(|span| span.at <= at);
        let begins = self.spans.get(after.checked_sub(1)?)?.at;
        // What goes on from the block before begins nowhere here.
        (begins > 0 || self.base == 0).then_some(begins)
    }

    /// Where the string ends in which the byte at `at` stands, if that is in this block; the
    /// newest may go on unless the text is over.
    pub(super) fn string_end(&self, at: u32, last: bool) -> Option<u32> {
        let after = self.spans.partition_point(|span| span.at <= at);
        match self.spans.get(after) {
            // The line feed before a string is no one's.
            Some(next) => Some(next.at.saturating_sub(1)),
            None => last.then_some(self.end()),
        }
    }

    /// The parts of the body that a range of the text came from, one for each string.
    pub(super) fn raw(&self, range: Range<u32>) -> impl Iterator<Item = Range<u64>> {
        let first = self
            .spans
            .partition_point(|span| span.at <= range.start)
            .saturating_sub(1);
        let spans = self.spans.get(first..).unwrap_or_default();
        let followers = spans.iter().skip(1).map(|span| span.at.saturating_sub(1));
        let ends = followers.chain(std::iter::once(self.end()));
        let wanted = range.clone();
        spans
            .iter()
            .zip(ends)
            .take_while(move |(span, _)| span.at < wanted.end)
            .map(move |(span, end)| span.at.max(range.start)..end.min(range.end))
            .filter(|part| part.start < part.end)
            .filter_map(|part| {
                let start = self.mark_at(part.start)?.start(part.start);
                let end = self.mark_at(part.end.saturating_sub(1))?.end(part.end);
                Some(start..end)
            })
    }

    fn mark_at(&self, at: u32) -> Option<&Mark> {
        let after = self.marks.partition_point(|mark| mark.at() <= at);
        self.marks.get(after.checked_sub(1)?)
    }

    /// Where in the body the byte of the whole text at `place` comes from; none if the text is not
    /// so long.
    pub(super) fn source(&self, place: u64) -> Option<u64> {
        let at = u32::try_from(place.saturating_sub(self.base)).ok()?;
        if at >= self.end() {
            return None;
        }
        self.mark_at(at).map(|mark| mark.start(at))
    }

    /// Forgets all but the last [`OVERLAP`] bytes.
    pub(super) fn advance(&mut self) {
        let cut = self
            .text
            .floor_char_boundary(self.text.len().saturating_sub(OVERLAP));
        let Ok(gone) = u32::try_from(cut) else {
            return;
        };
        self.text.drain(..cut);
        self.base = self.base.saturating_add(u64::from(gone));
        self.carried = self.text.len();
        let keep = self
            .marks
            .partition_point(|mark| mark.at() <= gone)
            .saturating_sub(1);
        self.marks.drain(..keep);
        for mark in &mut self.marks {
            *mark = mark.without(gone);
        }
        self.carried_marks = self.marks.len();
        let keep = self
            .spans
            .partition_point(|span| span.at <= gone)
            .saturating_sub(1);
        self.spans.drain(..keep);
        for span in &mut self.spans {
            span.at = span.at.saturating_sub(gone);
        }
        self.carried_spans = self.spans.len();
    }

    /// Bytes that it takes in memory.
    pub(super) fn state_bytes(&self) -> usize {
        let marks = self.marks.capacity().saturating_mul(size_of::<Mark>());
        let spans = self.spans.capacity().saturating_mul(size_of::<Span>());
        self.text
            .capacity()
            .saturating_add(marks)
            .saturating_add(spans)
    }
}
