//! The compiled, immutable policy: what a request is judged by from its start to its end.
//!
//! Lives here: the values that `config::compile` makes, and the closed set of refusals. Must not
//! live here: counters, locks, clocks, files (those are the ledger's and the runtime's), nor
//! anything of the configuration's raw form.

pub mod alerts;
pub mod denial;
pub mod inspection;
pub mod limits;
pub mod names;
pub mod overlay;
pub mod secret;
pub mod store;
pub mod telemetry;
pub mod units;
pub mod upstream;
pub mod web;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use http::{HeaderName, HeaderValue};
use ipnet::IpNet;

use crate::admit::connections::Purpose;
use crate::identify::certificates::Certificates;
use crate::identify::keys::Keyring;
use crate::identify::token::Verifier;
use crate::inspect::answer::AnswerPolicy;
use crate::inspect::engine::Inspector;
use alerts::Operations;
use inspection::InspectionSettings;
use limits::Limits;
use store::Store;
use telemetry::Telemetry;
use units::{ByteLimit, Span};

pub use denial::{Denial, KeyFault};
pub use upstream::{Api, Endpoint, EndpointOrder, Provider, ProviderTimeouts, Route};

/// Everything that decides about a request, compiled once and shared by all requests.
#[derive(Debug, Clone)]
pub struct Policy {
    /// The first 16 hex digits of the SHA-256 of the configuration as it took effect.
    pub hash: Box<str>,
    /// Where the server listens and what it serves there.
    pub listeners: Vec<Listener>,
    /// Threads; none: one per core.
    pub workers: Option<usize>,
    /// Whether the configuration is loaded anew when its files change.
    pub watch: bool,
    /// Only these peers may say who the client is.
    pub trusted_proxies: Vec<IpNet>,
    /// How long clients may take.
    pub timeouts: ClientTimeouts,
    /// How many connections there may be.
    pub connections: ConnectionLimits,
    /// How large a request's head may be.
    pub head: HeadLimits,
    /// How long requests in flight may go on after the order to stop.
    pub drain: Span,
    /// Who may call.
    pub auth: Auth,
    /// How large a body may be.
    pub sizes: SizeLimits,
    /// How often and how much callers may call.
    pub limits: Limits,
    /// Where what they used is kept.
    pub store: Store,
    /// Bytes of request bodies that the process holds at a time.
    pub bytes_in_flight: ByteLimit,
    /// How a request's body is read.
    pub request: RequestReading,
    /// What is looked for in requests.
    pub inspection: InspectionSettings,
    /// The same, compiled.
    pub inspector: Arc<Inspector>,
    /// What is looked for in answers.
    pub response: InspectionSettings,
    /// The same, compiled.
    pub response_inspector: Arc<Inspector>,
    /// What else is done to answers.
    pub answers: AnswerPolicy,
    /// Origins whose pages may read answers.
    pub cors: Cors,
    /// Headers set on every answer.
    pub security_headers: Vec<(HeaderName, HeaderValue)>,
    /// Providers, in the order of the file; routes point into this list.
    pub providers: Vec<Arc<Provider>>,
    /// Routes, first match wins.
    pub routes: Vec<Route>,
    /// What operators have ordered of endpoints; of two for one endpoint the later counts.
    pub endpoint_orders: Vec<EndpointOrder>,
    /// What is written down, and where.
    pub logging: Logging,
    /// Who is told of alerts, and what the gateway does for its operators.
    pub operations: Operations,
    /// Where traces are sent; none: nowhere.
    pub telemetry: Option<Telemetry>,
    /// Whether the description of the interface is served.
    pub internal_docs: bool,
}

/// Whose pages in a browser may read answers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cors {
    /// Origins such as `https://app.example.com`.
    pub origins: Vec<HeaderValue>,
    /// Any origin.
    pub any: bool,
}

impl Cors {
    /// Whether anybody's pages may.
    pub const fn is_on(&self) -> bool {
        self.any || !self.origins.is_empty()
    }

    /// Whether this origin's pages may.
    pub fn allows(&self, origin: &HeaderValue) -> bool {
        self.any || self.origins.contains(origin)
    }
}

/// One listening address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// Address and port.
    pub address: SocketAddr,
    /// What is served there.
    pub serve: Serve,
    /// Certificate and key, where TLS is spoken.
    pub tls: Option<ListenerTls>,
    /// The port of the https address that everybody is sent to, where nothing else is done.
    pub redirect: Option<u16>,
}

impl Listener {
    /// Whether a connection with this local address came in by it.
    pub fn takes(&self, local: SocketAddr) -> bool {
        Self::is_of(self.address, local)
    }

    /// Whether a connection with this local address came in by a listener bound so.
    pub fn is_of(bound: SocketAddr, local: SocketAddr) -> bool {
        let same_address =
            bound.ip().is_unspecified() || bound.ip().to_canonical() == local.ip().to_canonical();
        bound.port() == local.port() && same_address
    }

    /// What it is for, where connections are counted.
    pub const fn purpose(&self) -> Purpose {
        if self.serve.api && self.redirect.is_none() {
            Purpose::Api
        } else {
            Purpose::Other
        }
    }
}

