//! What the configuration already names and the program does not do yet.
//!
//! Decides, by one table for each source (file, keys file, environment), which keys are refused
//! rather than silently accepted: a control that is configured and does not act is worse than
//! none. Whoever builds a feature deletes its row. A value that switches the feature off passes.

use serde_yaml::Value;

/// A key that is refused.
#[derive(Debug)]
pub(super) struct Row {
    /// The key, with `[]` for any index.
    pub key: &'static str,
}

const fn row(key: &'static str) -> Row {
    Row { key }
}

/// Keys of the configuration file.
pub(super) const FILE: &[Row] = &[row("rate_limits.store")];

/// Keys of the keys file.
pub(super) const KEYS_FILE: &[Row] = &[];

/// Environment variables, and the keys that they override.
pub(super) const VARIABLES: &[(&str, &str)] = &[];

/// What there is to say of a key: problem and remedy, where it is refused.
pub(super) fn refusal(rows: &[Row], pattern: &str, value: &Value) -> Option<(String, String)> {
    rows.iter().find(|row| row.key == pattern)?;
    let memory = pattern == "rate_limits.store" && value.as_str() == Some("memory");
    if memory || is_off(value) {
        return None;
    }
    let remedy = "remove it; it would have no effect";
    Some(("is not built yet".to_owned(), remedy.to_owned()))
}

/// Whether a value switches its feature off, itself or in all of its parts.
fn is_off(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Bool(true) | Value::Number(_) | Value::Tagged(_) => false,
        Value::String(word) => word == "off",
        Value::Sequence(items) => items.is_empty(),
        Value::Mapping(parts) => parts.values().all(is_off),
    }
}

/// Whether the text of a variable switches its feature off.
pub(super) fn is_off_text(text: &str) -> bool {
    matches!(text, "" | "off" | "false" | "[]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_switches_a_feature_off_passes() {
        for (text, off) in [
            ("null", true),
            ("off", true),
            ("false", true),
            ("[]", true),
            ("{global: null, per_ip: {}}", true),
            ("memory", false),
            ("0", false),
            ("{global: null, concurrent_requests: 1}", false),
            ("[a]", false),
        ] {
            let value: Value = serde_yaml::from_str(text).unwrap();
            assert_eq!(
                refusal(&[row("a.b")], "a.b", &value).is_none(),
                off,
                "a.b: {text}"
            );
        }
    }
}
