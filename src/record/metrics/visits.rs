//! Connections: how many are open, and how many were turned away.
//!
//! Decides their names. Why a connection is turned away is decided at the entrance.

use prometheus::{Error, IntCounter, IntGauge, Registry};

use super::{counters, gauge};

/// Why a connection ended before there was a request, or without one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TurnedAway {
    /// Its address is blocked.
    Blocked,
    /// Its address opens connections far faster than its limit on requests allows.
    Flood,
    /// There are as many connections as there may be.
    Full,
    /// There are as many of its address as there may be.
    FullOfAddress,
    /// No TLS could be agreed upon, no client certificate that is believed was shown, or the client
    /// left before either.
    Handshake,
    /// The TLS handshake took too long.
    HandshakeLate,
    /// A request's head took too long.
    HeadLate,
}

impl TurnedAway {
    const ALL: [Self; 7] = [
        Self::Blocked,
        Self::Flood,
        Self::Full,
        Self::FullOfAddress,
        Self::Handshake,
        Self::HandshakeLate,
        Self::HeadLate,
    ];

    const fn label(self) -> &'static str {
        match self {
            Self::Blocked => "blocked",
            Self::Flood => "flood",
            Self::Full => "connections",
            Self::FullOfAddress => "connections_per_address",
            Self::Handshake => "tls",
            Self::HandshakeLate => "tls_timeout",
            Self::HeadLate => "header_timeout",
        }
    }
}

/// The metrics of connections.
pub(super) struct Visits {
    turned_away: Vec<(TurnedAway, IntCounter)>,
    open: IntGauge,
}

impl Visits {
    pub(super) fn new(registry: &Registry) -> Result<Self, Error> {
        let turned_away = counters(
            registry,
            "proxy_api_connections_refused_total",
            "Connections that ended before there was a request, by reason.",
            &["reason"],
        )?;
        let counter = |why: TurnedAway| (why, turned_away.with_label_values(&[why.label()]));
        Ok(Self {
            turned_away: TurnedAway::ALL.map(counter).into(),
            open: gauge(registry, "proxy_api_open_connections", "Connections.")?,
        })
    }

    pub(super) fn turn_away(&self, why: TurnedAway) {
        let counter = self.turned_away.iter().find(|(one, _)| *one == why);
        if let Some((_, counter)) = counter {
            counter.inc();
        }
    }

    pub(super) fn show_open(&self, open: u32) {
        self.open.set(i64::from(open));
    }
}
