//! Orders for endpoints: drained, forced, released; listed, written down, kept over reloads.

use serde_json::{Value, json};

use super::{READER, READER_KEY, event, look, measures, order};
use crate::harness::gateway::free_address;
use crate::harness::{ADMIN_KEY, Gateway, Request, STANDARD_KEY, Upstream, chat};

const PATH: &str = "/internal/providers/order";
const SHOWN: &str = "/internal/monitoring/providers";

/// A gateway before one provider with two endpoints.
async fn before(left: &Upstream, right: &Upstream) -> Gateway {
    let endpoints = format!(
        "{{endpoints: [{{url: \"{}\"}}, {{url: \"{}\"}}], circuit_breaker: {{failures: 1}}}}",
        left.url(),
        right.url()
    );
    Gateway::builder()
        .provider_with("mock", "openai", &left.url(), &endpoints)
        .key(READER)
        .start()
        .await
}

async fn calls(gateway: &Gateway, count: usize) {
    for _ in 0..count {
        let reply = gateway.send(&chat("gpt-4o").key(STANDARD_KEY)).await;
        reply.assert_fine("a call");
    }
}

async fn drain(gateway: &Gateway, endpoint: &Upstream) -> Value {
    let body = json!({
        "provider": "mock", "endpoint": endpoint.address().to_string(), "action": "drain",
        "reason": "new disk",
    });
    let reply = order(gateway, PATH, &body).await;
    reply.assert_fine("an order");
    reply.json()
}

#[tokio::test]
async fn each_endpoint_is_shown_as_it_stands() {
    let (left, right) = (Upstream::start().await, Upstream::start().await);
    let gateway = before(&left, &right).await;
    calls(&gateway, 2).await;
    let reply = gateway.send(&Request::get(SHOWN).key(READER_KEY)).await;
    reply.assert_fine("a reader may look");
    let shown = reply.json();
    assert_eq!(shown["status"], "healthy", "{shown}");
    let provider = &shown["providers"][0];
    assert_eq!(provider["circuit"], "closed", "{shown}");
    assert_eq!(provider["keys"], json!({"count": 1, "spent": 0}), "{shown}");
    for (place, upstream) in [&left, &right].into_iter().enumerate() {
        let endpoint = &provider["endpoints"][place];
        let address = upstream.address();
        assert_eq!(endpoint["endpoint"], json!(address.to_string()), "{shown}");
        assert_eq!(endpoint["url"], json!(upstream.url()), "{shown}");
        for (field, value) in [
            ("healthy", json!(true)),
            ("circuit", json!("closed")),
            ("order", json!("auto")),
            ("weight", json!(1)),
        ] {
            assert_eq!(endpoint[field], value, "{field}: {shown}");
        }
        assert!(endpoint["in_flight"].is_u64(), "counted: {shown}");
        let latency = endpoint["latency_ms"].as_f64();
        assert!(latency.is_some_and(|ms| ms > 0.0), "measured: {shown}");
    }
}

#[tokio::test]
async fn a_drained_endpoint_gets_no_call_until_it_is_released() {
    let (left, right) = (Upstream::start().await, Upstream::start().await);
    let gateway = before(&left, &right).await;
    let told = drain(&gateway, &left).await;
    assert_eq!(told["measure"]["kind"], "endpoint_drain", "{told}");
    calls(&gateway, 6).await;
    left.assert_untouched("it is drained");
    assert_eq!(right.requests().len(), 6, "its sibling has all of them");
    let shown = look(&gateway, SHOWN).await;
    assert_eq!(shown["status"], "degraded", "{shown}");
    let endpoint = &shown["providers"][0]["endpoints"][0];
    assert_eq!(endpoint["order"], "drain", "{shown}");
    let series = format!(
        "proxy_api_provider_healthy{{endpoint=\"{}\",provider=\"mock\"}}",
        left.address()
    );
    gateway.metric_becomes(&series, 0.0).await;
    let line = event(&gateway, "emergency_measure").await;
    assert!(line.to_string().contains("takes no new calls"), "{line}");
    let body = json!({"provider": "mock", "endpoint": left.url(), "action": "release"});
    let reply = order(&gateway, PATH, &body).await;
    reply.assert_fine("by another of its names: nothing is undone");
    assert_eq!(reply.json()["undone"], json!([]), "{}", reply.text());
    let body = json!({"provider": "mock", "action": "release"});
    let reply = order(&gateway, PATH, &body).await;
    assert_eq!(
        reply.json()["undone"][0]["reason"],
        "new disk",
        "{}",
        reply.text()
    );
    event(&gateway, "emergency_undone").await;
    calls(&gateway, 2).await;
    assert_eq!(left.requests().len(), 1, "its turn again");
    gateway.metric_becomes(&series, 1.0).await;
}

