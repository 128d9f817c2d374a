//! The path of a key within a configuration: `providers[1].endpoints[0].url`.
//!
//! Decides how a path is written. It does not know which keys exist.

use std::fmt;

use super::fault::looks_secret;

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// To the value of a key.
    Key(String),
    /// To an item of a list.
    Index(usize),
}

/// A path from the root of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct KeyPath(Vec<Step>);

impl KeyPath {
    /// The path of keys written with dots: `server.limits`.
    pub(super) fn of(dotted: &str) -> Self {
        Self(
            dotted
                .split('.')
                .map(|key| Step::Key(key.to_owned()))
                .collect(),
        )
    }

    /// One key deeper.
    pub(super) fn key(&self, key: &str) -> Self {
        self.then(Step::Key(key.to_owned()))
    }

    /// One item deeper.
    pub(super) fn index(&self, index: usize) -> Self {
        self.then(Step::Index(index))
    }

    /// The steps from the root.
    pub(super) fn steps(&self) -> &[Step] {
        &self.0
    }

    fn then(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }

    fn write(&self, index: impl Fn(usize) -> String) -> String {
        self.0.iter().fold(String::new(), |text, step| match step {
            Step::Index(number) => text + &index(*number),
            Step::Key(key) if !plain(key) => format!("{text}[{:?}]", shortened(key)),
            Step::Key(key) if text.is_empty() => key.clone(),
            Step::Key(key) => format!("{text}.{key}"),
        })
    }
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.write(|index| format!("[{index}]")))
    }
}

fn plain(key: &str) -> bool {
    !key.is_empty()
        && key.len() <= 64
        && !looks_secret(key)
        && key
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
}

/// Keys are the user's text, so they are shown up to a length only, and not where a secret may
/// have slipped in among them.
fn shortened(key: &str) -> String {
    if looks_secret(key) {
        return "…".to_owned();
    }
    key.chars().take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_written_as_people_write_it() {
        let path = KeyPath::of("providers")
            .index(1)
            .key("endpoints")
            .index(0)
            .key("url");
        assert_eq!(
            path.to_string(),
            "providers[1].endpoints[0].url",
            "with indices"
        );
        assert_eq!(
            KeyPath::of("size_limits.paths")
                .key("/internal/")
                .to_string(),
            "size_limits.paths[\"/internal/\"]",
            "odd keys in quotes"
        );
    }
}
