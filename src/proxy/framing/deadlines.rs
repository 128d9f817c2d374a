//! The deadlines of a guarded session: the provider's, and the client's.

use std::time::Duration;

use super::client::{Client, Request};
use super::gateway::{Early, Plan};
use super::upstream::{Answer, Arrival, Upstream};
use super::{PAIRS, Version, body};
use crate::policy::units::Span;

fn span(text: &str) -> Span {
    text.parse().expect("a span")
}

#[tokio::test]
async fn framing_a_provider_that_says_nothing_is_left_after_its_time() {
    for (down, up) in PAIRS {
        for early in [Early::Hold, Early::Guard] {
            let upstream = Upstream::start(up, &[Answer::Silence]);
            let mut plan = Plan::to(&upstream).early(early);
            plan.provider.first_byte = span("150ms");
            let gateway = plan.start().await;
            let mut client = Client::connect(&gateway, down).await;
            let reply = client.send(&Request::whole(&body(100_000))).await;
            assert_eq!(reply.status, Some(504), "{early:?}, {down:?} to {up:?}");
            upstream
                .wait("the end of the call", |all| all[0].left)
                .await;
        }
    }
}

#[tokio::test]
async fn framing_a_provider_that_falls_silent_is_left_after_its_time() {
    for (down, up) in PAIRS {
        let upstream = Upstream::start(up, &[Answer::Half]);
        let mut plan = Plan::to(&upstream).early(Early::Guard);
        plan.provider.idle = span("150ms");
        let gateway = plan.start().await;
        let reply = Client::connect(&gateway, down)
            .await
            .send(&Request::of(&[b"x"]))
            .await;
        assert_eq!(reply.status, Some(200), "{down:?} to {up:?}: it had begun");
        assert!(
            !reply.complete,
            "{down:?} to {up:?}: and is not made to look complete"
        );
        upstream
            .wait("the end of the call", |all| all[0].left)
            .await;
    }
}

#[tokio::test]
async fn framing_a_provider_that_goes_on_for_ever_is_left_after_its_time() {
    for (down, up) in PAIRS {
        let upstream = Upstream::start(up, &[Answer::Trickle(Duration::from_millis(20))]);
        let mut plan = Plan::to(&upstream).early(Early::Hold);
        plan.provider.total = span("400ms");
        let gateway = plan.start().await;
        let reply = Client::connect(&gateway, down)
            .await
            .send(&Request::of(&[b"x"]))
            .await;
        assert!(!reply.complete, "{down:?} to {up:?}: {:?}", reply.status);
        upstream
            .wait("the end of the call", |all| all[0].left)
            .await;
    }
}

/// A body that is more than the buffers on the way to a provider take that reads nothing.
fn large(up: Version) -> Request {
    let size = if up == Version::One {
        8_000_000
    } else {
        300_000
    };
    Request::whole(&vec![7; size]).announced()
}

/// Sends a request to a provider that does not read it, and waits until the proxy gives it up.
async fn given_up(plan: Plan, down: Version, up: Version) -> String {
    let gateway = plan.start().await;
    let mut client = Client::connect(&gateway, down).await;
    let request = large(up);
    let asking = async {
        let reply = client.send(&request).await;
        assert!(!reply.is(200), "{down:?} to {up:?}: {:?}", reply.status);
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = asking => String::new(),
        ended = gateway.ended(0) => ended.error.expect("an error"),
    }
}

/// Whether the guarded session ran out of time, or Pingora did.
fn timed_out(error: &str) -> bool {
    error.contains("upstream_timeout") || error.contains("Timedout")
}

