//! The public face of a refusal.
//!
//! Decides the types of either API, which follow from the status. Never its words.

/// The public face of a refusal: one row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Face {
    /// HTTP status.
    pub status: u16,
    /// `error.code` on the wire.
    pub code: &'static str,
    /// `error.type` in OpenAI's shape.
    pub openai_type: &'static str,
    /// `error.type` in Anthropic's shape.
    pub anthropic_type: &'static str,
}

impl Face {
    /// The types follow from the status, in either API.
    pub(super) const fn of(status: u16, code: &'static str) -> Self {
        let openai_type = match status {
            401 => "authentication_error",
            403 => "permission_error",
            429 => "rate_limit_error",
            500.. => "server_error",
            _ => "invalid_request_error",
        };
        let anthropic_type = match status {
            401 => "authentication_error",
            403 => "permission_error",
            404 => "not_found_error",
            413 => "request_too_large",
            429 => "rate_limit_error",
            503 | 529 => "overloaded_error",
            500.. => "api_error",
            _ => "invalid_request_error",
        };
        Self {
            status,
            code,
            openai_type,
            anthropic_type,
        }
    }
}
