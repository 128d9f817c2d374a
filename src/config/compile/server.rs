//! Listeners, deadlines, head limits.
//!
//! Decides whether addresses can be bound side by side, and where those that redirect send their
//! clients. TLS files are looked at by `tls`.

use std::net::SocketAddr;

use super::{Compiler, KeyPath, quoted};
use crate::config::raw::{RawListener, RawServe, RawServer};
use crate::policy::units::{ByteLimit, Span};
use crate::policy::{ClientTimeouts, ConnectionLimits, HeadLimits, Listener, Serve, SizeLimits};

/// Largest head that the server below takes.
const MAX_HEAD_BYTES: u64 = 1_048_576;

impl Compiler<'_> {
    /// How long a stop waits for what is in flight.
    pub(super) fn drain(&mut self, raw: &RawServer) -> Option<Span> {
        self.span(&KeyPath::of("server.shutdown.drain"), &raw.shutdown.drain)
    }

    pub(super) fn listeners(&mut self, server: &RawServer) -> Option<Vec<Listener>> {
        let at = KeyPath::of("server.listeners");
        let standard = [RawListener::loopback()];
        let written = if server.listeners.is_empty() {
            &standard
        } else {
            server.listeners.as_slice()
        };
        let mut listeners: Vec<Listener> = Vec::with_capacity(written.len());
        for (index, raw) in written.iter().enumerate() {
            let at = at.index(index);
            let listener = self.listener(&at, raw);
            let clash = listener.as_ref().and_then(|listener| {
                listeners
                    .iter()
                    .find(|other| overlap(other.address, listener.address))
            });
            if let Some(other) = clash {
                let problem = format!("{} overlaps with {}", raw.address, other.address);
                self.fault(
                    &at.key("address"),
                    problem,
                    "give each listener an address and port of its own",
                );
            }
            listeners.extend(listener);
        }
        let complete = listeners.len() == written.len();
        (complete && self.redirects(written, &mut listeners)).then_some(listeners)
    }

    fn listener(&mut self, at: &KeyPath, raw: &RawListener) -> Option<Listener> {
        let address = raw.address.parse::<SocketAddr>().ok();
        if address.is_none() {
            self.fault(
                &at.key("address"),
                format!("{} is not an address and a port", quoted(&raw.address)),
                "write one such as 127.0.0.1:8080, 0.0.0.0:8443 or \"[::]:8443\"",
            );
        }
        if raw.serve.is_empty() {
            self.fault(
                &at.key("serve"),
                "is empty, so nothing would be served",
                "write some of api, internal, health, or leave it out for all three",
            );
        }
        let tls = match &raw.tls {
            None => None,
            Some(tls) => Some(self.listener_tls(&at.key("tls"), tls)?),
        };
        Some(Listener {
            address: address?,
            serve: Serve {
                api: raw.serve.contains(&RawServe::Api),
                internal: raw.serve.contains(&RawServe::Internal),
                health: raw.serve.contains(&RawServe::Health),
            },
            tls,
            redirect: None,
        })
    }

    /// Where the listeners that only redirect send their clients.
    fn redirects(&mut self, raw: &[RawListener], listeners: &mut [Listener]) -> bool {
        let of_api = |one: &&Listener| one.tls.is_some() && one.serve.api;
        let with_tls = |one: &&Listener| one.tls.is_some();
        let secure = listeners.iter().find(of_api);
        let secure = secure.or_else(|| listeners.iter().find(with_tls));
        let port = secure.map(|listener| listener.address.port());
        let mut fine = true;
        for (index, (raw, listener)) in raw.iter().zip(listeners).enumerate() {
            let at = KeyPath::of("server.listeners").index(index);
            let at = at.key("redirect_to_https");
            if !raw.redirect_to_https {
                continue;
            }
            if listener.tls.is_some() {
                let problem = "this listener speaks TLS itself";
                self.fault(&at, problem, "remove it, or remove tls");
                fine = false;
            }
            listener.redirect = raw.redirect_port.or(port);
            if listener.redirect.is_none() {
                let problem = "there is no listener with tls to send clients to";
                let remedy = "give one a certificate, or write redirect_port";
                self.fault(&at, problem, remedy);
                fine = false;
            }
        }
        fine
    }

    pub(super) fn client_timeouts(&mut self, server: &RawServer) -> Option<ClientTimeouts> {
        let at = KeyPath::of("server.timeouts");
        let header = self.span(&at.key("header"), &server.timeouts.header);
        let body_idle = self.span(&at.key("body_idle"), &server.timeouts.body_idle);
        let body = self.span(&at.key("body"), &server.timeouts.body);
        let keepalive = self.span(&at.key("keepalive"), &server.timeouts.keepalive);
        let min_body_rate = match &server.limits.min_body_rate {
            None => None,
            Some(rate) => {
                let at = KeyPath::of("server.limits.min_body_rate");
                Some(self.size(&at, rate)?)
            }
        };
        Some(ClientTimeouts {
            header: header?,
            body_idle: body_idle?,
            body: body?,
            min_body_rate,
            keepalive: keepalive?,
        })
    }

    /// How many connections there may be.
    pub(super) fn connections(&mut self, server: &RawServer) -> Option<ConnectionLimits> {
        let at = KeyPath::of("server.limits");
        let (all, one) = (
            server.limits.connections,
            server.limits.connections_per_address,
        );
        for (key, count) in [("connections", all), ("connections_per_address", one)] {
            if count == 0 {
                let remedy = "write how many there may be, such as 20000";
                self.fault(&at.key(key), "must be more than zero", remedy);
            }
        }
        (all > 0 && one > 0).then_some(ConnectionLimits {
            all,
            per_address: one,
        })
    }

    pub(super) fn head(&mut self, server: &RawServer) -> Option<HeadLimits> {
        let at = KeyPath::of("server.limits");
        let header_bytes = self.head_bytes(&at.key("header_bytes"), &server.limits.header_bytes);
        let uri_bytes = self.head_bytes(&at.key("uri_bytes"), &server.limits.uri_bytes);
        Some(HeadLimits {
            header_bytes: header_bytes?,
            headers: usize::from(server.limits.headers),
            uri_bytes: uri_bytes?,
        })
    }

    /// The budget for bodies; one body of the permitted size must fit, or none would pass.
    pub(super) fn bytes_in_flight(
        &mut self,
        server: &RawServer,
        sizes: Option<&SizeLimits>,
    ) -> Option<ByteLimit> {
        let at = KeyPath::of("server.limits.bytes_in_flight");
        let budget = self.size(&at, &server.limits.bytes_in_flight)?;
        let json = sizes?.json;
        if budget < json {
            let json = json.get();
            self.fault(
                &at,
                format!("is less than size_limits.json ({json} bytes), so that not one would fit"),
                "write many times size_limits.json",
            );
            return None;
        }
        Some(budget)
    }

    fn head_bytes(
        &mut self,
        at: &KeyPath,
        text: &crate::config::raw::SizeText,
    ) -> Option<ByteLimit> {
        let limit = self.size(at, text)?;
        if limit.get() > MAX_HEAD_BYTES {
            self.fault(
                at,
                "is more than the server below takes in a head",
                "write at most 1MiB",
            );
            return None;
        }
        Some(limit)
    }
}

/// Whether two addresses can't both be bound. Port 0 stands for any free port.
fn overlap(one: SocketAddr, other: SocketAddr) -> bool {
    let family = one.is_ipv4() == other.is_ipv4();
    let hosts = one.ip() == other.ip() || one.ip().is_unspecified() || other.ip().is_unspecified();
    one.port() == other.port() && one.port() != 0 && family && hosts
}
