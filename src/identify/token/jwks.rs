//! JSON Web Key Sets (RFC 7517): the keys of an identity provider.
//!
//! Decides which keys of a set are of use: RSA of 2048 bits and more for RS256, P-256 for ES256,
//! shared secrets of 256 bits and more for HS256. Keys for encryption and other algorithms are
//! passed over, weak ones are faults. Nothing is fetched.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::{hmac, signature};
use serde::Deserialize;
use thiserror::Error;

use super::{Kind, TokenKey};

/// Every key that has no name may have to be tried.
const MOST_KEYS: usize = 32;

/// Why a set is of no use.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum JwksFault {
    /// Not the JSON of a set.
    #[error("is not a JSON Web Key Set (an object with `keys`)")]
    Form,
    /// A key whose values can't be read.
    #[error("holds a key (number {0}, from 0) whose values can't be read")]
    Values(usize),
    /// A key that is too weak.
    #[error("holds a key (number {0}, from 0) that is too weak: RSA needs 2048 bits, a secret 256")]
    Weak(usize),
    /// No key, or too many.
    #[error("holds no key for RS256, ES256 or HS256, or more than 32")]
    Number,
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<Key>,
}

#[derive(Deserialize)]
struct Key {
    kty: String,
    #[serde(rename = "use")]
    usage: Option<String>,
    alg: Option<String>,
    kid: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
    k: Option<String>,
}

/// The keys of a set.
pub(super) fn read(text: &[u8]) -> Result<Vec<TokenKey>, JwksFault> {
    let set: Set = serde_json::from_slice(text).map_err(|_other| JwksFault::Form)?;
    let mut keys = Vec::new();
    for (index, key) in set.keys.iter().enumerate() {
        if let Some(kind) = kind(key, index)? {
            let kid = key.kid.as_deref().map(Into::into);
            keys.push(TokenKey { kid, kind });
        }
    }
    if keys.is_empty() || keys.len() > MOST_KEYS {
        return Err(JwksFault::Number);
    }
    Ok(keys)
}

fn kind(key: &Key, index: usize) -> Result<Option<Kind>, JwksFault> {
    let is_for = |algorithm: &str| key.alg.as_ref().is_none_or(|alg| alg == algorithm);
    let value = |text: &Option<String>| {
        let text = text.as_ref().ok_or(JwksFault::Values(index))?;
        URL_SAFE_NO_PAD
            .decode(text.trim_end_matches('='))
            .map_err(|_no_base64| JwksFault::Values(index))
    };
    if key.usage.as_ref().is_some_and(|usage| usage != "sig") {
        return Ok(None);
    }
    match key.kty.as_str() {
        "RSA" if is_for("RS256") => {
            let (n, e) = (value(&key.n)?, value(&key.e)?);
            let zeros = n.iter().take_while(|byte| **byte == 0).count();
            let n = n.get(zeros..).unwrap_or_default().to_vec();
            if n.len() < 256 {
                return Err(JwksFault::Weak(index));
            }
            let components = signature::RsaPublicKeyComponents { n, e };
            Ok(Some(Kind::Rs256(components)))
        }
        "EC" if is_for("ES256") && key.crv.as_deref() == Some("P-256") => {
            let (x, y) = (value(&key.x)?, value(&key.y)?);
            if x.len() != 32 || y.len() != 32 {
                return Err(JwksFault::Values(index));
            }
            // An uncompressed point (SEC 1, 2.3.3).
            let point = [&[4_u8][..], &x, &y].concat();
            let key = signature::UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, point);
            Ok(Some(Kind::Es256(key)))
        }
        "oct" if is_for("HS256") => {
            let secret = value(&key.k)?;
            if secret.len() < 32 {
                return Err(JwksFault::Weak(index));
            }
            let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
            Ok(Some(Kind::Hs256(key)))
        }
        _ => Ok(None),
    }
}
