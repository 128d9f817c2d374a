//! What a token says, once its signature is known to be good.
//!
//! Decides whether times, issuer and audience are as they must be, and which role and bounds the
//! claims give. Scopes bind and never widen: `model:GLOB`, `provider:GLOB` and `path:GLOB` limit
//! what the role may do, and all others are other programs' and mean nothing here.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::Value;

use super::{TokenRules, texts};
use crate::identify::keys::{Bounds, KeyDigest, KeyHash, KeyRecord, Role, Scheme};
use crate::policy::KeyFault;
use crate::policy::names::KeyId;
use crate::route::pattern::Pattern;

/// A JSON object in which no name stands twice.
pub(super) struct Object(BTreeMap<String, Value>);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Object, A::Error> {
                let mut object = BTreeMap::new();
                while let Some((name, value)) = members.next_entry::<String, Value>()? {
                    match object.entry(name) {
                        Entry::Vacant(place) => place.insert(value),
                        Entry::Occupied(_) => return Err(A::Error::custom("a name twice")),
                    };
                }
                Ok(Object(object))
            }
        }
        input.deserialize_map(Members)
    }
}

impl Object {
    /// Reads an object.
    pub(super) fn read(text: &[u8]) -> Option<Self> {
        serde_json::from_slice(text).ok()
    }

    /// The value of this name; a name with dots leads into objects, unless it is a name itself.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        if let Some(value) = self.0.get(name) {
            return Some(value);
        }
        let mut steps = name.split('.');
        let first = self.0.get(steps.next()?)?;
        let found = steps.try_fold(first, |value, step| value.get(step))?;
        name.contains('.').then_some(found)
    }

    /// The text of this name.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }

    /// A time, in seconds since 1970 (RFC 7519's `NumericDate`, cut to whole seconds). What is no
    /// time is an error, and not as if it were not there.
    fn time(&self, name: &str) -> Result<Option<u64>, KeyFault> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        let number = value.as_number().ok_or(KeyFault::TokenMalformed)?;
        let text = number.to_string();
        let (whole, part) = text.split_once('.').unwrap_or((&text, "0"));
        let plain = part.bytes().all(|byte| byte.is_ascii_digit());
        let whole = whole.parse().map_err(|_no_time| KeyFault::TokenMalformed)?;
        plain.then_some(Some(whole)).ok_or(KeyFault::TokenMalformed)
    }

    /// What the claims stand for. `own` says that this gateway made them itself.
    pub(super) fn record(
        &self,
        rules: &TokenRules,
        own: bool,
        now: u64,
    ) -> Result<KeyRecord, KeyFault> {
        let expires_at = self.times(rules, own, now)?;
        if !own {
            self.belongs(rules)?;
        }
        let role = self.role(rules)?;
        let bounds = self.bounds(rules)?;
        let nothing = KeyHash {
            scheme: Scheme::Sha256,
            digest: KeyDigest::of(b""),
        };
        Ok(KeyRecord {
            expires_at,
            bounds: (bounds != Bounds::default()).then(|| Box::new(bounds)),
            ..KeyRecord::new(self.id()?, nothing, role)
        })
    }

    fn times(&self, rules: &TokenRules, own: bool, now: u64) -> Result<u64, KeyFault> {
        let expires_at = self.time("exp")?.ok_or(KeyFault::TokenMalformed)?;
        let (issued_at, not_before) = (self.time("iat")?, self.time("nbf")?);
        // Our own tokens end by our own clock.
        let skew = if own { 0 } else { rules.skew };
        if now >= expires_at.saturating_add(skew) {
            return Err(KeyFault::TokenExpired);
        }
        let begins = issued_at.unwrap_or(0).max(not_before.unwrap_or(0));
        if now.saturating_add(rules.skew) < begins {
            return Err(KeyFault::TokenNotYetValid);
        }
        let since = issued_at.or(not_before).unwrap_or(now);
        if expires_at.saturating_sub(since) > rules.max_ttl {
            return Err(KeyFault::TokenTooLong);
        }
        Ok(expires_at)
    }

    fn belongs(&self, rules: &TokenRules) -> Result<(), KeyFault> {
        if let Some(issuer) = &rules.issuer
            && self.text("iss") != Some(issuer)
        {
            return Err(KeyFault::TokenForeign);
        }
        if let Some(audience) = &rules.audience {
            let named = self.get("aud").and_then(texts).unwrap_or_default();
            if !named.contains(&&**audience) {
                return Err(KeyFault::TokenForeign);
            }
        }
        Ok(())
    }

    /// The one role among those that the claim names. Two would leave it to us which to give.
    fn role(&self, rules: &TokenRules) -> Result<Role, KeyFault> {
        let named = self.get(&rules.role_claim).and_then(texts);
        let named = named.ok_or(KeyFault::TokenRole)?;
        let mut roles = named.into_iter().filter_map(Role::from_name);
        let role = roles.next().ok_or(KeyFault::TokenRole)?;
        if roles.any(|other| other != role) {
            return Err(KeyFault::TokenRole);
        }
        Ok(role)
    }

    fn bounds(&self, rules: &TokenRules) -> Result<Bounds, KeyFault> {
        let mut bounds = Bounds::default();
        let Some(value) = self.get(&rules.scope_claim) else {
            return Ok(bounds);
        };
        let scopes = texts(value).ok_or(KeyFault::TokenMalformed)?;
        for scope in scopes.into_iter().flat_map(str::split_ascii_whitespace) {
            let Some((kind, pattern)) = scope.split_once(':') else {
                continue;
            };
            let bound = match kind {
                "model" | "models" => &mut bounds.models,
                "provider" | "providers" => &mut bounds.providers,
                "path" | "paths" => &mut bounds.paths,
                _ => continue,
            };
            let pattern: Pattern = pattern
                .parse()
                .map_err(|_no_pattern| KeyFault::TokenMalformed)?;
            bound.get_or_insert_default().push(pattern);
        }
        Ok(bounds)
    }

    /// The subject under a name that no key has. One with characters that no id may hold goes by
    /// its digest.
    fn id(&self) -> Result<KeyId, KeyFault> {
        let subject = self.text("sub").unwrap_or("nobody");
        let plain = format!("jwt:{subject}").parse();
        plain.or_else(|_other| {
            let digest = KeyDigest::of(subject.as_bytes()).hex();
            let short = digest.get(..32).unwrap_or_default();
            format!("jwt:sub-{short}")
                .parse()
                .map_err(|_no_id| KeyFault::TokenMalformed)
        })
    }
}
