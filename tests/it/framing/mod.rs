//! How a request is framed on its way through the real binary: whatever way it came in, the
//! provider reads one request, all of it, and no other.

mod heads;
mod http2;
pub(crate) mod http2_client;

use crate::harness::http1::{Headers, chunked};
use crate::harness::received::{Arrival, Received};
use crate::harness::{Gateway, Request, STANDARD_KEY, Upstream, chat, chat_body};

const PATH: &str = "/v1/chat/completions";
const JSON: &str = "application/json";
const FORM: &str = "multipart/form-data; boundary=frontier";

/// A valid chat request of exactly `size` bytes.
fn sized(size: usize) -> Vec<u8> {
    let mut body = chat_body("gpt-4o");
    body["filler"] = "".into();
    let frame = body.to_string().len();
    body["filler"] = "a".repeat(size - frame).into();
    body.to_string().into_bytes()
}

/// A form with one file of `size` bytes.
fn form(size: usize) -> Vec<u8> {
    let head =
        "--frontier\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n";
    let file: Vec<u8> = (0..size)
        .map(|n| u8::try_from(n % 251).expect("a byte"))
        .collect();
    [head.as_bytes(), &file, b"\r\n--frontier--\r\n"].concat()
}

fn upload(body: &[u8]) -> Request {
    Request::new("POST", "/v1/files")
        .key(STANDARD_KEY)
        .header("content-type", FORM)
        .body(body)
}

fn post(body: &[u8]) -> Request {
    Request::new("POST", PATH).key(STANDARD_KEY).json(body)
}

/// The fields that say where a body ends.
fn framing(headers: &Headers) -> (Option<&str>, Option<&str>) {
    (
        headers.one("content-length"),
        headers.one("transfer-encoding"),
    )
}

/// That a held body has its length, and nothing else to say where it ends.
fn assert_held(received: &Received, body: &[u8], why: &str) {
    assert_eq!(received.arrival, Arrival::Whole, "{why}");
    assert!(
        received.body == body,
        "{why}: {} of {}",
        received.body.len(),
        body.len()
    );
    let length = body.len().to_string();
    assert_eq!(
        framing(&received.headers()),
        (Some(length.as_str()), None),
        "{why}"
    );
}

#[tokio::test]
async fn framing_a_held_body_has_its_length_however_it_came() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    let mut connection = gateway.connect().await;
    let mut count = 0;
    for (size, cuts) in [
        (200, [1, 7]),
        (65_535, [4093, 65_535]),
        (65_536, [4096, 65_535]),
        (65_537, [65_536, 1021]),
        (300_000, [16_384, 299_999]),
        (1 << 20, [8191, 1 << 19]),
    ] {
        let body = sized(size);
        let chunkings = cuts.map(|cut| post(&body).chunked(cut));
        for request in [post(&body)].into_iter().chain(chunkings) {
            connection.send(&request).await;
            connection
                .reply()
                .await
                .assert_fine(&format!("{size} bytes"));
            count += 1;
            let all = upstream.wait_requests(count).await;
            assert_held(
                &all[count - 1],
                &body,
                &format!("{size} bytes, request {count}"),
            );
        }
    }
    assert_eq!(
        upstream.connections(),
        1,
        "and one connection serves them all"
    );
}

/// Nothing is rewritten, so that lengths stay.
const NOTHING_REWRITTEN: &str = "inspection: {request: {pii: flag, sanitization: off}}";

#[tokio::test]
async fn framing_an_upload_keeps_its_framing_unless_it_may_be_rewritten() {
    for (yaml, keeps) in [(NOTHING_REWRITTEN, true), ("{}", false)] {
        let upstream = Upstream::start().await;
        let builder = Gateway::builder().provider("mock", "openai", &upstream.url());
        let gateway = builder.yaml(yaml).start().await;
        let body = form(2_000_000);
        gateway
            .send(&upload(&body))
            .await
            .assert_fine("with a length");
        gateway
            .send(&upload(&body).chunked(70_001))
            .await
            .assert_fine("in chunks");
        let all = upstream.wait_requests(2).await;
        assert!(all.iter().all(|one| one.body == body), "byte by byte");
        let length = body.len().to_string();
        let chunks = (None, Some("chunked"));
        let want = if keeps {
            (Some(length.as_str()), None)
        } else {
            chunks
        };
        assert_eq!(framing(&all[0].headers()), want, "{yaml}");
        assert_eq!(framing(&all[1].headers()), chunks, "{yaml}");
    }
}

#[tokio::test]
async fn framing_a_client_that_waits_for_100_continue_is_told_to_go_on() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    let (json, form) = (sized(300_000), form(300_000));
    let requests = [
        (post(&json), "held"),
        (post(&json).chunked(9999), "held, in chunks"),
        (upload(&form), "passing"),
        (upload(&form).chunked(9999), "passing, in chunks"),
    ];
    for (number, (request, why)) in requests.into_iter().enumerate() {
        let request = request.header("expect", "100-continue");
        let body = if number < 2 { &json } else { &form };
        let rest = if number % 2 == 0 {
            body.clone()
        } else {
            chunked(body, 9999)
        };
        let mut connection = gateway.connect().await;
        connection.send_head(&request).await;
        connection.interim().await;
        connection.write(&rest).await;
        connection.reply().await.assert_fine(why);
        assert_eq!(connection.interims(), 0, "{why}: it is told once");
        let received = upstream.wait_requests(number + 1).await.swap_remove(number);
        assert!(received.body == *body, "{why}: byte by byte");
        assert!(
            !received.headers().has("expect"),
            "{why}: it is settled here"
        );
    }
}

#[tokio::test]
async fn framing_a_refused_client_is_not_told_to_go_on() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    let mut connection = gateway.connect().await;
    let request = chat("gpt-4o")
        .key("sk-wrong")
        .header("expect", "100-continue");
    connection.send_head(&request).await;
    let reply = connection.raw_reply().await.expect("a refusal");
    reply.assert_refused(401, "invalid_api_key", "before its body has been sent");
    assert_eq!(connection.interims(), 0, "nobody asked for it");
    upstream.assert_untouched("a refused head");
}

#[tokio::test]
async fn framing_an_upload_that_runs_over_its_limit_is_never_complete() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::builder()
        .provider("mock", "openai", &upstream.url())
        .yaml("size_limits: {file: 100KiB}")
        .start()
        .await;
    let limit = 100 * 1024;
    let frame = form(0).len();
    let at = upload(&form(limit - frame)).chunked(5003);
    gateway.send(&at).await.assert_fine("to the byte");
    let past = upload(&form(limit - frame + 1)).chunked(5003);
    let mut connection = gateway.connect().await;
    connection.send(&past).await;
    let reply = connection.raw_reply().await.expect("a refusal");
    reply.assert_refused(413, "request_too_large", "one byte past it");
    let over = |all: &[Received]| all.iter().all(|one| one.arrival != Arrival::Open);
    let all = upstream.wait("the provider is let go", over).await;
    let whole = all
        .iter()
        .filter(|one| one.arrival == Arrival::Whole)
        .count();
    assert_eq!(whole, 1, "the one at the limit");
}
