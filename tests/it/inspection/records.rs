//! What is on record of an inspection: rules and places, and never the text.

use serde_json::{Value, json};

use super::{ATTACK, CARD, CHAT, CODE, EMAIL, SECRET, events, id, inspecting, post, saying};
use crate::harness::{Gateway, Upstream};

#[tokio::test]
async fn an_access_line_says_by_what_policy_how_much_and_for_what_a_request_was_read() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    let body = saying(&format!("mail {EMAIL} and {EMAIL}"));
    let reply = gateway.send(&post(CHAT, &body)).await;
    reply.assert_fine("it passes, masked");
    let line = gateway.access_line(id(&reply)).await;
    let data = &line["extra_data"];
    let hash = data["policy"].as_str().unwrap_or_default();
    let is_hash = hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    assert!(is_hash, "the policy's hash: {line}");
    assert_eq!(
        data["inspected_bytes"],
        body.len(),
        "all of it was read: {line}"
    );
    assert_eq!(data["request_bytes"], body.len(), "{line}");
    assert_eq!(data["uninspected_bytes"], 0, "{line}");
    let families = json!([
        "prompt_injection",
        "code_patterns",
        "web_attacks",
        "pii",
        "secrets",
        "sanitization"
    ]);
    assert_eq!(data["families"], families, "what was looked for: {line}");
    let findings = data["findings"].as_array().cloned().unwrap_or_default();
    let is_it = |one: &&Value| one["family"] == "pii" && one["action"] == "mask";
    let found = findings.iter().find(is_it);
    assert_eq!(found.map(|one| &one["count"]), Some(&json!(2)), "{line}");

    let other = inspecting(&upstream, "pii: flag, web_attacks: off").await;
    let reply = other.send(&post(CHAT, &saying("Hi"))).await;
    let line = other.access_line(id(&reply)).await;
    assert_ne!(
        line["extra_data"]["policy"], hash,
        "another policy, another hash"
    );
    let families = json!([
        "prompt_injection",
        "code_patterns",
        "pii",
        "secrets",
        "sanitization"
    ]);
    assert_eq!(line["extra_data"]["families"], families, "{line}");
}

#[tokio::test]
async fn a_security_event_says_which_rule_found_something_where() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    let body = json!({"model": "m", "messages": [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": format!("\u{fc}ber {EMAIL}")}]})
    .to_string();
    let request = post(CHAT, &body).header("user-agent", "a-client/1.0");
    let reply = gateway.send(&request).await;
    reply.assert_fine("it passes, masked");
    let told = events(&gateway, &reply).await;
    let [event] = told.as_slice() else {
        panic!("one event: {told:?}")
    };
    let want = json!({"reason": "mask", "rule": "pii.email", "kind": "EMAIL", "channel": "user",
        "offset": body.find(EMAIL), "length": EMAIL.len(), "action": "mask"});
    assert_eq!(event["metadata"], want, "{event}");
    for (field, value) in [
        ("operation", "inspection"),
        ("threat_type", "pii"),
        ("level", "WARNING"),
        ("client_ip", "127.0.0.1"),
        ("user_agent", "a-client/1.0"),
    ] {
        assert_eq!(event[field], value, "{event}");
    }
    assert_eq!(event["tags"], json!(["inspection", "request"]), "{event}");
    assert!(
        event["severity"].is_string() && event["user_id"].is_string(),
        "{event}"
    );

    let reply = gateway.send(&post(CHAT, &saying(ATTACK))).await;
    let told = events(&gateway, &reply).await;
    let critical = told
        .iter()
        .find(|one| one["threat_type"] == "prompt_injection");
    let critical = critical.unwrap_or_else(|| panic!("an event: {told:?}"));
    assert_eq!(critical["level"], "CRITICAL", "{critical}");
    let line = gateway.access_line(id(&reply)).await;
    assert_eq!(
        line["extra_data"]["code"], "prompt_injection_detected",
        "{line}"
    );
    let read = line["extra_data"]["inspected_bytes"]
        .as_u64()
        .unwrap_or_default();
    assert!(read > 0, "how far it was read: {line}");
}

#[tokio::test]
async fn no_line_holds_what_was_found_at_any_level() {
    let upstream = Upstream::start().await;
    for actions in [
        "prompt_injection: block, code_patterns: block, pii: block, secrets: block",
        "prompt_injection: flag, code_patterns: flag, pii: flag, secrets: flag",
        "mode: stream",
    ] {
        let gateway = Gateway::builder()
            .provider("mock", "openai", &upstream.url())
            .yaml(&format!("inspection: {{request: {{{actions}}}}}"))
            .env("LOG_LEVEL", "trace")
            .start()
            .await;
        let texts = [ATTACK, CODE, EMAIL, CARD, SECRET];
        for text in texts {
            for body in [saying(text), json!({"model": "m", text: text}).to_string()] {
                let reply = gateway.send(&post(CHAT, &body)).await;
                gateway.access_line(id(&reply)).await;
            }
        }
        let written = format!("{}{}", gateway.log_text(), gateway.stderr());
        for text in texts {
            let line = written.lines().find(|line| line.contains(text));
            assert_eq!(line, None, "{actions}: {text} is in the log");
        }
    }
}
