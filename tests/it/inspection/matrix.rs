//! Each endpoint with each action, in each size and framing, over each version of HTTP.

use serde_json::json;

use super::{ATTACK, EMAIL};
use crate::framing::http2_client::{Client, Secured, secured};
use crate::harness::received::{Arrival, Received};
use crate::harness::{Request, STANDARD_KEY, Upstream};

const JSON: &str = "application/json";
const FORM: &str = "multipart/form-data; boundary=frontier-of-a-form";
const URL: &str = "application/x-www-form-urlencoded";

/// The endpoints, and the type of what is sent there.
const ENDPOINTS: [(&str, &str); 10] = [
    ("/v1/chat/completions", JSON),
    ("/v1/completions", JSON),
    ("/v1/responses", JSON),
    ("/v1/messages", JSON),
    ("/v1/embeddings", JSON),
    ("/v1/moderations", JSON),
    ("/v1/audio/transcriptions", FORM),
    ("/v1/files", FORM),
    ("/v1/images/edits", FORM),
    ("/v1/images/variations", URL),
];

/// A body for an endpoint that says this.
fn body(path: &str, kind: &str, text: &str) -> Vec<u8> {
    let turns = json!([{"role": "user", "content": text}]);
    let body = match (path, kind) {
        (_, URL) => return format!("model=m&prompt={}", text.replace(' ', "+")).into_bytes(),
        (_, FORM) => {
            return format!(
                "--frontier-of-a-form\r\ncontent-disposition: form-data; name=\"model\"\r\n\r\nm\r\n\
                 --frontier-of-a-form\r\ncontent-disposition: form-data; name=\"file\"; \
                 filename=\"a.txt\"\r\ncontent-type: text/plain\r\n\r\n{text}\r\n\
                 --frontier-of-a-form--\r\n"
            )
            .into_bytes();
        }
        ("/v1/chat/completions", _) => json!({"model": "m", "messages": turns}),
        ("/v1/completions", _) => json!({"model": "m", "prompt": text}),
        ("/v1/messages", _) => json!({"model": "m", "max_tokens": 9, "messages": turns}),
        _ => json!({"model": "m", "input": text}),
    };
    body.to_string().into_bytes()
}

/// The same text with much before it, so that its body is over 64 KiB.
fn long(text: &str) -> String {
    format!("{}{text}", "all is well ".repeat(6_000))
}

/// Sends it; the status and the text of the answer.
async fn send(
    to: &Secured,
    over: &Client,
    (path, kind): (&str, &str),
    body: &[u8],
    (version, chunked): (u8, bool),
) -> (u16, String) {
    if version == 2 {
        let length = body.len().to_string();
        let announced = [("content-length", length.as_str())];
        let fields = if chunked { &[][..] } else { &announced[..] };
        let answer = over.send(path, kind, fields, (body, 16_381)).await;
        return (answer.status, answer.body);
    }
    let request = Request::new("POST", path)
        .key(STANDARD_KEY)
        .header("content-type", kind)
        .body(body);
    let request = if chunked {
        request.chunked(4_093)
    } else {
        request
    };
    let mut connection = to.gateway.connect().await;
    connection.send(&request).await;
    let reply = connection.raw_reply().await.expect("an answer");
    (reply.status, reply.text())
}

/// What is said, and the label or the code that it becomes.
#[derive(Clone, Copy)]
struct Said<'a> {
    text: &'a str,
    becomes: Result<&'a str, &'a str>,
}

/// All combinations under one action.
async fn all(action: &str, said: Said<'_>) {
    for mode in ["hold", "stream"] {
        let upstream = Upstream::start().await;
        let yaml = format!(
            "inspection: {{request: {{mode: {mode}, max_text_chars: null, prompt_injection: {}, \
             pii: {}}}}}",
            if action == "mask" { "flag" } else { action },
            if action == "block" { "off" } else { action },
        );
        let gateway = secured(&upstream, &yaml).await;
        let over = Client::connect(&gateway).await;
        let mut count = 0;
        for to in ENDPOINTS {
            for way in [(1, false), (1, true), (2, false), (2, true)] {
                for before in [String::new(), long("")] {
                    let why = format!("{action}, {mode}, {to:?}, {way:?}, {}", before.len());
                    one(
                        &gateway,
                        (&over, &upstream),
                        (to, way),
                        (&before, said),
                        &why,
                    )
                    .await;
                    count += usize::from(said.becomes.is_ok());
                }
            }
        }
        let whole = upstream.requests();
        let whole = whole.iter().filter(|one| one.arrival == Arrival::Whole);
        assert_eq!(
            whole.count(),
            count,
            "{action}, {mode}: no refused one is complete"
        );
        if mode == "hold" && said.becomes.is_err() {
            assert_eq!(upstream.connections(), 0, "nobody was called");
        }
    }
}

/// One request: to an endpoint with a type, over a version of HTTP, in chunks or not.
async fn one(
    gateway: &Secured,
    (over, upstream): (&Client, &Upstream),
    (to, way): ((&str, &str), (u8, bool)),
    (before, said): (&str, Said<'_>),
    why: &str,
) {
    let (path, kind) = to;
    let sent = body(path, kind, &format!("{before}{}", said.text));
    let earlier = upstream.requests().len();
    let (status, told) = send(gateway, over, to, &sent, way).await;
    match said.becomes {
        Err(code) => {
            let named = path == "/v1/messages" || told.contains(code);
            assert!(status == 400 && named, "{why}: {status} {told}");
        }
        Ok(becomes) => {
            assert_eq!(status, 200, "{why}: {told}");
            let arrived = |all: &[Received]| {
                let last = all.last();
                all.len() > earlier && last.is_some_and(|one| one.arrival == Arrival::Whole)
            };
            let all = upstream.wait(why, arrived).await;
            let label = if kind == URL {
                becomes.replace('[', "%5B").replace(']', "%5D")
            } else {
                becomes.to_owned()
            };
            let want = body(path, kind, &format!("{before}{label}"));
            let received = all.last().expect("one more");
            assert!(received.body == want, "{why}: {}", received.text());
        }
    }
}

#[tokio::test]
async fn what_is_blocked_is_refused_on_every_endpoint_however_it_comes() {
    let (text, becomes) = (ATTACK, Err("prompt_injection_detected"));
    all("block", Said { text, becomes }).await;
}

#[tokio::test]
async fn what_is_masked_is_a_label_on_every_endpoint_however_it_comes() {
    let (text, becomes) = (EMAIL, Ok("[EMAIL_1]"));
    all("mask", Said { text, becomes }).await;
}

#[tokio::test]
async fn what_is_flagged_passes_on_every_endpoint_however_it_comes() {
    let (text, becomes) = (ATTACK, Ok(ATTACK));
    all("flag", Said { text, becomes }).await;
}
