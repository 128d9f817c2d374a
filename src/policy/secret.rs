//! Secrets as values: kept, compared, handed to the one place that needs them, and never shown.
//!
//! Decides nothing. It never formats, serialises or logs what it holds; the only way to the text
//! is [`Secret::expose`], which is easy to find in a review. It can't protect copies that callers
//! make of the exposed text.

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// A secret text, wiped from memory when dropped.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the text over; the caller's copy is moved, not duplicated.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text itself. Every call is a place where a secret leaves its type.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl PartialEq for Secret {
    /// Compares in time that depends on the lengths alone.
    fn eq(&self, other: &Self) -> bool {
        bool::from(self.0.as_bytes().ct_eq(other.0.as_bytes()))
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_holds_no_part_of_the_secret() {
        let shown = format!("{:?}", Secret::new("sk-very-secret".to_owned()));
        assert_eq!(shown, "Secret(***)", "a secret must not be printable");
    }

    #[test]
    fn equality_is_by_content() {
        let one = Secret::new("a".to_owned());
        assert_eq!(one, Secret::new("a".to_owned()), "same text, same secret");
        assert_ne!(one, Secret::new("b".to_owned()), "other text, other secret");
    }
}