#[tokio::test]
async fn framing_a_provider_that_takes_nothing_is_left_after_its_time() {
    for (down, up) in PAIRS {
        for early in [Early::Hold, Early::Guard] {
            let upstream = Upstream::start(up, &[Answer::Unread]);
            // While the way to the provider is full, Pingora does not ask a guarded session for
            // more: the peer's own deadlines must hold, too.
            let mut plan = Plan::to(&upstream).early(early).read_timeout(300);
            plan.provider.idle = span("200ms");
            plan.provider.first_byte = span("300ms");
            let error = given_up(plan, down, up).await;
            assert!(timed_out(&error), "{early:?}, {down:?} to {up:?}: {error}");
            let whole = upstream
                .requests()
                .iter()
                .any(|one| one.arrival == Arrival::Whole);
            assert!(
                !whole,
                "{early:?}, {down:?} to {up:?}: {:?}",
                upstream.brief()
            );
        }
    }
}

#[tokio::test]
async fn framing_a_provider_that_takes_nothing_and_goes_on_for_ever_is_left_after_its_time() {
    for (down, up) in PAIRS {
        for early in [Early::Hold, Early::Guard] {
            let upstream = Upstream::start(up, &[Answer::Rude(Duration::from_millis(20))]);
            // Every byte of the answer begins the peer's own deadline anew.
            let mut plan = Plan::to(&upstream).early(early).read_timeout(300);
            plan.provider.idle = span("200ms");
            plan.provider.total = span("400ms");
            let error = given_up(plan, down, up).await;
            assert!(timed_out(&error), "{early:?}, {down:?} to {up:?}: {error}");
        }
    }
}

#[tokio::test]
async fn framing_every_attempt_has_its_whole_time_to_the_first_byte() {
    let pause = Duration::from_millis(700);
    let answers = [Answer::Late(503, pause), Answer::Late(200, pause)];
    let attempt = async |down, up| {
        let upstream = Upstream::start(up, &answers);
        let mut plan = Plan::to(&upstream).early(Early::Hold).retrying();
        plan.provider.first_byte = span("1300ms");
        let gateway = plan.start().await;
        let reply = Client::connect(&gateway, down)
            .await
            .send(&Request::of(&[b"x"]))
            .await;
        assert!(reply.is(200), "{down:?} to {up:?}: {reply:?}");
    };
    let [a, b, c, d] = PAIRS;
    tokio::join!(
        attempt(a.0, a.1),
        attempt(b.0, b.1),
        attempt(c.0, c.1),
        attempt(d.0, d.1)
    );
}

#[tokio::test]
async fn framing_a_client_that_stops_in_its_body_is_told_and_let_go() {
    for (down, up) in PAIRS {
        let upstream = Upstream::start(up, &[]);
        let mut plan = Plan::to(&upstream).early(Early::Guard);
        plan.client.body_idle = span("150ms");
        let gateway = plan.start().await;
        let mut client = Client::connect(&gateway, down).await;
        let request = Request::of(&[b"first,", b"second"]).announced();
        let mut call = client.begin(&request, false).await;
        call.piece(b"first,").await;
        let reply = call.reply().await;
        assert_eq!(reply.status, Some(408), "{down:?} to {up:?}");
        assert_eq!(
            upstream.settled(0).await.arrival,
            Arrival::Cut,
            "{down:?} to {up:?}"
        );
    }
}

#[tokio::test]
async fn framing_a_providers_time_does_not_run_while_the_client_still_sends() {
    for down in [Version::One, Version::Two] {
        let upstream = Upstream::start(Version::One, &[]);
        let mut plan = Plan::to(&upstream).early(Early::Guard);
        plan.provider.first_byte = span("400ms");
        let gateway = plan.start().await;
        let mut client = Client::connect(&gateway, down).await;
        let request = Request::of(&[b"first,", b"second"]);
        let mut call = client.begin(&request, false).await;
        call.piece(b"first,").await;
        let longer = gateway.ended(0);
        let too_soon = tokio::time::timeout(Duration::from_millis(600), longer).await;
        assert!(
            too_soon.is_err(),
            "{down:?}: it is the client that is slow: {too_soon:?}"
        );
        call.last(b"second").await;
        let reply = call.reply().await;
        assert!(reply.is(200), "{down:?}: {reply:?}");
    }
}
