//! A listener without TLS that sends everybody to one with it, and does nothing else.

use super::wire::certificate;
use crate::harness::client::Connection;
use crate::harness::gateway::free_address;
use crate::harness::{Client, Gateway, Request, STANDARD_KEY, Upstream, chat};

#[tokio::test]
async fn everybody_is_sent_to_https_and_nothing_is_served() {
    let directory = tempfile::tempdir().expect("a directory");
    let (certificate, key) = certificate(directory.path());
    let (plain, mapped, secure) = (free_address(), free_address(), free_address());
    let upstream = Upstream::start().await;
    let _gateway = Gateway::builder()
        .provider("mock", "openai", &upstream.url())
        .listener(&format!(
            "{{address: \"{plain}\", redirect_to_https: true}}"
        ))
        .listener(&format!(
            "{{address: \"{mapped}\", redirect_to_https: true, redirect_port: 443}}"
        ))
        .listener(&format!(
            "{{address: \"{secure}\", tls: {{certificate: {certificate}, private_key: {key}}}}}"
        ))
        .start()
        .await;
    let port = secure.port();
    for (request, target) in [
        (Request::get("/health"), "/health"),
        (Request::get("/v1/models?limit=1"), "/v1/models?limit=1"),
        (Request::get("/internal/config"), "/internal/config"),
        (chat("gpt-4o"), "/v1/chat/completions"),
        (Request::new("OPTIONS", "/v1/models"), "/v1/models"),
    ] {
        let request = request.key(STANDARD_KEY);
        for (address, to) in [
            (plain, format!("https://gateway.test:{port}{target}")),
            (mapped, format!("https://gateway.test{target}")),
        ] {
            let reply = Client { address }.send(&request).await;
            assert_eq!(reply.status, 308, "{}: {}", reply.path, reply.text());
            assert_eq!(reply.headers.one("location"), Some(&*to), "{}", reply.path);
            assert!(reply.body.is_empty(), "nothing else");
            assert!(
                !reply.headers.has("strict-transport-security"),
                "it says nothing without TLS"
            );
        }
    }
    for host in ["evil.example/", "a@b", "a b", "", "[::1", "a:b"] {
        let mut connection = Connection::open(plain).await;
        let request = format!("GET / HTTP/1.1\r\nhost: {host}\r\n\r\n");
        connection.write(request.as_bytes()).await;
        let reply = connection.raw_reply().await.expect("an answer");
        assert_eq!(reply.status, 400, "{host:?}");
        assert!(!reply.headers.has("location"), "{host:?}");
    }
    upstream.assert_untouched("a listener that only redirects");
}
