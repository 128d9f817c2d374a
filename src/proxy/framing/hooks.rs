//! The request-body hook: what each thing that it can do puts on the wire.

use bytes::Bytes;
use pingora::{Error, ErrorType};

use super::client::{Client, Request};
use super::gateway::{Hook, Plan};
use super::scripted::{Ctx, all_settled};
use super::upstream::{Answer, Arrival, Upstream};
use super::{One, PAIRS, Two, body};
use crate::policy::Denial;
use crate::proxy::body::{Action, carry_out};

const PIECES: [&[u8]; 3] = [b"first,", b"second,", b"third"];

/// Holds everything, and lets it go at the end.
const HOLD_ALL: Hook = |ctx, piece, end| {
    ctx.kept
        .extend_from_slice(&piece.take().unwrap_or_default());
    let action = if end {
        Action::Emit(std::mem::take(&mut ctx.kept).into())
    } else {
        Action::Hold
    };
    carry_out(action, piece, end)
};

/// Keeps the newest piece back.
const KEEP_NEWEST: Hook = |ctx, piece, end| {
    let action = ctx.tail().push(piece.take(), end, |_, _| Ok(all_settled()));
    carry_out(action, piece, end)
};

/// Refuses the second piece.
const REFUSE_SECOND: Hook = |ctx, piece, end| {
    let number = ctx.calls.len();
    let judge = |_: &[u8], _| {
        if number == 2 {
            Err(Denial::RequestTimeout)
        } else {
            Ok(all_settled())
        }
    };
    let action = ctx.tail().push(piece.take(), end, judge);
    carry_out(action, piece, end)
};

fn is_second(ctx: &Ctx, end: bool) -> bool {
    ctx.calls.len() == 2 && !end
}

#[tokio::test]
async fn framing_a_body_that_is_held_back_arrives_whole_at_the_end() {
    for (hook, why) in [(HOLD_ALL, "all held"), (KEEP_NEWEST, "the newest held")] {
        for (down, up) in PAIRS {
            let upstream = Upstream::start(up, &[]);
            let gateway = Plan::to(&upstream).hook(hook).start().await;
            let mut client = Client::connect(&gateway, down).await;
            for request in [Request::of(&PIECES), Request::of(&PIECES).announced()] {
                let reply = client.send(&request).await;
                assert!(reply.is(200), "{why}, {down:?} to {up:?}: {reply:?}");
            }
            for request in upstream.requests() {
                assert_eq!(request.body, PIECES.concat(), "{why}, {down:?} to {up:?}");
                assert_eq!(request.arrival, Arrival::Whole, "{why}, {down:?} to {up:?}");
            }
        }
    }
}

#[tokio::test]
async fn framing_nothing_of_a_held_body_leaves_before_it_is_let_go() {
    for (down, up) in PAIRS {
        let upstream = Upstream::start(up, &[]);
        let gateway = Plan::to(&upstream).hook(HOLD_ALL).start().await;
        let mut client = Client::connect(&gateway, down).await;
        let request = Request::of(&PIECES);
        let mut call = client.begin(&request, false).await;
        call.piece(PIECES[0]).await;
        let seen = upstream.wait("the head", |all| !all.is_empty()).await;
        assert_eq!(
            seen[0].arrival,
            Arrival::Open,
            "the head is out, and the request not at its end"
        );
        assert!(
            seen[0].body.is_empty(),
            "{down:?} to {up:?}: nothing of the body is"
        );
        call.last(PIECES[1]).await;
        assert!(call.reply().await.is(200), "{down:?} to {up:?}");
    }
}

#[tokio::test]
async fn framing_none_before_the_end_is_a_complete_truncated_request() {
    for (down, up) in PAIRS {
        let upstream = Upstream::start(up, &[]);
        let second_is_none: Hook = |ctx, piece, end| {
            if is_second(ctx, end) {
                *piece = None;
            }
            Ok(())
        };
        let gateway = Plan::to(&upstream).hook(second_is_none).start().await;
        let mut client = Client::connect(&gateway, down).await;
        let request = Request::of(&PIECES);
        let mut call = client.begin(&request, false).await;
        call.piece(PIECES[0]).await;
        call.piece(PIECES[1]).await;
        let request = upstream.settled(0).await;
        assert_eq!(
            request.arrival,
            Arrival::Whole,
            "{down:?} to {up:?}: the provider holds it whole"
        );
        assert_eq!(
            request.body, PIECES[0],
            "{down:?} to {up:?}: with what came before the None"
        );
        call.last(PIECES[2]).await;
        let reply = call.reply().await;
        assert!(
            reply.is(200),
            "{down:?} to {up:?}: and the client is told that all is well: {reply:?}"
        );
    }
}

