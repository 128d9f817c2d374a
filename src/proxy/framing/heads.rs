//! Heads over HTTP/1: what Pingora refuses by itself, before any hook, and what it lets through
//! for `admit::head` to refuse.

use super::One;
use super::client::Client;
use super::gateway::{Early, Plan};
use super::upstream::{Answer, Upstream};

const REFUSED: [(&str, &str); 13] = [
    ("two Hosts", "host: a|host: b|content-length: 2||{}"),
    ("one Host twice", "host: a|host: a|content-length: 2||{}"),
    ("a folded line", "host: a|x: b| c|content-length: 2||{}"),
    ("a space before a colon", "host: a|content-length : 2||{}"),
    (
        "a space before another colon",
        "host: a|x : 2|content-length: 2||{}",
    ),
    ("a NUL", "host: a|x: a\0b|content-length: 2||{}"),
    ("a signed length", "host: a|content-length: +2||{}"),
    ("a negative length", "host: a|content-length: -2||{}"),
    ("a list of lengths", "host: a|content-length: 2, 3||{}"),
    (
        "two lengths",
        "host: a|content-length: 2|content-length: 3||{}",
    ),
    (
        "a coding that is not chunked",
        "host: a|transfer-encoding: gzip||2|{}|0||",
    ),
    (
        "chunked not last",
        "host: a|transfer-encoding: chunked, identity||2|{}|0||",
    ),
    (
        "chunks between bare line feeds",
        "host: a|transfer-encoding: chunked||2\n{}\n0\n\n",
    ),
];

/// What is let through, and how often a field of it goes on to the provider.
const LET_THROUGH: [(&str, &str, &str, usize); 6] = [
    ("no Host", "content-length: 2||{}", "host", 0),
    (
        "a length beside a coding",
        "host: a|content-length: 9|transfer-encoding: chunked||2|{}|0||",
        "content-length",
        0,
    ),
    (
        "a coding before chunked",
        "host: a|transfer-encoding: identity, chunked||2|{}|0||",
        "transfer-encoding",
        1,
    ),
    (
        "chunked twice",
        "host: a|transfer-encoding: chunked|transfer-encoding: chunked||2|{}|0||",
        "transfer-encoding",
        1,
    ),
    (
        "two credentials",
        "host: a|authorization: x|authorization: y|content-length: 2||{}",
        "authorization",
        2,
    ),
    (
        "a credential and its twin",
        "host: a|x-api-key: x|x_api_key: y|content-length: 2||{}",
        "x_api_key",
        1,
    ),
];

fn wire(lines: &str) -> Vec<u8> {
    format!("POST /v1/x HTTP/1.1|{lines}")
        .replace('|', "\r\n")
        .into_bytes()
}

#[tokio::test]
async fn framing_heads_that_pingora_refuses_by_itself() {
    let upstream = Upstream::start(One, &[]);
    let gateway = Plan::to(&upstream).read_timeout(500).start().await;
    for (why, lines) in REFUSED {
        let mut client = Client::connect(&gateway, One).await;
        let reply = client.raw(&wire(lines)).await.reply().await;
        assert_eq!(reply.status, Some(400), "{why}: {:?}", upstream.brief());
    }
    let whole = upstream
        .requests()
        .iter()
        .filter(|one| !one.body.is_empty())
        .count();
    assert_eq!(whole, 0, "none of them arrives: {:?}", upstream.brief());
}

#[tokio::test]
async fn framing_heads_that_pingora_lets_through_for_us_to_refuse() {
    for (why, lines, name, count) in LET_THROUGH {
        let upstream = Upstream::start(One, &[]);
        let gateway = Plan::to(&upstream).start().await;
        let mut client = Client::connect(&gateway, One).await;
        let reply = client.raw(&wire(lines)).await.reply().await;
        assert!(reply.is(200), "{why}: {reply:?}");
        let head = upstream.requests()[0].head.to_lowercase();
        let there = head
            .lines()
            .filter(|line| line.starts_with(&format!("{name}:")))
            .count();
        assert_eq!(there, count, "{why}: {head}");
    }
}

#[tokio::test]
async fn framing_a_length_beside_a_coding_shows_in_the_raw_head_alone() {
    let upstream = Upstream::start(One, &[]);
    let gateway = Plan::to(&upstream).start().await;
    let mut client = Client::connect(&gateway, One).await;
    let head = wire("host: a|Content-Length: 9|transfer-encoding: chunked||2|{}|0||");
    assert!(client.raw(&head).await.reply().await.is(200), "it passes");
    let raw = gateway.ended(0).await.raw_head;
    let raw = String::from_utf8(raw).expect("text");
    assert!(
        raw.contains("Content-Length: 9"),
        "what `admit::head` looks for: {raw}"
    );
}

#[tokio::test]
async fn framing_one_length_twice_is_forwarded_twice() {
    let upstream = Upstream::start(One, &[]);
    let gateway = Plan::to(&upstream).read_timeout(200).start().await;
    let mut client = Client::connect(&gateway, One).await;
    let lines = "host: a|content-length: 2|content-length: 2||{}";
    let reply = client.raw(&wire(lines)).await.reply().await;
    assert_eq!(
        reply.status,
        Some(502),
        "a strict reader never sees the end of it"
    );
    let head = upstream.settled(0).await.head.to_lowercase();
    assert_eq!(head.matches("content-length: 2").count(), 2, "{head}");
}

#[tokio::test]
async fn framing_a_request_right_behind_another_is_dropped() {
    for early in [Early::Leave, Early::Hold, Early::Guard] {
        let upstream = Upstream::start(One, &[]);
        let gateway = Plan::to(&upstream).early(early).start().await;
        let mut client = Client::connect(&gateway, One).await;
        let one = wire("host: a|content-length: 2||{}");
        let two = wire("host: b|content-length: 2||[]");
        let reply = client.raw(&[one, two].concat()).await.reply().await;
        assert!(reply.is(200), "{early:?}: the first is answered: {reply:?}");
        let reply = client.raw(b"").await.reply().await;
        assert_eq!(
            reply.status,
            None,
            "{early:?}: the second is not: {:?}",
            upstream.brief()
        );
        assert_eq!(upstream.requests().len(), 1, "{early:?}: and goes nowhere");
    }
}

#[tokio::test]
async fn framing_bytes_behind_a_request_that_waits_end_it() {
    for early in [Early::Leave, Early::Hold, Early::Guard] {
        let upstream = Upstream::start(One, &[Answer::Silence]);
        let gateway = Plan::to(&upstream).early(early).start().await;
        let mut client = Client::connect(&gateway, One).await;
        let one = wire("host: a|content-length: 2||{}");
        drop(client.raw(&one).await);
        upstream.settled(0).await;
        let reply = client.raw(&one).await.reply().await;
        assert!(!reply.is(200), "{early:?}: pipelining is off: {reply:?}");
        upstream
            .wait("the end of the call", |all| all[0].left)
            .await;
        assert_eq!(
            upstream.requests().len(),
            1,
            "{early:?}: the second goes nowhere"
        );
    }
}
