//! What the commands print, write and refuse.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::io::AsyncWriteExt as _;

use super::{answer, key, keys, stderr, stdout};
use crate::harness::gateway::{command, run};
use crate::harness::within;

fn mode(path: &Path) -> u32 {
    let metadata = std::fs::metadata(path).expect("it is there");
    metadata.permissions().mode() & 0o777
}

fn listing(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let mut paths: Vec<_> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    paths
}

#[tokio::test]
async fn a_new_key_is_printed_once_and_stored_as_a_hash_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let made = answer(
        folder.path(),
        "new --id alice --role standard --models gpt-*,o3 --providers openai --paths \
         /v1/chat/* --ips 10.0.0.0/8 --not-before 2020-01-01 --expires-at 90d --rate 60/minute \
         --burst 5 --concurrent 2 --metadata team=search --hours 00:00-24:00",
    )
    .await;
    let text = made["key"].as_str().expect("a key");
    assert_eq!(
        (made["id"].as_str(), text.len()),
        (Some("alice"), 53),
        "{made}"
    );
    assert!(text.starts_with("pcl_"), "a prefix that scanners know");
    let file = folder.path().join("keys.yaml");
    let stored = std::fs::read_to_string(&file).expect("the file was made");
    assert!(
        stored.contains("sha256:") && !stored.contains(&text[4..]),
        "the hash and not the key: {stored}"
    );
    let secret = folder.path().join("keys.token-secret");
    assert_eq!(
        (mode(&file), mode(&secret)),
        (0o600, 0o600),
        "nobody else's"
    );
    assert_eq!(
        listing(folder.path()),
        [secret, file],
        "and nothing is left behind"
    );

    let listed = keys(folder.path(), "list --format json").await;
    let shown = stdout(&listed);
    assert!(!shown.contains(&text[4..]), "a list shows no key: {shown}");
    let listed: serde_json::Value = serde_json::from_str(&shown).expect("JSON");
    let alice = &listed["keys"][0];
    for (name, value) in [
        ("id", "\"alice\""),
        ("role", "\"standard\""),
        ("state", "\"active\""),
        ("models", "[\"gpt-*\",\"o3\"]"),
        ("rate", "\"60/minute\""),
        ("concurrent", "2"),
        ("metadata", "{\"team\":\"search\"}"),
    ] {
        assert_eq!(alice[name].to_string(), value, "{name} in {listed}");
    }
    let told = keys(folder.path(), "list").await;
    assert!(stdout(&told).contains("alice"), "and for people");
}

#[tokio::test]
async fn for_people_the_key_stands_alone_on_standard_output() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = keys(folder.path(), "new --id a --role read_only").await;
    let (out, err) = (stdout(&output), stderr(&output));
    assert!(
        out.starts_with("pcl_") && out.lines().count() == 1,
        "{out:?}"
    );
    assert!(
        err.contains("this once") && !err.contains(out.trim()),
        "{err:?}"
    );
}

#[tokio::test]
async fn unusable_arguments_change_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    key(folder.path(), "--id alice --role standard").await;
    let file = folder.path().join("keys.yaml");
    let before = std::fs::read_to_string(&file).expect("the file");
    for (arguments, word) in [
        ("new --id alice --role standard", "rotate --id alice"),
        ("new --id a/b --role standard", "--id"),
        ("new --id b --role king", "read_only"),
        ("new --id b", "--role"),
        (
            "new --id b --role admin --expires-at someday",
            "--expires-at",
        ),
        ("new --id b --role admin --rate often", "--rate"),
        ("new --id b --role admin --ips home", "10.0.0.0/8"),
        ("new --id b --role admin --paths v1", "/v1/embeddings"),
        ("new --id b --role admin --burst 0", "--burst"),
        (
            "new --id b --role admin --not-before 2030-01-01 --expires-at 2029-01-01",
            "not after",
        ),
        ("rotate --id bob", "no key has the id"),
        ("rotate --id alice --overlap long", "--overlap"),
        ("revoke --id bob", "no key has the id"),
        ("token --role standard --ttl 0s", "--ttl"),
        ("token --role standard --scope model:", "--scope"),
    ] {
        let output = keys(folder.path(), arguments).await;
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{arguments}: {said}");
        assert!(said.contains(word), "{arguments}: {said}");
        assert!(output.stdout.is_empty(), "{arguments}: no key is printed");
    }
    let after = std::fs::read_to_string(&file).expect("the file");
    assert_eq!(after, before, "not a byte");
    let empty = tempfile::tempdir().expect("a folder");
    for arguments in ["list", "revoke --id a", "rotate --id a"] {
        let output = keys(empty.path(), arguments).await;
        assert_eq!(output.status.code(), Some(2), "{arguments} without a file");
    }
}

