//! Why a credential opens nothing, in words for operators.
//!
//! Decides which of these look like someone trying keys. Callers are told none of it.

/// Why a credential opens nothing. Told to operators, never to the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyFault {
    /// No key has this digest.
    Unknown,
    /// Not a text that a key could be.
    Malformed,
    /// Two credentials that differ.
    Ambiguous,
    /// The key was taken back.
    Revoked,
    /// The key is no longer good.
    Expired,
    /// The key is not good yet.
    NotYetValid,
    /// It begins like one of our keys, and its checksum is wrong.
    Mistyped,
    /// The hash of a key, which is no key.
    HashOffered,
    /// A token that can't be read.
    TokenMalformed,
    /// A token under an algorithm or a key that is not taken.
    TokenKey,
    /// A token whose signature is not that of its key.
    TokenSignature,
    /// A token that is no longer good.
    TokenExpired,
    /// A token that is not good yet.
    TokenNotYetValid,
    /// A token that lives longer than is allowed.
    TokenTooLong,
    /// A token of another issuer, or for another audience.
    TokenForeign,
    /// A token that names no role of ours.
    TokenRole,
}

impl KeyFault {
    /// The metric label and log word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Malformed => "malformed",
            Self::Ambiguous => "ambiguous",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::Mistyped => "mistyped",
            Self::HashOffered => "hash_offered",
            Self::TokenMalformed => "token_malformed",
            Self::TokenKey => "token_key",
            Self::TokenSignature => "token_signature",
            Self::TokenExpired => "token_expired",
            Self::TokenNotYetValid => "token_not_yet_valid",
            Self::TokenTooLong => "token_too_long",
            Self::TokenForeign => "token_foreign",
            Self::TokenRole => "token_role",
        }
    }

    /// Whether it looks like someone trying keys. A mistyped key can't be anybody's, and one that
    /// has expired was someone's own.
    pub const fn is_guess(self) -> bool {
        match self {
            Self::Unknown
            | Self::Malformed
            | Self::Ambiguous
            | Self::Revoked
            | Self::HashOffered
            | Self::TokenMalformed
            | Self::TokenKey
            | Self::TokenSignature
            | Self::TokenTooLong
            | Self::TokenForeign
            | Self::TokenRole => true,
            Self::Expired
            | Self::NotYetValid
            | Self::Mistyped
            | Self::TokenExpired
            | Self::TokenNotYetValid => false,
        }
    }
}
