//! Server-sent events out of bytes in any cuts.
//!
//! Decides where an event ends and which of its bytes are data, by the HTML standard: lines end in
//! LF, CR LF or CR, a line with a colon in front is a comment, the data lines of one event are
//! joined by line feeds, a byte order mark before the first line is skipped. An event that reads
//! the same in any client (data in one line, line feeds alone) keeps its bytes; any other is
//! written anew in that form, so that what was inspected is what a client reads.
//! Never looks into the data. Its state is one unfinished event, up to [`MOST`] bytes.
//! May miss: nothing; names of events over `NAME` bytes, and fields that the standard does not
//! know, are left out.

use memchr::memchr2;

/// The longest event.
pub const MOST: usize = 4 * 1024 * 1024;
/// The longest name or id of an event that is kept.
const NAME: usize = 128;

/// An event is longer than [`MOST`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event of the stream is too long")]
pub struct TooLong;

/// One event, or the comments between two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event<'e> {
    /// As it may be sent on, up to its empty line.
    pub bytes: &'e [u8],
    /// Where in `bytes` its data stands; none for comments.
    pub data: Option<(usize, usize)>,
}

impl<'e> Event<'e> {
    /// The data.
    pub fn payload(&self) -> Option<&'e [u8]> {
        let (start, end) = self.data?;
        self.bytes.get(start..end)
    }
}

/// A stream as far as it was read.
#[derive(Debug, Default)]
pub struct Framer {
    /// The unfinished event.
    held: Vec<u8>,
    /// Where in it the unfinished line begins, and up to where no end of it was found.
    line: usize,
    seen: usize,
    /// The last byte was a CR, so that an LF belongs to it.
    after_return: bool,
    /// The first line has begun.
    begun: bool,
    /// An event written anew.
    anew: Vec<u8>,
}

impl Framer {
    /// Whether the stream ends between two events.
    pub fn is_between(&self) -> bool {
        self.held.is_empty()
    }

    /// Whether the next byte begins an event, whatever it is.
    pub const fn is_at_start(&self) -> bool {
        self.begun && self.held.is_empty() && !self.after_return
    }

    /// Bytes that it takes in memory.
    pub fn state_bytes(&self) -> usize {
        self.held.capacity().saturating_add(self.anew.capacity())
    }

    /// Takes the next bytes and tells the events that they end, until one is not wanted.
    ///
    /// # Errors
    /// An event is too long, or what `tell` answers.
    pub fn push<E: From<TooLong>>(
        &mut self,
        bytes: &[u8],
        mut tell: impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut bytes = bytes;
        if bytes.is_empty() {
            return Ok(());
        }
        if std::mem::take(&mut self.after_return) {
            bytes = bytes.strip_prefix(b"\n").unwrap_or(bytes);
        }
        if self.held.is_empty() && self.begun {
            let done = self.events(bytes, &mut tell)?;
            self.held = bytes.get(done..).unwrap_or_default().to_vec();
        } else {
            let mut held = std::mem::take(&mut self.held);
            held.extend_from_slice(bytes);
            let done = self.events(&held, &mut tell)?;
            held.drain(..done);
            self.held = held;
        }
        if self.held.len() > MOST {
            return Err(TooLong.into());
        }
        Ok(())
    }

