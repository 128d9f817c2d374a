//! What is scanned: a file or standard input, whole or line by line.
//!
//! Decides what a usable line is. Never holds more than one line, nor more than [`MOST_BYTES`] of
//! anything; never says in a fault what the text at fault is.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;
use serde_json::error::Category;
use thiserror::Error;

/// The longest line, text or body.
pub(super) const MOST_BYTES: usize = 16 * 1024 * 1024;

/// What keeps an input from being scanned.
#[derive(Debug, Error)]
pub(super) enum InputFault {
    /// The file.
    #[error("{name}: can't be read: {reason}; name a readable file, or `-` for standard input")]
    Unreadable { name: String, reason: io::Error },
    /// A text without end.
    #[error("{name}: is longer than {MOST_BYTES} bytes; cut it up, one text a line, with --jsonl")]
    TooLong { name: String },
    /// A line without end.
    #[error("{name}:{line}: is longer than {MOST_BYTES} bytes; write shorter texts")]
    LineTooLong { name: String, line: u64 },
    /// A line that is no text to scan.
    #[error(
        "{name}:{line}: {problem} (column {column}); write one JSON object a line, such as \
         {{\"text\": \"Hello\", \"label\": \"benign\"}}"
    )]
    Line {
        name: String,
        line: u64,
        column: usize,
        problem: &'static str,
    },
}

/// One text of a corpus. Further fields are its owner's business.
#[derive(Debug, Deserialize)]
pub(super) struct Line {
    /// What is inspected.
    pub text: String,
    /// What the answer is found by: a text or a number.
    #[serde(default, deserialize_with = "id")]
    pub id: Option<Value>,
    /// Who says it; a user, unless it says otherwise.
    #[serde(default)]
    pub role: Option<String>,
    /// What it is known to be.
    #[serde(default)]
    pub label: Option<String>,
}

fn id<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Value>, D::Error> {
    match Value::deserialize(from)? {
        Value::Null => Ok(None),
        id @ (Value::String(_) | Value::Number(_)) => Ok(Some(id)),
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
            Err(serde::de::Error::custom("an id is a text or a number"))
        }
    }
}

/// An input as far as it was read.
pub(super) struct Input {
    name: String,
    source: Box<dyn BufRead>,
    line: Vec<u8>,
    number: u64,
}

impl Input {
    /// Opens a file, or standard input.
    pub(super) fn open(path: Option<&Path>) -> Result<Self, InputFault> {
        let path = path.filter(|path| *path != Path::new("-"));
        let name = path.map_or_else(|| "-".to_owned(), |path| path.display().to_string());
        let source: Box<dyn BufRead> = match path {
            None => Box::new(io::stdin().lock()),
            Some(path) => match File::open(path) {
                Ok(file) => Box::new(BufReader::new(file)),
                Err(reason) => return Err(InputFault::Unreadable { name, reason }),
            },
        };
        Ok(Self {
            name,
            source,
            line: Vec::new(),
            number: 0,
        })
    }

    /// What it is called.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The number of the line that was read last.
    pub(super) const fn number(&self) -> u64 {
        self.number
    }

    /// Everything that is left.
    pub(super) fn whole(&mut self) -> Result<Vec<u8>, InputFault> {
        let mut bytes = Vec::new();
        let one_more = u64::try_from(MOST_BYTES).map_or(u64::MAX, |most| most.saturating_add(1));
        let read = (&mut self.source).take(one_more).read_to_end(&mut bytes);
        read.map_err(|reason| self.unreadable(reason))?;
        if bytes.len() > MOST_BYTES {
            return Err(InputFault::TooLong {
                name: self.name.clone(),
            });
        }
        Ok(bytes)
    }

    /// The next line that is not empty; none at the end.
    pub(super) fn line(&mut self) -> Result<Option<Line>, InputFault> {
        // Two more than a text may have: one for the line's end, one to see that it is too long.
        let most = u64::try_from(MOST_BYTES).map_or(u64::MAX, |most| most.saturating_add(2));
        loop {
            self.line.clear();
            let source = (&mut self.source)
                .take(most)
                .read_until(b'\n', &mut self.line);
            if source.map_err(|reason| self.unreadable(reason))? == 0 {
                return Ok(None);
            }
            self.number = self.number.saturating_add(1);
            if self.line.last() == Some(&b'\n') {
                self.line.pop();
            }
            if self.line.len() > MOST_BYTES {
                return Err(InputFault::LineTooLong {
                    name: self.name.clone(),
                    line: self.number,
                });
            }
            if !self.line.trim_ascii().is_empty() {
                return self.parse().map(Some);
            }
        }
    }

    fn parse(&self) -> Result<Line, InputFault> {
        serde_json::from_slice(&self.line).map_err(|error| InputFault::Line {
            name: self.name.clone(),
            line: self.number,
            column: error.column(),
            // The error's own words may hold the text.
            problem: match error.classify() {
                Category::Io | Category::Syntax | Category::Eof => "is not JSON",
                Category::Data => {
                    "is no object with a text as `text` and, if they are there, `role` and `label`, \
                     and a text or a number as `id`"
                }
            },
        })
    }

    fn unreadable(&self, reason: io::Error) -> InputFault {
        InputFault::Unreadable {
            name: self.name.clone(),
            reason,
        }
    }
}
