//! A guarded session and those who leave: the client, and the provider.

use super::client::{Client, Request};
use super::gateway::{Early, Hook, Plan};
use super::scripted::all_settled;
use super::upstream::{Answer, Arrival, Upstream};
use super::{PAIRS, Two, body};
use crate::policy::Denial;
use crate::proxy::body::{Action, carry_out};

#[tokio::test]
async fn framing_a_client_that_leaves_while_it_waits_ends_the_call() {
    for (down, up) in PAIRS {
        for early in [Early::Hold, Early::Guard, Early::Leave] {
            let upstream = Upstream::start(up, &[Answer::Silence]);
            let gateway = Plan::to(&upstream).early(early).start().await;
            let mut client = Client::connect(&gateway, down).await;
            let call = client.send_all(&Request::whole(&body(300_000))).await;
            let whole = upstream.settled(0).await;
            assert_eq!(
                whole.arrival,
                Arrival::Whole,
                "{early:?}, {down:?} to {up:?}"
            );
            call.abandon();
            drop(client);
            upstream
                .wait("the end of the call", |all| all[0].left)
                .await;
            let error = gateway.ended(0).await.error;
            assert!(
                error.is_some(),
                "{early:?}, {down:?} to {up:?}: it is on record"
            );
        }
    }
}

#[tokio::test]
async fn framing_a_body_that_its_client_breaks_off_is_never_complete() {
    for (down, up) in PAIRS {
        for (early, announced) in [
            (Early::Guard, false),
            (Early::Guard, true),
            (Early::Leave, false),
            (Early::Leave, true),
        ] {
            let upstream = Upstream::start(up, &[]);
            let gateway = Plan::to(&upstream).early(early).start().await;
            let mut client = Client::connect(&gateway, down).await;
            let request = Request {
                announced,
                ..Request::of(&[b"first,", b"second"])
            };
            let mut call = client.begin(&request, false).await;
            call.piece(b"first,").await;
            let arrived =
                |all: &[super::upstream::Request]| all.iter().any(|one| one.body.len() == 6);
            upstream.wait("the first piece", arrived).await;
            call.abandon();
            drop(client);
            let request = upstream.settled(0).await;
            assert_eq!(
                request.arrival,
                Arrival::Cut,
                "{early:?}, {down:?} to {up:?}"
            );
        }
    }
}

#[tokio::test]
async fn framing_a_held_body_that_its_client_breaks_off_reaches_nobody() {
    for (down, up) in PAIRS {
        let upstream = Upstream::start(up, &[]);
        let gateway = Plan::to(&upstream).early(Early::Hold).start().await;
        let mut client = Client::connect(&gateway, down).await;
        let request = Request::of(&[b"first,", b"second"]).announced();
        let mut call = client.begin(&request, false).await;
        call.piece(b"first,").await;
        call.abandon();
        drop(client);
        assert!(gateway.ended(0).await.error.is_some(), "{down:?} to {up:?}");
        assert!(upstream.requests().is_empty(), "{down:?} to {up:?}");
    }
}

#[tokio::test]
async fn framing_a_refused_guarded_body_is_never_complete() {
    let refuse_the_end: Hook = |ctx, piece, end| {
        let judge = |_: &[u8], end| {
            if end {
                Err(Denial::RequestTimeout)
            } else {
                Ok(all_settled())
            }
        };
        let action = ctx.tail().push(piece.take(), end, judge);
        carry_out(action, piece, end)
    };
    let refuse_all: Hook =
        |_, piece, end| carry_out(Action::Abort(Denial::RequestTimeout), piece, end);
    for (down, up) in PAIRS {
        for (early, hook) in [(Early::Guard, refuse_the_end), (Early::Hold, refuse_all)] {
            for announced in [false, true] {
                let upstream = Upstream::start(up, &[]);
                let gateway = Plan::to(&upstream).early(early).hook(hook).start().await;
                let request = Request {
                    announced,
                    ..Request::whole(&body(100_000))
                };
                let mut client = Client::connect(&gateway, down).await;
                let reply = client.send(&request).await;
                assert_eq!(reply.status, Some(408), "{early:?}, {down:?} to {up:?}");
                gateway.ended(0).await;
                let whole = |one: &super::upstream::Request| one.arrival == Arrival::Whole;
                upstream.settled(0).await;
                let any = upstream.requests().iter().any(whole);
                assert!(
                    !any,
                    "{early:?}, {down:?} to {up:?}: {:?}",
                    upstream.brief()
                );
            }
        }
    }
}

#[tokio::test]
async fn framing_a_guarded_answer_that_breaks_off_is_never_complete() {
    for (down, up) in PAIRS {
        let upstream = Upstream::start(up, &[Answer::Half]);
        let mut plan = Plan::to(&upstream).early(Early::Hold);
        plan.provider.idle = "200ms".parse().expect("a span");
        let gateway = plan.start().await;
        let mut client = Client::connect(&gateway, down).await;
        let reply = client.send(&Request::of(&[b"a question"])).await;
        assert_eq!(reply.status, Some(200), "{down:?} to {up:?}: it had begun");
        assert!(!reply.complete, "{down:?} to {up:?}: and never ended");
        upstream
            .wait("the end of the call", |all| all[0].left)
            .await;
    }
}

#[tokio::test]
async fn framing_one_stream_of_a_client_can_leave_without_the_others() {
    let upstream = Upstream::start(Two, &[Answer::Silence]);
    let gateway = Plan::to(&upstream).early(Early::Hold).start().await;
    let mut client = Client::connect(&gateway, Two).await;
    let call = client.send_all(&Request::whole(&body(1000))).await;
    upstream.settled(0).await;
    call.abandon();
    upstream
        .wait("the end of the call", |all| all[0].left)
        .await;
    let reply = client.send(&Request::whole(&body(1000))).await;
    assert!(reply.is(200), "the connection serves on: {reply:?}");
}
