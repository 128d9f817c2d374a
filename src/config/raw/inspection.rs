//! The `inspection` block.
//!
//! Decides names, words and defaults; nothing is judged further here.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{SecretText, SizeText, SpanText};

/// What is looked for in requests and answers.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "Inspection")]
pub(in crate::config) struct RawInspection {
    /// On the way to a provider.
    pub request: RawRequest,
    /// On the way back.
    pub response: RawResponse,
}

/// Inspection of requests.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "RequestInspection")]
pub(in crate::config) struct RawRequest {
    /// Whether JSON is judged before or while it is sent on.
    pub mode: RawBodyMode,
    /// What becomes of that which can't be read (images, unknown types).
    pub uninspectable: RawUninspectable,
    /// Most characters of text in a request.
    pub max_text_chars: Option<u32>,
    /// Deepest nesting of JSON.
    #[schemars(range(min = 1, max = 256))]
    pub max_json_depth: u16,
    /// How text is cleaned.
    pub sanitization: RawSanitization,
    /// Attempts to talk a model out of its instructions.
    pub prompt_injection: RawVerdict,
    /// Program code that would run somewhere.
    pub code_patterns: RawVerdict,
    /// Script, SQL and the like, for whoever shows the answer.
    pub web_attacks: RawVerdict,
    /// Personal data.
    pub pii: RawHandling,
    /// Keys and passwords.
    pub secrets: RawHandling,
    /// Own rules and switched-off rule ids.
    pub rules_file: Option<String>,
}

impl Default for RawRequest {
    fn default() -> Self {
        Self {
            mode: RawBodyMode::Hold,
            uninspectable: RawUninspectable::Flag,
            max_text_chars: Some(100_000),
            max_json_depth: 64,
            sanitization: RawSanitization::Standard,
            prompt_injection: RawVerdict::Block,
            code_patterns: RawVerdict::Flag,
            web_attacks: RawVerdict::Flag,
            pii: RawHandling::Mask,
            secrets: RawHandling::Block,
            rules_file: None,
        }
    }
}

/// Inspection of answers.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "ResponseInspection")]
pub(in crate::config) struct RawResponse {
    /// JSON fields taken out of every answer.
    pub strip_fields: Vec<String>,
    /// Most characters of text in an answer.
    pub max_text_chars: Option<u32>,
    /// Personal data.
    pub pii: RawHandling,
    /// Keys and passwords.
    pub secrets: RawHandling,
    /// Text that does harm.
    pub harmful: RawVerdict,
    /// Strings (a system prompt's, say) that must never leave.
    pub canaries: Vec<SecretText>,
    /// Whether tool calls are sent on as they arrive.
    pub tool_calls: RawToolCalls,
    /// How much of a live stream may wait for a possible match.
    pub max_hold: RawHold,
}

impl Default for RawResponse {
    fn default() -> Self {
        let strip_fields = [
            "api_key",
            "apikey",
            "secret",
            "password",
            "token",
            "access_token",
            "refresh_token",
            "private_key",
            "internal_id",
        ];
        Self {
            strip_fields: strip_fields.map(str::to_owned).to_vec(),
            max_text_chars: Some(50_000),
            pii: RawHandling::Mask,
            secrets: RawHandling::Mask,
            harmful: RawVerdict::Flag,
            canaries: Vec::new(),
            tool_calls: RawToolCalls::Hold,
            max_hold: RawHold::default(),
        }
    }
}

/// Whether a JSON body is judged before or while it is sent on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "BodyMode")]
pub(in crate::config) enum RawBodyMode {
    /// Judge, then connect.
    Hold,
    /// Judge while sending, with the newest piece held back; needs one route for all models.
    Stream,
}

/// What becomes of that which can't be read.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Uninspectable")]
pub(in crate::config) enum RawUninspectable {
    /// It passes, and the record says so.
    Flag,
    /// It is refused.
    Block,
}

/// How text is cleaned.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Sanitization")]
pub(in crate::config) enum RawSanitization {
    /// Not at all.
    Off,
    /// Control characters and invalid text go.
    Standard,
    /// HTML is escaped too.
    Strict,
}

/// What becomes of a finding that can't be masked.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Verdict")]
pub(in crate::config) enum RawVerdict {
    /// It isn't looked for.
    Off,
    /// It passes, and the record says so.
    Flag,
    /// The message is refused.
    Block,
}

/// What becomes of a finding that can be masked.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Handling")]
pub(in crate::config) enum RawHandling {
    /// It isn't looked for.
    Off,
    /// It passes, and the record says so.
    Flag,
    /// It is replaced.
    Mask,
    /// The message is refused.
    Block,
}

/// Whether tool calls are sent on as they arrive.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "ToolCalls")]
pub(in crate::config) enum RawToolCalls {
    /// Whole, judged, then sent.
    Hold,
    /// As they arrive.
    Live,
}

/// How much of a live stream may wait for a possible match.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "Hold")]
pub(in crate::config) struct RawHold {
    /// How long.
    pub time: SpanText,
    /// How many bytes.
    pub bytes: SizeText,
}

impl Default for RawHold {
    fn default() -> Self {
        Self {
            time: SpanText::new("2s"),
            bytes: SizeText::new("512"),
        }
    }
}
