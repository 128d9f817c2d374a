//! Names that were made to harm whoever reads them: in logs, metrics, monitoring and views.

use serde_json::json;

use crate::harness::{ADMIN_KEY, Gateway, Request, STANDARD_KEY};

const MONITORING: [&str; 4] = ["events", "alerts", "anomalies", "rate-limiting"];

/// Values that forge lines, drive terminals, end quotes, or are simply too long.
fn values() -> Vec<Vec<u8>> {
    let mut values: Vec<Vec<u8>> = [
        "x\" status_code=\"200\"} 1",
        "\\\\\"},{\"logger\":\"portcullis.security\"",
        "</script><script>alert(1)</script>",
        "\u{202e}gnirts\u{2028}line\u{feff}",
        "\u{9b}31mred",
        "${jndi:ldap://x} %s %n {{7*7}}",
        "a\tb",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec();
    values.push(b"\x1b]0;title\x07\x1b[2J".to_vec());
    values.push(b"\xff\xfe\xc3(".to_vec());
    values.push(vec![b'h'; 20_000]);
    values.push(vec![b'h'; 1_048_576]);
    values
}

/// Sends each value wherever a name may stand. Some of it is no HTTP, and gets no answer.
async fn send_all(gateway: &Gateway) {
    let calls = "/v1/chat/completions";
    for value in values() {
        let text = String::from_utf8_lossy(&value).into_owned();
        let said = json!([{"role": "user", "content": "Hello."}]);
        let named = json!({"model": text, "messages": said, "user": text});
        let plain = json!({"model": "any", "messages": said});
        let mut requests = vec![
            Request::post(calls, &named).key(STANDARD_KEY),
            Request::post(
                "/internal/security/block-ip",
                &json!({"ip": text, "reason": text}),
            )
            .key(ADMIN_KEY),
            Request::get(&format!(
                "/v1/models/{}",
                text.replace(char::is_whitespace, "_")
            ))
            .key(STANDARD_KEY),
        ];
        for field in [
            "user-agent",
            "x-request-id",
            "x-forwarded-for",
            "traceparent",
            "x-api-key",
            &text,
        ] {
            let request = Request::post(calls, &plain);
            let request = if field == "x-api-key" {
                request
            } else {
                request.key(STANDARD_KEY)
            };
            requests.push(request.header_bytes(field, &value));
        }
        for request in requests {
            let mut connection = gateway.connect().await;
            connection.send(&request).await;
            let reply = connection.raw_reply().await;
            assert!(
                reply.is_none_or(|reply| reply.status < 500),
                "no fault of ours: {text:.40}"
            );
        }
    }
}

#[tokio::test]
async fn hostile_names_harm_no_reader() {
    let gateway = Gateway::builder()
        .echo("local")
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
        .yaml("{server: {trusted_proxies: [127.0.0.0/8]}}")
        .start()
        .await;
    send_all(&gateway).await;
    let last = Request::get("/v1/models")
        .key(STANDARD_KEY)
        .header("x-request-id", "the-last");
    gateway.send(&last).await.assert_fine("it serves on");
    gateway.access_line("the-last").await;
    // Each line is JSON, or this fails.
    let lines = gateway.log_lines();
    assert!(lines.len() > 50, "requests are on record: {}", lines.len());
    let log = gateway.log_text();
    let odd = |c: char| (c.is_control() && c != '\n') || ('\u{2028}'..='\u{202e}').contains(&c);
    assert_eq!(log.find(odd), None, "nothing in the log drives a terminal");
    let longest = log.lines().map(str::len).max();
    assert!(
        longest < Some(16_384),
        "no line is as long as what was sent: {longest:?}"
    );
    let metrics = gateway
        .send(&Request::get("/metrics").key(ADMIN_KEY))
        .await
        .text();
    for word in ["<script", "gnirts", "jndi", "hhhh"] {
        assert!(!metrics.contains(word), "{word} is in no metric");
    }
    for path in MONITORING {
        let path = format!("/internal/monitoring/{path}");
        let reply = gateway.send(&Request::get(&path).key(ADMIN_KEY)).await;
        reply.assert_fine(&path);
        assert!(
            !reply.text().contains(odd),
            "{path} holds no control character"
        );
        assert!(reply.json()["status"].is_string(), "{path}");
    }
}

#[tokio::test]
async fn the_view_of_a_configuration_full_of_secrets_shows_none() {
    let secrets = [
        "sk-first-0123456789abcdef",
        "sk-second-0123456789abcdef",
        "hmac-secret-of-32-bytes-0123456789abcdef",
        "our-canary-0123456789",
    ];
    let keys = format!(
        "{{api_keys: [{}, {}], api_key: null}}",
        secrets[0], secrets[1]
    );
    let gateway = Gateway::builder()
        .provider_with("mock", "openai", "http://127.0.0.1:9", &keys)
        .yaml(&format!(
            "{{auth: {{tokens: {{hmac_secret: {}}}}}}}",
            secrets[2]
        ))
        .yaml(&format!(
            "{{inspection: {{response: {{canaries: [{}]}}}}}}",
            secrets[3]
        ))
        .start()
        .await;
    for path in ["/internal/config", "/internal/security/validate-config"] {
        let reply = gateway.send(&Request::get(path).key(ADMIN_KEY)).await;
        reply.assert_fine(path);
        for secret in secrets.iter().chain([&ADMIN_KEY, &STANDARD_KEY]) {
            assert!(
                !reply.text().contains(secret),
                "{secret} in {path}: {}",
                reply.text()
            );
        }
    }
}
