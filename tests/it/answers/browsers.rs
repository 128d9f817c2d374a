//! Pages of other origins: told what they may, on every answer.

use crate::harness::{Gateway, Request, STANDARD_KEY, chat};

const APP: &str = "https://app.example.com";

async fn gateway() -> Gateway {
    Gateway::builder()
        .echo("local")
        .yaml(&format!("cors: {{origins: [\"{APP}\"]}}"))
        .start()
        .await
}

#[tokio::test]
async fn a_preflight_is_answered_without_a_key() {
    let gateway = gateway().await;
    let ask = |origin: &str| {
        Request::new("OPTIONS", "/v1/chat/completions")
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header(
                "access-control-request-headers",
                "authorization,content-type",
            )
    };
    let reply = gateway.send(&ask(APP)).await;
    assert_eq!(reply.status, 204, "{reply:?}");
    assert_eq!(reply.headers.one("access-control-allow-origin"), Some(APP));
    assert_eq!(
        reply.headers.one("access-control-allow-headers"),
        Some("authorization,content-type")
    );
    assert_eq!(reply.headers.one("vary"), Some("Origin"));
    assert!(!reply.headers.has("access-control-allow-credentials"));
    let reply = gateway.send(&ask("https://evil.example")).await;
    assert!(
        !reply.headers.has("access-control-allow-origin"),
        "{reply:?}"
    );
    assert!(
        !reply.headers.has("access-control-allow-methods"),
        "{reply:?}"
    );
}

#[tokio::test]
async fn answers_and_errors_say_who_may_read_them() {
    let gateway = gateway().await;
    for (request, status) in [
        (chat("gpt-4o").key(STANDARD_KEY), 200),
        (chat("gpt-4o"), 401),
        (Request::get("/health"), 200),
    ] {
        let reply = gateway.send(&request.header("origin", APP)).await;
        assert_eq!(reply.status, status, "{reply:?}");
        assert_eq!(
            reply.headers.one("access-control-allow-origin"),
            Some(APP),
            "{reply:?}"
        );
        assert_eq!(reply.headers.one("vary"), Some("Origin"), "{reply:?}");
    }
}
