//! Environment variables over the file.

use super::*;
use crate::identify::keys::Role;
use crate::policy::AuthMode;
use crate::policy::inspection::{Action, Sanitization};

fn policy(variable: &str, value: &str, lines: &str) -> Policy {
    World::default().env(variable, value).policy(&with(lines))
}

#[test]
fn size_variables_win_over_the_file() {
    let lines = "size_limits: {default: 1KiB, json: 1KiB, form: 1KiB, file: 1KiB}";
    let policy = |variable| policy(variable, "4096", lines);
    for (variable, limit) in [
        (
            "MAX_REQUEST_SIZE_BYTES",
            policy("MAX_REQUEST_SIZE_BYTES").sizes.default,
        ),
        (
            "MAX_JSON_SIZE_BYTES",
            policy("MAX_JSON_SIZE_BYTES").sizes.json,
        ),
        (
            "MAX_FORM_SIZE_BYTES",
            policy("MAX_FORM_SIZE_BYTES").sizes.form,
        ),
        (
            "MAX_FILE_SIZE_BYTES",
            policy("MAX_FILE_SIZE_BYTES").sizes.file,
        ),
    ] {
        assert_eq!(limit.get(), 4096, "{variable}");
    }
}

#[test]
fn header_variables_win_over_the_file() {
    let lines = "security_headers: {csp: a, frame_options: a, content_type_options: null}";
    for (variable, value, header, expected) in [
        (
            "SECURITY_HSTS_MAX_AGE",
            "60",
            "strict-transport-security",
            "max-age=60; includeSubDomains",
        ),
        (
            "SECURITY_CSP_POLICY",
            "default-src 'self'",
            "content-security-policy",
            "default-src 'self'",
        ),
        (
            "SECURITY_FRAME_OPTIONS",
            "SAMEORIGIN",
            "x-frame-options",
            "SAMEORIGIN",
        ),
        (
            "SECURITY_CONTENT_TYPE_OPTIONS",
            "nosniff",
            "x-content-type-options",
            "nosniff",
        ),
    ] {
        let headers = policy(variable, value, lines).security_headers;
        let found = headers.iter().find(|(name, _)| name.as_str() == header);
        let found = found.map(|(_, value)| value.to_str().unwrap());
        assert_eq!(found, Some(expected), "{variable}");
    }
}

#[test]
fn the_log_level_is_read_in_any_spelling_that_is_about() {
    for (value, level) in [
        ("debug", log::LevelFilter::Debug),
        ("INFO", log::LevelFilter::Info),
        ("WARNING", log::LevelFilter::Warn),
        ("critical", log::LevelFilter::Error),
    ] {
        let policy = policy("LOG_LEVEL", value, "logging: {level: trace}");
        assert_eq!(policy.logging.level, level, "{value}");
    }
}

#[test]
fn inspection_variables_win_over_the_file() {
    let lines = "inspection: {request: {max_text_chars: 7, sanitization: off, code_patterns: off}}";
    for (value, chars) in [("4096", 4096), (" 1 ", 1)] {
        let inspection = policy("AI_INPUT_MAX_LENGTH", value, lines).inspection;
        assert_eq!(inspection.max_text_chars, chars, "{value}");
    }
    for (value, level) in [
        ("off", Sanitization::Off),
        ("NONE", Sanitization::Off),
        ("standard", Sanitization::Standard),
        ("Basic", Sanitization::Standard),
        ("strict", Sanitization::Strict),
    ] {
        let inspection = policy("AI_SANITIZATION_LEVEL", value, lines).inspection;
        assert_eq!(inspection.sanitization, level, "{value}");
    }
    for (value, action) in [
        ("true", Action::Block),
        ("1", Action::Block),
        ("YES", Action::Block),
        ("false", Action::Flag),
        ("0", Action::Flag),
        ("no", Action::Flag),
    ] {
        let inspection = policy("AI_BLOCK_CODE_PATTERNS", value, lines).inspection;
        assert_eq!(inspection.code_patterns, action, "{value}");
    }
}

