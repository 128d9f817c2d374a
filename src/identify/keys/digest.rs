//! What is kept of a key: its digest, plain or under a host's pepper.
//!
//! Decides how a digest is made and written. A key has 256 random bits, so a plain SHA-256 can't
//! be searched; a pepper makes a stolen keys file useless for keys that people chose themselves.
//! It never sees a key for longer than one call.

use std::fmt::{self, Write as _};
use std::str::FromStr;

use ring::hmac;
use sha2::{Digest as _, Sha256};
use thiserror::Error;

/// How a key's digest was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// SHA-256.
    Sha256,
    /// HMAC-SHA-256 under the host's pepper.
    HmacSha256,
}

impl Scheme {
    /// The name in key files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::HmacSha256 => "hmac-sha256",
        }
    }
}

/// A digest of a key's text: all that is kept of a key.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyDigest(pub(super) [u8; 32]);

impl KeyDigest {
    /// The SHA-256 of a key's text.
    pub fn of(key: &[u8]) -> Self {
        Self(Sha256::digest(key).into())
    }

    /// The digest's bytes in hex.
    pub fn hex(&self) -> String {
        self.0.iter().fold(String::with_capacity(64), |mut hex, b| {
            // Writing to a String can't fail.
            let _infallible = write!(hex, "{b:02x}");
            hex
        })
    }
}

impl fmt::Debug for KeyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyDigest(***)")
    }
}

/// A secret of this host that goes into its digests.
#[derive(Clone)]
pub struct Pepper(hmac::Key);

impl Pepper {
    /// Fewer bytes than this can be guessed.
    pub const SHORTEST: usize = 16;

    /// A pepper of these bytes, if they are enough.
    pub fn new(secret: &[u8]) -> Option<Self> {
        (secret.len() >= Self::SHORTEST).then(|| Self(hmac::Key::new(hmac::HMAC_SHA256, secret)))
    }

    /// The digest of a key's text under this pepper.
    pub fn digest(&self, key: &[u8]) -> KeyDigest {
        let mut digest = [0_u8; 32];
        let tag = hmac::sign(&self.0, key);
        for (byte, made) in digest.iter_mut().zip(tag.as_ref()) {
            *byte = *made;
        }
        KeyDigest(digest)
    }
}

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pepper(***)")
    }
}

/// Why a text is not the hash of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DigestFault {
    /// No scheme before it.
    #[error("does not begin with `sha256:` or `hmac-sha256:`")]
    Scheme,
    /// Not 64 hex digits.
    #[error("is not 64 hex digits after its scheme")]
    Hex,
}

/// A digest and how it was made: `sha256:…` or `hmac-sha256:…`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyHash {
    /// How it was made.
    pub scheme: Scheme,
    /// The digest.
    pub digest: KeyDigest,
}

impl KeyHash {
    /// The hash of a key's text: under the pepper, where there is one.
    pub fn of(key: &[u8], pepper: Option<&Pepper>) -> Self {
        match pepper {
            None => Self {
                scheme: Scheme::Sha256,
                digest: KeyDigest::of(key),
            },
            Some(pepper) => Self {
                scheme: Scheme::HmacSha256,
                digest: pepper.digest(key),
            },
        }
    }

    /// Whether a text has the form of a hash, so that it is no key.
    pub fn is_like(text: &[u8]) -> bool {
        [Scheme::Sha256, Scheme::HmacSha256].into_iter().any(|s| {
            text.strip_prefix(s.as_str().as_bytes())
                .is_some_and(|rest| rest.starts_with(b":"))
        })
    }
}

impl FromStr for KeyHash {
    type Err = DigestFault;

    fn from_str(text: &str) -> Result<Self, DigestFault> {
        let (scheme, hex) = text.split_once(':').ok_or(DigestFault::Scheme)?;
        let scheme = [Scheme::Sha256, Scheme::HmacSha256]
            .into_iter()
            .find(|known| known.as_str() == scheme)
            .ok_or(DigestFault::Scheme)?;
        let mut digest = [0_u8; 32];
        let (pairs, rest) = hex.as_bytes().as_chunks::<2>();
        if pairs.len() != digest.len() || !rest.is_empty() {
            return Err(DigestFault::Hex);
        }
        for (byte, [high, low]) in digest.iter_mut().zip(pairs) {
            let worth = |digit: u8| {
                char::from(digit)
                    .to_digit(16)
                    .and_then(|worth| u8::try_from(worth).ok())
                    .ok_or(DigestFault::Hex)
            };
            *byte = worth(*high)? << 4 | worth(*low)?;
        }
        Ok(Self {
            scheme,
            digest: KeyDigest(digest),
        })
    }
}

impl fmt::Display for KeyHash {
    /// As it stands in a keys file. Shown by the command line to whoever holds the key, and
    /// nowhere else.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.scheme.as_str(), self.digest.hex())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn hashes_are_read_strictly_and_written_as_they_were_read() {
        let text = format!("sha256:{ABC}");
        let hash: KeyHash = text.parse().unwrap();
        assert_eq!(
            hash,
            KeyHash::of(b"abc", None),
            "the published SHA-256 of abc"
        );
        assert_eq!(hash.to_string(), text, "as it stood");
        assert_eq!(
            text.to_uppercase().replace("SHA256", "sha256").parse(),
            Ok(hash),
            "upper-case digits are digits"
        );
        for (bad, fault) in [
            (ABC.to_owned(), DigestFault::Scheme),
            (format!("md5:{ABC}"), DigestFault::Scheme),
            ("sha256:".to_owned(), DigestFault::Hex),
            ("sha256:ba78".to_owned(), DigestFault::Hex),
            (format!("sha256:{ABC}00"), DigestFault::Hex),
            (format!("sha256:+{}", ABC.split_at(1).1), DigestFault::Hex),
            (format!("sha256:é{}", ABC.split_at(2).1), DigestFault::Hex),
        ] {
            assert_eq!(bad.parse::<KeyHash>(), Err(fault), "{bad}");
        }
    }

    #[test]
    fn a_pepper_makes_another_digest_and_must_be_long_enough() {
        // RFC 4231, test case 2, with a key that is padded to the shortest that is taken here.
        let pepper = Pepper::new(b"Jefe\0\0\0\0\0\0\0\0\0\0\0\0").unwrap();
        assert_eq!(
            KeyHash::of(b"what do ya want for nothing?", Some(&pepper)).to_string(),
            "hmac-sha256:5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            "the published HMAC: zeros at a key's end change nothing"
        );
        assert!(Pepper::new(&[7; 15]).is_none(), "fifteen bytes are too few");
    }

    #[test]
    fn nothing_of_a_digest_or_pepper_is_printed() {
        let shown = format!(
            "{:?} {:?}",
            KeyHash::of(b"abc", None),
            Pepper::new(&[65; 32])
        );
        assert!(
            !shown.contains("ba78") && !shown.contains("AAAA") && !shown.contains("65"),
            "{shown}"
        );
    }
}
