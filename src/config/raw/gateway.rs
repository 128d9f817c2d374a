//! The blocks `auth`, `size_limits`, `security_headers`, `cors`, `logging`, `alerts` and
//! `telemetry`.
//!
//! Decides names, words and defaults; nothing is judged further here.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{SecretText, SizeText, SpanText};

/// Who may call.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "Auth")]
pub(in crate::config) struct RawAuth {
    /// Whether a key is asked for.
    pub mode: RawAuthMode,
    /// The file of hashed keys, relative to the configuration file's directory. Not written:
    /// keys.yaml, if there is one.
    pub keys_file: Option<String>,
    /// The secret of this host under which `hmac-sha256` hashes of the keys file were made.
    pub pepper: Option<SecretText>,
    /// Headers that may carry a key, in the order they are looked at.
    pub headers: Vec<String>,
    /// Time-limited tokens.
    pub tokens: RawTokens,
    /// When an address that guesses keys is blocked.
    pub brute_force: RawBruteForce,
    /// Addresses and networks to which `/internal/` exists.
    pub internal_allow: Vec<String>,
    /// Client certificates that stand for a key, where a request brings none: see
    /// `server.listeners[].tls.client_ca`.
    pub client_certificates: Vec<RawClientCertificate>,
}

/// A client certificate that stands for a key.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ClientCertificate")]
pub(in crate::config) struct RawClientCertificate {
    /// The SHA-256 of the certificate: 64 hex digits, with or without colons between bytes.
    pub sha256: String,
    /// The id of the key that it stands for.
    pub key: String,
}

impl Default for RawAuth {
    fn default() -> Self {
        Self {
            mode: RawAuthMode::Required,
            keys_file: None,
            pepper: None,
            headers: ["authorization", "x-api-key", "api-key"]
                .map(str::to_owned)
                .to_vec(),
            tokens: RawTokens::default(),
            brute_force: RawBruteForce::default(),
            internal_allow: ["127.0.0.0/8", "::1/128"].map(str::to_owned).to_vec(),
            client_certificates: Vec::new(),
        }
    }
}

/// Whether a key is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "AuthMode")]
pub(in crate::config) enum RawAuthMode {
    /// Every request needs a key.
    Required,
    /// No keys asked for; refused unless every listener is loopback.
    Development,
}

/// Time-limited tokens.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "Tokens")]
pub(in crate::config) struct RawTokens {
    /// The secret that signs tokens of this gateway's own. Not written: the file beside the keys
    /// file that `portcullis keys token` makes, if there is one.
    pub hmac_secret: Option<SecretText>,
    /// Keys of an identity provider, as a JSON Web Key Set, relative to the configuration file's
    /// directory.
    pub jwks_file: Option<String>,
    /// The issuer that an identity provider's tokens must name.
    pub issuer: Option<String>,
    /// The audience that an identity provider's tokens must name.
    pub audience: Option<String>,
    /// Longest life of a token.
    pub max_ttl: Option<SpanText>,
    /// How far the clock of an identity provider may be from ours; at most 5m.
    pub clock_skew: SpanText,
    /// The claim that holds the role: a name, or a path such as `realm_access.roles`.
    pub role_claim: String,
    /// The claim that holds the scopes.
    pub scope_claim: String,
}

impl Default for RawTokens {
    fn default() -> Self {
        Self {
            hmac_secret: None,
            jwks_file: None,
            issuer: None,
            audience: None,
            max_ttl: Some(SpanText::new("24h")),
            clock_skew: SpanText::new("30s"),
            role_claim: "role".to_owned(),
            scope_claim: "scope".to_owned(),
        }
    }
}

/// When an address that guesses keys is blocked.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "BruteForce")]
pub(in crate::config) struct RawBruteForce {
    /// How many failures.
    #[schemars(range(min = 1))]
    pub failures: u32,
    /// Within which time.
    pub within: SpanText,
    /// How long the block lasts.
    pub block_for: SpanText,
}

impl Default for RawBruteForce {
    fn default() -> Self {
        Self {
            failures: 5,
            within: SpanText::new("5m"),
            block_for: SpanText::new("1h"),
        }
    }
}

/// How large a body may be.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "SizeLimits")]
pub(in crate::config) struct RawSizeLimits {
    /// Bodies of no other kind.
    pub default: SizeText,
    /// application/json.
    pub json: SizeText,
    /// application/x-www-form-urlencoded.
    pub form: SizeText,
    /// multipart/form-data.
    pub file: SizeText,
    /// Path prefixes with a limit of their own; the longest prefix wins.
    pub paths: BTreeMap<String, SizeText>,
}

