//! The door: who is turned away before a byte is read.
//!
//! Decides, by the ledger, whether a connection is taken: a blocked address is dropped at accept,
//! before TLS. Proxies that are trusted to name their clients are let in, as many clients share
//! them, and so are addresses that may operate the gateway, so that a block of theirs can be
//! lifted; either is answered with 403 instead.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use pingora::listeners::ConnectionFilter;

use super::clock;
use crate::admit::ledger::Ledger;
use crate::identify::source;
use crate::proxy::Snapshot;

/// Turns blocked addresses away at accept.
pub(crate) struct Door {
    pub(crate) snapshot: Arc<ArcSwap<Snapshot>>,
    pub(crate) ledger: Arc<Ledger>,
}

impl fmt::Debug for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Door")
    }
}

impl Door {
    fn is_open_to(&self, peer: SocketAddr) -> bool {
        let blocks = &self.ledger.blocks;
        if blocks.is_blocked(peer.ip(), clock::moment()).is_none() {
            return true;
        }
        let snapshot = self.snapshot.load();
        let policy = &snapshot.policy;
        source::within(&policy.trusted_proxies, peer.ip())
            || source::within(&policy.auth.internal_allow, peer.ip())
    }
}

#[async_trait]
impl ConnectionFilter for Door {
    async fn should_accept(&self, peer: Option<&SocketAddr>) -> bool {
        peer.is_none_or(|peer| self.is_open_to(*peer))
    }
}
