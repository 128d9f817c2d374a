//! The least of HTTP/1.1 that a load bench needs: heads, and bodies of both framings.
//!
//! Decides where a head and a body end. It trusts its peers, who are on the same machine and part
//! of the same bench: it is no parser for strangers.

use std::io;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};

/// Longest head that is waited for.
const LONGEST_HEAD: usize = 64 * 1024;
/// Room that a read is worth making for.
const ROOM: usize = 64 * 1024;
/// Room that is made where there is less.
const READ: usize = 256 * 1024;

/// Where a body ends.
#[derive(Clone, Copy)]
pub(crate) enum Framing {
    /// After so many bytes.
    Length(usize),
    /// After the chunk of no bytes.
    Chunked(Chunk),
}

/// What comes next in a chunked body.
#[derive(Clone, Copy)]
pub(crate) enum Chunk {
    /// The line with a chunk's size.
    Size,
    /// So many bytes of a chunk.
    Data(usize),
    /// The line end behind a chunk.
    DataEnd,
    /// Trailer lines, and the empty line that ends all.
    Trailer,
}

/// What one step of [`Framing::take`] came to.
enum Step {
    /// Go on.
    On,
    /// More bytes are needed.
    Starved,
    /// The body has ended.
    Over,
}

impl Framing {
    /// What the fields of a head say of its body.
    pub(crate) fn of(head: &Head<'_>) -> Self {
        if let Some(coding) = head.field("transfer-encoding")
            && coding.eq_ignore_ascii_case("chunked")
        {
            return Self::Chunked(Chunk::Size);
        }
        let length = head.field("content-length");
        Self::Length(length.and_then(|text| text.parse().ok()).unwrap_or(0))
    }

    /// Takes what it can from the front of `buf` and hands the body's bytes to `sink`; true once
    /// the body has ended.
    ///
    /// # Errors
    /// A chunk's size that is none.
    pub(crate) fn take(
        &mut self,
        buf: &mut BytesMut,
        mut sink: impl FnMut(&[u8]),
    ) -> io::Result<bool> {
        loop {
            let step = match self {
                Self::Length(left) => {
                    pass(buf, left, &mut sink);
                    if *left == 0 {
                        Step::Over
                    } else {
                        Step::Starved
                    }
                }
                Self::Chunked(state) => state.step(buf, &mut sink)?,
            };
            match step {
                Step::On => {}
                Step::Starved => return Ok(false),
                Step::Over => return Ok(true),
            }
        }
    }
}

impl Chunk {
    fn step(&mut self, buf: &mut BytesMut, sink: &mut impl FnMut(&[u8])) -> io::Result<Step> {
        if let Self::Data(left) = self {
            pass(buf, left, sink);
            if *left > 0 {
                return Ok(Step::Starved);
            }
            *self = Self::DataEnd;
        }
        let Some(end) = memchr::memchr(b'\n', buf) else {
            return Ok(Step::Starved);
        };
        let line = buf.split_to(end.saturating_add(1));
        let text = line.trim_ascii();
        *self = match self {
            Self::Size => match size(text).ok_or(io::ErrorKind::InvalidData)? {
                0 => Self::Trailer,
                more => Self::Data(more),
            },
            Self::Data(_) | Self::DataEnd => Self::Size,
            Self::Trailer if text.is_empty() => return Ok(Step::Over),
            Self::Trailer => Self::Trailer,
        };
        Ok(Step::On)
    }
}

/// A chunk's size: hex digits, with extensions behind them.
fn size(line: &[u8]) -> Option<usize> {
    let digits = line.split(|byte| *byte == b';').next()?;
    let text = std::str::from_utf8(digits.trim_ascii()).ok()?;
    usize::from_str_radix(text, 16).ok()
}

/// Hands at most `left` bytes from the front of `buf` to `sink`.
fn pass(buf: &mut BytesMut, left: &mut usize, sink: &mut impl FnMut(&[u8])) {
    let now = (*left).min(buf.len());
    sink(buf.get(..now).unwrap_or_default());
    buf.advance(now);
    *left = left.saturating_sub(now);
}

/// The head of a request or an answer.
pub(crate) struct Head<'h> {
    /// Its first line.
    pub(crate) start: &'h str,
    fields: &'h str,
}

impl<'h> Head<'h> {
    /// Reads a head's text.
    ///
    /// # Errors
    /// Text that is not UTF-8.
    pub(crate) fn read(text: &'h [u8]) -> io::Result<Self> {
        let text = std::str::from_utf8(text).map_err(io::Error::other)?;
        let (start, fields) = text.split_once("\r\n").unwrap_or((text, ""));
        Ok(Self { start, fields })
    }

    /// The value of the first field of that name.
    pub(crate) fn field(&self, name: &str) -> Option<&'h str> {
        self.fields.split("\r\n").find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }
}

/// Reads until `buf` starts with a whole head, and takes it out; none if the other side has closed.
///
/// # Errors
/// Those of the stream, and a head without end.
pub(crate) async fn head(
    stream: &mut (impl AsyncRead + Unpin),
    buf: &mut BytesMut,
) -> io::Result<Option<BytesMut>> {
    loop {
        if let Some(end) = memchr::memmem::find(buf, b"\r\n\r\n") {
            return Ok(Some(buf.split_to(end.saturating_add(4))));
        }
        if buf.len() > LONGEST_HEAD {
            return Err(io::ErrorKind::InvalidData.into());
        }
        if more(stream, buf).await? == 0 {
            return Ok(None);
        }
    }
}

/// Reads once behind what `buf` holds.
///
/// # Errors
/// Those of the stream.
pub(crate) async fn more(
    stream: &mut (impl AsyncRead + Unpin),
    buf: &mut BytesMut,
) -> io::Result<usize> {
    if buf.capacity().saturating_sub(buf.len()) < ROOM {
        buf.reserve(READ);
    }
    stream.read_buf(buf).await
}
