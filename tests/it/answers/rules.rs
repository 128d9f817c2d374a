//! The operator's own rules, in what answers say.

use serde_json::json;

use super::live;
use crate::harness::replies::{chat as answer, chat_event};
use crate::harness::{Gateway, STANDARD_KEY, Script, Upstream, chat};

/// A gateway whose rules file holds this rule, and what becomes of harmful content in answers.
async fn ruled(upstream: &Upstream, rule: &str, harmful: &str) -> (Gateway, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("rules.yaml");
    let rules = format!("rules:\n  - {{id: acme.project, literals: [project bluebird], {rule}}}\n");
    std::fs::write(&file, rules).expect("a file");
    let rules = format!(
        "inspection: {{request: {{rules_file: {}}}, response: {{harmful: {harmful}}}}}",
        file.display()
    );
    let gateway = Gateway::builder()
        .provider("mock", "openai", &upstream.url())
        .yaml(&rules)
        .start()
        .await;
    (gateway, folder)
}

fn says(words: &str) -> Script {
    let mut body = answer("gpt-4o");
    body["choices"][0]["message"]["content"] = json!(words);
    Script::json(200, &body)
}

const TOLD: &str = "It is called Project  Bluebird inside.";

#[tokio::test]
async fn a_plain_answer_is_withheld_or_flagged_as_its_rule_says() {
    let upstream = Upstream::start().await;
    for (rule, harmful, code) in [
        (
            "family: harmful, applies_to: response",
            "block",
            Some("harmful_content_detected"),
        ),
        ("family: harmful, applies_to: both", "flag", None),
        (
            "family: prompt_injection, applies_to: both, severity: critical",
            "off",
            Some("prompt_injection_detected"),
        ),
        ("family: web_attacks, applies_to: response", "off", None),
    ] {
        let (gateway, _folder) = ruled(&upstream, rule, harmful).await;
        upstream.answer(says(TOLD));
        let reply = gateway.send(&chat("gpt-4o").key(STANDARD_KEY)).await;
        match code {
            Some(code) => {
                reply.assert_refused(400, code, rule);
                assert!(!reply.text().contains("luebird"), "{rule}: {reply:?}");
            }
            None => reply.assert_fine(rule),
        }
        let found = |line: &serde_json::Value| line["metadata"]["rule"] == "acme.project";
        gateway.wait_for_line(rule, found).await;
    }
}

#[tokio::test]
async fn a_rule_for_requests_leaves_answers_alone() {
    let upstream = Upstream::start().await;
    for rule in ["family: harmful", "family: harmful, applies_to: request"] {
        let (gateway, _folder) = ruled(&upstream, rule, "block").await;
        upstream.answer(says(TOLD));
        let reply = gateway.send(&chat("gpt-4o").key(STANDARD_KEY)).await;
        reply.assert_fine(rule);
        assert!(reply.text().contains(TOLD), "{rule}: {reply:?}");
    }
}

#[tokio::test]
async fn a_stream_ends_where_its_words_become_what_is_refused() {
    let upstream = Upstream::start().await;
    let rule = "family: prompt_injection, applies_to: response, severity: critical";
    let (gateway, _folder) = ruled(&upstream, rule, "off").await;
    let (feed, mut connection, head) = live(&upstream, &gateway).await;
    for word in ["It is ", "called pro", "ject blue", "bird in", "side."] {
        feed.event(&chat_event("gpt-4o", word));
    }
    let (rest, complete) = connection.rest(&head).await;
    let text = String::from_utf8(rest).expect("a stream is text");
    assert!(complete, "an orderly end: {text}");
    assert!(text.contains("prompt_injection_detected"), "typed: {text}");
    assert!(!text.contains("bird") && !text.contains("[DONE]"), "{text}");
    drop(feed);
}
