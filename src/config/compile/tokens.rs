//! Tokens: what verifies them, and what they must say.
//!
//! Decides where the secret of the gateway's own tokens is: where `auth.tokens.hmac_secret` says,
//! or else beside the keys file, where `portcullis keys token` makes it.

use std::path::Path;

use super::{Compiler, KeyPath, Severity, open_to_all};
use crate::config::fingerprint::digest;
use crate::config::raw::{RawAuth, RawTokens, SpanText};
use crate::config::{TOKEN_SECRET_EXTENSION, Unreadable};
use crate::identify::token::{SHORTEST_SECRET, TokenRules, Verifier};
use crate::policy::secret::Secret;

/// RFC 7518, 3.2: as long as the digest.
const SOUND_SECRET: usize = 32;

/// A verifier, and what it was made of, for the configuration's hash.
pub(super) struct Tokens {
    /// None where no token is taken.
    pub verifier: Option<Verifier>,
    /// Its keys as digests.
    pub lines: Vec<String>,
}

impl Compiler<'_> {
    /// What verifies tokens; the keys file may have a secret beside it.
    pub(super) fn tokens(&mut self, raw: &RawAuth, keys_file: &Path) -> Option<Tokens> {
        let rules = self.token_rules(&raw.tokens);
        let secret = self.token_secret(&raw.tokens, keys_file);
        let jwks = self.jwks(&raw.tokens);
        let (rules, secret, jwks) = (rules?, secret.ok()?, jwks.ok()?);
        if secret.is_none() && jwks.is_none() {
            return Some(Tokens {
                verifier: None,
                lines: Vec::new(),
            });
        }
        let mut verifier = Verifier::new(rules);
        let mut lines = Vec::new();
        if let Some(secret) = secret {
            lines.push(format!("own {}", digest(secret.expose())));
            verifier.add_secret(secret.expose().as_bytes());
        }
        if let Some((text, open)) = jwks {
            let at = KeyPath::of("auth.tokens.jwks_file");
            match verifier.add_jwks(text.expose().as_bytes()) {
                Ok(true) if open => {
                    self.fault(
                        &at,
                        "names a file with a shared secret in it that anyone can read",
                        "chmod 600 the file",
                    );
                    return None;
                }
                Ok(_) => lines.push(format!("jwks {}", digest(text.expose()))),
                Err(fault) => {
                    let remedy = "write the keys that the identity provider publishes (its \
                                  jwks_uri)";
                    self.fault(&at, fault.to_string(), remedy);
                    return None;
                }
            }
        }
        Some(Tokens {
            verifier: Some(verifier),
            lines,
        })
    }

    fn token_rules(&mut self, raw: &RawTokens) -> Option<TokenRules> {
        let at = KeyPath::of("auth.tokens");
        let usual = SpanText::new("24h");
        let max_ttl = self.span(&at.key("max_ttl"), raw.max_ttl.as_ref().unwrap_or(&usual));
        let skew = self.span(&at.key("clock_skew"), &raw.clock_skew);
        if skew.is_some_and(|skew| skew.get().as_secs() > 300) {
            let problem = "is more than five minutes";
            self.fault(
                &at.key("clock_skew"),
                problem,
                "write 30s, and mend the clocks",
            );
            return None;
        }
        for (name, claim) in [
            ("role_claim", &raw.role_claim),
            ("scope_claim", &raw.scope_claim),
        ] {
            if claim.is_empty() {
                self.fault(
                    &at.key(name),
                    "is empty",
                    "write a claim's name such as role",
                );
                return None;
            }
        }
        if raw.jwks_file.is_some() {
            for (name, value) in [("issuer", &raw.issuer), ("audience", &raw.audience)] {
                if value.is_none() {
                    let advice = format!(
                        "tokens for other programs are taken too, as long as the same provider \
                         signed them; set {name}"
                    );
                    let key = at.key(name);
                    self.finding("token_rules_open", Severity::Medium, &key, advice);
                }
            }
        }
        Some(TokenRules {
            issuer: raw.issuer.as_deref().map(Into::into),
            audience: raw.audience.as_deref().map(Into::into),
            max_ttl: max_ttl?.get().as_secs(),
            skew: skew?.get().as_secs(),
            role_claim: raw.role_claim.as_str().into(),
            scope_claim: raw.scope_claim.as_str().into(),
        })
    }

    fn token_secret(&mut self, raw: &RawTokens, keys_file: &Path) -> Result<Option<Secret>, ()> {
        let at = KeyPath::of("auth.tokens.hmac_secret");
        let found = if let Some(text) = &raw.hmac_secret {
            Some(self.secret(&at, text).ok_or(())?)
        } else {
            self.secret_beside(&at, &keys_file.with_extension(TOKEN_SECRET_EXTENSION))?
        };
        let Some(secret) = found else {
            return Ok(None);
        };
        let length = secret.expose().len();
        if length < SHORTEST_SECRET {
            self.fault(
                &at,
                format!("is shorter than {SHORTEST_SECRET} characters, so that it can be guessed"),
                "let `portcullis keys token` make one, and write file:PATH",
            );
            return Err(());
        }
        if length < SOUND_SECRET {
            let advice = "a secret under 32 characters can be guessed from one token; let \
                          `portcullis keys token` make one";
            self.finding("short_token_secret", Severity::Medium, &at, advice);
        }
        Ok(Some(secret))
    }

    fn secret_beside(&mut self, at: &KeyPath, path: &Path) -> Result<Option<Secret>, ()> {
        let content = match self.resolver.read(path) {
            Ok(content) => content,
            Err(Unreadable::Missing) => return Ok(None),
            Err(unreadable) => {
                self.unreadable(at, path, unreadable);
                return Err(());
            }
        };
        let shown = path.display();
        if content.mode.is_some_and(open_to_all) {
            self.fault(
                at,
                format!("the file {shown} can be read or written by anyone on this machine"),
                format!("chmod 600 {shown}, or remove it if no token is to be taken"),
            );
            return Err(());
        }
        let Ok(text) = String::from_utf8(content.bytes) else {
            self.fault(at, format!("the file {shown} is not text"), "remove it");
            return Err(());
        };
        let text = Secret::new(text);
        let line = text.expose().trim_end_matches(['\r', '\n']);
        Ok(Some(Secret::new(line.to_owned())))
    }

    /// The text of the key set, and whether anyone may read its file.
    fn jwks(&mut self, raw: &RawTokens) -> Result<Option<(Secret, bool)>, ()> {
        let Some(file) = &raw.jwks_file else {
            return Ok(None);
        };
        let at = KeyPath::of("auth.tokens.jwks_file");
        let path = self.path(file);
        let content = self.content(&at, &path).ok_or(())?;
        let open = content.mode.is_some_and(open_to_all);
        let Ok(text) = String::from_utf8(content.bytes) else {
            self.fault(
                &at,
                "names a file that is not text",
                "write a JSON Web Key Set",
            );
            return Err(());
        };
        Ok(Some((Secret::new(text), open)))
    }
}
