//! What stands where nothing is written.

use std::time::Duration;

use super::*;
use crate::identify::keys::KeyDigest;
use crate::policy::secret::Secret;
use crate::policy::{Api, AuthMode, BodyMode, LogFormat, Serve};

const MIB: u64 = 1024 * 1024;

#[test]
fn a_minimal_configuration_has_every_default() {
    let policy = World::default().policy(BASE);
    let seconds = Duration::from_secs;

    assert_eq!(policy.listeners.len(), 1, "one listener");
    let listener = &policy.listeners[0];
    assert_eq!(listener.address.to_string(), "127.0.0.1:8080", "address");
    assert_eq!(listener.serve, Serve::ALL, "serve");
    assert_eq!(listener.tls, None, "tls");
    assert_eq!(policy.workers, None, "workers");
    assert!(policy.trusted_proxies.is_empty(), "trusted_proxies");
    assert_eq!(policy.timeouts.body_idle.get(), seconds(30), "body_idle");
    assert_eq!(policy.timeouts.keepalive.get(), seconds(60), "keepalive");
    assert_eq!(policy.head.header_bytes.get(), 32 * 1024, "header_bytes");
    assert_eq!(policy.head.headers, 100, "headers");
    assert_eq!(policy.head.uri_bytes.get(), 8 * 1024, "uri_bytes");
    assert_eq!(
        policy.bytes_in_flight.get(),
        256 * 1024 * 1024,
        "bytes_in_flight"
    );
    assert_eq!(policy.drain.get(), seconds(30), "drain");

    assert_eq!(policy.auth.mode, AuthMode::Development, "no key anywhere");
    assert!(policy.auth.keys.is_empty(), "keys");
    let headers: Vec<_> = policy
        .auth
        .headers
        .iter()
        .map(http::HeaderName::as_str)
        .collect();
    assert_eq!(
        headers,
        ["authorization", "x-api-key", "api-key"],
        "headers"
    );
    let allowed: Vec<_> = policy
        .auth
        .internal_allow
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(allowed, ["127.0.0.0/8", "::1/128"], "internal_allow");

    assert_eq!(policy.sizes.default.get(), 10 * MIB, "size_limits.default");
    assert_eq!(policy.sizes.json.get(), MIB, "size_limits.json");
    assert_eq!(policy.sizes.form.get(), 5 * MIB, "size_limits.form");
    assert_eq!(policy.sizes.file.get(), 50 * MIB, "size_limits.file");
    let (path, limit) = &policy.sizes.paths[0];
    assert_eq!(
        (&**path, limit.get()),
        ("/internal/", 64 * 1024),
        "size_limits.paths"
    );

    assert_eq!(policy.request.mode, BodyMode::Hold, "mode");
    assert_eq!(policy.request.max_json_depth, 64, "max_json_depth");
    assert_eq!(policy.inspection.max_text_chars, 100_000, "max_text_chars");
    assert_eq!(policy.logging.level, log::LevelFilter::Info, "level");
    assert_eq!(policy.logging.format, LogFormat::Json, "format");
    assert_eq!(policy.logging.file, None, "file");
    assert!(policy.logging.mask_secrets, "mask_secrets");
    assert_eq!(policy.routes[0].retries, 1, "retries");
}

#[test]
fn every_answer_bears_the_security_headers() {
    let policy = World::default().policy(BASE);
    let headers: Vec<_> = policy
        .security_headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
        .collect();
    assert_eq!(
        headers,
        [
            (
                "strict-transport-security",
                "max-age=31536000; includeSubDomains"
            ),
            ("content-security-policy", "default-src 'none'"),
            ("x-frame-options", "DENY"),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
        ],
        "the defaults"
    );
    let policy = World::default().policy(&with("security_headers: {csp: null}"));
    assert_eq!(policy.security_headers.len(), 4, "null leaves one out");
}

#[test]
fn a_provider_has_its_defaults_and_an_endpoint_its_parts() {
    let text = "providers:\n  - name: up\n    api: openai\n    endpoints:\n      - {url: \
                \"https://api.example.com\"}\n      - {url: \"http://[::1]:8000/base/\", weight: 3}\n    \
                api_key: ${KEY}\nroutes: [{models: [\"*\"], providers: [up]}]\n";
    let policy = World::default().env("KEY", "upstream-key").policy(text);
    let provider = &policy.providers[0];
    assert_eq!(
        (provider.name.as_str(), provider.api),
        ("up", Api::OpenAi),
        "name and api"
    );
    assert_eq!(
        provider.api_keys.first().map(Secret::expose),
        Some("upstream-key"),
        "the key"
    );
    let seconds = [
        provider.timeouts.connect,
        provider.timeouts.first_byte,
        provider.timeouts.idle,
        provider.timeouts.total,
    ]
    .map(|span| span.get().as_secs());
    assert_eq!(seconds, [10, 30, 60, 600], "timeouts");
    let parts: Vec<_> = provider
        .endpoints
        .iter()
        .map(|e| {
            let authority = e.authority.to_str().unwrap();
            (e.tls, &*e.host, e.port, authority, &*e.base_path, e.weight)
        })
        .collect();
    assert_eq!(
        parts,
        [
            (true, "api.example.com", 443, "api.example.com", "", 1),
            (false, "::1", 8000, "[::1]:8000", "/base", 3),
        ],
        "endpoints"
    );
}

#[test]
fn the_embedded_provider_has_one_endpoint_that_stands_for_itself() {
    let policy = World::default().policy(BASE);
    let provider = &policy.providers[0];
    assert_eq!(provider.api, Api::Echo, "echo");
    assert_eq!(provider.endpoints.len(), 1, "one endpoint");
    assert_eq!(
        provider.schedule.from_tick(7).collect::<Vec<_>>(),
        [0],
        "always its turn"
    );
}

#[test]
fn the_longest_path_prefix_is_looked_at_first() {
    let text = with("size_limits: {paths: {/a/: 1KiB, /a/b/c/: 2KiB, /a/b/: 3KiB}}");
    let policy = World::default().policy(&text);
    let paths: Vec<_> = policy.sizes.paths.iter().map(|(path, _)| &**path).collect();
    assert_eq!(paths, ["/a/b/c/", "/a/b/", "/a/"], "longest first");
}

#[test]
fn a_heading_with_nothing_below_it_is_as_good_as_not_there() {
    let text = with("server:\nauth:\n  # mode: required\nlogging:");
    World::default().policy(&text);
}

#[test]
fn the_hash_changes_with_what_takes_effect_and_with_nothing_else() {
    let hash = |world: World, text: &str| world.policy(text).hash;
    let base = hash(World::default(), BASE);
    assert_eq!(base.len(), 16, "16 hex digits");
    assert!(base.bytes().all(|b| b.is_ascii_hexdigit()), "hex: {base}");
    assert_eq!(
        hash(World::default(), &with("# a comment\nserver: {workers: 0}")),
        base,
        "a default written out is the same configuration"
    );
    let key = |text| World::default().env("API_KEY", text);
    let all = [
        base,
        hash(World::default(), &with("server: {workers: 2}")),
        hash(key("first-key-of-many"), BASE),
        hash(key("other-key-of-many"), BASE),
        hash(World::default().env("MAX_JSON_SIZE_BYTES", "99"), BASE),
    ];
    let distinct: std::collections::BTreeSet<_> = all.iter().collect();
    assert_eq!(distinct.len(), all.len(), "each differs: {all:?}");
}

#[test]
fn policies_can_be_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Policy>();
    shared::<Fault>();
    assert_ne!(KeyDigest::of(b"a"), KeyDigest::of(b"b"), "digests differ");
}
