//! TLS of listeners.
//!
//! Decides whether files look like what they are to be. Whether certificate and key belong
//! together, only TLS itself can tell.

use std::path::PathBuf;

use super::{Compiler, KeyPath, Severity, open_to_all};
use crate::config::raw::{RawListenerTls, RawTlsVersion};
use crate::policy::{CertificateFiles, ListenerTls, TlsVersion};

const CERTIFICATE: &[&str] = &["-----BEGIN CERTIFICATE-----"];
const PRIVATE_KEY: &[&str] = &[
    "-----BEGIN PRIVATE KEY-----",
    "-----BEGIN RSA PRIVATE KEY-----",
    "-----BEGIN EC PRIVATE KEY-----",
];

impl Compiler<'_> {
    pub(super) fn listener_tls(
        &mut self,
        at: &KeyPath,
        raw: &RawListenerTls,
    ) -> Option<ListenerTls> {
        let first = self.certificate_files(at, &raw.certificate, &raw.private_key);
        let mut certificates = vec![first];
        for (index, one) in raw.also.iter().enumerate() {
            let at = at.key("also").index(index);
            certificates.push(self.certificate_files(&at, &one.certificate, &one.private_key));
        }
        let client_ca = match &raw.client_ca {
            None => None,
            Some(path) => Some(self.pem(&at.key("client_ca"), path, CERTIFICATE)?),
        };
        let certificates = certificates.into_iter().collect::<Option<Vec<_>>>();
        Some(ListenerTls {
            certificates: certificates?,
            min_version: match raw.min_version {
                None | Some(RawTlsVersion::V12) => TlsVersion::V12,
                Some(RawTlsVersion::V13) => TlsVersion::V13,
            },
            client_ca,
        })
    }

    fn certificate_files(
        &mut self,
        at: &KeyPath,
        certificate: &str,
        private_key: &str,
    ) -> Option<CertificateFiles> {
        let certificate = self.pem(&at.key("certificate"), certificate, CERTIFICATE);
        let private_key = self.pem(&at.key("private_key"), private_key, PRIVATE_KEY);
        Some(CertificateFiles {
            certificate: certificate?,
            private_key: private_key?,
        })
    }

    /// A PEM file that has one of the labels.
    fn pem(&mut self, at: &KeyPath, text: &str, labels: &[&str]) -> Option<PathBuf> {
        let path = self.path(text);
        let content = self.content(at, &path)?;
        let shown = path.display();
        let pem = String::from_utf8_lossy(&content.bytes);
        let has = |label: &str| pem.lines().any(|line| line.trim_end() == label);
        let begun = labels.iter().find(|label| has(label));
        let Some(label) = begun else {
            let (problem, remedy) = if has("-----BEGIN ENCRYPTED PRIVATE KEY-----") {
                (
                    "holds an encrypted key",
                    "decrypt it: openssl pkey -in OLD -out NEW",
                )
            } else {
                (
                    "does not hold what is wanted",
                    "are certificate and private_key swapped?",
                )
            };
            let wanted = labels.first().copied().unwrap_or_default();
            self.fault(
                at,
                format!("the file {shown} {problem}"),
                format!("name a PEM file with a line `{wanted}`; {remedy}"),
            );
            return None;
        };
        if !has(&label.replace("BEGIN", "END")) {
            self.fault(
                at,
                format!("the file {shown} is cut short: its `{label}` has no end"),
                "copy the whole PEM file",
            );
            return None;
        }
        if label.contains("PRIVATE KEY") && content.mode.is_some_and(open_to_all) {
            let advice = format!("anyone can read {shown}; chmod 600 it");
            self.finding("private_key_readable", Severity::High, at, advice);
        }
        Some(path)
    }
}
