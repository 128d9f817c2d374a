//! A request that is sent again: whole, or not at all.

use std::net::SocketAddr;

use super::client::{Client, Request};
use super::gateway::{Early, Plan};
use super::upstream::{Answer, Arrival, Upstream};
use super::{One, PAIRS, Two, body};

/// An address at which nobody listens.
async fn nobody() -> SocketAddr {
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a free port");
    socket.local_addr().expect("a bound socket has an address")
}

#[tokio::test]
async fn framing_a_guarded_body_of_300_kb_is_replayed_whole_on_every_attempt() {
    for (down, up) in PAIRS {
        let upstream = Upstream::start(up, &[Answer::Status(503), Answer::Status(503)]);
        let plan = Plan::to(&upstream).early(Early::Hold).retrying();
        let gateway = plan.start().await;
        let body = body(300_000);
        let reply = Client::connect(&gateway, down)
            .await
            .send(&Request::whole(&body))
            .await;
        assert!(reply.is(200), "{down:?} to {up:?}: {reply:?}");
        let all = upstream.requests();
        assert_eq!(all.len(), 3, "{down:?} to {up:?}: three attempts");
        for one in all {
            assert_eq!(one.arrival, Arrival::Whole, "{down:?} to {up:?}");
            assert!(
                one.body == body,
                "{down:?} to {up:?}: {} bytes",
                one.body.len()
            );
        }
    }
}

#[tokio::test]
async fn framing_a_guarded_body_goes_whole_to_the_next_provider_when_one_is_dead() {
    for (down, up) in PAIRS {
        let upstream = Upstream::start(up, &[]);
        let mut plan = Plan::to(&upstream).early(Early::Hold);
        plan.peers.insert(0, (nobody().await, One));
        let gateway = plan.start().await;
        let body = body(300_000);
        let reply = Client::connect(&gateway, down)
            .await
            .send(&Request::whole(&body))
            .await;
        assert!(reply.is(200), "{down:?} to {up:?}: {reply:?}");
        assert_eq!(upstream.requests().len(), 1, "{down:?} to {up:?}: once");
        assert!(
            upstream.requests()[0].body == body,
            "{down:?} to {up:?}: byte by byte"
        );
        assert_eq!(gateway.ended(0).await.attempts, 2, "{down:?} to {up:?}");
    }
}

#[tokio::test]
async fn framing_a_body_that_passes_survives_a_dead_provider_as_long_as_none_was_read() {
    for (down, up) in PAIRS {
        let upstream = Upstream::start(up, &[]);
        let mut plan = Plan::to(&upstream).early(Early::Guard);
        plan.peers.insert(0, (nobody().await, One));
        let gateway = plan.start().await;
        let body = body(100_000);
        let reply = Client::connect(&gateway, down)
            .await
            .send(&Request::whole(&body))
            .await;
        assert!(reply.is(200), "{down:?} to {up:?}: {reply:?}");
        assert!(
            upstream.requests()[0].body == body,
            "{down:?} to {up:?}: byte by byte"
        );
    }
}

#[tokio::test]
async fn framing_a_dead_provider_is_an_answer_and_not_a_wait() {
    for down in [One, Two] {
        for early in [Early::Hold, Early::Guard] {
            let upstream = Upstream::start(One, &[]);
            let mut plan = Plan::to(&upstream).early(early);
            plan.peers = vec![(nobody().await, One)];
            let gateway = plan.start().await;
            let request = Request::whole(&body(300_000));
            let reply = Client::connect(&gateway, down).await.send(&request).await;
            assert_eq!(reply.status, Some(502), "{early:?}, {down:?}");
        }
    }
}

#[tokio::test]
async fn framing_a_large_body_is_lost_on_another_attempt_without_a_guard() {
    for (down, up) in PAIRS {
        let upstream = Upstream::start(up, &[Answer::Status(503)]);
        let gateway = Plan::to(&upstream)
            .retrying()
            .read_timeout(200)
            .start()
            .await;
        let body = body(300_000);
        let reply = Client::connect(&gateway, down)
            .await
            .send(&Request::whole(&body))
            .await;
        assert_eq!(
            reply.status,
            Some(502),
            "{down:?} to {up:?}: the provider was waited for"
        );
        assert!(
            upstream.requests()[0].body == body,
            "{down:?} to {up:?}: it was there once"
        );
        let again = upstream.settled(1).await;
        assert_eq!(again.arrival, Arrival::Cut, "{down:?} to {up:?}");
        assert!(
            again.body.is_empty(),
            "{down:?} to {up:?}: and is lost the second time"
        );
    }
}

#[tokio::test]
async fn framing_an_early_attempt_more_sends_the_tail_alone_as_a_complete_request() {
    for (down, up) in PAIRS {
        let upstream = Upstream::start(up, &[Answer::Early(503, 70_000)]);
        let gateway = Plan::to(&upstream).retrying().start().await;
        let request = Request::whole(&body(70_000));
        let mut client = Client::connect(&gateway, down).await;
        let mut call = client.begin(&request, false).await;
        for piece in &request.pieces {
            call.piece(piece).await;
        }
        upstream.wait("another attempt", |all| all.len() == 2).await;
        call.last(b"the tail").await;
        assert!(
            call.reply().await.is(200),
            "{down:?} to {up:?}: the provider was content"
        );
        let again = upstream.settled(1).await;
        assert_eq!(again.arrival, Arrival::Whole, "{down:?} to {up:?}");
        assert_eq!(
            again.body, b"the tail",
            "{down:?} to {up:?}: of 70008 bytes"
        );
    }
}

#[tokio::test]
async fn framing_a_guarded_body_that_passes_is_said_to_be_beyond_replay() {
    // What Pingora asks before it tries again of its own accord.
    for (down, up) in PAIRS {
        let upstream = Upstream::start(up, &[Answer::Early(503, 10)]);
        let gateway = Plan::to(&upstream).early(Early::Guard).start().await;
        let request = Request::of(&[b"some bytes of many"]);
        let mut client = Client::connect(&gateway, down).await;
        let mut call = client.begin(&request, false).await;
        call.piece(&request.pieces[0]).await;
        let reply = call.reply().await;
        assert_eq!(
            reply.status,
            Some(503),
            "{down:?} to {up:?}: the answer is passed on"
        );
        assert_eq!(
            upstream.requests().len(),
            1,
            "{down:?} to {up:?}: and there is no second one"
        );
    }
}
