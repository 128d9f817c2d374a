//! The same promises to clients that speak HTTP/2 over TLS.

use super::http2_client::{Answer, Client, secured};
use super::{FORM, JSON, NOTHING_REWRITTEN, PATH, assert_held, form, framing, sized};
use crate::harness::received::{Arrival, Received};
use crate::harness::replies::chat_event;
use crate::harness::{Script, Upstream};

fn assert_fine(answer: &Answer, why: &str) {
    assert!(answer.status == 200 && answer.complete, "{why}: {answer:?}");
}

fn settled(all: &[Received]) -> bool {
    all.iter().all(|one| one.arrival != Arrival::Open)
}

#[tokio::test]
async fn framing_a_held_body_over_http2_has_its_length_however_it_came() {
    let upstream = Upstream::start().await;
    let gateway = secured(&upstream, "{}").await;
    let client = Client::connect(&gateway).await;
    let mut count = 0;
    for (size, cuts) in [
        (200, [40, 200]),
        (65_535, [16_384, 1021]),
        (65_536, [16_384, 65_536]),
        (65_537, [65_536, 4093]),
        (300_000, [16_384, 299_999]),
        (1 << 20, [8191, 1 << 20]),
    ] {
        let body = sized(size);
        let length = size.to_string();
        let announced = [("content-length", length.as_str())];
        for (cut, fields) in [(cuts[0], &announced[..]), (cuts[1], &[][..])] {
            let answer = client.send(PATH, JSON, fields, (&body, cut)).await;
            assert_fine(&answer, &format!("{size} bytes by {cut}"));
            count += 1;
            let all = upstream.wait_requests(count).await;
            assert_held(&all[count - 1], &body, &format!("{size} bytes by {cut}"));
        }
    }
    // A connection is free a moment after its answer has ended, so a stream may just miss it.
    assert!(
        upstream.connections() < count,
        "and connections serve again"
    );
}

#[tokio::test]
async fn framing_an_upload_over_http2_passes_byte_by_byte() {
    let upstream = Upstream::start().await;
    let gateway = secured(&upstream, NOTHING_REWRITTEN).await;
    let client = Client::connect(&gateway).await;
    let body = form(2_000_000);
    let length = body.len().to_string();
    let announced = [("content-length", length.as_str())];
    let answer = client
        .send("/v1/files", FORM, &announced, (&body, 10_007))
        .await;
    assert_fine(&answer, "with a length");
    let answer = client.send("/v1/files", FORM, &[], (&body, 10_007)).await;
    assert_fine(&answer, "without one");
    let answer = client.send(PATH, JSON, &[], (&sized(200), 200)).await;
    assert_fine(
        &answer,
        "and the next on the same connection is read from its beginning",
    );
    let all = upstream.wait_requests(3).await;
    assert!(all[..2].iter().all(|one| one.body == body), "byte by byte");
    assert_eq!(
        framing(&all[0].headers()),
        (Some(length.as_str()), None),
        "its length"
    );
    assert_eq!(
        framing(&all[1].headers()),
        (None, Some("chunked")),
        "in chunks"
    );
}

#[tokio::test]
async fn framing_an_upload_over_http2_that_runs_over_its_limit_is_never_complete() {
    let upstream = Upstream::start().await;
    let gateway = secured(&upstream, "size_limits: {file: 100KiB}").await;
    let client = Client::connect(&gateway).await;
    let body = form(100 * 1024);
    let length = body.len().to_string();
    let announced = [("content-length", length.as_str())];
    let answer = client
        .send("/v1/files", FORM, &announced, (&body, 5003))
        .await;
    assert_eq!(answer.status, 413, "its length says so: {answer:?}");
    upstream.assert_untouched("a length over the limit");
    let answer = client.send("/v1/files", FORM, &[], (&body, 5003)).await;
    assert_eq!(answer.status, 413, "it adds up to too much: {answer:?}");
    assert!(
        answer.complete && answer.body.contains("request_too_large"),
        "{answer:?}"
    );
    let all = upstream.wait("the provider is let go", settled).await;
    assert!(
        all.iter().all(|one| one.arrival == Arrival::Cut),
        "never complete"
    );
    let answer = client.send(PATH, JSON, &[], (&sized(200), 200)).await;
    assert_fine(&answer, "other streams of the connection live");
}

#[tokio::test]
async fn framing_an_upload_over_http2_that_its_client_resets_is_never_complete() {
    let upstream = Upstream::start().await;
    let gateway = secured(&upstream, "{}").await;
    let body = form(2_000_000);
    for whole_connection in [false, true] {
        let before = upstream.requests().len();
        let client = Client::connect(&gateway).await;
        let mut call = client.begin("/v1/files", FORM, &[]).await;
        for piece in body.chunks(16_000) {
            call.piece(piece, false).await;
        }
        let arriving =
            |all: &[Received]| all.get(before).is_some_and(|one| one.body.len() > 100_000);
        upstream.wait("the upload arrives", arriving).await;
        if whole_connection {
            drop(client);
        } else {
            call.reset();
        }
        let all = upstream.wait("the provider is let go", settled).await;
        assert_eq!(
            all[before].arrival,
            Arrival::Cut,
            "the connection: {whole_connection}"
        );
    }
}

