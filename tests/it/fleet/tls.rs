//! A store over TLS: shared by those who know its authority, and never spoken to without.

use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;

use super::{Redis, call, passing, store_becomes};
use crate::harness::secured::Authority;
use crate::harness::{Gateway, within};

const PASSWORD: &str = "open-sesame-0123456789";

/// A gateway with this store, that believes this authority alone.
async fn believing(store: &str, authority: &str) -> Gateway {
    let limits =
        format!("rate_limits: {{store: \"{store}\", per_key: {{rate: 1/hour, burst: 6}}}}");
    Gateway::builder()
        .echo("local")
        .yaml(&limits)
        .env("SSL_CERT_FILE", authority)
        .start()
        .await
}

#[tokio::test]
async fn hosts_that_know_the_stores_authority_share_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let authority = Authority::new();
    let (certificate, key) = authority.issue("127.0.0.1").files(folder.path());
    let Some(redis) = Redis::secured("a store over TLS", (&certificate, &key)).await else {
        return;
    };
    let store = format!("rediss://{}/0", redis.address());
    let ca = authority.file(folder.path());
    let gateways = [believing(&store, &ca).await, believing(&store, &ca).await];
    for gateway in &gateways {
        let both = |store: &serde_json::Value| store["connected"] == true && store["hosts"] == 2;
        store_becomes(gateway, "both are there", both).await;
    }
    let mut passed = 0;
    for _ in 0..8 {
        for gateway in &gateways {
            passed += usize::from(call(gateway).await.status == 200);
        }
    }
    // What a host pays of its own share before the store knows of it may come on top.
    assert!((6..=12).contains(&passed), "of both together: {passed}");
}

#[tokio::test]
async fn a_store_that_can_not_be_believed_is_away() {
    let folder = tempfile::tempdir().expect("a folder");
    let (ours, theirs) = (Authority::new(), Authority::new());
    let ca = ours.file(folder.path());
    for (what, identity) in [
        ("a stranger's certificate", theirs.issue("127.0.0.1")),
        ("another host's", ours.issue("other.test")),
        ("one that is over", ours.issue_expired("127.0.0.1")),
    ] {
        let own = tempfile::tempdir().expect("a folder");
        let (certificate, key) = identity.files(own.path());
        let Some(redis) = Redis::secured(what, (&certificate, &key)).await else {
            return;
        };
        let store = format!("rediss://{}/0", redis.address());
        let gateway = believing(&store, &ca).await;
        let tried = |store: &serde_json::Value| store["failures"].as_u64() > Some(0);
        store_becomes(&gateway, what, tried).await;
        let told = super::store(&gateway).await;
        assert_eq!(told["connected"], false, "{what}: {told}");
        assert_eq!(passing(&gateway, 10).await, 6, "{what}: by its own limits");
    }
}

#[tokio::test]
async fn the_password_is_never_sent_without_tls() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let store = format!("rediss://:{PASSWORD}@{address}/0");
    let folder = tempfile::tempdir().expect("a folder");
    let ca = Authority::new().file(folder.path());
    let gateway = believing(&store, &ca).await;
    for _ in 0..2 {
        let (mut socket, _) = within("a connection", listener.accept())
            .await
            .expect("one");
        // It hears nothing of TLS back, and gives up.
        let mut heard = Vec::new();
        within("it gives up", socket.read_to_end(&mut heard))
            .await
            .expect("bytes");
        assert_eq!(heard.first(), Some(&0x16), "a handshake of TLS");
        let word = PASSWORD.as_bytes();
        let leaked = heard.windows(word.len()).any(|part| part == word);
        assert!(!leaked, "and nothing else");
    }
    assert_eq!(super::store(&gateway).await["connected"], false, "away");
}
