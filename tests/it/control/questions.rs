//! Who may ask, and how a question is refused.

use serde_json::json;

use super::{READER_KEY, SYSTEM_KEY, gateway, look};
use crate::harness::{ADMIN_KEY, Gateway, Request, STANDARD_KEY};

const MODE: &str = "/internal/security/emergency-mode";

#[tokio::test]
async fn each_role_may_do_what_the_contract_says_and_no_more() {
    let gateway = gateway().await;
    for (key, may_look, may_act) in [
        (READER_KEY, 200, 403),
        (STANDARD_KEY, 403, 403),
        (ADMIN_KEY, 200, 200),
        (SYSTEM_KEY, 200, 200),
        ("sk-test-nobody-0123456789abcdef", 401, 401),
    ] {
        let looked = Request::get("/internal/monitoring/").key(key);
        assert_eq!(gateway.send(&looked).await.status, may_look, "{key} looks");
        let acted = Request::post(MODE, &json!({"enabled": false})).key(key);
        assert_eq!(gateway.send(&acted).await.status, may_act, "{key} acts");
    }
    let unknown = Request::get("/internal/monitoring/").header("x-request-id", "no-key");
    gateway
        .send(&unknown)
        .await
        .assert_refused(401, "missing_api_key", "no key at all");
}

#[tokio::test]
async fn to_strangers_nothing_of_it_exists() {
    let gateway = Gateway::builder()
        .echo("local")
        .yaml("{auth: {internal_allow: [192.0.2.0/24]}}")
        .start()
        .await;
    for request in [
        Request::get("/internal/monitoring/").key(ADMIN_KEY),
        Request::post(MODE, &json!({})).key(ADMIN_KEY),
        Request::new("PUT", MODE).key(ADMIN_KEY),
        Request::get("/internal/nothing"),
    ] {
        let reply = gateway.send(&request).await;
        reply.assert_refused(404, "not_found", "not for this address");
    }
}

#[tokio::test]
async fn a_wrong_question_is_refused_with_what_would_be_right() {
    let gateway = gateway().await;
    let admin = |request: Request| request.key(ADMIN_KEY);
    for (request, status, code) in [
        (Request::get(MODE), 405, "method_not_allowed"),
        (Request::new("DELETE", MODE), 405, "method_not_allowed"),
        (Request::get("/internal/security/x"), 404, "not_found"),
        (Request::get("/internal"), 404, "not_found"),
        (
            Request::new("POST", MODE).json(b"{\"enabled\":"),
            400,
            "invalid_json",
        ),
        (
            Request::new("POST", MODE).json(b"[true]"),
            400,
            "invalid_request",
        ),
        (
            Request::new("POST", MODE)
                .header("content-type", "text/plain")
                .body(b"{}"),
            415,
            "unsupported_media_type",
        ),
        (
            Request::new("POST", MODE).json(&vec![b' '; 65_537]),
            413,
            "request_too_large",
        ),
        (
            Request::new("POST", MODE)
                .json(&vec![b' '; 65_537])
                .chunked(1_000),
            413,
            "request_too_large",
        ),
    ] {
        let reply = gateway.send(&admin(request)).await;
        reply.assert_refused(status, code, "a wrong question");
    }
    let reply = gateway.send(&admin(Request::get(MODE))).await;
    assert_eq!(
        reply.headers.one("allow"),
        Some("POST"),
        "what would be right"
    );
    for (body, param) in [
        (json!({"enbaled": true}), "enbaled"),
        (json!({"enabled": "yes"}), "enabled"),
        (json!({"duration": "soon"}), "duration"),
        (json!({"reason": "two\nlines"}), "reason"),
    ] {
        let reply = gateway.send(&admin(Request::post(MODE, &body))).await;
        reply.assert_refused(400, "invalid_request", "a wrong field");
        assert_eq!(reply.json()["error"]["param"], param, "it is named");
    }
}

#[tokio::test]
async fn an_order_needs_no_body_and_no_length() {
    let gateway = gateway().await;
    let mut connection = gateway.connect().await;
    let bare = format!(
        "POST /internal/security/reset-config HTTP/1.1\r\nhost: gateway.test\r\n\
         authorization: Bearer {ADMIN_KEY}\r\n\r\n"
    );
    connection.write(bare.as_bytes()).await;
    let reply = connection.raw_reply().await.expect("a reply");
    assert_eq!(
        reply.status,
        200,
        "as curl -X POST sends it: {}",
        reply.text()
    );
}

#[tokio::test]
async fn the_configuration_in_force_is_told_with_its_findings() {
    let gateway = Gateway::builder()
        .echo("local")
        .yaml("{logging: {level: debug}}")
        .start()
        .await;
    let answer = look(&gateway, "/internal/security/validate-config").await;
    assert_eq!(answer["valid"], true, "{answer}");
    let found = answer["findings"].as_array().expect("a list");
    let debug = found.iter().find(|one| one["id"] == "debug_logging");
    let debug = debug.unwrap_or_else(|| panic!("debug logging is found: {answer}"));
    assert_eq!(debug["severity"], "medium", "{answer}");
    assert!(debug["advice"].is_string(), "{answer}");
}
