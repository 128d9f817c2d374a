//! What the caller reads of a refusal: a sentence for each.
//!
//! Decides the words, and nothing else. They hold no secret, nothing of a provider, nothing of the
//! body: of what was found they name the kind, never the thing.

use super::Denial;
use crate::inspect::detect::Family;
use crate::inspect::finding::Refusal;

impl Denial {
    /// What the caller reads. Holds no secret, nothing of a provider, nothing of the body.
    pub fn message(&self) -> String {
        match self {
            Self::InvalidJson(problem) => format!("The request body is not valid JSON: {problem}."),
            Self::InvalidRequest { problem, .. } => problem.clone(),
            Self::Inspected(refusal) => refused(*refusal).to_owned(),
            Self::Withheld(refusal) => withheld(*refusal).to_owned(),
            Self::Terminated => "The stream was ended by an operator.".to_owned(),
            Self::MissingApiKey => "No API key was given. Send it as `Authorization: Bearer KEY`, \
                                    `x-api-key: KEY` or `api-key: KEY`."
                .to_owned(),
            Self::InvalidApiKey(_) => "The API key is not valid.".to_owned(),
            Self::PermissionDenied => "This API key may not do this.".to_owned(),
            Self::ModelNotAllowed => "This API key may not use the requested model.".to_owned(),
            Self::ClientBlocked => "Requests from this address are blocked.".to_owned(),
            Self::NotFound => "Nothing is served at this path.".to_owned(),
            Self::ModelNotFound => "The requested model does not exist here.".to_owned(),
            Self::MethodNotAllowed(allow) => format!("This path takes {allow} only."),
            Self::RequestTimeout => "The request took too long to arrive.".to_owned(),
            Self::LengthRequired => "The request needs a Content-Length.".to_owned(),
            Self::RequestTooLarge(limit) => {
                format!("The request body is over the limit of {limit} bytes.")
            }
            Self::UriTooLong => "The request target is too long.".to_owned(),
            Self::UnsupportedMediaType(wanted) => format!("This path takes {wanted}."),
            Self::HeadersTooLarge => "The request headers are too many or too large.".to_owned(),
            Self::Overloaded => "The gateway is at its limit; try again shortly.".to_owned(),
            Self::NoHealthyProvider => "No provider is available for this request.".to_owned(),
            Self::UpstreamError => "The provider failed to answer properly.".to_owned(),
            Self::UpstreamTimeout => "The provider did not answer in time.".to_owned(),
            Self::RateLimited(_) => "Too many requests; wait as `retry-after` says.".to_owned(),
            Self::ConcurrencyLimited(_) => "Too many requests at once.".to_owned(),
            Self::TokensLimited(_) => {
                "Too many model tokens; wait as `retry-after` says.".to_owned()
            }
            Self::ProviderRateLimited(_) => {
                "The provider takes no more requests for now.".to_owned()
            }
            Self::ProviderFailed { .. } => "The provider failed to answer.".to_owned(),
            Self::Internal => "The gateway failed to handle this request.".to_owned(),
        }
    }
}

/// What the caller reads of an inspection's refusal: the kind of thing, never the thing.
const fn refused(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::Family(Family::PromptInjection) => {
            "The request was refused: it reads like an attempt to override the model's instructions."
        }
        Refusal::Family(Family::CodePatterns) => {
            "The request was refused: it holds code of a dangerous kind."
        }
        Refusal::Family(Family::WebAttacks) => {
            "The request was refused: it holds what looks like an attack on a web application."
        }
        Refusal::Family(Family::Pii) => "The request was refused: it holds personal data.",
        Refusal::Family(Family::Secrets) => {
            "The request was refused: it holds what looks like a key or password."
        }
        Refusal::Family(Family::Harmful) => "The request was refused: it holds harmful content.",
        Refusal::Family(Family::Canary) => "The request was refused: it holds a protected text.",
        Refusal::Family(Family::Sanitization) => "The request holds text that is not allowed.",
        Refusal::TextTooLong => "The request holds more text than is allowed.",
        Refusal::Uninspectable => "The request holds content that can't be inspected.",
    }
}

/// What the caller reads of a refused answer.
const fn withheld(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::Family(Family::Pii) => "The answer was withheld: it holds personal data.",
        Refusal::Family(Family::Secrets) => {
            "The answer was withheld: it holds what looks like a key or password."
        }
        Refusal::Family(Family::Harmful) => "The answer was withheld: it holds harmful content.",
        Refusal::Family(Family::Canary) => "The answer was withheld: it holds a protected text.",
        Refusal::Family(
            Family::PromptInjection
            | Family::CodePatterns
            | Family::WebAttacks
            | Family::Sanitization,
        ) => "The answer was withheld: it holds text that is not allowed.",
        Refusal::TextTooLong => "The answer was withheld: it is longer than is allowed.",
        Refusal::Uninspectable => "The answer was withheld: it can't be inspected.",
    }
}
