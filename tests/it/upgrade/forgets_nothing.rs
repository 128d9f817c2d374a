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

const OPEN: &str = "proxy_api_circuit_state{provider=\"gone\"}";

async fn order(gateway: &Gateway, path: &str, body: &serde_json::Value) {
    let reply = gateway
        .send(&Request::post(path, body).key(ADMIN_KEY))
        .await;
    reply.assert_fine(path);
}

async fn violations_today(gateway: &Gateway, kind: &str) -> serde_json::Value {
    let told = told(gateway, &format!("/internal/monitoring/{kind}")).await;
    told["violations"]["today"].clone()
}

async fn gateway(upstream: &Upstream) -> Gateway {
    let nobody = format!("http://{}", free_address());
    Gateway::builder()
        .provider("mock", "openai", &upstream.url())
        .provider_with("gone", "openai", &nobody, BREAKER)
        .route("{models: [\"gpt-*\"], providers: [mock]}")
        .route("{models: [\"lost\"], providers: [gone], retries: 0}")
        .key(Key {
            id: "rare",
            secret: TWICE_A_DAY,
            role: "standard",
            limits: "{rate: 2/day, burst: 2}",
        })
        .start()
        .await
}

/// Uses a limit up, opens a breaker and orders a measure.
async fn make_history(gateway: &Gateway) {
    let rare = chat("gpt-4o").key(TWICE_A_DAY);
    for _ in 0..2 {
        gateway.send(&rare).await.assert_fine("within the limit");
    }
    let limited = gateway.send(&rare).await;
    limited.assert_refused(429, "rate_limit_exceeded", "its key is at its limit");
    for _ in 0..2 {
        let reply = gateway.send(&chat("lost").key(STANDARD_KEY)).await;
        assert!(reply.status >= 502, "nobody is there: {}", reply.text());
    }
    gateway.metric_becomes(OPEN, 1.0).await;
    let sizes = json!({"max_request_size": 4096, "max_json_size": 4096});
    order(
        gateway,
        "/internal/middleware/request-size/emergency-limits",
        &sizes,
    )
    .await;
    let large = gateway.send(&large()).await;
    large.assert_refused(413, "request_too_large", "the measure");
    assert_eq!(violations_today(gateway, "rate-limiting").await, 1);
}

#[tokio::test]
async fn limits_measures_breakers_and_counts_of_the_day_outlive_the_process() {
    let upstream = Upstream::start().await;
    let mut gateway = gateway(&upstream).await;
    make_history(&gateway).await;
    let mut old = upgraded(&mut gateway, "portcullis.yaml").await;
    let status = within("the old process ends", old.wait()).await;
    assert_eq!(status.expect("a status").code(), Some(0), "drained");

    let limited = gateway.send(&chat("gpt-4o").key(TWICE_A_DAY)).await;
    limited.assert_refused(429, "rate_limit_exceeded", "it is still at its limit");
    let held = gateway.send(&large()).await;
    held.assert_refused(413, "request_too_large", "the measure holds");
    assert_eq!(gateway.metric(OPEN).await, Some(1.0), "the breaker is open");
    for kind in ["rate-limiting", "request-size"] {
        let today = violations_today(&gateway, kind).await;
        assert_eq!(today, 2, "one before, one after: {kind}");
    }
    order(&gateway, "/internal/security/reset-config", &json!({})).await;
    let undone = gateway.send(&large()).await;
    undone.assert_fine("a measure that was taken over is undone like any");
}
