//! How listeners speak TLS: loaded and checked before anything listens, renewed in place.
//!
//! Decides that a certificate and a key belong together, which versions are spoken, and whose
//! client certificates are believed. Pingora's own settings speak 1.2 whatever is asked, so the
//! handshake is done with a configuration of our own. What is renewed holds for clients that
//! connect after it; connections that stand keep theirs.

mod names;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use pingora::listeners::tls::Acceptor;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::{Error as PemError, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{
    NoServerSessionStorage, ProducesTickets, ServerSessionMemoryCache, StoresServerSessions,
    VerifierBuilderError, WebPkiClientVerifier,
};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};
use thiserror::Error;

use crate::config::fault::Fault;
use crate::policy::{CertificateFiles, Listener, ListenerTls, TlsVersion};
use names::ByName;

/// Sessions of TLS 1.2 clients without tickets that can be resumed, for each listener.
const SESSIONS: usize = 1_024;

/// Why a listener can't speak TLS.
#[derive(Debug, Error)]
pub enum TlsFault {
    /// A file can't be read, or is no PEM of its kind.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: PemError,
    },
    /// The file holds no certificate.
    #[error("{0}: holds no certificate")]
    NoCertificate(PathBuf),
    /// The key is not the certificate's.
    #[error("{certificate} and {private_key} don't belong together: {source}")]
    Mismatch {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        private_key: PathBuf,
        /// What rustls says.
        source: rustls::Error,
    },
    /// A further certificate that no client can ask for.
    #[error("{0}: names no host, so that no client would be shown it")]
    NoName(PathBuf),
    /// The authorities of clients are of no use.
    #[error("{path}: no client's certificate can be checked by it: {source}")]
    Authority {
        /// The file.
        path: PathBuf,
        /// What rustls says.
        source: AuthorityFault,
    },
    /// The settings make no sense to rustls.
    #[error("the TLS listener can't be set up: {0}")]
    Settings(rustls::Error),
}

/// Why certificates can't be authorities.
#[derive(Debug, Error)]
pub enum AuthorityFault {
    /// One of them is no certificate of an authority.
    #[error(transparent)]
    Certificate(rustls::Error),
    /// All of them together are not enough.
    #[error(transparent)]
    Verifier(VerifierBuilderError),
}

impl From<TlsFault> for Fault {
    fn from(fault: TlsFault) -> Self {
        let (file, remedy) = match &fault {
            TlsFault::File { path, .. } => (path, "name a readable PEM file"),
            TlsFault::NoCertificate(path) => (path, "name a PEM file with a certificate"),
            TlsFault::Mismatch { certificate, .. } => (
                certificate,
                "name the certificate and the key that belong together",
            ),
            TlsFault::NoName(path) => (path, "name a certificate with a DNS name in it"),
            TlsFault::Authority { path, .. } => {
                (path, "name a PEM file with certificates of authorities")
            }
            TlsFault::Settings(_) => return Self::of_file("", fault.to_string(), "try again"),
        };
        Self::of_file(&file.display().to_string(), fault.to_string(), remedy)
    }
}

/// How a listener speaks TLS, which can be renewed while connections come in.
pub(crate) struct Speaker {
    acceptor: ArcSwap<Acceptor>,
    memory: Memory,
}

impl Speaker {
    /// What does the handshakes from now on.
    pub(crate) fn acceptor(&self) -> Arc<Acceptor> {
        self.acceptor.load_full()
    }
}

/// What lets clients resume a session. It stays when certificates are renewed.
#[derive(Debug, Clone)]
struct Memory {
    sessions: Arc<dyn StoresServerSessions>,
    tickets: Arc<dyn ProducesTickets>,
}

impl Memory {
    fn new() -> Result<Self, TlsFault> {
        Ok(Self {
            sessions: ServerSessionMemoryCache::new(SESSIONS),
            tickets: ring::Ticketer::new().map_err(TlsFault::Settings)?,
        })
    }
}

/// The listeners that speak TLS.
#[derive(Default)]
pub(crate) struct Certificates(Vec<(SocketAddr, Arc<Speaker>)>);

/// What has been loaded and is not in force yet, in the order of the listeners.
pub(crate) struct Renewed(Vec<Option<Arc<Acceptor>>>);

