//! What counts as a credential, and what does not. What is refused reaches no provider.

use crate::harness::{ADMIN_KEY, Gateway, Request, STANDARD_KEY, Upstream, chat, chat_body};

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
