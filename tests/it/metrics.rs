//! `/metrics`: the contract's names, honest counts, and labels that no caller can multiply.

use std::collections::BTreeSet;

use crate::harness::{ADMIN_KEY, Gateway, Request, STANDARD_KEY, Upstream, chat, streamed_chat};

#[tokio::test]
async fn requests_are_counted_by_method_endpoint_and_status() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    for _ in 0..3 {
        gateway
            .send(&chat("gpt-4o").key(STANDARD_KEY))
            .await
            .assert_fine("a request");
    }
    gateway
        .send(&streamed_chat("gpt-4o").key(STANDARD_KEY))
        .await
        .assert_fine("a stream");
    gateway
        .send(&chat("gpt-4o"))
        .await
        .assert_refused(401, "missing_api_key", "no key");
    let chats = "proxy_api_requests_total{endpoint=\"/v1/chat/completions\",method=\"POST\",";
    gateway
        .metric_becomes(&format!("{chats}status_code=\"200\"}}"), 4.0)
        .await;
    gateway
        .metric_becomes(&format!("{chats}status_code=\"401\"}}"), 1.0)
        .await;
    let missing = "proxy_api_failed_auth_attempts_total{reason=\"missing\"}";
    gateway.metric_becomes(missing, 1.0).await;
}

#[tokio::test]
async fn the_contracts_metrics_are_there() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    gateway
        .send(&chat("gpt-4o").key(STANDARD_KEY))
        .await
        .assert_fine("a request");
    gateway.send(&chat("gpt-4o").key("wrong")).await;
    gateway
        .metric_reaches("proxy_api_overhead_seconds_count", 2.0)
        .await;
    let reply = gateway.send(&Request::get("/metrics").key(ADMIN_KEY)).await;
    let kind = reply.headers.one("content-type").unwrap_or_default();
    assert!(kind.starts_with("text/plain"), "Prometheus text: {kind}");
    let text = reply.text();
    for name in [
        "proxy_api_requests_total",
        "proxy_api_provider_requests_total",
        "proxy_api_failed_auth_attempts_total",
        "proxy_api_request_duration_seconds",
        "proxy_api_overhead_seconds",
        "proxy_api_request_size_bytes",
        "proxy_api_active_requests",
        "proxy_api_log_dropped_total",
        "process_resident_memory_bytes",
    ] {
        assert!(
            text.contains(&format!("# TYPE {name} ")),
            "{name} is there: {text}"
        );
    }
}

#[tokio::test]
async fn no_caller_can_grow_the_number_of_series() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::builder()
        .provider("mock", "openai", &upstream.url())
        .route("{models: [\"gpt-*\"], providers: [mock]}")
        .start()
        .await;
    let mut ids = Vec::new();
    for n in 0..30 {
        for request in [
            chat(&format!("gpt-{n}")),
            chat(&format!("unknown-{n}")),
            Request::get(&format!("/nothing/{n}")),
            Request::new(&format!("METHOD{n}"), "/v1/chat/completions"),
        ] {
            let reply = gateway.send(&request.key(STANDARD_KEY)).await;
            ids.push(reply.headers.one("x-request-id").expect("an id").to_owned());
        }
    }
    gateway.access_line(ids.last().expect("an id")).await;
    let text = gateway
        .send(&Request::get("/metrics").key(ADMIN_KEY))
        .await
        .text();
    for grown in ["nothing", "METHOD1", "unknown-1", "gpt-29"] {
        assert!(!text.contains(grown), "{grown} is no label: {text}");
    }
    let series = |line: &str| line.split(['{', ' ']).next().unwrap_or_default().to_owned();
    let counted = text.lines().filter(|line| !line.starts_with('#'));
    let totals: Vec<String> = counted
        .map(series)
        .filter(|name| name.ends_with("_total"))
        .collect();
    let names: BTreeSet<&String> = totals.iter().collect();
    for name in names {
        let count = totals.iter().filter(|other| *other == name).count();
        assert!(count <= 20, "{name} has {count} series: {text}");
    }
}