impl Certificates {
    /// How a listener is to speak TLS, with HTTP/2 and HTTP/1.1.
    ///
    /// # Errors
    /// Files that can't be read or don't belong together.
    pub(crate) fn speaker(
        &mut self,
        address: SocketAddr,
        tls: &ListenerTls,
    ) -> Result<Arc<Speaker>, TlsFault> {
        let memory = Memory::new()?;
        let acceptor = acceptor(tls, &memory)?;
        let speaker = Arc::new(Speaker {
            acceptor: ArcSwap::new(acceptor),
            memory,
        });
        self.0.push((address, Arc::clone(&speaker)));
        Ok(speaker)
    }

    /// Loads what a new configuration names.
    ///
    /// # Errors
    /// Files that can't be read or don't belong together.
    pub(crate) fn renewed(&self, listeners: &[Listener]) -> Result<Renewed, TlsFault> {
        let named = |address: SocketAddr| {
            let listener = listeners.iter().find(|one| one.address == address)?;
            listener.tls.as_ref()
        };
        let renewed = self.0.iter().map(|(address, speaker)| {
            let tls = named(*address);
            tls.map(|tls| acceptor(tls, &speaker.memory)).transpose()
        });
        renewed.collect::<Result<_, _>>().map(Renewed)
    }

    /// Shows the new certificates to clients that connect from now on.
    pub(crate) fn put_in_force(&self, renewed: Renewed) {
        for ((_, speaker), renewed) in self.0.iter().zip(renewed.0) {
            if let Some(acceptor) = renewed {
                speaker.acceptor.store(acceptor);
            }
        }
    }
}

fn acceptor(tls: &ListenerTls, memory: &Memory) -> Result<Arc<Acceptor>, TlsFault> {
    let provider = Arc::new(ring::default_provider());
    let versions: &[&SupportedProtocolVersion] = match tls.min_version {
        TlsVersion::V12 => &[&TLS13, &TLS12],
        TlsVersion::V13 => &[&TLS13],
    };
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(versions)
        .map_err(TlsFault::Settings)?;
    let builder = match &tls.client_ca {
        None => builder.with_no_client_auth(),
        Some(path) => builder.with_client_cert_verifier(verifier(path, &provider)?),
    };
    let mut config = builder.with_cert_resolver(Arc::new(by_name(tls, &provider)?));
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    if tls.client_ca.is_some() {
        // A session that is resumed shows no certificate, and would outlive its client's.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
    } else {
        config.session_storage = Arc::clone(&memory.sessions);
        config.ticketer = Arc::clone(&memory.tickets);
    }
    Ok(Arc::new(Acceptor::from_server_config(Arc::new(config))))
}

/// What asks each client for a certificate of one of these authorities.
fn verifier(
    path: &Path,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, TlsFault> {
    let fault = |source| TlsFault::Authority {
        path: path.to_owned(),
        source,
    };
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path)? {
        let added = roots.add(certificate);
        added.map_err(|error| fault(AuthorityFault::Certificate(error)))?;
    }
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
        .build()
        .map_err(|error| fault(AuthorityFault::Verifier(error)))
}

/// The certificates, each to be found by the names in it.
fn by_name(tls: &ListenerTls, provider: &CryptoProvider) -> Result<ByName, TlsFault> {
    let mut all = tls.certificates.iter();
    let first = all.next().map(|files| certified(files, provider));
    let mut found = ByName::new(first.transpose()?);
    for files in all {
        if !found.add(&certified(files, provider)?) {
            return Err(TlsFault::NoName(files.certificate.clone()));
        }
    }
    Ok(found)
}

fn certified(
    files: &CertificateFiles,
    provider: &CryptoProvider,
) -> Result<Arc<CertifiedKey>, TlsFault> {
    let chain = certificates(&files.certificate)?;
    let key =
        PrivateKeyDer::from_pem_file(&files.private_key).map_err(|source| TlsFault::File {
            path: files.private_key.clone(),
            source,
        })?;
    let certified = CertifiedKey::from_der(chain, key, provider).map_err(|source| {
        let (certificate, private_key) = (files.certificate.clone(), files.private_key.clone());
        TlsFault::Mismatch {
            certificate,
            private_key,
            source,
        }
    })?;
    Ok(Arc::new(certified))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsFault> {
    let fault = |source| TlsFault::File {
        path: path.to_owned(),
        source,
    };
    let chain: Vec<_> = CertificateDer::pem_file_iter(path)
        .map_err(fault)?
        .collect::<Result<_, _>>()
        .map_err(fault)?;
    if chain.is_empty() {
        Err(TlsFault::NoCertificate(path.to_owned()))
    } else {
        Ok(chain)
    }
}
