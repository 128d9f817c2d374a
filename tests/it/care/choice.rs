//! Which of a provider's endpoints is called.

use super::{calls, endpoints};
use crate::harness::gateway::Key;
use crate::harness::{Gateway, STANDARD_KEY, Script, Upstream, chat};

async fn balanced(all: &[(&Upstream, u16)], balance: &str, keys: &[Key]) -> Gateway {
    let builder = Gateway::builder()
        .provider_with("mock", "openai", &all[0].0.url(), &endpoints(all, ""))
        .route(&format!(
            "{{models: [\"*\"], providers: [mock], balance: {balance}}}"
        ));
    let with = |builder: crate::harness::gateway::Builder, key: &Key| builder.key(key.clone());
    keys.iter().fold(builder, with).start().await
}

#[tokio::test]
async fn weights_are_kept_to_the_call() {
    let (left, right) = (Upstream::start().await, Upstream::start().await);
    let gateway = balanced(&[(&left, 3), (&right, 1)], "round_robin", &[]).await;
    calls(&gateway, 40).await;
    let got = (left.requests().len(), right.requests().len());
    assert_eq!(got, (30, 10), "three to one");
}

#[tokio::test]
async fn the_endpoint_with_fewer_calls_in_flight_is_called() {
    let (left, right) = (Upstream::start().await, Upstream::start().await);
    let gateway = balanced(&[(&left, 1), (&right, 1)], "least_in_flight", &[]).await;
    left.answer(Script::stall());
    right.answer(Script::stall());
    let mut held = gateway.connect().await;
    held.send(&chat("gpt-4o").key(STANDARD_KEY)).await;
    let one = async { left.wait_requests(1).await };
    let other = async { right.wait_requests(1).await };
    let (busy, free) = tokio::select! {
        _ = one => (&left, &right),
        _ = other => (&right, &left),
    };
    // Its own script is for a call that must not hang.
    let mut probe = gateway.connect().await;
    probe.send(&chat("gpt-4o").key(STANDARD_KEY)).await;
    free.wait_requests(1).await;
    probe.reset();
    free.wait("it is given up", |all| all[0].abandoned).await;
    for _ in 0..5 {
        // A call has its place until its record is closed, which its client does not wait for.
        let active = "proxy_api_active_requests";
        gateway.metric_becomes(active, 2.0).await;
        calls(&gateway, 1).await;
    }
    let got = (busy.requests().len(), free.requests().len());
    assert_eq!(got, (1, 6), "the busy one is spared");
}

#[tokio::test]
async fn a_caller_stays_with_its_endpoint() {
    const NAMES: [(&str, &str); 8] = [
        ("a", "sk-caller-a-0123456789"),
        ("b", "sk-caller-b-0123456789"),
        ("c", "sk-caller-c-0123456789"),
        ("d", "sk-caller-d-0123456789"),
        ("e", "sk-caller-e-0123456789"),
        ("f", "sk-caller-f-0123456789"),
        ("g", "sk-caller-g-0123456789"),
        ("h", "sk-caller-h-0123456789"),
    ];
    let keys = NAMES.map(|(id, secret)| Key {
        id,
        secret,
        role: "standard",
        limits: "{}",
    });
    let (stable, canary) = (Upstream::start().await, Upstream::start().await);
    let all = [(&stable, 3), (&canary, 1)];
    let gateway = balanced(&all, "hash_key", &keys).await;
    let mut with_canary = 0;
    for (_, secret) in NAMES {
        let before = canary.requests().len();
        for _ in 0..3 {
            let reply = gateway.send(&chat("gpt-4o").key(secret)).await;
            reply.assert_fine("a call");
        }
        let got = canary.requests().len() - before;
        assert!(got == 0 || got == 3, "always the same one: {got} of 3");
        with_canary += got / 3;
    }
    assert!(with_canary < 8, "most callers stay with the stable one");
}
