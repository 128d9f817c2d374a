//! Listeners, deadlines, head limits.
//!
//! Decides whether addresses can be bound side by side and whether TLS files look like what they
//! are to be. Whether certificate and key belong together, only TLS itself can tell.

use std::net::SocketAddr;

use super::{Compiler, KeyPath, Severity, open_to_all, quoted};
use crate::config::raw::{RawListener, RawServe, RawServer};
use crate::policy::units::ByteLimit;
use crate::policy::{ClientTimeouts, HeadLimits, Listener, ListenerTls, Serve, SizeLimits};

/// Largest head that the server below takes.
const MAX_HEAD_BYTES: u64 = 1_048_576;

impl Compiler<'_> {
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
        (listeners.len() == written.len()).then_some(listeners)
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
            Some(tls) => {
                let at = at.key("tls");
                let certificate = self.pem(
                    &at.key("certificate"),
                    &tls.certificate,
                    &["-----BEGIN CERTIFICATE-----"],
                );
                let private_key = self.pem(
                    &at.key("private_key"),
                    &tls.private_key,
                    &[
                        "-----BEGIN PRIVATE KEY-----",
                        "-----BEGIN RSA PRIVATE KEY-----",
                        "-----BEGIN EC PRIVATE KEY-----",
                    ],
                );
                Some(ListenerTls {
                    certificate: certificate?,
                    private_key: private_key?,
                })
            }
        };
        Some(Listener {
            address: address?,
            serve: Serve {
                api: raw.serve.contains(&RawServe::Api),
                internal: raw.serve.contains(&RawServe::Internal),
                health: raw.serve.contains(&RawServe::Health),
            },
            tls,
        })
    }

    /// A PEM file that has one of the labels.
    fn pem(&mut self, at: &KeyPath, text: &str, labels: &[&str]) -> Option<std::path::PathBuf> {
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

    pub(super) fn client_timeouts(&mut self, server: &RawServer) -> Option<ClientTimeouts> {
        let at = KeyPath::of("server.timeouts");
        let body_idle = self.span(&at.key("body_idle"), &server.timeouts.body_idle);
        let keepalive = self.span(&at.key("keepalive"), &server.timeouts.keepalive);
        Some(ClientTimeouts {
            body_idle: body_idle?,
            keepalive: keepalive?,
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
