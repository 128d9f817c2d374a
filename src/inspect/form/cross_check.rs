//! The readers against themselves at other cuts, and against a slow second reading of the whole:
//! what the fuzz target, its seeds and the property tests run. Not called by the gateway.

use std::ops::Range;
use std::slice::Chunks;

use super::{FormError, FormSink, HeadAt, Multipart, PartHead, UrlEncoded, boundary_of};

/// Two readings of the same bytes that differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Disagreement {
    /// Another cut gave other events or another error.
    #[error("pieces of {size} bytes gave another reading than the whole")]
    Cut {
        /// The size of the pieces.
        size: usize,
    },
    /// The parts are not where the boundaries split the body.
    #[error("the parts are not what lies between the boundaries")]
    Parts,
    /// Something is not where it was said to stand.
    #[error("what was heard does not stand where it was said to")]
    Places,
}

/// Reads `data` as both kinds of form. Its first line, if it is a boundary, is the one of the
/// multipart form.
pub fn cross_check(data: &[u8]) -> Result<(), Disagreement> {
    let first = data.split(|byte| matches!(byte, b'\r' | b'\n')).next();
    let dashed = first.and_then(|line| line.strip_prefix(b"--"));
    let named = dashed.unwrap_or(b"x");
    let content_type = [b"multipart/form-data; boundary=\"", named, b"\""].concat();
    if let Some(boundary) = boundary_of(&content_type) {
        let whole = compare(data, |mut pieces, heard| {
            let mut reader = Multipart::new(&boundary);
            pieces.try_for_each(|piece| reader.push(piece, heard))?;
            reader.finish(heard)
        })?;
        let dashes = ["--", boundary.as_str()].concat();
        if !whole.stands_in(data) {
            return Err(Disagreement::Places);
        }
        if whole.outcome.is_ok() && split_apart(data, dashes.as_bytes()) != Some(whole.data) {
            return Err(Disagreement::Parts);
        }
    }
    compare(data, |mut pieces, heard| {
        let mut reader = UrlEncoded::new();
        pieces.try_for_each(|piece| reader.push(piece, heard))?;
        reader.finish(heard)
    })?;
    Ok(())
}

/// One reading in several cuts.
fn compare(
    data: &[u8],
    read: impl Fn(Chunks<'_, u8>, &mut Heard) -> Result<(), FormError>,
) -> Result<Reading, Disagreement> {
    let by = |size| {
        let mut heard = Heard::default();
        let outcome = read(data.chunks(size), &mut heard);
        Reading {
            heads: heard.heads,
            data: heard.data,
            heads_at: heard.heads_at,
            data_at: heard.data_at,
            ended: heard.ended,
            outcome,
        }
    };
    let whole = by(data.len().max(1));
    for size in [1, 2, 3, 7, 64] {
        if by(size) != whole {
            return Err(Disagreement::Cut { size });
        }
    }
    Ok(whole)
}

/// What was heard, and how it ended.
#[derive(Debug, PartialEq, Eq)]
struct Reading {
    heads: Vec<String>,
    data: Vec<Vec<u8>>,
    heads_at: Vec<Range<u64>>,
    data_at: Vec<Range<u64>>,
    ended: u32,
    outcome: Result<(), FormError>,
}

impl Reading {
    /// Whether the data of each part stands in the body as it is, where it was said to.
    fn stands_in(&self, body: &[u8]) -> bool {
        let at = |place: u64| usize::try_from(place).unwrap_or(usize::MAX);
        self.data.iter().zip(&self.data_at).all(|(data, raw)| {
            data.is_empty() || body.get(at(raw.start)..at(raw.end)) == Some(data.as_slice())
        })
    }
}

/// Keeps all that it hears, data of one part joined.
#[derive(Debug, Default)]
pub(super) struct Heard {
    pub(super) heads: Vec<String>,
    pub(super) data: Vec<Vec<u8>>,
    /// Where the words of the heads stand, in order.
    pub(super) heads_at: Vec<Range<u64>>,
    /// Where the data of each part stands.
    pub(super) data_at: Vec<Range<u64>>,
    /// Ends heard, of parts and of the form.
    pub(super) ended: u32,
}

impl FormSink for Heard {
    fn part_begin(&mut self, head: &PartHead<'_>, at: &HeadAt) {
        self.heads.push(format!("{head:?}"));
        self.data.push(Vec::new());
        let places = std::iter::once(at.name.clone()).chain(at.filename.clone());
        self.heads_at.extend(places);
        self.data_at.push(0..0);
    }
    fn data(&mut self, raw: Range<u64>, data: &[u8]) {
        if let Some(place) = self.data_at.last_mut() {
            // What comes next of a part stands right behind what came before.
            *place = match place.end {
                0 => raw,
                end if end == raw.start => place.start..raw.end,
                _ => u64::MAX..u64::MAX,
            };
        }
        if let Some(part) = self.data.last_mut() {
            part.extend_from_slice(data);
        }
    }
    fn part_end(&mut self) {
        self.ended = self.ended.saturating_add(1);
    }
    fn end(&mut self) {
        self.ended = self.ended.saturating_add(1);
    }
}

/// The data of the parts of a well-formed form: what lies between its boundaries, without the
/// lines of the heads.
fn split_apart(data: &[u8], dashed: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut between = Vec::new();
    let mut last = 0;
    for at in memchr::memmem::find_iter(data, dashed) {
        between.push(data.get(last..at)?);
        last = at.checked_add(dashed.len())?;
    }
    let parts = between.get(1..)?;
    parts
        .iter()
        .map(|part| {
            let at = memchr::memmem::find(part, b"\r\n\r\n")?;
            let data = part.get(at.checked_add(4)?..)?;
            data.strip_suffix(b"\r\n").map(<[u8]>::to_vec)
        })
        .collect()
}
