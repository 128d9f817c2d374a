//! Which versions are spoken, and for how long a handshake may last.

use rustls::version::{TLS12, TLS13};
use rustls::{HandshakeKind, ProtocolVersion};
use tokio::io::AsyncWriteExt as _;

use super::wire::{Authority, HEALTH, Tls, certificate_for};
use crate::harness::client::Connection;
use crate::harness::gateway::free_address;
use crate::harness::{Gateway, within};

#[tokio::test]
async fn a_listener_for_1_3_turns_away_who_speaks_1_2_alone() {
    let directory = tempfile::tempdir().expect("a directory");
    let (certificate, key, believed) = certificate_for(directory.path(), "", "localhost");
    let (both, newest) = (free_address(), free_address());
    let files = format!("certificate: {certificate}, private_key: {key}");
    let gateway = Gateway::builder()
        .echo("local")
        .listener(&format!("{{address: \"{both}\", tls: {{{files}}}}}"))
        .listener(&format!(
            "{{address: \"{newest}\", tls: {{{files}, min_version: \"1.3\"}}}}"
        ))
        .start()
        .await;
    let (old, new) = (ProtocolVersion::TLSv1_2, ProtocolVersion::TLSv1_3);
    for (address, versions, expected) in [
        (both, &[&TLS12][..], Some(old)),
        (both, &[&TLS13], Some(new)),
        (both, &[&TLS12, &TLS13], Some(new)),
        (newest, &[&TLS12], None),
        (newest, &[&TLS13], Some(new)),
        (newest, &[&TLS12, &TLS13], Some(new)),
    ] {
        let client = Tls::new(&[&believed], versions, None);
        let told = client.ask(address, "localhost", HEALTH).await;
        let version = told.as_ref().ok().and_then(|told| told.version);
        assert_eq!(version, expected, "{versions:?} at {address}: {told:?}");
        if let Ok(told) = told {
            assert_eq!(told.status(), 200, "{told:?}");
        }
    }
    gateway
        .metric_reaches("proxy_api_connections_refused_total{reason=\"tls\"}", 1.0)
        .await;
}

#[tokio::test]
async fn a_session_is_resumed_except_where_clients_show_a_certificate() {
    let directory = tempfile::tempdir().expect("a directory");
    let (certificate, key, believed) = certificate_for(directory.path(), "", "localhost");
    let authority = Authority::new();
    let clients = authority.write(directory.path());
    let (open, certified) = (free_address(), free_address());
    let files = format!("certificate: {certificate}, private_key: {key}");
    let _gateway = Gateway::builder()
        .echo("local")
        .listener(&format!("{{address: \"{open}\", tls: {{{files}}}}}"))
        .listener(&format!(
            "{{address: \"{certified}\", tls: {{{files}, client_ca: {clients}}}}}"
        ))
        .start()
        .await;
    for versions in [&[&TLS12], &[&TLS13]] {
        for (address, expected) in [
            (open, HandshakeKind::Resumed),
            (certified, HandshakeKind::Full),
        ] {
            let client = Tls::new(&[&believed], versions, Some(authority.client("a")));
            let first = client.ask(address, "localhost", HEALTH).await;
            let first = first.expect("an answer");
            assert_eq!(first.kind, Some(HandshakeKind::Full), "{versions:?}");
            let second = client.ask(address, "localhost", HEALTH).await;
            let second = second.expect("an answer");
            assert_eq!(second.kind, Some(expected), "{versions:?} at {address}");
            assert_eq!(second.status(), 200, "{second:?}");
        }
    }
}

#[tokio::test]
async fn a_handshake_that_does_not_come_ends() {
    let directory = tempfile::tempdir().expect("a directory");
    let (certificate, key, _) = certificate_for(directory.path(), "", "localhost");
    let address = free_address();
    let gateway = Gateway::builder()
        .echo("local")
        .yaml("server: {timeouts: {header: 300ms}}")
        .listener(&format!(
            "{{address: \"{address}\", tls: {{certificate: {certificate}, private_key: {key}}}}}"
        ))
        .start()
        .await;
    for part in [&b""[..], b"\x16\x03\x01\x02\x00\x01"] {
        let mut connection = Connection::open(address).await;
        connection.write(part).await;
        connection.closed().await;
    }
    let mut rubbish = within("a connection", tokio::net::TcpStream::connect(address))
        .await
        .expect("it connects");
    rubbish
        .write_all(b"GET / HTTP/1.1\r\n\r\n")
        .await
        .expect("bytes");
    gateway
        .metric_becomes(
            "proxy_api_connections_refused_total{reason=\"tls_timeout\"}",
            2.0,
        )
        .await;
    gateway
        .metric_reaches("proxy_api_connections_refused_total{reason=\"tls\"}", 1.0)
        .await;
    // The one that asks.
    gateway
        .metric_becomes("proxy_api_open_connections", 1.0)
        .await;
}
