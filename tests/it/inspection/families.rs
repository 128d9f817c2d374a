//! Each family with each of its actions.

use super::{ATTACK, CARD, CHAT, CODE, EMAIL, SECRET, WEB, events, inspecting, post, saying};
use crate::harness::{Gateway, Upstream};

/// A text of each family, and how its refusal is called.
const FAMILIES: [(&str, &str, &str); 5] = [
    ("prompt_injection", ATTACK, "prompt_injection_detected"),
    ("code_patterns", CODE, "code_pattern_detected"),
    ("web_attacks", WEB, "web_attack_detected"),
    ("pii", EMAIL, "pii_detected"),
    ("secrets", SECRET, "secret_detected"),
];

/// All families under one action, and text otherwise as it is.
fn all(action: &str) -> String {
    let keys = FAMILIES.map(|(family, ..)| format!("{family}: {action}"));
    format!("sanitization: off, {}", keys.join(", "))
}

/// A counter of findings.
fn counter(family: &str, action: &str) -> String {
    format!(
        "proxy_api_inspection_findings_total{{action=\"{action}\",category=\"{family}\",\
         direction=\"request\"}}"
    )
}

async fn assert_counted(gateway: &Gateway, family: &str, action: &str) {
    gateway.metric_reaches(&counter(family, action), 1.0).await;
}

#[tokio::test]
async fn what_is_blocked_is_refused_by_its_name_and_nobody_is_called() {
    let upstream = Upstream::start().await;
    let gateway = inspecting(&upstream, &all("block")).await;
    for (family, text, code) in FAMILIES {
        let reply = gateway.send(&post(CHAT, &saying(text))).await;
        reply.assert_refused(400, code, family);
        let told = reply.text();
        assert!(
            !told.contains(text),
            "an answer never holds the text: {told}"
        );
        let events = events(&gateway, &reply).await;
        let mut told = events.iter().map(|one| &one["threat_type"]);
        assert!(
            told.any(|kind| kind == family),
            "{family} is on record: {events:?}"
        );
        assert_counted(&gateway, family, "block").await;
    }
    assert_eq!(upstream.connections(), 0, "not even a connection is made");
}

#[tokio::test]
async fn what_is_flagged_passes_to_the_byte_and_is_on_record() {
    let upstream = Upstream::start().await;
    let gateway = inspecting(&upstream, &all("flag")).await;
    for (number, (family, text, _)) in FAMILIES.into_iter().enumerate() {
        let body = saying(&format!("  {text}\t"));
        let reply = gateway.send(&post(CHAT, &body)).await;
        reply.assert_fine(family);
        let received = upstream.wait_requests(number + 1).await;
        let received = String::from_utf8_lossy(&received[number].body).into_owned();
        assert_eq!(received, body, "{family} passes as it came");
        let events = events(&gateway, &reply).await;
        let is_it = |one: &&serde_json::Value| one["threat_type"] == family;
        let event = events.iter().find(is_it);
        let event = event.unwrap_or_else(|| panic!("{family} is on record: {events:?}"));
        assert_eq!(event["metadata"]["action"], "flag", "{event}");
        assert_counted(&gateway, family, "flag").await;
    }
}

#[tokio::test]
async fn what_is_off_is_not_looked_for() {
    let upstream = Upstream::start().await;
    let gateway = inspecting(&upstream, &all("off")).await;
    for (number, (family, text, _)) in FAMILIES.into_iter().enumerate() {
        let body = saying(text);
        let reply = gateway.send(&post(CHAT, &body)).await;
        reply.assert_fine(family);
        let received = upstream.wait_requests(number + 1).await;
        assert_eq!(
            received[number].body,
            body.as_bytes(),
            "{family} as it came"
        );
        let events = events(&gateway, &reply).await;
        assert!(events.is_empty(), "nobody looked for {family}: {events:?}");
    }
}

