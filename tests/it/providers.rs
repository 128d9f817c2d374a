//! Providers at their worst: away, slow, resetting, cutting, lying about lengths, talking
//! rubbish. Each has its status and its code, and nothing of theirs leaks.

use std::time::Duration;

use serde_json::json;

use crate::harness::gateway::free_address;
use crate::harness::script::{Step, When};
use crate::harness::{Gateway, Request, STANDARD_KEY, Script, Upstream, chat, replies};

const TRACE: &str = "Traceback (most recent call last):\n  File \"/srv/app/src/main.py\"";

/// A gateway that gives its provider little time.
async fn impatient(upstream: &Upstream) -> Gateway {
    let times = "{timeouts: {connect: 1s, first_byte: 1s, idle: 1s, total: 20s}}";
    let builder = Gateway::builder();
    builder
        .provider_with("mock", "openai", &upstream.url(), times)
        .start()
        .await
}

#[tokio::test]
async fn a_provider_that_breaks_off_before_its_answer_is_an_upstream_error() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    let cases = [
        ("closes without a word", Script::close()),
        ("resets without a word", Script::reset()),
        ("resets after the head", Script::reset().at(When::Head)),
        (
            "talks rubbish",
            Script::raw(b"\x00\x01\x02 rubbish \xff\xfe\r\n\r\n"),
        ),
        ("talks SSH", Script::raw(b"SSH-2.0-OpenSSH_9.2\r\n")),
        ("has no status", Script::raw(b"HTTP/1.1\r\n\r\n")),
        (
            "stops within its head",
            Script::raw(b"HTTP/1.1 200 OK\r\ncontent-le"),
        ),
        (
            "has a header without a colon",
            Script::raw(b"HTTP/1.1 200 OK\r\nrubbish\r\n\r\n"),
        ),
    ];
    for (why, script) in cases {
        upstream.answer(script);
        let reply = gateway.send(&chat("gpt-4o").key(STANDARD_KEY)).await;
        reply.assert_refused(502, "upstream_error", &format!("a provider that {why}"));
    }
    gateway
        .send(&chat("gpt-4o").key(STANDARD_KEY))
        .await
        .assert_fine("the next one is fine");
}

#[tokio::test]
async fn a_body_is_never_sent_twice_once_a_provider_may_have_seen_it() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::builder()
        .provider("mock", "openai", &upstream.url())
        .route("{models: [\"*\"], providers: [mock], retries: 3}")
        .start()
        .await;
    upstream.answer(Script::reset());
    let reply = gateway.send(&chat("gpt-4o").key(STANDARD_KEY)).await;
    reply.assert_refused(502, "upstream_error", "a retry could bill twice");
    assert_eq!(upstream.requests().len(), 1, "it was sent once");
}

#[tokio::test]
async fn a_provider_that_is_not_there_gives_a_gateway_error_without_its_address() {
    let nobody = free_address();
    let url = format!("http://{nobody}");
    let gateway = Gateway::builder()
        .provider("mock", "openai", &url)
        .start()
        .await;
    let reply = gateway.send(&chat("gpt-4o").key(STANDARD_KEY)).await;
    assert!(
        matches!(reply.status, 502 | 503),
        "no provider to connect to: {}",
        reply.text()
    );
    let port = nobody.port().to_string();
    assert!(
        !reply.text().contains(&port),
        "the address stays inside: {}",
        reply.text()
    );
}

#[tokio::test]
async fn a_provider_that_says_nothing_in_time_is_a_timeout() {
    let upstream = Upstream::start().await;
    let gateway = impatient(&upstream).await;
    upstream.answer(Script::stall());
    let reply = gateway.send(&chat("gpt-4o").key(STANDARD_KEY)).await;
    reply.assert_refused(504, "upstream_timeout", "no first byte in a second");
    let all = upstream
        .wait("the call is given up", |all| {
            all.iter().all(|one| one.abandoned)
        })
        .await;
    assert_eq!(all.len(), 1, "a timeout is not tried again");
}

