//! What two processes say to each other: one JSON object a line.
//!
//! Decides what is understood. The words here never change, so that every version can take over from
//! every other one: fields that are not known are passed over, and what is in the state has versions
//! of its own. State that can't be read is left behind; the sockets go over all the same. A line is
//! bounded.

use serde::{Deserialize, Serialize};

/// The version of these words, for the log.
pub(crate) const VERSION: u32 = 1;

/// The longest line, in bytes: a million blocked networks and their reasons fit.
pub(crate) const MAX_LINE: u64 = 256 * 1024 * 1024;

/// What the new process says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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
#[serde(rename_all = "snake_case")]
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_another_version_are_understood_as_far_as_they_go() {
        let newer = r#"{"ready": {"version": 9, "pid": 5, "mood": "good"}}"#;
        let call: Call = serde_json::from_str(newer).unwrap();
        assert_eq!(call, Call::Ready { version: 9, pid: 5 }, "a newer caller");
        let newer = r#"{"take": {"listeners": ["[::1]:1"], "state": {"parts": {"x": 1}}, "y": 2}}"#;
        let answer: Answer = serde_json::from_str(newer).unwrap();
        let Answer::Take { listeners, state } = answer else {
            panic!("{answer:?}");
        };
        assert_eq!(listeners, ["[::1]:1"], "its sockets");
        assert_eq!(state.parts.len(), 1, "its state, whatever it is");
        assert!(
            serde_json::from_str::<Call>(r#"{"sing": {}}"#).is_err(),
            "no word"
        );
        assert!(
            serde_json::from_str::<Answer>(r#"{"take": {}}"#).is_err(),
            "half a word"
        );
    }
}
