//! Heads and bodies made to be read in two ways: a provider sees one request of each, or none,
//! and never the one that is hidden inside.

use super::{FORM, JSON, PATH, form, framing};
use crate::harness::received::{Arrival, Received};
use crate::harness::{Gateway, Request, STANDARD_KEY, Upstream, chat, chat_body};

/// What is smuggled: nothing of it may ever be a request.
const HIDDEN: &str = "POST /v1/embeddings HTTP/1.1\r\nhost: h\r\ncontent-length: 2\r\n\r\n{}";

/// Bytes to send: `KEY`, `LEN` and `BODY` stand for a key and a body, `CHUNKS` for the body in
/// one chunk and `HIDDEN` for what is to be smuggled; `|` ends a line.
const REFUSED: &[(&str, &str)] = &[
    (
        "a length before a coding",
        "POST PATH HTTP/1.1|host: a|content-length: LEN|transfer-encoding: chunked|KEY||0||HIDDEN",
    ),
    (
        "a length behind a coding",
        "POST PATH HTTP/1.1|host: a|transfer-encoding: chunked|content-length: LEN|KEY||0||HIDDEN",
    ),
    (
        "a short length",
        "POST PATH HTTP/1.1|host: a|content-length: LEN|content-length: 0|KEY||BODYHIDDEN",
    ),
    (
        "one length twice",
        "POST PATH HTTP/1.1|host: a|content-length: LEN|content-length: LEN|KEY||BODYHIDDEN",
    ),
    (
        "a list of lengths",
        "POST PATH HTTP/1.1|host: a|content-length: LEN, LEN|KEY||BODYHIDDEN",
    ),
    (
        "a length in hexadecimal",
        "POST PATH HTTP/1.1|host: a|content-length: 0x10|KEY||BODYHIDDEN",
    ),
    (
        "a coding twice",
        "POST PATH HTTP/1.1|host: a|transfer-encoding: chunked|transfer-encoding: chunked|KEY||CHUNKSHIDDEN",
    ),
    (
        "a coding in disguise",
        "POST PATH HTTP/1.1|host: a|transfer-encoding: xchunked|KEY||CHUNKSHIDDEN",
    ),
    (
        "a coding behind a tab",
        "POST PATH HTTP/1.1|host: a|transfer-encoding:\tchunked, identity|KEY||CHUNKSHIDDEN",
    ),
    (
        "a folded coding",
        "POST PATH HTTP/1.1|host: a|transfer-encoding:| chunked|content-length: LEN|KEY||CHUNKSHIDDEN",
    ),
    (
        "a folded line",
        "POST PATH HTTP/1.1|host: a|x-a: b| c|content-length: LEN|KEY||BODYHIDDEN",
    ),
    (
        "a space before a colon",
        "POST PATH HTTP/1.1|host: a|transfer-encoding : chunked|content-length: LEN|KEY||BODYHIDDEN",
    ),
    (
        "no Host",
        "POST PATH HTTP/1.1|content-length: LEN|KEY||BODY",
    ),
    (
        "two Hosts",
        "POST PATH HTTP/1.1|host: a|host: b|content-length: LEN|KEY||BODY",
    ),
    (
        "another host in the target",
        "POST http://b/PATH HTTP/1.1|host: a|content-length: LEN|KEY||BODY",
    ),
    (
        "a coding in HTTP/1.0",
        "POST PATH HTTP/1.0|host: a|transfer-encoding: chunked|KEY||CHUNKSHIDDEN",
    ),
    (
        "a NUL",
        "POST PATH HTTP/1.1|host: a|x-a: b\0c|content-length: LEN|KEY||BODY",
    ),
    (
        "a lone carriage return",
        "POST PATH HTTP/1.1|host: a|x-a: b\rx-c: d|content-length: LEN|KEY||BODY",
    ),
    (
        "bare line feeds in chunks",
        "POST PATH HTTP/1.1|host: a|transfer-encoding: chunked|KEY||2\n{}\n0\n\nHIDDEN",
    ),
    (
        "a chunk size with a sign",
        "POST PATH HTTP/1.1|host: a|transfer-encoding: chunked|KEY||+2|{}|0||HIDDEN",
    ),
    (
        "a chunk that is longer than it says",
        "POST PATH HTTP/1.1|host: a|transfer-encoding: chunked|KEY||1|{}|0||HIDDEN",
    ),
    (
        "a chunk size beyond all measure",
        "POST PATH HTTP/1.1|host: a|transfer-encoding: chunked|KEY||fffffffffffffffff|{}|0||HIDDEN",
    ),
    (
        "an upgrade",
        "POST PATH HTTP/1.1|host: a|connection: upgrade|upgrade: h2c|content-length: LEN|KEY||BODYHIDDEN",
    ),
];

