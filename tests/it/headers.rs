//! What crosses the gateway in a head and what stops at it, in both directions.

use crate::harness::gateway::PROVIDER_KEY;
use crate::harness::{ADMIN_KEY, Gateway, Request, STANDARD_KEY, Script, Upstream, chat, replies};

#[tokio::test]
async fn the_provider_sees_its_own_host_key_and_the_request_id() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    let reply = gateway.send(&chat("gpt-4o").key(STANDARD_KEY)).await;
    reply.assert_fine("a request");
    let headers = upstream.only_request().headers();
    assert_eq!(
        headers.one("host"),
        Some(upstream.address().to_string().as_str()),
        "its own"
    );
    let bearer = format!("Bearer {PROVIDER_KEY}");
    assert_eq!(
        headers.one("authorization"),
        Some(bearer.as_str()),
        "its own key"
    );
    assert_eq!(
        headers.one("x-request-id"),
        reply.headers.one("x-request-id"),
        "one id for all"
    );
}

#[tokio::test]
async fn what_is_between_client_and_gateway_never_reaches_a_provider() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    let stopped = [
        ("cookie", "session=abc"),
        ("keep-alive", "timeout=5"),
        ("proxy-authorization", "Basic abc"),
        ("proxy-connection", "keep-alive"),
        ("te", "trailers"),
        ("trailer", "x-check"),
        ("x-forwarded-for", "203.0.113.9"),
        ("x-forwarded-host", "evil.test"),
        ("x-forwarded-proto", "https"),
        ("x-real-ip", "203.0.113.9"),
        ("forwarded", "for=203.0.113.9"),
        ("true-client-ip", "203.0.113.9"),
        ("cf-connecting-ip", "203.0.113.9"),
        ("x-original-url", "/internal/config"),
        ("x-nominated", "1"),
    ];
    let mut request = chat("gpt-4o").key(STANDARD_KEY);
    for (name, value) in stopped {
        request = request.header(name, value);
    }
    let request = request.header("connection", "keep-alive, x-nominated");
    gateway
        .send(&request.header("user-agent", "test/1.0"))
        .await
        .assert_fine("a busy head");
    let received = upstream.only_request();
    for (name, value) in stopped {
        let seen = received.headers().all(name).join(",");
        assert!(
            !seen.contains(value),
            "{name} stops at the gateway: {}",
            received.text()
        );
    }
}

#[tokio::test]
async fn no_credential_of_a_client_reaches_a_provider() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    let cases = [
        ("authorization", format!("Bearer {STANDARD_KEY}")),
        ("x-api-key", STANDARD_KEY.to_owned()),
        ("api-key", STANDARD_KEY.to_owned()),
    ];
    for (name, value) in &cases {
        let request = chat("gpt-4o")
            .header(name, value)
            .header("x_api_key", STANDARD_KEY);
        let request = request.header("connection", "authorization, x-api-key");
        gateway.send(&request).await.assert_fine(name);
    }
    for received in upstream.wait_requests(cases.len()).await {
        assert!(
            !received.text().contains(STANDARD_KEY),
            "it stops here: {}",
            received.text()
        );
        let bearer = format!("Bearer {PROVIDER_KEY}");
        assert_eq!(
            received.headers().one("authorization"),
            Some(bearer.as_str()),
            "a client can not nominate the provider's key away"
        );
    }
}

#[tokio::test]
async fn a_request_is_framed_one_way_towards_the_provider() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    let request = chat("gpt-4o").key(STANDARD_KEY);
    gateway
        .send(&request.clone().chunked(10))
        .await
        .assert_fine("chunked");
    gateway.send(&request).await.assert_fine("with a length");
    for received in upstream.wait_requests(2).await {
        let headers = received.headers();
        let both = headers.has("content-length") && headers.has("transfer-encoding");
        let one = headers.has("content-length") || headers.has("transfer-encoding");
        assert!(one && !both, "exactly one framing: {}", received.text());
    }
}

