//! Keys, and whether they are asked for.
//!
//! Decides the mode: keys are asked for as soon as there is a key or a keys file, also an empty
//! one, so that revoking the last key closes the gateway and does not open it. Without any the
//! mode is development, and that is refused unless every listener is loopback.

use std::sync::Arc;

use http::HeaderName;

use super::{Compiler, KeyPath, Severity, fits_header, open_to_all, quoted};
use crate::config::Unreadable;
use crate::config::fault::Fault;
use crate::config::fingerprint::digest;
use crate::config::keyfile::{self, KeysFile};
use crate::config::raw::{RawAuth, RawAuthMode};
use crate::identify::keys::{KeyDigest, KeyRecord, Keyring};
use crate::policy::{Auth, AuthMode, Listener};

/// Read where no keys file is named, if it is there.
const STANDARD_KEYS_FILE: &str = "keys.yaml";
/// Fewer characters than this can be guessed.
const SHORT_KEY: usize = 16;
/// A longer credential is refused before it is looked up.
const LONGEST_KEY: usize = 512;
/// Headers that mean something to connections or messages, and so can't carry a key.
const RESERVED: [&str; 14] = [
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "expect",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-request-id",
];

/// Keys that were found, and whether a keys file is there.
struct Keys {
    records: Vec<KeyRecord>,
    lines: Vec<String>,
    has_file: bool,
}

