//! The harness itself: a mock that reports wrongly would make every other test worthless.

use crate::harness::client::{Connection, Request};
use crate::harness::received::Arrival;
use crate::harness::script::{Script, When};
use crate::harness::upstream::Upstream;
use crate::harness::{chat, streamed_chat};

#[tokio::test]
async fn a_whole_request_is_recorded_whole_and_answered() {
    let upstream = Upstream::start().await;
    for request in [chat("m"), chat("m").chunked(7), streamed_chat("m")] {
        let mut connection = Connection::open(upstream.address()).await;
        connection.send(&request).await;
        let reply = connection.raw_reply().await.expect("an answer");
        assert!(
            reply.status == 200 && reply.complete,
            "a good answer: {reply:?}"
        );
    }
    let all = upstream.wait_requests(3).await;
    assert_eq!(all[0].body, all[1].body, "chunks are joined");
    assert!(
        all.iter().all(|one| one.answered && !one.abandoned),
        "all were answered: {all:?}"
    );
}

#[tokio::test]
async fn a_request_that_stops_is_recorded_as_cut() {
    let upstream = Upstream::start().await;
    for (count, request) in [chat("m"), chat("m").chunked(7)].into_iter().enumerate() {
        let wire = request.bytes();
        for length in [10, wire.len() - 1] {
            let mut connection = Connection::open(upstream.address()).await;
            connection.write(&wire[..length]).await;
            drop(connection);
        }
        let cut = |one: &&_| {
            matches!(
                one,
                crate::harness::received::Received {
                    arrival: Arrival::Cut,
                    ..
                }
            )
        };
        upstream
            .wait("two cut requests", |all| {
                all.iter().filter(cut).count() == 2 * (count + 1)
            })
            .await;
    }
}

#[tokio::test]
async fn a_client_that_leaves_is_seen_in_every_kind_of_wait() {
    let upstream = Upstream::start().await;
    for (count, script) in [
        Script::stall(),
        Script::live().0.then(crate::harness::script::Step::Stall),
    ]
    .into_iter()
    .enumerate()
    {
        upstream.answer(script);
        let mut connection = Connection::open(upstream.address()).await;
        connection.send(&chat("m")).await;
        upstream.wait_requests(count + 1).await;
        connection.reset();
        upstream
            .wait("it is noticed", |all| all.iter().all(|one| one.abandoned))
            .await;
    }
}

#[tokio::test]
async fn an_early_answer_comes_before_the_body_is_there() {
    let upstream = Upstream::start().await;
    let request = Request::new("POST", "/v1/files").body(&[b'x'; 100]);
    for when in [When::Head, When::Body(10)] {
        upstream.answer(Script::json(413, &serde_json::json!({})).at(when));
        let mut connection = Connection::open(upstream.address()).await;
        connection.send_head(&request).await;
        connection.write(&[b'x'; 10]).await;
        let reply = connection.raw_reply().await.expect("an early answer");
        assert_eq!(reply.status, 413, "before the body's end");
    }
}

#[tokio::test]
async fn a_reset_and_a_close_look_different_from_an_answer() {
    let upstream = Upstream::start().await;
    for script in [
        Script::close(),
        Script::reset(),
        Script::raw(b"HTTP/1.1 200 OK\r\nx"),
    ] {
        upstream.answer(script);
        let mut connection = Connection::open(upstream.address()).await;
        connection.send(&chat("m")).await;
        assert!(connection.raw_reply().await.is_none(), "no answer");
    }
}
