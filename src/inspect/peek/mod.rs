//! What routing needs of a request body, heard in the same pass that checks it: the model,
//! whether a stream is wanted, the most tokens that the answer may take.
//!
//! Decides: whether the body is an object with a usable `model`, a `stream` that is a boolean (or
//! null, as the providers allow) and token limits that are whole numbers (or null).
//! Never does: look below the top level, know models, keep more of the body than the model's name.
//! May miss: nothing at the top level, as the reader refuses duplicate keys; but what it says
//! holds only once the reader has finished without an error.

use std::ops::Range;

use super::fault::{FieldFault, Problem};
use super::json::{Decoded, Literal, Sink};

/// The longest model name that is read, in bytes, decoded.
pub const MODEL_BYTES: usize = 256;

/// What a body says about its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The `model`, decoded; not empty, at most [`MODEL_BYTES`].
    pub model: String,
    /// Where the value of `model` stands in the body, quotes included.
    pub model_at: Range<u64>,
    /// Whether the answer is to come as a stream.
    pub stream: bool,
    /// The largest of `max_tokens`, `max_completion_tokens` and `max_output_tokens`.
    pub max_tokens: Option<u64>,
}

/// A top-level field that is listened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Model,
    Stream,
    /// One of the token limits, by its name.
    Tokens(&'static str),
}

impl Field {
    fn named(key: &str) -> Option<Self> {
        match key {
            "model" => Some(Self::Model),
            "stream" => Some(Self::Stream),
            "max_tokens" => Some(Self::Tokens("max_tokens")),
            "max_completion_tokens" => Some(Self::Tokens("max_completion_tokens")),
            "max_output_tokens" => Some(Self::Tokens("max_output_tokens")),
            _ => None,
        }
    }
}

/// Listens to a reader for [`Facts`].
#[derive(Debug, Default)]
pub struct Peek {
    depth: u64,
    object: bool,
    /// The top-level field whose value is the next event.
    field: Option<Field>,
    /// Inside the string value of `model`.
    in_model: bool,
    model: Model,
    stream: bool,
    max_tokens: Option<u64>,
    /// The first fault of a field other than `model`.
    fault: Option<(&'static str, Problem)>,
}

/// The `model` as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Model {
    #[default]
    Missing,
    NotAString,
    TooLong,
    Name {
        name: String,
        at: Range<u64>,
    },
}

impl Peek {
    /// What was heard; to be asked once the reader has finished without an error.
    pub fn facts(&self) -> Result<Facts, FieldFault> {
        if !self.object {
            return Err(fault("", Problem::NotAnObject));
        }
        let (name, at) = self
            .named_model()
            .map_err(|problem| fault("model", problem))?;
        if let Some((param, problem)) = self.fault {
            return Err(fault(param, problem));
        }
        Ok(Facts {
            model: name.to_owned(),
            model_at: at,
            stream: self.stream,
            max_tokens: self.max_tokens,
        })
    }

    fn named_model(&self) -> Result<(&str, Range<u64>), Problem> {
        match &self.model {
            Model::Missing => Err(Problem::Required),
            Model::NotAString => Err(Problem::MustBe("a string")),
            Model::TooLong => Err(Problem::TooLong(MODEL_BYTES)),
            Model::Name { name, .. } if name.is_empty() => Err(Problem::Empty),
            Model::Name { name, at } => Ok((name, at.clone())),
        }
    }

    /// A value that fits none of the fields.
    fn unfit(&mut self) {
        match self.field.take() {
            Some(Field::Model) => self.model = Model::NotAString,
            Some(Field::Stream) => self.blame("stream", Problem::MustBe("true or false")),
            Some(Field::Tokens(param)) => self.blame(param, Problem::MustBe("a whole number")),
            None => {}
        }
    }

    fn blame(&mut self, param: &'static str, problem: Problem) {
        self.fault.get_or_insert((param, problem));
    }

    /// More of the model's name, if the string is that.
    fn grow(&mut self, more: &str) {
        if let Model::Name { name, .. } = &mut self.model
            && self.in_model
        {
            if name.len().saturating_add(more.len()) > MODEL_BYTES {
                self.model = Model::TooLong;
            } else {
                name.push_str(more);
            }
        }
    }
}

fn fault(param: &'static str, problem: Problem) -> FieldFault {
    let param = param.into();
    FieldFault { param, problem }
}

impl Sink for Peek {
    fn begin_object(&mut self, _at: u64) {
        self.object |= self.depth == 0;
        self.unfit();
        self.depth = self.depth.saturating_add(1);
    }

    fn end_object(&mut self, _at: u64) {
        self.depth = self.depth.saturating_sub(1);
    }

    fn begin_array(&mut self, _at: u64) {
        self.unfit();
        self.depth = self.depth.saturating_add(1);
    }

    fn end_array(&mut self, _at: u64) {
        self.depth = self.depth.saturating_sub(1);
    }

    fn key(&mut self, _raw: Range<u64>, key: &str) {
        if self.depth == 1 {
            self.field = Field::named(key);
        }
    }

    fn string_begin(&mut self, at: u64) {
        if self.depth == 1 && self.field == Some(Field::Model) {
            self.field = None;
            self.in_model = true;
            self.model = Model::Name {
                name: String::new(),
                at: at..at,
            };
        } else {
            self.unfit();
        }
    }

    fn string_run(&mut self, _at: u64, run: &str) {
        if self.in_model {
            self.grow(run);
        }
    }

    fn string_escape(&mut self, _at: u64, _raw_len: u8, ch: char) {
        if self.in_model {
            self.grow(ch.encode_utf8(&mut [0; 4]));
        }
    }

    fn string_decoded(&mut self, decoded: Decoded<'_>) {
        if self.in_model {
            self.grow(decoded.text());
        }
    }

    fn string_end(&mut self, end: u64) {
        if let Model::Name { at, .. } = &mut self.model
            && self.in_model
        {
            at.end = end;
        }
        self.in_model = false;
    }

    fn number(&mut self, _at: u64, number: &str) {
        let Some(Field::Tokens(_)) = self.field else {
            return self.unfit();
        };
        // `1e3` and `5.0` are refused with the rest: a budget is reserved by this number, and it
        // must mean the same to the gateway and to the provider.
        match number.parse::<u64>() {
            Ok(count) => {
                self.field = None;
                self.max_tokens = self.max_tokens.max(Some(count));
            }
            Err(_) => self.unfit(),
        }
    }

    fn literal(&mut self, _at: u64, literal: Literal) {
        match (self.field, literal) {
            (Some(Field::Stream), Literal::True | Literal::False) => {
                self.field = None;
                self.stream = literal == Literal::True;
            }
            (Some(Field::Stream | Field::Tokens(_)), Literal::Null) => self.field = None,
            (_, Literal::True | Literal::False | Literal::Null) => self.unfit(),
        }
    }
}

#[cfg(test)]
mod tests;
