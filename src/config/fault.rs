//! What is wrong with a configuration, said so that it can be put right.
//!
//! Decides how a fault is told: file, line, key, problem, remedy. It never holds a secret: what
//! it quotes of a file is a key, a path, or a short plain word (see `quoted`).

use std::fmt;

use serde::Serialize;

use crate::policy::units::UnitFault;

/// One thing that is wrong, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Where it stands.
    #[serde(flatten)]
    pub place: Place,
    /// The key at fault, such as `providers[1].endpoints[0].url`; empty for the file as a whole.
    pub key: String,
    /// What is wrong.
    pub problem: String,
    /// What would be right.
    pub remedy: String,
}

/// Where a fault stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Place {
    /// In a file.
    File {
        /// The file, as the user named it.
        file: String,
        /// The line, from 1; none where the file as a whole is at fault.
        line: Option<usize>,
        /// The column, from 1.
        column: Option<usize>,
    },
    /// In an environment variable, which overrides the file.
    Variable {
        /// Its name.
        variable: String,
    },
}

impl Fault {
    /// A fault of a file as a whole: missing, unreadable, too large.
    pub fn of_file(file: &str, problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            place: Place::File {
                file: file.to_owned(),
                line: None,
                column: None,
            },
            key: String::new(),
            problem: problem.into(),
            remedy: remedy.into(),
        }
    }

    /// A fault of an environment variable.
    pub(super) fn of_variable(
        variable: &str,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            place: Place::Variable {
                variable: variable.to_owned(),
            },
            key: String::new(),
            problem: problem.into(),
            remedy: remedy.into(),
        }
    }

    /// The line, where the fault stands in one.
    pub fn line(&self) -> Option<usize> {
        match &self.place {
            Place::File { line, .. } => *line,
            Place::Variable { .. } => None,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::File { file, line, .. } => {
                f.write_str(file)?;
                if let Some(line) = line {
                    write!(f, ":{line}")?;
                }
            }
            Place::Variable { variable } => write!(f, "environment variable {variable}")?,
        }
        f.write_str(": ")?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        write!(f, "{}; {}", self.problem, self.remedy)
    }
}

/// Longest text of the user's that is repeated in a fault.
const QUOTED_CHARS: usize = 60;

/// What is shown of a text that was not expected: itself, if it is short, plain, and not of a
/// shape that keys have.
pub(super) fn quoted(text: &str) -> String {
    let plain = text.chars().count() <= QUOTED_CHARS && !text.chars().any(char::is_control);
    if plain && !looks_secret(text) {
        format!("`{text}`")
    } else {
        "what stands here".to_owned()
    }
}

/// Whether a text may be a key that was put in the wrong place: a known prefix, or a long run of
/// letters mixed with digits. It errs towards silence.
pub(super) fn looks_secret(text: &str) -> bool {
    let prefixed = [
        "sk-", "pk-", "pcl_", "ghp_", "xox", "AKIA", "eyJ", "Bearer ",
    ]
    .iter()
    .any(|prefix| text.contains(prefix));
    let run = text
        .split(|c: char| !c.is_ascii_alphanumeric())
        .any(|run| run.len() >= 16 && run.bytes().any(|b| b.is_ascii_digit()));
    prefixed || run
}

/// Splits what is wrong with a quantity into problem and remedy.
pub(super) fn quantity(text: &str, fault: &UnitFault) -> (String, String) {
    let shown = quoted(text);
    match fault {
        UnitFault::Duration | UnitFault::Size | UnitFault::Rate => {
            let said = fault.to_string();
            let (problem, remedy) = said.split_once("; ").unwrap_or((&said, "correct it"));
            (format!("{shown} {problem}"), remedy.to_owned())
        }
        UnitFault::Zero => (
            format!("{shown} {fault}"),
            "write more than nothing".to_owned(),
        ),
        UnitFault::Ceiling { ceiling } => (
            format!("{shown} {fault}"),
            format!("write at most {ceiling}"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_told_as_file_line_key_problem_and_remedy() {
        let fault = Fault {
            place: Place::File {
                file: "conf/x.yaml".to_owned(),
                line: Some(12),
                column: Some(5),
            },
            key: "providers[0].api".to_owned(),
            problem: "`opanai` is not known".to_owned(),
            remedy: "write one of openai, anthropic, echo".to_owned(),
        };
        assert_eq!(
            fault.to_string(),
            "conf/x.yaml:12: providers[0].api: `opanai` is not known; write one of openai, \
             anthropic, echo",
            "the one-line form"
        );
        let fault = Fault::of_variable("LOG_LEVEL", "is not known", "write info");
        assert_eq!(
            fault.to_string(),
            "environment variable LOG_LEVEL: is not known; write info",
            "a variable instead of a file"
        );
    }

    #[test]
    fn what_may_be_a_key_is_not_repeated() {
        for text in [
            "sk-abcdefgh",
            "pcl_abc",
            "0123456789abcdefghij",
            "a\u{1b}[0m",
            "Bearer abc",
        ] {
            assert!(!quoted(text).contains(text), "{text} must not be shown");
        }
        for text in ["opanai", "0.0.0.0:8080", "https://api.example.com/v1", ""] {
            assert!(quoted(text).contains(text), "{text} helps whoever reads it");
        }
    }
}
