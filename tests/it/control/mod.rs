//! The control plane: who may ask what, what orders do, and how each is refused.

mod blocks;
mod canary;
mod measures;
mod monitoring;
mod providers;
mod questions;
mod reload;
mod watching;

use serde_json::{Value, json};

use crate::harness::gateway::Key;
use crate::harness::{ADMIN_KEY, Gateway, Reply, Request};

pub(crate) const READER_KEY: &str = "sk-test-reader-0123456789abcdef";
pub(crate) const SYSTEM_KEY: &str = "sk-test-system-0123456789abcdef";

/// Keys of the roles that the environment has none for.
pub(crate) const READER: Key = Key {
    id: "reader",
    secret: READER_KEY,
    role: "read_only",
    limits: "{}",
};
pub(crate) const SYSTEM: Key = Key {
    id: "machine",
    secret: SYSTEM_KEY,
    role: "system",
    limits: "{}",
};

/// A gateway with a key of each role, before the embedded provider.
pub(crate) async fn gateway() -> Gateway {
    Gateway::builder()
        .echo("local")
        .key(READER)
        .key(SYSTEM)
        .start()
        .await
}

/// An order by the administrator.
pub(crate) async fn order(gateway: &Gateway, path: &str, body: &Value) -> Reply {
    gateway
        .send(&Request::post(path, body).key(ADMIN_KEY))
        .await
}

/// What the administrator sees.
pub(crate) async fn look(gateway: &Gateway, path: &str) -> Value {
    let reply = gateway.send(&Request::get(path).key(ADMIN_KEY)).await;
    reply.assert_fine(path);
    reply.json()
}

/// The measures in force, by kind.
pub(crate) async fn measures(gateway: &Gateway) -> Vec<String> {
    let listed = look(gateway, "/internal/security/measures").await;
    let listed = listed["measures"].as_array().cloned().unwrap_or_default();
    let kind = |measure: &Value| measure["kind"].as_str().map(str::to_owned);
    listed.iter().filter_map(kind).collect()
}

/// Waits for the event of an order.
pub(crate) async fn event(gateway: &Gateway, operation: &str) -> Value {
    let is_it = |line: &Value| {
        line["logger"] == "portcullis.security" && line["operation"] == json!(operation)
    };
    gateway.wait_for_line(operation, is_it).await
}
