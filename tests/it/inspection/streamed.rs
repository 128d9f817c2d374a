//! `mode: stream`: a body is sent on while it is judged, and what is refused on its way never
//! becomes a complete request.

use super::{ATTACK, CARD, CHAT, EMAIL, SECRET, id, inspecting, long, post};
use crate::framing::http2_client::{Client, secured};
use crate::harness::Upstream;
use crate::harness::http1::chunked;
use crate::harness::received::{Arrival, Received};

const STREAM: &str = "mode: stream, max_text_chars: null";

/// Where the last piece of a body begins.
fn last_piece(body: &str, text: &str) -> usize {
    body.find(text).expect("the text is there")
}

fn begun(all: &[Received]) -> bool {
    all.last().is_some_and(|one| !one.body.is_empty())
}

fn cut(all: &[Received]) -> bool {
    all.last().is_some_and(|one| one.arrival == Arrival::Cut)
}

#[tokio::test]
async fn what_is_refused_in_the_last_piece_never_becomes_a_complete_request() {
    for (text, code) in [
        (ATTACK, "prompt_injection_detected"),
        (SECRET, "secret_detected"),
    ] {
        for in_chunks in [false, true] {
            let why = format!("{code}, in chunks: {in_chunks}");
            let upstream = Upstream::start().await;
            let gateway = inspecting(&upstream, STREAM).await;
            let body = long(200_000, &format!(" {text}"));
            let (early, late) = body.split_at(last_piece(&body, text));
            let request = post(CHAT, &body);
            let request = if in_chunks {
                request.chunked(1)
            } else {
                request
            };
            let framed = |part: &str, end: bool| {
                if !in_chunks {
                    return part.as_bytes().to_vec();
                }
                let mut wire = chunked(part.as_bytes(), 16_381);
                wire.truncate(if end {
                    wire.len()
                } else {
                    wire.len() - b"0\r\n\r\n".len()
                });
                wire
            };
            let mut connection = gateway.connect().await;
            connection.send_head(&request).await;
            connection.write(&framed(early, false)).await;
            upstream.wait("the first pieces", begun).await;
            connection.write(&framed(late, true)).await;
            let reply = connection.raw_reply().await.expect("a refusal");
            reply.assert_refused(400, code, &why);
            let all = upstream.wait("the end of the request", cut).await;
            assert_eq!(all.len(), 1, "{why}: it is not tried again");
            assert!(
                all[0].body.len() < body.len() && !all[0].text().contains(text),
                "{why}: what was refused did not leave"
            );
            let line = gateway.access_line(id(&reply)).await;
            assert_eq!(line["extra_data"]["code"], code, "{why}: {line}");
            let next = gateway.send(&post(CHAT, &long(200, "bye"))).await;
            next.assert_fine("the next one is served");
            assert_eq!(
                upstream.connections(),
                2,
                "{why}: on a connection of its own"
            );
        }
    }
}

#[tokio::test]
async fn what_is_clean_passes_to_the_byte() {
    let upstream = Upstream::start().await;
    let gateway = inspecting(&upstream, STREAM).await;
    let mut count = 0;
    for size in [200, 65_536, 307_200] {
        let body = long(size, "the end");
        for chunk in [None, Some(1_021), Some(65_537)] {
            let request = post(CHAT, &body);
            let request = match chunk {
                Some(size) => request.chunked(size),
                None => request,
            };
            let why = format!("{size} bytes by {chunk:?}");
            gateway.send(&request).await.assert_fine(&why);
            count += 1;
            let received = upstream.wait_requests(count).await;
            assert!(received[count - 1].body == body.as_bytes(), "{why}");
        }
    }
}

