//! Every way in which the gateway says no, in one closed enum and one table.
//!
//! Decides status, public code, public text and log reason of each refusal. It never learns what
//! the offending text was, so no message can repeat it. Writing the answer is `proxy::reply`'s.

mod face;
mod key;
mod words;

use std::borrow::Cow;
use std::time::Duration;

use crate::admit::admission::TooOften;
use crate::inspect::detect::Family;
use crate::inspect::fault::FieldFault;
use crate::inspect::finding::{Refusal, Stop};
use crate::policy::limits::Scope;

pub use face::Face;
pub use key::KeyFault;

/// A refusal, as decided by some stage of the request path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Denial {
    /// The body is not JSON as RFC 8259 has it; the text says what is wrong and at which byte.
    InvalidJson(String),
    /// A field is missing or wrong.
    InvalidRequest {
        /// The field, as a dotted path; none where the request as a whole is at fault.
        param: Option<Cow<'static, str>>,
        /// What is wrong, for the caller.
        problem: String,
    },
    /// The inspection refuses what the request says.
    Inspected(Refusal),
    /// The inspection refuses what the answer says.
    Withheld(Refusal),
    /// An operator has ended the stream.
    Terminated,
    /// No credential came with the request.
    MissingApiKey,
    /// A credential came, and opens nothing. The reason is for logs and metrics alone.
    InvalidApiKey(KeyFault),
    /// The caller is known and may not do this.
    PermissionDenied,
    /// The caller's key is not good for this model.
    ModelNotAllowed,
    /// The client's address is blocked.
    ClientBlocked,
    /// A limit on how often is used up.
    RateLimited(TooOften),
    /// As many requests are in flight as may be, at this level.
    ConcurrencyLimited(Scope),
    /// A limit on model tokens is used up; the wait until the request would fit.
    TokensLimited(Duration),
    /// Nothing is served at this path, or not to this caller.
    NotFound,
    /// No route serves this model.
    ModelNotFound,
    /// The path exists, the method does not; the text is the `Allow` header.
    MethodNotAllowed(&'static str),
    /// The client took too long to send its request.
    RequestTimeout,
    /// A length is needed and none was given.
    LengthRequired,
    /// The body is over the limit (bytes) for its kind and path.
    RequestTooLarge(u64),
    /// The request target is over the limit.
    UriTooLong,
    /// The body is of a kind that this path does not take.
    UnsupportedMediaType(&'static str),
    /// The header section is over the limit.
    HeadersTooLarge,
    /// More bytes are in flight than the process may hold.
    Overloaded,
    /// No provider is left that could answer.
    NoHealthyProvider,
    /// The provider failed or answered rubbish.
    UpstreamError,
    /// The provider took too long.
    UpstreamTimeout,
    /// The provider says that our account has had enough; when to come back, if it said so.
    ProviderRateLimited(Option<Duration>),
    /// The provider failed by its own account; when to come back, if it said so.
    ProviderFailed {
        /// Its status, 500 or above.
        status: u16,
        /// Its `Retry-After`.
        retry_after: Option<Duration>,
    },
    /// The gateway itself is at fault.
    Internal,
}

/// The refusal that stands for an inspection's end.
impl From<Stop> for Denial {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Refused(refusal) => Self::Inspected(refusal),
            Stop::Json(error) => Self::InvalidJson(error.to_string()),
            Stop::Form(error) => Self::InvalidRequest {
                param: None,
                problem: format!("The request is not valid: {error}."),
            },
        }
    }
}

/// The refusal that names the field at fault.
impl From<FieldFault> for Denial {
    fn from(fault: FieldFault) -> Self {
        Self::InvalidRequest {
            problem: format!("The request is not valid: {fault}."),
            param: (!fault.param.is_empty()).then_some(fault.param),
        }
    }
}

impl Denial {
    /// The row of the contract's error table.
    pub const fn face(&self) -> Face {
        let (status, code) = match self {
            Self::InvalidJson(_) => (400, "invalid_json"),
            Self::InvalidRequest { .. } => (400, "invalid_request"),
            Self::Inspected(Refusal::Family(family)) | Self::Withheld(Refusal::Family(family)) => {
                (400, found(*family))
            }
            Self::Inspected(Refusal::TextTooLong) | Self::Withheld(Refusal::TextTooLong) => {
                (400, "text_too_long")
            }
            Self::MissingApiKey => (401, "missing_api_key"),
            Self::InvalidApiKey(_) => (401, "invalid_api_key"),
            Self::PermissionDenied => (403, "permission_denied"),
            Self::ModelNotAllowed => (403, "model_not_allowed"),
            Self::ClientBlocked => (403, "client_blocked"),
            Self::NotFound => (404, "not_found"),
            Self::ModelNotFound => (404, "model_not_found"),
            Self::MethodNotAllowed(_) => (405, "method_not_allowed"),
            Self::RequestTimeout => (408, "request_timeout"),
            Self::LengthRequired => (411, "length_required"),
            Self::RequestTooLarge(_) => (413, "request_too_large"),
            Self::UriTooLong => (414, "uri_too_long"),
            Self::UnsupportedMediaType(_) | Self::Inspected(Refusal::Uninspectable) => {
                (415, "unsupported_media_type")
            }
            Self::RateLimited(_) => (429, "rate_limit_exceeded"),
            Self::ConcurrencyLimited(_) => (429, "concurrency_limit_exceeded"),
            Self::TokensLimited(_) => (429, "token_limit_exceeded"),
            Self::ProviderRateLimited(_) => (429, "provider_rate_limit_exceeded"),
            Self::HeadersTooLarge => (431, "headers_too_large"),
            Self::Internal => (500, "internal_error"),
            Self::UpstreamError | Self::Withheld(Refusal::Uninspectable) => (502, "upstream_error"),
            Self::Terminated => (503, "stream_terminated"),
            Self::NoHealthyProvider => (503, "no_healthy_provider"),
            Self::Overloaded => (503, "overloaded"),
            Self::UpstreamTimeout => (504, "upstream_timeout"),
            Self::ProviderFailed { status, .. } => (*status, "upstream_error"),
        };
        Face::of(status, code)
    }

