//! One part of a form, or a body that is one file: whether it is text, and the text in it.
//!
//! Decides by its declared type, its name and its first bytes whether a file is text, JSON or
//! data. What is data is counted as uninspected; all else is heard, whoever calls it what.
//! Never holds more of it than its first [`FIRST`] bytes. May miss: text in other encodings than
//! UTF-8, and inside documents, archives, pictures and sound, all of which is counted.

use std::ops::Range;

use super::documents::{Documents, tell};
use super::utf8::{Utf8, ahead};
use crate::inspect::channel::Channel;
use crate::inspect::form::{HeadAt, PartHead};
use crate::inspect::json::Limits;
use crate::inspect::text::{self, Listener};

/// Bytes by which a file is judged that does not say what it is.
const FIRST: usize = 512;

/// What a file says that it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Declared {
    Text,
    Json,
    Unknown,
}

/// What is read.
#[derive(Debug, Default)]
enum Open {
    #[default]
    Nothing,
    /// The first bytes of a file, which stand at this place.
    First(Declared, u64, Vec<u8>),
    Text(Utf8),
    Json(Box<Documents>),
    Data,
}

/// The parts of a form, one after the other.
#[derive(Debug)]
pub(super) struct Parts {
    limits: Limits,
    open: Open,
    unit: u32,
}

impl Parts {
    /// Before the first part; JSON in parts is read within these limits.
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            open: Open::Nothing,
            unit: 0,
        }
    }

    /// A part begins.
    pub(super) fn begin(&mut self, head: &PartHead<'_>, at: &HeadAt, ear: &mut impl Listener) {
        self.unit = self.unit.saturating_add(1);
        if text::says_something(head.name) {
            self.word(Channel::Key, head.name, &at.name, ear);
        }
        if let (Some(name), Some(at)) = (head.filename, &at.filename) {
            self.word(Channel::FileName, name, at, ear);
        }
        let declared = declared(head.content_type, head.filename);
        let field = head.filename.is_none();
        self.open = match declared {
            Declared::Text if field => self.field(head.name, ear),
            Declared::Unknown if field && head.content_type.is_none() => self.field(head.name, ear),
            Declared::Text | Declared::Json | Declared::Unknown => {
                Open::First(declared, 0, Vec::new())
            }
        };
    }

    /// The body is one file of this type.
    pub(super) fn begin_file(&mut self, content_type: Option<&str>) {
        self.unit = self.unit.saturating_add(1);
        self.open = Open::First(declared(content_type, None), 0, Vec::new());
    }

    /// More of the part.
    pub(super) fn data(&mut self, raw: Range<u64>, data: &[u8], ear: &mut impl Listener) {
        match &mut self.open {
            Open::Nothing => {}
            Open::First(_, at, first) => {
                if first.is_empty() {
                    *at = raw.start;
                }
                let room = FIRST.saturating_sub(first.len());
                let (now, later) = data.split_at_checked(room).unwrap_or((data, &[]));
                first.extend_from_slice(now);
                if first.len() >= FIRST {
                    self.decide(false, ear);
                }
                if !later.is_empty() {
                    self.data(ahead(raw.start, now.len())..raw.end, later, ear);
                }
            }
            Open::Text(utf8) => utf8.push(raw, data, |said| tell(said, ear)),
            Open::Json(documents) => documents.push(raw.start, data, ear),
            Open::Data => ear.opaque(u64::try_from(data.len()).unwrap_or(u64::MAX)),
        }
    }

    /// The part is whole.
    pub(super) fn end(&mut self, ear: &mut impl Listener) {
        if matches!(self.open, Open::First(..)) {
            self.decide(true, ear);
        }
        match std::mem::take(&mut self.open) {
            Open::Nothing | Open::Data | Open::First(..) => {}
            Open::Text(mut utf8) => utf8.end(|said| tell(said, ear)),
            Open::Json(documents) => self.unit = documents.end(ear),
        }
    }

    /// From where on in the body something is still to be told.
    pub(super) fn waiting(&self) -> Option<u64> {
        match &self.open {
            Open::Nothing | Open::Data => None,
            Open::First(_, at, first) => (!first.is_empty()).then_some(*at),
            Open::Text(utf8) => utf8.waiting(),
            Open::Json(documents) => documents.waiting(),
        }
    }

    /// Bytes that it takes in memory.
    pub(super) fn state_bytes(&self) -> usize {
        let open = match &self.open {
            Open::Nothing | Open::Data | Open::Text(_) => 0,
            Open::First(_, _, first) => first.capacity(),
            Open::Json(documents) => documents.state_bytes(),
        };
        size_of::<Self>().saturating_add(open)
    }

    /// The text of a field.
    fn field(&self, name: &str, ear: &mut impl Listener) -> Open {
        let channel = text::channel_of_field(name);
        ear.begin(self.unit, channel, channel.is_prose());
        Open::Text(Utf8::default())
    }

    /// A word of a head. Where escapes stand for some of it, any part means the whole.
    fn word(&self, channel: Channel, word: &str, raw: &Range<u64>, ear: &mut impl Listener) {
        ear.begin(self.unit, channel, false);
        let len = raw.end.saturating_sub(raw.start);
        if u64::try_from(word.len()).is_ok_and(|plain| plain == len) {
            ear.run(raw.start, word);
        } else {
            let len = u16::try_from(len).unwrap_or(u16::MAX);
            ear.unit(raw.start, len, word);
        }
    }

    /// What the file is by its first bytes, or by all that it has.
    fn decide(&mut self, whole: bool, ear: &mut impl Listener) {
        const MARK: &[u8] = b"\xef\xbb\xbf";
        let Open::First(declared, at, first) = std::mem::take(&mut self.open) else {
            return;
        };
        // A byte order mark says how the file is written, and nothing else.
        let (start, text) = match first.strip_prefix(MARK) {
            Some(text) => (ahead(at, MARK.len()), text),
            None => (at, first.as_slice()),
        };
        let wide = first.starts_with(b"\xff\xfe") || first.starts_with(b"\xfe\xff");
        self.open = match declared {
            Declared::Text | Declared::Json if wide => Open::Data,
            Declared::Json => Open::Json(Box::new(Documents::new(self.limits, self.unit, start))),
            Declared::Unknown if !reads_as_text(text, whole) => Open::Data,
            Declared::Text | Declared::Unknown => {
                ear.begin(self.unit, Channel::File, false);
                Open::Text(Utf8::default())
            }
        };
        if !text.is_empty() {
            self.data(start..ahead(start, text.len()), text, ear);
        }
    }
}

