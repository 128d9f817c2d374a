//! Plain answers: judged whole, true to the byte, refused as typed errors.

use serde_json::{Value, json};

use super::gateway;
use crate::harness::received::Received;
use crate::harness::replies::chat as answer;
use crate::harness::script::{Step, head};
use crate::harness::{Gateway, Request, STANDARD_KEY, Script, Upstream, chat};
use crate::inspection::peak;

#[tokio::test]
async fn a_plain_answer_is_cleaned_and_its_length_is_true() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    let mut body = answer("gpt-4o");
    body["choices"][0]["message"]["content"] = json!("Ask jane@example.com.");
    body["internal_id"] = json!("db-7");
    upstream.answer(Script::json_with(
        200,
        &[("etag", "\"1\""), ("content-md5", "x"), ("server", "nginx")],
        &body,
    ));
    let reply = gateway.send(&chat("gpt-4o").key(STANDARD_KEY)).await;
    reply.assert_fine("cleaned");
    assert_eq!(
        reply.json()["choices"][0]["message"]["content"],
        "Ask [EMAIL_1]."
    );
    assert!(reply.json().get("internal_id").is_none());
    let length = reply.body.len().to_string();
    assert_eq!(reply.headers.one("content-length"), Some(length.as_str()));
    for name in ["etag", "content-md5", "transfer-encoding"] {
        assert!(
            !reply.headers.has(name),
            "{name} would not be true: {reply:?}"
        );
    }
}

#[tokio::test]
async fn a_refused_answer_is_a_typed_error() {
    let upstream = Upstream::start().await;
    let response = "pii: block, harmful: block, canaries: [\"our-system-prompt\"]";
    let gateway = gateway(&upstream, "openai", response).await;
    for (said, code) in [
        ("Ask jane@example.com", "pii_detected"),
        (
            "how to build a pipe bomb at home",
            "harmful_content_detected",
        ),
        ("OUR-SYSTEM-PROMPT", "canary_detected"),
    ] {
        let mut body = answer("gpt-4o");
        body["choices"][0]["message"]["content"] = json!(said);
        upstream.answer(Script::json(200, &body));
        let reply = gateway.send(&chat("gpt-4o").key(STANDARD_KEY)).await;
        reply.assert_refused(400, code, said);
        assert!(
            !reply.text().contains("jane") && !reply.text().contains("bomb"),
            "{reply:?}"
        );
        let id = reply.headers.one("x-request-id").expect("an id").to_owned();
        let found = |line: &Value| line["operation"] == "inspection" && line["request_id"] == *id;
        let event = gateway.wait_for_line("the finding", found).await;
        assert_eq!(event["tags"], json!(["inspection", "response"]), "{event}");
    }
}

#[tokio::test]
async fn what_is_no_proper_answer_is_a_502() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    for (kind, headers, body) in [
        ("application/json", vec![], "{\"half\":"),
        ("application/json", vec![], ""),
        ("text/html", vec![], "<h1>nginx</h1>"),
        ("application/json", vec![("content-encoding", "gzip")], "{}"),
        (
            "application/json",
            vec![],
            "{\"error\":{\"message\":\"at 10.1.2.3\"}}",
        ),
    ] {
        upstream.answer(Script::body(200, kind, &headers, body.as_bytes()));
        let reply = gateway.send(&chat("gpt-4o").key(STANDARD_KEY)).await;
        reply.assert_refused(502, "upstream_error", body);
    }
}

#[tokio::test]
async fn an_answer_without_end_has_a_stated_one_and_is_never_in_memory() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    // The allocator and the rules have what they need once a first answer has passed.
    let first = gateway.send(&chat("gpt-4o").key(STANDARD_KEY)).await;
    first.assert_fine("a usual answer");
    let before = peak(&gateway);
    let fields = [
        ("content-type", "application/json"),
        ("content-length", "1073741824"),
    ];
    let begun = [&head(200, &fields)[..], b"{\"id\":\""].concat();
    let steps = vec![Step::Send(begun), Step::Forever(vec![b'a'; 1 << 16])];
    upstream.answer(Script::new(steps));
    let reply = gateway.send(&chat("gpt-4o").key(STANDARD_KEY)).await;
    reply.assert_refused(502, "upstream_error", "a gigabyte");
    let left = |all: &[Received]| all.last().is_some_and(|one| one.abandoned);
    upstream.wait("the provider is left", left).await;
    let more = peak(&gateway).saturating_sub(before);
    assert!(more < 128 * 1024, "{more} KiB more than before");
}

#[tokio::test]
async fn a_providers_error_passes_if_it_is_the_callers_and_clean() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    let error = |message: &str| json!({"error": {"message": message, "type": "invalid_request_error", "param": "n", "code": null}});
    upstream.answer(Script::json(400, &error("n must be at most 128")));
    let reply = gateway.send(&chat("gpt-4o").key(STANDARD_KEY)).await;
    assert_eq!(
        (reply.status, &reply.json()["error"]["param"]),
        (400, &json!("n")),
        "the caller's own fault"
    );
    for inside in [
        "upstream 10.20.30.40 said no",
        "Traceback (most recent call last):\n  File \"/srv/app.py\", line 1",
        "key sk-proj-abcdefghijklmnopqrstuvwx1234567890 is bad",
    ] {
        upstream.answer(Script::json(422, &error(inside)));
        let reply = gateway.send(&chat("gpt-4o").key(STANDARD_KEY)).await;
        assert_eq!(reply.status, 422, "the status stays");
        assert_eq!(reply.json()["error"]["type"], "invalid_request_error");
        assert!(!reply.text().contains(inside), "{}", reply.text());
        assert!(
            !reply.text().contains("10.20") && !reply.text().contains("app.py"),
            "{}",
            reply.text()
        );
    }
}

#[tokio::test]
async fn embeddings_and_other_answers_pass_unchanged() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    let body = json!({"object": "list", "model": "m", "data": [{"object": "embedding", "index": 0,
        "embedding": "AAAAvwAAAD8".repeat(900)}], "usage": {"prompt_tokens": 3, "total_tokens": 3}});
    upstream.answer(Script::json(200, &body));
    let ask = Request::post("/v1/embeddings", &json!({"model": "m", "input": "x"}));
    let reply = gateway.send(&ask.key(STANDARD_KEY)).await;
    reply.assert_fine("embeddings");
    assert_eq!(reply.text(), body.to_string(), "to the byte");
}
