//! Webhook, self-test, and the folder for what must survive a restart.
//!
//! Decides that an address can be called and that a secret is worth the name. Whether anybody
//! listens there, it can't tell.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Compiler, KeyPath, Severity, fits_header};
use crate::config::raw::{RawAlerts, RawConfig, RawSelftest, RawServer, RawSeverity, SecretText};
use crate::policy::alerts::{Operations, Selftest, Webhook};
use crate::policy::secret::Secret;
use crate::policy::web::WebAddress;
use crate::record::event;

/// Fewer characters than this can be guessed.
const SHORT_SECRET: usize = 16;
/// The longest key that is looked up.
const LONGEST_KEY: usize = 512;
/// Tries that come closer than this would be a load of their own.
const SHORTEST: Duration = Duration::from_secs(1);
/// Where systemd says that state belongs.
const STATE_DIRECTORY: &str = "STATE_DIRECTORY";

impl Compiler<'_> {
    /// What the gateway does for its operators.
    pub(super) fn operations(&mut self, raw: &RawConfig) -> Option<Operations> {
        let file = Path::new(&self.source.file);
        self.writable("configuration", file, self.source.mode);
        let webhook = self.webhook(&raw.alerts);
        let selftest = self.selftest(&raw.selftest);
        let state_dir = self.state_dir(&raw.server);
        Some(Operations {
            webhook: webhook?,
            selftest: selftest?,
            state_dir: state_dir?,
        })
    }

    #[expect(
        clippy::option_option,
        reason = "no webhook and a faulty one are two things"
    )]
    fn webhook(&mut self, raw: &RawAlerts) -> Option<Option<Webhook>> {
        let at = KeyPath::of("alerts");
        let secret = match &raw.secret {
            None => None,
            Some(text) => Some(self.signing_secret(&at.key("secret"), text)?),
        };
        let Some(text) = &raw.webhook else {
            return Some(None);
        };
        let at = at.key("webhook");
        let url = self.secret_address(&at, text)?;
        let address: WebAddress = match url.expose().parse() {
            Ok(address) => address,
            Err(fault) => {
                // The text may hold a secret, and is not repeated.
                let remedy = "write one such as https://hooks.example.com/alerts";
                self.fault(&at, format!("{fault}"), remedy);
                return None;
            }
        };
        if !address.tls() && !address.is_loopback() {
            let advice = "alerts cross the network in the clear; write https";
            self.finding("webhook_without_tls", Severity::Medium, &at, advice);
        }
        if secret.is_none() {
            let advice = "whoever takes the alerts can't tell them from forged ones; set \
                          alerts.secret";
            self.finding("webhook_unsigned", Severity::Low, &at, advice);
        }
        let least = match raw.min_severity {
            Some(RawSeverity::Low) => event::Severity::Low,
            Some(RawSeverity::Medium) => event::Severity::Medium,
            Some(RawSeverity::High) | None => event::Severity::High,
            Some(RawSeverity::Critical) => event::Severity::Critical,
        };
        Some(Some(Webhook {
            address,
            min_severity: least,
            secret,
        }))
    }

    /// An address that may hold a secret. One that stands in the configuration itself is no
    /// finding: many hold none.
    fn secret_address(&mut self, at: &KeyPath, text: &SecretText) -> Option<Secret> {
        let before = self.findings.len();
        let found = self.secret(at, text);
        self.findings.truncate(before);
        found
    }

    fn signing_secret(&mut self, at: &KeyPath, text: &SecretText) -> Option<Secret> {
        let secret = self.secret(at, text)?;
        if secret.expose().len() < SHORT_SECRET {
            self.fault(
                at,
                format!("has fewer than {SHORT_SECRET} characters, and can be guessed"),
                "write file:PATH of a file made with `openssl rand -hex 32`",
            );
            return None;
        }
        Some(secret)
    }

    #[expect(
        clippy::option_option,
        reason = "no self-test and a faulty one are two things"
    )]
    fn selftest(&mut self, raw: &RawSelftest) -> Option<Option<Selftest>> {
        let at = KeyPath::of("selftest");
        let model = match raw.model.as_deref().map(str::parse) {
            None => None,
            Some(Ok(model)) => Some(model),
            Some(Err(_no_name)) => {
                self.fault(
                    &at.key("model"),
                    "is not a model's name",
                    "write one such as echo",
                );
                return None;
            }
        };
        let Some(every) = &raw.every else {
            return Some(None);
        };
        let at_every = at.key("every");
        let every = self.span(&at_every, every)?.get();
        if every < SHORTEST {
            self.fault(&at_every, "is too often", "write at least 1s, such as 1h");
            return None;
        }
        let at_key = at.key("key");
        let Some(text) = &raw.key else {
            self.fault(
                &at_key,
                "is missing: the gateway keeps no key that it could call itself with",
                "write ${NAME} or file:PATH with a key of the role standard",
            );
            return None;
        };
        let key = self.secret(&at_key, text)?;
        if !fits_header(key.expose(), LONGEST_KEY) {
            self.fault(
                &at_key,
                "holds characters that no header can carry, or more than 512",
                "write a key that `portcullis keys new` made",
            );
            return None;
        }
        Some(Some(Selftest { every, key, model }))
    }

    #[expect(
        clippy::option_option,
        reason = "no folder and a faulty one are two things"
    )]
    fn state_dir(&mut self, raw: &RawServer) -> Option<Option<PathBuf>> {
        if let Some(text) = &raw.state_dir {
            if text.is_empty() {
                let at = KeyPath::of("server.state_dir");
                self.fault(&at, "is empty", "write a folder, or null for none");
                return None;
            }
            return Some(Some(self.path(text)));
        }
        // systemd may name several, separated by colons; the first is ours.
        let given = self.resolver.env(STATE_DIRECTORY);
        let first = given.as_deref().and_then(|all| all.split(':').next());
        let first = first.filter(|folder| !folder.is_empty());
        Some(first.map(PathBuf::from))
    }
}
