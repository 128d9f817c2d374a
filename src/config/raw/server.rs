//! The `server` block.
//!
//! Decides names, words and defaults. Addresses and files are looked at by `compile::server`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{SizeText, SpanText};

/// Listening, threads, deadlines and head limits.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "Server")]
pub(in crate::config) struct RawServer {
    /// Where the gateway listens. None: 127.0.0.1:8080, for the machine itself only.
    pub listeners: Vec<RawListener>,
    /// Threads; 0: one per core.
    #[schemars(range(max = 1024))]
    pub workers: u16,
    /// Loads the configuration anew when one of its files has changed: this one, keys, rules,
    /// certificates, secrets.
    pub watch: bool,
    /// Addresses and networks that may say who the client is (X-Forwarded-For, Forwarded).
    pub trusted_proxies: Vec<String>,
    /// How long clients may take.
    pub timeouts: RawClientTimeouts,
    /// How much clients may send in a request's head, and how many may be connected.
    pub limits: RawHeadLimits,
    /// How the gateway stops.
    pub shutdown: RawShutdown,
    /// The folder for what must survive a restart, such as the counts of the day. Not written:
    /// the folder that systemd gives (`StateDirectory=`), if it gives one.
    pub state_dir: Option<String>,
}

impl Default for RawServer {
    fn default() -> Self {
        Self {
            listeners: vec![RawListener::loopback()],
            workers: 0,
            watch: false,
            trusted_proxies: Vec::new(),
            timeouts: RawClientTimeouts::default(),
            limits: RawHeadLimits::default(),
            shutdown: RawShutdown::default(),
            state_dir: None,
        }
    }
}

/// One listening address.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Listener")]
pub(in crate::config) struct RawListener {
    /// Address and port, such as `0.0.0.0:8443` or `[::]:8443`.
    pub address: String,
    /// Answers 308 to the https address and nothing else.
    #[serde(default)]
    pub redirect_to_https: bool,
    /// The port that clients are sent to; by default that of the first listener with `tls`.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub redirect_port: Option<u16>,
    /// What is served here; by default all three.
    #[serde(default = "all_groups")]
    pub serve: Vec<RawServe>,
    /// Certificate and key, where TLS is spoken.
    #[serde(default)]
    pub tls: Option<RawListenerTls>,
}

impl RawListener {
    /// The listener that stands where none is written.
    pub(in crate::config) fn loopback() -> Self {
        Self {
            address: "127.0.0.1:8080".to_owned(),
            redirect_to_https: false,
            redirect_port: None,
            serve: all_groups(),
            tls: None,
        }
    }
}

fn all_groups() -> Vec<RawServe> {
    vec![RawServe::Api, RawServe::Internal, RawServe::Health]
}

/// A group of paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Serve")]
pub(in crate::config) enum RawServe {
    /// `/v1/…`.
    Api,
    /// `/internal/…` and `/metrics`.
    Internal,
    /// `/health` and `/ready`.
    Health,
}

/// Files of a TLS listener.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ListenerTls")]
pub(in crate::config) struct RawListenerTls {
    /// PEM certificate chain; relative to the configuration file's directory.
    pub certificate: String,
    /// PEM private key; relative to the configuration file's directory.
    pub private_key: String,
    /// Further certificates, each shown to clients that ask for one of its names. To all others
    /// the first one is shown.
    #[serde(default)]
    pub also: Vec<RawCertificate>,
    /// Oldest TLS version that is spoken; by default 1.2.
    #[serde(default)]
    pub min_version: Option<RawTlsVersion>,
    /// PEM certificates of the authorities of whose client certificates every connection must
    /// show one; relative to the configuration file's directory.
    #[serde(default)]
    pub client_ca: Option<String>,
}

/// A certificate and its key.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Certificate")]
pub(in crate::config) struct RawCertificate {
    /// PEM certificate chain; relative to the configuration file's directory.
    pub certificate: String,
    /// PEM private key; relative to the configuration file's directory.
    pub private_key: String,
}

/// A version of TLS.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, JsonSchema)]
#[schemars(rename = "TlsVersion")]
pub(in crate::config) enum RawTlsVersion {
    /// TLS 1.2.
    #[serde(rename = "1.2")]
    V12,
    /// TLS 1.3.
    #[serde(rename = "1.3")]
    V13,
}

/// How long clients may take.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "ClientTimeouts")]
pub(in crate::config) struct RawClientTimeouts {
    /// For a request's head to arrive, from its first byte on; for the first one of a connection
    /// from the connection's begin, and for the TLS handshake before it.
    pub header: SpanText,
    /// Longest pause within a request's body.
    pub body_idle: SpanText,
    /// For a request's whole body to arrive.
    pub body: SpanText,
    /// How long an idle connection is kept.
    pub keepalive: SpanText,
}

impl Default for RawClientTimeouts {
    fn default() -> Self {
        Self {
            header: SpanText::new("10s"),
            body_idle: SpanText::new("30s"),
            body: SpanText::new("10m"),
            keepalive: SpanText::new("60s"),
        }
    }
}

/// Limits on a request's head and on connections.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "HeadLimits")]
pub(in crate::config) struct RawHeadLimits {
    /// Most connections at once, of listeners that serve the API; all others together have as
    /// many of their own.
    #[schemars(range(min = 1))]
    pub connections: u32,
    /// Most connections at once of one address (IPv4), or one /64 (IPv6). Trusted proxies may have
    /// any number.
    #[schemars(range(min = 1))]
    pub connections_per_address: u32,
    /// Names, values and separators of all header fields together; at most 1MiB.
    pub header_bytes: SizeText,
    /// Number of header fields; the server below stops at 256.
    #[schemars(range(min = 1, max = 256))]
    pub headers: u16,
    /// Bytes of the request target; at most 1MiB.
    pub uri_bytes: SizeText,
    /// Bytes of request bodies that the process holds at a time, all clients together; beyond it
    /// requests are answered with 503.
    pub bytes_in_flight: SizeText,
    /// Bytes of a request's body that must arrive a second, on average after the first
    /// `timeouts.body_idle`; null: none.
    pub min_body_rate: Option<SizeText>,
}

impl Default for RawHeadLimits {
    fn default() -> Self {
        Self {
            connections: 20_000,
            connections_per_address: 10_000,
            header_bytes: SizeText::new("32KiB"),
            headers: 100,
            uri_bytes: SizeText::new("8KiB"),
            bytes_in_flight: SizeText::new("256MiB"),
            min_body_rate: Some(SizeText::new("512B")),
        }
    }
}

/// How the gateway stops.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "Shutdown")]
pub(in crate::config) struct RawShutdown {
    /// How long requests in flight may go on after the order to stop.
    pub drain: SpanText,
}

impl Default for RawShutdown {
    fn default() -> Self {
        Self {
            drain: SpanText::new("30s"),
        }
    }
}
