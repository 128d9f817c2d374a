//! `server.watch`: files that change are loaded anew, whole, and faulty ones are told once.

use std::fs::OpenOptions;
use std::io::Write as _;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{READER, look};
use crate::harness::configuration::{hex, write_private};
use crate::harness::{Gateway, STANDARD_KEY, chat, until};

const LATE_KEY: &str = "sk-test-late-0123456789abcdef";

fn not_reloaded(line: &Value) -> bool {
    let message = line["message"].as_str().unwrap_or_default();
    message.contains("the configuration was not reloaded")
}

async fn reloaded(gateway: &Gateway, result: &str, times: f64) {
    let series = format!("proxy_api_config_reloads_total{{result=\"{result}\"}}");
    gateway.metric_becomes(&series, times).await;
}

async fn size_limit(gateway: &Gateway) -> Value {
    let config = look(gateway, "/internal/config").await;
    config["config"]["size_limits"]["json"].clone()
}

async fn watching() -> Gateway {
    let builder = Gateway::builder().echo("local").key(READER);
    builder.yaml("{server: {watch: true}}").start().await
}

#[tokio::test]
async fn a_changed_file_is_loaded_and_a_faulty_one_is_told_once_and_changes_nothing() {
    let gateway = watching().await;
    gateway.reconfigure("{size_limits: {json: 4KiB}}");
    reloaded(&gateway, "success", 1.0).await;
    assert_eq!(size_limit(&gateway).await, "4KiB", "the new file");
    gateway.reconfigure("{size_limits: {json: much}}");
    reloaded(&gateway, "failure", 1.0).await;
    assert_eq!(size_limit(&gateway).await, "4KiB", "nothing has changed");
    gateway.reconfigure("{size_limits: {json: 8KiB}}");
    reloaded(&gateway, "success", 2.0).await;
    assert_eq!(
        size_limit(&gateway).await,
        "8KiB",
        "the file is right again"
    );
    let told = gateway.log_lines().into_iter().filter(not_reloaded).count();
    assert_eq!(told, 1, "the fault was told once: {}", gateway.log_text());
}

#[tokio::test]
async fn a_keys_file_that_is_half_written_takes_nobodys_key_away() {
    let gateway = watching().await;
    let path = gateway.folder().join("keys.yaml");
    let whole = std::fs::read_to_string(&path).expect("the keys");
    let hash = hex(&Sha256::digest(LATE_KEY.as_bytes()));
    write_private(
        &path,
        &format!("{whole}  - {{\"id\": \"late\", \"hash\": \"sha2"),
    );
    reloaded(&gateway, "failure", 1.0).await;
    let known = gateway.send(&chat("any").key(STANDARD_KEY)).await;
    known.assert_fine("keys are as they were");
    let mut file = OpenOptions::new()
        .append(true)
        .open(&path)
        .expect("the keys");
    writeln!(file, "56:{hash}\", \"role\": \"standard\"}}").expect("the rest");
    drop(file);
    reloaded(&gateway, "success", 1.0).await;
    let late = gateway.send(&chat("any").key(LATE_KEY)).await;
    late.assert_fine("the whole file is in force");
    until("the reload is told", || {
        let text = gateway.log_text();
        text.contains("files of the configuration have changed")
            .then_some(())
    })
    .await;
}
