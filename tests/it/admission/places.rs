//! Paths, methods, listeners, and heads that are too large.

use crate::harness::gateway::free_address;
use crate::harness::{
    ADMIN_KEY, Client, Gateway, Request, STANDARD_KEY, Upstream, chat, chat_body,
};

#[tokio::test]
async fn what_is_not_served_is_not_found_and_needs_a_key_first() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    for path in [
        "/",
        "/v1",
        "/v1/",
        "/v1/chat/completions/",
        "/v1/chat",
        "/v1/fine_tuning/jobs",
        "/v2/chat/completions",
        "//v1/chat/completions",
        "/v1//chat/completions",
        "/v1/../v1/chat/completions",
        "/v1/chat/%63ompletions",
        "/V1/chat/completions",
        "/v1/chat/completions;x=1",
        "/internal/nothing",
        "/admin",
    ] {
        let request = Request::post(path, &chat_body("gpt-4o"));
        let reply = gateway.send(&request.clone().key(STANDARD_KEY)).await;
        reply.assert_refused(404, "not_found", path);
        let reply = gateway.send(&request).await;
        assert_eq!(
            reply.status, 401,
            "{path}: a caller without a key learns nothing"
        );
    }
    upstream.assert_untouched("paths that are not served");
}

#[tokio::test]
async fn a_path_takes_its_own_methods_only() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    for (method, path, allow) in [
        ("GET", "/v1/chat/completions", "POST"),
        ("PUT", "/v1/chat/completions", "POST"),
        ("DELETE", "/v1/messages", "POST"),
        ("PATCH", "/v1/embeddings", "POST"),
        ("BREW", "/v1/responses", "POST"),
        ("POST", "/v1/models", "GET"),
        ("DELETE", "/metrics", "GET"),
    ] {
        let reply = gateway
            .send(&Request::new(method, path).key(ADMIN_KEY))
            .await;
        reply.assert_refused(405, "method_not_allowed", &format!("{method} {path}"));
        let allowed = reply.headers.one("allow").unwrap_or_default();
        assert!(
            allowed.contains(allow),
            "405 says what is allowed at {path}: {allowed:?}"
        );
    }
    upstream.assert_untouched("methods that are not served");
}

#[tokio::test]
async fn health_and_readiness_are_for_anyone_and_tell_nothing_else() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    for path in ["/health", "/ready"] {
        let reply = gateway.send(&Request::get(path)).await;
        reply.assert_fine(path);
        let text = reply.text();
        for secret in ["mock", "gpt", "127.0.0.1", env!("CARGO_PKG_VERSION")] {
            assert!(
                !text.contains(secret),
                "{path} does not tell {secret}: {text}"
            );
        }
    }
    upstream.assert_untouched("health is the gateway's own");
}

#[tokio::test]
async fn a_head_is_refused_one_past_its_limits_and_served_at_them() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::builder()
        .provider("mock", "openai", &upstream.url())
        .yaml("server: {limits: {header_bytes: 4KiB, headers: 20, uri_bytes: 1KiB}}")
        .start()
        .await;
    let base = chat("gpt-4o").key(STANDARD_KEY);
    let many = |count: usize| {
        (0..count).fold(base.clone(), |request, n| {
            request.header(&format!("x-{n}"), "1")
        })
    };
    let path = |length: usize| {
        let path = format!("/v1/chat/completions?{}", "q".repeat(length));
        Request::post(&path, &chat_body("gpt-4o")).key(STANDARD_KEY)
    };
    gateway
        .send(&many(16))
        .await
        .assert_fine("20 headers with host, type, length and key");
    gateway
        .send(&base.clone().header("x-large", &"v".repeat(3000)))
        .await
        .assert_fine("3 KB");
    gateway
        .send(&path(1024 - 21))
        .await
        .assert_fine("a target of 1 KiB");
    let refused = upstream.requests().len();

    let reply = gateway.send(&many(17)).await;
    reply.assert_refused(431, "headers_too_large", "21 headers");
    let reply = gateway
        .send(&base.clone().header("x-large", &"v".repeat(4096)))
        .await;
    reply.assert_refused(431, "headers_too_large", "more than 4 KiB of headers");
    let reply = gateway.send(&path(1024 - 20)).await;
    reply.assert_refused(414, "uri_too_long", "a target of 1 KiB and a byte");
    assert_eq!(
        upstream.requests().len(),
        refused,
        "no refused head reached the provider"
    );
}

#[tokio::test]
async fn a_listener_serves_what_it_is_for_and_nothing_else() {
    let upstream = Upstream::start().await;
    let (api, internal) = (free_address(), free_address());
    let gateway = Gateway::builder()
        .provider("mock", "openai", &upstream.url())
        .listener(&format!("{{address: \"{api}\", serve: [api]}}"))
        .listener(&format!(
            "{{address: \"{internal}\", serve: [internal, health]}}"
        ))
        .start()
        .await;
    gateway
        .send(&Request::get("/health"))
        .await
        .assert_fine("a listener for all");
    let requests = [
        chat("gpt-4o"),
        Request::get("/health"),
        Request::get("/metrics"),
    ];
    for (address, expected) in [(api, [200, 404, 404]), (internal, [404, 200, 200])] {
        for (request, status) in requests.iter().zip(expected) {
            let reply = Client { address }
                .send(&request.clone().key(ADMIN_KEY))
                .await;
            assert_eq!(
                reply.status,
                status,
                "{} at {address}: {}",
                reply.path,
                reply.text()
            );
        }
    }
    assert_eq!(
        upstream.requests().len(),
        1,
        "only by the listener for the API"
    );
}