#[tokio::test]
async fn an_answer_that_stops_in_the_middle_is_not_made_to_look_complete() {
    let upstream = Upstream::start().await;
    let gateway = impatient(&upstream).await;
    let part = br#"{"id":"chatcmpl-1","choices":["#;
    let cases = [
        ("lies about its length", Script::wrong_length(5000, part)),
        ("stalls within its body", {
            let mut script = Script::wrong_length(5000, part);
            script.steps.pop();
            script.then(Step::Stall)
        }),
        ("resets within its body", {
            let mut script = Script::wrong_length(5000, part);
            script.steps.pop();
            script.then(Step::Reset)
        }),
        ("ends its chunks too early", {
            let head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\
                transfer-encoding: chunked\r\n\r\n5\r\n{\"id\"\r\n";
            Script::raw(head)
        }),
    ];
    for (why, script) in cases {
        upstream.answer(script);
        let mut connection = gateway.connect().await;
        connection.send(&chat("gpt-4o").key(STANDARD_KEY)).await;
        let reply = connection.raw_reply().await;
        let told = reply
            .as_ref()
            .is_none_or(|reply| !reply.complete || reply.status >= 500);
        assert!(told, "the client can tell that a provider {why}: {reply:?}");
    }
}

#[tokio::test]
async fn bytes_past_the_promised_length_are_not_an_answer() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    upstream.answer(Script::wrong_length(
        2,
        b"{}HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil",
    ));
    let reply = gateway.send(&chat("gpt-4o").key(STANDARD_KEY)).await;
    assert_eq!(reply.body, b"{}", "what was promised and no more");
    let reply = gateway.send(&chat("gpt-4o").key(STANDARD_KEY)).await;
    reply.assert_fine("the bytes left over answer nobody");
    assert_ne!(reply.body, b"evil", "the bytes left over answer nobody");
}

#[tokio::test]
async fn the_statuses_of_a_provider_are_passed_on_in_the_contracts_shape() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    for status in [400, 404, 413, 422, 429, 500, 502, 503, 529] {
        upstream.answer(replies::failure(status, "/v1/chat/completions"));
        let reply = gateway.send(&chat("gpt-4o").key(STANDARD_KEY)).await;
        assert_eq!(
            reply.status, status,
            "a client sees the provider's {status}"
        );
        if status == 429 {
            assert_eq!(
                reply.headers.one("retry-after"),
                Some("7"),
                "when to come back"
            );
        }
        if status == 400 {
            let message = reply.json()["error"]["message"].clone();
            assert_eq!(
                message, "mock says 400",
                "a client needs the provider's reason at 400"
            );
        }
    }
}

#[tokio::test]
async fn a_provider_that_refuses_our_key_is_our_fault_and_not_the_callers() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    let body = json!({"error": {
        "message": "Incorrect API key provided: sk-provider-01*****cdef.",
        "type": "invalid_request_error", "param": null, "code": "invalid_api_key",
    }});
    for status in [401, 403] {
        upstream.answer(Script::json(status, &body));
        let reply = gateway.send(&chat("gpt-4o").key(STANDARD_KEY)).await;
        assert!(
            reply.status >= 500,
            "the caller's key is fine: {}",
            reply.text()
        );
        assert!(
            !reply.text().contains("sk-prov"),
            "nothing of our key: {}",
            reply.text()
        );
    }
}

#[tokio::test]
async fn what_a_provider_says_of_itself_stays_here() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::builder()
        .provider("mock", "openai", &upstream.url())
        .route("{models: [\"*\"], providers: [mock], retries: 0}")
        .start()
        .await;
    let leaks = [
        ("server", "mock/1.0 (internal-host-7)"),
        ("x-powered-by", "Express"),
        ("set-cookie", "session=abc; Path=/"),
        ("via", "1.1 internal-host-7"),
        ("openai-organization", "org-secret"),
        ("x-frame-options", "ALLOWALL"),
        ("content-security-policy", "default-src *"),
        ("x-request-id", "req-of-the-provider"),
    ];
    upstream.answer(Script::json_with(200, &leaks, &replies::chat("gpt-4o")));
    let reply = gateway.send(&chat("gpt-4o").key(STANDARD_KEY)).await;
    reply.assert_fine("an answer with loose talk");
    let text = format!("{:?}", reply.headers);
    for secret in [
        "internal-host-7",
        "Express",
        "session=abc",
        "org-secret",
        "ALLOWALL",
    ] {
        assert!(!text.contains(secret), "{secret} stays here: {text}");
    }
    for kind in ["text/plain", "text/html", "application/json"] {
        upstream.answer(Script::body(500, kind, &[], TRACE.as_bytes()));
        let reply = gateway.send(&chat("gpt-4o").key(STANDARD_KEY)).await;
        assert!(reply.status >= 500, "a provider's fault: {}", reply.text());
        assert!(
            !reply.text().contains("main.py"),
            "no stack trace: {}",
            reply.text()
        );
    }
}

