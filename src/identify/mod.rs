//! Who is calling: from a request's head and the peer's address to a caller, or a refusal.
//!
//! Lives here: credentials, keys, tokens, roles, what a caller may do, the client's address. Must
//! not live here: sockets, files, rate limits.

pub mod authorize;
pub mod certificates;
pub mod credential;
pub mod keys;
pub mod source;
pub mod token;

use std::net::IpAddr;
use std::sync::Arc;

use http::header::{HeaderMap, HeaderValue};

use crate::policy::names::KeyId;
use crate::policy::{Auth, AuthMode, Denial, KeyFault};
use keys::{Bounds, KeyHash, KeyLimits, KeyRecord, Role, mint};

/// Proof that a request's caller is known. Made by [`identify`] alone.
#[derive(Debug, Clone)]
pub struct Caller {
    key: Option<Arc<KeyRecord>>,
    address: IpAddr,
}

impl Caller {
    /// The public id of the caller's key, or `development` where none is asked for.
    pub fn id(&self) -> &str {
        self.key
            .as_ref()
            .map_or("development", |key| key.id.as_str())
    }

    /// The public id of the caller's key, where there is one.
    pub fn key_id(&self) -> Option<&KeyId> {
        self.key.as_ref().map(|key| &key.id)
    }

    /// What the caller may do; without keys, everything.
    pub fn role(&self) -> Role {
        self.key.as_ref().map_or(Role::Admin, |key| key.role)
    }

    /// The client's address, as far as it can be believed.
    pub const fn address(&self) -> IpAddr {
        self.address
    }

    /// What the caller's key is bound to; none: nothing.
    pub fn bounds(&self) -> Option<&Bounds> {
        self.key.as_ref()?.bounds.as_deref()
    }

    /// The rates of the caller's own.
    pub fn limits(&self) -> KeyLimits {
        self.key
            .as_ref()
            .map(|key| key.limits())
            .unwrap_or_default()
    }

    /// The models that the key names one by one.
    pub fn named_models(&self) -> impl Iterator<Item = &str> {
        let models = self.bounds().and_then(|bounds| bounds.models.as_deref());
        models
            .unwrap_or_default()
            .iter()
            .filter_map(|pattern| pattern.exact())
    }
}

/// Finds out who is calling from `address` at `now`, in seconds since 1970. `certificate` is the
/// SHA-256 of the client certificate of the connection, or empty.
///
/// # Errors
/// No credential, or one that opens nothing.
pub fn identify(
    headers: &HeaderMap<HeaderValue>,
    (address, certificate): (IpAddr, &[u8]),
    auth: &Auth,
    now: u64,
) -> Result<Caller, Denial> {
    let key = match auth.mode {
        AuthMode::Development => None,
        AuthMode::Required => {
            let found = match credential::find(headers, &auth.headers) {
                Ok(credential) => record(credential, auth, now),
                Err(denial) => {
                    let certified = auth.certificates.find(certificate, now);
                    // Only where there is no key at all does the certificate count.
                    let certified = certified.filter(|_| denial == Denial::MissingApiKey);
                    certified.ok_or(denial)?
                }
            };
            Some(found.map_err(Denial::InvalidApiKey)?)
        }
    };
    Ok(Caller { key, address })
}

fn record(credential: &[u8], auth: &Auth, now: u64) -> Result<Arc<KeyRecord>, KeyFault> {
    if let Some(verifier) = auth.tokens.as_ref().filter(|_| token::is_like(credential)) {
        return verifier.verify(credential, now);
    }
    auth.keys
        .find(credential, now)
        .cloned()
        .map_err(|fault| explained(credential, fault))
}

/// What operators had better read in the place of `unknown`. All is looked at whatever the fault,
/// so that none takes longer than another.
fn explained(credential: &[u8], fault: KeyFault) -> KeyFault {
    let (mistyped, hash) = (mint::is_mistyped(credential), KeyHash::is_like(credential));
    match (fault == KeyFault::Unknown, hash, mistyped) {
        (true, true, _) => KeyFault::HashOffered,
        (true, false, true) => KeyFault::Mistyped,
        (true, false, false) | (false, _, _) => fault,
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderName;

    use super::*;
    use crate::identify::keys::Keyring;
    use crate::policy::BruteForce;
    use crate::policy::units::Span;

    fn auth(mode: AuthMode) -> Auth {
        let record = KeyRecord {
            bounds: Some(Box::new(Bounds {
                models: Some(vec!["gpt-*".parse().unwrap(), "o3".parse().unwrap()]),
                ..Bounds::default()
            })),
            ..KeyRecord::new(
                "alice".parse().unwrap(),
                KeyHash::of(b"key-a", None),
                Role::Standard,
            )
        };
        Auth {
            mode,
            keys: Arc::new(Keyring::new(vec![record]).unwrap()),
            tokens: None,
            certificates: certificates::Certificates::default(),
            headers: vec![HeaderName::from_static("x-api-key")],
            internal_allow: Vec::new(),
            brute_force: BruteForce {
                failures: 5,
                within: Span::from_secs(300),
                block_for: Span::from_secs(3_600),
            },
        }
    }

    fn caller(mode: AuthMode, key: Option<&'static str>) -> Result<Caller, Denial> {
        let mut headers = HeaderMap::new();
        if let Some(key) = key {
            headers.insert("x-api-key", HeaderValue::from_static(key));
        }
        let from = (IpAddr::from([192, 0, 2, 1]), &[][..]);
        identify(&headers, from, &auth(mode), 1)
    }

    #[test]
    fn a_key_makes_a_caller_with_its_role_and_models() {
        let alice = caller(AuthMode::Required, Some("key-a")).unwrap();
        assert_eq!(
            (alice.id(), alice.role()),
            ("alice", Role::Standard),
            "alice"
        );
        let bounds = alice.bounds().unwrap();
        assert!(bounds.allows_model("gpt-4o"), "a model of hers");
        assert!(!bounds.allows_model("claude"), "a model that is not");
        assert_eq!(
            alice.named_models().collect::<Vec<_>>(),
            ["o3"],
            "named one by one"
        );
    }

    #[test]
    fn without_a_good_key_there_is_no_caller() {
        assert_eq!(
            caller(AuthMode::Required, None).err(),
            Some(Denial::MissingApiKey),
            "no key"
        );
        assert_eq!(
            caller(AuthMode::Required, Some("key-b")).err(),
            Some(Denial::InvalidApiKey(KeyFault::Unknown)),
            "an unknown key"
        );
        let hash = KeyHash::of(b"key-a", None).to_string();
        let typed = "pcl_0000";
        for (credential, fault) in [
            (hash.as_str(), KeyFault::HashOffered),
            (typed, KeyFault::Mistyped),
        ] {
            assert_eq!(
                explained(credential.as_bytes(), KeyFault::Unknown),
                fault,
                "{credential}: what operators read"
            );
            assert_eq!(
                explained(credential.as_bytes(), KeyFault::Revoked),
                KeyFault::Revoked,
                "{credential}: what is known is not guessed"
            );
        }
    }

    #[test]
    fn development_asks_for_nothing() {
        let anyone = caller(AuthMode::Development, Some("whatever")).unwrap();
        assert_eq!(
            (anyone.id(), anyone.role()),
            ("development", Role::Admin),
            "no keys, no roles"
        );
        assert!(anyone.bounds().is_none(), "nor bounds");
    }
}