#[tokio::test]
async fn what_is_masked_leaves_a_label_and_everything_else_to_the_byte() {
    let upstream = Upstream::start().await;
    let gateway = inspecting(&upstream, "pii: mask, secrets: mask").await;
    // Spaces, escapes, numbers and the order of keys are the client's business.
    let body = |email: &str, other: &str, card: &str, secret: &str| {
        format!(
            "{{ \"temperature\": 1.0e0,\r\n\t\"messages\" : [{{\"content\":\"\\u00fc to \
             {email}, {other} and {email}; card {card}\\n\",\"role\":\"user\"}},{{\"role\":\
             \"assistant\",\"content\":\"key \\\"{secret}\\\" \\/\"}}], \"model\":\"gpt\\u002d4o\",\
             \"seed\":-0}} "
        )
    };
    let sent = body(EMAIL, "grace@navy.example.mil", CARD, SECRET);
    let want = body(
        "[EMAIL_1]",
        "[EMAIL_2]",
        "[CREDIT_CARD_1]",
        "[GITHUB_TOKEN_1]",
    );
    for (number, chunk) in [None, Some(1), Some(7), Some(64)].into_iter().enumerate() {
        let request = post(CHAT, &sent);
        let request = match chunk {
            Some(size) => request.chunked(size),
            None => request,
        };
        let reply = gateway.send(&request).await;
        reply.assert_fine("it passes, masked");
        let received = upstream.wait_requests(number + 1).await;
        let received = &received[number];
        let text = String::from_utf8_lossy(&received.body).into_owned();
        assert_eq!(text, want, "in chunks of {chunk:?}");
        let length = want.len().to_string();
        assert_eq!(
            received.headers().one("content-length"),
            Some(length.as_str()),
            "the length is the new body's"
        );
        assert!(
            !received.headers().has("transfer-encoding"),
            "and the only thing that says where it ends"
        );
    }
    for family in ["pii", "secrets"] {
        assert_counted(&gateway, family, "mask").await;
    }
}

#[tokio::test]
async fn text_is_cleaned_as_far_as_the_policy_says() {
    let sent = r#"a\u0001b\u200bc\u202ed\u001b[31m <b>\"x\" & 'y'</b> \n\u00e9"#;
    for (level, want) in [
        ("off", sent),
        ("standard", r#"abcd[31m <b>\"x\" & 'y'</b> \n\u00e9"#),
        (
            "strict",
            r"abcd[31m &lt;b&gt;&quot;x&quot; &amp; &#39;y&#39;&lt;/b&gt; \n\u00e9",
        ),
    ] {
        let upstream = Upstream::start().await;
        let gateway = inspecting(&upstream, &format!("sanitization: {level}")).await;
        let body = |text: &str| saying("@@").replace("@@", text);
        let reply = gateway.send(&post(CHAT, &body(sent))).await;
        reply.assert_fine(level);
        let received = upstream.only_request();
        let text = String::from_utf8_lossy(&received.body).into_owned();
        assert_eq!(text, body(want), "{level}");
        let length = text.len().to_string();
        assert_eq!(
            received.headers().one("content-length"),
            Some(length.as_str()),
            "{level}"
        );
    }
}

#[tokio::test]
async fn the_defaults_block_mask_and_flag_as_the_contract_says() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    for (text, code) in [
        (ATTACK, "prompt_injection_detected"),
        (SECRET, "secret_detected"),
    ] {
        let reply = gateway.send(&post(CHAT, &saying(text))).await;
        reply.assert_refused(400, code, text);
    }
    assert_eq!(upstream.connections(), 0, "nobody was called");
    let text = format!("{EMAIL} {WEB} {CODE}");
    let reply = gateway.send(&post(CHAT, &saying(&text))).await;
    reply.assert_fine("masked and flagged");
    let received = upstream.only_request().text();
    assert!(!received.contains(EMAIL), "{received}");
    for passed in ["[EMAIL_1]", "<script>", "/dev/tcp/"] {
        assert!(received.contains(passed), "{passed}: {received}");
    }
}
