//! The readers against themselves at other cuts, and against a slow second reading of the whole:
//! what the fuzz target, its seeds and the property tests run. Not called by the gateway.

use std::slice::Chunks;

use super::{FormError, FormSink, Multipart, PartHead, UrlEncoded, boundary_of};

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
    ended: u32,
    outcome: Result<(), FormError>,
}

/// Keeps all that it hears, data of one part joined.
#[derive(Debug, Default)]
pub(super) struct Heard {
    pub(super) heads: Vec<String>,
    pub(super) data: Vec<Vec<u8>>,
    /// Ends heard, of parts and of the form.
    pub(super) ended: u32,
}

impl FormSink for Heard {
    fn part_begin(&mut self, head: &PartHead<'_>) {
        self.heads.push(format!("{head:?}"));
        self.data.push(Vec::new());
    }
    fn data(&mut self, data: &[u8]) {
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
