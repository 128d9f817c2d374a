//! Which of several certificates a client is shown.
//!
//! Decides by the name that the client asks for (SNI): the certificate that names it, one with a
//! wildcard for it, or the first one. Whether a certificate is good is the client's to judge.

use std::collections::HashMap;
use std::sync::Arc;

use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use webpki::EndEntityCert;

/// Certificates by the names in them.
#[derive(Debug)]
pub(super) struct ByName {
    first: Option<Arc<CertifiedKey>>,
    named: HashMap<Box<str>, Arc<CertifiedKey>>,
}

impl ByName {
    /// The certificate that is shown where no other is asked for.
    pub(super) fn new(first: Option<Arc<CertifiedKey>>) -> Self {
        let mut all = Self {
            first: None,
            named: HashMap::new(),
        };
        if let Some(first) = &first {
            all.add(first);
        }
        Self { first, ..all }
    }

    /// Adds a certificate, for those of its names that no earlier one has. False: it names none.
    pub(super) fn add(&mut self, certified: &Arc<CertifiedKey>) -> bool {
        let names = names(certified);
        for name in &names {
            self.named
                .entry(name.clone())
                .or_insert_with(|| Arc::clone(certified));
        }
        !names.is_empty()
    }

    fn find(&self, asked: Option<&str>) -> Option<&Arc<CertifiedKey>> {
        let Some(name) = asked.map(str::to_ascii_lowercase) else {
            return self.first.as_ref();
        };
        let wildcard = || {
            let (_, parent) = name.split_once('.')?;
            self.named.get(format!("*.{parent}").as_str())
        };
        let found = self.named.get(name.as_str()).or_else(wildcard);
        found.or(self.first.as_ref())
    }
}

impl ResolvesServerCert for ByName {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.find(hello.server_name()).map(Arc::clone)
    }
}

/// The DNS names in a certificate, in lower case.
fn names(certified: &CertifiedKey) -> Vec<Box<str>> {
    let end = certified.cert.first();
    let Some(Ok(parsed)) = end.map(EndEntityCert::try_from) else {
        return Vec::new();
    };
    let names = parsed.valid_dns_names();
    names.map(|name| name.to_ascii_lowercase().into()).collect()
}
