//! What is shown of a configuration, and what is told of a change.

use serde_json::json;

use super::*;
use crate::config::view::key_changes;

const BASE: &str = "providers: [{name: p, api: openai, endpoints: [{url: \"https://a.example\"}], \
                    api_key: \"${UPSTREAM}\"}]\nroutes: [{models: [\"*\"], providers: [p]}]\n";

fn keys(lines: &[&str]) -> String {
    let line = |id: &&str| {
        let hash = fingerprint::digest(id);
        format!("  - {{id: {id}, hash: \"sha256:{hash}\", role: standard}}\n")
    };
    format!("keys:\n{}", lines.iter().map(line).collect::<String>())
}

fn world(secret: &str, ids: &[&str]) -> World {
    World::default()
        .env("UPSTREAM", secret)
        .file("keys.yaml", &keys(ids))
}

#[test]
fn a_view_shows_every_key_and_no_secret() {
    let world = world("sk-very-secret-0123456789", &["alice"]).env("LOG_LEVEL", "warn");
    let view = world.review(BASE).unwrap().view;
    assert_eq!(view.config["size_limits"]["json"], "1MiB", "a default");
    assert_eq!(view.config["logging"]["level"], "warn", "the environment's");
    assert_eq!(view.config["providers"][0]["api_key"], "***", "a secret");
    let shown = format!("{}", view.config);
    assert!(!shown.contains("sk-very"), "nothing of it: {shown}");
}

#[test]
fn changes_name_their_keys_and_show_no_secret() {
    let before = world("sk-one", &["alice", "bob"]).review(BASE).unwrap();
    let text = format!("{BASE}size_limits: {{json: 2MiB}}\n");
    let after = world("sk-two", &["bob", "carol"]).review(&text).unwrap();
    let (old, new) = (&before.view, &after.view);
    let changes = old.changes(new);
    let found: Vec<_> = changes.iter().map(|change| change.key.as_str()).collect();
    assert_eq!(
        found,
        ["auth.keys_file", "providers[0].api_key", "size_limits.json"],
        "what differs"
    );
    let last = changes.last().unwrap();
    assert_eq!(
        (&last.from, &last.to),
        (&json!("1MiB"), &json!("2MiB")),
        "values"
    );
    let told = serde_json::to_string(&changes).unwrap();
    assert!(!told.contains("sk-"), "no secret: {told}");
    let (ours, theirs) = (&before.policy.auth.keys, &after.policy.auth.keys);
    let keys = key_changes(ours, theirs);
    assert_eq!(
        (keys.added.count, keys.removed.count, keys.changed.count),
        (1, 1, 0),
        "keys"
    );
    assert_eq!(&*keys.added.first[0], "carol", "who came");
    assert!(old.changes(old).is_empty(), "nothing differs from itself");
    assert!(key_changes(ours, ours).is_empty(), "nor do its keys");
}

#[test]
fn a_route_that_is_gone_is_one_change() {
    let more = BASE.replace("routes: [", "routes: [{models: [a], providers: [p]}, ");
    let old = world("s", &["alice"]).review(&more).unwrap().view;
    let new = world("s", &["alice"]).review(BASE).unwrap().view;
    let found: Vec<_> = old
        .changes(&new)
        .into_iter()
        .map(|change| change.key)
        .collect();
    assert_eq!(found, ["routes[0].models", "routes[1]"], "by place");
}
