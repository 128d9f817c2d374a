//! Connections to providers that Pingora's own connector does not make as we want them.
//!
//! Lives here: the connector, and the stream that sends a request's head with its body. Must not
//! live here: where a connection goes, or whether it is kept: Pingora's pool keeps them.

mod joined;

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use async_trait::async_trait;
use pingora::Result;
use pingora::connectors::http::custom::{Connection, Connector};
use pingora::connectors::{ConnectorOptions, TransportConnector};
use pingora::protocols::ALPN;
use pingora::protocols::tls::CustomALPN;
use pingora::server::configuration::ServerConf;
use pingora::upstreams::peer::{HttpPeer, Peer};

use joined::Joined;

/// Says to Pingora that a peer's connection is made by [`Dialler`]. It is never spoken: peers with
/// TLS agree on HTTP/2 or HTTP/1.1 with Pingora's own connector.
static OURS: LazyLock<ALPN> =
    LazyLock::new(|| ALPN::Custom(CustomALPN::new(b"portcullis/joined".to_vec())));

/// Has a peer's connection made by [`Dialler`], where one helps: a network connection without TLS.
/// Only a proxy that was given a [`Dialler`] knows what to do with such a peer.
pub(crate) fn ask_for(peer: &mut HttpPeer) {
    if !peer.is_tls() && peer.options.custom_l4.is_none() {
        peer.options.alpn = OURS.clone();
    }
}

/// Makes plain connections over which the head of a request goes out with its body.
///
/// Pingora speaks HTTP/1.1 over them and keeps them in its own pool, where it looks first.
pub(crate) struct Dialler(TransportConnector);

impl Dialler {
    pub(crate) fn new(conf: &Arc<ServerConf>) -> Self {
        let options = ConnectorOptions::from_server_conf(conf);
        Self(TransportConnector::new(Some(options)))
    }
}

#[async_trait]
impl Connector for Dialler {
    /// There are none: what is made here is a stream, over which Pingora speaks HTTP/1.1.
    type Session = ();

    async fn get_http_session<P: Peer + Send + Sync + 'static>(
        &self,
        peer: &P,
    ) -> Result<(Connection<()>, bool)> {
        // Eight KiB that each attempt would carry, for the few that connect.
        let stream = Box::pin(self.0.new_stream(peer)).await?;
        Ok((Connection::Stream(Box::new(Joined::new(stream))), false))
    }

    async fn reused_http_session<P: Peer + Send + Sync + 'static>(&self, _: &P) -> Option<()> {
        None
    }

    async fn release_http_session<P: Peer + Send + Sync + 'static>(
        &self,
        (): (),
        _: &P,
        _: Option<Duration>,
    ) {
    }
}
