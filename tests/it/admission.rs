//! Who gets in: keys in every state, roles, paths, methods, and heads that are too large. What
//! is refused reaches no provider.

use crate::harness::gateway::{Key, free_address};
use crate::harness::{
    ADMIN_KEY, Client, Gateway, Request, STANDARD_KEY, Upstream, chat, chat_body,
};

const READER: Key = Key {
    id: "reader",
    secret: "sk-test-reader-0123456789abcdef",
    role: "read_only",
    limits: "{}",
};

const ALICE: Key = Key {
    id: "alice",
    secret: "sk-test-alice-0123456789abcdef",
    role: "standard",
    limits: "{models: [\"gpt-*\"]}",
};

const MACHINE: Key = Key {
    id: "machine",
    secret: "sk-test-machine-0123456789abcdef",
    role: "system",
    limits: "{}",
};

async fn with_keys(upstream: &Upstream) -> Gateway {
    let builder = Gateway::builder().provider("mock", "openai", &upstream.url());
    builder.key(READER).key(ALICE).key(MACHINE).start().await
}

#[tokio::test]
async fn a_key_opens_the_door_in_each_of_the_three_headers() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    for (name, value) in [
        ("authorization", format!("Bearer {STANDARD_KEY}")),
        ("Authorization", format!("bearer {STANDARD_KEY}")),
        ("x-api-key", STANDARD_KEY.to_owned()),
        ("api-key", STANDARD_KEY.to_owned()),
        ("X-API-Key", ADMIN_KEY.to_owned()),
    ] {
        let reply = gateway.send(&chat("gpt-4o").header(name, &value)).await;
        reply.assert_fine(&format!("{name} carries a credential"));
    }
}

#[tokio::test]
async fn a_credential_that_is_not_exactly_a_key_opens_nothing() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    let (bearer, plain) = ("authorization", "x-api-key");
    let cases: Vec<(&str, String)> = vec![
        (bearer, "Bearer sk-test-wrong".to_owned()),
        (
            bearer,
            format!("Bearer {}", &STANDARD_KEY[..STANDARD_KEY.len() - 1]),
        ),
        (bearer, format!("Bearer {STANDARD_KEY}x")),
        (bearer, format!("Bearer {}", STANDARD_KEY.to_uppercase())),
        (bearer, format!("Bearer {}", "k".repeat(10_000))),
        (bearer, format!("Basic {STANDARD_KEY}")),
        (bearer, "Bearer caf\u{e9}".to_owned()),
        (plain, "k".repeat(10_000)),
        (plain, format!("{STANDARD_KEY}, x")),
        (plain, format!("sha256:{}", "0".repeat(64))),
    ];
    let mut cases: Vec<(&str, Vec<u8>)> = cases
        .into_iter()
        .map(|(name, value)| (name, value.into_bytes()))
        .collect();
    cases.push((bearer, b"Bearer \xff\xfe\x80".to_vec()));
    cases.push((plain, b"\xff\xfe\x80".to_vec()));
    for (name, value) in cases {
        let why = format!("{name}: {}", String::from_utf8_lossy(&value));
        let reply = gateway
            .send(&chat("gpt-4o").header_bytes(name, &value))
            .await;
        reply.assert_refused(401, "invalid_api_key", &why);
        assert_eq!(
            reply.json()["error"]["message"],
            "The API key is not valid.",
            "no caller can tell one kind of invalid key from another: {why}"
        );
    }
    upstream.assert_untouched("no valid key");
}

#[tokio::test]
async fn no_credential_is_told_apart_from_a_wrong_one() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    let reply = gateway.send(&chat("gpt-4o")).await;
    reply.assert_refused(401, "missing_api_key", "no credential at all");
    for (name, value) in [
        ("authorization", ""),
        ("x-api-key", ""),
        ("authorization", "Bearer "),
    ] {
        let reply = gateway.send(&chat("gpt-4o").header(name, value)).await;
        assert_eq!(reply.status, 401, "an empty {name} is no credential");
    }
    upstream.assert_untouched("no key");
}

