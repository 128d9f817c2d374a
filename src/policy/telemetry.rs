//! Where traces are sent, compiled.
//!
//! Holds values alone. What a span says is `record::trace`'s, sending it the runtime's.

use super::Endpoint;

/// A collector of traces, and the name under which they are sent there.
#[derive(Debug, Clone)]
pub struct Telemetry {
    /// The collector.
    pub collector: Endpoint,
    /// The path that spans are posted to.
    pub path: Box<str>,
    /// Whose spans they are.
    pub service_name: Box<str>,
}
