//! Time-limited tokens: JSON Web Tokens that this gateway or an identity provider has signed.
//!
//! Decides whether a token is good, and makes of it what a key has: an id, a role, bounds, an end.
//! The algorithm belongs to the key and not to the token (RFC 8725, 3.1): a key verifies one
//! algorithm, so that `none`, or a public key taken for a secret, can't be asked for. Nothing that
//! a token names is ever fetched. It can't take a single token back: they are short-lived for that.

mod claims;
mod jwks;
mod sign;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::{hmac, signature};
use serde_json::Value;

pub use jwks::JwksFault;
pub use sign::{Claims, sign};

use super::keys::KeyRecord;
use crate::policy::KeyFault;
use claims::Object;

/// Who signs this gateway's own tokens.
pub const ISSUER: &str = "portcullis";
/// No token is longer: whatever is, need not be decoded.
pub const LONGEST: usize = 8_192;
/// Fewer characters of a secret than this are refused.
pub const SHORTEST_SECRET: usize = 16;

/// What tokens must say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRules {
    /// The issuer that they must name; none: any.
    pub issuer: Option<Box<str>>,
    /// The audience that they must name; none: any.
    pub audience: Option<Box<str>>,
    /// Longest life, in seconds.
    pub max_ttl: u64,
    /// How far the clocks of others may be from ours, in seconds.
    pub skew: u64,
    /// The claim that holds the role.
    pub role_claim: Box<str>,
    /// The claim that holds the scopes.
    pub scope_claim: Box<str>,
}

/// A key that tokens are verified with: one algorithm each.
struct TokenKey {
    kid: Option<Box<str>>,
    kind: Kind,
}

enum Kind {
    /// This gateway's own secret.
    Own(hmac::Key),
    /// A secret shared with an issuer.
    Hs256(hmac::Key),
    /// An issuer's RSA key.
    Rs256(signature::RsaPublicKeyComponents<Vec<u8>>),
    /// An issuer's key on the curve P-256.
    Es256(signature::UnparsedPublicKey<Vec<u8>>),
}

impl Kind {
    const fn algorithm(&self) -> &'static str {
        match self {
            Self::Own(_) | Self::Hs256(_) => "HS256",
            Self::Rs256(_) => "RS256",
            Self::Es256(_) => "ES256",
        }
    }

    fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Own(key) | Self::Hs256(key) => hmac::verify(key, message, signature).is_ok(),
            Self::Rs256(key) => {
                let algorithm = &signature::RSA_PKCS1_2048_8192_SHA256;
                key.verify(algorithm, message, signature).is_ok()
            }
            Self::Es256(key) => key.verify(message, signature).is_ok(),
        }
    }
}

/// Verifies tokens.
pub struct Verifier {
    keys: Vec<TokenKey>,
    rules: TokenRules,
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verifier")
            .field("keys", &self.keys.len())
            .field("rules", &self.rules)
            .finish()
    }
}

impl Verifier {
    /// A verifier without keys: it takes no token.
    pub const fn new(rules: TokenRules) -> Self {
        Self {
            keys: Vec::new(),
            rules,
        }
    }

    /// Adds the secret of this gateway's own tokens.
    pub fn add_secret(&mut self, secret: &[u8]) {
        self.keys.push(TokenKey {
            kid: None,
            kind: Kind::Own(hmac::Key::new(hmac::HMAC_SHA256, secret)),
        });
    }

    /// Adds an issuer's keys from a JSON Web Key Set; answers whether there is a secret among them.
    ///
    /// # Errors
    /// The set can't be read, or holds no key that is of use.
    pub fn add_jwks(&mut self, text: &[u8]) -> Result<bool, JwksFault> {
        let keys = jwks::read(text)?;
        let secret = keys.iter().any(|key| matches!(key.kind, Kind::Hs256(_)));
        self.keys.extend(keys);
        Ok(secret)
    }

