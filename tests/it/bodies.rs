//! What a body must be: JSON, not too deep, not too large, of a kind that its path takes. What
//! is judged is what the provider gets, byte by byte.

use serde_json::json;

use crate::harness::{Gateway, Request, STANDARD_KEY, Upstream, chat, chat_body};

const PATH: &str = "/v1/chat/completions";

fn post(body: &[u8]) -> Request {
    Request::new("POST", PATH).key(STANDARD_KEY).json(body)
}

/// A valid chat request of exactly `size` bytes.
fn sized(size: usize) -> Vec<u8> {
    let frame = json!({"messages": [{"role": "user", "content": ""}], "model": "gpt-4o"});
    let frame = frame.to_string();
    let (before, after) = frame.split_once(":\"\"").expect("one empty content");
    let filler = "a".repeat(size - frame.len());
    format!("{before}:\"{filler}\"{after}").into_bytes()
}

/// Nested arrays, `depth` levels in all with the object around them.
fn deep(depth: usize) -> Vec<u8> {
    let levels = depth - 1;
    let nest = format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    format!("{{\"model\":\"gpt-4o\",\"messages\":[{{\"role\":\"user\",\"content\":\"x\"}}],\"x\":{nest}}}").into_bytes()
}

#[tokio::test]
async fn what_is_not_json_is_refused_and_reaches_no_provider() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    let whole = chat_body("gpt-4o").to_string();
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("an empty body", vec![]),
        ("white space", b"  \n ".to_vec()),
        (
            "half a document",
            whole.as_bytes()[..whole.len() - 1].to_vec(),
        ),
        ("two documents", format!("{whole}{whole}").into_bytes()),
        ("text behind a document", format!("{whole}x").into_bytes()),
        (
            "a comma too many",
            b"{\"model\":\"gpt-4o\",\"messages\":[],}".to_vec(),
        ),
        ("a comment", b"{\"model\":\"gpt-4o\"/**/}".to_vec()),
        ("single quotes", b"{'model':'gpt-4o'}".to_vec()),
        (
            "NaN",
            b"{\"model\":\"gpt-4o\",\"temperature\":NaN}".to_vec(),
        ),
        (
            "a bare control character",
            b"{\"model\":\"gpt\n4o\"}".to_vec(),
        ),
        (
            "text that is not UTF-8",
            b"{\"model\":\"gpt-4o\",\"x\":\"\xff\xfe\"}".to_vec(),
        ),
        (
            "an over-long UTF-8 form",
            b"{\"model\":\"gpt-4o\",\"x\":\"\xc0\xaf\"}".to_vec(),
        ),
        ("a byte order mark", format!("\u{feff}{whole}").into_bytes()),
        (
            "a lone surrogate",
            b"{\"model\":\"gpt-4o\",\"x\":\"\\ud800\"}".to_vec(),
        ),
        (
            "one field twice",
            b"{\"model\":\"gpt-4o\",\"model\":\"o1\",\"messages\":[]}".to_vec(),
        ),
        (
            "one field twice, escaped",
            b"{\"model\":\"gpt-4o\",\"mod\\u0065l\":\"o1\"}".to_vec(),
        ),
        ("a form", b"model=gpt-4o".to_vec()),
        ("65 levels", deep(65)),
        ("100000 levels", deep(100_000)),
    ];
    for (why, body) in cases {
        let reply = gateway.send(&post(&body)).await;
        reply.assert_refused(400, "invalid_json", why);
    }
    upstream.assert_untouched("bodies that are not JSON");
}

#[tokio::test]
async fn json_that_is_no_request_is_refused_with_the_field_at_fault() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    for body in ["[]", "\"text\"", "7", "null", "true"] {
        let reply = gateway.send(&post(body.as_bytes())).await;
        reply.assert_refused(400, "invalid_request", body);
    }
    for body in [
        "{}",
        "{\"model\":7}",
        "{\"model\":null}",
        "{\"model\":\"\"}",
        "{\"model\":[]}",
    ] {
        let reply = gateway.send(&post(body.as_bytes())).await;
        reply.assert_refused(400, "invalid_request", body);
        assert_eq!(
            reply.json()["error"]["param"],
            "model",
            "{body}: the field is named"
        );
    }
    upstream.assert_untouched("requests without a model");
}

#[tokio::test]
async fn a_model_is_found_wherever_it_stands_and_nested_ones_do_not_count() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::builder()
        .provider("mock", "openai", &upstream.url())
        .route("{models: [\"gpt-*\"], providers: [mock]}")
        .start()
        .await;
    let last = br#"{"messages":[{"model":"evil","role":"user","content":"x"}],"model":"gpt-4o"}"#;
    gateway
        .send(&post(last))
        .await
        .assert_fine("the model is the last key");
    let escaped = br#"{"\u006dodel":"g\u0070t-4o","messages":[{"role":"user","content":"x"}]}"#;
    gateway
        .send(&post(escaped))
        .await
        .assert_fine("the model is written with escapes");
    let nested = br#"{"x":{"model":"gpt-4o"},"messages":[{"role":"user","content":"x"}]}"#;
    let reply = gateway.send(&post(nested)).await;
    reply.assert_refused(
        400,
        "invalid_request",
        "a nested model is not the request's",
    );
    assert_eq!(
        upstream.requests().len(),
        2,
        "only the two with a model of their own"
    );
}

