//! What is legal in a configuration and insecure all the same.
//!
//! Decides the findings that can be told from a policy; those that need the file as written
//! (literal secrets, file modes, shadowed routes) are noted while it is compiled. A finding never
//! stops the gateway, except where `check --strict` is asked.

use std::fmt;

use ipnet::IpNet;
use serde::Serialize;

use crate::policy::{AuthMode, BodyMode, Listener, Policy};

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

/// A JSON body is held in memory whole; over this many bytes that costs dear.
const LARGE_JSON: u64 = 64 * 1024 * 1024;

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
            "no key is asked for, so that every program on this machine may call; set API_KEY or \
             set API_KEY, or add a key to the keys file",
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
    for (id, severity, key, advice) in of_handling(policy) {
        add(id, severity, key.to_owned(), advice);
    }
    found
}

fn of_listener(listener: &Listener) -> Vec<(&'static str, Severity, &'static str)> {
    let mut found = Vec::new();
    if listener.address.ip().is_loopback() {
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

fn of_handling(policy: &Policy) -> Vec<(&'static str, Severity, &'static str, &'static str)> {
    let mut found = Vec::new();
    if policy.request.mode == BodyMode::Stream {
        found.push((
            "stream_mode",
            Severity::Medium,
            "inspection.request.mode",
            "the beginning of a body leaves before its end is judged; write hold",
        ));
    }
    if policy.sizes.json.get() > LARGE_JSON {
        found.push((
            "large_json",
            Severity::Medium,
            "size_limits.json",
            "JSON bodies are held in memory whole, so that few clients could fill it; write at \
             most 64MiB",
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
    found
}

fn is_everyone(network: &IpNet) -> bool {
    network.prefix_len() == 0
}