#[tokio::test]
async fn interim_answers_of_a_provider_stay_here() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    let real = Script::json(200, &replies::chat("gpt-4o"));
    upstream.answer(Script::interim(3, real));
    let mut connection = gateway.connect().await;
    connection.send(&chat("gpt-4o").key(STANDARD_KEY)).await;
    let reply = connection.reply().await;
    reply.assert_fine("three interim answers before the real one");
    assert_eq!(reply.json()["id"], "chatcmpl-1", "the real one");
    assert_eq!(
        connection.interims(),
        0,
        "their headers pass no filter, so none is passed on"
    );
}

#[tokio::test]
async fn a_provider_without_measure_is_cut_off() {
    let upstream = Upstream::start().await;
    let times = "{timeouts: {first_byte: 1s, idle: 1s, total: 2s}}";
    let gateway = Gateway::builder()
        .provider_with("mock", "openai", &upstream.url(), times)
        .start()
        .await;
    upstream.answer(Script::endless_headers());
    let reply = gateway.send(&chat("gpt-4o").key(STANDARD_KEY)).await;
    reply.assert_refused(502, "upstream_error", "headers without end");
    let hint = b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n".to_vec();
    upstream.answer(Script::new(vec![Step::Forever(hint)]));
    let mut connection = gateway.connect().await;
    connection.send(&chat("gpt-4o").key(STANDARD_KEY)).await;
    let reply = connection.raw_reply().await;
    let ended = reply
        .as_ref()
        .is_none_or(|reply| matches!(reply.status, 502 | 504));
    assert!(ended, "interim answers without end: {reply:?}");
}

#[tokio::test]
async fn an_answer_in_an_encoding_that_was_not_asked_for_is_not_passed_on() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    let request = chat("gpt-4o")
        .key(STANDARD_KEY)
        .header("accept-encoding", "gzip, br");
    gateway.send(&request).await.assert_fine("identity");
    let asked = upstream.only_request().headers();
    assert_eq!(
        asked.one("accept-encoding"),
        Some("identity"),
        "what is asked of a provider"
    );
    let headers = [("content-encoding", "gzip")];
    upstream.answer(Script::body(
        200,
        "application/json",
        &headers,
        b"\x1f\x8b\x08\x00rubbish",
    ));
    let reply = gateway.send(&request).await;
    reply.assert_refused(
        502,
        "upstream_error",
        "what can not be read is not passed on",
    );
}

#[tokio::test]
async fn a_slow_provider_holds_up_nobody_else() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    let (script, feed) = Script::fed();
    upstream.answer(script);
    let mut waiting = gateway.connect().await;
    waiting.send(&chat("gpt-4o").key(STANDARD_KEY)).await;
    upstream.wait_requests(1).await;
    for _ in 0..5 {
        gateway
            .send(&chat("gpt-4o").key(STANDARD_KEY))
            .await
            .assert_fine("others are served");
    }
    gateway
        .send(&Request::get("/health"))
        .await
        .assert_fine("the gateway is alive");
    feed.raw(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}");
    waiting
        .reply()
        .await
        .assert_fine("the slow answer comes in the end");
}

#[tokio::test]
async fn a_body_that_trickles_in_is_passed_on_as_long_as_it_moves() {
    let upstream = Upstream::start().await;
    let gateway = impatient(&upstream).await;
    let body = replies::chat("gpt-4o").to_string();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let pieces = body.as_bytes().chunks(32).map(<[u8]>::to_vec).collect();
    let slow = Step::Spaced(Duration::from_millis(150), pieces);
    upstream.answer(Script::new(vec![Step::Send(head.into_bytes()), slow]));
    let reply = gateway.send(&chat("gpt-4o").key(STANDARD_KEY)).await;
    reply.assert_fine("slow and steady");
    assert_eq!(reply.text(), body, "unchanged");
}
