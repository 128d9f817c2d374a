//! Clients that try keys.

use super::{key, overlay};
use crate::harness::{Gateway, chat};

const STRICT: &str = "{auth: {brute_force: {failures: 3, within: 5m, block_for: 1h}}, server: {trusted_proxies: \
     [127.0.0.1]}}";

#[tokio::test]
async fn a_client_that_tries_keys_is_blocked_and_nobody_else_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let good = key(folder.path(), "--id a --role admin").await;
    let builder = Gateway::bare().echo("echo").yaml(&overlay(folder.path()));
    let gateway = builder.yaml(STRICT).start().await;
    let from = |key: &str, address: &str| chat("m").key(key).header("x-forwarded-for", address);
    for _ in 0..2 {
        let reply = gateway
            .send(&from("sk-wrong-key-0123456789", "192.0.2.1"))
            .await;
        reply.assert_refused(401, "invalid_api_key", "a wrong key");
    }
    // Typing mistakes, missing keys and good ones count neither for nor against.
    let mut mistyped = good.clone();
    mistyped.replace_range(20..21, if &good[20..21] == "A" { "B" } else { "A" });
    for _ in 0..4 {
        let reply = gateway.send(&from(&mistyped, "192.0.2.1")).await;
        reply.assert_refused(401, "invalid_api_key", "a typing mistake");
        let reply = gateway
            .send(&chat("m").header("x-forwarded-for", "192.0.2.1"))
            .await;
        reply.assert_refused(401, "missing_api_key", "no key");
    }
    gateway
        .send(&from(&good, "192.0.2.1"))
        .await
        .assert_fine("a good key");
    let reply = gateway
        .send(&from("sk-wrong-key-0123456789", "192.0.2.1"))
        .await;
    reply.assert_refused(401, "invalid_api_key", "the third wrong key");
    for text in [good.as_str(), "sk-wrong-key-0123456789"] {
        let reply = gateway.send(&from(text, "192.0.2.1")).await;
        reply.assert_refused(403, "client_blocked", "from then on, whatever the key");
    }
    gateway
        .send(&from(&good, "192.0.2.2"))
        .await
        .assert_fine("another address");
    let line = gateway
        .wait_for_line("the failure", |line| {
            line["operation"] == "authentication" && line["metadata"]["reason"] == "mistyped"
        })
        .await;
    let prefix = line["metadata"]["key_prefix"].as_str().unwrap_or_default();
    assert!(prefix.len() <= 6 && good.starts_with(prefix), "{line}");
    let block = gateway
        .wait_for_line("the block", |line| line["operation"] == "block_client")
        .await;
    assert_eq!(block["level"], "ERROR", "{block}");
    assert_eq!(block["client_ip"], "192.0.2.1", "{block}");
    assert_eq!(block["metadata"]["reason"], "brute_force", "{block}");
    let text = gateway.log_text();
    assert!(
        !text.contains(&good[6..]) && !text.contains("wrong-key-01"),
        "no key is logged"
    );
}

#[tokio::test]
async fn one_subscriber_of_ipv6_is_one_client() {
    let folder = tempfile::tempdir().expect("a folder");
    let good = key(folder.path(), "--id a --role admin").await;
    let builder = Gateway::bare().echo("echo").yaml(&overlay(folder.path()));
    let gateway = builder.yaml(STRICT).start().await;
    let from = |key: &str, address: &str| chat("m").key(key).header("x-forwarded-for", address);
    for host in 1..=3 {
        let address = format!("2001:db8::{host}");
        gateway
            .send(&from("sk-wrong-key-0123456789", &address))
            .await;
    }
    let reply = gateway.send(&from(&good, "2001:db8::4")).await;
    reply.assert_refused(403, "client_blocked", "a fourth address of one /64");
    let reply = gateway.send(&from(&good, "2001:db8:0:1::4")).await;
    reply.assert_fine("another /64");
}
