//! Forms: `multipart/form-data` (RFC 7578) and `application/x-www-form-urlencoded`, read in any
//! cuts, and what routing needs of them.
//!
//! Decides: whether a body is one well-formed form, inside the limits below. What two readers
//! could understand differently is refused: a boundary anywhere but on a line of its own, text
//! before the first part or after the last, line ends other than CRLF, parameters given twice,
//! quotes behind a backslash, parts in a transfer encoding.
//! Never does: hold more of a part's data than the boundary is long, decode a part, touch a file.
//! May miss: what a part's data means. File names are told as they stand in the head, with
//! whatever escapes the sender used. A field may come twice; [`FormPeek`] refuses that for
//! the fields it knows.
//!
//! Chunking invariance: the events (adjacent data of one part joined) and the error are a
//! function of the bytes alone.

mod boundary;
mod cross_check;
mod head;
mod multipart;
mod pair;
mod peek;
#[cfg(test)]
mod tests;
mod urlencoded;

use std::ops::Range;

pub use boundary::{Boundary, boundary_of};
pub use cross_check::{Disagreement, cross_check};
pub use multipart::Multipart;
pub use peek::{FormFacts, FormPeek, MODEL_BYTES};
pub use urlencoded::UrlEncoded;

/// Most parts of a form.
pub const PARTS: u32 = 1000;
/// Most bytes of a part's head, line ends included.
pub const HEAD_BYTES: usize = 8 * 1024;
/// Most header fields of a part.
pub const HEAD_FIELDS: usize = 16;
/// Most bytes of a name in a URL-encoded form, decoded.
pub const NAME_BYTES: usize = 1024;

/// What a part is called, as it stands in its head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartHead<'a> {
    /// The field.
    pub name: &'a str,
    /// The file, if the part is one.
    pub filename: Option<&'a str>,
    /// The media type, if one is given.
    pub content_type: Option<&'a str>,
}

/// Where in the body the words of a part's head stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeadAt {
    /// The field's name, without quotes.
    pub name: Range<u64>,
    /// The file's, if the part is one.
    pub filename: Option<Range<u64>>,
}

/// Who listens to a form. Every method is empty unless written. An event that was delivered
/// stands even if the body is refused later: nothing may be believed before `finish` said so.
pub trait FormSink {
    /// A part begins.
    fn part_begin(&mut self, _head: &PartHead<'_>, _at: &HeadAt) {}
    /// More of the part's data, decoded where the form is URL-encoded, and where in the body it
    /// stands: byte for byte, or as one escape that means one byte. Never empty.
    fn data(&mut self, _raw: Range<u64>, _data: &[u8]) {}
    /// The part is whole.
    fn part_end(&mut self) {}
    /// The form is whole.
    fn end(&mut self) {}
}

/// Why a form is refused. The message may be shown to a client: it holds no text of the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// The body does not begin with its boundary.
    #[error("the form does not begin with its boundary")]
    NoBoundary,
    /// The boundary stands where it ends no part, or something follows it on its line.
    #[error("the form has its boundary in a place where it means nothing")]
    StrayBoundary,
    /// A part's head is not one that all readers understand alike.
    #[error("a part of the form has a malformed head")]
    MalformedHead,
    /// A part's head is over [`HEAD_BYTES`] or [`HEAD_FIELDS`].
    #[error("a part of the form has too large a head")]
    HeadTooLarge,
    /// The form has more than [`PARTS`] parts.
    #[error("the form has more than {PARTS} parts")]
    TooManyParts,
    /// Something follows the last boundary.
    #[error("text follows the end of the form")]
    TrailingData,
    /// The body ends before the form does.
    #[error("the form ends too early")]
    Unfinished,
    /// A percent sign is not followed by two hexadecimal digits, or a `;` stands unescaped.
    #[error("the form is not properly URL-encoded")]
    MalformedEscape,
    /// A name is not UTF-8, or over [`NAME_BYTES`].
    #[error("a name in the form is not UTF-8, or too long")]
    MalformedName,
}
