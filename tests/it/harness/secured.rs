//! TLS before a mock provider: it ends the encryption and passes bytes on, so that what the
//! provider sees and answers is the same; and an HTTP/2 provider of its own.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// The name in the mock's certificate.
pub(crate) const NAME: &str = "provider.test";

/// An authority of a test's own.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate and its key.
pub(crate) struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: Vec<u8>,
    pem: (String, String),
}

impl Authority {
    /// A new one that nobody knows.
    pub(crate) fn new() -> Self {
        let mut parameters = CertificateParams::new(Vec::<String>::new()).expect("no names");
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let issuer = CertifiedIssuer::self_signed(parameters, key).expect("a certificate");
        Self { issuer }
    }

    /// A certificate for that name.
    pub(crate) fn issue(&self, name: &str) -> Identity {
        self.sign(name, 4096)
    }

    /// One that was good until twenty years ago.
    pub(crate) fn issue_expired(&self, name: &str) -> Identity {
        self.sign(name, 2001)
    }

    fn sign(&self, name: &str, until: i32) -> Identity {
        let mut parameters = CertificateParams::new(vec![name.to_owned()]).expect("a name");
        parameters.not_before = date_time_ymd(2000, 1, 1);
        parameters.not_after = date_time_ymd(until, 1, 1);
        let key = KeyPair::generate().expect("a key");
        let made = parameters.signed_by(&key, &self.issuer).expect("signed");
        Identity {
            chain: vec![made.der().clone()],
            key: key.serialize_der(),
            pem: (made.pem(), key.serialize_pem()),
        }
    }

    /// Its certificate as a file.
    pub(crate) fn file(&self, directory: &Path) -> String {
        write(directory, "ca.pem", &self.issuer.pem())
    }
}

impl Identity {
    /// Certificate and key as files.
    pub(crate) fn files(&self, directory: &Path) -> (String, String) {
        (
            write(directory, "own.pem", &self.pem.0),
            write(directory, "own.key", &self.pem.1),
        )
    }
}

fn write(directory: &Path, name: &str, text: &str) -> String {
    let path = directory.join(name);
    std::fs::write(&path, text).expect("a file");
    path.display().to_string()
}

/// What a connection began with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hello {
    /// The name that was asked for.
    pub(crate) name: Option<String>,
    /// Whether the gateway showed a certificate.
    pub(crate) client_certificate: bool,
}

/// A front that speaks TLS, alive as long as the value.
pub(crate) struct Front {
    address: SocketAddr,
    hellos: Arc<Mutex<Vec<Hello>>>,
    _serving: JoinSet<()>,
}

/// What a front does with a connection.
#[derive(Clone, Copy)]
enum Behind {
    /// Passes it on.
    Mock(SocketAddr),
    /// Answers over HTTP/2.
    Http2,
}

impl Front {
    /// Before a mock provider, over HTTP/1.1; with an authority it wants a client's certificate.
    pub(crate) async fn before(
        upstream: &super::Upstream,
        own: &Identity,
        clients: Option<&Authority>,
    ) -> Self {
        Self::start(Behind::Mock(upstream.address()), own, clients).await
    }

    /// A provider that speaks HTTP/2 alone, and answers every chat.
    pub(crate) async fn http2(own: &Identity) -> Self {
        Self::start(Behind::Http2, own, None).await
    }

    async fn start(behind: Behind, own: &Identity, clients: Option<&Authority>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let acceptor = TlsAcceptor::from(Arc::new(settings(behind, own, clients)));
        let hellos = Arc::<Mutex<Vec<Hello>>>::default();
        let mut serving = JoinSet::new();
        let seen = Arc::clone(&hellos);
        serving.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (socket, _) = listener.accept().await.expect("accept");
                let (acceptor, seen) = (acceptor.clone(), Arc::clone(&seen));
                connections.spawn(async move {
                    if let Ok(stream) = acceptor.accept(socket).await {
                        seen.lock().expect("no panic").push(hello(&stream));
                        serve(stream, behind).await;
                    }
                });
            }
        });
        Self {
            address,
            hellos,
            _serving: serving,
        }
    }

    /// The address for a configuration's `url`.
    pub(crate) fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// How its connections began.
    pub(crate) fn hellos(&self) -> Vec<Hello> {
        self.hellos.lock().expect("no panic").clone()
    }
}

/// How a server of HTTP/2 alone is set up.
pub(super) fn http2_settings(own: &Identity) -> ServerConfig {
    settings(Behind::Http2, own, None)
}

fn settings(behind: Behind, own: &Identity, clients: Option<&Authority>) -> ServerConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .expect("versions");
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            roots.add(authority.issuer.der().clone()).expect("a root");
            let verifier =
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
            builder.with_client_cert_verifier(verifier.expect("a verifier"))
        }
    };
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(own.key.clone()));
    let mut settings = builder
        .with_single_cert(own.chain.clone(), key)
        .expect("a certificate");
    settings.alpn_protocols = match behind {
        Behind::Mock(_) => vec![b"http/1.1".to_vec()],
        Behind::Http2 => vec![b"h2".to_vec()],
    };
    settings
}

fn hello(stream: &TlsStream<TcpStream>) -> Hello {
    let (_, session) = stream.get_ref();
    Hello {
        name: session.server_name().map(str::to_owned),
        client_certificate: session.peer_certificates().is_some(),
    }
}

async fn serve(mut stream: TlsStream<TcpStream>, behind: Behind) {
    match behind {
        Behind::Mock(address) => {
            let mut mock = TcpStream::connect(address).await.expect("the mock");
            // How it ends is the test's matter.
            let _ended = tokio::io::copy_bidirectional(&mut stream, &mut mock).await;
        }
        Behind::Http2 => {
            let Ok(mut connection) = h2::server::handshake(stream).await else {
                return;
            };
            while let Some(Ok((request, respond))) = connection.accept().await {
                tokio::spawn(answer(request, respond));
            }
        }
    }
}

async fn answer(
    request: http::Request<h2::RecvStream>,
    mut respond: h2::server::SendResponse<Bytes>,
) {
    let mut body = request.into_body();
    while let Some(Ok(piece)) = body.data().await {
        // Room for more; a stream that is gone needs none.
        let _room = body.flow_control().release_capacity(piece.len());
    }
    let head = http::Response::builder()
        .header("content-type", "application/json")
        .body(())
        .expect("a head");
    let text = super::replies::chat("gpt-4o").to_string();
    if let Ok(mut stream) = respond.send_response(head, false) {
        let _sent = stream.send_data(text.into(), true);
    }
}