    /// Tells the events that are whole; how many bytes they have.
    fn events<E>(
        &mut self,
        buffer: &[u8],
        tell: &mut impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<usize, E> {
        let mut rest = buffer;
        if !self.begun {
            match mark(rest) {
                Mark::Unknown => return Ok(0),
                Mark::There => rest = rest.get(3..).unwrap_or_default(),
                Mark::Absent => {}
            }
            self.begun = true;
        }
        while let Some(end) = self.event_end(rest) {
            let (event, after) = rest.split_at_checked(end).unwrap_or((rest, &[]));
            rest = after;
            (self.line, self.seen) = (0, 0);
            self.told(event, tell)?;
        }
        Ok(buffer.len().saturating_sub(rest.len()))
    }

    /// Where the first event of the buffer ends, behind its empty line.
    fn event_end(&mut self, buffer: &[u8]) -> Option<usize> {
        loop {
            let unseen = buffer.get(self.seen..)?;
            let Some(found) = memchr2(b'\n', b'\r', unseen) else {
                self.seen = buffer.len();
                return None;
            };
            let at = self.seen.saturating_add(found);
            let mut end = at.saturating_add(1);
            if buffer.get(at) == Some(&b'\r') {
                match buffer.get(end) {
                    Some(b'\n') => end = end.saturating_add(1),
                    Some(_) => {}
                    // The line has ended, whatever comes; a line feed would belong to it.
                    None => self.after_return = true,
                }
            }
            let empty = at == self.line;
            (self.line, self.seen) = (end, end);
            if empty {
                return Some(end);
            }
        }
    }

    fn told<E>(
        &mut self,
        event: &[u8],
        tell: &mut impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        if let Some(data) = plain(event) {
            return tell(Event { bytes: event, data });
        }
        self.anew.clear();
        let data = rewrite(event, &mut self.anew);
        if self.anew.is_empty() {
            return Ok(());
        }
        let outcome = tell(Event {
            bytes: &self.anew,
            data,
        });
        // What one large event took is not kept for the next small ones.
        if self.anew.capacity() > 16 * 1024 {
            self.anew = Vec::new();
        }
        outcome
    }
}

enum Mark {
    There,
    Absent,
    Unknown,
}

/// Whether a byte order mark begins the stream.
fn mark(buffer: &[u8]) -> Mark {
    const BOM: &[u8] = &[0xef, 0xbb, 0xbf];
    if buffer.starts_with(BOM) {
        Mark::There
    } else if BOM.starts_with(buffer) {
        Mark::Unknown
    } else {
        Mark::Absent
    }
}

/// Whether an event that stands here is one that may be sent on as it came.
pub(super) fn keeps_its_bytes(event: &[u8]) -> bool {
    plain(event).is_some()
}

/// Where the data of an event stands that may keep its bytes: lines that end in line feeds, one
/// of data and perhaps one with a name before it.
#[expect(
    clippy::option_option,
    reason = "an event without data may keep its bytes, too"
)]
fn plain(event: &[u8]) -> Option<Option<(usize, usize)>> {
    let mut at = 0_usize;
    let mut data = None;
    while let Some(rest) = event.get(at..).filter(|rest| !rest.is_empty()) {
        let text = rest.get(..memchr::memchr(b'\n', rest)?)?;
        if let Some(value) = text.strip_prefix(b"data:") {
            let value = value.strip_prefix(b" ").unwrap_or(value);
            let end = at.saturating_add(text.len());
            let once = data
                .replace((end.saturating_sub(value.len()), end))
                .is_none();
            if !once || memchr::memchr(b'\r', value).is_some() {
                return None;
            }
        } else if let Some(name) = text.strip_prefix(b"event: ") {
            if !is_name(name) {
                return None;
            }
        } else if !text.is_empty() {
            return None;
        }
        at = at.saturating_add(text.len()).saturating_add(1);
    }
    data.map(Some)
}

