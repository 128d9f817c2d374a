//! The hash by which a configuration is known in records and answers.
//!
//! Decides the canonical text of a policy: one line a value, in a fixed order, secrets as their
//! SHA-256. Every field of the policy is named here, so that a new one can't be forgotten. The
//! content of TLS files is not part of it.

use std::fmt::{Debug, Write as _};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use crate::policy::alerts::Operations;
use crate::policy::{Auth, Policy, Provider, Route};

/// Hex digits of the hash that are kept: enough to tell configurations apart, too few to search
/// for a secret by.
const DIGITS: usize = 16;

/// The hash of a policy. `key_lines` are its keys, as ids, digests and rights.
pub(super) fn of(policy: &Policy, key_lines: &[String]) -> Box<str> {
    let Policy {
        hash: _,
        listeners,
        workers,
        watch,
        trusted_proxies,
        timeouts,
        connections,
        head,
        drain,
        auth,
        sizes,
        limits,
        store,
        bytes_in_flight,
        request,
        inspection,
        // Compiled from the settings before it.
        inspector: _,
        response,
        response_inspector: _,
        answers,
        cors,
        security_headers,
        providers,
        routes,
        // No configuration has any; each measure puts its own mark on the hash.
        endpoint_orders: _,
        logging,
        operations,
        telemetry,
        internal_docs,
    } = policy;
    let mut text = Canonical::default();
    text.line("listeners", listeners);
    text.line("workers", workers);
    text.line("watch", watch);
    text.line("trusted_proxies", trusted_proxies);
    text.line("timeouts", timeouts);
    text.line("connections", connections);
    text.line("head", head);
    text.line("drain", drain);
    text.auth(auth, key_lines);
    text.line("sizes", sizes);
    text.line("limits", limits);
    text.line("store", store);
    text.line("bytes_in_flight", bytes_in_flight);
    text.line("request", request);
    text.line("inspection", &digest(&format!("{inspection:?}")));
    text.line("response", &digest(&format!("{response:?}")));
    text.line("answers", answers);
    text.line("cors", cors);
    text.line("security_headers", security_headers);
    text.upstream(providers, routes);
    text.line("logging", logging);
    text.operations(operations);
    text.line("telemetry", &(telemetry, internal_docs));
    digest(&text.0).chars().take(DIGITS).collect()
}

/// The SHA-256 of a text in hex.
pub(super) fn digest(text: &str) -> String {
    let bytes = Sha256::digest(text.as_bytes());
    bytes.iter().fold(String::new(), |mut hex, byte| {
        // Writing to a String can't fail.
        let _infallible = write!(hex, "{byte:02x}");
        hex
    })
}

#[derive(Default)]
struct Canonical(String);

impl Canonical {
    fn line(&mut self, name: &str, value: &dyn Debug) {
        let _infallible = writeln!(self.0, "{name}={value:?}");
    }

    fn auth(&mut self, auth: &Auth, key_lines: &[String]) {
        let Auth {
            mode,
            keys: _,
            // Its keys are among the key lines.
            tokens,
            headers,
            internal_allow,
            brute_force,
            certificates,
        } = auth;
        self.line("auth.mode", mode);
        self.line("auth.keys", &key_lines);
        self.line("auth.headers", headers);
        self.line("auth.internal_allow", internal_allow);
        self.line("auth.tokens", tokens);
        self.line("auth.client_certificates", &certificates.lines());
        self.line("auth.brute_force", brute_force);
    }

    fn operations(&mut self, operations: &Operations) {
        let Operations {
            webhook,
            selftest,
            state_dir,
        } = operations;
        if let Some(webhook) = webhook {
            let secret = webhook.secret.as_ref();
            let secret = secret.map(|secret| digest(secret.expose()));
            let target = digest(webhook.address.target());
            self.line("alerts.webhook", &(webhook, target, secret));
        }
        if let Some(selftest) = selftest {
            self.line("selftest", &(selftest, digest(selftest.key.expose())));
        }
        if let Some(folder) = state_dir {
            self.line("state_dir", folder);
        }
    }

    fn upstream(&mut self, providers: &[Arc<Provider>], routes: &[Route]) {
        for provider in providers {
            self.provider(provider);
        }
        self.line("routes", &routes);
    }

    fn provider(&mut self, provider: &Provider) {
        let Provider {
            name,
            api,
            endpoints,
            // Follow from the endpoints' weights.
            schedule: _,
            ring: _,
            api_keys,
            timeouts,
            limits,
            concurrent,
            health,
            breaker,
            slow_start,
            model_map,
            retry_unsafe,
            stream_usage,
        } = provider;
        let keys: Vec<String> = api_keys.iter().map(|key| digest(key.expose())).collect();
        self.line("provider", &(name, api, endpoints, timeouts, keys));
        self.line("provider.limits", &(limits, concurrent));
        self.line("provider.health", &(health, breaker, slow_start));
        self.line("provider.calls", &(model_map, retry_unsafe, stream_usage));
    }
}
