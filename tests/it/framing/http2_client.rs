//! A client that speaks HTTP/2 over TLS, and says for itself how a body is cut and ended.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use pingora::tls::TlsConnector;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use crate::harness::gateway::free_address;
use crate::harness::{Gateway, STANDARD_KEY, Upstream, within};

/// A gateway that listens with TLS, and what a client needs to talk to it.
pub(crate) struct Secured {
    pub(crate) gateway: Gateway,
    address: SocketAddr,
    certificate: CertificateDer<'static>,
}

/// Starts a gateway with a TLS listener before one provider.
pub(crate) async fn secured(upstream: &Upstream, yaml: &str) -> Secured {
    let directory = tempfile::tempdir().expect("a directory");
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let write = |name: &str, text: String| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).expect("a file");
        path
    };
    let certificate = write("cert.pem", made.cert.pem());
    let key = write("key.pem", made.signing_key.serialize_pem());
    let address = free_address();
    let tls = |certificate: &Path, key: &Path| {
        let (certificate, key) = (certificate.display(), key.display());
        format!("{{certificate: {certificate}, private_key: {key}}}")
    };
    let listener = format!(
        "{{address: \"{address}\", tls: {}}}",
        tls(&certificate, &key)
    );
    let builder = Gateway::builder().both(&upstream.url());
    let gateway = builder.listener(&listener).yaml(yaml).start().await;
    Secured {
        gateway,
        address,
        certificate: made.cert.der().clone(),
    }
}

/// An answer as it came.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
    /// Whether it came to its end.
    pub(crate) complete: bool,
}

/// A connection.
pub(crate) struct Client {
    sink: h2::client::SendRequest<Bytes>,
    driver: JoinHandle<()>,
}

impl Drop for Client {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// What trusts this certificate, and asks for HTTP/2.
fn connector(certificate: &CertificateDer<'static>) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).expect("a certificate");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider);
    let builder = builder
        .with_safe_default_protocol_versions()
        .expect("versions");
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    TlsConnector::from(Arc::new(config))
}

/// A request under way.
pub(crate) struct Call {
    answer: h2::client::ResponseFuture,
    body: h2::SendStream<Bytes>,
}

impl Client {
    /// Connects; the gateway offers HTTP/2 by ALPN.
    pub(crate) async fn connect(to: &Secured) -> Self {
        let socket = within("a connection", TcpStream::connect(to.address)).await;
        let name = ServerName::try_from("localhost").expect("a name");
        let connector = connector(&to.certificate);
        let shaking = Box::pin(connector.connect(name, socket.expect("it connects")));
        let stream = within("TLS", shaking).await.expect("it shakes hands");
        assert_eq!(
            stream.get_ref().1.alpn_protocol(),
            Some(&b"h2"[..]),
            "h2 by ALPN"
        );
        let shaking = within("HTTP/2", Box::pin(h2::client::handshake(stream)));
        let (sink, connection) = shaking.await.expect("it shakes hands");
        // How the connection ends is for the streams to say.
        let driver = tokio::spawn(async move { drop(connection.await) });
        Self { sink, driver }
    }

    /// Begins a request of this type to this path, with further fields.
    pub(crate) async fn begin(&self, path: &str, kind: &str, fields: &[(&str, &str)]) -> Call {
        let mut request = http::Request::post(format!("https://localhost{path}"))
            .header("authorization", format!("Bearer {STANDARD_KEY}"))
            .header("content-type", kind);
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let request = request.body(()).expect("a head");
        let mut sink = within("room for a stream", self.sink.clone().ready())
            .await
            .expect("the connection lives");
        let (answer, body) = sink.send_request(request, false).expect("a request");
        Call { answer, body }
    }

    /// Sends a body in pieces of this size, and reads the answer.
    pub(crate) async fn send(
        &self,
        path: &str,
        kind: &str,
        fields: &[(&str, &str)],
        body: (&[u8], usize),
    ) -> Answer {
        let mut call = self.begin(path, kind, fields).await;
        for piece in body.0.chunks(body.1) {
            call.piece(piece, false).await;
        }
        call.piece(b"", true).await;
        call.answer().await.expect("an answer")
    }
}

impl Call {
    /// Sends a piece of the body.
    pub(crate) async fn piece(&mut self, piece: &[u8], end: bool) {
        // A stream that the gateway has reset takes no more; its answer says why.
        drop(self.body.send_data(Bytes::copy_from_slice(piece), end));
        tokio::task::yield_now().await;
    }

    /// Gives the request up.
    pub(crate) fn reset(mut self) {
        self.body.send_reset(h2::Reason::CANCEL);
    }

    /// Reads the answer; none where the stream was reset before it.
    pub(crate) async fn answer(self) -> Option<Answer> {
        let answer = within("an answer", self.answer).await.ok()?;
        let status = answer.status().as_u16();
        let mut source = answer.into_body();
        let mut body = Vec::new();
        let complete = loop {
            match within("more of an answer", source.data()).await {
                Some(Ok(data)) => {
                    drop(source.flow_control().release_capacity(data.len()));
                    body.extend_from_slice(&data);
                }
                Some(Err(_)) => break false,
                None => break true,
            }
        };
        drop(self.body);
        Some(Answer {
            status,
            body: String::from_utf8_lossy(&body).into_owned(),
            complete,
        })
    }
}
