//! The keys file, and whether keys are asked for.

use super::*;
use crate::identify::keys::Role;
use crate::policy::AuthMode;

/// The published SHA-256 of `abc`.
const ABC: &str = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

#[test]
fn keys_are_read_from_the_file_beside_the_configuration() {
    let file =
        format!("keys:\n  - {{id: alice, hash: \"{ABC}\", role: read_only, models: [gpt-*]}}\n");
    let policy = World::default().file("keys.yaml", &file).policy(BASE);
    assert_eq!(policy.auth.mode, AuthMode::Required, "there is a key");
    let record = policy.auth.keys.find(b"abc", 1).unwrap();
    assert_eq!(
        (record.id.as_str(), record.role),
        ("alice", Role::ReadOnly),
        "the record"
    );
    assert!(
        record
            .bounds
            .as_ref()
            .is_some_and(|bounds| { bounds.allows_model("gpt-4o") && !bounds.allows_model("o3") }),
        "its models"
    );
}

#[test]
fn a_keys_file_that_is_named_must_be_there() {
    let faults = World::default().faults(&with("auth: {keys_file: k.yaml}"));
    assert!(
        faults[0].starts_with("x.yaml:1: auth.keys_file: the file /etc/p/k.yaml does not exist; "),
        "{faults:#?}"
    );
}

#[test]
fn a_keys_file_without_keys_closes_the_gateway() {
    for text in ["", "keys: []\n", "keys:\n"] {
        let world = World::default().file("keys.yaml", text);
        let policy = world.policy(BASE);
        assert_eq!(
            policy.auth.mode,
            AuthMode::Required,
            "{text:?} asks for keys"
        );
        assert!(policy.auth.keys.is_empty(), "{text:?} has none");
        assert!(
            world.findings(BASE).contains(&"no_keys"),
            "{text:?} is a finding"
        );
    }
}

#[test]
fn wrong_records_are_told_by_the_keys_files_own_line() {
    assert_told(&[
        (
            "keys:\n  - id: a\n    hash: pcl_secret-text\n    role: admin\n".to_owned(),
            ":3: keys[0].hash: ",
            "must never stand here",
        ),
        (
            "keys:\n  - {id: a, hash: \"sha256:12\", role: admin}\n".to_owned(),
            ":2: keys[0].hash: ",
            "64 hex digits",
        ),
        (
            format!("keys:\n  - id: a\n    hash: {ABC}\n    role: amdin\n"),
            ":4: keys[0].role: ",
            "did you mean `admin`?",
        ),
        (
            format!("keys:\n  - id: a b\n    hash: {ABC}\n    role: admin\n"),
            ":2: keys[0].id: ",
            "short name",
        ),
        (
            "keys:\n  - {id: a, role: admin}\n".to_owned(),
            ":2: keys[0].hash: is missing; ",
            "hash",
        ),
        (
            format!("keys:\n  - {{id: a, hash: \"{ABC}\", role: admin, key: pcl_secret-text}}\n"),
            ":2: keys[0].key: ",
            "never stored",
        ),
        (
            format!("keys:\n  - {{id: a, hash: \"{ABC}\", role: admin, rate: 60/moon}}\n"),
            ":2: keys[0].rate: ",
            "60/minute",
        ),
        (
            format!("keys:\n  - {{id: a, hash: \"{ABC}\", role: admin, models: [\"\"]}}\n"),
            ":2: keys[0].models[0]: ",
            "gpt-*",
        ),
    ]);
}

#[test]
fn one_id_or_one_key_twice_is_told() {
    let other = ABC.replace("ba78", "ca78");
    assert_told(&[
        (
            format!(
                "keys:\n  - {{id: a, hash: \"{ABC}\", role: admin}}\n  - {{id: b, hash: \
                 \"{ABC}\", role: admin}}\n"
            ),
            ":3: keys[1].hash: is the hash of `a` too",
            "of its own",
        ),
        (
            format!(
                "keys:\n  - {{id: a, hash: \"{ABC}\", role: admin}}\n  - {{id: a, hash: \
                 \"{other}\", role: admin}}\n"
            ),
            ":3: keys[1].id: `a` is the id",
            "of its own",
        ),
    ]);
}

/// Asserts, for each keys file, that a fault begins with this and holds that.
fn assert_told(cases: &[(String, &str, &str)]) {
    for (file, begins, word) in cases {
        let faults = World::default().file("keys.yaml", file).faults(BASE);
        let begins = format!("/etc/p/keys.yaml{begins}");
        assert!(
            faults
                .iter()
                .any(|f| f.starts_with(&begins) && f.contains(word)),
            "{begins} {word}: {faults:#?}"
        );
        assert!(
            !faults.iter().any(|f| f.contains("secret-text")),
            "a key is not repeated: {faults:#?}"
        );
    }
}

#[test]
fn without_keys_only_loopback_is_served() {
    let public = "server:\n  listeners:\n    - address: 127.0.0.1:1\n    - address: 0.0.0.0:2\n";
    let world = World::default();
    let faults = world.faults(&with(public));
    assert!(
        faults[0].starts_with("x.yaml:1: auth: there is no key anywhere")
            && faults[0].contains("server.listeners[1] is 0.0.0.0:2; set API_KEY"),
        "implied development: {faults:#?}"
    );
    let written = format!("{public}auth:\n  mode: development");
    let keyed = World::default().env("API_KEY", "long-enough-0123456789");
    let faults = keyed.faults(&with(&written));
    assert!(
        faults[0].starts_with("x.yaml:6: auth.mode: development serves anyone"),
        "written development, whatever keys there are: {faults:#?}"
    );
    assert_eq!(
        keyed.policy(&with(public)).auth.mode,
        AuthMode::Required,
        "with a key any address may be served"
    );
    let policy = keyed.policy(&with("auth: {mode: development}"));
    assert_eq!(
        policy.auth.mode,
        AuthMode::Development,
        "as written, on loopback"
    );
}

#[test]
fn a_keys_file_that_anyone_may_read_or_write_is_refused() {
    for mode in [0o604, 0o644, 0o602] {
        let world = World::default().file_with_mode("keys.yaml", "keys: []\n", mode);
        let faults = world.faults(BASE);
        assert!(
            faults[0].contains("auth.keys_file: the file /etc/p/keys.yaml can be read or written")
                && faults[0].contains("chmod 600"),
            "{mode:o}: {faults:#?}"
        );
    }
    let world = World::default().file_with_mode("keys.yaml", "keys: []\n", 0o640);
    assert!(world.review(BASE).is_ok(), "its group may read it");
}

#[test]
fn a_peppered_hash_needs_its_pepper() {
    let hash = format!("hmac-{ABC}");
    let file = format!("keys:\n  - {{id: alice, hash: \"{hash}\", role: standard}}\n");
    let world = World::default().file("keys.yaml", &file);
    let faults = world.faults(BASE);
    assert!(
        faults[0].contains("auth.pepper: is not set, and the hash of `alice` needs it"),
        "{faults:#?}"
    );
    let world = world.file("pepper", "0123456789abcdef0123456789abcdef\n");
    let with_pepper = with("auth: {pepper: \"file:pepper\"}");
    assert!(world.review(&with_pepper).is_ok(), "with it");
    let faults = world.file("pepper", "short").faults(&with_pepper);
    assert!(faults[0].contains("auth.pepper: is shorter"), "{faults:#?}");
}
