//! What the contract promises of every single reply; the client applies it to each one it reads,
//! so that no test has to think of it.

use serde_json::Value;

use super::client::Reply;

/// The codes of the contract's table, by status.
const CODES: &[(u16, &[&str])] = &[
    (
        400,
        &[
            "invalid_json",
            "invalid_request",
            "prompt_injection_detected",
            "pii_detected",
            "secret_detected",
            "code_pattern_detected",
            "web_attack_detected",
            "text_too_long",
            "harmful_content_detected",
            "canary_detected",
        ],
    ),
    (401, &["missing_api_key", "invalid_api_key"]),
    (
        403,
        &["permission_denied", "model_not_allowed", "client_blocked"],
    ),
    (404, &["not_found", "model_not_found"]),
    (405, &["method_not_allowed"]),
    (408, &["request_timeout"]),
    (411, &["length_required"]),
    (413, &["request_too_large"]),
    (414, &["uri_too_long"]),
    (415, &["unsupported_media_type"]),
    (431, &["headers_too_large"]),
    (
        429,
        &[
            "rate_limit_exceeded",
            "concurrency_limit_exceeded",
            "token_limit_exceeded",
            "provider_rate_limit_exceeded",
        ],
    ),
    (502, &["upstream_error"]),
    (
        503,
        &["no_healthy_provider", "overloaded", "stream_terminated"],
    ),
    (504, &["upstream_timeout"]),
];

/// Headers that every answer carries, over TLS or not.
const SECURITY_HEADERS: &[(&str, &str)] = &[
    ("content-security-policy", "default-src 'none'"),
    ("x-frame-options", "DENY"),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
];

/// Headers that say what runs behind the gateway, or that set state in a client.
const LEAKS: &[&str] = &[
    "server",
    "set-cookie",
    "x-powered-by",
    "via",
    "openai-organization",
    "anthropic-organization-id",
];

/// What a message must never hold: internals of the gateway, of a provider or of this machine.
const INTERNALS: &[&str] = &[
    "127.0.0.1",
    "pingora",
    "panicked",
    "src/",
    ".rs:",
    "Traceback",
    "sk-provider",
    "errno",
    "Connection refused",
    "HTTPStatus",
];

/// Checks one reply to a request for `path`.
pub(crate) fn check(path: &str, reply: &Reply) {
    let id = reply.headers.one("x-request-id").unwrap_or_default();
    assert!(
        !id.is_empty(),
        "every answer carries x-request-id: {reply:?}"
    );
    // A page brings its own script and style, and a policy that lets them alone in.
    let kind = reply.headers.one("content-type").unwrap_or_default();
    let is_page = kind.starts_with("text/html") && path.starts_with("/internal/");
    for (name, value) in SECURITY_HEADERS {
        let told = reply.headers.one(name).unwrap_or_default();
        let page = is_page && *name == "content-security-policy";
        assert!(
            told == *value || (page && told.starts_with(value)),
            "{name} is on every answer: {reply:?}"
        );
    }
    for name in LEAKS {
        assert!(
            !reply.headers.has(name),
            "{name} never reaches a client: {reply:?}"
        );
    }
    if reply.status >= 400 {
        check_error(path, reply, id);
    }
}

fn check_error(path: &str, reply: &Reply, id: &str) {
    let kind = reply.headers.one("content-type").unwrap_or_default();
    assert!(
        kind.starts_with("application/json"),
        "an error is JSON: {reply:?}"
    );
    let body = reply.json();
    assert_eq!(body["request_id"], id, "an error names its request");
    let error = body["error"]
        .as_object()
        .expect("an error has an `error` object");
    assert!(
        error["message"]
            .as_str()
            .is_some_and(|text| !text.is_empty()),
        "a message: {body}"
    );
    assert!(
        error["type"].as_str().is_some_and(|text| !text.is_empty()),
        "a type: {body}"
    );
    let text = body.to_string();
    for internal in INTERNALS {
        assert!(
            !text.contains(internal),
            "{internal} never reaches a client: {body}"
        );
    }
    if is_anthropic(path) {
        assert_eq!(
            body["type"], "error",
            "Anthropic's shape under /v1/messages: {body}"
        );
    } else {
        for field in ["code", "param"] {
            assert!(
                error.contains_key(field),
                "OpenAI's shape has {field}: {body}"
            );
        }
    }
    if reply.status == 401 {
        let scheme = reply.headers.one("www-authenticate");
        assert_eq!(scheme, Some("Bearer"), "401 names the scheme: {reply:?}");
    }
    if reply.status == 429 || reply.status == 503 {
        let seconds = reply
            .headers
            .one("retry-after")
            .and_then(|text| text.parse::<u32>().ok());
        assert!(
            seconds.is_some(),
            "429 and 503 say when to come back: {reply:?}"
        );
    }
}

/// Fails unless the reply is the gateway's own refusal with this status and code.
pub(crate) fn assert_refused(reply: &Reply, status: u16, code: &str, why: &str) {
    let listed = CODES
        .iter()
        .any(|(key, codes)| *key == status && codes.contains(&code));
    assert!(listed, "{status} {code} is not in the contract");
    let body: Value = reply.json();
    assert_eq!(reply.status, status, "{why}: {body}");
    if !is_anthropic(&reply.path) {
        assert_eq!(body["error"]["code"], code, "{why}: {body}");
    }
}

fn is_anthropic(path: &str) -> bool {
    path.split('?').next() == Some("/v1/messages")
}
