//! Certificates of TLS listeners, loaded and checked before anything listens.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use pingora::listeners::tls::TlsSettings;
use rustls::pki_types::pem::{Error as PemError, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use thiserror::Error;

use crate::policy::ListenerTls;

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

/// The settings of a listener that speaks TLS 1.2 and 1.3, with HTTP/2 and HTTP/1.1.
///
/// # Errors
/// Files that can't be read or don't belong together; Pingora itself would panic on them.
pub(crate) fn settings(files: &ListenerTls) -> Result<TlsSettings, TlsFault> {
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
    let mut settings = TlsSettings::intermediate("", "").map_err(TlsFault::Settings)?;
    settings.set_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
    settings.enable_h2();
    Ok(settings)
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
