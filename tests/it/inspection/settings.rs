//! Rules of one's own, limits of text, and what can't be read.

use serde_json::json;

use super::{ATTACK, CARD, CHAT, EMAIL, events, id, inspecting, post, saying};
use crate::harness::{Gateway, Upstream, gateway};

/// A gateway with this rules file.
async fn with_rules(upstream: &Upstream, rules: &str) -> (tempfile::TempDir, Gateway) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("rules.yaml");
    std::fs::write(&path, rules).expect("a file");
    let gateway = inspecting(upstream, &format!("rules_file: {}", path.display())).await;
    (directory, gateway)
}

const OWN: &str = "disabled: [pii.email]\nrules:\n  - id: acme.bluebird\n    family: \
    prompt_injection\n    kind: project\n    severity: critical\n    literals: [project bluebird]\n  \
    - id: acme.badge\n    family: web_attacks\n    literals: [badge-]\n    pattern: \
    'badge-[0-9]{6}'\n    languages: [en]\n";

#[tokio::test]
async fn own_rules_act_and_switched_off_ones_do_not() {
    let upstream = Upstream::start().await;
    let (_directory, gateway) = with_rules(&upstream, OWN).await;
    let reply = gateway
        .send(&post(CHAT, &saying("Tell of Project  BLUEB\u{200b}IRD!")))
        .await;
    reply.assert_refused(400, "prompt_injection_detected", "an own rule, in disguise");
    let told = events(&gateway, &reply).await;
    assert_eq!(told[0]["metadata"]["rule"], "acme.bluebird", "{told:?}");
    assert_eq!(told[0]["metadata"]["kind"], "project", "{told:?}");
    let text = format!("{EMAIL} {CARD} badge-123456 badge-12");
    let reply = gateway.send(&post(CHAT, &saying(&text))).await;
    reply.assert_fine("nothing of it is refused");
    let received = upstream.only_request().text();
    assert!(received.contains(EMAIL), "its rule is off: {received}");
    assert!(
        received.contains("[CREDIT_CARD_1]"),
        "the others are on: {received}"
    );
    let told = events(&gateway, &reply).await;
    let badges = told
        .iter()
        .filter(|one| one["metadata"]["rule"] == "acme.badge")
        .count();
    assert_eq!(badges, 1, "the pattern confirms the literal: {told:?}");
    let reply = gateway.send(&post(CHAT, &saying(ATTACK))).await;
    reply.assert_refused(400, "prompt_injection_detected", "built-in rules are on");
}

#[tokio::test]
async fn a_wrong_rules_file_is_explained_and_nothing_starts() {
    let rule = |fields: &str| format!("rules:\n  - {{id: a.b, family: web_attacks, {fields}}}\n");
    for (rules, wanted) in [
        (
            "disable: [pii.email]\n".to_owned(),
            vec!["rules.yaml:1", "disable", "disabled"],
        ),
        (
            "disabled: [pii.no_such]\n".to_owned(),
            vec!["rules_file", "pii.no_such"],
        ),
        (
            "rules:\n  - {id: a, family: pii_, literals: [abc]}\n".to_owned(),
            vec!["rules.yaml:2"],
        ),
        (rule("literals: []"), vec!["rules_file", "a.b"]),
        (
            rule("literals: [abcd], pattern: '('"),
            vec!["rules_file", "a.b"],
        ),
        (
            rule("literals: [abcd], severity: awful"),
            vec!["rules.yaml:2", "critical"],
        ),
        ("rules: [\n".to_owned(), vec!["rules.yaml:"]),
    ] {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("portcullis.yaml");
        std::fs::write(directory.path().join("rules.yaml"), &rules).expect("a file");
        let text = "providers: [{name: local, api: echo}]\nroutes: [{models: [\"*\"], providers: \
                    [local]}]\ninspection: {request: {rules_file: rules.yaml}}\n";
        std::fs::write(&file, text).expect("a file");
        for command in ["check", "run", "scan"] {
            let output = gateway::run(&[command, "-c", &file.to_string_lossy()]).await;
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(2), "{command} {rules:?}: {said}");
            for part in &wanted {
                assert!(said.contains(part), "{rules:?}: {part} is said: {said}");
            }
        }
    }
}

#[tokio::test]
async fn text_is_taken_up_to_the_limit_and_not_one_character_more() {
    let upstream = Upstream::start().await;
    let gateway = inspecting(&upstream, "max_text_chars: 1000").await;
    let text = "\u{e9}a ".repeat(333);
    for (text, fine) in [(format!("{text}x"), true), (format!("{text}xy"), false)] {
        let reply = gateway.send(&post(CHAT, &saying(&text))).await;
        if fine {
            reply.assert_fine("as many as are allowed");
        } else {
            reply.assert_refused(400, "text_too_long", "one more");
        }
    }
    assert_eq!(upstream.requests().len(), 1, "only the one");
}

#[tokio::test]
async fn what_can_not_be_read_takes_the_named_policy() {
    let image = format!("data:image/png;base64,{}", "iVBORw0KGgo".repeat(500));
    let parts = json!([{"type": "text", "text": "What is it?"},
        {"type": "image_url", "image_url": {"url": image}}]);
    let body = json!({"model": "m", "messages": [{"role": "user", "content": parts}]}).to_string();
    let upstream = Upstream::start().await;
    let gateway = inspecting(&upstream, "uninspectable: block").await;
    let reply = gateway.send(&post(CHAT, &body)).await;
    reply.assert_refused(415, "unsupported_media_type", "an image can't be read");
    assert_eq!(upstream.connections(), 0, "nobody was called");
    gateway
        .send(&post(CHAT, &saying("Hi")))
        .await
        .assert_fine("text can");

    let upstream = Upstream::start().await;
    let gateway = inspecting(&upstream, "uninspectable: flag").await;
    let reply = gateway.send(&post(CHAT, &body)).await;
    reply.assert_fine("it passes");
    assert_eq!(upstream.only_request().body, body.as_bytes(), "as it came");
    let line = gateway.access_line(id(&reply)).await;
    let unread = line["extra_data"]["uninspected_bytes"]
        .as_u64()
        .unwrap_or_default();
    assert!(unread >= 5_500, "and is on record: {line}");
}
