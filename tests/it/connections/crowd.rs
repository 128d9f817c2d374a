//! How many connections there may be, in all and of one address, and that none is forgotten.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

use crate::harness::client::Connection;
use crate::harness::gateway::free_address;
use crate::harness::{ADMIN_KEY, Gateway, within};

const ASK: &[u8] = b"GET /health HTTP/1.1\r\nhost: gateway.test\r\n\r\n";

async fn open(from: IpAddr, to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    let from = SocketAddr::new(from, 0);
    socket.bind(from).expect("an address of this machine");
    let connecting = within("a connection", socket.connect(to));
    connecting.await.expect("it connects")
}

/// A connection of an address on which a request has been answered; none: it was closed.
async fn answered(from: IpAddr, to: SocketAddr) -> Option<TcpStream> {
    let mut stream = open(from, to).await;
    let mut answer = [0; 12];
    let asking = async {
        stream.write_all(ASK).await?;
        stream.read_exact(&mut answer).await
    };
    let read = within("an answer or an end", asking).await;
    read.ok()?;
    assert_eq!(&answer, b"HTTP/1.1 200", "an answer");
    Some(stream)
}

/// Waits until a metric, asked for by an address that is let in, is at least so much, or less.
async fn metric(from: IpAddr, to: SocketAddr, series: &str, fits: impl Fn(f64) -> bool) {
    let request = format!(
        "GET /metrics HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {ADMIN_KEY}\r\n\
         connection: close\r\n\r\n"
    );
    let asking = async {
        loop {
            let mut stream = open(from, to).await;
            let mut text = String::new();
            // Turned away is not an answer yet.
            let _written = stream.write_all(request.as_bytes()).await;
            let _read = stream.read_to_string(&mut text).await;
            let value = text.lines().find_map(|line| line.strip_prefix(series));
            if value.is_some_and(|value| fits(value.trim().parse().expect("a number"))) {
                return;
            }
        }
    };
    within(series, asking).await;
}

async fn hold(count: usize, from: IpAddr, to: SocketAddr) -> Vec<TcpStream> {
    let mut held = Vec::new();
    let holding = async {
        // Those that asked whether the gateway is ready may not have ended yet.
        while held.len() < count {
            held.extend(answered(from, to).await);
        }
    };
    within("so many connections", holding).await;
    held
}

#[tokio::test]
async fn one_connection_too_many_is_closed_and_operators_still_get_in() {
    let operators = free_address();
    let gateway = Gateway::builder()
        .echo("local")
        .yaml("server: {limits: {connections: 24}}")
        .listener(&format!(
            "{{address: \"{operators}\", serve: [internal, health]}}"
        ))
        .start()
        .await;
    let here = IpAddr::from(Ipv4Addr::LOCALHOST);
    let address = gateway.client().address;
    let mut held = hold(24, here, address).await;
    for _ in 0..3 {
        Connection::open(address).await.closed().await;
    }
    let refused = "proxy_api_connections_refused_total{reason=\"connections\"}";
    metric(here, operators, refused, |count| count >= 3.0).await;
    drop(held.pop());
    held.extend(hold(1, here, address).await);
    drop(held);
    let open = "proxy_api_open_connections";
    metric(here, operators, open, |open| open <= 1.0).await;
}

#[tokio::test]
async fn one_address_cannot_take_all_connections() {
    let gateway = Gateway::builder()
        .echo("local")
        .yaml("server: {limits: {connections_per_address: 8}}")
        .start()
        .await;
    let here = IpAddr::from(Ipv4Addr::LOCALHOST);
    let address = gateway.client().address;
    let held = hold(8, here, address).await;
    Connection::open(address).await.closed().await;
    let other = IpAddr::from([127, 0, 0, 2]);
    let others = hold(8, other, address).await;
    assert_eq!(others.len(), 8, "another address has its own");
    let third = IpAddr::from([127, 0, 0, 3]);
    let refused = "proxy_api_connections_refused_total{reason=\"connections_per_address\"}";
    metric(third, address, refused, |count| count >= 1.0).await;
    drop((held, others));
}

#[tokio::test]
async fn a_trusted_proxy_may_have_any_number() {
    let gateway = Gateway::builder()
        .echo("local")
        .yaml("server: {trusted_proxies: [127.0.0.1], limits: {connections_per_address: 1}}")
        .start()
        .await;
    let here = IpAddr::from(Ipv4Addr::LOCALHOST);
    let held = hold(4, here, gateway.client().address).await;
    assert_eq!(held.len(), 4, "many clients come by it");
}

#[tokio::test]
async fn none_of_a_thousand_connections_is_forgotten() {
    let gateway = Gateway::builder().echo("local").start().await;
    let address = gateway.client().address;
    for _ in 0..10 {
        let mut open = Vec::new();
        for number in 0..100 {
            let mut stream = within("a connection", TcpStream::connect(address))
                .await
                .expect("it connects");
            // Dropped before a byte, within a head, and after a request.
            let part = ASK
                .get(..(number * 7) % (ASK.len() + 1))
                .unwrap_or_default();
            stream.write_all(part).await.expect("bytes");
            open.push(stream);
        }
        drop(open);
    }
    gateway
        .metric_becomes("proxy_api_open_connections", 1.0)
        .await;
}

#[tokio::test]
async fn who_opens_a_flood_of_connections_is_dropped_at_accept_and_others_are_not() {
    let gateway = Gateway::builder()
        .echo("local")
        .yaml(
            "auth: {internal_allow: [127.0.0.1]}\n\
             rate_limits: {per_ip: {rate: 60/minute, burst: 100}}",
        )
        .start()
        .await;
    let address = gateway.client().address;
    let flood = IpAddr::from([127, 0, 0, 9]);
    // Ten for each of the hundred requests that it may make at once; the coarse count lets the
    // first five hundred pass uncounted.
    let held = hold(1, flood, address).await;
    for _ in 0..1_000 {
        drop(open(flood, address).await);
    }
    drop(held);
    let refused = "proxy_api_connections_refused_total{reason=\"flood\"}";
    gateway.metric_becomes(refused, 0.0).await;
    let flooding = async { while answered(flood, address).await.is_some() {} };
    within("the flood's end", flooding).await;
    gateway.metric_reaches(refused, 1.0).await;
    let other = IpAddr::from([127, 0, 0, 8]);
    assert!(answered(other, address).await.is_some(), "another gets in");
}
