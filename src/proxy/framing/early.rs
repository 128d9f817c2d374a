//! A body that is read before a provider is chosen: what Pingora still sends of it, with and
//! without a guarded session.

use super::client::{Client, Request};
use super::gateway::{Early, Plan};
use super::upstream::{Arrival, Upstream};
use super::{One, PAIRS, body};

/// Pingora's own buffer for replays.
const BUFFER: usize = 64 * 1024;

#[tokio::test]
async fn framing_a_body_read_early_is_lost_without_a_buffer() {
    for (down, up) in PAIRS {
        let upstream = Upstream::start(up, &[]);
        let plan = Plan::to(&upstream).early(Early::Read).read_timeout(200);
        let gateway = plan.start().await;
        let request = Request::of(&[b"first,", b"second"]);
        let reply = Client::connect(&gateway, down).await.send(&request).await;
        assert_eq!(
            reply.status,
            Some(502),
            "{down:?} to {up:?}: the provider was waited for"
        );
        let request = upstream.settled(0).await;
        assert_eq!(
            request.arrival,
            Arrival::Cut,
            "{down:?} to {up:?}: it had a head"
        );
        assert!(request.body.is_empty(), "{down:?} to {up:?}: and no body");
        let calls = gateway.ended(0).await.calls;
        assert!(
            calls.is_empty(),
            "{down:?} to {up:?}: which the hook never saw: {calls:?}"
        );
    }
}

#[tokio::test]
async fn framing_a_body_read_early_is_replayed_up_to_64_kib() {
    for (down, up) in PAIRS {
        let upstream = Upstream::start(up, &[]);
        let gateway = Plan::to(&upstream).early(Early::ReadBuffered).start().await;
        let body = body(BUFFER);
        let request = Request::whole(&body).announced();
        let reply = Client::connect(&gateway, down).await.send(&request).await;
        assert!(reply.is(200), "{down:?} to {up:?}: {reply:?}");
        assert!(
            upstream.requests()[0].body == body,
            "{down:?} to {up:?}: byte by byte"
        );
        let calls = gateway.ended(0).await.calls;
        assert_eq!(
            calls,
            [(Some(BUFFER), true)],
            "{down:?} to {up:?}: in one call"
        );
    }
}

#[tokio::test]
async fn framing_a_large_body_read_early_is_lost_without_a_guard() {
    for (down, up) in PAIRS {
        let upstream = Upstream::start(up, &[]);
        let plan = Plan::to(&upstream)
            .early(Early::ReadBuffered)
            .read_timeout(200);
        let gateway = plan.start().await;
        let request = Request::whole(&body(BUFFER + 1)).announced();
        let reply = Client::connect(&gateway, down).await.send(&request).await;
        assert_eq!(reply.status, Some(502), "{down:?} to {up:?}");
        let request = upstream.settled(0).await;
        assert_eq!(request.arrival, Arrival::Cut, "{down:?} to {up:?}");
        assert!(
            request.body.is_empty(),
            "{down:?} to {up:?}: one byte too many loses them all"
        );
    }
}

#[tokio::test]
async fn framing_what_is_left_of_a_large_body_is_sent_alone_as_a_complete_request() {
    for (down, up) in PAIRS {
        let upstream = Upstream::start(up, &[]);
        let gateway = Plan::to(&upstream)
            .early(Early::Prefix(BUFFER + 1))
            .start()
            .await;
        let prefix = body(70_000);
        let request = Request::whole(&prefix);
        let mut client = Client::connect(&gateway, down).await;
        let mut call = client.begin(&request, false).await;
        for piece in &request.pieces {
            call.piece(piece).await;
        }
        upstream.wait("the head", |all| !all.is_empty()).await;
        call.last(b"the tail").await;
        let reply = call.reply().await;
        assert!(
            reply.is(200),
            "{down:?} to {up:?}: the provider was content: {reply:?}"
        );
        let request = upstream.settled(0).await;
        assert_eq!(request.arrival, Arrival::Whole, "{down:?} to {up:?}");
        let tail = request.body.ends_with(b"the tail") && request.body.len() < prefix.len();
        assert!(
            tail,
            "{down:?} to {up:?}: {} bytes were nobody's",
            request.body.len()
        );
    }
}

