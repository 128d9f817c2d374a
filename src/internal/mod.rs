//! The control plane: everything below `/internal/`.
//!
//! Lives here: one table of paths, methods and roles ([`routes`]), the reading of questions
//! ([`ask`]), and handlers, which are thin calls of plain functions over policy, state and time.
//! Must not live here: a decision about a request to a provider, a socket, a type of Pingora's
//! (`proxy::operate` reads the body and writes the answer).

pub(crate) mod ask;
mod blocks;
mod canary;
pub(crate) mod control;
pub(crate) mod emergency;
pub(crate) mod monitoring;
mod openapi;
pub(crate) mod pages;
mod providers;
pub(crate) mod routes;
mod settings;
mod streams;
mod subjects;

use std::borrow::Cow;

use crate::policy::Denial;

/// Names under which a body may say how long an order holds.
const DURATION: &[&str] = &["duration", "duration_seconds", "ttl"];

/// A refusal that names the field at fault, or none where the body as a whole is.
fn invalid(param: Option<&str>, problem: impl Into<String>) -> Denial {
    Denial::InvalidRequest {
        param: param.map(|name| Cow::Owned(name.to_owned())),
        problem: problem.into(),
    }
}
