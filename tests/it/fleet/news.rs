//! What is ordered at one host holds at all: blocks, measures, and their end.

use serde_json::json;

use super::{Redis, each_becomes, fleet, member, store, store_becomes};
use crate::audit;
use crate::control::{look, measures, order};
use crate::harness::{Gateway, Request, STANDARD_KEY, chat};

const BLOCK: &str = "/internal/security/block-ip";
const UNBLOCK: &str = "/internal/security/unblock-ip";
const RATES: &str = "/internal/security/emergency-rate-limit";
const SANITIZATION: &str = "/internal/security/enhance-sanitization";
const RESET: &str = "/internal/security/reset-config";

fn from(address: &str) -> Request {
    chat("any")
        .key(STANDARD_KEY)
        .header("x-forwarded-for", address)
}

async fn is_blocked(gateway: &Gateway, address: &str) -> bool {
    gateway.send(&from(address)).await.status == 403
}

#[tokio::test]
async fn what_is_blocked_and_lifted_at_one_host_is_at_all() {
    let Some(redis) = Redis::start("shared blocks").await else {
        return;
    };
    let gateways = fleet(3, &redis.url(), "{}").await;
    for (place, address, ip) in [
        (0, "203.0.113.9", "203.0.113.9"),
        (1, "2001:db8::7", "2001:db8::/32"),
    ] {
        let body = json!({"ip": ip, "reason": "a flood", "duration": "1h"});
        let ordered = order(&gateways[place], BLOCK, &body).await;
        ordered.assert_fine("the order");
        each_becomes(&gateways, "blocked everywhere", async |gateway| {
            is_blocked(gateway, address).await
        })
        .await;
        let listed = look(&gateways[2], "/internal/security/blocks").await;
        let block = &listed["blocks"][0];
        assert_eq!(block["reason"], "a flood", "{listed}");
        assert_eq!(block["by"], "operator:env:API_KEY", "{listed}");
        let left = block["seconds_left"].as_u64().unwrap_or_default();
        assert!((3_500..=3_600).contains(&left), "{listed}");
        let lifted = order(&gateways[2], UNBLOCK, &json!({"ip": ip})).await;
        assert_eq!(lifted.json()["was_blocked"], true, "{}", lifted.text());
        each_becomes(&gateways, "let in everywhere", async |gateway| {
            !is_blocked(gateway, address).await
        })
        .await;
    }
}

#[tokio::test]
async fn measures_of_one_host_hold_at_all_until_one_resets_them() {
    let Some(redis) = Redis::start("shared measures").await else {
        return;
    };
    let gateways = fleet(3, &redis.url(), "{}").await;
    let body = json!({"requests_per_minute": 1, "burst_size": 1});
    order(&gateways[0], RATES, &body).await.assert_fine("rates");
    let taken = order(&gateways[1], SANITIZATION, &json!({"reason": "odd texts"})).await;
    taken.assert_fine("sanitization");
    each_becomes(&gateways, "both hold everywhere", async |gateway| {
        measures(gateway).await.len() == 2
    })
    .await;
    let mut passed = 0;
    for _ in 0..3 {
        for gateway in &gateways {
            let reply = gateway.send(&from("203.0.113.9")).await;
            passed += usize::from(reply.status == 200);
        }
    }
    assert!(
        passed <= 3,
        "one each at the most before they agree: {passed}"
    );
    let listed = look(&gateways[2], "/internal/security/measures").await;
    let listed = listed["measures"].as_array().cloned().unwrap_or_default();
    let odd = listed
        .iter()
        .find(|one| one["kind"] == "enhanced_sanitization");
    let odd = odd.expect("it is listed");
    assert_eq!(odd["reason"], "odd texts", "{odd}");
    order(&gateways[0], BLOCK, &json!({"ip": "203.0.113.77"})).await;
    each_becomes(&gateways, "blocked everywhere", async |gateway| {
        is_blocked(gateway, "203.0.113.77").await
    })
    .await;
    let reset = order(&gateways[2], RESET, &json!({})).await;
    reset.assert_fine("reset");
    each_becomes(&gateways, "nothing is left of it", async |gateway| {
        measures(gateway).await.is_empty() && !is_blocked(gateway, "203.0.113.77").await
    })
    .await;
}

