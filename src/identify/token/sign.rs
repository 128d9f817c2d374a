//! Tokens of this gateway's own.
//!
//! Decides what they say. The time and the random name come in from outside.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use serde_json::json;

use super::ISSUER;
use crate::identify::keys::Role;
use crate::policy::secret::Secret;

/// What a token is to say.
#[derive(Debug, Clone, Copy)]
pub struct Claims<'a> {
    /// Who it is for.
    pub subject: &'a str,
    /// A name that no other token has.
    pub id: &'a str,
    /// What its bearer may do.
    pub role: Role,
    /// What it is bound to.
    pub scope: &'a [String],
    /// Since when, in seconds since 1970.
    pub issued_at: u64,
    /// Until when.
    pub expires_at: u64,
}

/// A token that says this, signed with HS256.
pub fn sign(secret: &[u8], claims: &Claims<'_>) -> Secret {
    let mut body = json!({
        "iss": ISSUER,
        "sub": claims.subject,
        "jti": claims.id,
        "role": claims.role.as_str(),
        "iat": claims.issued_at,
        "exp": claims.expires_at,
    });
    if let (false, Some(body)) = (claims.scope.is_empty(), body.as_object_mut()) {
        body.insert("scope".to_owned(), json!(claims.scope.join(" ")));
    }
    let head = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#);
    let body = URL_SAFE_NO_PAD.encode(body.to_string());
    let message = format!("{head}.{body}");
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let signature = URL_SAFE_NO_PAD.encode(hmac::sign(&key, message.as_bytes()));
    Secret::new(format!("{message}.{signature}"))
}
