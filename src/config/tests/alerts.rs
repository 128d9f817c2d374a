//! Webhook, self-test, and the folder for what must survive a restart.

use std::path::Path;
use std::time::Duration;

use super::*;
use crate::record::event::Severity;

const SIGNED: &str = "alerts: {webhook: \"${HOOK}\", min_severity: medium, secret: \"${SIGN}\"}";

fn world() -> World {
    World::default()
        .env("API_KEY", "long-enough-0123456789")
        .env("HOOK", "https://hooks.example.com/T0/secret-path")
        .env("SIGN", "0123456789abcdef")
        .env("K", "a-key-for-the-selftest")
}

#[test]
fn a_webhook_is_an_address_a_severity_and_a_secret() {
    let policy = world().policy(&with(SIGNED));
    let webhook = policy.operations.webhook.as_ref().unwrap();
    assert_eq!(
        webhook.address.host(),
        "hooks.example.com",
        "who takes them"
    );
    assert_eq!(webhook.min_severity, Severity::Medium, "from when on");
    assert!(webhook.secret.is_some(), "signed");
    let shown = format!("{webhook:?}");
    assert!(
        !shown.contains("secret-path") && !shown.contains("0123456789"),
        "neither path nor secret is shown: {shown}"
    );
    let other = world()
        .env("SIGN", "another-secret-0123")
        .policy(&with(SIGNED));
    assert_ne!(policy.hash, other.hash, "the hash tells secrets apart");
    assert!(
        world().policy(BASE).operations.webhook.is_none(),
        "none by default"
    );
}

#[test]
fn what_can_not_be_called_or_is_no_secret_is_told_without_repeating_it() {
    for (lines, problem) in [
        ("alerts: {webhook: hidden-word}", "is not a URL with a host"),
        (
            "alerts: {webhook: \"ftp://hidden-word\"}",
            "neither http nor https",
        ),
        (
            "alerts: {webhook: \"https://u:hidden-word@x\"}",
            "a user or a password",
        ),
        (
            "alerts: {secret: hidden-word}",
            "has fewer than 16 characters",
        ),
        ("selftest: {every: 1h}", "selftest.key: is missing"),
        ("selftest: {every: 900ms, key: \"${K}\"}", "is too often"),
        (
            "selftest: {every: 1h, key: \"a hidden-word\"}",
            "no header can carry",
        ),
        ("selftest: {model: \"a b\"}", "is not a model's name"),
        ("server: {state_dir: \"\"}", "is empty"),
    ] {
        let faults = world().faults(&with(lines));
        assert!(faults[0].contains(problem), "{lines}: {faults:?}");
        assert!(!faults[0].contains("hidden-word"), "{lines}: {faults:?}");
    }
}

#[test]
fn an_open_or_unsigned_webhook_is_a_finding() {
    let text = with("alerts: {webhook: \"http://192.0.2.1/x\"}");
    let found = world().findings(&text);
    assert_eq!(found, ["webhook_unsigned", "webhook_without_tls"], "{text}");
    assert!(
        world().findings(&with(SIGNED)).is_empty(),
        "signed, over TLS"
    );
    let local = with("alerts: {webhook: \"http://127.0.0.1:1/x\", secret: \"${SIGN}\"}");
    assert!(
        world().findings(&local).is_empty(),
        "this machine may be called without TLS"
    );
}

#[test]
fn a_selftest_has_a_key_of_its_own() {
    let policy = world().policy(&with("selftest: {every: 1h, key: \"${K}\", model: echo}"));
    let selftest = policy.operations.selftest.unwrap();
    assert_eq!(selftest.every, Duration::from_hours(1), "how often");
    assert!(!format!("{selftest:?}").contains("a-key"), "never shown");
    assert!(
        world().policy(BASE).operations.selftest.is_none(),
        "off by default"
    );
}

#[test]
fn state_is_kept_where_it_is_said_or_where_systemd_says() {
    let folder = |world: World, lines: &str| world.policy(&with(lines)).operations.state_dir;
    let given = || world().env("STATE_DIRECTORY", "/var/lib/portcullis:/x");
    for (found, wanted) in [
        (folder(world(), ""), None),
        (folder(world(), "server: {state_dir: s}"), Some("/etc/p/s")),
        (folder(given(), ""), Some("/var/lib/portcullis")),
        (folder(given(), "server: {state_dir: /s}"), Some("/s")),
    ] {
        assert_eq!(found.as_deref(), wanted.map(Path::new), "where");
    }
}