/// The same, of which one plain request is made.
const REWRITTEN: &[(&str, &str)] = &[
    (
        "bare line feeds in a head",
        "POST PATH HTTP/1.1\nhost: a\nKEY\ncontent-length: LEN\n\nBODY",
    ),
    (
        "its own host in the target",
        "POST http://aPATH HTTP/1.1|host: a|content-length: LEN|KEY||BODY",
    ),
    (
        "chunk extensions",
        "POST PATH HTTP/1.1|host: a|transfer-encoding: chunked|KEY||SIZE;x=\"y\"|BODY|0;z||",
    ),
    (
        "trailers",
        "POST PATH HTTP/1.1|host: a|transfer-encoding: chunked|KEY||SIZE|BODY|0|content-length: 5||",
    ),
    (
        "a coding in capitals",
        "POST PATH HTTP/1.1|host: a|Transfer-Encoding: CHUNKED|KEY||CHUNKS",
    ),
    (
        "leading zeros",
        "POST PATH HTTP/1.1|host: a|content-length: 000LEN|KEY||BODY",
    ),
    (
        "a length that is nominated",
        "POST PATH HTTP/1.1|host: a|connection: content-length|content-length: LEN|KEY||BODY",
    ),
];

fn wire(pattern: &str, body: &str, kind: &str) -> Vec<u8> {
    let size = format!("{:x}", body.len());
    let credential = format!("authorization: Bearer {STANDARD_KEY}\r\ncontent-type: {kind}");
    let text = pattern
        .replace('|', "\r\n")
        .replace("CHUNKS", "SIZE\r\nBODY\r\n0\r\n\r\n");
    let text = text
        .replace("HIDDEN", HIDDEN)
        .replace("PATH", PATH)
        .replace("SIZE", &size);
    let text = text
        .replace("LEN", &body.len().to_string())
        .replace("KEY", &credential);
    text.replace("BODY", body).into_bytes()
}

/// Sends each of these, and fails where any byte of one is taken for a request.
async fn assert_refused(
    (path, kind, body): (&str, &str, &str),
    cases: impl Iterator<Item = &'static (&'static str, &'static str)>,
) {
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    let mut wrong = Vec::new();
    for (why, pattern) in cases {
        let mut connection = gateway.connect().await;
        connection
            .write(&wire(&pattern.replace("PATH", path), body, kind))
            .await;
        let reply = connection.raw_reply().await;
        let status = reply.as_ref().map(|reply| reply.status);
        if status.is_some_and(|status| status != 400) {
            wrong.push(format!("{why}: {status:?}"));
            continue;
        }
        let next = Request::get("/health").header("x-request-id", "next");
        connection.send(&next).await;
        let Some(reply) = connection.raw_reply().await else {
            continue;
        };
        if reply.headers.one("x-request-id") != Some("next") {
            // The client would take it for the answer to its next request.
            wrong.push(format!(
                "{why}: a byte of it is answered, too: {}",
                reply.status
            ));
        }
    }
    assert!(wrong.is_empty(), "{path}: {wrong:#?}");
    upstream.assert_untouched("requests with two meanings");
}

