//! What each role and each key may do.

use crate::harness::gateway::Key;
use crate::harness::{ADMIN_KEY, Gateway, Request, STANDARD_KEY, Upstream, chat};

const READER: Key = Key {
    id: "reader",
    secret: "sk-test-reader-0123456789abcdef",
    role: "read_only",
    limits: "{}",
};

const ALICE: Key = Key {
    id: "alice",
    secret: "sk-test-alice-0123456789abcdef",
    role: "standard",
    limits: "{models: [\"gpt-*\"]}",
};

const MACHINE: Key = Key {
    id: "machine",
    secret: "sk-test-machine-0123456789abcdef",
    role: "system",
    limits: "{}",
};

async fn with_keys(upstream: &Upstream) -> Gateway {
    let builder = Gateway::builder().provider("mock", "openai", &upstream.url());
    builder.key(READER).key(ALICE).key(MACHINE).start().await
}

#[tokio::test]
async fn each_role_may_do_what_the_contract_says_and_no_more() {
    let upstream = Upstream::start().await;
    let gateway = with_keys(&upstream).await;
    let keys = [
        ("read_only", READER.secret),
        ("standard", STANDARD_KEY),
        ("admin", ADMIN_KEY),
        ("system", MACHINE.secret),
    ];
    let rows: [(Request, [u16; 4]); 4] = [
        (chat("gpt-4o"), [403, 200, 200, 403]),
        (Request::get("/v1/models"), [200, 200, 200, 200]),
        (Request::get("/v1/health"), [200, 200, 200, 200]),
        (Request::get("/metrics"), [200, 403, 200, 200]),
    ];
    for (request, expected) in rows {
        for ((role, key), status) in keys.into_iter().zip(expected) {
            let reply = gateway.send(&request.clone().key(key)).await;
            assert_eq!(
                reply.status,
                status,
                "{role} at {}: {}",
                reply.path,
                reply.text()
            );
            if status == 403 {
                reply.assert_refused(403, "permission_denied", role);
            }
        }
    }
    assert_eq!(
        upstream.requests().len(),
        2,
        "only what was allowed reached the provider"
    );
}

#[tokio::test]
async fn a_key_is_good_for_its_own_models_only() {
    let upstream = Upstream::start().await;
    let gateway = with_keys(&upstream).await;
    gateway
        .send(&chat("gpt-4o").key(ALICE.secret))
        .await
        .assert_fine("gpt-* covers gpt-4o");
    for model in ["claude-sonnet", "xgpt-4o", "GPT-4o", "o1"] {
        let reply = gateway.send(&chat(model).key(ALICE.secret)).await;
        reply.assert_refused(403, "model_not_allowed", model);
        assert_eq!(
            reply.json()["error"]["param"],
            "model",
            "the field at fault is named"
        );
    }
    assert_eq!(
        upstream.requests().len(),
        1,
        "no refused model reached the provider"
    );
}
