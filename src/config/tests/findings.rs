//! What is legal and insecure.

use super::*;

/// Nothing here is insecure.
fn sound() -> World {
    World::default().env("API_KEY", "long-enough-0123456789")
}

/// The same with a certificate.
fn certified() -> World {
    sound()
        .file(
            "c.pem",
            "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
        )
        .file(
            "k.pem",
            "-----BEGIN EC PRIVATE KEY-----\n-----END EC PRIVATE KEY-----\n",
        )
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
            "telemetry: {otlp_endpoint: \"http://192.0.2.1:4318\"}".to_owned(),
            "telemetry_without_tls",
        ),
        (
            "security_headers: {hsts_max_age: null}".to_owned(),
            "security_header_missing",
        ),
    ] {
        assert_eq!(certified().findings(&with(&lines)), [id], "{lines}");
    }
    let redirect = format!(
        "server: {{listeners: [{{address: \"0.0.0.0:80\", redirect_to_https: true}}, {{address: \
         \"0.0.0.0:443\", serve: [api], {tls}}}]}}"
    );
    assert!(
        certified().findings(&with(&redirect)).is_empty(),
        "a redirect serves nothing that could be in the clear"
    );
    let text = with(&listener("serve: [health]"));
    assert!(
        sound().findings(&text).is_empty(),
        "health alone may be public"
    );
}

#[test]
fn limits_that_hold_nobody_up_are_found() {
    for (lines, ids) in [
        (
            "rate_limits: {per_ip: null, per_key: null}",
            &["rate_limits_off"][..],
        ),
        ("rate_limits: {per_ip: null}", &["rate_limit_per_ip_off"]),
        ("rate_limits: {per_key: null}", &["rate_limit_per_key_off"]),
        (
            "rate_limits: {per_ip: null, per_key: null, global: {rate: 10/second}}",
            &["rate_limit_per_ip_off", "rate_limit_per_key_off"],
        ),
        (
            "rate_limits: {concurrent_requests: null}",
            &["concurrency_unlimited"],
        ),
        ("rate_limits: {block: null}", &["violations_unblocked"]),
        (
            "auth: {brute_force: {failures: 101, within: 5m, block_for: 1h}}",
            &["brute_force_lax"],
        ),
        (
            "auth: {brute_force: {failures: 100, within: 5m, block_for: 1m}}",
            &[],
        ),
        (
            "auth: {brute_force: {failures: 5, within: 5m, block_for: 59s}}",
            &["brute_force_lax"],
        ),
        ("logging: {level: warn}", &["access_log_off"]),
    ] {
        assert_eq!(sound().findings(&with(lines)), ids, "{lines}");
    }
    let open = with("auth: {mode: development}");
    let found = World::default().findings(&open);
    assert_eq!(found, ["development_mode"], "no limit of keys is missed");
}

#[test]
fn families_that_are_off_or_only_flag_are_found() {
    for (lines, ids) in [
        (
            "request: {prompt_injection: off}",
            &["prompt_injection_off"][..],
        ),
        (
            "request: {prompt_injection: flag}",
            &["prompt_injection_flag_only"],
        ),
        ("request: {secrets: off}", &["request_secrets_off"]),
        ("request: {secrets: flag}", &["request_secrets_flag_only"]),
        ("request: {secrets: mask}", &[]),
        ("request: {pii: off}", &["request_pii_off"]),
        ("request: {pii: flag}", &["request_pii_flag_only"]),
        ("request: {code_patterns: off}", &["code_patterns_off"]),
        ("request: {web_attacks: off}", &["web_attacks_off"]),
        ("request: {sanitization: off}", &["sanitization_off"]),
        ("request: {max_text_chars: null}", &["text_unlimited"]),
        (
            "request: {prompt_injection: off, code_patterns: off, web_attacks: off, pii: off, \
             secrets: off}",
            &["inspection_off"],
        ),
        ("response: {secrets: off}", &["response_secrets_off"]),
        ("response: {secrets: flag}", &["response_secrets_flag_only"]),
        ("response: {pii: off}", &["response_pii_off"]),
        ("response: {pii: flag}", &["response_pii_flag_only"]),
        ("response: {harmful: off}", &["harmful_off"]),
        ("response: {strip_fields: []}", &["strip_fields_empty"]),
        ("response: {tool_calls: live}", &["tool_calls_live"]),
    ] {
        let text = with(&format!("inspection: {{{lines}}}"));
        assert_eq!(sound().findings(&text), ids, "{lines}");
    }
    let world = sound().file("r.yaml", "disabled: [pii.ip]");
    let text = with("inspection: {request: {rules_file: r.yaml}}");
    assert_eq!(world.findings(&text), ["rules_disabled"], "one is off");
}

#[test]
fn keys_that_are_weak_or_shared_are_found() {
    let provider = |name: &str| {
        format!(
            "{{name: {name}, api: openai, endpoints: [{{url: \"https://{name}\"}}], api_key: \"${{K}}\"}}"
        )
    };
    let text = |providers: &str| {
        format!("providers: [{providers}]\nroutes: [{{models: [\"*\"], providers: [a]}}]\n")
    };
    let one = text(&provider("a"));
    let shared = sound().env("K", "long-enough-0123456789");
    assert_eq!(
        shared.findings(&one),
        ["key_shared_with_provider"],
        "a caller's key opens the provider"
    );
    let two = format!("{}, {}", provider("a"), provider("b")).replace("[a]", "[a, b]");
    let two = text(&two).replace("providers: [a]", "providers: [a, b]");
    let found = sound().env("K", "upstream").findings(&two);
    assert_eq!(found, ["provider_key_shared"], "one key for two providers");
    let found = World::default().env("API_KEY", "changeme").findings(BASE);
    assert_eq!(found, ["short_key", "weak_key"], "tried first by everybody");
    let hash = "057ba03d6c44104863dc7361fe4578965d1887360f90a0895882e58a6248fc86";
    let keys = format!("keys:\n  - {{id: a, hash: \"sha256:{hash}\", role: standard}}\n");
    let world = sound().file("keys.yaml", &keys);
    assert_eq!(world.findings(BASE), ["weak_key"], "hashed all the same");
}

#[test]
fn files_that_anyone_may_change_are_found() {
    assert_eq!(
        sound().mode(0o666).findings(BASE),
        ["file_writable"],
        "the configuration"
    );
    assert!(
        sound().mode(0o644).findings(BASE).is_empty(),
        "to read it is no harm without a secret in it"
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
