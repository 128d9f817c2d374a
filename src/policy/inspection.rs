//! What is looked for in one direction, and what becomes of a find.
//!
//! Decides nothing: these are the values that `config::compile` makes and from which
//! [`crate::inspect::engine::Inspector`] is compiled. Never holds a compiled pattern.

use crate::inspect::detect::OwnRule;

/// What becomes of a family's finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It isn't looked for.
    Off,
    /// It passes, and the record says so.
    Flag,
    /// It is replaced by a label. Families whose finds are no exact values only flag.
    Mask,
    /// The message is refused.
    Block,
}

impl Action {
    /// The name users see.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Flag => "flag",
            Self::Mask => "mask",
            Self::Block => "block",
        }
    }
}

/// How text is cleaned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sanitization {
    /// Not at all.
    Off,
    /// Control, invisible and invalid characters go.
    Standard,
    /// In what people write, `& < > " '` become HTML entities too.
    Strict,
}

/// What becomes of that which can't be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Uninspectable {
    /// It passes, and the record says so.
    Flag,
    /// It is refused.
    Block,
}

/// The inspection of one direction.
#[derive(Debug, Clone)]
pub struct InspectionSettings {
    /// How text is cleaned.
    pub sanitization: Sanitization,
    /// Attempts to talk a model out of its instructions.
    pub prompt_injection: Action,
    /// Code that runs commands or loads code.
    pub code_patterns: Action,
    /// Payloads against web applications and databases.
    pub web_attacks: Action,
    /// Personal data.
    pub pii: Action,
    /// Keys, tokens and passwords.
    pub secrets: Action,
    /// Harmful content.
    pub harmful: Action,
    /// What becomes of that which can't be read.
    pub uninspectable: Uninspectable,
    /// Most characters of text; [`usize::MAX`] for any number.
    pub max_text_chars: usize,
    /// Ids of rules that are switched off.
    pub disabled_rules: Vec<String>,
    /// The operator's own rules.
    pub own_rules: Vec<OwnRule>,
    /// Strings that must never leave; a message with one is refused.
    pub canaries: Vec<String>,
}

impl InspectionSettings {
    /// Requests, unless the configuration says otherwise.
    pub const fn request() -> Self {
        Self {
            sanitization: Sanitization::Standard,
            prompt_injection: Action::Block,
            code_patterns: Action::Flag,
            web_attacks: Action::Flag,
            pii: Action::Mask,
            secrets: Action::Block,
            harmful: Action::Off,
            uninspectable: Uninspectable::Flag,
            max_text_chars: 100_000,
            disabled_rules: Vec::new(),
            own_rules: Vec::new(),
            canaries: Vec::new(),
        }
    }

    /// Answers, unless the configuration says otherwise.
    pub const fn response() -> Self {
        Self {
            sanitization: Sanitization::Off,
            prompt_injection: Action::Off,
            code_patterns: Action::Off,
            web_attacks: Action::Off,
            pii: Action::Mask,
            secrets: Action::Mask,
            harmful: Action::Flag,
            uninspectable: Uninspectable::Flag,
            max_text_chars: 50_000,
            disabled_rules: Vec::new(),
            own_rules: Vec::new(),
            canaries: Vec::new(),
        }
    }
}