#[tokio::test]
async fn framing_a_held_body_over_http2_that_its_client_resets_reaches_nobody() {
    let upstream = Upstream::start().await;
    let gateway = secured(&upstream, "{}").await;
    let client = Client::connect(&gateway).await;
    let body = sized(50_000);
    let mut call = client.begin(PATH, JSON, &[]).await;
    call.piece(&body[..40_000], false).await;
    call.reset();
    let answer = client.send(PATH, JSON, &[], (&sized(200), 200)).await;
    assert_fine(&answer, "other streams live");
    assert_eq!(
        upstream.only_request().body,
        sized(200),
        "half a body reaches nobody"
    );
}

#[tokio::test]
async fn framing_a_length_over_http2_that_is_not_the_bodys_reaches_nobody() {
    let upstream = Upstream::start().await;
    let gateway = secured(&upstream, "{}").await;
    let body = sized(500);
    for length in ["499", "501", "+500", "5 00", "-1", "0x1f4"] {
        for (path, kind) in [(PATH, JSON), ("/v1/files", FORM)] {
            let client = Client::connect(&gateway).await;
            let mut call = client
                .begin(path, kind, &[("content-length", length)])
                .await;
            call.piece(&body, true).await;
            let answer = call.answer().await;
            let refused = answer.as_ref().is_none_or(|answer| answer.status != 200);
            assert!(refused, "{length} on {path}: {answer:?}");
        }
    }
    let all = upstream.wait("the provider is let go", settled).await;
    let whole = all
        .iter()
        .filter(|one| one.arrival == Arrival::Whole)
        .count();
    assert_eq!(whole, 0, "none of them is complete: {all:?}");
}

#[tokio::test]
async fn framing_a_flood_of_tiny_frames_over_http2_is_ended_and_never_complete() {
    let upstream = Upstream::start().await;
    let gateway = secured(&upstream, "{}").await;
    for (path, kind, body) in [
        (PATH, JSON, sized(20_000)),
        ("/v1/files", FORM, form(20_000)),
    ] {
        let client = Client::connect(&gateway).await;
        let mut call = client.begin(path, kind, &[]).await;
        for byte in &body {
            call.piece(&[*byte], false).await;
        }
        call.piece(b"", true).await;
        let answer = call.answer().await;
        assert!(
            answer.is_none(),
            "{path}: the connection is ended: {answer:?}"
        );
    }
    let all = upstream.wait("the provider is let go", settled).await;
    assert!(
        all.iter().all(|one| one.arrival == Arrival::Cut),
        "never complete"
    );
    let client = Client::connect(&gateway).await;
    let answer = client.send(PATH, JSON, &[], (&sized(200), 200)).await;
    assert_fine(&answer, "others are served");
}

#[tokio::test]
async fn framing_fields_of_http1_over_http2_change_nothing() {
    let upstream = Upstream::start().await;
    let gateway = secured(&upstream, "{}").await;
    let body = sized(500);
    for (number, field) in [
        ("host", "evil.test"),
        ("te", "trailers"),
        ("expect", "100-continue"),
    ]
    .into_iter()
    .enumerate()
    {
        let client = Client::connect(&gateway).await;
        let mut call = client.begin(PATH, JSON, &[field]).await;
        call.piece(&body, true).await;
        let answer = call.answer().await;
        let arrived = upstream.requests().len() > number;
        match answer {
            Some(answer) if answer.status == 200 => {
                let all = upstream.wait_requests(1).await;
                let last = all.last().expect("one more");
                assert_held(last, &body, field.0);
                let text = String::from_utf8_lossy(&last.head).to_lowercase();
                assert!(!text.contains(field.1), "{}: {text}", field.0);
            }
            Some(answer) => assert!(answer.status == 400 && !arrived, "{}: {answer:?}", field.0),
            None => assert!(!arrived, "{}: it was refused", field.0),
        }
    }
    let on_record = |line: &serde_json::Value| line["logger"] == "portcullis.access";
    gateway
        .gateway
        .wait_for_line("an access line", on_record)
        .await;
}

#[tokio::test]
async fn framing_a_refused_stream_over_http2_ends_in_good_order() {
    let upstream = Upstream::start().await;
    let policy = "{inspection: {response: {canaries: [our-canary-text]}}}";
    let gateway = secured(&upstream, policy).await;
    let client = Client::connect(&gateway).await;
    for _ in 0..3 {
        let (script, feed) = Script::live();
        upstream.answer(script);
        let body =
            br#"{"model":"gpt-4o","stream":true,"messages":[{"role":"user","content":"hi"}]}"#;
        for word in ["It is ", "our-canary-", "text "] {
            feed.event(&chat_event("gpt-4o", word));
        }
        // The provider is silent from here on: it is the gateway that ends the stream.
        let answer = client.send(PATH, JSON, &[], (body, 64)).await;
        assert!(answer.complete, "END_STREAM and no reset: {answer:?}");
        assert!(answer.body.contains("event: error\ndata: {"), "{answer:?}");
        assert!(!answer.body.contains("our-"), "{answer:?}");
        drop(feed);
    }
}
