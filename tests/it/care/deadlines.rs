//! Which calls are made again, and how long all attempts together may take.

use crate::harness::{Gateway, Request, STANDARD_KEY, Script, Upstream, chat};

async fn retrying(upstream: &Upstream, more: &str) -> Gateway {
    Gateway::builder()
        .provider_with("mock", "openai", &upstream.url(), more)
        .route("{models: [\"*\"], providers: [mock], retries: 5}")
        .start()
        .await
}

#[tokio::test]
async fn a_call_that_may_have_been_run_is_made_again_where_that_is_wanted() {
    let upstream = Upstream::start().await;
    let gateway = retrying(&upstream, "{retry_unsafe: true}").await;
    upstream.answer(Script::reset());
    let reply = gateway.send(&chat("gpt-4o").key(STANDARD_KEY)).await;
    reply.assert_fine("the second attempt");
    assert_eq!(reply.headers.one("x-portcullis-attempts"), Some("2"), "two");
    assert_eq!(upstream.requests().len(), 2, "two");
}

#[tokio::test]
async fn an_answer_that_broke_off_leaves_nothing_in_the_next_one() {
    let upstream = Upstream::start().await;
    let gateway = retrying(&upstream, "{retry_unsafe: true}").await;
    upstream.answer(Script::wrong_length(
        5000,
        br#"{"id":"chatcmpl-1","choices":["#,
    ));
    let reply = gateway.send(&chat("gpt-4o").key(STANDARD_KEY)).await;
    reply.assert_fine("the second attempt");
    assert_eq!(reply.json()["id"], "chatcmpl-1", "{reply:?}");
    assert_eq!(upstream.requests().len(), 2, "two");
}

#[tokio::test]
async fn a_get_is_made_again_without_leave() {
    let upstream = Upstream::start().await;
    let gateway = retrying(&upstream, "{}").await;
    upstream.answer(Script::reset());
    let request = Request::get("/v1/files/file-1").key(STANDARD_KEY);
    gateway
        .send(&request)
        .await
        .assert_fine("the second attempt");
    assert_eq!(upstream.requests().len(), 2, "two");
}

#[tokio::test]
async fn all_attempts_together_end_with_the_total_time() {
    let upstream = Upstream::start().await;
    let times = "{retry_unsafe: true, timeouts: {first_byte: 1s, total: 1500ms}}";
    let gateway = retrying(&upstream, times).await;
    for _ in 0..6 {
        upstream.answer(Script::stall());
    }
    let reply = gateway.send(&chat("gpt-4o").key(STANDARD_KEY)).await;
    reply.assert_refused(504, "upstream_timeout", "no answer in all that time");
    let all = upstream.requests();
    assert!(
        all.len() <= 2,
        "the third attempt would be too late: {all:?}"
    );
}
