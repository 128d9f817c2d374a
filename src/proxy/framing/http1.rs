//! A strict reader of HTTP/1.1: what a peer that forgives nothing makes of the bytes it was sent.
//! A message that is framed in two ways at once is never complete to it.

/// A message as far as it has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    /// The first line and the header lines.
    pub(super) head: String,
    /// The body without its framing, as far as it has come.
    pub(super) body: Vec<u8>,
    /// Whether the message is complete by its own framing.
    pub(super) complete: bool,
    /// How many bytes it took.
    pub(super) length: usize,
}

/// Which side of a connection the message came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A request: without framing it has no body.
    Request,
    /// An answer: without framing it ends with the connection.
    Answer,
}

impl Message {
    /// Reads the first message in `wire`; none while its head is not whole.
    pub(super) fn read(wire: &[u8], kind: Kind) -> Option<Self> {
        let end = find(wire, b"\r\n\r\n")? + 4;
        let head = String::from_utf8(wire[..end - 4].to_vec()).expect("a head is text");
        let rest = &wire[end..];
        let length = values(&head, "content-length");
        let coding = values(&head, "transfer-encoding");
        let (body, taken, complete) = if length.len() + coding.len() > 1 {
            // Whoever forgives nothing waits for an end that does not come.
            (Vec::new(), rest.len(), false)
        } else if let Some(length) = length.first() {
            let length: usize = length.parse().expect("a length");
            let there = length.min(rest.len());
            (rest[..there].to_vec(), there, there == length)
        } else if !coding.is_empty() {
            chunks(rest)
        } else {
            let interim = head.starts_with("HTTP/1.1 1") || head.starts_with("HTTP/1.1 204");
            match kind {
                Kind::Answer if !interim => (rest.to_vec(), rest.len(), false),
                Kind::Answer | Kind::Request => (Vec::new(), 0, true),
            }
        };
        Some(Self {
            head,
            body,
            complete,
            length: end + taken,
        })
    }

    /// Every value of a field.
    pub(super) fn values(&self, name: &str) -> Vec<String> {
        values(&self.head, name)
    }

    /// The status of an answer.
    pub(super) fn status(&self) -> u16 {
        let status = self
            .head
            .strip_prefix("HTTP/1.1 ")
            .and_then(|rest| rest.get(..3));
        status
            .and_then(|digits| digits.parse().ok())
            .unwrap_or_else(|| panic!("{}", self.head))
    }
}

fn values(head: &str, name: &str) -> Vec<String> {
    let fields = head
        .split("\r\n")
        .skip(1)
        .filter_map(|line| line.split_once(':'));
    let named = fields.filter(|(key, _)| key.eq_ignore_ascii_case(name));
    named.map(|(_, value)| value.trim().to_owned()).collect()
}

/// The payload of a chunked body, how many bytes it took, and whether it came to its end.
fn chunks(wire: &[u8]) -> (Vec<u8>, usize, bool) {
    let (mut body, mut at) = (Vec::new(), 0);
    loop {
        let Some(line) = find(&wire[at..], b"\r\n") else {
            return (body, at, false);
        };
        let size = std::str::from_utf8(&wire[at..at + line]).expect("a size is text");
        let size = usize::from_str_radix(size, 16).expect("a size is hexadecimal");
        let start = at + line + 2;
        let have = size.min(wire.len() - start);
        body.extend_from_slice(&wire[start..start + have]);
        let end = start + size;
        if wire.len() < end + 2 {
            return (body, wire.len(), false);
        }
        assert_eq!(&wire[end..end + 2], b"\r\n", "a chunk ends its line");
        at = end + 2;
        if size == 0 {
            return (body, at, true);
        }
    }
}

/// One chunk.
pub(super) fn chunk(data: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", data.len()).as_bytes(), data, b"\r\n"].concat()
}

/// What ends a chunked body.
pub(super) const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}
