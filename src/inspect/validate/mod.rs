//! Whether a body is what its API asks for: required fields, kinds, roles, ranges.
//!
//! Decides: the first fault in the order of the text, fields that are missing being missed where
//! their object closes. Heard in the same pass as everything else, from a [`json::Reader`].
//! Never does: refuse a field that it does not know, look at a value's meaning, keep or repeat a
//! text of the caller's. Its state is one size whatever the body, without allocation.
//! May miss: what the provider judges alone (which model takes which field, fields that exclude
//! each other), what stands deeper than content parts, and, on purpose, whatever the public
//! references and the SDKs leave in doubt.
//!
//! [`json::Reader`]: super::json::Reader

mod api;
mod checker;
mod cross_check;
mod levels;
mod rules;
#[cfg(test)]
mod tests;

pub use checker::Checker;
pub use cross_check::{Disagreement, cross_check};

use rules::Members;

/// The API that a body is written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `/v1/chat/completions`
    Chat,
    /// `/v1/completions`
    Completions,
    /// `/v1/responses`
    Responses,
    /// `/v1/embeddings`
    Embeddings,
    /// `/v1/messages`
    Messages,
    /// Any other: an object, of which nothing more is asked.
    Other,
}

impl Shape {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Chat,
        Self::Completions,
        Self::Responses,
        Self::Embeddings,
        Self::Messages,
        Self::Other,
    ];

    const fn members(self) -> &'static Members {
        match self {
            Self::Chat => &api::CHAT,
            Self::Completions => &api::COMPLETIONS,
            Self::Responses => &api::RESPONSES,
            Self::Embeddings => &api::EMBEDDINGS,
            Self::Messages => &api::MESSAGES,
            Self::Other => &api::OTHER,
        }
    }
}
