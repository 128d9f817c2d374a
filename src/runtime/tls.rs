//! Certificates of TLS listeners: loaded and checked before anything listens, renewed in place.
//!
//! Decides that a certificate and a key belong together. A renewed pair is shown to clients that
//! connect after it; connections that stand keep theirs.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use pingora::listeners::tls::TlsSettings;
use rustls::pki_types::pem::{Error as PemError, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use thiserror::Error;

use crate::config::fault::Fault;
use crate::policy::{Listener, ListenerTls};

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
    /// Pingora refuses the settings.
    #[error("the TLS listener can't be set up: {0}")]
    Settings(Box<pingora::Error>),
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
            TlsFault::Settings(_) => return Self::of_file("", fault.to_string(), "try again"),
        };
        Self::of_file(&file.display().to_string(), fault.to_string(), remedy)
    }
}

/// The certificate of a listener, which can be renewed while connections come in.
#[derive(Debug)]
struct Renewable(ArcSwap<CertifiedKey>);

impl ResolvesServerCert for Renewable {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

/// The certificates of all listeners that speak TLS.
#[derive(Debug, Default)]
pub(crate) struct Certificates(Vec<(SocketAddr, Arc<Renewable>)>);

/// Certificates that have been loaded and are not in force yet, in the order of the listeners.
pub(crate) struct Renewed(Vec<Option<Arc<CertifiedKey>>>);

impl Certificates {
    /// The settings of a listener that speaks TLS 1.2 and 1.3, with HTTP/2 and HTTP/1.1.
    ///
    /// # Errors
    /// Files that can't be read or don't belong together; Pingora itself would panic on them.
    pub(crate) fn settings(
        &mut self,
        address: SocketAddr,
        files: &ListenerTls,
    ) -> Result<TlsSettings, TlsFault> {
        let certified = Arc::new(Renewable(ArcSwap::new(certified(files)?)));
        let mut settings = TlsSettings::intermediate("", "").map_err(TlsFault::Settings)?;
        settings.set_cert_resolver(Arc::<Renewable>::clone(&certified));
        settings.enable_h2();
        self.0.push((address, certified));
        Ok(settings)
    }

    /// Loads the certificates that a new configuration names.
    ///
    /// # Errors
    /// Files that can't be read or don't belong together.
    pub(crate) fn renewed(&self, listeners: &[Listener]) -> Result<Renewed, TlsFault> {
        let named = |address: SocketAddr| {
            let listener = listeners.iter().find(|one| one.address == address)?;
            listener.tls.as_ref()
        };
        let renewed = self
            .0
            .iter()
            .map(|(address, _)| named(*address).map(certified).transpose());
        renewed.collect::<Result<_, _>>().map(Renewed)
    }

    /// Shows the new certificates to clients that connect from now on.
    pub(crate) fn put_in_force(&self, renewed: Renewed) {
        for ((_, current), renewed) in self.0.iter().zip(renewed.0) {
            if let Some(certified) = renewed {
                current.0.store(certified);
            }
        }
    }
}

fn certified(files: &ListenerTls) -> Result<Arc<CertifiedKey>, TlsFault> {
    let chain = certificates(&files.certificate)?;
    let key =
        PrivateKeyDer::from_pem_file(&files.private_key).map_err(|source| TlsFault::File {
            path: files.private_key.clone(),
            source,
        })?;
    let provider = rustls::crypto::ring::default_provider();
    let certified = CertifiedKey::from_der(chain, key, &provider).map_err(|source| {
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