#[tokio::test]
async fn framing_requests_made_to_be_read_in_two_ways_reach_nobody() {
    let body = chat_body("gpt-4o").to_string();
    assert_refused((PATH, JSON, &body), REFUSED.iter()).await;
}

#[tokio::test]
async fn framing_uploads_made_to_be_read_in_two_ways_reach_nobody() {
    let body = String::from_utf8_lossy(&form(100)).into_owned();
    // A broken chunk shows when the head has gone on already; such a body is never complete.
    let heads = REFUSED.iter().filter(|(why, _)| !why.contains("chunk"));
    assert_refused(("/v1/files", FORM, &body), heads).await;
}

#[tokio::test]
async fn framing_an_upload_in_broken_chunks_is_never_complete() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    for (why, pattern) in REFUSED.iter().filter(|(why, _)| why.contains("chunk")) {
        let mut connection = gateway.connect().await;
        let pattern = pattern.replace("PATH", "/v1/files");
        connection.write(&wire(&pattern, "{}", FORM)).await;
        let reply = connection.raw_reply().await;
        assert!(reply.is_none_or(|reply| reply.status == 400), "{why}");
        assert!(
            connection.raw_reply().await.is_none(),
            "{why}: nothing else is answered"
        );
        let settled = |all: &[Received]| all.iter().all(|one| one.arrival == Arrival::Cut);
        upstream
            .wait(&format!("{why}: the end of an upload"), settled)
            .await;
    }
}

#[tokio::test]
async fn framing_unusual_requests_arrive_as_one_plain_request() {
    let body = chat_body("gpt-4o").to_string();
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    for (number, (why, pattern)) in REWRITTEN.iter().enumerate() {
        let mut connection = gateway.connect().await;
        connection.write(&wire(pattern, &body, JSON)).await;
        let reply = connection.raw_reply().await.expect("an answer");
        reply.assert_fine(why);
        let all = upstream.wait_requests(number + 1).await;
        assert_eq!(all.len(), number + 1, "{why}: one request of one");
        let received = &all[number];
        assert_eq!(received.body, body.as_bytes(), "{why}");
        assert_eq!(received.line().1, PATH, "{why}");
        let host = upstream.address().to_string();
        assert_eq!(received.headers().one("host"), Some(host.as_str()), "{why}");
        let length = body.len().to_string();
        assert_eq!(
            framing(&received.headers()),
            (Some(length.as_str()), None),
            "{why}"
        );
    }
}

#[tokio::test]
async fn framing_a_pipelined_request_is_not_served_and_reaches_nobody() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    let first = chat("gpt-4o").key(STANDARD_KEY);
    for second in [first.clone(), Request::get("/v1/models").key(STANDARD_KEY)] {
        let before = upstream.requests().len();
        let mut connection = gateway.connect().await;
        let both = [first.bytes(), second.bytes()].concat();
        connection.send_part(&first, &both).await;
        let reply = connection.reply().await;
        reply.assert_fine("the first of two");
        assert!(
            connection.raw_reply().await.is_none(),
            "the second is the client's to repeat"
        );
        assert_eq!(
            upstream.requests().len(),
            before + 1,
            "the second goes nowhere"
        );
    }
}

#[tokio::test]
async fn framing_a_method_without_a_body_takes_none() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    for framing in ["content-length: 97", "transfer-encoding: chunked"] {
        let mut connection = gateway.connect().await;
        let head = format!(
            "GET /v1/models HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {STANDARD_KEY}\r\n{framing}\r\n\r\n"
        );
        connection.write(format!("{head}{HIDDEN}").as_bytes()).await;
        let reply = connection.raw_reply().await.expect("an answer");
        assert_eq!(reply.status, 400, "{framing}: {reply:?}");
        assert!(
            connection.raw_reply().await.is_none(),
            "{framing}: nothing else is answered"
        );
    }
    upstream.assert_untouched("a GET with a body");
}
