//! The inspection of a form, and of a body that is one file.
//!
//! Decides nothing of its own: joins the readers of forms, the parts' texts and the judge, and
//! says which of their verdicts comes first.
//! Never keeps a part: its state is bounded, whatever the form's size.

use std::ops::Range;

use super::Inspector;
use super::ear::Ear;
use super::listen::Heard;
use super::part::Parts;
use super::utf8::ahead;
use crate::inspect::fault::{FieldFault, Problem};
use crate::inspect::finding::{Cleared, Edit, Report, Settled, Stop};
use crate::inspect::form::{
    Boundary, FormError, FormPeek, FormSink, HeadAt, Multipart, PartHead, UrlEncoded,
};
use crate::inspect::json::Limits;
use crate::inspect::peek::Facts;
use crate::inspect::rewrite;

/// How the parts lie in the body.
#[derive(Debug)]
enum Reader {
    Multipart(Box<Multipart>),
    UrlEncoded(Box<UrlEncoded>),
    /// The body is one file; up to where it was read.
    File(u64),
}

/// A form as far as it was read. Must be used with one inspector from its start to its end.
#[derive(Debug)]
pub struct FormInspection {
    reader: Reader,
    peek: FormPeek,
    parts: Parts,
    heard: Heard,
    bytes: u64,
    failed: Option<FormError>,
}

impl FormInspection {
    /// A multipart form before its first byte.
    pub fn multipart(boundary: &Boundary, limits: Limits) -> Self {
        let reader = Box::new(Multipart::new(boundary));
        Self::of(Reader::Multipart(reader), limits)
    }

    /// A URL-encoded form before its first byte.
    pub fn url_encoded(limits: Limits) -> Self {
        Self::of(Reader::UrlEncoded(Box::default()), limits)
    }

    /// A body that is one file, and what it says it is.
    pub fn file(content_type: Option<&str>, limits: Limits) -> Self {
        let mut file = Self::of(Reader::File(0), limits);
        file.parts.begin_file(content_type);
        file
    }

    fn of(reader: Reader, limits: Limits) -> Self {
        Self {
            reader,
            peek: FormPeek::default(),
            parts: Parts::new(limits),
            heard: Heard::default(),
            bytes: 0,
            failed: None,
        }
    }

    /// The next bytes. After an error every further call answers the same error.
    pub fn push(&mut self, inspector: &Inspector, bytes: &[u8]) -> Result<(), Stop> {
        self.outcome()?;
        self.bytes = ahead(self.bytes, bytes.len());
        let ear = Ear {
            inspector,
            heard: &mut self.heard,
        };
        let mut sink = (
            &mut self.peek,
            Told {
                parts: &mut self.parts,
                ear,
            },
        );
        let outcome = match &mut self.reader {
            Reader::Multipart(reader) => reader.push(bytes, &mut sink),
            Reader::UrlEncoded(reader) => reader.push(bytes, &mut sink),
            Reader::File(at) => {
                let end = ahead(*at, bytes.len());
                if !bytes.is_empty() {
                    sink.1.data(*at..end, bytes);
                }
                *at = end;
                Ok(())
            }
        };
        self.failed = outcome.err();
        self.outcome()
    }

    /// What may leave: see [`Settled`].
    pub fn settle(&mut self) -> Settled {
        let told = match &self.reader {
            Reader::Multipart(reader) => reader.told(),
            Reader::UrlEncoded(reader) => reader.told(),
            Reader::File(at) => *at,
        };
        let waiting = [self.parts.waiting(), self.heard.waiting()];
        let mut edits = self.heard.take_edits();
        self.spell(&mut edits);
        Settled {
            upto: waiting.into_iter().flatten().fold(told, u64::min),
            edits,
        }
    }

    /// The model, as soon as its part is whole; one that the form names later is none of another
    /// name, as a form with two is refused.
    pub fn model(&self) -> Result<Option<&str>, FieldFault> {
        self.peek.model()
    }

