//! HTTP/1.1 as bytes, for both ends of the tests: where a head ends, how a body is framed, and
//! whether a message was complete. Strict on purpose: what the gateway writes must need no
//! goodwill to be read.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _};

/// The header lines of a message, in order, names as they were written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Headers(pub(crate) Vec<(String, String)>);

impl Headers {
    /// Reads the lines after the first one of a head.
    pub(crate) fn parse(head: &[u8]) -> Self {
        let text = String::from_utf8_lossy(head);
        let lines = text
            .split("\r\n")
            .skip(1)
            .take_while(|line| !line.is_empty());
        Self(
            lines
                .map(|line| {
                    let (name, value) = line.split_once(':').unwrap_or((line, ""));
                    (name.to_owned(), value.trim().to_owned())
                })
                .collect(),
        )
    }

    /// The value of a header that is there once; a header that is there twice fails the test.
    pub(crate) fn one(&self, name: &str) -> Option<&str> {
        let all = self.all(name);
        assert!(all.len() <= 1, "header {name} is there {} times", all.len());
        all.first().copied()
    }

    /// Every value of a header.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        let lines = self
            .0
            .iter()
            .filter(|(key, _)| key.eq_ignore_ascii_case(name));
        lines.map(|(_, value)| value.as_str()).collect()
    }

    /// Whether a header is there at all.
    pub(crate) fn has(&self, name: &str) -> bool {
        !self.all(name).is_empty()
    }
}

/// How a message says where its body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// No body at all.
    Empty,
    /// As many bytes as Content-Length says.
    Length(usize),
    /// Chunks up to an empty one.
    Chunked,
    /// Everything up to the end of the connection (answers only).
    UntilClose,
}

impl Framing {
    /// How a request is framed. Both framing headers at once, or one twice, fail the test: a
    /// second reader could see another message.
    pub(crate) fn of_request(headers: &Headers) -> Self {
        Self::explicit(headers).unwrap_or(Self::Empty)
    }

    /// How an answer is framed.
    pub(crate) fn of_answer(status: u16, method: &str, headers: &Headers) -> Self {
        if method == "HEAD" || (100..200).contains(&status) || status == 204 || status == 304 {
            return Self::Empty;
        }
        Self::explicit(headers).unwrap_or(Self::UntilClose)
    }

    fn explicit(headers: &Headers) -> Option<Self> {
        match (
            headers.one("transfer-encoding"),
            headers.one("content-length"),
        ) {
            (Some(coding), None) => {
                assert!(
                    coding.eq_ignore_ascii_case("chunked"),
                    "transfer-encoding: {coding}"
                );
                Some(Self::Chunked)
            }
            (None, Some(length)) => Some(Self::Length(length.parse().expect("a length"))),
            (None, None) => None,
            (Some(_), Some(_)) => panic!("both Content-Length and Transfer-Encoding"),
        }
    }
}

/// One piece of a body, as it arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Some bytes of the body: what one read gave, or one whole chunk.
    Data(Vec<u8>),
    /// The body is complete.
    End,
    /// The connection ended before the body did.
    Cut,
}

/// Reads messages off one side of a connection, and keeps what came too early.
#[derive(Debug)]
pub(crate) struct Reader<R> {
    source: R,
    buffer: Vec<u8>,
    left: Option<usize>,
}

impl<R: AsyncRead + Unpin> Reader<R> {
    /// A reader that has read nothing yet.
    pub(crate) fn new(source: R) -> Self {
        Self {
            source,
            buffer: Vec::new(),
            left: None,
        }
    }

    /// Bytes that arrived and belong to nothing read so far.
    pub(crate) fn early(&self) -> &[u8] {
        &self.buffer
    }

    /// The next head with its empty line, or what there was of it when the connection ended.
    pub(crate) async fn head(&mut self) -> Result<Vec<u8>, Vec<u8>> {
        self.left = None;
        loop {
            if let Some(end) = find(&self.buffer, b"\r\n\r\n") {
                return Ok(self.take(end + 4));
            }
            if !self.fill().await {
                return Err(std::mem::take(&mut self.buffer));
            }
        }
    }

    /// The next piece of a body that is framed so.
    pub(crate) async fn piece(&mut self, framing: Framing) -> Piece {
        match framing {
            Framing::Empty => Piece::End,
            Framing::Length(length) => self.counted(length).await,
            Framing::Chunked => self.chunk().await,
            Framing::UntilClose => self.rest().await,
        }
    }

    /// The whole body, and whether it was complete.
    pub(crate) async fn body(&mut self, framing: Framing) -> (Vec<u8>, bool) {
        let mut body = Vec::new();
        loop {
            match self.piece(framing).await {
                Piece::Data(data) => body.extend_from_slice(&data),
                Piece::End => return (body, true),
                Piece::Cut => return (body, false),
            }
        }
    }

    /// Resolves when the other side sends more (`Ok`) or goes away (`Err` with the reason;
    /// `UnexpectedEof` for an orderly end).
    pub(crate) async fn next_sign(&mut self) -> io::Result<()> {
        match self.source.read_buf(&mut self.buffer).await {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(_) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn counted(&mut self, length: usize) -> Piece {
        let left = *self.left.get_or_insert(length);
        if left == 0 {
            self.left = None;
            return Piece::End;
        }
        if self.buffer.is_empty() && !self.fill().await {
            return Piece::Cut;
        }
        let data = self.take(left.min(self.buffer.len()));
        self.left = Some(left - data.len());
        Piece::Data(data)
    }

    async fn chunk(&mut self) -> Piece {
        let Some(line) = self.line().await else {
            return Piece::Cut;
        };
        let text = String::from_utf8(line).expect("a chunk size is text");
        let size = usize::from_str_radix(text.trim_end(), 16).expect("a chunk size is hexadecimal");
        while self.buffer.len() < size + 2 {
            if !self.fill().await {
                let have = self.buffer.len().min(size);
                return if have == 0 {
                    Piece::Cut
                } else {
                    Piece::Data(self.take(have))
                };
            }
        }
        let data = self.take(size);
        assert_eq!(self.take(2), b"\r\n", "a chunk ends with an empty line");
        if size == 0 {
            Piece::End
        } else {
            Piece::Data(data)
        }
    }

    async fn rest(&mut self) -> Piece {
        if self.buffer.is_empty() && !self.fill().await {
            return Piece::End;
        }
        let all = self.buffer.len();
        Piece::Data(self.take(all))
    }

    async fn line(&mut self) -> Option<Vec<u8>> {
        loop {
            if let Some(end) = find(&self.buffer, b"\r\n") {
                return Some(self.take(end + 2));
            }
            if !self.fill().await {
                return None;
            }
        }
    }

    async fn fill(&mut self) -> bool {
        self.next_sign().await.is_ok()
    }

    fn take(&mut self, count: usize) -> Vec<u8> {
        let rest = self.buffer.split_off(count);
        std::mem::replace(&mut self.buffer, rest)
    }
}

/// Where `needle` begins.
pub(crate) fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}

/// `body` in chunks of at most `size` bytes, with the empty one at the end.
pub(crate) fn chunked(body: &[u8], size: usize) -> Vec<u8> {
    let mut wire = Vec::new();
    for piece in body.chunks(size) {
        wire.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
        wire.extend_from_slice(piece);
        wire.extend_from_slice(b"\r\n");
    }
    wire.extend_from_slice(b"0\r\n\r\n");
    wire
}