#[tokio::test]
async fn framing_an_empty_last_piece_terminates_twice() {
    let empty_at_the_end: Hook = |_, piece, end| {
        if end {
            *piece = Some(Bytes::new());
        }
        Ok(())
    };
    for (hook, request, why) in [
        (
            empty_at_the_end,
            Request::of(&PIECES).end_alone(),
            "an empty piece from the hook",
        ),
        (
            |_, _, _| Ok(()),
            Request::of(&[b"first", b""]),
            "an empty last frame from the client",
        ),
    ] {
        let upstream = Upstream::start(One, &[]);
        let gateway = Plan::to(&upstream).hook(hook).start().await;
        let mut client = Client::connect(&gateway, Two).await;
        assert!(client.send(&request).await.is(200), "{why}");
        let all = upstream
            .wait("a stray terminator", |all| all.len() == 2)
            .await;
        assert_eq!(
            all[1].head, "0",
            "{why}: the next request on this connection begins so"
        );
    }
}

#[tokio::test]
async fn framing_an_empty_last_piece_is_carried_out_as_one_end() {
    let emit: Hook = |_, piece, end| {
        let bytes = piece.take().unwrap_or_default();
        carry_out(Action::Emit(bytes), piece, end)
    };
    for up in [One, Two] {
        let upstream = Upstream::start(up, &[]);
        let gateway = Plan::to(&upstream).hook(emit).start().await;
        let mut client = Client::connect(&gateway, Two).await;
        for pieces in [
            &[b"first".as_slice(), b""],
            &[b"second".as_slice(), b"third"],
        ] {
            let reply = client.send(&Request::of(pieces)).await;
            assert!(reply.is(200), "{reply:?}");
        }
        let bodies: Vec<_> = upstream
            .requests()
            .into_iter()
            .map(|one| one.body)
            .collect();
        assert_eq!(
            bodies,
            [b"first".to_vec(), b"secondthird".to_vec()],
            "no byte between them"
        );
        let connections = upstream
            .requests()
            .into_iter()
            .map(|one| one.connection)
            .max();
        assert_eq!(connections, Some(0), "on one connection");
    }
}

#[tokio::test]
async fn framing_an_aborted_body_is_never_complete_and_its_client_knows_at_once() {
    for (down, up) in PAIRS {
        for announced in [false, true] {
            let upstream = Upstream::start(up, &[]);
            let gateway = Plan::to(&upstream).hook(REFUSE_SECOND).start().await;
            let mut client = Client::connect(&gateway, down).await;
            let request = Request {
                announced,
                ..Request::of(&PIECES)
            };
            let mut call = client.begin(&request, false).await;
            call.piece(PIECES[0]).await;
            upstream.wait("the head", |all| !all.is_empty()).await;
            call.piece(PIECES[1]).await;
            let reply = call.reply().await;
            assert_eq!(
                reply.status,
                Some(408),
                "{down:?} to {up:?}, before the end has been sent"
            );
            let request = upstream.settled(0).await;
            assert_eq!(request.arrival, Arrival::Cut, "{down:?} to {up:?}");
            assert!(
                request.body.len() < PIECES.concat().len(),
                "{down:?} to {up:?}"
            );
        }
    }
}

#[tokio::test]
async fn framing_an_aborted_body_costs_an_http1_connection_and_an_http2_stream() {
    for (up, connection) in [(One, 1), (Two, 0)] {
        let upstream = Upstream::start(up, &[]);
        let gateway = Plan::to(&upstream).hook(REFUSE_SECOND).start().await;
        let reply = Client::connect(&gateway, Two)
            .await
            .send(&Request::of(&PIECES))
            .await;
        assert_eq!(reply.status, Some(408), "refused");
        assert_eq!(upstream.settled(0).await.arrival, Arrival::Cut, "cut");
        let reply = Client::connect(&gateway, Two)
            .await
            .send(&Request::of(&PIECES[..1]))
            .await;
        assert!(reply.is(200), "another request is served: {reply:?}");
        assert_eq!(upstream.settled(1).await.connection, connection, "{up:?}");
    }
}