    /// The body is over. A refused one answers why; [`FormInspection::push`] says the same.
    pub fn finish(mut self, inspector: &Inspector) -> Result<Cleared, (Stop, Report)> {
        if self.outcome().is_ok() {
            let ear = Ear {
                inspector,
                heard: &mut self.heard,
            };
            let mut sink = (
                &mut self.peek,
                Told {
                    parts: &mut self.parts,
                    ear,
                },
            );
            let outcome = match &mut self.reader {
                Reader::Multipart(reader) => reader.finish(&mut sink),
                Reader::UrlEncoded(reader) => reader.finish(&mut sink),
                Reader::File(_) => {
                    sink.1.part_end();
                    Ok(())
                }
            };
            self.failed = outcome.err();
            // A body that is no form is refused as such: what waits to be judged goes nowhere.
            if self.failed.is_none() {
                self.heard.end(inspector);
            }
        }
        if let Err(stop) = self.outcome() {
            return Err((stop, self.report(inspector)));
        }
        let facts = self.facts();
        let mut edits = self.heard.take_edits();
        self.spell(&mut edits);
        let (report, _) = self.heard.into_parts(inspector, self.bytes);
        rewrite::settle(&mut edits);
        Ok(Cleared {
            report,
            edits,
            facts,
        })
    }

    /// What was done and found until the body was refused or given up.
    pub fn report(mut self, inspector: &Inspector) -> Report {
        self.heard.close(inspector);
        self.heard.into_parts(inspector, self.bytes).0
    }

    /// Bytes that it takes in memory, without the edits so far.
    pub fn state_bytes(&self) -> usize {
        let reader = match &self.reader {
            Reader::Multipart(reader) => reader.state_bytes(),
            Reader::UrlEncoded(reader) => reader.state_bytes(),
            Reader::File(_) => 0,
        };
        size_of::<Self>()
            .saturating_add(reader)
            .saturating_add(self.parts.state_bytes())
            .saturating_add(self.heard.state_bytes())
    }

    fn facts(&self) -> Result<Facts, FieldFault> {
        let facts = self.peek.facts()?;
        let Some(model) = facts.model else {
            return Err(FieldFault {
                param: "model".into(),
                problem: Problem::Required,
            });
        };
        Ok(Facts {
            model,
            model_at: facts.model_at,
            stream: facts.stream,
            max_tokens: None,
        })
    }

    /// Writes what is put into a URL-encoded form as such a form has it.
    fn spell(&self, edits: &mut [Edit]) {
        if !matches!(self.reader, Reader::UrlEncoded(_)) {
            return;
        }
        for edit in edits {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._*".contains(&byte);
            if edit.with.bytes().all(plain) {
                continue;
            }
            let mut spelt = String::new();
            for byte in edit.with.bytes() {
                if plain(byte) {
                    spelt.push(char::from(byte));
                } else {
                    let hex = |digit: u8| {
                        let digit = char::from_digit(u32::from(digit), 16).unwrap_or('0');
                        digit.to_ascii_uppercase()
                    };
                    spelt.extend(['%', hex(byte >> 4), hex(byte & 15)]);
                }
            }
            edit.with = spelt.into();
        }
    }

    /// A refusal stands before an error of the form after it.
    fn outcome(&self) -> Result<(), Stop> {
        match (self.heard.refusal(), self.failed) {
            (Some(refusal), _) => Err(Stop::Refused(refusal)),
            (None, Some(error)) => Err(Stop::Form(error)),
            (None, None) => Ok(()),
        }
    }
}

/// The parts with the ear that is told their texts.
struct Told<'a> {
    parts: &'a mut Parts,
    ear: Ear<'a>,
}

impl FormSink for Told<'_> {
    fn part_begin(&mut self, head: &PartHead<'_>, at: &HeadAt) {
        self.parts.begin(head, at, &mut self.ear);
    }

    fn data(&mut self, raw: Range<u64>, data: &[u8]) {
        self.parts.data(raw, data, &mut self.ear);
    }

    fn part_end(&mut self) {
        self.parts.end(&mut self.ear);
    }
}