impl Default for RawSizeLimits {
    fn default() -> Self {
        Self {
            default: SizeText::new("10MiB"),
            json: SizeText::new("1MiB"),
            form: SizeText::new("5MiB"),
            file: SizeText::new("50MiB"),
            paths: BTreeMap::from([("/internal/".to_owned(), SizeText::new("64KiB"))]),
        }
    }
}

/// Headers set on every answer; null leaves one out.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "SecurityHeaders")]
pub(in crate::config) struct RawSecurityHeaders {
    /// Seconds of Strict-Transport-Security.
    pub hsts_max_age: Option<u64>,
    /// Content-Security-Policy.
    pub csp: Option<String>,
    /// X-Frame-Options.
    pub frame_options: Option<String>,
    /// X-Content-Type-Options.
    pub content_type_options: Option<String>,
    /// Referrer-Policy.
    pub referrer_policy: Option<String>,
}

impl Default for RawSecurityHeaders {
    fn default() -> Self {
        Self {
            hsts_max_age: Some(31_536_000),
            csp: Some("default-src 'none'".to_owned()),
            frame_options: Some("DENY".to_owned()),
            content_type_options: Some("nosniff".to_owned()),
            referrer_policy: Some("no-referrer".to_owned()),
        }
    }
}

/// Which web origins may call from a browser.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "Cors")]
pub(in crate::config) struct RawCors {
    /// Origins such as `https://app.example.com`.
    pub origins: Vec<String>,
}

/// What is written down, and where.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "Logging")]
pub(in crate::config) struct RawLogging {
    /// Least severe level that is written.
    pub level: RawLevel,
    /// JSON lines, or text for a terminal.
    pub format: RawLogFormat,
    /// The file, relative to the configuration file's directory; null: standard error.
    pub file: Option<String>,
    /// A file of its own for security events.
    pub security_file: Option<String>,
    /// The tamper-evident audit log.
    pub audit_file: Option<String>,
    /// Days after which log files that the gateway set aside are removed; null: never.
    pub retention_days: Option<u32>,
    /// When `file` and `security_file` are set aside under a name that says when.
    pub rotate: RawRotation,
    /// Whether secret shapes are masked in every line.
    pub mask_secrets: bool,
}

/// When a log file is set aside.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "Rotation")]
pub(in crate::config) struct RawRotation {
    /// When a day is over, in UTC.
    pub daily: bool,
    /// When it would become larger; null: never.
    pub size: Option<SizeText>,
}

impl Default for RawRotation {
    fn default() -> Self {
        Self {
            daily: true,
            size: None,
        }
    }
}

impl Default for RawLogging {
    fn default() -> Self {
        Self {
            level: RawLevel::Info,
            format: RawLogFormat::Json,
            file: None,
            security_file: None,
            audit_file: None,
            retention_days: Some(90),
            rotate: RawRotation::default(),
            mask_secrets: true,
        }
    }
}

/// How severe a log line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Level")]
pub(in crate::config) enum RawLevel {
    /// What went wrong.
    Error,
    /// What may go wrong.
    Warn,
    /// What happened.
    Info,
    /// What happened, in detail.
    Debug,
    /// Everything.
    Trace,
}

/// The shape of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "LogFormat")]
pub(in crate::config) enum RawLogFormat {
    /// One JSON object a line.
    Json,
    /// For people at a terminal.
    Text,
}

/// Who is told of security events.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "Alerts")]
pub(in crate::config) struct RawAlerts {
    /// Where alerts are posted to.
    pub webhook: Option<SecretText>,
    /// Least severity that is posted; by default high.
    pub min_severity: Option<RawSeverity>,
    /// What posts are signed with (HMAC-SHA-256), at least 16 characters.
    pub secret: Option<SecretText>,
}

/// How the gateway tries its own controls.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "Selftest")]
pub(in crate::config) struct RawSelftest {
    /// How often, at least 1s; null: never.
    pub every: Option<SpanText>,
    /// The key that it calls itself with.
    pub key: Option<SecretText>,
    /// The model that it names; by default the first that an embedded provider serves.
    pub model: Option<String>,
}

/// How grave an alert is.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Severity")]
pub(in crate::config) enum RawSeverity {
    /// To be looked at some day.
    Low,
    /// To be looked at.
    Medium,
    /// To be looked at today.
    High,
    /// To be looked at now.
    Critical,
}

/// Where traces are sent.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "Telemetry")]
pub(in crate::config) struct RawTelemetry {
    /// The collector.
    pub otlp_endpoint: Option<String>,
    /// The name that traces bear; by default portcullis.
    pub service_name: Option<String>,
}
