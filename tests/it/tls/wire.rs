//! Certificates made for a test, and a client that says which TLS it speaks.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use pingora::tls::TlsConnector;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair,
    generate_simple_self_signed,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, HandshakeKind, RootCertStore, SupportedProtocolVersion};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::harness::within;

/// A certificate for `localhost` that signs itself, and its key, as files.
pub(crate) fn certificate(directory: &Path) -> (String, String) {
    let (certificate, key, _) = certificate_for(directory, "", "localhost");
    (certificate, key)
}

/// A certificate for a name that signs itself, and its key, as files with this prefix; and what a
/// client believes.
pub(crate) fn certificate_for(
    directory: &Path,
    prefix: &str,
    name: &str,
) -> (String, String, CertificateDer<'static>) {
    let made = generate_simple_self_signed([name.to_owned()]).expect("a certificate");
    let certificate = directory.join(format!("{prefix}cert.pem"));
    let key = directory.join(format!("{prefix}key.pem"));
    std::fs::write(&certificate, made.cert.pem()).expect("a file");
    std::fs::write(&key, made.signing_key.serialize_pem()).expect("a file");
    let paths = [certificate, key].map(|path| path.display().to_string());
    let [certificate, key] = paths;
    (certificate, key, made.cert.der().clone())
}

/// An authority of clients.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        Self(CertifiedIssuer::self_signed(params, key).expect("an authority"))
    }

    /// Writes its certificate to a file.
    pub(crate) fn write(&self, directory: &Path) -> String {
        let path = directory.join("clients.pem");
        std::fs::write(&path, self.0.as_ref().pem()).expect("a file");
        path.display().to_string()
    }

    /// A client's certificate and key.
    pub(crate) fn client(&self, name: &str) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
        let params = CertificateParams::new([name.to_owned()]).expect("parameters");
        let key = KeyPair::generate().expect("a key");
        let made = params.signed_by(&key, &self.0).expect("a certificate");
        let pem = key.serialize_pem();
        let key = PrivateKeyDer::from_pem_slice(pem.as_bytes()).expect("a key");
        (made.der().clone(), key)
    }
}

/// A client and what it remembers of earlier connections.
#[derive(Clone)]
pub(crate) struct Tls(TlsConnector);

impl Tls {
    /// A client that believes these certificates, speaks these versions, and shows a certificate
    /// if it has one.
    pub(crate) fn new(
        believed: &[&CertificateDer<'static>],
        versions: &[&'static SupportedProtocolVersion],
        own: Option<(CertificateDer<'static>, PrivateKeyDer<'static>)>,
    ) -> Self {
        let mut roots = RootCertStore::empty();
        for certificate in believed {
            roots.add((*certificate).clone()).expect("a certificate");
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider);
        let builder = builder.with_protocol_versions(versions).expect("versions");
        let builder = builder.with_root_certificates(roots);
        let config = match own {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => builder
                .with_client_auth_cert(vec![certificate], key)
                .expect("a certificate and its key"),
        };
        Self(TlsConnector::from(Arc::new(config)))
    }

    /// Connects, asks for a name, sends a request, and reads the answer to the connection's end.
    ///
    /// # Errors
    /// TLS fails, now or when the answer is read.
    pub(crate) async fn ask(
        &self,
        address: SocketAddr,
        name: &str,
        request: &str,
    ) -> io::Result<Told> {
        let asking = async {
            let socket = TcpStream::connect(address).await?;
            let name = ServerName::try_from(name.to_owned()).expect("a name");
            let mut stream = Box::pin(self.0.connect(name, socket)).await?;
            stream.write_all(request.as_bytes()).await?;
            let mut text = Vec::new();
            let read = stream.read_to_end(&mut text).await;
            let (_, state) = stream.get_ref();
            let told = Told {
                text: String::from_utf8_lossy(&text).into_owned(),
                kind: state.handshake_kind(),
                version: state.protocol_version(),
                shown: state
                    .peer_certificates()
                    .and_then(|chain| chain.first())
                    .map(|shown| shown.clone().into_owned()),
            };
            if told.text.is_empty() {
                read?;
            }
            Ok(told)
        };
        within("an answer over TLS", asking).await
    }
}

/// What came of a connection.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) text: String,
    pub(crate) kind: Option<HandshakeKind>,
    pub(crate) version: Option<rustls::ProtocolVersion>,
    /// The certificate that the gateway showed.
    pub(crate) shown: Option<CertificateDer<'static>>,
}

impl Told {
    /// The status of the answer; zero where there is none.
    pub(crate) fn status(&self) -> u16 {
        let status = self.text.split(' ').nth(1);
        status.and_then(|status| status.parse().ok()).unwrap_or(0)
    }
}

/// Asks whether the gateway is alive, on a connection that ends with the answer.
pub(crate) const HEALTH: &str =
    "GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
