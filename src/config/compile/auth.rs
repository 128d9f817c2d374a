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
use crate::config::keyfile::{KeysFile, Reader};
use crate::config::raw::{RawAuth, RawAuthMode, RawBruteForce};
use crate::identify::keys::{KeyHash, KeyRecord, Keyring, Pepper, Scheme};
use crate::policy::{Auth, AuthMode, BruteForce, Listener};

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
    records: Vec<Arc<KeyRecord>>,
    lines: Vec<String>,
    has_file: bool,
    has_tokens: bool,
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
        let brute_force = self.brute_force(&raw.brute_force);
        let path = self.path(raw.keys_file.as_deref().unwrap_or(STANDARD_KEYS_FILE));
        let tokens = self.tokens(raw, &path);
        let mut keys = self.keys(raw)?;
        let tokens = tokens?;
        keys.has_tokens = tokens.verifier.is_some();
        let mode = self.mode(raw, &keys, listeners);
        let pepper = self.pepper(raw, &keys);
        let Keys {
            records, mut lines, ..
        } = keys;
        lines.extend(tokens.lines);
        lines.extend(raw.pepper.as_ref().map(|pepper| digest(pepper.expose())));
        let keys = self.ring(records, pepper.ok()?);
        let certificates =
            self.client_certificates(&raw.client_certificates, keys.as_ref()?, listeners);
        let auth = Auth {
            mode: mode?,
            keys: Arc::new(keys?),
            tokens: tokens.verifier.map(Arc::new),
            certificates: certificates?,
            headers: headers?,
            internal_allow: internal_allow?,
            brute_force: brute_force?,
        };
        Some((auth, lines))
    }

    fn brute_force(&mut self, raw: &RawBruteForce) -> Option<BruteForce> {
        let at = KeyPath::of("auth.brute_force");
        let within = self.span(&at.key("within"), &raw.within);
        let block_for = self.span(&at.key("block_for"), &raw.block_for);
        Some(BruteForce {
            failures: raw.failures,
            within: within?,
            block_for: block_for?,
        })
    }

    fn keys(&mut self, raw: &RawAuth) -> Option<Keys> {
        let file = self.keys_file(raw);
        let environment = self.environment_keys();
        let (file, has_file) = file?;
        let (others, mut lines) = environment?;
        let mut records = file.records;
        records.extend(others);
        lines.push(file.digest);
        Some(Keys {
            records,
            lines,
            has_file,
            has_tokens: false,
        })
    }

    fn keys_file(&mut self, raw: &RawAuth) -> Option<(KeysFile, bool)> {
        let at = KeyPath::of("auth.keys_file");
        let path = self.path(raw.keys_file.as_deref().unwrap_or(STANDARD_KEYS_FILE));
        let shown = path.display().to_string();
        let mut reader = Reader::new(&shown);
        let mode = self
            .resolver
            .read_in_pieces(&path, &mut |piece| reader.take(piece));
        let mode = match mode {
            Ok(mode) => mode,
            Err(Unreadable::Missing) if raw.keys_file.is_none() => {
                return Some((KeysFile::default(), false));
            }
            Err(unreadable) => {
                self.unreadable(&at, &path, unreadable);
                return None;
            }
        };
        if mode.is_some_and(open_to_all) {
            self.fault(
                &at,
                format!("the file {shown} can be read or written by anyone on this machine"),
                format!("chmod 600 {shown}, and let it belong to the user that runs portcullis"),
            );
            return None;
        }
        match reader.finish() {
            Ok(found) => {
                self.digests.insert(at.to_string(), found.digest.clone());
                Some((found, true))
            }
            Err(faults) => {
                self.faults.extend(faults);
                None
            }
        }
    }

    /// The secret that goes into digests. A `hmac-sha256` hash without one could open nothing.
    fn pepper(&mut self, raw: &RawAuth, keys: &Keys) -> Result<Option<Pepper>, ()> {
        let at = KeyPath::of("auth.pepper");
        let Some(text) = &raw.pepper else {
            let peppered = keys.records.iter();
            let mut peppered = peppered.filter(|key| key.hash.scheme == Scheme::HmacSha256);
            if let Some(key) = peppered.next() {
                let problem = format!("is not set, and the hash of `{}` needs it", key.id);
                let remedy = "write file:PATH of the file given to `portcullis keys --pepper`";
                self.fault(&at, problem, remedy);
                return Err(());
            }
            return Ok(None);
        };
        let secret = self.secret(&at, text).ok_or(())?;
        let pepper = Pepper::new(secret.expose().as_bytes());
        if pepper.is_none() {
            self.fault(
                &at,
                format!("is shorter than {} bytes", Pepper::SHORTEST),
                "write file:PATH of the file given to `portcullis keys --pepper`",
            );
        }
        pepper.map(Some).ok_or(())
    }

    fn environment_keys(&mut self) -> Option<(Vec<Arc<KeyRecord>>, Vec<String>)> {
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
            let hash = KeyHash::of(text.as_bytes(), None);
            records.push(Arc::new(KeyRecord::new(id, hash, key.role)));
        }
        (records.len() == keys.len()).then_some((records, lines))
    }

    fn ring(&mut self, records: Vec<Arc<KeyRecord>>, pepper: Option<Pepper>) -> Option<Keyring> {
        match Keyring::with_pepper(records, pepper) {
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
            RawAuthMode::Required if keyless && keys.has_file && !keys.has_tokens => {
                let advice = "the keys file holds no key, so that every call is refused; add \
                              one, or set API_KEY";
                self.finding("no_keys", Severity::Low, "auth.keys_file", advice);
                return Some(AuthMode::Required);
            }
            // Whoever takes tokens asks for them, also where there is no key.
            RawAuthMode::Required if !keyless || keys.has_tokens => {
                return Some(AuthMode::Required);
            }
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
