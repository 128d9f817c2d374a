//! A new configuration in a running process: in force for the next request, or told and refused.

use std::path::Path;

use serde_json::{Value, json};
use tokio::process::Command;

use super::{event, gateway, look, measures, order};
use crate::harness::gateway::{Key, free_address};
use crate::harness::{Gateway, Reply, Request, STANDARD_KEY, chat, skipped, until, within};

const RELOAD: &str = "/internal/config/reload";

async fn reload(gateway: &Gateway) -> Reply {
    order(gateway, RELOAD, &json!({})).await
}

fn large() -> Request {
    let text = "word ".repeat(2_000);
    let body = json!({"model": "any", "messages": [{"role": "user", "content": text}]});
    Request::post("/v1/chat/completions", &body).key(STANDARD_KEY)
}

#[tokio::test]
async fn a_new_limit_holds_for_the_next_request_and_the_answer_says_what_changed() {
    let gateway = gateway().await;
    gateway.send(&large()).await.assert_fine("before");
    let before = look(&gateway, "/internal/config").await;
    gateway.reconfigure("{size_limits: {json: 4KiB}, server: {workers: 1}}");
    let reply = reload(&gateway).await;
    reply.assert_fine("the reload");
    let told = reply.json();
    assert_eq!(told["status"], "reloaded", "{told}");
    let changed: Vec<&str> = told["changed"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert_eq!(changed, ["server.workers", "size_limits.json"], "{told}");
    assert_eq!(told["changes"][1]["to"], "4KiB", "{told}");
    assert_eq!(told["needs_upgrade"][0]["key"], "server.workers", "{told}");
    let refused = gateway.send(&large()).await;
    refused.assert_refused(413, "request_too_large", "the next request");
    let after = look(&gateway, "/internal/config").await;
    assert_ne!(before["hash"], after["hash"], "another policy");
    assert_eq!(after["hash"], told["hash"], "{after}");
    assert_eq!(after["config"]["size_limits"]["json"], "4KiB", "{after}");
    gateway
        .metric_becomes("proxy_api_config_reloads_total{result=\"success\"}", 1.0)
        .await;
    let line = event(&gateway, "config_reload").await;
    assert_eq!(line["status"], "success", "{line}");
}

#[tokio::test]
async fn a_faulty_file_changes_nothing_and_is_told_with_line_and_remedy() {
    let gateway = gateway().await;
    let before = look(&gateway, "/internal/config").await;
    for (overlay, key) in [
        ("{size_limits: {json: nothing}}", "size_limits.json"),
        ("{sizes: {}}", "sizes"),
        ("{auth: {keys_file: missing.yaml}}", "auth.keys_file"),
    ] {
        gateway.reconfigure(overlay);
        let reply = reload(&gateway).await;
        assert_eq!(reply.status, 422, "{}", reply.text());
        let told = reply.json();
        assert_eq!(told["error"]["code"], "invalid_configuration", "{told}");
        let fault = &told["faults"][0];
        assert_eq!(fault["key"], key, "{told}");
        for field in ["file", "line", "problem", "remedy"] {
            assert!(!fault[field].is_null(), "{field}: {told}");
        }
        gateway.send(&large()).await.assert_fine("as before");
    }
    assert_eq!(
        look(&gateway, "/internal/config").await["hash"],
        before["hash"],
        "the old one"
    );
    gateway
        .metric_becomes("proxy_api_config_reloads_total{result=\"failure\"}", 3.0)
        .await;
}

#[tokio::test]
async fn a_signal_reloads_too() {
    let gateway = gateway().await;
    gateway.reconfigure("{size_limits: {json: 4KiB}}");
    gateway.signal("HUP").await;
    gateway
        .metric_becomes("proxy_api_config_reloads_total{result=\"success\"}", 1.0)
        .await;
    let refused = gateway.send(&large()).await;
    refused.assert_refused(413, "request_too_large", "after the signal");
}

#[tokio::test]
async fn a_key_that_is_gone_opens_nothing_and_a_file_half_written_changes_nothing() {
    const SECRET: &str = "sk-test-visitor-0123456789abcdef";
    let visitor = Key {
        id: "visitor",
        secret: SECRET,
        role: "standard",
        limits: "{}",
    };
    let gateway = Gateway::builder().echo("local").key(visitor).start().await;
    let request = chat("any").key(SECRET);
    gateway.send(&request).await.assert_fine("before");
    let file = gateway.folder().join("keys.yaml");
    let whole = std::fs::read_to_string(&file).expect("the keys file");
    std::fs::write(&file, &whole[..whole.len() / 2]).expect("half of it");
    assert_eq!(reload(&gateway).await.status, 422, "half a file");
    gateway
        .send(&request)
        .await
        .assert_fine("the old keys stay");
    std::fs::write(&file, "keys: []\n").expect("no key");
    let reply = reload(&gateway).await;
    reply.assert_fine("the reload");
    let told = reply.json();
    assert_eq!(
        told["keys"]["removed"]["first"],
        json!(["visitor"]),
        "{told}"
    );
    assert_eq!(told["changed"], json!(["auth.keys_file"]), "{told}");
    let refused = gateway.send(&request).await;
    refused.assert_refused(401, "invalid_api_key", "it is gone");
}

#[tokio::test]
async fn measures_and_blocks_stay_over_a_reload() {
    let gateway = gateway().await;
    let path = "/internal/middleware/request-size/emergency-limits";
    order(&gateway, path, &json!({"max_json_size": 4_000}))
        .await
        .assert_fine("the order");
    let block = json!({"ip": "203.0.113.9"});
    order(&gateway, "/internal/security/block-ip", &block)
        .await
        .assert_fine("the order");
    gateway.reconfigure("{size_limits: {json: 8MiB}}");
    reload(&gateway).await.assert_fine("the reload");
    assert_eq!(measures(&gateway).await, ["request_size"], "still there");
    let refused = gateway.send(&large()).await;
    refused.assert_refused(413, "request_too_large", "and in force");
    assert_eq!(
        look(&gateway, "/internal/security/blocks").await["count"],
        1,
        "blocked"
    );
    order(&gateway, "/internal/security/reset-config", &json!({})).await;
    gateway
        .send(&large())
        .await
        .assert_fine("the new policy, without a measure");
}

#[tokio::test]
async fn the_view_shows_no_secret() {
    let gateway = Gateway::builder()
        .provider("mock", "openai", "http://127.0.0.1:9")
        .start()
        .await;
    let shown = look(&gateway, "/internal/config").await;
    assert_eq!(shown["config"]["providers"][0]["api_key"], "***", "{shown}");
    let text = shown.to_string();
    for secret in [crate::harness::gateway::PROVIDER_KEY, STANDARD_KEY] {
        assert!(!text.contains(secret), "{secret} is shown");
    }
}

/// What a client that believes `ca` alone gets at `address`.
async fn curl(tool: &Path, ca: &str, port: u16) -> bool {
    let mut command = Command::new(tool);
    command.args(["-sS", "--cacert", ca, "-o", "/dev/null"]);
    command.arg(format!("https://localhost:{port}/health"));
    let output = within("curl", command.output()).await.expect("curl starts");
    output.status.success()
}

#[tokio::test]
async fn a_renewed_certificate_is_shown_to_the_next_client() {
    let Some(tool) = crate::load_tools::tool("curl") else {
        return skipped("renewed certificates", "curl");
    };
    let (used, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (certificate, key) = crate::tls::wire::certificate(used.path());
    let old = used.path().join("old.pem");
    std::fs::copy(&certificate, &old).expect("a copy");
    let address = free_address();
    let gateway = Gateway::builder()
        .echo("local")
        .listener(&format!(
            "{{address: \"{address}\", tls: {{certificate: {certificate}, private_key: {key}}}}}"
        ))
        .start()
        .await;
    let old = old.display().to_string();
    assert!(curl(&tool, &old, address.port()).await, "the old one");
    let (renewed, renewed_key) = crate::tls::wire::certificate(other.path());
    std::fs::copy(&renewed, &certificate).expect("a copy");
    let reply = reload(&gateway).await;
    assert_eq!(
        reply.status,
        422,
        "the key is not its own: {}",
        reply.text()
    );
    assert!(curl(&tool, &old, address.port()).await, "the old one stays");
    std::fs::copy(&renewed_key, &key).expect("a copy");
    let reply = reload(&gateway).await;
    reply.assert_fine("the reload");
    assert!(curl(&tool, &renewed, address.port()).await, "the new one");
    assert!(!curl(&tool, &old, address.port()).await, "not the old one");
}

#[tokio::test]
async fn security_events_have_a_file_of_their_own_that_nobody_else_may_read() {
    use std::os::unix::fs::PermissionsExt as _;
    let gateway = Gateway::builder()
        .echo("local")
        .yaml("{logging: {security_file: security.log}}")
        .start()
        .await;
    gateway
        .send(&chat("any").key("sk-wrong-0123456789abcdef"))
        .await;
    let file = gateway.folder().join("security.log");
    let line = |file: &Path| {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        let first = text.lines().next()?;
        serde_json::from_str::<Value>(first).ok()
    };
    let first = until("the event", || line(&file)).await;
    assert_eq!(first["operation"], "authentication", "{first}");
    let mode = std::fs::metadata(&file)
        .expect("a file")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600, "its owner alone");
    assert!(
        !gateway.log_text().contains("portcullis.security"),
        "not in both"
    );
    std::fs::rename(&file, gateway.folder().join("rotated.log")).expect("moved away");
    gateway.signal("HUP").await;
    until("the new file", || file.exists().then_some(())).await;
    gateway
        .send(&chat("any").key("sk-wrong-0123456789abcdef"))
        .await;
    until("an event in the new file", || line(&file)).await;
}
