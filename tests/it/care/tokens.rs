//! Limits of providers on model tokens: set aside before the call, settled by what was used.

use serde_json::json;

use super::{limited, sent, waiting};
use crate::harness::script::Step;
use crate::harness::{Gateway, Reply, Request, STANDARD_KEY, Script, Upstream};

/// Three hundred, of which next to nothing comes back while a test runs.
const FEW: &str = "tokens: 300/day";

/// A call that may take so many tokens, and a few for what it asks.
fn taking(most: u32, streamed: bool) -> Request {
    let body = json!({"model": "gpt-4o", "max_tokens": most, "stream": streamed,
        "messages": [{"role": "user", "content": "x"}]});
    Request::post("/v1/chat/completions", &body).key(STANDARD_KEY)
}

/// An answer that used so many.
fn using(tokens: u32) -> Script {
    let mut answer = crate::harness::replies::chat("gpt-4o");
    answer["usage"] = json!({"prompt_tokens": tokens - 1, "completion_tokens": 1,
        "total_tokens": tokens});
    Script::json(200, &answer)
}

/// A call, and who answered it, once it has been settled.
async fn answered(gateway: &Gateway, request: &Request) -> (Reply, String) {
    let reply = gateway.send(request).await;
    let id = reply.headers.one("x-request-id").expect("an id");
    gateway.access_line(id).await;
    let who = reply.headers.one("x-portcullis-provider");
    let who = who.unwrap_or_default().to_owned();
    (reply, who)
}

#[tokio::test]
async fn tokens_are_settled_by_what_the_provider_says_and_then_the_next_one_is_asked() {
    let (mock, spare) = (Upstream::start().await, Upstream::start().await);
    let gateway = limited(&mock, &spare, &format!("{{rate_limit: {{{FEW}}}}}")).await;
    mock.answer(using(100));
    mock.answer(using(100));
    for expected in ["mock", "mock", "spare", "spare"] {
        let (reply, who) = answered(&gateway, &taking(150, false)).await;
        reply.assert_fine("a call");
        assert_eq!(who, expected, "200 used, and 150 more would be too many");
    }
    let (_, who) = answered(&gateway, &taking(20, false)).await;
    assert_eq!(who, "mock", "a smaller one fits");
}

#[tokio::test]
async fn what_a_stream_used_is_what_counts() {
    let (mock, spare) = (Upstream::start().await, Upstream::start().await);
    let gateway = limited(&mock, &spare, &format!("{{rate_limit: {{{FEW}}}}}")).await;
    for _ in 0..3 {
        let (reply, who) = answered(&gateway, &taking(200, true)).await;
        reply.assert_fine("a stream");
        assert_eq!(who, "mock", "13 of them are used each time");
    }
}

#[tokio::test]
async fn what_is_over_the_tokens_is_refused_where_that_is_wanted() {
    let (mock, spare) = (Upstream::start().await, Upstream::start().await);
    let limit = format!("{{rate_limit: {{{FEW}, on_exceeded: reject}}}}");
    let gateway = limited(&mock, &spare, &limit).await;
    mock.answer(using(300));
    answered(&gateway, &taking(150, false)).await;
    let reply = gateway.send(&taking(150, false)).await;
    reply.assert_refused(429, "provider_rate_limit_exceeded", "all are used");
    let wait = reply.headers.one("retry-after");
    let wait = wait.and_then(|text| text.parse::<u64>().ok());
    assert!(wait.is_some_and(|wait| wait > 3_600), "hours: {reply:?}");
    spare.assert_untouched("refused is refused");
}

#[tokio::test]
async fn a_call_waits_for_tokens_and_goes_when_others_used_fewer() {
    let (mock, spare) = (Upstream::start().await, Upstream::start().await);
    let limit = format!("{{rate_limit: {{{FEW}, on_exceeded: delay, delay: {{max: 5m}}}}}}");
    let gateway = limited(&mock, &spare, &limit).await;
    let (script, feed) = Script::fed();
    mock.answer(script);
    let mut held = sent(&gateway, &taking(200, false)).await;
    mock.wait_requests(1).await;
    let mut next = sent(&gateway, &taking(200, false)).await;
    waiting(&gateway, 1).await;
    let leaving = sent(&gateway, &taking(200, false)).await;
    waiting(&gateway, 2).await;
    leaving.reset();
    waiting(&gateway, 1).await;
    let Some(Step::Send(bytes)) = using(10).steps.into_iter().next() else {
        panic!("an answer is one write");
    };
    feed.raw(&bytes);
    drop(feed);
    held.reply().await.assert_fine("the call that held them");
    next.reply().await.assert_fine("the call that waited");
    assert_eq!(mock.requests().len(), 2, "whoever left was never sent");
    spare.assert_untouched("nobody waited too long");
}

#[tokio::test]
async fn a_call_that_could_not_be_paid_in_time_goes_on_at_once() {
    let (mock, spare) = (Upstream::start().await, Upstream::start().await);
    let limit = format!("{{rate_limit: {{{FEW}, on_exceeded: delay, delay: {{max: 5m}}}}}}");
    let gateway = limited(&mock, &spare, &limit).await;
    mock.answer(using(300));
    for expected in ["mock", "spare"] {
        let (reply, who) = answered(&gateway, &taking(150, false)).await;
        reply.assert_fine("a call");
        assert_eq!(who, expected, "hours are longer than five minutes");
    }
}

#[tokio::test]
async fn a_call_that_failed_at_the_provider_used_nothing() {
    let (mock, spare) = (Upstream::start().await, Upstream::start().await);
    let gateway = Gateway::builder()
        .provider_with(
            "mock",
            "openai",
            &mock.url(),
            &format!("{{rate_limit: {{{FEW}}}}}"),
        )
        .provider("spare", "openai", &spare.url())
        .route("{models: [\"*\"], providers: [mock, spare], retries: 0}")
        .start()
        .await;
    mock.answer(Script::json(500, &json!({})));
    for expected in ["spare", "mock"] {
        let (reply, who) = answered(&gateway, &taking(200, false)).await;
        reply.assert_fine("a call");
        assert_eq!(who, expected, "it failed once");
    }
}