#[tokio::test]
async fn what_a_file_holds_beside_keys_is_kept_or_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("keys.yaml");
    std::fs::write(&file, "# Ours.\nkeys: []\n").expect("a file");
    let output = keys(folder.path(), "new --id a --role admin").await;
    assert!(stderr(&output).contains("mode 0600"), "it was open to all");
    assert_eq!(mode(&file), 0o600, "and no longer is");
    let text = std::fs::read_to_string(&file).expect("the file");
    assert!(text.starts_with("# Ours.\nkeys:\n"), "{text}");
    for (more, word) in [
        (
            "  - {id: b, hash: pcl_secret-text, role: admin}\n",
            "must never stand here",
        ),
        ("owner: me\n", "owner"),
    ] {
        std::fs::write(&file, format!("{text}{more}")).expect("a file");
        let output = keys(folder.path(), "new --id c --role admin").await;
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(
            said.contains(word) && !said.contains("secret-text"),
            "{said}"
        );
    }
}

#[tokio::test]
async fn keys_made_at_the_same_time_are_all_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let made = (0..8).map(|n| {
        let arguments = format!("new --id key-{n} --role standard");
        let path = folder.path().to_path_buf();
        tokio::spawn(async move { keys(&path, &arguments).await.status.code() })
    });
    for one in made.collect::<Vec<_>>() {
        assert_eq!(one.await.expect("it ran"), Some(0), "each of them");
    }
    let listed = answer(folder.path(), "list").await;
    assert_eq!(listed["keys"].as_array().map(Vec::len), Some(8), "{listed}");
}

#[tokio::test]
async fn rotation_keeps_the_old_key_for_its_overlap_and_the_old_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let old = key(folder.path(), "--id alice --role standard").await;
    let file = folder.path().join("keys.yaml");
    let before = std::fs::read_to_string(&file).expect("the file");
    let turned = answer(folder.path(), "rotate --id alice --overlap 24h --notify").await;
    let new = turned["key"].as_str().expect("a key");
    assert_ne!(new, old, "another key");
    let backup = PathBuf::from(turned["backup"].as_str().expect("a backup"));
    let kept = std::fs::read_to_string(&backup).expect("the backup");
    assert_eq!((kept, mode(&backup)), (before, 0o600), "the file as it was");
    let listed = answer(folder.path(), "list").await;
    assert_eq!(
        listed["keys"][0]["previous"][0]["expires_at"], turned["old_key_expires_at"],
        "{listed}"
    );
    let again = answer(folder.path(), "rotate --id alice --overlap 1h").await;
    assert_ne!(again["backup"], turned["backup"], "a backup of its own");
    let at_once = answer(folder.path(), "rotate --id alice --overlap 0s").await;
    assert!(at_once["key"].is_string(), "without an overlap");
    answer(folder.path(), "revoke --id alice").await;
    answer(folder.path(), "revoke --id alice").await;
    let output = keys(folder.path(), "rotate --id alice").await;
    assert!(stderr(&output).contains("was revoked"), "it stays so");
}

#[tokio::test]
async fn an_overlap_ends_with_its_key_and_a_key_that_has_expired_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    key(folder.path(), "--id brief --role standard --expires-at 2h").await;
    let listed = answer(folder.path(), "list").await;
    let turned = answer(folder.path(), "rotate --id brief --overlap 24h").await;
    assert_eq!(
        turned["old_key_expires_at"], listed["keys"][0]["expires_at"],
        "the overlap does not make it longer"
    );
    for arguments in [
        "new --id old --role standard --expires-at 2025-01-01",
        "rotate --id old",
    ] {
        let output = keys(folder.path(), arguments).await;
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let told = stderr(&output);
        assert!(told.contains("`old` expired at 2025-01-01"), "{told}");
    }
    let output = keys(folder.path(), "rotate --id brief").await;
    assert!(!stderr(&output).contains("Mind"), "and no other");
}

#[tokio::test]
async fn a_key_from_elsewhere_is_hashed_from_standard_input() {
    for (key, arguments, code, word) in [
        (
            "abc\n",
            "hash",
            0,
            "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\n",
        ),
        (
            "abc",
            "hash --format json",
            0,
            "{\"hash\":\"sha256:ba7816bf",
        ),
        ("", "hash", 2, "no key"),
        ("two words", "hash", 2, "without spaces"),
        ("sha256:00", "hash", 2, "a hash already"),
        ("pcl_cut-off", "hash", 2, "checksum"),
    ] {
        let mut words = vec!["keys"];
        words.extend(arguments.split_whitespace());
        let mut child = command(&words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let mut input = child.stdin.take().expect("an input");
        input.write_all(key.as_bytes()).await.expect("it reads");
        drop(input);
        let output = within("it ends", child.wait_with_output())
            .await
            .expect("an end");
        let said = format!("{}{}", stdout(&output), stderr(&output));
        assert_eq!(output.status.code(), Some(code), "{key:?}: {said}");
        assert!(said.contains(word), "{key:?}: {said}");
    }
}

#[tokio::test]
async fn each_command_shows_an_example() {
    for name in ["new", "list", "rotate", "revoke", "hash", "token"] {
        let output = run(&["keys", name, "--help"]).await;
        let said = stdout(&output);
        assert_eq!(output.status.code(), Some(0), "{name}");
        assert!(
            said.contains("Example:") && said.contains(&format!("keys {name}")),
            "{said}"
        );
    }
}