fn is_name(name: &[u8]) -> bool {
    name.len() <= NAME
        && name
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

/// Writes an event anew; answers where its data stands. A comment stays as an empty one, which
/// keeps a connection alive as well as one that says something.
fn rewrite(event: &[u8], out: &mut Vec<u8>) -> Option<(usize, usize)> {
    let mut data: Option<Vec<u8>> = None;
    let mut comment = false;
    for line in lines(event) {
        let colon = line.iter().position(|byte| *byte == b':');
        let (field, value) = colon.map_or((line, &b""[..]), |at| {
            let value = line.get(at.saturating_add(1)..).unwrap_or_default();
            (
                line.get(..at).unwrap_or_default(),
                value.strip_prefix(b" ").unwrap_or(value),
            )
        });
        match field {
            b"" => comment |= colon.is_some(),
            b"data" => match &mut data {
                None => data = Some(value.to_vec()),
                Some(data) => {
                    data.push(b'\n');
                    data.extend_from_slice(value);
                }
            },
            b"event" | b"id" if is_name(value) && !value.is_empty() => {
                field_line(out, field, value);
            }
            b"retry" if !value.is_empty() && value.iter().all(u8::is_ascii_digit) => {
                field_line(out, field, value.get(..9).unwrap_or(value));
            }
            _ => {}
        }
    }
    if comment {
        out.extend_from_slice(b":\n");
    }
    let place = data.map(|mut data| {
        // JSON has line feeds between its parts only, where a blank is as good.
        for byte in &mut data {
            if *byte == b'\n' {
                *byte = b' ';
            }
        }
        out.extend_from_slice(b"data: ");
        let start = out.len();
        out.extend_from_slice(&data);
        let end = out.len();
        out.push(b'\n');
        (start, end)
    });
    if !out.is_empty() {
        out.push(b'\n');
    }
    place
}

fn field_line(out: &mut Vec<u8>, field: &[u8], value: &[u8]) {
    out.extend_from_slice(field);
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.push(b'\n');
}

/// The lines of an event, whatever they end in.
fn lines(event: &[u8]) -> impl Iterator<Item = &[u8]> {
    // An empty piece between CR and LF is a line that says nothing.
    event
        .split(|byte| matches!(byte, b'\n' | b'\r'))
        .filter(|line| !line.is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Framer, MOST, TooLong};

    fn framed(pieces: &[&[u8]]) -> (Vec<u8>, Vec<Vec<u8>>, bool) {
        let (mut framer, mut out, mut data) = (Framer::default(), Vec::new(), Vec::new());
        for piece in pieces {
            framer
                .push(piece, |event| {
                    out.extend_from_slice(event.bytes);
                    data.extend(event.payload().map(<[u8]>::to_vec));
                    Ok::<_, TooLong>(())
                })
                .unwrap();
        }
        (out, data, framer.is_between())
    }

    #[test]
    fn lines_end_in_any_way_and_read_the_same() {
        for (stream, out, data) in [
            ("data: a\n\n", "data: a\n\n", vec!["a"]),
            (
                "data:a\n\ndata: b\n\n",
                "data:a\n\ndata: b\n\n",
                vec!["a", "b"],
            ),
            ("data: a\r\n\r\n", "data: a\n\n", vec!["a"]),
            (
                "data: a\r\rdata: b\r\r",
                "data: a\n\ndata: b\n\n",
                vec!["a", "b"],
            ),
            ("event: x\ndata: a\n\n", "event: x\ndata: a\n\n", vec!["a"]),
            ("data: {\ndata: }\n\n", "data: { }\n\n", vec!["{ }"]),
            (": said 10.0.0.1\n\n", ":\n\n", vec![]),
            ("\u{feff}data: a\n\n", "data: a\n\n", vec!["a"]),
            (
                "id: 7\nretry: 10\nodd: x\ndata\n\n",
                "id: 7\nretry: 10\ndata: \n\n",
                vec![""],
            ),
            ("\n\ndata: a\n\n", "data: a\n\n", vec!["a"]),
            ("event: a b\ndata: x\n\n", "data: x\n\n", vec!["x"]),
        ] {
            let (got, payloads, between) = framed(&[stream.as_bytes()]);
            assert_eq!(String::from_utf8(got).unwrap(), out, "{stream:?}");
            let payloads: Vec<_> = payloads
                .iter()
                .map(|p| String::from_utf8_lossy(p))
                .collect();
            assert_eq!(payloads, data, "{stream:?}");
            assert!(between, "{stream:?}");
        }
        assert!(!framed(&[b"data: half"]).2, "an event without its end");
    }

    #[test]
    fn an_endless_line_is_refused() {
        let (mut framer, piece) = (Framer::default(), vec![b'a'; 1 << 20]);
        let mut outcome = Ok(());
        let mut fed = 0;
        while outcome.is_ok() {
            outcome = framer.push(&piece, |_| Ok::<_, TooLong>(()));
            fed += piece.len();
        }
        assert!(fed <= MOST + 2 * piece.len());
    }

    proptest! {
        #[test]
        fn any_cut_gives_the_same_events(
            parts in prop::collection::vec(prop::sample::select(vec![
                "data: a", "data:", "event: b", ":c", "\n", "\r", "\r\n", "\n\n", "\r\n\r\n", "x", "\u{feff}", "id: 1",
            ]), 0..30),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..9),
        ) {
            let stream = parts.concat().into_bytes();
            let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len().saturating_add(1))).collect();
            places.extend([0, stream.len()]);
            places.sort_unstable();
            let pieces: Vec<&[u8]> = places.windows(2).map(|w| &stream[w[0]..w[1]]).collect();
            prop_assert_eq!(framed(&[&stream]), framed(&pieces));
        }
    }
}