#[tokio::test]
async fn a_host_that_joins_learns_what_holds_and_a_store_that_forgot_is_told() {
    let Some(mut redis) = Redis::start("a store that forgot").await else {
        return;
    };
    let first = fleet(1, &redis.url(), "{}").await;
    order(&first[0], BLOCK, &json!({"ip": "203.0.113.9"})).await;
    order(&first[0], SANITIZATION, &json!({})).await;
    let second = member(&redis.url(), "{}").await;
    each_becomes(
        std::slice::from_ref(&second),
        "it learns",
        async |gateway| {
            is_blocked(gateway, "203.0.113.9").await && measures(gateway).await.len() == 1
        },
    )
    .await;
    redis.kill().await;
    store_becomes(&second, "it is away", |store| store["connected"] == false).await;
    let lifted = order(&second, UNBLOCK, &json!({"ip": "203.0.113.9"})).await;
    lifted.assert_fine("lifted while nobody hears it");
    order(&second, BLOCK, &json!({"ip": "203.0.113.10"})).await;
    redis.again().await;
    let mut both = first;
    both.push(second);
    each_becomes(
        &both,
        "what was ordered last holds at both",
        async |gateway| {
            !is_blocked(gateway, "203.0.113.9").await
                && is_blocked(gateway, "203.0.113.10").await
                && measures(gateway).await.len() == 1
        },
    )
    .await;
    let third = member(&redis.url(), "{}").await;
    each_becomes(
        std::slice::from_ref(&third),
        "a third learns it",
        async |gateway| {
            !is_blocked(gateway, "203.0.113.9").await
                && is_blocked(gateway, "203.0.113.10").await
                && measures(gateway).await.len() == 1
        },
    )
    .await;
}

#[tokio::test]
async fn what_is_taken_over_is_in_the_audit_log_with_who_where_and_until_when() {
    let Some(redis) = Redis::start("the audit of what is taken over").await else {
        return;
    };
    let gateways = fleet(2, &redis.url(), "{}").await;
    let first = &gateways[0];
    let order_of = async |path, body| order(first, path, &body).await.assert_fine(path);
    order_of(
        BLOCK,
        json!({"ip": "203.0.113.9", "reason": "a flood", "duration": "1h"}),
    )
    .await;
    order_of(RATES, json!({"requests_per_minute": 50, "duration": "2h"})).await;
    each_becomes(&gateways, "both hold", async |gateway| {
        is_blocked(gateway, "203.0.113.9").await && measures(gateway).await.len() == 1
    })
    .await;
    order_of(UNBLOCK, json!({"ip": "203.0.113.9"})).await;
    order_of(RESET, json!({})).await;
    each_becomes(&gateways, "neither does", async |gateway| {
        !is_blocked(gateway, "203.0.113.9").await && measures(gateway).await.is_empty()
    })
    .await;
    let mut gateways = gateways;
    let mut second = gateways.pop().expect("the second");
    let host = store(&gateways[0]).await["host"].clone();
    assert_ne!(host, store(&second).await["host"], "each has its name");
    audit::stop(&mut second).await;
    let lines = audit::export(&[], &[&audit::log(&second)]).await;
    let of = |operation: &str| {
        let mut found = lines
            .iter()
            .filter(|line| line["event"] == "taken_over" && line["operation"] == operation);
        let line = found
            .next()
            .unwrap_or_else(|| panic!("{operation}: {lines:?}"));
        assert_eq!(line["host"], host, "{line}");
        assert_eq!(line["result"], "taken_over", "{line}");
        line
    };
    let block = of("block_ip");
    assert_eq!(block["sealed"]["user_id"], "env:API_KEY", "{block}");
    assert_eq!(
        block["about_sealed"]["network"], "203.0.113.9/32",
        "{block}"
    );
    assert_eq!(block["note"], "a flood", "{block}");
    let measure = of("emergency_measure");
    assert_eq!(measure["sealed"]["user_id"], "env:API_KEY", "{measure}");
    for line in [block, measure] {
        let until = line["until"].as_str().unwrap_or_default();
        assert!(until.starts_with("20"), "until when: {line}");
    }
    of("unblock_ip");
    assert_eq!(of("emergency_undone")["measure"], "emergency_rates");
}
