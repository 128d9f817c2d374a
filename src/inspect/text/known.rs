//! The keys that mean something, and what they mean where.
//!
//! Decides from names alone. May miss: a provider's own name for what has a usual one; its text
//! is then that of the message or field around it.

use crate::inspect::channel::Channel;

/// Where in a body an object or array stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The body's outermost object.
    Root,
    /// The array of messages, or of input items.
    List,
    /// An element of it.
    Message,
    /// Anywhere inside a message.
    Inside,
    /// Anywhere else.
    Elsewhere,
}

/// A key that means something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    Role,
    Type,
    Model,
    Messages,
    Input,
    Instructions,
    System,
    Prompt,
    Tools,
    Calls,
    Arguments,
    Output,
    Metadata,
    /// A picture, sound or file, or where one is.
    Data,
    Other,
}

impl Known {
    /// The key of this name.
    pub(super) fn named(key: &str) -> Self {
        match key {
            "role" => Self::Role,
            "type" => Self::Type,
            "model" => Self::Model,
            "messages" => Self::Messages,
            "input" => Self::Input,
            "instructions" => Self::Instructions,
            "system" => Self::System,
            "prompt" => Self::Prompt,
            "tools" | "functions" => Self::Tools,
            "tool_calls" | "function_call" => Self::Calls,
            "arguments" => Self::Arguments,
            "output" => Self::Output,
            "metadata" => Self::Metadata,
            "data" | "file_data" | "b64_json" | "url" | "image_url" | "audio" | "image" => {
                Self::Data
            }
            _ => Self::Other,
        }
    }

    /// What the value of such a key of the body itself is.
    pub(super) const fn at_root(self) -> (Channel, Place) {
        match self {
            Self::Messages => (Channel::Message, Place::List),
            Self::Input => (Channel::Input, Place::List),
            Self::Instructions => (Channel::Instructions, Place::Elsewhere),
            Self::System => (Channel::System, Place::Elsewhere),
            Self::Prompt => (Channel::Prompt, Place::Elsewhere),
            Self::Tools => (Channel::ToolDefinition, Place::Elsewhere),
            Self::Metadata => (Channel::Metadata, Place::Elsewhere),
            Self::Role
            | Self::Type
            | Self::Model
            | Self::Calls
            | Self::Arguments
            | Self::Output
            | Self::Data
            | Self::Other => (Channel::Field, Place::Elsewhere),
        }
    }

    /// Who speaks in the value of such a key inside a message of this channel.
    pub(super) const fn inside(self, channel: Channel) -> Channel {
        match self {
            // `input` is what a tool is called with in the messages API.
            Self::Calls | Self::Arguments | Self::Input => Channel::ToolArguments,
            Self::Output => Channel::Tool,
            Self::Metadata => Channel::Metadata,
            Self::Role
            | Self::Type
            | Self::Model
            | Self::Messages
            | Self::Instructions
            | Self::System
            | Self::Prompt
            | Self::Tools
            | Self::Data
            | Self::Other => channel,
        }
    }

    /// Whether its value is a word of the API's, if it looks like one.
    pub(super) const fn is_word(self) -> bool {
        matches!(self, Self::Role | Self::Type | Self::Model)
    }

    /// Whether its value may be data and no text.
    pub(super) const fn is_data(self) -> bool {
        matches!(self, Self::Data)
    }
}

/// Who speaks in an object of this `type`, if the type says so.
pub(super) fn of_type(word: &str) -> Option<Channel> {
    match word {
        "tool_result"
        | "function_call_output"
        | "computer_call_output"
        | "mcp_tool_result"
        | "custom_tool_call_output" => Some(Channel::Tool),
        "tool_use" | "server_tool_use" | "mcp_tool_use" | "function_call" | "custom_tool_call" => {
            Some(Channel::ToolArguments)
        }
        _ => None,
    }
}
