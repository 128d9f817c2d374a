//! The circuit breaker: opened by failures, half-open with a counted number of trials.

use crate::harness::{Gateway, STANDARD_KEY, Script, Upstream, chat, replies};

const STATE: &str = "proxy_api_circuit_state{provider=\"mock\"}";

fn failing() -> Script {
    replies::failure(500, "/v1/chat/completions")
}

/// A gateway whose breaker is half-open after a failure.
async fn half_open(upstream: &Upstream) -> Gateway {
    let breaker = "{circuit_breaker: {failures: 1, open_for: 300ms, trials: 1}}";
    let gateway = Gateway::builder()
        .provider_with("mock", "openai", &upstream.url(), breaker)
        .route("{models: [\"*\"], providers: [mock], retries: 0}")
        .start()
        .await;
    upstream.answer(failing());
    let reply = gateway.send(&chat("gpt-4o").key(STANDARD_KEY)).await;
    assert_eq!(reply.status, 500, "{reply:?}");
    gateway.metric_becomes(STATE, 2.0).await;
    gateway
}

#[tokio::test]
async fn a_half_open_breaker_lets_one_trial_through_and_closes_when_it_succeeds() {
    let upstream = Upstream::start().await;
    let gateway = half_open(&upstream).await;
    let (script, feed) = Script::fed();
    upstream.answer(script);
    let mut trial = gateway.connect().await;
    trial.send(&chat("gpt-4o").key(STANDARD_KEY)).await;
    upstream.wait_requests(2).await;
    for _ in 0..3 {
        let reply = gateway.send(&chat("gpt-4o").key(STANDARD_KEY)).await;
        reply.assert_refused(503, "no_healthy_provider", "one trial at a time");
    }
    assert_eq!(upstream.requests().len(), 2, "nobody else came through");
    feed.raw(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}");
    drop(feed);
    trial.reply().await.assert_fine("the trial");
    gateway.metric_becomes(STATE, 0.0).await;
    super::calls(&gateway, 3).await;
}

#[tokio::test]
async fn a_trial_that_fails_opens_the_breaker_again() {
    let upstream = Upstream::start().await;
    let gateway = half_open(&upstream).await;
    upstream.answer(failing());
    let reply = gateway.send(&chat("gpt-4o").key(STANDARD_KEY)).await;
    assert_eq!(reply.status, 500, "the trial: {reply:?}");
    gateway.metric_becomes(STATE, 2.0).await;
    assert_eq!(upstream.requests().len(), 2, "closed in between");
    super::calls(&gateway, 2).await;
    gateway.metric_becomes(STATE, 0.0).await;
}

#[tokio::test]
async fn a_trial_whose_client_leaves_makes_room_for_the_next() {
    let upstream = Upstream::start().await;
    let gateway = half_open(&upstream).await;
    upstream.answer(Script::stall());
    let mut trial = gateway.connect().await;
    trial.send(&chat("gpt-4o").key(STANDARD_KEY)).await;
    upstream.wait_requests(2).await;
    trial.reset();
    upstream
        .wait("the trial is given up", |all| all[1].abandoned)
        .await;
    gateway
        .metric_becomes("proxy_api_active_requests", 1.0)
        .await;
    super::calls(&gateway, 1).await;
}
