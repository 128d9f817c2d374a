//! What a new process remembers of the one before it: limits, measures, breakers, the day's counts.

use serde_json::json;

use super::upgraded;
use crate::harness::gateway::{Key, free_address};
use crate::harness::{ADMIN_KEY, Gateway, Request, STANDARD_KEY, Upstream, chat, within};

const TWICE_A_DAY: &str = "pc-twice-a-day-0123456789abcdef";
const BREAKER: &str = "{circuit_breaker: {failures: 2, within: 1m, open_for: 1h}}";

async fn told(gateway: &Gateway, path: &str) -> serde_json::Value {
    let reply = gateway.send(&Request::get(path).key(ADMIN_KEY)).await;
    reply.assert_fine(path);
    reply.json()
}

/// Over the limit of emergency sizes, and of no other.
fn large() -> Request {
    let text = "word ".repeat(2_000);
    let body = json!({"model": "gpt-4o", "messages": [{"role": "user", "content": text}]});
    Request::post("/v1/chat/completions", &body).key(STANDARD_KEY)
}

#[tokio::test]
async fn limits_measures_breakers_and_counts_of_the_day_outlive_the_process() {
    let upstream = Upstream::start().await;
    let mut gateway = Gateway::builder()
        .provider("mock", "openai", &upstream.url())
        .provider_with(
            "gone",
            "openai",
            &format!("http://{}", free_address()),
            BREAKER,
        )
        .route("{models: [\"gpt-*\"], providers: [mock]}")
        .route("{models: [\"lost\"], providers: [gone], retries: 0}")
        .key(Key {
            id: "rare",
            secret: TWICE_A_DAY,
            role: "standard",
            limits: "{rate: 2/day, burst: 2}",
        })
        .start()
        .await;
    let rare = chat("gpt-4o").key(TWICE_A_DAY);
    for _ in 0..2 {
        gateway.send(&rare).await.assert_fine("within the limit");
    }
    let limited = "its key is at its limit";
    gateway
        .send(&rare)
        .await
        .assert_refused(429, "rate_limit_exceeded", limited);
    for _ in 0..2 {
        let reply = gateway.send(&chat("lost").key(STANDARD_KEY)).await;
        assert!(reply.status >= 502, "nobody is there: {}", reply.text());
    }
    let open = "proxy_api_circuit_state{provider=\"gone\"}";
    gateway.metric_becomes(open, 1.0).await;
    let path = "/internal/middleware/request-size/emergency-limits";
    let sizes = json!({"max_request_size": 4096, "max_json_size": 4096});
    gateway
        .send(&Request::post(path, &sizes).key(ADMIN_KEY))
        .await
        .assert_fine("a measure");
    gateway
        .send(&large())
        .await
        .assert_refused(413, "request_too_large", "the measure");
    let before = told(&gateway, "/internal/monitoring/rate-limiting").await;
    assert_eq!(before["violations"]["today"], 1, "{before}");

    let mut old = upgraded(&mut gateway, "portcullis.yaml").await;
    let status = within("the old process ends", old.wait())
        .await
        .expect("a status");
    assert_eq!(status.code(), Some(0), "drained");

    gateway
        .send(&rare)
        .await
        .assert_refused(429, "rate_limit_exceeded", limited);
    gateway
        .send(&large())
        .await
        .assert_refused(413, "request_too_large", "the measure holds");
    assert_eq!(gateway.metric(open).await, Some(1.0), "the breaker is open");
    let rates = told(&gateway, "/internal/monitoring/rate-limiting").await;
    assert_eq!(
        rates["violations"]["today"], 2,
        "one before, one after: {rates}"
    );
    let sizes = told(&gateway, "/internal/monitoring/request-size").await;
    assert_eq!(
        sizes["violations"]["today"], 2,
        "one before, one after: {sizes}"
    );
    let path = "/internal/security/reset-config";
    gateway
        .send(&Request::post(path, &json!({})).key(ADMIN_KEY))
        .await
        .assert_fine("a reset");
    gateway
        .send(&large())
        .await
        .assert_fine("a measure that was taken over is undone like any");
}