#[tokio::test]
async fn two_different_credentials_are_refused() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    let twice = chat("gpt-4o").key(STANDARD_KEY);
    for (name, value) in [
        ("x-api-key", ADMIN_KEY),
        ("x-api-key", "sk-test-wrong"),
        ("api-key", "sk-test-wrong"),
        ("authorization", "Bearer sk-test-wrong"),
    ] {
        let reply = gateway.send(&twice.clone().header(name, value)).await;
        reply.assert_refused(401, "invalid_api_key", &format!("a second one in {name}"));
    }
    upstream.assert_untouched("which of two credentials counts is not ours to guess");
}

#[tokio::test]
async fn a_key_in_the_query_string_opens_nothing() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    for name in ["api_key", "api-key", "key", "access_token"] {
        let path = format!("/v1/chat/completions?{name}={STANDARD_KEY}");
        let request = Request::post(&path, &chat_body("gpt-4o"));
        let reply = gateway.send(&request).await;
        reply.assert_refused(401, "missing_api_key", "URLs end up in logs");
    }
    upstream.assert_untouched("no key");
}

#[tokio::test]
async fn each_role_may_do_what_the_contract_says_and_no_more() {
    let upstream = Upstream::start().await;
    let gateway = with_keys(&upstream).await;
    let keys = [
        ("read_only", READER.secret),
        ("standard", STANDARD_KEY),
        ("admin", ADMIN_KEY),
        ("system", MACHINE.secret),
    ];
    let rows: [(Request, [u16; 4]); 4] = [
        (chat("gpt-4o"), [403, 200, 200, 403]),
        (Request::get("/v1/models"), [200, 200, 200, 200]),
        (Request::get("/v1/health"), [200, 200, 200, 200]),
        (Request::get("/metrics"), [200, 403, 200, 200]),
    ];
    for (request, expected) in rows {
        for ((role, key), status) in keys.into_iter().zip(expected) {
            let reply = gateway.send(&request.clone().key(key)).await;
            assert_eq!(
                reply.status,
                status,
                "{role} at {}: {}",
                reply.path,
                reply.text()
            );
            if status == 403 {
                reply.assert_refused(403, "permission_denied", role);
            }
        }
    }
    assert_eq!(
        upstream.requests().len(),
        2,
        "only what was allowed reached the provider"
    );
}

#[tokio::test]
async fn a_key_is_good_for_its_own_models_only() {
    let upstream = Upstream::start().await;
    let gateway = with_keys(&upstream).await;
    gateway
        .send(&chat("gpt-4o").key(ALICE.secret))
        .await
        .assert_fine("gpt-* covers gpt-4o");
    for model in ["claude-sonnet", "xgpt-4o", "GPT-4o", "o1"] {
        let reply = gateway.send(&chat(model).key(ALICE.secret)).await;
        reply.assert_refused(403, "model_not_allowed", model);
        assert_eq!(
            reply.json()["error"]["param"],
            "model",
            "the field at fault is named"
        );
    }
    assert_eq!(
        upstream.requests().len(),
        1,
        "no refused model reached the provider"
    );
}

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

#[tokio::test]
async fn without_any_key_the_mode_is_development_and_every_answer_says_so() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::bare()
        .provider("mock", "openai", &upstream.url())
        .start()
        .await;
    for request in [
        chat("gpt-4o"),
        Request::get("/health"),
        Request::get("/nowhere"),
    ] {
        let reply = gateway.send(&request).await;
        let mode = reply.headers.one("x-portcullis-mode");
        assert_eq!(
            mode,
            Some("development"),
            "said in every answer: {}",
            reply.path
        );
    }
    gateway
        .send(&chat("gpt-4o"))
        .await
        .assert_fine("no key is asked for");
    let said = format!("{}{}", gateway.stderr(), gateway.log_text());
    assert!(
        said.to_lowercase().contains("development"),
        "said at the start: {said}"
    );
}

#[tokio::test]
async fn a_keyed_gateway_never_says_development() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    let reply = gateway.send(&chat("gpt-4o").key(STANDARD_KEY)).await;
    assert!(
        !reply.headers.has("x-portcullis-mode"),
        "not in development: {reply:?}"
    );
}
