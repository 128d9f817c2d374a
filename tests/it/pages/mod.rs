//! Pages for people: who gets them, what a browser makes of them, and that they do what they show.

mod browser;
mod description;
mod devtools;
mod fuzz;

use crate::harness::gateway::Key;
use crate::harness::{ADMIN_KEY, Gateway, Request, STANDARD_KEY, contract};

const READER: Key = Key {
    id: "reader",
    secret: "sk-test-reader-0123456789abcdef",
    role: "read_only",
    limits: "{}",
};

const PAGES: [&str; 2] = ["/internal/dashboard", "/internal/docs"];

fn opened(path: &str) -> Request {
    Request::get(path).header("accept", "text/html,application/xhtml+xml,*/*;q=0.8")
}

#[tokio::test]
async fn a_page_opens_without_a_key_and_holds_nothing_then() {
    let gateway = Gateway::builder().echo("provider-of-ours").start().await;
    for path in PAGES {
        let reply = gateway.send(&opened(path)).await;
        reply.assert_fine(path);
        let kind = reply.headers.one("content-type");
        assert_eq!(kind, Some("text/html; charset=utf-8"), "{path}");
        assert!(reply.body.len() < 100_000, "{path}: {}", reply.body.len());
        let text = reply.text();
        for word in [
            "provider-of-ours",
            "127.0.0.1",
            "sha256:",
            "/v1/chat/completions",
        ] {
            assert!(!text.contains(word), "{path} holds no {word}");
        }
        let csp = reply
            .headers
            .one("content-security-policy")
            .unwrap_or_default();
        assert!(csp.contains("script-src 'sha256-"), "{path}: {csp}");
        assert!(!csp.contains("unsafe"), "{path}: {csp}");
        let head = gateway
            .send(&Request::new("HEAD", path).header("accept", "text/html"))
            .await;
        assert_eq!(head.status, 200, "{path} by HEAD");
    }
    let document = opened("/internal/openapi.json");
    gateway
        .send(&document)
        .await
        .assert_refused(401, "missing_api_key", "the document is data");
    let monitoring = opened("/internal/monitoring/");
    gateway
        .send(&monitoring)
        .await
        .assert_refused(401, "missing_api_key", "and so are figures");
}

#[tokio::test]
async fn pages_are_for_administrators_and_for_browsers_alone() {
    let gateway = Gateway::builder().echo("local").key(READER).start().await;
    for path in [PAGES[0], PAGES[1], "/internal/openapi.json"] {
        for (key, status) in [
            (ADMIN_KEY, 200),
            (READER.secret, 403),
            (STANDARD_KEY, 403),
            ("sk-wrong-0123456789abcdef", 401),
        ] {
            let reply = gateway.send(&opened(path).key(key)).await;
            assert_eq!(reply.status, status, "{path} with {key}");
        }
        let bare = gateway.send(&Request::get(path)).await;
        bare.assert_refused(401, "missing_api_key", "no key, and no browser");
    }
    let docs = gateway
        .send(&Request::get("/internal/docs").key(ADMIN_KEY))
        .await;
    assert!(
        docs.text().contains("/v1/chat/completions"),
        "with a key the document is in it"
    );
}

#[tokio::test]
async fn to_strangers_there_are_no_pages() {
    let gateway = Gateway::builder()
        .echo("local")
        .yaml("{auth: {internal_allow: [192.0.2.0/24]}, server: {trusted_proxies: [127.0.0.1/32]}}")
        .start()
        .await;
    for path in PAGES {
        for request in [opened(path), opened(path).key(ADMIN_KEY)] {
            gateway
                .send(&request)
                .await
                .assert_refused(404, "not_found", "not for this address");
        }
        let from_within = opened(path).header("x-forwarded-for", "192.0.2.9");
        assert_eq!(
            gateway.send(&from_within).await.status,
            200,
            "{path} from within"
        );
    }
}

#[tokio::test]
async fn the_interface_is_told_unless_that_is_switched_off() {
    let gateway = Gateway::builder()
        .echo("local")
        .env("DISABLE_INTERNAL_DOCS", "true")
        .start()
        .await;
    for path in ["/internal/docs", "/internal/openapi.json"] {
        for request in [
            Request::get(path).key(ADMIN_KEY),
            opened(path).key(ADMIN_KEY),
        ] {
            gateway
                .send(&request)
                .await
                .assert_refused(404, "not_found", "switched off");
        }
    }
    let opened_without = gateway.send(&opened("/internal/docs")).await;
    assert_eq!(
        opened_without.status, 401,
        "a page that is not there needs a key like any other path"
    );
    let dashboard = gateway.send(&opened("/internal/dashboard")).await;
    dashboard.assert_fine("the dashboard stays");
    contract::check("/internal/dashboard", &dashboard);
}