#[tokio::test]
async fn a_body_is_served_at_its_limit_and_refused_one_byte_past_it() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::builder()
        .provider("mock", "openai", &upstream.url())
        .yaml("size_limits: {json: 100KiB}")
        .start()
        .await;
    let limit = 100 * 1024;
    for chunk in [None, Some(1000), Some(70_000)] {
        let framed = |size: usize| match chunk {
            Some(chunk) => post(&sized(size)).chunked(chunk),
            None => post(&sized(size)),
        };
        let why = format!("chunks of {chunk:?}");
        gateway.send(&framed(limit)).await.assert_fine(&why);
        let reply = gateway.send(&framed(limit + 1)).await;
        reply.assert_refused(413, "request_too_large", &why);
    }
    assert_eq!(
        upstream.requests().len(),
        3,
        "nothing over the limit reached the provider"
    );
}

#[tokio::test]
async fn a_declared_length_over_the_limit_is_refused_before_the_body_comes() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    let mut connection = gateway.connect().await;
    let head = Request::new("POST", PATH)
        .key(STANDARD_KEY)
        .header("content-type", "application/json")
        .header("expect", "100-continue");
    let head = String::from_utf8(head.head()).expect("a head is text");
    let head = head.replace("content-length: 0", "content-length: 99999999");
    connection.write(head.as_bytes()).await;
    let reply = connection
        .raw_reply()
        .await
        .expect("an answer before the body");
    reply.assert_refused(
        413,
        "request_too_large",
        "the declared length is enough to refuse",
    );
    upstream.assert_untouched("a body over the limit");
}

#[tokio::test]
async fn a_body_arrives_as_it_was_sent_whatever_its_size_and_framing() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    for (count, size) in [200, 65_535, 65_536, 65_537, 300_000]
        .into_iter()
        .enumerate()
    {
        let body = sized(size);
        let request = post(&body);
        for (turn, request) in [request.clone(), request.chunked(4096)]
            .into_iter()
            .enumerate()
        {
            gateway
                .send(&request)
                .await
                .assert_fine(&format!("{size} bytes"));
            let received = upstream.wait_requests(count * 2 + turn + 1).await;
            let received = received.last().expect("one more request");
            assert!(
                received.body == body,
                "{size} bytes arrive unchanged, turn {turn}"
            );
        }
    }
}

#[tokio::test]
async fn a_client_that_waits_for_100_continue_gets_it() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    let mut connection = gateway.connect().await;
    let body = sized(100_000);
    let request = post(&body).header("expect", "100-continue");
    connection.send_head(&request).await;
    connection.interim().await;
    connection.write(&body).await;
    connection
        .reply()
        .await
        .assert_fine("the body came after the interim answer");
    assert!(
        upstream.only_request().body == body,
        "the body is the one that was sent"
    );
}

#[tokio::test]
async fn a_body_of_a_kind_that_the_path_does_not_take_is_refused() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    let body = chat_body("gpt-4o").to_string();
    for kind in [
        "text/plain",
        "application/xml",
        "application/x-www-form-urlencoded",
        "rubbish",
    ] {
        let request = Request::new("POST", PATH)
            .key(STANDARD_KEY)
            .header("content-type", kind);
        let reply = gateway.send(&request.body(body.as_bytes())).await;
        reply.assert_refused(415, "unsupported_media_type", kind);
    }
    for coding in ["gzip", "br", "zstd", "identity, gzip"] {
        let reply = gateway
            .send(&post(body.as_bytes()).header("content-encoding", coding))
            .await;
        reply.assert_refused(415, "unsupported_media_type", coding);
    }
    upstream.assert_untouched("bodies that can not be read");
    for kind in [
        "application/json",
        "application/json; charset=utf-8",
        "Application/JSON",
    ] {
        let request = Request::new("POST", PATH)
            .key(STANDARD_KEY)
            .header("content-type", kind);
        gateway
            .send(&request.body(body.as_bytes()))
            .await
            .assert_fine(kind);
    }
}

#[tokio::test]
async fn a_request_that_ends_too_early_never_looks_complete_to_a_provider() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    let body = sized(200_000);
    for request in [post(&body), post(&body).chunked(10_000)] {
        let mut connection = gateway.connect().await;
        let wire = request.bytes();
        connection.write(&wire[..wire.len() / 2]).await;
        connection.reset();
    }
    gateway
        .send(&chat("gpt-4o").key(STANDARD_KEY))
        .await
        .assert_fine("others are served");
    assert_eq!(
        upstream.requests().len(),
        1,
        "half a body reaches no provider"
    );
}

#[tokio::test]
async fn a_client_that_stops_in_the_middle_of_its_body_is_told_and_let_go() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::builder()
        .provider("mock", "openai", &upstream.url())
        .yaml("server: {timeouts: {body_idle: 300ms}}")
        .start()
        .await;
    let mut connection = gateway.connect().await;
    let wire = post(&sized(10_000)).bytes();
    connection.write(&wire[..wire.len() - 10]).await;
    let reply = connection
        .raw_reply()
        .await
        .expect("the gateway says why it closes");
    reply.assert_refused(408, "request_timeout", "a body that stops");
    connection.closed().await;
    upstream.assert_untouched("a body that never ended");
}
