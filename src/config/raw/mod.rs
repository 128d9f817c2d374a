//! The configuration file as it is written: one type for each block of it.
//!
//! Decides which keys exist, what stands there when nothing is written, and which words and
//! numbers a key takes; the JSON Schema, and with it `config::shape`, follows from these types.
//! Nothing here is judged further: quantities, addresses and references are texts until
//! `config::compile` has read them. Nothing outside `config` sees these types.

mod gateway;
mod inspection;
mod limits;
mod scalar;
mod server;
mod upstream;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) use gateway::{
    RawAlerts, RawAuth, RawAuthMode, RawBruteForce, RawClientCertificate, RawCors, RawLevel,
    RawLogFormat, RawLogging, RawSecurityHeaders, RawSelftest, RawSeverity, RawSizeLimits,
    RawTelemetry, RawTokens,
};
pub(super) use inspection::{
    RawBodyMode, RawHandling, RawInspection, RawResponse, RawSanitization, RawToolCalls,
    RawUninspectable, RawVerdict,
};
pub(super) use limits::{RawBlock, RawKeyLimit, RawRateLimits, RawSettings};
pub(super) use scalar::{RateText, SECRET_MARK, SecretText, SizeText, SpanText};
pub(super) use server::{RawListener, RawListenerTls, RawServe, RawServer, RawTlsVersion};
pub(super) use upstream::{
    RawApi, RawBalance, RawEndpoint, RawOnExceeded, RawProvider, RawProviderTimeouts, RawRoute,
};

/// The configuration of Portcullis. Unknown keys are errors; every value has a default that is
/// safe on an edge host.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "Portcullis")]
pub(super) struct RawConfig {
    /// Listening, threads, deadlines and head limits.
    pub server: RawServer,
    /// Who may call.
    pub auth: RawAuth,
    /// How often callers may call.
    pub rate_limits: RawRateLimits,
    /// How large a body may be, by its declared type and by path.
    pub size_limits: RawSizeLimits,
    /// What is looked for in requests and answers.
    pub inspection: RawInspection,
    /// Headers set on every answer.
    pub security_headers: RawSecurityHeaders,
    /// Which web origins may call from a browser.
    pub cors: RawCors,
    /// The services that requests are forwarded to.
    pub providers: Vec<RawProvider>,
    /// Which providers serve which models; the first match wins.
    pub routes: Vec<RawRoute>,
    /// What is written down, and where.
    pub logging: RawLogging,
    /// Who is told of security events.
    pub alerts: RawAlerts,
    /// How the gateway tries its own controls.
    pub selftest: RawSelftest,
    /// Where traces are sent.
    pub telemetry: RawTelemetry,
    /// An older spelling of two limits, still read.
    pub settings: RawSettings,
}
