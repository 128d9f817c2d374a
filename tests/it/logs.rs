//! The record: one access line a request with ids, sizes and times; never content, never a
//! whole secret.

use serde_json::{Value, json};

use crate::harness::gateway::PROVIDER_KEY;
use crate::harness::{ADMIN_KEY, Gateway, Reply, Request, STANDARD_KEY, Script, Upstream, chat};

const MARK: &str = "a-prompt-that-no-log-may-hold";

fn marked(model: &str) -> Request {
    let messages = json!([{"role": "user", "content": MARK}]);
    let body = json!({"model": model, "messages": messages, "user": MARK});
    Request::post("/v1/chat/completions", &body)
}

async fn access(gateway: &Gateway, reply: &Reply) -> Value {
    gateway
        .access_line(reply.headers.one("x-request-id").expect("an id"))
        .await
}

#[tokio::test]
async fn each_request_has_one_access_line_of_the_contracts_shape() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    let request = chat("gpt-4o").key(STANDARD_KEY);
    let reply = gateway.send(&request).await;
    let line = access(&gateway, &reply).await;
    for field in [
        "timestamp",
        "level",
        "logger",
        "message",
        "module",
        "function",
        "line",
    ] {
        assert!(!line[field].is_null(), "a line has {field}: {line}");
    }
    assert_eq!(line["level"], "INFO", "{line}");
    let data = &line["extra_data"];
    assert_eq!(data["method"], "POST", "{line}");
    assert_eq!(data["path"], "/v1/chat/completions", "{line}");
    assert_eq!(data["status"], 200, "{line}");
    assert_eq!(data["model"], "gpt-4o", "{line}");
    assert_eq!(data["provider"], "mock", "{line}");
    assert_eq!(data["client_ip"], "127.0.0.1", "{line}");
    assert_eq!(data["attempts"], 1, "{line}");
    assert!(
        data["key_id"].as_str().is_some_and(|id| !id.is_empty()),
        "whose key: {line}"
    );
    let sent = upstream.only_request().body.len();
    assert_eq!(
        data["request_bytes"].as_u64(),
        u64::try_from(sent).ok(),
        "{line}"
    );
    assert_eq!(
        data["response_bytes"].as_u64(),
        u64::try_from(reply.body.len()).ok(),
        "{line}"
    );
    let time = |name: &str| {
        data[name]
            .as_f64()
            .unwrap_or_else(|| panic!("{name}: {line}"))
    };
    let parts = time("overhead_ms") + time("upstream_ms");
    assert!(
        parts <= time("duration_ms") + 1.0,
        "own part and provider's part apart: {line}"
    );

    gateway.send(&Request::get("/health")).await;
    let id = reply.headers.one("x-request-id");
    let same = |one: &&Value| one["extra_data"]["request_id"].as_str() == id;
    let lines = gateway.log_lines();
    let lines = lines
        .iter()
        .filter(|one| one["logger"] == "portcullis.access");
    assert_eq!(lines.filter(same).count(), 1, "one line a request");
}

#[tokio::test]
async fn refusals_are_on_record_with_their_status_and_without_a_provider() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    let json = |body: &[u8]| Request::new("POST", "/v1/chat/completions").json(body);
    let cases = [
        (401, chat("gpt-4o")),
        (401, chat("gpt-4o").key("sk-test-wrong-key-0123456789")),
        (404, Request::get("/nothing").key(STANDARD_KEY)),
        (405, Request::get("/v1/chat/completions").key(STANDARD_KEY)),
        (400, json(b"{").key(STANDARD_KEY)),
    ];
    for (status, request) in cases {
        let reply = gateway.send(&request).await;
        assert_eq!(reply.status, status, "{}", reply.text());
        let line = access(&gateway, &reply).await;
        assert_eq!(line["extra_data"]["status"], status, "{line}");
        assert!(
            line["extra_data"]["provider"].is_null(),
            "no provider was asked: {line}"
        );
    }
}

