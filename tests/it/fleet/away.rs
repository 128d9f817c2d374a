//! A store that dies, comes back, is slow, talks rubbish or was never there: no request waits for
//! it, no gate opens, and the host joins by itself when it can.

use serde_json::Value;

use super::redis::{Habit, misbehaving};
use super::{Redis, call, fleet, member, passing, store, store_becomes};
use crate::harness::gateway::free_address;
use crate::harness::{Gateway, within};

const LIMITS: &str = "{per_key: {rate: 1/hour, burst: 12}}";

fn is_away(store: &Value) -> bool {
    store["connected"] == false && store["limits"] == "local"
}

#[tokio::test]
async fn when_the_store_dies_each_host_has_its_share_and_when_it_is_back_they_share_again() {
    let Some(mut redis) = Redis::start("the store's death").await else {
        return;
    };
    let gateways = fleet(3, &redis.url(), LIMITS).await;
    assert!(call(&gateways[0]).await.status == 200, "one of twelve");
    redis.kill().await;
    let mut passed = 1;
    for gateway in &gateways {
        store_becomes(gateway, "it is away", is_away).await;
        passed += passing(gateway, 12).await;
    }
    // Cut off from the start, all hosts together pass the burst; what was leased before is paid.
    assert!((10..=14).contains(&passed), "a third each: {passed}");
    gateways[0]
        .wait_for_line("the log says so", |line| {
            line["level"] == "ERROR"
                && line["message"].as_str().is_some_and(|text| {
                    text.contains("store redis://") && text.contains("one in 3")
                })
        })
        .await;
    gateways[0]
        .metric_becomes("proxy_api_store_connected", 0.0)
        .await;
    redis.again().await;
    for gateway in &gateways {
        let joined = |store: &Value| store["connected"] == true && store["hosts"] == 3;
        store_becomes(gateway, "it has joined again", joined).await;
    }
    gateways[0]
        .metric_becomes("proxy_api_store_connected", 1.0)
        .await;
    let mut more = 0;
    for gateway in &gateways {
        more += passing(gateway, 12).await;
    }
    assert!(
        more <= 12,
        "what was spent while it was away is told to it, as far as it still counts: {more}"
    );
}

#[tokio::test]
async fn during_a_partition_no_more_passes_than_the_bound() {
    let Some(redis) = Redis::start("a partition").await else {
        return;
    };
    let limits = "{per_key: {rate: 1/hour, burst: 12}}";
    let wire = Wire::to(redis.address()).await;
    let mut gateways = fleet(2, &redis.url(), limits).await;
    gateways.push(member(&wire.url(), limits).await);
    for gateway in &gateways {
        store_becomes(gateway, "all three", |store| store["hosts"] == 3).await;
    }
    wire.cut();
    store_becomes(&gateways[2], "it is cut off", is_away).await;
    let mut passed = 0;
    for _ in 0..20 {
        for gateway in &gateways {
            passed += usize::from(call(gateway).await.status == 200);
        }
    }
    // The limit, and a third of it for the host that is cut off.
    assert!((12..=16).contains(&passed), "{passed} passed");
}

#[tokio::test]
async fn a_store_that_is_not_there_at_the_start_holds_nothing_up() {
    let nowhere = free_address();
    let gateway = member(&format!("redis://{nowhere}/0"), LIMITS).await;
    assert!(is_away(&store(&gateway).await), "it says so");
    assert_eq!(passing(&gateway, 20).await, 12, "the limit is local");
    gateway
        .metric_reaches("proxy_api_store_failures_total", 2.0)
        .await;
}

#[tokio::test]
async fn a_store_that_misbehaves_slows_nobody_and_opens_no_gate() {
    for habit in [Habit::Silent, Habit::Rubbish, Habit::Seven, Habit::HangsUp] {
        let gateway = member(&misbehaving(habit).await, LIMITS).await;
        let passed = passing(&gateway, 20).await;
        assert_eq!(passed, 12, "{habit:?}: the limit is local");
        gateway
            .metric_reaches("proxy_api_store_failures_total", 2.0)
            .await;
        assert!(is_away(&store(&gateway).await), "{habit:?}");
        let lines = gateway.log_lines();
        let told = lines.iter().filter(|line| {
            let message = line["message"].as_str().unwrap_or_default();
            message.contains("store redis://")
        });
        assert_eq!(told.count(), 1, "{habit:?}: told once, not at every try");
    }
}

#[tokio::test]
async fn a_password_opens_the_store_and_is_nowhere_to_be_seen() {
    const PASSWORD: &str = "open-sesame-0123456789";
    let options = ["--requirepass", PASSWORD];
    let Some(redis) = Redis::with("the password", &options).await else {
        return;
    };
    let start = |password: &str| {
        let url = format!("redis://:${{STORE_PASSWORD}}@{}/0", redis.address());
        Gateway::builder()
            .echo("local")
            .env("STORE_PASSWORD", password)
            .yaml(&format!("rate_limits: {{store: \"{url}\"}}"))
            .start()
    };
    let gateway = start(PASSWORD).await;
    store_becomes(&gateway, "joined", |store| store["connected"] == true).await;
    let said = store(&gateway).await;
    assert_eq!(said["address"], redis.url(), "without the password");
    let shown = crate::control::look(&gateway, "/internal/config").await;
    let wrong = start("some-other-0123456789").await;
    wrong
        .wait_for_line("it is refused", |line| {
            let message = line["message"].as_str().unwrap_or_default();
            message.contains("refuses the user or the password")
        })
        .await;
    for text in [
        shown.to_string(),
        gateway.log_text(),
        gateway.stderr(),
        wrong.log_text(),
    ] {
        assert!(!text.contains("0123456789"), "{text}");
    }
}

/// A wire to the store that can be cut.
struct Wire {
    address: std::net::SocketAddr,
    cut: tokio::sync::watch::Sender<bool>,
}

impl Wire {
    async fn to(store: std::net::SocketAddr) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (cut, is_cut) = tokio::sync::watch::channel(false);
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let mut is_cut = is_cut.clone();
                tokio::spawn(async move {
                    let Ok(mut far) = tokio::net::TcpStream::connect(store).await else {
                        return;
                    };
                    tokio::select! {
                        _cut = is_cut.wait_for(|cut| *cut) => {}
                        _ended = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
                    }
                });
            }
        });
        Self { address, cut }
    }

    fn url(&self) -> String {
        format!("redis://{}/0", self.address)
    }

    fn cut(&self) {
        self.cut.send_replace(true);
    }
}

#[tokio::test]
async fn a_host_that_leaves_is_no_longer_counted() {
    let Some(redis) = Redis::start("leaving").await else {
        return;
    };
    let mut gateways = fleet(2, &redis.url(), LIMITS).await;
    let mut leaving = gateways.pop().expect("the second");
    call(&leaving).await.assert_fine("it has leased a slice");
    leaving.signal("TERM").await;
    within("it ends", leaving.ended()).await;
    store_becomes(&gateways[0], "one host", |store| store["hosts"] == 1).await;
    let passed = passing(&gateways[0], 20).await;
    assert!(
        (11..=12).contains(&passed),
        "all but the one that the other spent, which the store may not have told yet: {passed}"
    );
}
