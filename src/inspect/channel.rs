//! Where in a request a text stands.
//!
//! Decides the names that records show, and whose words are judged as an author's: see
//! [`Channel::is_trusted`]. Never looks at a text.

/// The place of a text, by meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Channel {
    /// A system message, or `system` of the messages API.
    System,
    /// A developer message.
    Developer,
    /// A user message.
    User,
    /// An assistant message.
    Assistant,
    /// What a tool answered.
    Tool,
    /// A message whose role was not said before its text, or is unknown.
    Message,
    /// `instructions` of the responses API.
    Instructions,
    /// `input`.
    Input,
    /// `prompt`.
    Prompt,
    /// A tool's definition.
    ToolDefinition,
    /// What a tool is called with.
    ToolArguments,
    /// `metadata`.
    Metadata,
    /// A key that is long enough to say something.
    Key,
    /// Any other field.
    Field,
    /// What a file holds, as far as it is text.
    File,
    /// A file's name.
    FileName,
    /// Plain text from outside any request.
    Text,
}

impl Channel {
    /// The name users see.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Developer => "developer",
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::Tool => "tool",
            Self::Message => "message",
            Self::Instructions => "instructions",
            Self::Input => "input",
            Self::Prompt => "prompt",
            Self::ToolDefinition => "tool_definition",
            Self::ToolArguments => "tool_arguments",
            Self::Metadata => "metadata",
            Self::Key => "key",
            Self::Field => "field",
            Self::File => "file",
            Self::FileName => "file_name",
            Self::Text => "text",
        }
    }

    /// The channel of a message with this role.
    pub fn of_role(role: &str) -> Self {
        match role {
            "system" => Self::System,
            "developer" => Self::Developer,
            "user" => Self::User,
            "assistant" => Self::Assistant,
            "tool" | "function" => Self::Tool,
            _ => Self::Message,
        }
    }

    /// Whether the message's role, once said, is the better name.
    pub const fn awaits_role(self) -> bool {
        matches!(self, Self::Message | Self::Input)
    }

    /// Whether the application itself speaks. Instructions that forbid an attack use the words of
    /// the attack, so here only what is out of place even there counts.
    pub const fn is_trusted(self) -> bool {
        match self {
            Self::System | Self::Developer | Self::Instructions => true,
            Self::User
            | Self::Assistant
            | Self::Tool
            | Self::Message
            | Self::Input
            | Self::Prompt
            | Self::ToolDefinition
            | Self::ToolArguments
            | Self::Metadata
            | Self::Key
            | Self::Field
            | Self::File
            | Self::FileName
            | Self::Text => false,
        }
    }

    /// Whether its text is shown to people, and so escaped where the policy wants that. Arguments
    /// are JSON for a program, which entities would break.
    pub const fn is_prose(self) -> bool {
        match self {
            Self::System
            | Self::Developer
            | Self::User
            | Self::Assistant
            | Self::Tool
            | Self::Message
            | Self::Instructions
            | Self::Input
            | Self::Prompt
            | Self::Text => true,
            Self::ToolDefinition
            | Self::ToolArguments
            | Self::Metadata
            | Self::Key
            | Self::Field
            | Self::File
            | Self::FileName => false,
        }
    }
}