    /// What a token stands for at this time, in seconds since 1970.
    ///
    /// # Errors
    /// It is not good.
    pub fn verify(&self, token: &[u8], now: u64) -> Result<Arc<KeyRecord>, KeyFault> {
        let (message, signature, head, body) = parts(token).ok_or(KeyFault::TokenMalformed)?;
        let head = Object::read(&head).ok_or(KeyFault::TokenMalformed)?;
        let algorithm = head.text("alg").ok_or(KeyFault::TokenKey)?;
        let kid = head.text("kid");
        // What must be understood (RFC 7515, 4.1.11) is not: we know no extension.
        if head.get("crit").is_some() || !is_token_type(&head) {
            return Err(KeyFault::TokenKey);
        }
        let mut candidates = self
            .keys
            .iter()
            .filter(|key| key.kind.algorithm() == algorithm)
            .filter(|key| match (&key.kid, kid) {
                (Some(own), Some(named)) => **own == *named,
                (None, _) | (_, None) => true,
            })
            .peekable();
        if candidates.peek().is_none() {
            return Err(KeyFault::TokenKey);
        }
        let key = candidates
            .find(|key| key.kind.verifies(message, &signature))
            .ok_or(KeyFault::TokenSignature)?;
        let claims = Object::read(&body).ok_or(KeyFault::TokenMalformed)?;
        let own =
            matches!(key.kind, Kind::Own(_)) && claims.text("iss").is_some_and(|iss| iss == ISSUER);
        claims.record(&self.rules, own, now).map(Arc::new)
    }
}

/// Whether a credential has the form of a token: three parts, the first of which begins as JSON.
pub fn is_like(credential: &[u8]) -> bool {
    credential.starts_with(b"eyJ") && memchr::memchr_iter(b'.', credential).count() == 2
}

/// The signed message, the signature, the head and the claims.
type Parts<'a> = (&'a [u8], Vec<u8>, Vec<u8>, Vec<u8>);

fn parts(token: &[u8]) -> Option<Parts<'_>> {
    if token.len() > LONGEST {
        return None;
    }
    let last = memchr::memrchr(b'.', token)?;
    let (message, signature) = token.split_at_checked(last)?;
    let first = memchr::memchr(b'.', message)?;
    let (head, body) = message.split_at_checked(first)?;
    // A dot in what is left fails the decoding.
    let decode = |text: &[u8]| URL_SAFE_NO_PAD.decode(text).ok();
    let (signature, body) = (signature.get(1..)?, body.get(1..)?);
    Some((message, decode(signature)?, decode(head)?, decode(body)?))
}

fn is_token_type(head: &Object) -> bool {
    head.get("typ").is_none_or(|kind| {
        let kind = kind.as_str().unwrap_or("?");
        ["JWT", "at+jwt", "application/at+jwt"]
            .iter()
            .any(|known| kind.eq_ignore_ascii_case(known))
    })
}

/// Reads a token as the fuzz target and the property tests do: never by panic, never as good
/// under a key that did not sign it, and always alike.
///
/// # Errors
/// What it should not have done.
pub fn cross_check(token: &[u8]) -> Result<(), &'static str> {
    let rules = TokenRules {
        issuer: None,
        audience: None,
        max_ttl: u64::MAX,
        skew: 0,
        role_claim: "role".into(),
        scope_claim: "scope".into(),
    };
    let mut verifier = Verifier::new(rules);
    verifier.add_secret(b"a secret that signed nothing at all");
    let first = verifier.verify(token, 1).map(|record| record.id.clone());
    if first.is_ok() {
        return Err("a token is taken that nobody signed");
    }
    let again = verifier.verify(token, 1).map(|record| record.id.clone());
    let claims = Object::read(token);
    if let Some(claims) = claims {
        // The claims of a token come from an issuer that is trusted, and are read as if not.
        let _either = claims.record(&verifier.rules, false, 1);
    }
    if first == again {
        Ok(())
    } else {
        Err("one token is read in two ways")
    }
}

/// A value that may be one text or a list of them.
fn texts(value: &Value) -> Option<Vec<&str>> {
    match value {
        Value::String(text) => Some(vec![text]),
        Value::Array(items) => items.iter().map(Value::as_str).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
    }
}