#[tokio::test]
async fn framing_an_error_without_a_source_is_swallowed_towards_http2() {
    let plain_error: Hook = |ctx, _, end| {
        if is_second(ctx, end) {
            return Err(Error::explain(ErrorType::HTTPStatus(403), "refused"));
        }
        Ok(())
    };
    for (down, up) in PAIRS {
        let upstream = Upstream::start(up, &[]);
        let plan = Plan::to(&upstream).hook(plain_error).read_timeout(200);
        let gateway = plan.start().await;
        let mut client = Client::connect(&gateway, down).await;
        let reply = client.send(&Request::of(&PIECES)).await;
        let error = gateway.ended(0).await.error.unwrap_or_default();
        if up == One {
            assert_eq!(reply.status, Some(403), "{down:?}: HTTP/1 tells the client");
        } else {
            assert_eq!(
                reply.status,
                Some(502),
                "{down:?}: the refusal is lost: {error}"
            );
            assert!(
                error.contains("ReadTimedout"),
                "{down:?}: the provider is waited for: {error}"
            );
        }
        assert_eq!(
            upstream.settled(0).await.arrival,
            Arrival::Cut,
            "{down:?} to {up:?}"
        );
    }
}

#[tokio::test]
async fn framing_a_request_without_a_body_meets_the_hook_towards_http1_only() {
    for (down, up) in PAIRS {
        let upstream = Upstream::start(up, &[]);
        let gateway = Plan::to(&upstream).start().await;
        let reply = Client::connect(&gateway, down)
            .await
            .send(&Request::default())
            .await;
        assert!(reply.is(200), "{down:?} to {up:?}: {reply:?}");
        let calls = gateway.ended(0).await.calls;
        let expected: &[(Option<usize>, bool)] = if up == One { &[(None, true)] } else { &[] };
        assert_eq!(calls, expected, "{down:?} to {up:?}");
    }
}

#[tokio::test]
async fn framing_a_body_that_grows_is_cut_at_its_announced_length() {
    let longer: Hook = |_, piece, end| {
        if end {
            *piece = Some(
                [&piece.take().unwrap_or_default()[..], b"and more"]
                    .concat()
                    .into(),
            );
        }
        Ok(())
    };
    let upstream = Upstream::start(One, &[]);
    let gateway = Plan::to(&upstream).hook(longer).start().await;
    let request = Request::of(&[b"all that there is"]).announced();
    let reply = Client::connect(&gateway, One).await.send(&request).await;
    assert!(reply.is(200), "{reply:?}");
    assert_eq!(
        upstream.requests()[0].body,
        b"all that there is",
        "and nothing tells of the rest"
    );
}

#[tokio::test]
async fn framing_a_body_that_shrinks_under_its_announced_length_is_never_complete() {
    let shorter: Hook = |_, piece, _| {
        if let Some(piece) = piece {
            piece.truncate(5);
        }
        Ok(())
    };
    for (down, up) in PAIRS {
        let upstream = Upstream::start(up, &[]);
        let gateway = Plan::to(&upstream)
            .hook(shorter)
            .read_timeout(1000)
            .start()
            .await;
        let request = Request::of(&[b"all that there is"]).announced();
        let reply = Client::connect(&gateway, down).await.send(&request).await;
        assert_eq!(reply.status, Some(502), "{down:?} to {up:?}");
        assert_eq!(
            upstream.settled(0).await.arrival,
            Arrival::Cut,
            "{down:?} to {up:?}"
        );
    }
}

#[tokio::test]
async fn framing_the_hook_sees_the_raw_bytes_again_on_every_attempt() {
    let upstream_answers = [Answer::Status(503), Answer::Status(503)];
    for (down, up) in PAIRS {
        let upstream = Upstream::start(up, &upstream_answers);
        let gateway = Plan::to(&upstream).retrying().start().await;
        let body = body(20_000);
        let request = Request::whole(&body).announced();
        let reply = Client::connect(&gateway, down).await.send(&request).await;
        assert!(reply.is(200), "{down:?} to {up:?}: {reply:?}");
        let ended = gateway.ended(0).await;
        assert_eq!(ended.attempts, 3, "{down:?} to {up:?}");
        let seen: usize = ended.calls.iter().filter_map(|(length, _)| *length).sum();
        assert_eq!(
            seen,
            body.len(),
            "{down:?} to {up:?}: the third attempt's calls"
        );
        assert!(
            upstream.requests().iter().all(|one| one.body == body),
            "{down:?} to {up:?}"
        );
    }
}
