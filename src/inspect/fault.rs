//! What is wrong with a body, and which field of it is blamed: names and numbers of ours, never a
//! text of the caller's. Shared by all that look at fields: the checker, and those who peek at a
//! body or form for what routing needs.

use std::borrow::Cow;
use std::fmt;

/// A field that is not what it must be. The message may be shown to a client.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct FieldFault {
    /// Where the field stands, as `messages[1].role`; empty for the body itself.
    pub param: Cow<'static, str>,
    /// What is wrong with it.
    pub problem: Problem,
}

impl fmt::Display for FieldFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let param = &self.param;
        match self.problem {
            Problem::NotAnObject => write!(f, "the body must be a JSON object"),
            Problem::Required => write!(f, "`{param}` is required"),
            Problem::Empty => write!(f, "`{param}` must not be empty"),
            Problem::TooLong(most) => write!(f, "`{param}` is longer than {most} bytes"),
            Problem::Repeated => write!(f, "`{param}` is given twice"),
            Problem::MustBe(what) => write!(f, "`{param}` must be {what}"),
        }
    }
}

/// What can be wrong with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The body is JSON, but not an object.
    NotAnObject,
    /// The field is not there, or null.
    Required,
    /// The string or array has nothing in it.
    Empty,
    /// The text has more bytes than this.
    TooLong(usize),
    /// The field is given twice, where it may be given once.
    Repeated,
    /// The value is of another kind or out of range; the text says what it must be.
    MustBe(&'static str),
}