#[tokio::test]
async fn nothing_that_was_not_judged_leaves() {
    let upstream = Upstream::start().await;
    let gateway = inspecting(&upstream, STREAM).await;
    let body = long(100_000, "the end").replacen("all is well", ATTACK, 1);
    let mut connection = gateway.connect().await;
    // In pieces far smaller than what is judged at a time.
    connection.send(&post(CHAT, &body).chunked(100)).await;
    let reply = connection.raw_reply().await.expect("a refusal");
    reply.assert_refused(
        400,
        "prompt_injection_detected",
        "at the start of a long body",
    );
    let over = |all: &[Received]| all.iter().all(|one| one.arrival == Arrival::Cut);
    let all = upstream.wait("the provider is let go", over).await;
    let told: String = all.iter().map(Received::text).collect();
    assert!(!told.contains("revious instructions"), "{told}");
}

#[tokio::test]
async fn values_are_masked_on_the_way_and_all_else_stays_to_the_byte() {
    let rules = "mode: stream, max_text_chars: null, pii: mask, secrets: mask";
    let upstream = Upstream::start().await;
    let secured = secured(&upstream, &format!("inspection: {{request: {{{rules}}}}}")).await;
    let client = Client::connect(&secured).await;
    let mut count = 0;
    for size in [200, 20_000, 150_000] {
        let body = with_values(size);
        let want = body
            .replace(EMAIL, "[EMAIL_1]")
            .replace(CARD, "[CREDIT_CARD_1]")
            .replace(SECRET, "[GITHUB_TOKEN_1]");
        for cut in [None, Some(1_021), Some(65_537)] {
            let why = format!("{size} bytes by {cut:?}");
            let request = post(CHAT, &body);
            let request = match cut {
                Some(size) => request.chunked(size),
                None => request,
            };
            secured.gateway.send(&request).await.assert_fine(&why);
            count += 1;
            let received = upstream.wait_requests(count).await;
            assert_eq!(
                String::from_utf8_lossy(&received[count - 1].body),
                want,
                "{why}"
            );
        }
        for cut in [1_021, 16_000] {
            let why = format!("{size} bytes by {cut} over HTTP/2");
            let sent = (body.as_bytes(), cut);
            let answer = client.send(CHAT, "application/json", &[], sent).await;
            assert_eq!(answer.status, 200, "{why}: {answer:?}");
            count += 1;
            let received = upstream.wait_requests(count).await;
            assert_eq!(
                String::from_utf8_lossy(&received[count - 1].body),
                want,
                "{why}"
            );
        }
    }
}

#[tokio::test]
async fn what_was_read_of_an_abandoned_body_is_on_record() {
    let upstream = Upstream::start().await;
    let gateway = inspecting(&upstream, STREAM).await;
    let body = long(200_000, "the end");
    let request = post(CHAT, &body).header("x-request-id", "abandoned");
    let mut connection = gateway.connect().await;
    connection.send_head(&request).await;
    // The newest piece stays: more than is ever read as one, 64 KiB.
    connection.write(&body.as_bytes()[..150_000]).await;
    upstream.wait("the first pieces", begun).await;
    drop(connection);
    upstream.wait("the provider is let go", cut).await;
    let line = gateway.access_line("abandoned").await;
    let data = &line["extra_data"];
    assert!(data["inspected_bytes"].as_u64() > Some(8_192), "{line}");
    assert_eq!(data["inspected_bytes"], data["request_bytes"], "{line}");
    assert!(data["families"].is_array(), "{line}");
}

/// A chat of about `size` bytes with values at its start, its end and all over.
fn with_values(size: usize) -> String {
    let part = format!("{EMAIL} and \\u0416\u{416}\\n\\\"{CARD}\\\": {SECRET}. ");
    let filler = "all is well ".repeat(size / 120);
    let parts = format!("{part}{filler}").repeat(10);
    format!(
        "{{\"messages\" : [ {{\"role\": \"user\",\n\"content\":\"{parts}{EMAIL}\"}}],\
         \"temperature\":1.50e0, \"model\":\"gpt-4o\"}}\n"
    )
}
