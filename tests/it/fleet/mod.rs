//! Several gateways with one store: limits, blocks and measures are shared, and when the store is
//! away, slow or talks rubbish each goes on by itself.

mod away;
mod limits;
mod news;
mod redis;
mod tls;
mod tokens;
mod upgrade;

use std::time::Duration;

use serde_json::Value;

use crate::harness::{ADMIN_KEY, Gateway, Reply, Request, STANDARD_KEY, chat, looks, within};
pub(crate) use redis::Redis;

/// How often something is looked at.
const POLL: Duration = Duration::from_millis(20);

/// What a gateway says of its store.
pub(crate) async fn store(gateway: &Gateway) -> Value {
    let request = Request::get("/internal/monitoring/rate-limiting").key(ADMIN_KEY);
    let reply = gateway.send(&request).await;
    reply.assert_fine("rate-limiting");
    reply.json()["store"].clone()
}

/// Waits until what a gateway says of its store is as wanted.
pub(crate) async fn store_becomes(gateway: &Gateway, what: &str, wanted: impl Fn(&Value) -> bool) {
    let looking = async {
        let mut ticks = looks(POLL);
        while !wanted(&store(gateway).await) {
            ticks.tick().await;
        }
    };
    within(what, looking).await;
}

/// A gateway with this store and these limits, which keeps an audit log.
pub(crate) async fn member(store: &str, limits: &str) -> Gateway {
    let limits = format!("{{server: {{trusted_proxies: [127.0.0.0/8]}}, rate_limits: {limits}}}");
    Gateway::builder()
        .echo("local")
        .yaml(&format!("rate_limits: {{store: \"{store}\"}}"))
        .yaml("logging: {audit_file: audit.jsonl}")
        .yaml(&limits)
        .start()
        .await
}

/// So many gateways with one store, each of which knows of all others.
pub(crate) async fn fleet(hosts: usize, store: &str, limits: &str) -> Vec<Gateway> {
    let mut gateways = Vec::new();
    for _ in 0..hosts {
        gateways.push(member(store, limits).await);
    }
    for gateway in &gateways {
        let all = |store: &Value| store["connected"] == true && store["hosts"] == hosts;
        store_becomes(gateway, "all hosts are there", all).await;
    }
    gateways
}

pub(crate) async fn call(gateway: &Gateway) -> Reply {
    gateway.send(&chat("any").key(STANDARD_KEY)).await
}

/// How many of so many calls pass.
pub(crate) async fn passing(gateway: &Gateway, calls: usize) -> usize {
    let mut connection = gateway.connect().await;
    let mut passed = 0;
    for _ in 0..calls {
        connection.send(&chat("any").key(STANDARD_KEY)).await;
        let reply = connection.raw_reply().await.expect("an answer");
        passed += usize::from(reply.status == 200);
    }
    passed
}

/// Waits until something holds of every gateway.
pub(crate) async fn each_becomes<'g, F>(gateways: &'g [Gateway], what: &str, holds: F)
where
    F: AsyncFn(&'g Gateway) -> bool,
{
    for gateway in gateways {
        let looking = async {
            let mut ticks = looks(POLL);
            while !holds(gateway).await {
                ticks.tick().await;
            }
        };
        within(what, looking).await;
    }
}
