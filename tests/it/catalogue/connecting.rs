//! Connections that do not come to be. Nothing was sent, so that every one is tried again.

use std::net::SocketAddr;

use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::Sees::{Answer, Refused};
use super::{Sees, Stage, assert_seen};
use crate::harness::Upstream;
use crate::harness::gateway::free_address;
use crate::harness::secured::{Authority, Front, NAME};

const TWICE: &[&str] = &["not_connected", "not_connected"];

/// What becomes of calls to a provider at that address.
async fn plays(url: &str, more: &str, sees: Sees, classes: &[&str]) {
    let stage = Stage::with(url, more).await;
    let reply = stage.call("alone", false).await;
    assert_seen(sees, &reply);
    let (attempts, on_record) = stage.record(&reply).await;
    assert_eq!(on_record, classes, "classes on record");
    assert_eq!(attempts.unwrap_or(0), classes.len(), "attempts on record");
    let reply = stage.call("substituted", false).await;
    stage.assert_substituted(&reply);
}

#[tokio::test]
async fn refused() {
    let url = format!("http://{}", free_address());
    plays(&url, "{}", Refused(502, "upstream_error"), TWICE).await;
}

#[tokio::test]
async fn silent_while_connecting() {
    let (_socket, _waiting, address) = full().await;
    let soon = "{timeouts: {connect: 300ms}}";
    let url = format!("http://{address}");
    plays(&url, soon, Refused(504, "upstream_timeout"), TWICE).await;
}

/// A listener whose queue is full: the system drops what knocks.
async fn full() -> (TcpListener, Vec<TcpStream>, SocketAddr) {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket
        .bind("127.0.0.1:0".parse().expect("an address"))
        .expect("a port");
    let listener = socket.listen(1).expect("listens");
    let address = listener.local_addr().expect("an address");
    let mut waiting = Vec::new();
    let patience = std::time::Duration::from_millis(300);
    while let Ok(Ok(one)) = tokio::time::timeout(patience, TcpStream::connect(address)).await {
        waiting.push(one);
    }
    (listener, waiting, address)
}

#[tokio::test]
async fn silent_during_the_tls_handshake() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("https://{}", listener.local_addr().expect("an address"));
    let silent = tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((socket, _)) = listener.accept().await {
            held.push(socket);
        }
    });
    let soon = "{timeouts: {connect: 300ms}}";
    plays(&url, soon, Refused(504, "upstream_timeout"), TWICE).await;
    silent.abort();
}

#[tokio::test]
async fn no_tls_where_tls_is_spoken() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("https://{}", listener.local_addr().expect("an address"));
    let plain = tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let words = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n";
            socket.write_all(words).await.expect("written");
        }
    });
    plays(&url, "{}", Refused(502, "upstream_error"), TWICE).await;
    plain.abort();
}

/// What becomes of calls to a provider with that certificate.
async fn with_certificate(
    make: impl Fn(&Authority) -> crate::harness::secured::Identity,
    known: bool,
    sees: Sees,
) {
    let (upstream, folder) = (
        Upstream::start().await,
        tempfile::tempdir().expect("a folder"),
    );
    let (authority, stranger) = (Authority::new(), Authority::new());
    let front = Front::before(&upstream, &make(&authority), None).await;
    let believed = if known { &authority } else { &stranger };
    let file = believed.file(folder.path());
    let tls = format!(
        "{{endpoints: [{{url: \"{}\", tls: {{ca_file: {file}, sni: {NAME}}}}}]}}",
        front.url()
    );
    if sees == Answer {
        let stage = Stage::with(&front.url(), &tls).await;
        stage
            .call("alone", false)
            .await
            .assert_fine("a good certificate");
    } else {
        plays(&front.url(), &tls, sees, TWICE).await;
        upstream.assert_untouched("nothing is sent to who can't be trusted");
    }
}

#[tokio::test]
async fn a_good_certificate() {
    with_certificate(|ours| ours.issue(NAME), true, Answer).await;
}

#[tokio::test]
async fn an_expired_certificate() {
    let sees = Refused(502, "upstream_error");
    with_certificate(|ours| ours.issue_expired(NAME), true, sees).await;
}

#[tokio::test]
async fn a_certificate_for_another_host() {
    let sees = Refused(502, "upstream_error");
    with_certificate(|ours| ours.issue("other.test"), true, sees).await;
}

#[tokio::test]
async fn a_certificate_of_a_stranger() {
    let sees = Refused(502, "upstream_error");
    with_certificate(|ours| ours.issue(NAME), false, sees).await;
}

#[tokio::test]
async fn a_name_that_does_not_resolve() {
    let sees = Refused(503, "no_healthy_provider");
    plays("http://gone.invalid:8080", "{}", sees, &[]).await;
}
