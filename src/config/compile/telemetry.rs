//! Where traces are sent.
//!
//! Decides that the collector's address is a plain URL. Whether anybody listens there is found
//! out when the first spans are sent, and stops nothing.

use super::upstream::{endpoint, is_loopback};
use super::{Compiler, KeyPath, Severity, quoted};
use crate::config::raw::RawTelemetry;
use crate::policy::telemetry::Telemetry;

/// Where a collector takes spans, below its address, as OTLP over HTTP has it.
const TRACES: &str = "/v1/traces";
/// The name of our spans where none is written.
const NAME: &str = "portcullis";
/// The longest name of a service, in bytes.
const LONGEST_NAME: usize = 255;

impl Compiler<'_> {
    /// None where no traces are sent.
    ///
    /// # Errors
    /// A fault was noted.
    pub(super) fn telemetry(&mut self, raw: &RawTelemetry) -> Result<Option<Telemetry>, ()> {
        let at = KeyPath::of("telemetry");
        let name = raw.service_name.as_deref().unwrap_or(NAME);
        if name.is_empty() || name.len() > LONGEST_NAME || name.chars().any(char::is_control) {
            self.fault(
                &at.key("service_name"),
                format!("{} is not a name", quoted(name)),
                "write a short name such as portcullis",
            );
            return Err(());
        }
        let Some(text) = &raw.otlp_endpoint else {
            return Ok(None);
        };
        let at = at.key("otlp_endpoint");
        match endpoint(text, 1) {
            Ok(collector) => {
                if !collector.tls && !is_loopback(&collector.host) {
                    let advice = "who called what and when crosses the network in the clear; \
                                  write https";
                    self.finding("telemetry_without_tls", Severity::Low, &at, advice);
                }
                let base = &*collector.base_path;
                let path = format!("{}{TRACES}", base.strip_suffix(TRACES).unwrap_or(base));
                Ok(Some(Telemetry {
                    path: path.into(),
                    collector,
                    service_name: name.into(),
                }))
            }
            Err((problem, _)) => {
                let remedy = "write a collector's address for OTLP over HTTP such as \
                              http://127.0.0.1:4318";
                self.fault(&at, problem, remedy);
                Err(())
            }
        }
    }
}
