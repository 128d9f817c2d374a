//! The keys of answers that mean something.
//!
//! Decides from names alone; what they mean where is `walk`'s.

use crate::each_byte::each_byte;

/// A key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    Choices,
    Index,
    Delta,
    ContentBlock,
    Content,
    Text,
    Reasoning,
    ReasoningContent,
    Refusal,
    Thinking,
    ToolCalls,
    Function,
    FunctionCall,
    Arguments,
    PartialJson,
    Finish,
    Type,
    Usage,
    Error,
    Response,
    OutputIndex,
    ContentIndex,
    SummaryIndex,
    ItemId,
    Sequence,
    Logprobs,
    Status,
    Id,
    Created,
    Model,
    Object,
    Prompted,
    Completed,
    /// An id, or a word of the API's.
    Name,
    /// A picture, a sound, a vector.
    Data,
    Other,
}

impl Word {
    /// The key of this name.
    pub(super) fn named(key: &str) -> Self {
        match key {
            "choices" => Self::Choices,
            "index" => Self::Index,
            "delta" => Self::Delta,
            "content_block" => Self::ContentBlock,
            "content" => Self::Content,
            "text" | "output_text" | "transcript" => Self::Text,
            "reasoning" => Self::Reasoning,
            "reasoning_content" => Self::ReasoningContent,
            "refusal" => Self::Refusal,
            "thinking" => Self::Thinking,
            "tool_calls" => Self::ToolCalls,
            "function" => Self::Function,
            "function_call" => Self::FunctionCall,
            "arguments" => Self::Arguments,
            "partial_json" => Self::PartialJson,
            "finish_reason" | "stop_reason" => Self::Finish,
            "type" => Self::Type,
            "usage" => Self::Usage,
            "error" => Self::Error,
            "response" => Self::Response,
            "output_index" => Self::OutputIndex,
            "content_index" => Self::ContentIndex,
            "summary_index" => Self::SummaryIndex,
            "item_id" => Self::ItemId,
            "sequence_number" => Self::Sequence,
            "logprobs" => Self::Logprobs,
            "status" => Self::Status,
            "id" => Self::Id,
            "created" => Self::Created,
            "model" => Self::Model,
            "object" => Self::Object,
            "prompt_tokens" | "input_tokens" => Self::Prompted,
            "completion_tokens" | "output_tokens" => Self::Completed,
            "role"
            | "system_fingerprint"
            | "call_id"
            | "response_id"
            | "tool_use_id"
            | "service_tier"
            | "encrypted_content"
            | "signature"
            | "obfuscation"
            | "previous_response_id"
            | "file_id"
            | "container_id"
            | "media_type"
            | "mime_type"
            | "native_finish_reason"
            | "provider" => Self::Name,
            "data" | "b64_json" | "audio" | "image" | "image_url" | "url" | "file_data"
            | "embedding" | "result" | "partial_image_b64" => Self::Data,
            _ => Self::Other,
        }
    }

    /// Whether its value is text that a model said, which may be cut at its longest.
    pub(super) const fn is_said(self) -> bool {
        matches!(
            self,
            Self::Content
                | Self::Text
                | Self::Reasoning
                | Self::ReasoningContent
                | Self::Refusal
                | Self::Thinking
        )
    }

    /// Whether its value is a name, if it looks like one.
    pub(super) const fn is_name(self) -> bool {
        matches!(
            self,
            Self::Type
                | Self::Id
                | Self::ItemId
                | Self::Model
                | Self::Object
                | Self::Status
                | Self::Name
        )
    }
}

/// Whether a text can only be an id or a word of an API's: nothing in it is a separator of words.
pub(super) fn is_name(text: &str) -> bool {
    text.bytes().all(is_name_byte)
}

/// Whether a byte may stand in such a text.
pub(super) fn is_name_byte(byte: u8) -> bool {
    const NAME: [bool; 256] = each_byte!(byte => byte.is_ascii_alphanumeric()
        || matches!(byte, b'.' | b'_' | b':' | b'/' | b'+' | b'=' | b'-'));
    NAME.get(usize::from(byte)).copied().unwrap_or(false)
}

/// Whether a text is base64 of some length, or a `data:` URL.
pub(super) fn is_data(text: &str) -> bool {
    let body = text
        .split_once(";base64,")
        .filter(|(lead, _)| lead.len() <= 128 && lead.starts_with("data:"))
        .map_or(text, |(_, body)| body);
    body.len() >= 64
        && body
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+/-_=".contains(&byte))
}