    /// The field at fault, for `error.param`.
    pub fn param(&self) -> Option<&str> {
        match self {
            Self::InvalidRequest { param, .. } => param.as_deref(),
            Self::ModelNotFound | Self::ModelNotAllowed => Some("model"),
            Self::InvalidJson(_)
            | Self::Inspected(_)
            | Self::Withheld(_)
            | Self::Terminated
            | Self::MissingApiKey
            | Self::InvalidApiKey(_)
            | Self::PermissionDenied
            | Self::ClientBlocked
            | Self::RateLimited(_)
            | Self::ConcurrencyLimited(_)
            | Self::TokensLimited(_)
            | Self::NotFound
            | Self::MethodNotAllowed(_)
            | Self::RequestTimeout
            | Self::LengthRequired
            | Self::RequestTooLarge(_)
            | Self::UriTooLong
            | Self::UnsupportedMediaType(_)
            | Self::HeadersTooLarge
            | Self::Overloaded
            | Self::NoHealthyProvider
            | Self::UpstreamError
            | Self::UpstreamTimeout
            | Self::ProviderRateLimited(_)
            | Self::ProviderFailed { .. }
            | Self::Internal => None,
        }
    }

    /// The level whose limit was used up, as a word for metrics.
    pub fn limited(&self) -> Option<&'static str> {
        if let Self::RateLimited(TooOften { scope, .. }) = self {
            return Some(scope.as_str());
        }
        if let Self::ConcurrencyLimited(scope) = self {
            let of_key = *scope == Scope::Key;
            return Some(if of_key {
                "per_key_concurrent"
            } else {
                "concurrent_requests"
            });
        }
        matches!(self, Self::TokensLimited(_)).then_some("per_key_tokens")
    }

    /// Whether it was a provider's doing, not the caller's and not ours.
    pub const fn is_upstream(&self) -> bool {
        matches!(
            self,
            Self::UpstreamError
                | Self::UpstreamTimeout
                | Self::NoHealthyProvider
                | Self::ProviderRateLimited(_)
                | Self::ProviderFailed { .. }
        )
    }

    /// How long the caller had better wait, where that is known.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::ProviderRateLimited(Some(wait))
            | Self::ProviderFailed {
                retry_after: Some(wait),
                ..
            }
            | Self::RateLimited(TooOften { wait, .. })
            | Self::TokensLimited(wait) => Some(*wait),
            Self::Overloaded | Self::ConcurrencyLimited(_) | Self::ProviderRateLimited(None) => {
                Some(Duration::from_secs(1))
            }
            Self::ProviderFailed { status: 503, .. } | Self::NoHealthyProvider => {
                Some(Duration::from_secs(5))
            }
            Self::InvalidJson(_)
            | Self::InvalidRequest { .. }
            | Self::Inspected(_)
            | Self::Withheld(_)
            | Self::Terminated
            | Self::MissingApiKey
            | Self::InvalidApiKey(_)
            | Self::PermissionDenied
            | Self::ModelNotAllowed
            | Self::ClientBlocked
            | Self::NotFound
            | Self::ModelNotFound
            | Self::MethodNotAllowed(_)
            | Self::RequestTimeout
            | Self::LengthRequired
            | Self::RequestTooLarge(_)
            | Self::UriTooLong
            | Self::UnsupportedMediaType(_)
            | Self::HeadersTooLarge
            | Self::UpstreamError
            | Self::UpstreamTimeout
            | Self::ProviderFailed { .. }
            | Self::Internal => None,
        }
    }

    /// The reason as operators see it, in logs and metrics: bounded, and more exact than `code`
    /// where the caller must not learn the difference.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::InvalidApiKey(fault) => fault.as_str(),
            Self::MissingApiKey => "missing",
            Self::InvalidJson(_)
            | Self::InvalidRequest { .. }
            | Self::Inspected(_)
            | Self::Withheld(_)
            | Self::Terminated
            | Self::PermissionDenied
            | Self::ModelNotAllowed
            | Self::ClientBlocked
            | Self::RateLimited(_)
            | Self::ConcurrencyLimited(_)
            | Self::TokensLimited(_)
            | Self::NotFound
            | Self::ModelNotFound
            | Self::MethodNotAllowed(_)
            | Self::RequestTimeout
            | Self::LengthRequired
            | Self::RequestTooLarge(_)
            | Self::UriTooLong
            | Self::UnsupportedMediaType(_)
            | Self::HeadersTooLarge
            | Self::Overloaded
            | Self::NoHealthyProvider
            | Self::UpstreamError
            | Self::UpstreamTimeout
            | Self::ProviderRateLimited(_)
            | Self::ProviderFailed { .. }
            | Self::Internal => self.face().code,
        }
    }
}

/// The code of a family's refusal.
const fn found(family: Family) -> &'static str {
    match family {
        Family::PromptInjection => "prompt_injection_detected",
        Family::CodePatterns => "code_pattern_detected",
        Family::WebAttacks => "web_attack_detected",
        Family::Pii => "pii_detected",
        Family::Secrets => "secret_detected",
        Family::Harmful => "harmful_content_detected",
        Family::Canary => "canary_detected",
        Family::Sanitization => "invalid_request",
    }
}

#[cfg(test)]
mod tests;
