//! One limit for a fleet: how much passes, at ten times the load, at one host, and by which key.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use super::{Redis, call, fleet, member, passing, store_becomes};
use crate::harness::{ADMIN_KEY, STANDARD_KEY, chat, within};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_hosts_at_ten_times_the_load_admit_what_one_would_within_five_in_a_hundred() {
    const RATE: u64 = 20;
    const BURST: u64 = 20;
    let Some(redis) = Redis::start("the shared limit").await else {
        return;
    };
    let limits = format!("{{per_key: {{rate: {RATE}/second, burst: {BURST}}}}}");
    let gateways = fleet(3, &redis.url(), &limits).await;
    let (passed, asked) = (AtomicU64::new(0), AtomicU64::new(0));
    let began = Instant::now();
    let lasts = Duration::from_secs(5);
    let mut callers = Vec::new();
    for place in 0..6 {
        let (gateway, passed, asked) = (&gateways[place % 3], &passed, &asked);
        callers.push(async move {
            let mut connection = gateway.connect().await;
            let mut ticks = tokio::time::interval(Duration::from_millis(30));
            while began.elapsed() < lasts {
                ticks.tick().await;
                connection.send(&chat("any").key(STANDARD_KEY)).await;
                let reply = connection.raw_reply().await.expect("an answer");
                asked.fetch_add(1, Ordering::Relaxed);
                passed.fetch_add(u64::from(reply.status == 200), Ordering::Relaxed);
            }
        });
    }
    let mut callers = callers.into_iter();
    let mut next = || callers.next().expect("six callers");
    let load = async { tokio::join!(next(), next(), next(), next(), next(), next()) };
    within("the load", Box::pin(load)).await;
    let millis = u64::try_from(began.elapsed().as_millis()).expect("a few seconds");
    let formula = BURST * 1_000 + RATE * millis;
    let (passed, asked) = (
        passed.load(Ordering::Relaxed),
        asked.load(Ordering::Relaxed),
    );
    assert!(
        passed * 1_000 * 100 >= formula * 95 && passed * 1_000 * 100 <= formula * 105,
        "{passed} of {asked} passed; the formula says {}",
        formula / 1_000
    );
}

#[tokio::test]
async fn a_burst_is_one_for_all_hosts_and_a_key_has_its_own() {
    let Some(redis) = Redis::start("one burst").await else {
        return;
    };
    let gateways = fleet(3, &redis.url(), "{per_key: {rate: 1/hour, burst: 9}}").await;
    let mut passed = 0;
    for _ in 0..12 {
        for gateway in &gateways {
            passed += u64::from(call(gateway).await.status == 200);
        }
    }
    // What a host pays of its own share before the store knows of it may come on top.
    assert!(
        (9..=12).contains(&passed),
        "of all hosts together: {passed}"
    );
    let refused = call(&gateways[0]).await;
    refused.assert_refused(429, "rate_limit_exceeded", "all is used");
    let wait: u64 = refused
        .headers
        .one("retry-after")
        .and_then(|text| text.parse().ok())
        .expect("a number");
    // An hour, and one more for each that came on top.
    let hours = 1 + passed.saturating_sub(9);
    let about = (3_600 * hours - 100)..=(3_600 * hours + 100);
    assert!(about.contains(&wait), "{hours} hours: {wait}");
    let other = gateways[1].send(&chat("any").key(ADMIN_KEY)).await;
    other.assert_fine("another key");
}

#[tokio::test]
async fn a_fleet_of_one_has_all_of_the_limit_and_a_host_that_joins_finds_it_used() {
    let Some(redis) = Redis::start("a joining host").await else {
        return;
    };
    let limits = "{per_key: {rate: 1/hour, burst: 6}}";
    let first = fleet(1, &redis.url(), limits).await;
    assert_eq!(passing(&first[0], 10).await, 6, "all of it");
    let second = member(&redis.url(), limits).await;
    store_becomes(&second, "it has joined", |store| store["hosts"] == 2).await;
    let passed = passing(&second, 10).await;
    assert!(passed <= 3, "its own share at the most, once: {passed}");
    assert_eq!(passing(&second, 10).await, 0, "and then nothing");
}

#[tokio::test]
async fn whoever_waits_as_told_gets_in() {
    let Some(redis) = Redis::start("the wait").await else {
        return;
    };
    let gateways = fleet(2, &redis.url(), "{per_key: {rate: 1/second, burst: 2}}").await;
    let mut refused = None;
    for turn in 0..20 {
        let reply = call(&gateways[turn % 2]).await;
        if reply.status == 429 {
            refused = Some(reply);
        }
    }
    let mut refused = refused.expect("one of twenty is refused");
    // A store that is late by more than the wait allows for says another wait, which holds too.
    for _told_again in 0..5 {
        let wait = refused.headers.one("retry-after").expect("it says so");
        let wait = Duration::from_secs(wait.parse().expect("seconds"));
        tokio::time::sleep(wait).await;
        refused = call(&gateways[1]).await;
        if refused.status == 200 {
            return;
        }
    }
    refused.assert_fine("as told, five times");
}
