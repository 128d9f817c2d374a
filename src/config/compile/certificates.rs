//! Client certificates that stand for a key.
//!
//! Decides which key each one stands for. Whether a certificate is believed is the listener's to
//! decide, by its `client_ca`.

use super::{Compiler, KeyPath, quoted};
use crate::config::raw::RawClientCertificate;
use crate::identify::certificates::{Certificates, Fingerprint};
use crate::identify::keys::Keyring;
use crate::policy::Listener;

impl Compiler<'_> {
    pub(super) fn client_certificates(
        &mut self,
        raw: &[RawClientCertificate],
        keys: &Keyring,
        listeners: Option<&[Listener]>,
    ) -> Option<Certificates> {
        let at = KeyPath::of("auth.client_certificates");
        let asks = |one: &Listener| one.tls.as_ref().is_some_and(|tls| tls.client_ca.is_some());
        if !raw.is_empty() && !listeners?.iter().any(asks) {
            let problem = "no listener asks for client certificates";
            self.fault(&at, problem, "write tls.client_ca at a listener");
            return None;
        }
        let mut found = Certificates::default();
        let mut fine = true;
        for (index, one) in raw.iter().enumerate() {
            let at = at.index(index);
            let record = keys.by_id(&one.key);
            if record.is_none() {
                let problem = format!("there is no key {}", quoted(&one.key));
                self.fault(
                    &at.key("key"),
                    problem,
                    "name the id of a key in the keys file",
                );
            }
            let fingerprint = one.sha256.parse::<Fingerprint>().ok();
            if fingerprint.is_none() {
                let problem = format!("{} is no SHA-256", quoted(&one.sha256));
                let remedy = "write 64 hex digits, as `openssl x509 -noout -fingerprint -sha256 \
                              -in CERTIFICATE` shows them";
                self.fault(&at.key("sha256"), problem, remedy);
            }
            match (fingerprint, record) {
                (Some(fingerprint), Some(record)) => {
                    if !found.add(fingerprint, record) {
                        let remedy = "keep one of the two";
                        self.fault(&at.key("sha256"), "is there twice", remedy);
                        fine = false;
                    }
                }
                (Some(_) | None, _) => fine = false,
            }
        }
        fine.then_some(found)
    }
}
