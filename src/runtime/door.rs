//! The door: who is turned away before a byte is read.
//!
//! Decides, by the ledger, whether a connection is taken: one of a blocked address, or of one that
//! opens a flood of them, is dropped at accept, before TLS. Proxies that are trusted to name their
//! clients are let in, as many clients share them, and so are addresses that may operate the
//! gateway, so that a block of theirs can be lifted; either is answered with 403 instead.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use pingora::listeners::ConnectionFilter;

use super::arrivals::Listening;
use super::clock;
use super::flood::Sketch;
use crate::admit::client::Client;
use crate::admit::flood;
use crate::admit::ledger::Ledger;
use crate::identify::source;
use crate::proxy::Snapshot;
use crate::record::metrics::{Metrics, TurnedAway};

/// Turns addresses away at accept.
pub(crate) struct Door {
    pub(crate) snapshot: Arc<ArcSwap<Snapshot>>,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) sketch: Sketch,
    pub(super) listening: Listening,
}

impl fmt::Debug for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Door")
    }
}

impl Door {
    /// Why a connection of this peer is turned away; none: it is taken.
    fn turned_away(&self, peer: SocketAddr) -> Option<TurnedAway> {
        let (address, now) = (peer.ip(), clock::moment());
        let client = Client::of(address);
        let blocked = self.ledger.blocks.is_blocked(address, now).is_some();
        let suspected = self.sketch.suspects(client, now);
        if !blocked && !suspected {
            return None;
        }
        let snapshot = self.snapshot.load();
        let policy = &snapshot.policy;
        if source::within(&policy.trusted_proxies, address)
            || source::within(&policy.auth.internal_allow, address)
        {
            return None;
        }
        if blocked {
            return Some(TurnedAway::Blocked);
        }
        let requests = policy.limits.per_ip.as_ref()?;
        let is_flood = flood::is_flood(client, requests, &self.ledger, now);
        is_flood.then_some(TurnedAway::Flood)
    }
}

#[async_trait]
impl ConnectionFilter for Door {
    async fn should_accept(&self, peer: Option<&SocketAddr>) -> bool {
        let turned_away = peer.and_then(|peer| self.turned_away(*peer));
        if let Some(why) = turned_away {
            self.metrics.turned_away(why);
        }
        let taken = turned_away.is_none();
        if taken {
            self.listening.accepted();
        }
        taken
    }
}
