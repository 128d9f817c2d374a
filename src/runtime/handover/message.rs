//! What two processes say to each other: one JSON object a line.
//!
//! Decides what is understood: words of another version are refused, never guessed at, and a line
//! is bounded. State that can't be read is left behind; the sockets go over all the same.

use serde::{Deserialize, Serialize};

/// The version of these words; another one is not understood.
pub(crate) const VERSION: u32 = 1;

/// The longest line, in bytes: a million blocked networks and their reasons fit.
pub(crate) const MAX_LINE: u64 = 256 * 1024 * 1024;

/// What the new process says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Call {
    /// It is ready to take over.
    Ready {
        /// The version of its words.
        version: u32,
        /// Its process id.
        pid: u32,
    },
    /// The transfer socket is open.
    Open,
}

/// What the old process answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Answer {
    /// Its turn will come with `SIGQUIT`.
    Wait {
        /// The old process's id.
        pid: u32,
    },
    /// It is not wanted.
    Refused {
        /// Why.
        why: String,
    },
    /// Its turn has come: open the transfer socket.
    Take {
        /// The addresses whose sockets are passed on.
        listeners: Vec<String>,
        /// What must not be forgotten.
        state: State,
    },
}

/// What must not be forgotten.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct State {
    /// By the name of whoever made it; one that the new process does not know is left behind.
    pub(crate) parts: std::collections::BTreeMap<String, serde_json::Value>,
}
