//! Access and erasure: over the control plane and by the command line.

use serde_json::{Value, json};

use super::{WRONG_KEY, audit, audited, entry, export, log, some_trouble, stop, verify};
use crate::control::{READER, READER_KEY, SYSTEM, SYSTEM_KEY};
use crate::harness::{ADMIN_KEY, Gateway, Request, STANDARD_KEY, chat};

async fn told(gateway: &Gateway, id: &str) -> Value {
    let path = format!("/internal/audit/subjects/{id}");
    let reply = gateway.send(&Request::get(&path).key(ADMIN_KEY)).await;
    reply.assert_fine("access");
    reply.json()
}

async fn erase(gateway: &Gateway, id: &str) -> Value {
    let path = format!("/internal/audit/subjects/{id}");
    let request = Request::new("DELETE", &path).key(ADMIN_KEY);
    let reply = gateway.send(&request).await;
    reply.assert_fine("erasure");
    reply.json()
}

#[tokio::test]
async fn a_subject_is_told_what_there_is_and_erased_without_breaking_the_chain() {
    let mut gateway = audited().await;
    some_trouble(&gateway).await;
    let before = told(&gateway, "203.0.113.9").await;
    assert_eq!(before["status"], "known", "{before}");
    assert_eq!(before["count"], 1, "the block: {before}");
    let record = &before["records"][0];
    assert_eq!(
        record["about_sealed"]["network"], "203.0.113.9/32",
        "{record}"
    );
    let caller = told(&gateway, "env:ADDITIONAL_API_KEYS:1").await;
    assert_eq!(caller["records"][0]["event"], "finding", "{caller}");
    assert_eq!(
        told(&gateway, "nobody").await["count"],
        0,
        "of nobody nothing"
    );

    let erased = erase(&gateway, "203.0.113.9").await;
    assert_eq!(erased["erased"], true, "{erased}");
    assert_eq!(erased["pseudonym"], before["pseudonym"], "{erased}");
    let after = told(&gateway, "203.0.113.9").await;
    assert_eq!(after["count"], 0, "nothing is told: {after}");
    assert_eq!(
        erase(&gateway, "203.0.113.9").await["erased"],
        false,
        "once"
    );
    let others = told(&gateway, "env:ADDITIONAL_API_KEYS:1").await;
    assert_eq!(others["status"], "known", "others stay: {others}");
    // What comes later is of a new name.
    some_trouble(&gateway).await;
    let anew = told(&gateway, "203.0.113.9").await;
    assert_ne!(anew["pseudonym"], before["pseudonym"], "{anew}");
    erase(&gateway, "203.0.113.9").await;
    stop(&mut gateway).await;

    let file = log(&gateway);
    verify(&[&file], 0).await;
    let lines = export(&[], &[&file]).await;
    let text = serde_json::to_string(&lines).expect("JSON");
    assert!(!text.contains("203.0.113.9"), "gone from the export");
    let erasures = lines.iter().filter(|line| line["event"] == "erasure");
    let erasures: Vec<_> = erasures.collect();
    assert_eq!(erasures.len(), 2, "both are written down");
    assert_eq!(erasures[0]["pseudonym"], before["pseudonym"], "of whom");
    assert_eq!(erasures[0]["sealed"]["user_id"], "env:API_KEY", "by whom");
}

#[tokio::test]
async fn the_command_line_erases_beside_a_running_gateway() {
    let mut gateway = audited().await;
    some_trouble(&gateway).await;
    entry(&gateway, "order").await;
    let file = log(&gateway);
    let lines = export(&["--subject", "203.0.113.9"], &[&file]).await;
    assert_eq!(lines.len(), 1, "{lines:?}");
    let words = ["erase", "--subject", "203.0.113.9", "--format", "json"];
    let other = file.with_file_name("other.jsonl");
    let output = audit(&words, &[&file, &other]).await;
    assert_eq!(output.status.code(), Some(2), "two logs at once");
    // As the shell names the files of one log, those that were set aside first.
    let aside = file.with_file_name("audit.20261122T042000123Z.jsonl");
    let output = audit(&words, &[&aside, &file]).await;
    assert_eq!(output.status.code(), Some(0), "erased");
    let again = audit(&words, &[&file]).await;
    assert_eq!(again.status.code(), Some(1), "there is nobody left");
    assert_eq!(
        told(&gateway, "203.0.113.9").await["count"],
        0,
        "the gateway knows"
    );
    gateway.send(&chat("gpt-4o").key(WRONG_KEY)).await;
    stop(&mut gateway).await;
    let whole = verify(&[&file], 0).await;
    assert_eq!(whole["state"], "closed", "one chain: {whole}");
    let missing = file.with_file_name("mistyped.jsonl");
    let output = audit(&words, &[&missing]).await;
    assert_eq!(output.status.code(), Some(2), "no such log");
    assert!(!missing.exists(), "and none is made");
}

#[tokio::test]
async fn only_administrators_may_ask_and_only_where_there_is_a_log() {
    let gateway = Gateway::builder()
        .echo("local")
        .key(READER)
        .key(SYSTEM)
        .yaml("logging: {audit_file: audit.jsonl}")
        .start()
        .await;
    for key in [READER_KEY, SYSTEM_KEY, STANDARD_KEY] {
        for method in ["GET", "DELETE"] {
            let request = Request::new(method, "/internal/audit/subjects/reader").key(key);
            let reply = gateway.send(&request).await;
            assert_eq!(reply.status, 403, "{method}: {}", reply.text());
        }
    }
    let post = Request::post("/internal/audit/subjects/reader", &json!({})).key(ADMIN_KEY);
    assert_eq!(gateway.send(&post).await.status, 405, "no other method");
    assert_eq!(
        told(&gateway, "reader").await["status"],
        "known",
        "refusals are kept"
    );
    let without = Gateway::builder().echo("local").start().await;
    for method in ["GET", "DELETE"] {
        let request = Request::new(method, "/internal/audit/subjects/x").key(ADMIN_KEY);
        assert_eq!(
            without.send(&request).await.status,
            404,
            "{method}: no log is kept"
        );
    }
}