#[tokio::test]
async fn an_order_outlives_a_reload_and_ends_with_reset_config() {
    let (left, right) = (Upstream::start().await, Upstream::start().await);
    let gateway = before(&left, &right).await;
    drain(&gateway, &left).await;
    drain(&gateway, &right).await;
    let refused = gateway.send(&chat("gpt-4o").key(STANDARD_KEY)).await;
    refused.assert_refused(503, "no_healthy_provider", "both are drained");
    let mut connection = gateway.connect().await;
    connection.send(&Request::get("/ready")).await;
    let ready = connection.raw_reply().await.expect("an answer");
    assert_eq!(ready.status, 503, "nobody can serve");
    gateway.reconfigure("{logging: {level: debug}}");
    let reply = order(&gateway, "/internal/config/reload", &json!({})).await;
    reply.assert_fine("a reload");
    let refused = gateway.send(&chat("gpt-4o").key(STANDARD_KEY)).await;
    refused.assert_refused(503, "no_healthy_provider", "still drained");
    let kinds = measures(&gateway).await;
    assert_eq!(kinds, ["endpoint_drain", "endpoint_drain"], "one for each");
    let reset = order(&gateway, "/internal/security/reset-config", &json!({})).await;
    reset.assert_fine("a reset");
    calls(&gateway, 2).await;
    assert!(measures(&gateway).await.is_empty(), "none is left");
}

#[tokio::test]
async fn a_forced_endpoint_is_called_whatever_its_health() {
    let nobody = free_address();
    let breaker = "{circuit_breaker: {failures: 1, open_for: 1h}}";
    let gateway = Gateway::builder()
        .provider_with("away", "openai", &format!("http://{nobody}"), breaker)
        .start()
        .await;
    let attempts = async |gateway: &Gateway| {
        let reply = gateway.send(&chat("gpt-4o").key(STANDARD_KEY)).await;
        assert!(reply.status >= 500, "{}", reply.text());
        let line = gateway
            .access_line(reply.headers.one("x-request-id").expect("an id"))
            .await;
        line["extra_data"]["attempts"].as_u64().unwrap_or(0)
    };
    attempts(&gateway).await;
    assert_eq!(attempts(&gateway).await, 0, "the breaker is open");
    let body = json!({"provider": "away", "action": "force", "duration": "1h"});
    order(&gateway, PATH, &body).await.assert_fine("an order");
    assert!(attempts(&gateway).await > 0, "called nevertheless");
    let shown = look(&gateway, SHOWN).await;
    assert_eq!(shown["providers"][0]["circuit"], "open", "{shown}");
    assert_eq!(
        shown["providers"][0]["endpoints"][0]["order"], "force",
        "{shown}"
    );
    gateway
        .metric_becomes("proxy_api_circuit_state{provider=\"away\"}", 1.0)
        .await;
}

#[tokio::test]
async fn orders_for_what_is_not_there_or_from_who_may_not_are_refused() {
    let (left, right) = (Upstream::start().await, Upstream::start().await);
    let gateway = before(&left, &right).await;
    for (body, param) in [
        (json!({}), "action"),
        (json!({"provider": "mock", "action": "explode"}), "action"),
        (json!({"action": "drain"}), "provider"),
        (json!({"provider": "nobody", "action": "drain"}), "provider"),
        (
            json!({"provider": "mock", "endpoint": "x:1", "action": "drain"}),
            "endpoint",
        ),
        (
            json!({"provider": "mock", "action": "drain", "tpyo": 1}),
            "tpyo",
        ),
        (
            json!({"provider": "mock", "action": "drain", "duration": "soon"}),
            "duration",
        ),
    ] {
        let reply = order(&gateway, PATH, &body).await;
        reply.assert_refused(400, "invalid_request", &body.to_string());
        assert_eq!(reply.json()["error"]["param"], param, "{body}");
    }
    let body = json!({"provider": "mock", "action": "drain"});
    for key in [STANDARD_KEY, READER_KEY] {
        let reply = gateway.send(&Request::post(PATH, &body).key(key)).await;
        reply.assert_refused(403, "permission_denied", "no such right");
    }
    let reply = gateway.send(&Request::get(PATH).key(ADMIN_KEY)).await;
    reply.assert_refused(405, "method_not_allowed", "an order is a POST");
    assert!(measures(&gateway).await.is_empty(), "nothing was ordered");
}
