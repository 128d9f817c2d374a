//! How providers are treated: which endpoint is called, when it is left alone, how often and in
//! whose name, over which connection, and how long it may take.

mod breaker;
mod choice;
mod deadlines;
mod health;
mod keys;
mod limits;
mod tls;
mod tokens;
mod usage;

use serde_json::Value;

use crate::harness::client::Connection;
use crate::harness::{ADMIN_KEY, Gateway, Request, STANDARD_KEY, Upstream, chat, until};

/// Endpoints with these weights, as a provider's further settings; `more` follows them.
fn endpoints(all: &[(&Upstream, u16)], more: &str) -> String {
    let one = |(upstream, weight): &(&Upstream, u16)| {
        format!("{{url: \"{}\", weight: {weight}}}", upstream.url())
    };
    let all: Vec<String> = all.iter().map(one).collect();
    format!("{{endpoints: [{}]{more}}}", all.join(", "))
}

/// A limited provider and a spare one, on one route.
async fn limited(mock: &Upstream, spare: &Upstream, limit: &str) -> Gateway {
    Gateway::builder()
        .provider_with("mock", "openai", &mock.url(), limit)
        .provider("spare", "openai", &spare.url())
        .route("{models: [\"*\"], providers: [mock, spare]}")
        .start()
        .await
}

/// A connection on which this was sent.
async fn sent(gateway: &Gateway, request: &Request) -> Connection {
    let mut connection = gateway.connect().await;
    connection.send(request).await;
    connection
}

/// So many calls, every one of which is answered.
async fn calls(gateway: &Gateway, count: usize) {
    for _ in 0..count {
        let reply = gateway.send(&chat("gpt-4o").key(STANDARD_KEY)).await;
        reply.assert_fine("a call");
    }
}

/// What monitoring says of the first provider.
async fn shown(gateway: &Gateway) -> Value {
    let path = "/internal/monitoring/providers";
    let reply = gateway.send(&Request::get(path).key(ADMIN_KEY)).await;
    reply.assert_fine(path);
    reply.json()["providers"][0].clone()
}

/// Waits until so many calls wait for the first provider.
async fn waiting(gateway: &Gateway, count: u64) {
    let look = async {
        while shown(gateway).await["waiting"] != count {
            tokio::task::yield_now().await;
        }
    };
    crate::harness::within(&format!("{count} calls wait"), look).await;
}

/// Waits until the log says so, so many times.
async fn says(gateway: &Gateway, words: &str, times: usize) {
    let there = || (gateway.log_text().matches(words).count() >= times).then_some(());
    until(words, there).await;
}
