//! The inspection of a body of any kind.
//!
//! Decides, from its content type alone, how a body is read: as JSON, as a form, or as one file.
//! Never looks at what is in it.

use super::form::FormInspection;
use super::{Inspection, Inspector};
use crate::inspect::fault::{FieldFault, Problem};
use crate::inspect::finding::{Cleared, Report, Settled, Stop};
use crate::inspect::form::{Boundary, boundary_of};
use crate::inspect::json::{Limits, Sink};

/// How a body is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BodyKind {
    /// JSON.
    Json,
    /// A multipart form.
    Multipart(Boundary),
    /// A URL-encoded form.
    UrlEncoded,
    /// One file, and what it says it is.
    File(Option<Box<str>>),
}

impl BodyKind {
    /// The kind of a body that is no JSON.
    ///
    /// # Errors
    /// It is a multipart form without a boundary that all readers take for the same.
    pub fn upload(content_type: Option<&[u8]>) -> Result<Self, FieldFault> {
        let Some(value) = content_type else {
            return Ok(Self::File(None));
        };
        let text = std::str::from_utf8(value).unwrap_or_default();
        let essence = text.split(';').next().unwrap_or_default().trim();
        if essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Ok(Self::UrlEncoded);
        }
        if !essence.eq_ignore_ascii_case("multipart/form-data") {
            return Ok(Self::File(Some(text.into())));
        }
        boundary_of(value)
            .map(Self::Multipart)
            .ok_or_else(|| FieldFault {
                param: "content-type".into(),
                problem: Problem::MustBe("a multipart/form-data with one boundary"),
            })
    }
}

/// A body as far as it was read. Must be used with one inspector from its start to its end.
#[derive(Debug)]
pub enum BodyInspection {
    /// JSON.
    Json(Box<Inspection>),
    /// A form, or one file.
    Form(Box<FormInspection>),
}

impl BodyInspection {
    /// Before the first byte.
    pub fn new(kind: &BodyKind, limits: Limits) -> Self {
        let form = match kind {
            BodyKind::Json => return Self::Json(Box::new(Inspection::new(limits))),
            BodyKind::Multipart(boundary) => FormInspection::multipart(boundary, limits),
            BodyKind::UrlEncoded => FormInspection::url_encoded(limits),
            BodyKind::File(kind) => FormInspection::file(kind.as_deref(), limits),
        };
        Self::Form(Box::new(form))
    }

    /// The next bytes; `also` hears the events of JSON. After an error every further call answers
    /// the same error.
    pub fn push(
        &mut self,
        inspector: &Inspector,
        bytes: &[u8],
        also: &mut impl Sink,
    ) -> Result<(), Stop> {
        match self {
            Self::Json(json) => json.push(inspector, bytes, also),
            Self::Form(form) => form.push(inspector, bytes),
        }
    }

    /// What may leave: see [`Settled`].
    pub fn settle(&mut self) -> Settled {
        match self {
            Self::Json(json) => json.settle(),
            Self::Form(form) => form.settle(),
        }
    }

    /// The model that a form has named so far; of JSON it is known at its end.
    pub fn model(&self) -> Result<Option<&str>, FieldFault> {
        match self {
            Self::Json(_) => Ok(None),
            Self::Form(form) => form.model(),
        }
    }

    /// The body is over. A refused one answers why; [`BodyInspection::push`] says the same.
    pub fn finish(
        self,
        inspector: &Inspector,
        also: &mut impl Sink,
    ) -> Result<Cleared, (Stop, Report)> {
        match self {
            Self::Json(json) => json.finish(inspector, also),
            Self::Form(form) => form.finish(inspector),
        }
    }

    /// What was done and found until the body was refused or given up.
    pub fn report(self, inspector: &Inspector) -> Report {
        match self {
            Self::Json(json) => json.report(inspector),
            Self::Form(form) => form.report(inspector),
        }
    }
}
