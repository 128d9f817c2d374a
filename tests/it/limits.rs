//! What may come in: rates at every level, what a client is told of them, and what follows when
//! they are not kept.

use serde_json::json;

use super::harness::gateway::run;
use super::harness::{
    ADMIN_KEY, Gateway, Reply, Request, STANDARD_KEY, Script, Upstream, chat, within,
};

const THREE: &str = "rate_limits: {per_key: {rate: 1/hour, burst: 3}}";

async fn limited(yaml: &str) -> Gateway {
    Gateway::builder().echo("local").yaml(yaml).start().await
}

fn number(reply: &Reply, header: &str) -> u64 {
    let text = reply
        .headers
        .one(header)
        .unwrap_or_else(|| panic!("{header} is there"));
    let digits = text.trim_end_matches('s');
    digits
        .parse()
        .unwrap_or_else(|_| panic!("{header}: {text}"))
}

#[tokio::test]
async fn a_key_gets_its_burst_and_is_told_what_is_left() {
    let gateway = limited(THREE).await;
    for left in [2, 1, 0] {
        let reply = gateway.send(&chat("echo").key(STANDARD_KEY)).await;
        assert_eq!(reply.status, 200, "within the burst");
        assert_eq!(number(&reply, "x-ratelimit-limit-requests"), 3, "the limit");
        assert_eq!(
            number(&reply, "x-ratelimit-remaining-requests"),
            left,
            "what is left"
        );
    }
    let refused = gateway.send(&chat("echo").key(STANDARD_KEY)).await;
    assert_eq!(refused.status, 429, "one more");
    assert_eq!(
        refused.json()["error"]["code"],
        "rate_limit_exceeded",
        "the code"
    );
    assert_eq!(
        number(&refused, "x-ratelimit-remaining-requests"),
        0,
        "nothing is left"
    );
    assert!(
        (3_590..=3_600).contains(&number(&refused, "retry-after")),
        "an hour"
    );
    let other = gateway.send(&chat("echo").key(ADMIN_KEY)).await;
    assert_eq!(other.status, 200, "another key has its own");
    gateway
        .metric_reaches("proxy_api_rate_limited_total{scope=\"per_key\"}", 1.0)
        .await;
    let event = gateway
        .wait_for_line("the violation", |line| line["operation"] == "rate_limit")
        .await;
    assert_eq!(event["level"], "WARNING", "as the contract has it");
}

#[tokio::test]
async fn who_asks_again_gets_in_as_often_as_the_rate_says() {
    let gateway = limited("rate_limits: {per_key: {rate: 1/second, burst: 1}}").await;
    let request = chat("echo").key(STANDARD_KEY);
    assert_eq!(gateway.send(&request).await.status, 200, "the first");
    let refused = gateway.send(&request).await;
    assert_eq!(refused.status, 429, "the second");
    assert_eq!(number(&refused, "retry-after"), 1, "what is told");
    let asking = async {
        // Refusals charge nothing, so that whoever keeps asking gets in when whoever waits does.
        while gateway.send(&request).await.status != 200 {}
    };
    within("the next one", asking).await;
    assert_eq!(gateway.send(&request).await.status, 429, "one and no more");
}

#[tokio::test]
async fn an_address_is_limited_before_its_key_is_looked_at() {
    let trusted = "server: {trusted_proxies: [127.0.0.1]}\n\
                   rate_limits: {per_ip: {rate: 1/hour, burst: 2}}";
    let gateway = limited(trusted).await;
    let from = |address: &str| {
        chat("echo")
            .key("sk-nobody-0123456789abcdef")
            .header("x-forwarded-for", address)
    };
    for expected in [401, 401, 429] {
        let reply = gateway.send(&from("2001:db8::1")).await;
        assert_eq!(reply.status, expected, "two guesses");
    }
    let neighbour = gateway.send(&from("2001:db8::2")).await;
    assert_eq!(neighbour.status, 429, "a /64 is one client");
    let stranger = gateway.send(&from("2001:db8:1::1")).await;
    assert_eq!(stranger.status, 401, "another is not");
    let metrics = gateway.send(&Request::get("/metrics").key(ADMIN_KEY)).await;
    assert_eq!(metrics.status, 200, "operators are not kept out");
}

