//! A configuration that proves itself first: some callers try it, the rest do not.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{look, order};
use crate::harness::{ADMIN_KEY, Gateway, Reply, Request, chat, within};

const RELOAD: &str = "/internal/config/reload";
const CANARY: &str = "/internal/config/canary";
const CALLERS: usize = 24;
/// What a caller sees of the new policy: the burst of its limit. The old one has none.
const NEW: &str = "77777";
const LIMITS: &str = "{rate_limits: {per_key: {rate: 100000/second, burst: 77777}}}";

fn caller(number: usize) -> String {
    format!("sk-test-caller-{number:04}-0123456789")
}

async fn gateway() -> Gateway {
    let keys: Vec<String> = (0..CALLERS).map(caller).collect();
    let builder = Gateway::bare().env("API_KEY", ADMIN_KEY);
    let builder = builder.env("ADDITIONAL_API_KEYS", &keys.join(","));
    builder.echo("local").start().await
}

fn canary(length: &str, budgets: &Value) -> Value {
    json!({"canary": {"share": "50%", "for": length, "budgets": budgets}})
}

/// Budgets that only verdicts can break.
fn patient() -> Value {
    json!({"requests": 5, "latency": "9999%", "errors": "50%"})
}

async fn call(gateway: &Gateway, number: usize) -> Reply {
    gateway.send(&chat("any").key(&caller(number))).await
}

/// What each caller is told by its policy.
async fn policies(gateway: &Gateway) -> Vec<String> {
    let mut all = Vec::new();
    for number in 0..CALLERS {
        let reply = call(gateway, number).await;
        reply.assert_fine("a call");
        let told = reply.headers.one("x-ratelimit-limit-requests");
        all.push(told.unwrap_or_default().to_owned());
    }
    all
}

fn distinct(policies: &[String]) -> BTreeSet<&str> {
    policies.iter().map(String::as_str).collect()
}

async fn state(gateway: &Gateway) -> Value {
    look(gateway, CANARY).await["canary"].clone()
}

/// Calls until the trial is over; answers how it ended.
async fn over(gateway: &Gateway, request: impl Fn(usize) -> Request) -> Value {
    let ended = async {
        loop {
            for number in 0..CALLERS {
                gateway.send(&request(number)).await;
            }
            let state = state(gateway).await;
            if state["state"] != "running" {
                return state;
            }
        }
    };
    within("the trial ends", ended).await
}

#[tokio::test]
async fn a_caller_sees_one_policy_and_a_good_one_is_promoted() {
    let gateway = gateway().await;
    gateway.reconfigure(LIMITS);
    let reply = order(&gateway, RELOAD, &canary("6s", &patient())).await;
    reply.assert_fine("a trial");
    assert_eq!(reply.json()["status"], "canary", "{}", reply.text());
    let seen = policies(&gateway).await;
    assert_eq!(distinct(&seen).len(), 2, "some try it and some do not");
    assert_eq!(
        policies(&gateway).await,
        seen,
        "each caller sees one policy"
    );
    let reply = gateway
        .send(&Request::get("/internal/config").key(ADMIN_KEY))
        .await;
    assert_eq!(
        reply.json()["canary"]["state"],
        "running",
        "{}",
        reply.text()
    );

    let path = "/internal/middleware/request-size/emergency-limits";
    let sizes = json!({"max_request_size": 100, "max_json_size": 100});
    order(&gateway, path, &sizes).await.assert_fine("a measure");
    let long = chat("a-name-that-makes-the-body-longer-than-a-hundred-bytes-in-all-of-its-parts");
    for number in 0..CALLERS {
        let held = gateway.send(&long.clone().key(&caller(number))).await;
        held.assert_refused(413, "request_too_large", "a measure holds for both");
    }
    let reset = order(&gateway, "/internal/security/reset-config", &json!({})).await;
    reset.assert_fine("a reset");
    assert_eq!(
        policies(&gateway).await,
        seen,
        "a reset leaves the trial alone"
    );

    let ended = over(&gateway, |number| chat("any").key(&caller(number))).await;
    assert_eq!(ended["state"], "promoted", "{ended}");
    let all = policies(&gateway).await;
    assert!(
        all.iter().all(|policy| policy == NEW),
        "for everybody: {all:?}"
    );
}

#[tokio::test]
async fn a_policy_that_refuses_too_much_is_rolled_back_at_once_and_says_why() {
    let gateway = gateway().await;
    gateway.reconfigure("{size_limits: {json: 1KiB}}");
    let reply = order(&gateway, RELOAD, &canary("1h", &patient())).await;
    reply.assert_fine("a trial");
    let text = "word ".repeat(1_000);
    let body = json!({"model": "any", "messages": [{"role": "user", "content": text}]});
    let large = Request::post("/v1/chat/completions", &body);
    let ended = over(&gateway, |number| large.clone().key(&caller(number))).await;
    assert_eq!(ended["state"], "rolled_back", "{ended}");
    let reason = ended["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("refused"), "{ended}");
    for number in 0..CALLERS {
        let reply = gateway.send(&large.clone().key(&caller(number))).await;
        reply.assert_fine("under the old policy");
    }
}

#[tokio::test]
async fn an_operator_or_another_reload_ends_a_trial() {
    let gateway = gateway().await;
    gateway.reconfigure(LIMITS);
    let plan = canary("1h", &patient());
    order(&gateway, RELOAD, &plan).await.assert_fine("a trial");
    let stop = gateway
        .send(&Request::new("DELETE", CANARY).key(ADMIN_KEY))
        .await;
    stop.assert_fine("a stop");
    let old = policies(&gateway).await;
    assert!(
        old.iter().all(|policy| policy != NEW),
        "for nobody: {old:?}"
    );
    order(&gateway, RELOAD, &plan)
        .await
        .assert_fine("another trial");
    order(&gateway, RELOAD, &json!({}))
        .await
        .assert_fine("a reload");
    let new = policies(&gateway).await;
    assert!(
        new.iter().all(|policy| policy == NEW),
        "for everybody: {new:?}"
    );
    assert_eq!(state(&gateway).await["state"], "superseded");
    order(&gateway, RELOAD, &plan)
        .await
        .assert_fine("a third trial");
    let path = "/internal/config/canary/promote";
    order(&gateway, path, &json!({}))
        .await
        .assert_fine("promoted by hand");
    assert_eq!(state(&gateway).await["state"], "promoted");
    let none = order(&gateway, path, &json!({})).await;
    none.assert_refused(400, "invalid_request", "nothing is on trial");
    gateway.reconfigure("{size_limits: {json: much}}");
    let faulty = order(&gateway, RELOAD, &plan).await;
    assert_eq!(
        faulty.status,
        422,
        "a faulty file is not tried: {}",
        faulty.text()
    );
    assert_eq!(
        state(&gateway).await["state"],
        "promoted",
        "and nothing has changed"
    );
}
