//! Limits of providers: what is over them falls back, waits its turn or is refused.

use serde_json::json;

use super::{calls, limited, sent, waiting};
use crate::harness::{Request, STANDARD_KEY, Script, Upstream, chat};

/// A call that says this.
fn saying(words: &str) -> Request {
    let body = json!({"model": "gpt-4o", "messages": [{"role": "user", "content": words}]});
    Request::post("/v1/chat/completions", &body).key(STANDARD_KEY)
}

#[tokio::test]
async fn what_is_over_the_rate_goes_to_the_next_provider() {
    let (mock, spare) = (Upstream::start().await, Upstream::start().await);
    let gateway = limited(&mock, &spare, "{rate_limit: {rate: 1/hour}}").await;
    calls(&gateway, 4).await;
    let got = (mock.requests().len(), spare.requests().len());
    assert_eq!(got, (1, 3), "one an hour");
}

#[tokio::test]
async fn what_is_over_the_rate_is_refused_where_that_is_wanted() {
    let (mock, spare) = (Upstream::start().await, Upstream::start().await);
    let limit = "{rate_limit: {rate: 1/hour, on_exceeded: reject}}";
    let gateway = limited(&mock, &spare, limit).await;
    calls(&gateway, 1).await;
    let reply = gateway.send(&chat("gpt-4o").key(STANDARD_KEY)).await;
    reply.assert_refused(429, "provider_rate_limit_exceeded", "one an hour");
    let wait = reply.headers.one("retry-after");
    let wait = wait.and_then(|text| text.parse::<u64>().ok());
    assert!(wait.is_some_and(|wait| wait > 3_000), "an hour: {reply:?}");
    spare.assert_untouched("refused is refused");
}

#[tokio::test]
async fn calls_wait_in_the_order_in_which_they_came() {
    let (mock, spare) = (Upstream::start().await, Upstream::start().await);
    let limit = "{rate_limit: {rate: 60/minute, burst: 1, on_exceeded: delay, delay: {max: 1m}}}";
    let gateway = limited(&mock, &spare, limit).await;
    calls(&gateway, 1).await;
    let mut first = sent(&gateway, &saying("first")).await;
    waiting(&gateway, 1).await;
    let mut second = sent(&gateway, &saying("second")).await;
    waiting(&gateway, 2).await;
    second.reply().await.assert_fine("it had its turn");
    first.reply().await.assert_fine("it had its turn");
    let words = |n: usize| mock.requests()[n].json()["messages"][0]["content"].clone();
    assert_eq!(
        (words(1), words(2)),
        (json!("first"), json!("second")),
        "in turn"
    );
    spare.assert_untouched("nobody waited too long");
}

#[tokio::test]
async fn a_call_that_would_wait_too_long_goes_on_at_once() {
    let (mock, spare) = (Upstream::start().await, Upstream::start().await);
    let limit = "{rate_limit: {rate: 1/hour, on_exceeded: delay, delay: {max: 5m}}}";
    let gateway = limited(&mock, &spare, limit).await;
    calls(&gateway, 3).await;
    let got = (mock.requests().len(), spare.requests().len());
    assert_eq!(got, (1, 2), "an hour is longer than five minutes");
}

#[tokio::test]
async fn a_client_that_leaves_waits_no_longer() {
    let (mock, spare) = (Upstream::start().await, Upstream::start().await);
    let limit = "{rate_limit: {rate: 1/minute, on_exceeded: delay, delay: {max: 5m}}}";
    let gateway = limited(&mock, &spare, limit).await;
    calls(&gateway, 1).await;
    let leaving = sent(&gateway, &saying("leaving")).await;
    waiting(&gateway, 1).await;
    leaving.reset();
    waiting(&gateway, 0).await;
    assert_eq!(mock.requests().len(), 1, "its call was never made");
    spare.assert_untouched("nor elsewhere");
}

#[tokio::test]
async fn calls_at_once_are_counted_and_the_next_goes_elsewhere() {
    let (mock, spare) = (Upstream::start().await, Upstream::start().await);
    let gateway = limited(&mock, &spare, "{concurrent: 1}").await;
    let (script, feed) = Script::fed();
    mock.answer(script);
    let mut held = sent(&gateway, &saying("held")).await;
    mock.wait_requests(1).await;
    calls(&gateway, 2).await;
    assert_eq!(spare.requests().len(), 2, "while the only slot is taken");
    feed.raw(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}");
    drop(feed);
    held.reply().await.assert_fine("the call that held it");
    gateway
        .metric_becomes("proxy_api_active_requests", 1.0)
        .await;
    calls(&gateway, 1).await;
    assert_eq!(mock.requests().len(), 2, "it is free again");
}

#[tokio::test]
async fn a_call_waits_for_a_slot_and_takes_it_when_it_is_free() {
    let (mock, spare) = (Upstream::start().await, Upstream::start().await);
    let limit = "{concurrent: 1, rate_limit: {rate: 1000/second, on_exceeded: delay, \
                 delay: {max: 1m}}}";
    let gateway = limited(&mock, &spare, limit).await;
    let (script, feed) = Script::fed();
    mock.answer(script);
    let mut held = sent(&gateway, &saying("held")).await;
    mock.wait_requests(1).await;
    let mut next = sent(&gateway, &saying("next")).await;
    waiting(&gateway, 1).await;
    feed.raw(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}");
    drop(feed);
    held.reply().await.assert_fine("the call that held it");
    next.reply().await.assert_fine("the call that waited");
    spare.assert_untouched("nobody waited too long");
}
