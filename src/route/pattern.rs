//! Model patterns such as `gpt-*`.
//!
//! Decides whether a name matches a pattern, in time linear in the name for each star. It knows
//! one wildcard, `*` (any run of characters, the empty one too), and no character classes.

use std::str::FromStr;

use thiserror::Error;

/// Why a text is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PatternFault {
    /// Nothing was given; every model is `*`.
    #[error("is empty; `*` matches every model")]
    Empty,
    /// Too long to be matched against on every request.
    #[error("is longer than 256 characters")]
    TooLong,
    /// So many stars that matching would be slow.
    #[error("has more than 8 stars")]
    TooManyStars,
}

/// A compiled pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    text: Box<str>,
    shape: Shape,
}

/// What kind of pattern it is: the two that nearly all are cost one comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// Without a star.
    Exact,
    /// One star, at the end.
    Prefix,
    /// Any other.
    Other,
}

impl Shape {
    fn of(text: &str) -> Self {
        match text.split_once('*') {
            None => Self::Exact,
            Some((_, "")) => Self::Prefix,
            Some(_) => Self::Other,
        }
    }
}

impl Pattern {
    /// Whether the name matches from its first to its last character; case counts.
    #[inline]
    pub fn matches(&self, name: &str) -> bool {
        match self.shape {
            Shape::Exact => *self.text == *name,
            Shape::Prefix => {
                let prefix = self.text.as_bytes().split_last();
                prefix.is_some_and(|(_star, prefix)| name.as_bytes().starts_with(prefix))
            }
            Shape::Other => self.runs_through(name),
        }
    }

    /// The same, part by part between the stars.
    fn runs_through(&self, name: &str) -> bool {
        let mut parts = self.text.split('*');
        let Some(first) = parts.next() else {
            return false;
        };
        let Some(mut rest) = name.strip_prefix(first) else {
            return false;
        };
        let mut last: Option<&str> = None;
        for part in parts {
            if let Some(middle) = last {
                match rest.split_once(middle) {
                    Some((_, after)) => rest = after,
                    None => return false,
                }
            }
            last = Some(part);
        }
        match last {
            Some(end) => rest.ends_with(end),
            None => rest.is_empty(),
        }
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The one name that the pattern stands for, where it has no star.
    pub fn exact(&self) -> Option<&str> {
        (!self.text.contains('*')).then_some(&self.text)
    }
}

impl FromStr for Pattern {
    type Err = PatternFault;

    fn from_str(text: &str) -> Result<Self, PatternFault> {
        if text.is_empty() {
            return Err(PatternFault::Empty);
        }
        if text.len() > 256 {
            return Err(PatternFault::TooLong);
        }
        if text.bytes().filter(|b| *b == b'*').count() > 8 {
            return Err(PatternFault::TooManyStars);
        }
        Ok(Self {
            text: text.into(),
            shape: Shape::of(text),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn patterns_match_whole_names() {
        for (pattern, name, expected) in [
            ("*", "anything", true),
            ("*", "", true),
            ("gpt-*", "gpt-4o", true),
            ("gpt-*", "gpt-", true),
            ("gpt-*", "xgpt-4o", false),
            ("gpt-4o", "gpt-4o", true),
            ("gpt-4o", "gpt-4o-mini", false),
            ("*-mini", "gpt-4o-mini", true),
            ("*-mini", "gpt-4o-mini-x", false),
            ("a*b*c", "a1b2c", true),
            ("a*b*c", "acb", false),
            ("a*a", "a", false),
            ("*ab*ab", "ab", false),
            ("*ab*ab", "abab", true),
            ("o*", "O3", false),
        ] {
            let compiled: Pattern = pattern.parse().unwrap();
            assert_eq!(compiled.matches(name), expected, "{pattern} on {name}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        assert_eq!(
            "".parse::<Pattern>(),
            Err(PatternFault::Empty),
            "an empty pattern"
        );
        assert!(
            "x".repeat(257).parse::<Pattern>().is_err(),
            "a pattern of 257 characters"
        );
        assert_eq!(
            "*********".parse::<Pattern>(),
            Err(PatternFault::TooManyStars),
            "nine stars"
        );
    }

    fn slow(pattern: &[u8], name: &[u8]) -> bool {
        match (pattern.split_first(), name.split_first()) {
            (None, None) => true,
            (Some((b'*', rest)), _) => {
                slow(rest, name) || name.split_first().is_some_and(|(_, n)| slow(pattern, n))
            }
            (Some((p, ps)), Some((n, ns))) => p == n && slow(ps, ns),
            (Some(_), None) | (None, Some(_)) => false,
        }
    }

    proptest! {
        #[test]
        fn matching_agrees_with_the_textbook(pattern in "[ab*]{1,8}", name in "[ab]{0,10}") {
            let compiled: Pattern = pattern.parse().unwrap();
            prop_assert_eq!(compiled.matches(&name), slow(pattern.as_bytes(), name.as_bytes()));
        }
    }
}
