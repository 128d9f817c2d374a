//! Names that cross module borders, each its own type so that one can't stand for another.
//!
//! Decides what a well-formed name is; `FromStr` is the only way in. It never looks a name up.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// Why a text is not a name of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NameFault {
    /// Nothing was given.
    #[error("is empty")]
    Empty,
    /// Longer than the kind allows.
    #[error("is longer than {max} characters")]
    TooLong {
        /// The most characters the kind allows.
        max: usize,
    },
    /// Holds a character that the kind does not allow.
    #[error("holds {found:?}; allowed are letters, digits and {allowed:?}")]
    Character {
        /// The first character at fault.
        found: char,
        /// The punctuation that is allowed beside letters and digits.
        allowed: &'static str,
    },
}

fn checked(text: &str, max: usize, allowed: &'static str) -> Result<Box<str>, NameFault> {
    if text.is_empty() {
        return Err(NameFault::Empty);
    }
    if text.len() > max {
        return Err(NameFault::TooLong { max });
    }
    let allows = |c: u8| c.is_ascii_alphanumeric() || allowed.as_bytes().contains(&c);
    if text.bytes().all(allows) {
        return Ok(text.into());
    }
    match text.chars().find(|c| !u8::try_from(*c).is_ok_and(allows)) {
        Some(found) => Err(NameFault::Character { found, allowed }),
        None => Ok(text.into()),
    }
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $max:expr, $allowed:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Box<str>);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NameFault;

            fn from_str(text: &str) -> Result<Self, NameFault> {
                checked(text, $max, $allowed).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name!(
    /// The public id of an API key, as operators write it: shown in logs and metrics.
    KeyId,
    64,
    "-_.:@"
);
name!(
    /// A provider's name from the configuration: shown in headers, logs and metrics.
    ProviderName,
    64,
    "-_."
);
name!(
    /// A model's name as a client asks for it, short enough to be logged and compared.
    ModelName,
    256,
    "-_.:/@+"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_refuse_what_could_forge_a_log_line_or_a_header() {
        for bad in ["", "a b", "a\nb", "a\u{1b}[0m", "é", "a\"b"] {
            assert!(
                bad.parse::<KeyId>().is_err(),
                "{bad:?} must not become a key id"
            );
            assert!(
                bad.parse::<ModelName>().is_err(),
                "{bad:?} must not become a model name"
            );
        }
    }

    #[test]
    fn names_hold_up_to_their_length_and_not_one_more() {
        let longest = "m".repeat(256);
        assert!(
            longest.parse::<ModelName>().is_ok(),
            "256 characters are a model name"
        );
        let longer = "m".repeat(257);
        assert_eq!(
            longer.parse::<ModelName>(),
            Err(NameFault::TooLong { max: 256 }),
            "257 characters are not"
        );
    }

    #[test]
    fn the_names_providers_use_are_accepted() {
        for model in [
            "gpt-4o",
            "o3",
            "claude-sonnet-4-5@20250929",
            "meta-llama/Llama-3.1-8B",
            "ft:gpt-4o:acme::id",
        ] {
            assert!(model.parse::<ModelName>().is_ok(), "{model} is in use");
        }
    }
}
