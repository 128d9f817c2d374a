//! What is legal in a configuration and insecure all the same.
//!
//! Decides the findings that can be told from a policy; those that need the file as written
//! (literal secrets, file modes, shadowed routes) are noted while it is compiled. A finding never
//! stops the gateway, except where `check --strict` is asked. It can't tell a weak key from its
//! hash, but for those that everybody tries first.

mod inspection;
mod limits;

use std::fmt;

use ipnet::IpNet;
use serde::Serialize;

use crate::policy::secret::Secret;
use crate::policy::{AuthMode, BodyMode, KeyFault, Listener, Policy};

/// One insecure setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What it is called, for machines; stable.
    pub id: &'static str,
    /// How grave it is.
    pub severity: Severity,
    /// The key it is about.
    pub key: String,
    /// What to do.
    pub advice: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            id,
            severity,
            key,
            advice,
        } = self;
        write!(f, "{severity} {id}: {key}: {advice}")
    }
}

/// How grave a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// To be known.
    Low,
    /// To be put right.
    Medium,
    /// To be put right before anyone else finds it.
    High,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        })
    }
}

/// The findings that can be told from a policy.
pub fn of_policy(policy: &Policy) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut add = |id, severity, key: String, advice: &str| {
        found.push(Finding {
            id,
            severity,
            key,
            advice: advice.to_owned(),
        });
    };
    if policy.auth.mode == AuthMode::Development {
        add(
            "development_mode",
            Severity::High,
            "auth.mode".to_owned(),
            "no key is asked for, so that every program on this machine may call; set API_KEY, or \
             add a key to the keys file",
        );
    }
    for (index, listener) in policy.listeners.iter().enumerate() {
        for (id, severity, advice) in of_listener(listener) {
            add(id, severity, format!("server.listeners[{index}]"), advice);
        }
    }
    if policy.trusted_proxies.iter().any(is_everyone) {
        add(
            "trusted_proxies_open",
            Severity::High,
            "server.trusted_proxies".to_owned(),
            "anyone may claim any address, which defeats every rule by address; name your own \
             proxies",
        );
    }
    if policy.auth.internal_allow.iter().any(is_everyone) {
        add(
            "internal_allow_open",
            Severity::High,
            "auth.internal_allow".to_owned(),
            "/internal/ answers everyone; name the networks of your operators",
        );
    }
    let others = of_handling(policy)
        .into_iter()
        .chain(inspection::of_requests(policy))
        .chain(inspection::of_answers(policy))
        .chain(limits::of_limits(policy));
    for (id, severity, key, advice) in others {
        add(id, severity, key.to_owned(), advice);
    }
    found.extend(of_keys(policy));
    found
}

/// A finding whose key and advice are always the same: id, severity, key, advice.
type Fixed = (&'static str, Severity, &'static str, &'static str);

/// Keys that everybody tries first.
const COMMON_KEYS: [&str; 20] = [
    "admin",
    "api-key",
    "apikey",
    "change-me",
    "changeme",
    "default",
    "demo",
    "example",
    "key",
    "letmein",
    "password",
    "portcullis",
    "secret",
    "sk-test",
    "standard",
    "test",
    "test-key",
    "token",
    "your-api-key",
    "12345678",
];

/// What can be told of keys by trying some.
fn of_keys(policy: &Policy) -> Vec<Finding> {
    let opens = |text: &str| {
        let found = policy.auth.keys.find(text.as_bytes(), 0);
        !matches!(found, Err(KeyFault::Unknown))
    };
    let mut found = Vec::new();
    let mut add = |id, severity, key: String, advice: &str| {
        found.push(Finding {
            id,
            severity,
            key,
            advice: advice.to_owned(),
        });
    };
    if COMMON_KEYS.iter().any(|key| opens(key)) {
        add(
            "weak_key",
            Severity::High,
            "auth".to_owned(),
            "a key is a word that everybody tries first; make one with `portcullis keys new`",
        );
    }
    let mut owners: Vec<(&Secret, &str)> = Vec::new();
    for provider in &policy.providers {
        let name = provider.name.as_str();
        for secret in &provider.api_keys {
            if opens(secret.expose()) {
                add(
                    "key_shared_with_provider",
                    Severity::High,
                    format!("providers.{name}.api_key"),
                    "a caller's key opens this provider too, so that a caller can go past the \
                     gateway; give callers keys of their own",
                );
            }
            match owners.iter().find(|(known, _)| *known == secret) {
                Some((_, owner)) if *owner != name => add(
                    "provider_key_shared",
                    Severity::Low,
                    format!("providers.{name}.api_key"),
                    &format!("is the key of {owner} too; one key each can be taken back alone"),
                ),
                Some(_) => {}
                None => owners.push((secret, name)),
            }
        }
    }
    found
}

fn of_listener(listener: &Listener) -> Vec<(&'static str, Severity, &'static str)> {
    let mut found = Vec::new();
    // A redirect serves nothing.
    if listener.address.ip().is_loopback() || listener.redirect.is_some() {
        return found;
    }
    let serve = listener.serve;
    if listener.tls.is_none() && (serve.api || serve.internal) {
        found.push((
            "listener_without_tls",
            Severity::High,
            "keys and prompts cross the network in the clear; add tls, or listen on 127.0.0.1 \
             behind a proxy that has it",
        ));
    }
    if serve.internal {
        found.push((
            "internal_public",
            Severity::Medium,
            "/internal/ and /metrics are served beside the public paths; write serve: [api, \
             health] here, and a listener of its own on 127.0.0.1 for internal",
        ));
    }
    found
}

fn of_handling(policy: &Policy) -> Vec<Fixed> {
    let mut found = Vec::new();
    if policy.request.mode == BodyMode::Stream {
        found.push((
            "stream_mode",
            Severity::Medium,
            "inspection.request.mode",
            "the beginning of a body leaves before its end is judged; write hold",
        ));
    }
    if !policy.logging.mask_secrets {
        found.push((
            "secrets_unmasked",
            Severity::High,
            "logging.mask_secrets",
            "secrets in log lines stay readable; write true",
        ));
    }
    if policy.logging.level > log::LevelFilter::Info {
        found.push((
            "debug_logging",
            Severity::Medium,
            "logging.level",
            "detailed logs tell more than they should and cost time; write info",
        ));
    }
    if policy.logging.level < log::LevelFilter::Info {
        found.push((
            "access_log_off",
            Severity::Low,
            "logging.level",
            "requests leave no line, so that nobody can tell later who called; write info",
        ));
    }
    found
}

fn is_everyone(network: &IpNet) -> bool {
    network.prefix_len() == 0
}
