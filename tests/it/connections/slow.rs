//! How long a client may take: over a head, over a body, over HTTP/2. What is late is told so
//! where it can be told.

use std::net::SocketAddr;
use std::time::Duration;

use pingora::tls::TlsConnector;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::harness::gateway::free_address;
use crate::harness::script::{Step, head};
use crate::harness::{Gateway, STANDARD_KEY, Script, Upstream, chat, replies, within};
use crate::tls::wire::certificate_for;

/// How often a slow client sends a byte.
const SLOWLY: Duration = Duration::from_millis(50);

/// Sends `first` at once, and a byte of `rest` now and then, over and over; answers all that is
/// read to the end of the connection.
async fn dribbled<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    first: &[u8],
    rest: &[u8],
) -> Vec<u8> {
    let (mut source, mut sink) = tokio::io::split(stream);
    sink.write_all(first).await.expect("bytes");
    sink.flush().await.expect("bytes");
    let sending = async {
        let mut ticks = tokio::time::interval(SLOWLY);
        for byte in rest.iter().cycle() {
            ticks.tick().await;
            if sink.write_all(&[*byte]).await.is_err() || sink.flush().await.is_err() {
                break;
            }
        }
        std::future::pending::<()>().await;
    };
    let reading = async {
        let mut heard = Vec::new();
        // A reset connection is an end as well.
        let _end = source.read_to_end(&mut heard).await;
        heard
    };
    within("the end of a slow client", async {
        tokio::select! {
            heard = reading => heard,
            () = sending => Vec::new(),
        }
    })
    .await
}

async fn dribbled_to(address: SocketAddr, first: &[u8], rest: &[u8]) -> String {
    let stream = within("a connection", TcpStream::connect(address)).await;
    let heard = dribbled(stream.expect("it connects"), first, rest).await;
    String::from_utf8_lossy(&heard).into_owned()
}

/// The last answer of those that were read.
fn assert_timeout(heard: &str, why: &str) {
    let begin = heard
        .rfind("HTTP/1.1 ")
        .unwrap_or_else(|| panic!("{why}: {heard:?}"));
    let answer = heard.get(begin..).unwrap_or_default();
    assert!(answer.starts_with("HTTP/1.1 408 "), "{why}: {heard}");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let head = head.to_lowercase();
    for field in [
        "x-request-id: ",
        "x-content-type-options: nosniff",
        "connection: close",
    ] {
        assert!(head.contains(field), "{why}: {field}: {head}");
    }
    let body: Value = serde_json::from_str(body).unwrap_or_else(|_| panic!("{why}: {body}"));
    assert_eq!(body["error"]["code"], "request_timeout", "{why}: {body}");
}

#[tokio::test]
async fn a_head_that_comes_byte_by_byte_has_its_time_and_no_more() {
    let gateway = Gateway::builder()
        .echo("local")
        .yaml("server: {timeouts: {header: 400ms, keepalive: 10m}}")
        .start()
        .await;
    let address = gateway.client().address;
    let heard = dribbled_to(address, b"GET /health HTTP/1.1\r\nx: ", b"a").await;
    assert_timeout(&heard, "the first head");
    let heard = dribbled_to(address, b"", b"\n").await;
    assert_timeout(&heard, "empty lines before it");
    let again = b"GET /health HTTP/1.1\r\nhost: a\r\n\r\nGET /health HTTP/1.1\r\nx: ";
    let stream = within("a connection", TcpStream::connect(address)).await;
    let mut stream = stream.expect("it connects");
    let (first, second) = again.split_at(again.len() - 25);
    stream.write_all(first).await.expect("bytes");
    let mut answer = vec![0; 12];
    within("an answer", stream.read_exact(&mut answer))
        .await
        .expect("an answer");
    assert_eq!(answer, b"HTTP/1.1 200", "the first head came at once");
    let heard = dribbled(stream, second, b"a").await;
    assert_timeout(&String::from_utf8_lossy(&heard), "the second head");
    let refused = "proxy_api_connections_refused_total{reason=\"header_timeout\"}";
    gateway.metric_becomes(refused, 3.0).await;

    // Who says nothing at all is told nothing.
    gateway.connect().await.closed().await;
    gateway.metric_becomes(refused, 4.0).await;
}

#[tokio::test]
async fn an_idle_connection_ends_in_silence_and_a_busy_one_does_not() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::builder()
        .provider("mock", "openai", &upstream.url())
        .yaml("server: {timeouts: {keepalive: 300ms}}")
        .start()
        .await;
    let mut connection = gateway.connect().await;
    // Each takes longer than the connection may be idle.
    let answer = replies::chat("gpt-4o").to_string();
    let length = answer.len().to_string();
    let fields = [
        ("content-type", "application/json"),
        ("content-length", length.as_str()),
    ];
    let pieces = vec![head(200, &fields), answer.into_bytes()];
    upstream.answer(Script::new(vec![Step::Spaced(
        Duration::from_millis(400),
        pieces,
    )]));
    connection.send(&chat("gpt-4o").key(STANDARD_KEY)).await;
    connection.reply().await.assert_fine("a slow answer");
    connection.closed().await;
}

