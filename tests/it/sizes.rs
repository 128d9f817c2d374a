//! Bodies that run over their limit, however they come: refused the moment they do, and never
//! complete to a provider.

use crate::framing::http2_client::{Client, secured};
use crate::harness::{STANDARD_KEY, Upstream, chat, chat_body};

const LIMIT: usize = 4_096;
const YAML: &str = "size_limits: {json: 4KiB, file: 4KiB}";

/// A chat request of so many bytes.
fn body(length: usize) -> Vec<u8> {
    let mut body = chat_body("gpt-4o").to_string().into_bytes();
    let end = body.pop().expect("a brace");
    body.resize(length - 1, b' ');
    body.push(end);
    body
}

#[tokio::test]
async fn a_body_that_runs_over_its_limit_is_refused_over_both_versions_of_http() {
    let upstream = Upstream::start().await;
    let secured = secured(&upstream, YAML).await;
    let http2 = Client::connect(&secured).await;
    let path = "/v1/chat/completions";
    for piece in [500, 100_000] {
        for (length, status) in [(LIMIT, 200), (LIMIT + 1, 413), (LIMIT * 3, 413)] {
            let body = body(length);
            let why = format!("{length} bytes in pieces of {piece}");
            let request = chat("gpt-4o").key(STANDARD_KEY).body(&body).chunked(piece);
            let reply = secured.gateway.send(&request).await;
            assert_eq!(reply.status, status, "HTTP/1.1, {why}: {}", reply.text());
            let answer = http2.send(path, "application/json", &[], (&body, piece));
            let answer = answer.await;
            assert_eq!(answer.status, status, "HTTP/2, {why}: {answer:?}");
            if status == 413 {
                reply.assert_refused(413, "request_too_large", &why);
                assert!(answer.body.contains("request_too_large"), "{answer:?}");
            }
        }
    }
    assert_eq!(
        upstream.requests().len(),
        4,
        "what is at the limit, and no other"
    );
}

#[tokio::test]
async fn a_packed_body_is_refused_over_both_versions_of_http() {
    let upstream = Upstream::start().await;
    let secured = secured(&upstream, YAML).await;
    let http2 = Client::connect(&secured).await;
    for coding in ["gzip", "br", "zstd", "deflate", "identity, gzip"] {
        for kind in ["application/json", "multipart/form-data; boundary=b"] {
            let path = if kind.starts_with("app") {
                "/v1/chat/completions"
            } else {
                "/v1/files"
            };
            let mut request = chat("gpt-4o").key(STANDARD_KEY);
            request = request.header("content-encoding", coding);
            let reply = secured.gateway.send(&request).await;
            reply.assert_refused(415, "unsupported_media_type", coding);
            let fields = [("content-encoding", coding)];
            let answer = http2.send(path, kind, &fields, (b"\x1f\x8b", 2)).await;
            assert_eq!(answer.status, 415, "{path} {coding}: {answer:?}");
        }
    }
    upstream.assert_untouched("what is packed");
}
