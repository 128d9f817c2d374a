//! Bodies that are judged on their way instead of being held: uploads, and JSON in stream mode.
//! What turns out to be wrong never looks complete to a provider.

use serde_json::json;

use crate::harness::received::{Arrival, Received};
use crate::harness::{Gateway, Request, STANDARD_KEY, Upstream, chat, chat_body};

const BOUNDARY: &str = "frontier-of-a-form";

/// A form with one file of `size` bytes.
fn form(size: usize) -> Vec<u8> {
    let head = format!(
        "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"purpose\"\r\n\r\nassistants\r\n\
         --{BOUNDARY}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.bin\"\r\n\r\n"
    );
    let mut body = head.into_bytes();
    body.extend((0..size).map(|n| u8::try_from(n % 251).expect("a byte")));
    body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
    body
}

fn upload(size: usize) -> Request {
    Request::new("POST", "/v1/files")
        .key(STANDARD_KEY)
        .header(
            "content-type",
            &format!("multipart/form-data; boundary={BOUNDARY}"),
        )
        .body(&form(size))
}

fn none_complete(all: &[Received]) -> bool {
    all.iter().all(|one| one.arrival != Arrival::Whole)
}

async fn streaming(upstream: &Upstream) -> Gateway {
    Gateway::builder()
        .provider("mock", "openai", &upstream.url())
        .yaml("{inspection: {request: {mode: stream}}, size_limits: {json: 1MiB}}")
        .start()
        .await
}

#[tokio::test]
async fn an_upload_passes_byte_by_byte_in_either_framing() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    for (count, size) in [10, 70_000, 3_000_000].into_iter().enumerate() {
        for (turn, request) in [upload(size), upload(size).chunked(50_000)]
            .into_iter()
            .enumerate()
        {
            gateway
                .send(&request)
                .await
                .assert_fine(&format!("{size} bytes"));
            let all = upstream.wait_requests(count * 2 + turn + 1).await;
            let last = all.last().expect("one more");
            assert!(
                last.body == form(size),
                "{size} bytes arrive unchanged, turn {turn}"
            );
        }
    }
}

#[tokio::test]
async fn the_embedded_provider_takes_uploads_and_makes_images() {
    let gateway = Gateway::builder()
        .echo("local")
        .yaml("inspection: {request: {uninspectable: flag}}")
        .start()
        .await;
    // More than it keeps of any body.
    let size = 300_000;
    let reply = gateway.send(&upload(size)).await;
    reply.assert_fine("a file");
    let file = reply.json();
    assert_eq!(file["object"], "file", "{file}");
    assert_eq!(file["filename"], "a.bin", "{file}");
    assert_eq!(file["bytes"], form(size).len(), "all of it arrived: {file}");
    let body = json!({"model": "any", "prompt": "a cat"});
    let reply = gateway
        .send(&Request::post("/v1/images/generations", &body).key(STANDARD_KEY))
        .await;
    reply.assert_fine("an image");
    assert!(reply.json()["data"][0]["b64_json"].is_string(), "{reply:?}");
}

#[tokio::test]
async fn an_upload_begins_to_arrive_before_it_has_left() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    let wire = upload(4_000_000).bytes();
    let (first, rest) = wire.split_at(wire.len() / 2);
    let mut connection = gateway.connect().await;
    connection.send_part(&upload(0), first).await;
    let arriving = |all: &[Received]| all.iter().any(|one| one.body.len() > 100_000);
    let all = upstream.wait("half an upload", arriving).await;
    assert_eq!(all[0].arrival, Arrival::Open, "the end is still to come");
    connection.write(rest).await;
    connection.reply().await.assert_fine("the other half");
}

#[tokio::test]
async fn an_upload_over_its_limit_never_looks_complete() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::builder()
        .provider("mock", "openai", &upstream.url())
        .yaml("size_limits: {file: 100KiB}")
        .start()
        .await;
    let reply = gateway.send(&upload(200_000)).await;
    reply.assert_refused(413, "request_too_large", "its length says so");
    upstream.assert_untouched("a length over the limit");
    let mut connection = gateway.connect().await;
    connection.send(&upload(200_000).chunked(10_000)).await;
    let reply = connection.raw_reply().await.expect("a refusal");
    reply.assert_refused(413, "request_too_large", "chunks that add up to too much");
    let over = |all: &[Received]| all.iter().all(|one| one.arrival != Arrival::Open);
    upstream.wait("the provider is let go", over).await;
    assert!(
        none_complete(&upstream.requests()),
        "it never looked complete"
    );
}

#[tokio::test]
async fn an_upload_that_its_client_abandons_never_looks_complete() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    for request in [upload(2_000_000), upload(2_000_000).chunked(50_000)] {
        let before = upstream.requests().len();
        let wire = request.bytes();
        let mut connection = gateway.connect().await;
        connection.write(&wire[..wire.len() - 10]).await;
        upstream
            .wait("the upload arrives", |all| all.len() > before)
            .await;
        connection.reset();
        let over = |all: &[Received]| all.iter().all(|one| one.arrival == Arrival::Cut);
        upstream.wait("the provider is let go", over).await;
    }
}

#[tokio::test]
async fn json_in_stream_mode_passes_unchanged() {
    let upstream = Upstream::start().await;
    let gateway = streaming(&upstream).await;
    let mut body = chat_body("gpt-4o");
    body["filler"] = "x".repeat(300_000).into();
    let request = Request::post("/v1/chat/completions", &body).key(STANDARD_KEY);
    gateway.send(&request).await.assert_fine("a large body");
    gateway
        .send(&request.chunked(5000))
        .await
        .assert_fine("the same in chunks");
    gateway
        .send(&chat("gpt-4o").key(STANDARD_KEY))
        .await
        .assert_fine("a small body");
    let all = upstream.wait_requests(3).await;
    assert!(all[..2].iter().all(|one| one.json() == body), "unchanged");
}

#[tokio::test]
async fn json_in_stream_mode_that_breaks_at_its_end_never_looks_complete() {
    let upstream = Upstream::start().await;
    let gateway = streaming(&upstream).await;
    let mut body = chat_body("gpt-4o");
    body["filler"] = "x".repeat(300_000).into();
    let whole = body.to_string();
    for broken in [format!("{whole}x"), whole[..whole.len() - 1].to_owned()] {
        for chunk in [None, Some(5000)] {
            let mut request = Request::new("POST", "/v1/chat/completions").key(STANDARD_KEY);
            request = request.json(broken.as_bytes());
            if let Some(size) = chunk {
                request = request.chunked(size);
            }
            let mut connection = gateway.connect().await;
            connection.send(&request).await;
            let reply = connection.raw_reply().await.expect("a refusal");
            reply.assert_refused(400, "invalid_json", &format!("chunks of {chunk:?}"));
            let over = |all: &[Received]| all.iter().all(|one| one.arrival != Arrival::Open);
            upstream.wait("the provider is let go", over).await;
            assert!(
                none_complete(&upstream.requests()),
                "it never looked complete"
            );
        }
    }
}