#[tokio::test]
async fn a_body_may_take_longer_than_a_head() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::builder()
        .provider("mock", "openai", &upstream.url())
        .yaml("server: {timeouts: {header: 300ms}}")
        .start()
        .await;
    let request = chat("gpt-4o").key(STANDARD_KEY);
    let mut connection = gateway.connect().await;
    connection.send_head(&request).await;
    let head = request.head().len();
    let mut ticks = tokio::time::interval(SLOWLY * 2);
    let wire = request.bytes();
    for piece in wire.split_at(head).1.chunks(wire.len().div_ceil(8)) {
        ticks.tick().await;
        connection.write(piece).await;
    }
    connection.reply().await.assert_fine("a slow body");
}

#[tokio::test]
async fn a_body_that_is_too_slow_is_refused_and_reaches_nobody() {
    let upstream = Upstream::start().await;
    for (yaml, why) in [
        (
            "server: {timeouts: {body_idle: 400ms}, limits: {min_body_rate: 1KiB}}",
            "the slowest rate",
        ),
        (
            "server: {timeouts: {body: 400ms}, limits: {min_body_rate: null}}",
            "the time for the whole",
        ),
    ] {
        for kind in ["application/json", "multipart/form-data; boundary=b"] {
            let gateway = Gateway::builder()
                .provider("mock", "openai", &upstream.url())
                .yaml(yaml)
                .start()
                .await;
            let path = if kind.starts_with("app") {
                "chat/completions"
            } else {
                "files"
            };
            let begin = if kind.starts_with("app") {
                ""
            } else {
                "--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n"
            };
            let head = format!(
                "POST /v1/{path} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {STANDARD_KEY}\r\n\
                 content-type: {kind}\r\ncontent-length: 100000\r\n\r\n{begin}"
            );
            let address = gateway.client().address;
            let heard = dribbled_to(address, head.as_bytes(), b" ").await;
            assert_timeout(&heard, &format!("{why}: {kind}"));
        }
    }
    upstream.assert_untouched("a body that never came");
}

async fn http2(
    address: SocketAddr,
    believed: &CertificateDer<'static>,
) -> impl AsyncRead + AsyncWrite {
    let mut roots = RootCertStore::empty();
    roots.add(believed.clone()).expect("a certificate");
    let provider = rustls::crypto::ring::default_provider().into();
    let builder = ClientConfig::builder_with_provider(provider);
    let builder = builder
        .with_safe_default_protocol_versions()
        .expect("versions");
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let socket = within("a connection", TcpStream::connect(address)).await;
    let name = ServerName::try_from("localhost").expect("a name");
    let connector = TlsConnector::from(std::sync::Arc::new(config));
    let shaking = Box::pin(connector.connect(name, socket.expect("it connects")));
    Box::pin(within("TLS", shaking).await.expect("it shakes hands"))
}

#[tokio::test]
async fn http2_has_the_same_time_for_its_heads() {
    let directory = tempfile::tempdir().expect("a directory");
    let (certificate, key, believed) = certificate_for(directory.path(), "", "localhost");
    let address = free_address();
    let gateway = Gateway::builder()
        .echo("local")
        .yaml("server: {timeouts: {header: 400ms, keepalive: 10m}}")
        .listener(&format!(
            "{{address: \"{address}\", tls: {{certificate: {certificate}, private_key: {key}}}}}"
        ))
        .start()
        .await;
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    // A head of 16,000 bytes that is not ended.
    let head = [0, 0x3e, 0x80, 1, 0, 0, 0, 0, 1];
    let ping = [0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8];
    let begun = [&preface[..], &settings].concat();
    for (first, rest, why) in [
        (preface[..3].to_vec(), &preface[3..], "within the preface"),
        ([&begun[..], &head].concat(), &[0x88], "within a head"),
        (begun, &ping, "within a frame"),
    ] {
        let stream = http2(address, &believed).await;
        // Whatever was said, the connection has ended; the deadline is a minute off.
        let heard = dribbled(stream, &first, rest).await;
        assert!(!heard.starts_with(b"HTTP/1"), "{why}: {heard:?}");
    }
    let refused = "proxy_api_connections_refused_total{reason=\"header_timeout\"}";
    gateway.metric_becomes(refused, 3.0).await;
}
