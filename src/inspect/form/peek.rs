//! What routing needs of a form: the model, whether a stream is wanted, how much of it is files.
//!
//! Decides: whether `model`, if it is given, is given once, as text, and usable.
//! Never does: know models, keep more of the form than the model's name.
//! May miss: nothing of the fields; but a form may name its model after its files, and what this
//! says of a whole form holds only once its reader has finished without an error.

use std::ops::Range;

use super::super::fault::{FieldFault, Problem};
use super::{FormSink, HeadAt, PartHead};

/// The longest model name that is read, in bytes.
pub const MODEL_BYTES: usize = super::super::peek::MODEL_BYTES;

/// The longest `stream` that is read: longer ones are not `true`.
const STREAM_BYTES: usize = 8;

/// What a form says about its way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FormFacts {
    /// The `model`, if the form names one; not empty, at most [`MODEL_BYTES`].
    pub model: Option<String>,
    /// Where its value stands in the body.
    pub model_at: Range<u64>,
    /// Whether the answer is to come as a stream.
    pub stream: bool,
    /// The parts that are files.
    pub files: u32,
    /// The bytes of data in them.
    pub file_bytes: u64,
}

/// Whose data is being heard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Field {
    #[default]
    Other,
    File,
    Model,
    Stream,
}

/// Listens to a form for [`FormFacts`].
#[derive(Debug, Default)]
pub struct FormPeek {
    field: Field,
    facts: FormFacts,
    /// The data of `model` or `stream`, whichever is open.
    text: Vec<u8>,
    stream_seen: bool,
    fault: Option<FieldFault>,
}

impl FormPeek {
    /// What was heard; to be asked once the reader has finished without an error.
    pub fn facts(&self) -> Result<FormFacts, FieldFault> {
        self.fault
            .clone()
            .map_or_else(|| Ok(self.facts.clone()), Err)
    }

    /// The model, as soon as its part is whole: a form that is still being sent can be routed,
    /// and is refused if it says more later that does not fit.
    pub fn model(&self) -> Result<Option<&str>, FieldFault> {
        self.fault
            .clone()
            .map_or_else(|| Ok(self.facts.model.as_deref()), Err)
    }

    fn blame(&mut self, name: &'static str, problem: Problem) {
        if self.fault.is_none() {
            self.fault = Some(FieldFault {
                param: name.into(),
                problem,
            });
        }
    }

    fn keep(&mut self, data: &[u8], most: usize) -> bool {
        let fits = self.text.len().saturating_add(data.len()) <= most;
        if fits {
            self.text.extend_from_slice(data);
        }
        fits
    }

    fn end_model(&mut self) {
        match str::from_utf8(&self.text) {
            Ok("") => self.blame("model", Problem::Empty),
            Ok(name) => self.facts.model = Some(name.to_owned()),
            Err(_) => self.blame("model", Problem::MustBe("text in UTF-8")),
        }
    }
}

impl FormSink for FormPeek {
    fn part_begin(&mut self, head: &PartHead<'_>, _at: &HeadAt) {
        self.text.clear();
        let known = match head.name {
            "model" => Some((Field::Model, "model", self.facts.model.is_some())),
            "stream" => Some((Field::Stream, "stream", self.stream_seen)),
            _ => None,
        };
        self.field = match (known, head.filename) {
            (Some((_, name, _)), Some(_)) => {
                self.blame(name, Problem::MustBe("a field and not a file"));
                Field::File
            }
            (Some((_, name, true)), None) => {
                self.blame(name, Problem::Repeated);
                Field::Other
            }
            (Some((field, _, false)), None) => field,
            (None, Some(_)) => Field::File,
            (None, None) => Field::Other,
        };
        match self.field {
            Field::File => self.facts.files = self.facts.files.saturating_add(1),
            Field::Stream => self.stream_seen = true,
            Field::Other | Field::Model => {}
        }
    }

    fn data(&mut self, raw: Range<u64>, data: &[u8]) {
        match self.field {
            Field::Other => {}
            Field::File => {
                let more = u64::try_from(data.len()).unwrap_or(u64::MAX);
                self.facts.file_bytes = self.facts.file_bytes.saturating_add(more);
            }
            Field::Model => {
                if self.text.is_empty() {
                    self.facts.model_at.start = raw.start;
                }
                self.facts.model_at.end = raw.end;
                if !self.keep(data, MODEL_BYTES) {
                    self.blame("model", Problem::TooLong(MODEL_BYTES));
                    self.field = Field::Other;
                }
            }
            Field::Stream => {
                if !self.keep(data, STREAM_BYTES) {
                    self.field = Field::Other;
                }
            }
        }
    }

    fn part_end(&mut self) {
        match std::mem::take(&mut self.field) {
            Field::Model => self.end_model(),
            Field::Stream => {
                self.facts.stream =
                    self.text.eq_ignore_ascii_case(b"true") || self.text.as_slice() == b"1";
            }
            Field::Other | Field::File => {}
        }
    }
}
