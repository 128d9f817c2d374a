//! One host of a fleet is upgraded while limits, blocks and measures are shared: what was used stays
//! used, and what was ordered holds from the new process's first connection on.

use serde_json::{Value, json};

use super::{POLL, Redis, call, each_becomes, fleet, passing, store_becomes};
use crate::control::{measures, order};
use crate::harness::{Gateway, Reply, STANDARD_KEY, chat, within};
use crate::upgrade::{ready, upgraded};

const BURST: usize = 40;

/// Refusals in a row, so far apart, by which a host has heard from the store.
const REFUSALS: usize = 25;

const BLOCKED: &str = "203.0.113.9";

async fn from_blocked(gateway: &Gateway) -> Reply {
    let request = chat("any").key(STANDARD_KEY);
    gateway
        .send(&request.header("x-forwarded-for", BLOCKED))
        .await
}

/// Calls until nothing more passes; answers how many calls passed.
async fn used_up(gateway: &Gateway) -> usize {
    let (mut passed, mut refused) = (0, 0);
    let calling = async {
        let mut ticks = tokio::time::interval(POLL);
        while refused < REFUSALS {
            if call(gateway).await.status == 200 {
                (passed, refused) = (passed + 1, 0);
            } else {
                refused += 1;
                ticks.tick().await;
            }
        }
    };
    within("all is used", calling).await;
    passed
}

/// Has a host upgraded and waits until the old process has ended.
async fn upgrade(gateway: &mut Gateway) {
    ready(gateway, 1).await;
    let mut old = upgraded(gateway, "portcullis.yaml").await;
    let status = within("the old process ends", old.wait()).await;
    assert_eq!(status.expect("a status").code(), Some(0), "drained");
}

/// Waits until a host reaches the store, in a fleet of so many.
async fn joined(gateway: &Gateway, hosts: usize) {
    let joined = |store: &Value| store["connected"] == true && store["hosts"] == hosts;
    store_becomes(gateway, "the fleet is whole", joined).await;
}

#[tokio::test]
async fn a_limit_of_a_fleet_is_neither_reset_nor_doubled_by_the_upgrade_of_a_host() {
    let Some(redis) = Redis::start("an upgrade within a fleet").await else {
        return;
    };
    let limits = format!("{{per_key: {{rate: 1/hour, burst: {BURST}}}}}");
    let mut gateways = fleet(2, &redis.url(), &limits).await;
    let mut passed = 0;
    for gateway in &gateways {
        passed += used_up(gateway).await;
    }
    assert!(passed >= BURST / 2, "there was a limit to use: {passed}");
    upgrade(&mut gateways[0]).await;
    // Before it has reached the store, and after.
    let mut more = passing(&gateways[0], BURST).await;
    for gateway in &gateways {
        joined(gateway, 2).await;
    }
    for gateway in &gateways {
        more += used_up(gateway).await;
    }
    // What a host held of a slice comes back, and no more; the bound is the burst and what hosts
    // pay of their own shares before the store knows of it, which is never more than a burst.
    let all = passed + more;
    assert!(
        all <= 2 * BURST,
        "{passed} passed before, {more} after: the limit was doubled"
    );
    // A limit that began anew would let the new process alone have its half.
    assert!(
        passed < BURST || more < BURST / 2,
        "{passed} passed before, {more} after: the limit was reset"
    );
}

#[tokio::test]
async fn a_slice_that_the_old_process_held_can_be_used_after_it() {
    let Some(redis) = Redis::start("the slice of an old process").await else {
        return;
    };
    let limits = format!("{{per_key: {{rate: 1/hour, burst: {BURST}}}}}");
    let mut gateways = fleet(2, &redis.url(), &limits).await;
    // It leases more than these few use.
    let mut passed = passing(&gateways[0], 4).await;
    upgrade(&mut gateways[0]).await;
    for gateway in &gateways {
        joined(gateway, 2).await;
    }
    for gateway in &gateways {
        passed += used_up(gateway).await;
    }
    // Slices that a host got while another one asked may be left with it: a quarter of the burst
    // for each at most.
    assert!(
        passed >= BURST / 2,
        "{passed} of {BURST}: what was leased is lost"
    );
    assert!(passed <= 2 * BURST, "the bound: {passed} of {BURST}");
}

#[tokio::test]
async fn blocks_and_measures_of_a_fleet_hold_from_the_first_connection_of_a_new_process() {
    let Some(redis) = Redis::start("orders and an upgrade").await else {
        return;
    };
    let mut gateways = fleet(2, &redis.url(), "{}").await;
    let block = json!({"ip": BLOCKED, "reason": "a flood", "duration": "1h"});
    let path = "/internal/security/block-ip";
    order(&gateways[1], path, &block)
        .await
        .assert_fine("a block");
    let path = "/internal/security/enhance-sanitization";
    let taken = order(&gateways[1], path, &json!({"reason": "odd texts"})).await;
    taken.assert_fine("a measure");
    each_becomes(&gateways, "both hold at both", async |gateway| {
        from_blocked(gateway).await.status == 403 && measures(gateway).await.len() == 1
    })
    .await;
    upgrade(&mut gateways[0]).await;
    let first = from_blocked(&gateways[0]).await;
    first.assert_refused(403, "client_blocked", "ordered at the other host");
    assert_eq!(
        measures(&gateways[0]).await.len(),
        1,
        "and so is the measure"
    );
    joined(&gateways[0], 2).await;
    let (path, body) = ("/internal/security/unblock-ip", json!({"ip": BLOCKED}));
    let lifted = order(&gateways[0], path, &body).await;
    assert_eq!(lifted.json()["was_blocked"], true, "by the new process");
    order(&gateways[0], "/internal/security/reset-config", &json!({}))
        .await
        .assert_fine("reset");
    each_becomes(&gateways, "its orders hold at both", async |gateway| {
        from_blocked(gateway).await.status != 403 && measures(gateway).await.is_empty()
    })
    .await;
}