#[test]
fn keys_come_from_the_environment_with_their_roles() {
    let world = World::default().env("API_KEY", "first-key-0123456789").env(
        "ADDITIONAL_API_KEYS",
        " second-key-012345678 ,, third-key-0123456789,",
    );
    let policy = world.policy(BASE);
    assert_eq!(policy.auth.mode, AuthMode::Required, "there are keys");
    for (key, id, role) in [
        ("first-key-0123456789", "env:API_KEY", Role::Admin),
        (
            "second-key-012345678",
            "env:ADDITIONAL_API_KEYS:1",
            Role::Standard,
        ),
        (
            "third-key-0123456789",
            "env:ADDITIONAL_API_KEYS:2",
            Role::Standard,
        ),
    ] {
        let record = policy.auth.keys.find(key.as_bytes(), 1).unwrap();
        assert_eq!((record.id.as_str(), record.role), (id, role), "{id}");
    }
}

#[test]
fn an_empty_variable_counts_as_unset() {
    for variable in [
        "API_KEY",
        "ADDITIONAL_API_KEYS",
        "MAX_JSON_SIZE_BYTES",
        "LOG_LEVEL",
        "RATE_LIMIT_BURST",
        "DISABLE_INTERNAL_DOCS",
        "AI_INPUT_MAX_LENGTH",
        "AI_SANITIZATION_LEVEL",
        "AI_BLOCK_CODE_PATTERNS",
    ] {
        let policy = policy(variable, " ", "");
        assert_eq!(policy.auth.mode, AuthMode::Development, "{variable}");
    }
}

#[test]
fn a_fault_in_a_variable_names_the_variable() {
    for (variable, value, word) in [
        (
            "MAX_JSON_SIZE_BYTES",
            "lots",
            "size_limits.json: `lots` is not a size",
        ),
        ("MAX_REQUEST_SIZE_BYTES", "0", "more than zero"),
        ("SECURITY_HSTS_MAX_AGE", "a year", "31536000"),
        ("SECURITY_CSP_POLICY", "a\nb", "security_headers.csp"),
        ("LOG_LEVEL", "loud", "error, warn, info, debug, trace"),
        ("DISABLE_INTERNAL_DOCS", "perhaps", "true or false"),
        ("API_KEY", "two words", "visible ASCII"),
        (
            "ADDITIONAL_API_KEYS",
            "good-key-0123456789,schl\u{fc}ssel",
            "visible ASCII",
        ),
        ("RATE_LIMIT_REQUESTS_PER_MINUTE", "lots", "60/minute"),
        ("RATE_LIMIT_REQUESTS_PER_MINUTE", "0", "more than zero"),
        ("RATE_LIMIT_BURST_SIZE", "-1", "not a number"),
        ("RATE_LIMIT_BURST_SIZE", "0", "let nothing pass"),
        ("RATE_LIMIT_BURST", "4294967296", "not a number"),
        ("RATE_LIMIT_BLOCK_THRESHOLD", "0", "at least 1"),
        ("RATE_LIMIT_BLOCK_DURATION", "an hour", "not a number"),
        ("RATE_LIMIT_BLOCK_DURATION", "0", "more than zero"),
        ("AI_INPUT_MAX_LENGTH", "lots", "100000"),
        ("AI_INPUT_MAX_LENGTH", "0", "100000"),
        ("AI_SANITIZATION_LEVEL", "a bit", "off, standard, strict"),
        ("AI_BLOCK_CODE_PATTERNS", "perhaps", "true or false"),
        ("AI_RESPONSE_MAX_LENGTH", "0", "number of characters"),
        ("AI_VALIDATE_OUTPUT", "maybe", "neither yes nor no"),
        (
            "AI_FILTER_SENSITIVE_CONTENT",
            "perhaps",
            "neither yes nor no",
        ),
        ("CORS_ORIGINS", "https://a", "not a JSON list"),
        ("SECURITY_LOG_RETENTION_DAYS", "0", "between 1 and 36500"),
        ("SECURITY_LOG_RETENTION_DAYS", "a while", "not a number"),
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "collector:4317",
            "an https URL",
        ),
    ] {
        let faults = World::default().env(variable, value).faults(BASE);
        assert_eq!(faults.len(), 1, "{variable}: {faults:#?}");
        let begins = format!("environment variable {variable}: ");
        assert!(
            faults[0].starts_with(&begins) && faults[0].contains(word),
            "{variable}: {}",
            faults[0]
        );
    }
}

#[test]
fn one_key_in_two_variables_is_refused() {
    let world = World::default()
        .env("API_KEY", "same-key-0123456789")
        .env("ADDITIONAL_API_KEYS", "same-key-0123456789");
    let faults = world.faults(BASE);
    assert!(faults[0].contains("are the same key"), "{faults:#?}");
    assert!(!faults[0].contains("same-key-"), "and is not shown");
}