/// Which groups of paths a listener serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Serve {
    /// `/v1/…`.
    pub api: bool,
    /// `/internal/…` and `/metrics`.
    pub internal: bool,
    /// `/health` and `/ready`.
    pub health: bool,
}

impl Serve {
    /// No group.
    pub const NONE: Self = Self {
        api: false,
        internal: false,
        health: false,
    };
    /// All groups: the default.
    pub const ALL: Self = Self {
        api: true,
        internal: true,
        health: true,
    };
}

/// How TLS is spoken on a listener; the files are checked to be certificates and keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenerTls {
    /// Certificates; the first one is shown where none is asked for by name.
    pub certificates: Vec<CertificateFiles>,
    /// Oldest version that is spoken.
    pub min_version: TlsVersion,
    /// PEM certificates of the authorities of clients; none: clients show no certificate.
    pub client_ca: Option<PathBuf>,
}

/// A certificate and its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFiles {
    /// PEM certificate chain.
    pub certificate: PathBuf,
    /// PEM private key.
    pub private_key: PathBuf,
}

/// A version of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsVersion {
    /// TLS 1.2.
    V12,
    /// TLS 1.3.
    V13,
}

/// How long clients may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientTimeouts {
    /// For a request's head, and for a TLS handshake.
    pub header: Span,
    /// Longest pause within a request's body.
    pub body_idle: Span,
    /// For a request's whole body.
    pub body: Span,
    /// Bytes of a body that must arrive a second, on average after the first `body_idle`.
    pub min_body_rate: Option<ByteLimit>,
    /// How long an idle connection is kept.
    pub keepalive: Span,
}

/// How many connections there may be at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// Of listeners that serve the API; the others have as many.
    pub all: u32,
    /// Of one address.
    pub per_address: u32,
}

/// Limits on a request's head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeadLimits {
    /// Names, values and their separators, in bytes.
    pub header_bytes: ByteLimit,
    /// Number of fields.
    pub headers: usize,
    /// Bytes of the request target.
    pub uri_bytes: ByteLimit,
}

/// Who may call.
#[derive(Debug, Clone)]
pub struct Auth {
    /// Whether a key is asked for.
    pub mode: AuthMode,
    /// The keys, by digest.
    pub keys: Arc<Keyring>,
    /// What verifies tokens; none: no token is taken.
    pub tokens: Option<Arc<Verifier>>,
    /// Client certificates that stand for a key.
    pub certificates: Certificates,
    /// Headers that may carry a credential, in the order they are looked at.
    pub headers: Vec<HeaderName>,
    /// Addresses to which `/internal/` exists.
    pub internal_allow: Vec<IpNet>,
    /// When a client that tries keys is blocked.
    pub brute_force: BruteForce,
}

/// When a client that tries keys is blocked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BruteForce {
    /// How many failures.
    pub failures: u32,
    /// Within which time.
    pub within: Span,
    /// How long the block lasts.
    pub block_for: Span,
}

/// Whether a key is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthMode {
    /// Every request needs a key.
    Required,
    /// No key is asked for; only ever on loopback.
    Development,
}

/// How large a body may be, by its declared type and by path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SizeLimits {
    /// Bodies of no other kind.
    pub default: ByteLimit,
    /// `application/json`.
    pub json: ByteLimit,
    /// `application/x-www-form-urlencoded`.
    pub form: ByteLimit,
    /// `multipart/form-data`.
    pub file: ByteLimit,
    /// Path prefixes with a limit of their own; the longest prefix wins.
    pub paths: Vec<(Box<str>, ByteLimit)>,
    /// Whether an emergency measure holds them lower than the configuration.
    pub reduced: bool,
}

/// How a request's body is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestReading {
    /// Whether JSON is judged whole or piece by piece.
    pub mode: BodyMode,
    /// Deepest nesting of JSON.
    pub max_json_depth: usize,
}

/// Whether a JSON body is judged before or while it is sent on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyMode {
    /// Read whole, judge, then connect.
    Hold,
    /// Sent on piece by piece with the newest piece held back; needs one route for all models.
    Stream,
}

/// What is written down, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logging {
    /// Least severe level that is written.
    pub level: log::LevelFilter,
    /// JSON lines, or text for a terminal.
    pub format: LogFormat,
    /// The file; none: standard error.
    pub file: Option<PathBuf>,
    /// A file of its own for security events.
    pub security_file: Option<PathBuf>,
    /// The tamper-evident audit log.
    pub audit_file: Option<PathBuf>,
    /// Days after which files that were set aside are removed; none: never.
    pub retention_days: Option<u32>,
    /// When a log file is set aside.
    pub rotate: Rotation,
    /// Whether secret shapes are masked in every line.
    pub mask_secrets: bool,
}

/// When a log file is set aside, and another one begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rotation {
    /// When a day is over, in UTC.
    pub daily: bool,
    /// When it would become larger.
    pub size: Option<ByteLimit>,
}

/// The shape of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people at a terminal.
    Text,
}