#[tokio::test]
async fn requests_that_two_readers_could_read_in_two_ways_are_refused() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    let body = crate::harness::chat_body("gpt-4o").to_string();
    let length = body.len();
    let chunks = format!("{length:x}\r\n{body}\r\n0\r\n\r\n");
    let start = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nauthorization: Bearer {STANDARD_KEY}\r\n\
         content-type: application/json\r\n"
    );
    for lines in [
        "content-length: LEN",
        "host: a|host: b|content-length: LEN",
        "host: a|content-length: 5|transfer-encoding: chunked",
        "host: a|content-length: LEN|content-length: 3",
        "host: a|content-length: LEN|content-length: LEN",
        "host: a|content-length: +LEN",
        "host: a|content-length : LEN",
        "host: a|x-a: b| c|content-length: LEN",
        "host: a|transfer-encoding: gzip",
        "host: a|transfer-encoding: chunked, identity",
        "host: a|transfer-encoding: identity, chunked",
        "host: a|transfer-encoding: chunked|transfer-encoding: chunked",
    ] {
        let body = if lines.contains("transfer-encoding") {
            &chunks
        } else {
            &body
        };
        let lines = lines
            .replace('|', "\r\n")
            .replace("LEN", &length.to_string());
        let mut connection = gateway.connect().await;
        connection
            .write(format!("{start}{lines}\r\n\r\n{body}").as_bytes())
            .await;
        let reply = connection.raw_reply().await.expect("an answer");
        assert_eq!(reply.status, 400, "{lines}: {}", reply.text());
        let next = Request::get("/health").header("x-request-id", "next");
        connection.send(&next).await;
        if let Some(reply) = connection.raw_reply().await {
            let id = reply.headers.one("x-request-id");
            assert_eq!(
                id,
                Some("next"),
                "{lines}: no byte of it answers for another request"
            );
        }
    }
    upstream.assert_untouched("requests with two meanings");
}

#[tokio::test]
async fn a_well_formed_request_id_is_kept_and_any_other_is_replaced() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    let id_for = async |given: &str| {
        let request = Request::get("/v1/models")
            .key(STANDARD_KEY)
            .header("x-request-id", given);
        let reply = gateway.send(&request).await;
        reply.headers.one("x-request-id").expect("an id").to_owned()
    };
    for good in [
        "abc-123",
        "0b0e0e0a-7c5e-4b6e-9e0e-000000000001",
        "req_AbC.1",
    ] {
        assert_eq!(id_for(good).await, good, "a client may name its request");
    }
    let long = "a".repeat(500);
    for bad in [
        "",
        "a b",
        "a\"b",
        "<script>",
        "a;b",
        "\u{e9}",
        "a\tb",
        long.as_str(),
    ] {
        let id = id_for(bad).await;
        assert!(id != bad && !id.is_empty(), "{bad:?} is not kept: {id}");
    }
    let (one, two) = (id_for("").await, id_for("").await);
    assert_ne!(one, two, "each request has an id of its own");
}

#[tokio::test]
async fn the_providers_headers_that_clients_need_are_passed_on() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    let kept = [
        ("openai-processing-ms", "12"),
        ("x-ratelimit-remaining-tokens", "900"),
    ];
    upstream.answer(Script::json_with(200, &kept, &replies::chat("gpt-4o")));
    let reply = gateway.send(&chat("gpt-4o").key(STANDARD_KEY)).await;
    reply.assert_fine("an answer");
    assert_eq!(
        reply.headers.one("content-type"),
        Some("application/json"),
        "its type"
    );
    for name in ["connection", "keep-alive", "transfer-encoding"] {
        let values = reply.headers.all(name);
        assert!(values.len() <= 1, "{name} is the gateway's own: {values:?}");
    }
}

#[tokio::test]
async fn a_connection_serves_one_request_after_the_other() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    let mut connection = gateway.connect().await;
    for _ in 0..3 {
        connection.send(&chat("gpt-4o").key(STANDARD_KEY)).await;
        connection.reply().await.assert_fine("a kept connection");
    }
    let large = Request::new("POST", "/v1/chat/completions").key(STANDARD_KEY);
    let mut body = crate::harness::chat_body("gpt-4o");
    body["filler"] = "x".repeat(200_000).into();
    connection
        .send(&large.json(body.to_string().as_bytes()))
        .await;
    connection.reply().await.assert_fine("a large body");
    connection
        .send(&Request::get("/v1/models").key(STANDARD_KEY))
        .await;
    connection.reply().await.assert_fine("after a large body");
    assert_eq!(
        upstream.connections(),
        1,
        "and so does the one to the provider"
    );
}

#[tokio::test]
async fn security_headers_are_what_the_configuration_says() {
    let gateway = Gateway::builder()
        .echo("local")
        .env("SECURITY_CSP_POLICY", "default-src 'self'")
        .env("SECURITY_FRAME_OPTIONS", "SAMEORIGIN")
        .start()
        .await;
    let mut connection = gateway.connect().await;
    connection.send(&chat("any").key(ADMIN_KEY)).await;
    let reply = connection.raw_reply().await.expect("an answer");
    assert_eq!(
        reply.headers.one("content-security-policy"),
        Some("default-src 'self'")
    );
    assert_eq!(reply.headers.one("x-frame-options"), Some("SAMEORIGIN"));
}