#[tokio::test]
async fn models_and_all_callers_have_limits_at_the_same_time() {
    let gateway = limited(
        "rate_limits: {global: {rate: 1/hour, burst: 4}, \
         models: [{models: [\"big*\"], rate: 1/hour, burst: 1}]}",
    )
    .await;
    for (model, expected) in [
        ("big-1", 200),
        ("big-2", 429),
        ("big-1", 429),
        ("small", 200),
        ("small", 200),
        ("small", 200),
        ("small", 429),
    ] {
        let reply = gateway.send(&chat(model).key(STANDARD_KEY)).await;
        assert_eq!(reply.status, expected, "{model}: refusals charge nothing");
    }
}

#[tokio::test]
async fn a_client_that_violates_limits_too_often_is_blocked() {
    let gateway = limited(
        "server: {trusted_proxies: [127.0.0.1]}\n\
         rate_limits: {per_key: {rate: 1/hour, burst: 1}, \
         block: {violations: 3, within: 5m, block_for: 1h}}",
    )
    .await;
    let from = |address: &str| {
        chat("echo")
            .key(STANDARD_KEY)
            .header("x-forwarded-for", address)
    };
    for expected in [200, 429, 429, 429, 403] {
        let reply = gateway.send(&from("192.0.2.1")).await;
        assert_eq!(reply.status, expected, "three violations");
        if expected == 403 {
            assert_eq!(reply.json()["error"]["code"], "client_blocked", "the code");
        }
    }
    assert_eq!(
        gateway.send(&from("192.0.2.2")).await.status,
        429,
        "others are not"
    );
    gateway
        .metric_becomes("proxy_api_blocked_clients", 1.0)
        .await;
    gateway
        .wait_for_line("the block", |line| line["operation"] == "block_client")
        .await;
    let lift = Request::post("/internal/security/unblock-ip", &json!({"ip": "192.0.2.1"}));
    assert_eq!(
        gateway.send(&lift.key(ADMIN_KEY)).await.status,
        200,
        "it is lifted"
    );
    assert_eq!(
        gateway.send(&from("192.0.2.1")).await.status,
        429,
        "and let in again"
    );
}

#[tokio::test]
async fn limits_are_set_by_the_environment_and_by_their_older_names() {
    let by_environment = Gateway::builder()
        .echo("local")
        .env("RATE_LIMIT_REQUESTS_PER_MINUTE", "1")
        .env("RATE_LIMIT_BURST_SIZE", "2")
        .start()
        .await;
    let by_older_name = limited("settings: {rate_limit_rpm: 2}").await;
    for gateway in [by_environment, by_older_name] {
        for expected in [200, 200, 429] {
            let reply = gateway.send(&chat("echo").key(STANDARD_KEY)).await;
            assert_eq!(reply.status, expected, "two");
        }
    }
}

#[tokio::test]
async fn what_an_emergency_measure_refuses_is_not_held_against_a_client() {
    let gateway = limited(
        "server: {trusted_proxies: [127.0.0.1]}\n\
         size_limits: {json: 1MiB}\n\
         rate_limits: {block: {violations: 2, within: 5m, block_for: 1h}}",
    )
    .await;
    let order = |path: &str, body: serde_json::Value| {
        Request::post(&format!("/internal/{path}"), &body).key(ADMIN_KEY)
    };
    let from = |address: &str| {
        chat("echo")
            .key(STANDARD_KEY)
            .header("x-forwarded-for", address)
    };
    let sizes = json!({"max_request_size": 10, "max_json_size": 10});
    let sizes = order("middleware/request-size/emergency-limits", sizes);
    gateway.send(&sizes).await.assert_fine("smaller bodies");
    for _ in 0..4 {
        let refused = gateway.send(&from("192.0.2.1")).await;
        assert_eq!(refused.status, 413, "{}", refused.text());
    }
    let reset = order("security/reset-config", json!({}));
    gateway.send(&reset).await.assert_fine("larger bodies");
    let rates = json!({"requests_per_minute": 1, "burst_size": 1});
    let rates = order("middleware/rate-limiting/emergency-mode", rates);
    gateway.send(&rates).await.assert_fine("fewer requests");
    for expected in [200, 429, 429, 429, 429] {
        let reply = gateway.send(&from("192.0.2.1")).await;
        assert_eq!(reply.status, expected, "{}", reply.text());
    }
    gateway.send(&reset).await.assert_fine("as before");
    let after = gateway.send(&from("192.0.2.1")).await;
    after.assert_fine("it was never blocked");
}

