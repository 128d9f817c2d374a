//! Failures that come and go, and failures of everybody.

use super::Sees::Refused;
use super::{Stage, assert_seen, at_once};
use crate::harness::gateway::free_address;
use crate::harness::{Gateway, STANDARD_KEY, Script, Upstream, chat};

fn failing() -> Script {
    Script::json(500, &serde_json::json!({"error": {"message": "on host-7"}}))
}

#[tokio::test]
async fn a_burst_of_5xx_opens_the_breaker_and_clients_see_nothing() {
    let upstream = Upstream::start().await;
    for _ in 0..40 {
        upstream.answer(failing());
    }
    let breaker = ", circuit_breaker: {failures: 3, within: 1m, open_for: 1h}";
    let stage = Stage::new(&upstream.url(), breaker).await;
    for call in 0..12 {
        let reply = stage.call("substituted", false).await;
        reply.assert_fine("the substitute answers");
        let who = reply.headers.one("x-portcullis-provider");
        assert_eq!(who, Some("spare"), "call {call}");
    }
    assert_eq!(upstream.requests().len(), 3, "then it is left alone");
    let reply = at_once(stage.call("alone", false)).await;
    assert_seen(Refused(503, "no_healthy_provider"), &reply);
    assert!(stage.record(&reply).await.1.is_empty(), "not tried");
}

#[tokio::test]
async fn a_flapping_provider_costs_clients_nothing() {
    let upstream = Upstream::start().await;
    for call in 0..30 {
        if call % 2 == 0 {
            upstream.answer(failing());
        } else {
            upstream.answer(Script::json(200, &crate::harness::replies::chat("gpt-4o")));
        }
    }
    let stage = Stage::new(&upstream.url(), "").await;
    for _ in 0..15 {
        let reply = stage.call("substituted", false).await;
        reply.assert_fine("one of the two answers");
    }
}

#[tokio::test]
async fn all_providers_away_is_a_typed_refusal_at_once() {
    let away = || format!("http://{}", free_address());
    let breaker = "{circuit_breaker: {failures: 1, open_for: 1h}}";
    let gateway = Gateway::builder()
        .provider_with("one", "openai", &away(), breaker)
        .provider_with("two", "openai", &away(), breaker)
        .start()
        .await;
    let request = chat("gpt-4o").key(STANDARD_KEY);
    let reply = at_once(gateway.send(&request)).await;
    reply.assert_refused(502, "upstream_error", "nobody takes a connection");
    let attempts = reply.headers.one("x-portcullis-attempts");
    assert_eq!(attempts, Some("2"), "each was tried");
    let reply = at_once(gateway.send(&request)).await;
    reply.assert_refused(503, "no_healthy_provider", "nobody is left to try");
    let attempts = reply.headers.one("x-portcullis-attempts");
    assert_eq!(attempts, Some("0"), "nobody was");
}

#[tokio::test]
async fn a_storm_of_failures_is_not_fed_by_retries() {
    let upstream = Upstream::start().await;
    for _ in 0..200 {
        upstream.answer(failing());
    }
    let stage = Stage::new(&upstream.url(), "").await;
    let calls = 60;
    for _ in 0..calls {
        let reply = stage.call("alone", false).await;
        assert_eq!(reply.status, 500, "{reply:?}");
    }
    let made = upstream.requests().len();
    let most = calls + calls / 10 + 10;
    assert!(
        made <= most,
        "{made} calls; a tenth more, and ten to begin with"
    );
}