impl Compiler<'_> {
    /// Who may call, and the keys as text for the configuration's hash.
    pub(super) fn auth(
        &mut self,
        raw: &RawAuth,
        listeners: Option<&[Listener]>,
    ) -> Option<(Auth, Vec<String>)> {
        let headers = self.credential_headers(&raw.headers);
        let internal_allow = self.networks("auth.internal_allow", &raw.internal_allow);
        let keys = self.keys(raw)?;
        let mode = self.mode(raw, &keys, listeners);
        let Keys { records, lines, .. } = keys;
        let keys = self.ring(records);
        let auth = Auth {
            mode: mode?,
            keys: Arc::new(keys?),
            headers: headers?,
            internal_allow: internal_allow?,
        };
        Some((auth, lines))
    }

    fn keys(&mut self, raw: &RawAuth) -> Option<Keys> {
        let file = self.keys_file(raw);
        let environment = self.environment_keys();
        let (file, has_file) = file?;
        let (records, lines) = environment?;
        Some(Keys {
            records: file.records.into_iter().chain(records).collect(),
            lines: file.lines.into_iter().chain(lines).collect(),
            has_file,
        })
    }

    fn keys_file(&mut self, raw: &RawAuth) -> Option<(KeysFile, bool)> {
        let at = KeyPath::of("auth.keys_file");
        let path = self.path(raw.keys_file.as_deref().unwrap_or(STANDARD_KEYS_FILE));
        let content = match self.resolver.read(&path) {
            Err(Unreadable::Missing) if raw.keys_file.is_none() => {
                return Some((KeysFile::default(), false));
            }
            Ok(content) => content,
            Err(Unreadable::Missing | Unreadable::Failed(_)) => self.content(&at, &path)?,
        };
        let shown = path.display().to_string();
        if content.mode.is_some_and(open_to_all) {
            let advice = format!("anyone can read or write {shown}; chmod 600 it");
            self.finding("keys_file_readable", Severity::High, &at, advice);
        }
        let Ok(text) = String::from_utf8(content.bytes) else {
            self.fault(
                &at,
                format!("the file {shown} is not text"),
                "write YAML as UTF-8",
            );
            return None;
        };
        match keyfile::read(&shown, &text) {
            Ok(found) => Some((found, true)),
            Err(faults) => {
                self.faults.extend(faults);
                None
            }
        }
    }

    fn environment_keys(&mut self) -> Option<(Vec<KeyRecord>, Vec<String>)> {
        let keys = std::mem::take(&mut self.environment_keys);
        let mut records = Vec::with_capacity(keys.len());
        let mut lines = Vec::with_capacity(keys.len());
        for key in &keys {
            let text = key.text.expose();
            let id = key.id.parse();
            let (Ok(id), true) = (id, fits_header(text, LONGEST_KEY)) else {
                self.faults.push(Fault::of_variable(
                    key.variable,
                    "holds characters that no header can carry, or more than 512",
                    "write keys of visible ASCII characters without spaces",
                ));
                continue;
            };
            if text.len() < SHORT_KEY {
                self.finding(
                    "short_key",
                    Severity::Medium,
                    key.id.as_str(),
                    format!("a key under {SHORT_KEY} characters can be guessed; make a longer one"),
                );
            }
            lines.push(format!("{} {} {}", key.id, digest(text), key.role.as_str()));
            records.push(KeyRecord {
                id,
                digest: KeyDigest::of(text.as_bytes()),
                role: key.role,
                models: None,
            });
        }
        (records.len() == keys.len()).then_some((records, lines))
    }

    fn ring(&mut self, records: Vec<KeyRecord>) -> Option<Keyring> {
        match Keyring::new(records) {
            Ok(ring) => Some(ring),
            Err(fault) => {
                self.fault(
                    &KeyPath::of("auth"),
                    fault.to_string(),
                    "give each caller one key and one id, in the keys file or in the environment",
                );
                None
            }
        }
    }

    fn mode(
        &mut self,
        raw: &RawAuth,
        keys: &Keys,
        listeners: Option<&[Listener]>,
    ) -> Option<AuthMode> {
        let keyless = keys.records.is_empty();
        let (at, why, remedy) = match raw.mode {
            RawAuthMode::Required if keyless && keys.has_file => {
                let advice = "the keys file holds no key, so that every call is refused; add \
                              one, or set API_KEY";
                self.finding("no_keys", Severity::Low, "auth.keys_file", advice);
                return Some(AuthMode::Required);
            }
            RawAuthMode::Required if !keyless => return Some(AuthMode::Required),
            RawAuthMode::Required => (
                "auth",
                "there is no key anywhere, so that anyone would be served",
                "set API_KEY, or add a key to the keys file, or listen on 127.0.0.1 alone",
            ),
            RawAuthMode::Development => (
                "auth.mode",
                "development serves anyone",
                "write `mode: required`, or listen on 127.0.0.1 alone",
            ),
        };
        let mut public = listeners?.iter().enumerate();
        let public = public.find(|(_, listener)| !listener.address.ip().is_loopback());
        if let Some((index, listener)) = public {
            let address = listener.address;
            let problem = format!("{why}, and server.listeners[{index}] is {address}");
            self.fault(&KeyPath::of(at), problem, remedy);
            return None;
        }
        Some(AuthMode::Development)
    }

    fn credential_headers(&mut self, texts: &[String]) -> Option<Vec<HeaderName>> {
        let at = KeyPath::of("auth.headers");
        if texts.is_empty() {
            self.fault(
                &at,
                "is empty, so that no key could be sent",
                "write some of authorization, x-api-key, api-key",
            );
        }
        let mut headers: Vec<HeaderName> = Vec::with_capacity(texts.len());
        for (index, text) in texts.iter().enumerate() {
            let at = at.index(index);
            match text.parse::<HeaderName>() {
                Ok(name) if RESERVED.contains(&name.as_str()) => self.fault(
                    &at,
                    format!("{} has a meaning of its own", quoted(text)),
                    "write a header such as authorization or x-api-key",
                ),
                Ok(name) if headers.contains(&name) => self.fault(
                    &at,
                    format!("{} is named twice", quoted(text)),
                    "keep one of the two",
                ),
                Ok(name) => headers.push(name),
                Err(_) => self.fault(
                    &at,
                    format!("{} is not a header's name", quoted(text)),
                    "write a header such as authorization or x-api-key",
                ),
            }
        }
        (!headers.is_empty() && headers.len() == texts.len()).then_some(headers)
    }
}