/// Whether these first bytes of a file are text: characters, and no other control characters than
/// those of text.
fn reads_as_text(bytes: &[u8], whole: bool) -> bool {
    let characters = match std::str::from_utf8(bytes) {
        Ok(_) => true,
        Err(error) => !whole && error.error_len().is_none(),
    };
    let odd =
        |byte: &u8| *byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r' | b'\x0c' | b'\x1b');
    characters && !bytes.iter().any(odd)
}

/// What a file says that it is, by type or by name; either is enough for text.
fn declared(content_type: Option<&str>, filename: Option<&str>) -> Declared {
    const JSON: &[&str] = &[
        "application/json",
        "application/jsonl",
        "application/json-lines",
        "application/jsonlines",
        "application/x-jsonlines",
        "application/x-ndjson",
        "application/ndjson",
        "text/json",
    ];
    const TEXT: &[&str] = &[
        "application/xml",
        "application/yaml",
        "application/x-yaml",
        "application/toml",
        "application/javascript",
        "application/typescript",
        "application/x-sh",
        "application/sql",
        "application/csv",
        "application/x-tex",
        "application/x-subrip",
    ];
    const JSON_NAMES: &[&str] = &["json", "jsonl", "ndjson"];
    const TEXT_NAMES: &[&str] = &[
        "txt", "md", "csv", "tsv", "html", "htm", "xml", "yaml", "yml", "toml", "ini", "log", "py",
        "js", "ts", "sh", "sql", "tex", "srt", "vtt", "css", "rs", "go", "java", "c", "h", "cpp",
        "cs", "php", "rb", "svg",
    ];
    let whole = content_type.unwrap_or_default();
    let kind = whole.split(';').next().unwrap_or_default().trim();
    let is = |listed: &[&str]| listed.iter().any(|one| kind.eq_ignore_ascii_case(one));
    let ends = |ending: &str| {
        let at = kind.len().saturating_sub(ending.len());
        kind.get(at..)
            .is_some_and(|end| end.eq_ignore_ascii_case(ending))
    };
    let named = filename.and_then(|name| name.rsplit_once('.'));
    let has = |listed: &[&str]| {
        named.is_some_and(|(_, last)| listed.iter().any(|one| last.eq_ignore_ascii_case(one)))
    };
    let text = kind
        .get(..5)
        .is_some_and(|start| start.eq_ignore_ascii_case("text/"));
    if is(JSON) || ends("+json") || has(JSON_NAMES) {
        Declared::Json
    } else if text || is(TEXT) || ends("+xml") || has(TEXT_NAMES) {
        Declared::Text
    } else {
        Declared::Unknown
    }
}