#[tokio::test]
async fn model_tokens_are_settled_by_what_the_provider_says() {
    let usage = json!({"prompt_tokens": 60, "completion_tokens": 40, "total_tokens": 100});
    let answer = json!({
        "id": "c", "object": "chat.completion", "model": "gpt-4o", "usage": usage,
        "choices": [{"index": 0, "finish_reason": "stop",
            "message": {"role": "assistant", "content": "yes"}}],
    });
    let upstream = Upstream::start().await;
    for _ in 0..3 {
        upstream.answer(Script::json(200, &answer));
    }
    let gateway = Gateway::builder()
        .provider("mock", "openai", &upstream.url())
        .yaml("rate_limits: {per_key: {rate: 1000/second, burst: 1000, tokens: 300/day}}")
        .start()
        .await;
    let body = json!({"model": "gpt-4o", "max_tokens": 150,
        "messages": [{"role": "user", "content": "hello"}]});
    let request = Request::post("/v1/chat/completions", &body).key(STANDARD_KEY);
    // Each sets some 180 aside and uses 100: two fit only if the first was settled.
    for expected in [200, 200, 429] {
        let reply = gateway.send(&request).await;
        assert_eq!(reply.status, expected, "{}", reply.text());
        if expected == 429 {
            reply.assert_refused(429, "token_limit_exceeded", "all 300 would be over");
        }
        gateway
            .access_line(reply.headers.one("x-request-id").expect("an id"))
            .await;
    }
}

#[tokio::test]
async fn limits_that_make_no_sense_are_refused_by_check_with_line_and_key() {
    let folder = tempfile::tempdir().expect("a directory");
    let file = folder.path().join("portcullis.yaml");
    let rest = "providers: [{name: local, api: echo}]\nroutes: [{models: [\"*\"], providers: [local]}]\n\
                server: {listeners: [{address: \"127.0.0.1:1\"}]}\n";
    for (lines, key) in [
        (
            "rate_limits: {global: {rate: 0/second}}",
            "rate_limits.global.rate",
        ),
        (
            "rate_limits: {per_ip: {rate: 5/fortnight}}",
            "rate_limits.per_ip.rate",
        ),
        (
            "rate_limits: {per_ip: {rate: 1/day, burst: 4294967295}}",
            "rate_limits.per_ip.burst",
        ),
        (
            "rate_limits: {block: {within: -5m}}",
            "rate_limits.block.within",
        ),
        (
            "rate_limits: {store: \"redis://cache:70000/0\"}",
            "rate_limits.store",
        ),
        (
            "auth: {internal_allow: [10.0.0.0/33]}",
            "auth.internal_allow[0]",
        ),
        (
            "auth: {internal_allow: [300.1.1.1]}",
            "auth.internal_allow[0]",
        ),
    ] {
        std::fs::write(&file, format!("{lines}\n{rest}")).expect("a file");
        let output = run(&["check", "-c", &file.to_string_lossy()]).await;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{lines}: {said}");
        let place = format!("portcullis.yaml:1: {key}: ");
        assert!(said.contains(&place), "{lines}: {said}");
    }
}
