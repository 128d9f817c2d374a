//! Large keys files, in pieces: one key at a time, in the plain forms that programs write.
//!
//! Decides where each key of a file begins and ends, and reads it alone: as one line of JSON (what
//! `portcullis keys` writes), as plain `name: value` lines, or else as a small YAML document. It
//! never takes what the whole reader would refuse: names are checked and no key is taken twice.
//! It may refuse YAML that the whole reader takes, such as aliases from one key to another.

use super::entry::KeyEntry;

/// A line longer than this is no key's.
const LONGEST_LINE: usize = 65_536;
/// Nor is an entry of more text.
const LONGEST_ENTRY: usize = 262_144;

/// A reader on its way through a file.
#[derive(Debug, Default)]
pub(super) struct Quick {
    carry: Vec<u8>,
    line: usize,
    /// The column in which keys begin, once there was one.
    column: Option<usize>,
    begun: bool,
    entry: String,
    entry_line: usize,
    /// The line at which it could read no further.
    failed: Option<usize>,
}

/// Where a key goes, and the line that it began on.
type Sink<'a> = dyn FnMut(&KeyEntry, usize) + 'a;

impl Quick {
    /// Takes the next piece.
    pub(super) fn take(&mut self, mut piece: &[u8], sink: &mut Sink<'_>) {
        while self.failed.is_none() {
            let Some(end) = memchr::memchr(b'\n', piece) else {
                self.carry.extend_from_slice(piece);
                if self.carry.len() > LONGEST_LINE {
                    self.failed = Some(self.line.saturating_add(1));
                }
                return;
            };
            let (line, rest) = piece.split_at_checked(end).unwrap_or_default();
            piece = rest.get(1..).unwrap_or_default();
            if self.carry.is_empty() {
                self.line(line, sink);
            } else {
                let mut whole = std::mem::take(&mut self.carry);
                whole.extend_from_slice(line);
                self.line(&whole, sink);
                whole.clear();
                self.carry = whole;
            }
        }
    }

    /// Takes the end.
    ///
    /// # Errors
    /// The line at which it could read no further.
    pub(super) fn finish(&mut self, sink: &mut Sink<'_>) -> Result<(), usize> {
        if self.failed.is_none() && !self.carry.is_empty() {
            let last = std::mem::take(&mut self.carry);
            self.line(&last, sink);
        }
        self.end_entry(sink);
        self.failed.map_or(Ok(()), Err)
    }

    fn line(&mut self, line: &[u8], sink: &mut Sink<'_>) {
        self.line = self.line.saturating_add(1);
        let Ok(line) = std::str::from_utf8(line) else {
            return self.fail();
        };
        let line = line.strip_suffix('\r').unwrap_or(line);
        let line = if self.line == 1 {
            line.trim_start_matches('\u{feff}')
        } else {
            line
        };
        let text = line.trim_start_matches(' ');
        let column = line.len().saturating_sub(text.len());
        if text.is_empty() || text.starts_with('#') {
            return self.entry_text(0, text);
        }
        if !self.begun {
            self.begun = line.trim_end() == "keys:";
            if !self.begun && line != "---" {
                self.fail();
            }
            return;
        }
        let first = text.strip_prefix("- ");
        match (self.column, first) {
            (None, Some(first)) => {
                self.column = Some(column);
                self.begin_entry(column, first);
            }
            (Some(own), Some(first)) if own == column => {
                self.end_entry(sink);
                self.begin_entry(column, first);
            }
            (Some(own), _) if column > own && !self.entry.is_empty() => {
                self.entry_text(column, text);
            }
            _ => self.fail(),
        }
    }

    fn begin_entry(&mut self, column: usize, first: &str) {
        self.entry_line = self.line;
        let within = first.trim_start_matches(' ');
        let indent = first.len().saturating_sub(within.len());
        let column = column.saturating_add(2).saturating_add(indent);
        self.entry_text(column, within);
    }

    fn entry_text(&mut self, column: usize, text: &str) {
        if self.entry.is_empty() && (text.is_empty() || text.starts_with('#')) {
            return;
        }
        self.entry.extend(std::iter::repeat_n(' ', column));
        self.entry.push_str(text);
        self.entry.push('\n');
        if self.entry.len() > LONGEST_ENTRY {
            self.fail();
        }
    }

    fn end_entry(&mut self, sink: &mut Sink<'_>) {
        if self.entry.is_empty() || self.failed.is_some() {
            return;
        }
        match entry(&self.entry) {
            Some(entry) => sink(&entry, self.entry_line),
            None => self.failed = Some(self.entry_line),
        }
        self.entry.clear();
    }

    const fn fail(&mut self) {
        if self.failed.is_none() {
            self.failed = Some(self.line);
        }
    }
}

fn entry(text: &str) -> Option<KeyEntry> {
    let trimmed = text.trim();
    let json = trimmed
        .starts_with('{')
        .then(|| serde_json::from_str(trimmed).ok())
        .flatten();
    json.or_else(|| plain(text))
        .or_else(|| serde_yaml::from_str(text).ok())
}

/// An entry of `name: value` lines, none of whose values could be anything but a text.
fn plain(text: &str) -> Option<KeyEntry> {
    let (mut id, mut hash, mut role) = (None, None, None);
    for line in text.lines() {
        let (name, value) = line.trim().split_once(": ")?;
        let value = value.trim();
        let quoted = value
            .strip_prefix('"')
            .and_then(|value| value.strip_suffix('"'));
        let bare = quoted.unwrap_or(value);
        let is_text = quoted.is_some()
            || bare.starts_with(|first: char| first.is_ascii_alphabetic()) && !is_word(bare);
        if !is_text || !bare.bytes().all(is_plain) {
            return None;
        }
        let field = match name {
            "id" => &mut id,
            "hash" => &mut hash,
            "role" => &mut role,
            _ => return None,
        };
        if field.replace(bare).is_some() {
            return None;
        }
    }
    let role = crate::identify::keys::Role::from_name(role?)?;
    Some(KeyEntry::new(id?, hash?.to_owned(), role))
}

/// Characters that no YAML reader takes for anything but themselves, within a word.
const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'@' | b':')
}

/// Words that some YAML readers take for something else.
fn is_word(text: &str) -> bool {
    ["null", "true", "false", "yes", "no", "on", "off", "y", "n"]
        .iter()
        .any(|word| text.eq_ignore_ascii_case(word))
        || text.ends_with(':')
}
