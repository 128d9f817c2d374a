//! What is legal and insecure.

use super::*;

/// Nothing here is insecure.
fn sound() -> World {
    World::default().env("API_KEY", "long-enough-0123456789")
}

#[test]
fn a_sound_configuration_has_no_finding() {
    assert_eq!(
        sound().findings(BASE),
        Vec::<&str>::new(),
        "nothing to find"
    );
}

#[test]
fn each_insecure_setting_is_found() {
    let tls = "tls: {certificate: c.pem, private_key: k.pem}";
    let listener =
        |rest: &str| format!("server: {{listeners: [{{address: \"0.0.0.0:1\", {rest}}}]}}");
    for (lines, id) in [
        ("auth: {mode: development}".to_owned(), "development_mode"),
        (listener("serve: [api]"), "listener_without_tls"),
        (
            listener(&format!("serve: [internal], {tls}")),
            "internal_public",
        ),
        (
            "server: {trusted_proxies: [0.0.0.0/0]}".to_owned(),
            "trusted_proxies_open",
        ),
        (
            "auth: {internal_allow: [\"::/0\"]}".to_owned(),
            "internal_allow_open",
        ),
        (
            "inspection: {request: {mode: stream}}".to_owned(),
            "stream_mode",
        ),
        ("size_limits: {json: 65MiB}".to_owned(), "large_json"),
        (
            "logging: {mask_secrets: false}".to_owned(),
            "secrets_unmasked",
        ),
        ("logging: {level: debug}".to_owned(), "debug_logging"),
        (
            "security_headers: {hsts_max_age: null}".to_owned(),
            "security_header_missing",
        ),
    ] {
        let world = sound()
            .file(
                "c.pem",
                "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
            )
            .file(
                "k.pem",
                "-----BEGIN EC PRIVATE KEY-----\n-----END EC PRIVATE KEY-----\n",
            );
        assert_eq!(world.findings(&with(&lines)), [id], "{lines}");
    }
    let text = with(&listener("serve: [health]"));
    assert!(
        sound().findings(&text).is_empty(),
        "health alone may be public"
    );
}

#[test]
fn insecure_files_and_keys_are_found() {
    let provider = |url: &str, key: &str| {
        format!(
            "providers: [{{name: a, api: openai, endpoints: [{{url: \"{url}\"}}], api_key: \
             \"{key}\"}}]\nroutes: [{{models: [\"*\"], providers: [a]}}]\n"
        )
    };
    for (world, text, id) in [
        (
            sound().mode(0o600),
            provider("https://a", "literal"),
            "literal_secret",
        ),
        (
            sound().mode(0o644),
            provider("https://a", "literal"),
            "literal_secret_readable",
        ),
        (
            sound().file_with_mode("k", "x", 0o644),
            provider("https://a", "file:k"),
            "secret_file_readable",
        ),
        (
            sound().env("K", "x"),
            provider("http://10.0.0.1", "${K}"),
            "provider_without_tls",
        ),
        (
            sound().env("K", "x"),
            provider("https://a/v1", "${K}"),
            "endpoint_path",
        ),
        (
            World::default().env("API_KEY", "short"),
            BASE.to_owned(),
            "short_key",
        ),
    ] {
        assert_eq!(world.findings(&text), [id], "{text}");
    }
    let local = provider("http://127.0.0.1:8000", "${K}");
    assert!(
        sound().env("K", "x").findings(&local).is_empty(),
        "this machine may be called without TLS"
    );
}

#[test]
fn routes_that_are_never_reached_are_found() {
    let route = |models: &str| format!("  - {{models: [{models}], providers: [a]}}\n");
    for (first, second, shadowed) in [
        ("\"*\"", "gpt-4o", true),
        ("gpt-*", "\"gpt-4*\"", true),
        ("gpt-4o", "gpt-4o", true),
        ("\"*-mini\"", "\"gpt-*-mini\"", true),
        ("gpt-4o", "gpt-*", false),
        ("\"*mini*\"", "\"*\"", false),
        ("gpt-*", "o*", false),
    ] {
        let text = format!(
            "providers: [{{name: a, api: echo}}]\nroutes:\n{}{}",
            route(first),
            route(second)
        );
        let found = sound().findings(&text).contains(&"route_shadowed");
        assert_eq!(found, shadowed, "{second} after {first}");
    }
    let text = BASE.replace("}]\nroutes", "}, {name: idle, api: echo}]\nroutes");
    assert_eq!(
        sound().findings(&text),
        ["provider_unused"],
        "nobody names idle"
    );
}

#[test]
fn the_gravest_finding_comes_first() {
    let text = with("logging: {mask_secrets: false, level: debug}\nsecurity_headers: {csp: null}");
    let reviewed = sound().review(&text).unwrap();
    let severities: Vec<_> = reviewed
        .findings
        .iter()
        .map(|f| f.severity.to_string())
        .collect();
    assert_eq!(severities, ["high", "medium", "low"], "in this order");
    assert!(
        reviewed.findings[0]
            .to_string()
            .starts_with("high secrets_unmasked: logging.mask_secrets: "),
        "the one-line form"
    );
}
