//! Who is calling: from a request's head and the peer's address to a caller, or a refusal.
//!
//! Lives here: credentials, keys, roles, the client's address. Must not live here: sockets,
//! files, rate limits.

pub mod credential;
pub mod keys;
pub mod source;

use std::net::IpAddr;
use std::sync::Arc;

use http::header::{HeaderMap, HeaderValue};

use crate::policy::names::KeyId;
use crate::policy::{Auth, AuthMode, Denial};
use keys::{KeyRecord, Role};

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

    /// Whether the caller may use this model.
    pub fn allows_model(&self, model: &str) -> bool {
        self.key.as_ref().is_none_or(|key| key.allows_model(model))
    }

    /// Whether the caller may use every model, also one that can't be told from the request.
    pub fn allows_every_model(&self) -> bool {
        self.key.as_ref().is_none_or(|key| {
            key.models
                .as_ref()
                .is_none_or(|models| models.iter().any(|m| m.as_str() == "*"))
        })
    }

    /// The models that the key names one by one.
    pub fn named_models(&self) -> impl Iterator<Item = &str> {
        let models = self
            .key
            .as_ref()
            .and_then(|key| key.models.as_deref())
            .unwrap_or_default();
        models.iter().filter_map(|pattern| pattern.exact())
    }
}

/// Finds out who is calling from `address`.
///
/// # Errors
/// No credential, or one that opens nothing.
pub fn identify(
    headers: &HeaderMap<HeaderValue>,
    address: IpAddr,
    auth: &Auth,
) -> Result<Caller, Denial> {
    match auth.mode {
        AuthMode::Development => Ok(Caller { key: None, address }),
        AuthMode::Required => {
            let credential = credential::find(headers, &auth.headers)?;
            auth.keys
                .find(credential)
                .map(|key| Caller {
                    key: Some(Arc::clone(key)),
                    address,
                })
                .ok_or(Denial::InvalidApiKey(crate::policy::KeyFault::Unknown))
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderName;

    use super::*;
    use crate::identify::keys::{KeyDigest, Keyring};
    use crate::policy::KeyFault;

    fn auth(mode: AuthMode) -> Auth {
        let record = KeyRecord {
            id: "alice".parse().unwrap(),
            digest: KeyDigest::of(b"key-a"),
            role: Role::Standard,
            models: Some(vec!["gpt-*".parse().unwrap(), "o3".parse().unwrap()]),
        };
        Auth {
            mode,
            keys: Arc::new(Keyring::new(vec![record]).unwrap()),
            headers: vec![HeaderName::from_static("x-api-key")],
            internal_allow: Vec::new(),
        }
    }

    fn caller(mode: AuthMode, key: Option<&'static str>) -> Result<Caller, Denial> {
        let mut headers = HeaderMap::new();
        if let Some(key) = key {
            headers.insert("x-api-key", HeaderValue::from_static(key));
        }
        identify(&headers, IpAddr::from([192, 0, 2, 1]), &auth(mode))
    }

    #[test]
    fn a_key_makes_a_caller_with_its_role_and_models() {
        let alice = caller(AuthMode::Required, Some("key-a")).unwrap();
        assert_eq!(
            (alice.id(), alice.role()),
            ("alice", Role::Standard),
            "alice"
        );
        assert!(alice.allows_model("gpt-4o"), "a model of hers");
        assert!(!alice.allows_model("claude"), "a model that is not");
        assert!(!alice.allows_every_model(), "she is bound to some models");
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
    }

    #[test]
    fn development_asks_for_nothing() {
        let anyone = caller(AuthMode::Development, Some("whatever")).unwrap();
        assert_eq!(
            (anyone.id(), anyone.role()),
            ("development", Role::Admin),
            "no keys, no roles"
        );
        assert!(anyone.allows_every_model(), "nor model limits");
    }
}