#[tokio::test]
async fn framing_a_guarded_body_of_any_size_arrives_as_it_was_judged() {
    for (down, up) in PAIRS {
        let upstream = Upstream::start(up, &[]);
        let gateway = Plan::to(&upstream).early(Early::Hold).start().await;
        let mut client = Client::connect(&gateway, down).await;
        let sizes = [0, 1, BUFFER - 1, BUFFER, BUFFER + 1, 300_000];
        for (number, size) in sizes.into_iter().enumerate() {
            let body = body(size);
            let mut request = Request::whole(&body);
            // A body without a length arrives with one, too.
            request.announced = size == 0 || number % 2 == 0;
            let reply = client.send(&request).await;
            assert!(reply.is(200), "{size} bytes, {down:?} to {up:?}: {reply:?}");
            let seen = upstream.settled(number).await;
            assert!(
                seen.body == body,
                "{size} bytes, {down:?} to {up:?}: byte by byte"
            );
            let length = format!("content-length: {size}");
            let head = seen.head.to_lowercase();
            assert!(
                head.contains(&length),
                "{size} bytes, {down:?} to {up:?}: {head}"
            );
            assert!(
                !head.contains("transfer-encoding"),
                "{size} bytes, {down:?} to {up:?}"
            );
            let calls = gateway.ended(number).await.calls;
            let seen: usize = calls.iter().filter_map(|(length, _)| *length).sum();
            assert_eq!(
                seen, size,
                "{down:?} to {up:?}: the hook sees it, too: {calls:?}"
            );
        }
        let connections: Vec<_> = upstream
            .requests()
            .iter()
            .map(|one| one.connection)
            .collect();
        assert_eq!(
            connections, [0; 6],
            "{down:?} to {up:?}: all on one connection"
        );
    }
}

#[tokio::test]
async fn framing_a_guarded_body_that_passes_arrives_piece_by_piece() {
    for (down, up) in PAIRS {
        let upstream = Upstream::start(up, &[]);
        let gateway = Plan::to(&upstream).early(Early::Guard).start().await;
        let mut client = Client::connect(&gateway, down).await;
        let body = body(300_000);
        let request = Request::whole(&body);
        let (last, first) = request.pieces.split_last().expect("pieces");
        let mut call = client.begin(&request, false).await;
        for piece in first {
            call.piece(piece).await;
        }
        let arrived = first.concat().len();
        let there =
            |all: &[super::upstream::Request]| all.iter().any(|one| one.body.len() == arrived);
        let seen = upstream.wait("all but the last piece", there).await;
        assert_eq!(
            seen[0].arrival,
            Arrival::Open,
            "{down:?} to {up:?}: the end is to come"
        );
        call.last(last).await;
        assert!(call.reply().await.is(200), "{down:?} to {up:?}");
        assert!(
            upstream.requests()[0].body == body,
            "{down:?} to {up:?}: byte by byte"
        );
        let again = client.send(&Request::whole(&body).announced()).await;
        assert!(
            again.is(200),
            "{down:?} to {up:?}: on the same connection: {again:?}"
        );
    }
}

#[tokio::test]
async fn framing_a_client_connection_is_kept_after_a_guarded_request() {
    for early in [Early::Hold, Early::Guard] {
        let upstream = Upstream::start(One, &[]);
        let gateway = Plan::to(&upstream).early(early).start().await;
        let mut client = Client::connect(&gateway, One).await;
        for size in [10, 300_000, 10, 70_000, 10] {
            let reply = client.send(&Request::whole(&body(size))).await;
            assert!(reply.is(200), "{early:?}, {size} bytes: {reply:?}");
            assert_eq!(
                reply.body,
                super::upstream::TEXT.as_bytes(),
                "{early:?}: its own answer"
            );
        }
    }
}
