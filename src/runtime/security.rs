//! The TLS of endpoints that have something special about it, in Pingora's types.
//!
//! Decides nothing: the files were read and parsed with the configuration.

use std::sync::Arc;

use pingora::protocols::tls::CaType;
use pingora::upstreams::peer::HttpPeer;
use pingora::utils::tls::{CertKey, WrappedX509, parse_x509};

use crate::policy::upstream::EndpointTls;

/// What an endpoint's TLS is made with.
pub(crate) struct Security {
    authorities: Option<Arc<CaType>>,
    client: Option<Arc<CertKey>>,
}

impl Security {
    /// Takes the certificates over.
    pub(crate) fn new(tls: &EndpointTls) -> Self {
        let wrapped = |der: &Vec<u8>| WrappedX509::new(der.clone(), parse_x509);
        let authorities: Vec<WrappedX509> = tls.authorities.iter().map(wrapped).collect();
        let client = tls.client.as_ref();
        Self {
            authorities: (!authorities.is_empty()).then(|| authorities.into()),
            client: client.map(|own| Arc::new(CertKey::new(own.chain.clone(), own.key.clone()))),
        }
    }

    /// Has a peer use them.
    pub(crate) fn apply(&self, peer: &mut HttpPeer) {
        peer.options.ca.clone_from(&self.authorities);
        peer.client_cert_key.clone_from(&self.client);
    }
}
