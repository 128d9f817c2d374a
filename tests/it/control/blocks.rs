//! Addresses that operators send away: for the next request, until they are let back in.

use serde_json::json;

use super::{SYSTEM, event, look, order};
use crate::harness::{ADMIN_KEY, Gateway, Request, STANDARD_KEY, chat, within};

const BLOCK: &str = "/internal/security/block-ip";
const UNBLOCK: &str = "/internal/security/unblock-ip";
const LIST: &str = "/internal/security/blocks";

/// A gateway that believes tests who the client is.
async fn behind_a_proxy() -> Gateway {
    Gateway::builder()
        .echo("local")
        .key(SYSTEM)
        .yaml("{server: {trusted_proxies: [127.0.0.0/8]}}")
        .start()
        .await
}

fn from(address: &str) -> Request {
    chat("any")
        .key(STANDARD_KEY)
        .header("x-forwarded-for", address)
}

#[tokio::test]
async fn a_blocked_address_is_refused_at_once_and_let_back_in_at_once() {
    let gateway = behind_a_proxy().await;
    let client = from("203.0.113.9");
    gateway.send(&client).await.assert_fine("before");
    let body = json!({"ip": "203.0.113.9", "reason": "guessing keys", "duration": "1h"});
    let reply = order(&gateway, BLOCK, &body).await;
    reply.assert_fine("the order");
    assert_eq!(reply.json()["status"], "blocked", "{}", reply.text());
    let refused = gateway.send(&client).await;
    refused.assert_refused(403, "client_blocked", "the very next request");
    gateway
        .send(&from("203.0.113.8"))
        .await
        .assert_fine("its neighbour");
    let line = event(&gateway, "block_ip").await;
    assert_eq!(line["metadata"]["network"], "203.0.113.9/32", "{line}");
    order(&gateway, UNBLOCK, &json!({"ip": "203.0.113.9"}))
        .await
        .assert_fine("unblocked");
    gateway.send(&client).await.assert_fine("after");
}

#[tokio::test]
async fn a_network_is_blocked_whole_and_reset_lets_it_in() {
    let gateway = behind_a_proxy().await;
    let path = "/internal/middleware/rate-limiting/block-ip";
    order(
        &gateway,
        path,
        &json!({"ip": "2001:db8::/32", "duration": 600}),
    )
    .await
    .assert_fine("the order");
    for address in ["2001:db8::1", "2001:db8:ffff::1"] {
        let refused = gateway.send(&from(address)).await;
        refused.assert_refused(403, "client_blocked", address);
    }
    let listed = look(&gateway, LIST).await;
    assert_eq!(listed["count"], 1, "{listed}");
    let block = &listed["blocks"][0];
    assert_eq!(block["network"], "2001:db8::/32", "{listed}");
    assert!(
        block["until"].is_string() && block["by"].is_string(),
        "{listed}"
    );
    let reset = order(&gateway, "/internal/security/reset-config", &json!({})).await;
    assert_eq!(reset.json()["unblocked"], 1, "{}", reset.text());
    gateway
        .send(&from("2001:db8::1"))
        .await
        .assert_fine("let in");
}

#[tokio::test]
async fn a_block_ends_by_itself() {
    let gateway = behind_a_proxy().await;
    let body = json!({"ip": "203.0.113.9", "duration": "300ms"});
    order(&gateway, BLOCK, &body).await.assert_fine("the order");
    let over = async { while gateway.send(&from("203.0.113.9")).await.status != 200 {} };
    within("the block ends", over).await;
}

#[tokio::test]
async fn who_blocks_himself_can_still_lift_the_block() {
    let gateway = behind_a_proxy().await;
    order(&gateway, BLOCK, &json!({"ip": "127.0.0.1"}))
        .await
        .assert_fine("the order");
    let refused = gateway.send(&chat("any").key(STANDARD_KEY)).await;
    refused.assert_refused(403, "client_blocked", "blocked");
    order(&gateway, UNBLOCK, &json!({"ip": "127.0.0.1"}))
        .await
        .assert_fine("lifted");
    gateway
        .send(&chat("any").key(STANDARD_KEY))
        .await
        .assert_fine("let in");
}

#[tokio::test]
async fn what_is_no_address_is_refused_by_name() {
    let gateway = behind_a_proxy().await;
    for body in [
        json!({}),
        json!({"ip": ""}),
        json!({"ip": "localhost"}),
        json!({"ip": "10.0.0.0/33"}),
        json!({"ip": "0.0.0.0/0"}),
        json!({"ip": "::/0"}),
        json!({"ip": 7}),
    ] {
        let reply = gateway
            .send(&Request::post(BLOCK, &body).key(ADMIN_KEY))
            .await;
        reply.assert_refused(400, "invalid_request", "no address");
        assert_eq!(reply.json()["error"]["param"], "ip", "{body}");
    }
    assert_eq!(look(&gateway, LIST).await["count"], 0, "nobody is blocked");
}