#[tokio::test]
async fn no_line_holds_content_or_a_whole_secret_at_any_level() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::builder()
        .provider("mock", "openai", &upstream.url())
        .env("LOG_LEVEL", "debug")
        .start()
        .await;
    let wrong = "sk-wrong-key-with-a-recognisable-tail-98765";
    upstream.answer(Script::json(200, &json!({"answer": MARK})));
    gateway
        .send(&marked("gpt-4o").key(STANDARD_KEY))
        .await
        .assert_fine("a marked answer");
    let error = json!({"message": MARK, "type": "server_error", "code": null, "param": null});
    upstream.answer(Script::json(500, &json!({"error": error})));
    upstream.answer(Script::raw(format!("HTTP/1.1 {MARK}\r\n\r\n").as_bytes()));
    for request in [
        marked("gpt-4o").key(ADMIN_KEY),
        marked("gpt-4o").key(STANDARD_KEY),
        marked("gpt-4o").key(wrong),
        marked("gpt-4o")
            .header("x-api-key", wrong)
            .header("cookie", MARK),
        marked(MARK).key(wrong),
        Request::get(&format!("/v1/models?api_key={wrong}&token={wrong}")).key(STANDARD_KEY),
        Request::new("POST", "/v1/chat/completions")
            .key(STANDARD_KEY)
            .json(format!("{{\"model\": \"gpt-4o\", \"x\": {MARK}").as_bytes()),
    ] {
        let reply = gateway.send(&request).await;
        access(&gateway, &reply).await;
    }
    let written = format!("{}{}", gateway.log_text(), gateway.stderr());
    for secret in [MARK, STANDARD_KEY, ADMIN_KEY, PROVIDER_KEY, wrong] {
        let line = written.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret} is in the log");
    }
}

#[tokio::test]
async fn only_a_trusted_proxy_may_say_who_the_client_is() {
    let trusting = "server: {trusted_proxies: [127.0.0.0/8]}";
    for (settings, expected) in [("{}", "127.0.0.1"), (trusting, "203.0.113.9")] {
        let gateway = Gateway::builder()
            .echo("local")
            .yaml(settings)
            .start()
            .await;
        let request = chat("any")
            .key(STANDARD_KEY)
            .header("x-forwarded-for", "203.0.113.9");
        let reply = gateway.send(&request).await;
        let line = access(&gateway, &reply).await;
        assert_eq!(
            line["extra_data"]["client_ip"], expected,
            "{settings}: {line}"
        );
    }
}

#[tokio::test]
async fn a_line_can_not_be_forged_from_outside() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    let forged = "x\\n{\\\"logger\\\":\\\"portcullis.access\\\"}\u{2028}\u{1b}[31m";
    let body = format!(
        "{{\"model\": \"{}\", \"messages\": []}}",
        forged.replace('\u{1b}', "")
    );
    let request = Request::new("POST", "/v1/chat/completions").json(body.as_bytes());
    let reply = gateway
        .send(&request.key(STANDARD_KEY).header("user-agent", "a\tb"))
        .await;
    access(&gateway, &reply).await;
    let lines = gateway.log_lines();
    let same = |line: &&Value| line["logger"] == "portcullis.access";
    let with_id = lines
        .iter()
        .filter(same)
        .all(|line| line["extra_data"]["request_id"].is_string());
    assert!(with_id, "every access line is the gateway's own: {lines:?}");
}

#[tokio::test]
async fn the_configurations_secrets_never_show_at_the_start() {
    let gateway = Gateway::builder()
        .echo("local")
        .env("LOG_LEVEL", "debug")
        .start()
        .await;
    gateway
        .wait_for_line("a first line", |line| line["level"].is_string())
        .await;
    let written = format!("{}{}", gateway.log_text(), gateway.stderr());
    for secret in [STANDARD_KEY, ADMIN_KEY] {
        assert!(
            !written.contains(secret),
            "{secret} is in the log: {written}"
        );
    }
}
