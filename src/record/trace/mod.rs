//! The spans of a request: where it stands in its caller's trace, and how its calls went.
//!
//! Decides which trace a request belongs to (W3C Trace Context, level 1) and what its spans say.
//! Ids are handed in, as are moments. It holds names, numbers and words of closed sets, and
//! nothing of what was sent or answered. A trace that its caller does not record is not recorded
//! here either; then the caller's own field goes on unchanged.

mod finished;
mod otlp;

use std::fmt;
use std::time::Duration;

pub use finished::Finished;
pub use otlp::write;

use crate::policy::names::ProviderName;
use crate::policy::{Api, Endpoint, Provider};

/// The id of a trace; never all zero.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TraceId([u8; 16]);

/// The id of a span; never all zero.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SpanId([u8; 8]);

impl TraceId {
    /// An id of these bytes; none where all are zero.
    pub fn new(bytes: [u8; 16]) -> Option<Self> {
        (bytes != [0; 16]).then_some(Self(bytes))
    }
}

impl SpanId {
    /// An id of these bytes; none where all are zero.
    pub fn new(bytes: [u8; 8]) -> Option<Self> {
        (bytes != [0; 8]).then_some(Self(bytes))
    }
}

fn hex(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex(&self.0, f)
    }
}

impl fmt::Debug for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex(&self.0, f)
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex(&self.0, f)
    }
}

impl fmt::Debug for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex(&self.0, f)
    }
}

/// What a caller says of its own trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parent {
    /// Its trace.
    pub trace: TraceId,
    /// Its span, which ours belong to.
    pub span: SpanId,
    /// Whether it records.
    pub sampled: bool,
}

impl Parent {
    /// Reads a `traceparent`; none where it is not well formed.
    pub fn parse(value: &[u8]) -> Option<Self> {
        let mut parts = value.splitn(5, |byte| *byte == b'-');
        let [version] = digits(parts.next()?)?;
        let trace = TraceId::new(digits(parts.next()?)?)?;
        let span = SpanId::new(digits(parts.next()?)?)?;
        let [flags] = digits(parts.next()?)?;
        // Later versions may say more behind it, the first one may not; ff is none.
        let known = match version {
            0 => parts.next().is_none(),
            0xff => false,
            _ => true,
        };
        known.then_some(Self {
            trace,
            span,
            sampled: flags & 1 == 1,
        })
    }
}

/// Exactly so many bytes in lower-case hex.
fn digits<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    let mut bytes = [0_u8; N];
    if text.len() != N.saturating_mul(2) {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        for digit in pair {
            let value = match digit {
                b'0'..=b'9' => digit.wrapping_sub(b'0'),
                b'a'..=b'f' => digit.wrapping_sub(b'a').wrapping_add(10),
                _ => return None,
            };
            *byte = byte.wrapping_shl(4) | value;
        }
    }
    Some(bytes)
}

/// The spans of a request under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// The trace that they belong to.
    pub id: TraceId,
    /// The caller's span, where it named one.
    pub parent: Option<SpanId>,
    /// The request's own span.
    pub span: SpanId,
    /// Its calls to providers, in their order.
    pub calls: Vec<Call>,
}

/// The span of one attempt at a provider. Moments are of the clock that does not jump.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    span: SpanId,
    provider: ProviderName,
    api: Api,
    host: Box<str>,
    port: u16,
    began: Duration,
    failed: Option<Failure>,
}

/// How an attempt failed that another one followed, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Failure {
    at: Duration,
    class: &'static str,
    status: Option<u16>,
}

impl Trace {
    /// The spans of a request that has just begun.
    pub const fn new(id: TraceId, parent: Option<SpanId>, span: SpanId) -> Self {
        Self {
            id,
            parent,
            span,
            calls: Vec::new(),
        }
    }

    /// An attempt begins.
    pub fn call(&mut self, span: SpanId, to: (&Provider, &Endpoint), now: Duration) {
        let (provider, endpoint) = to;
        self.calls.push(Call {
            span,
            provider: provider.name.clone(),
            api: provider.api,
            host: endpoint.host.clone(),
            port: endpoint.port,
            began: now,
            failed: None,
        });
    }

    /// The attempt that began last has failed.
    pub fn failed(&mut self, class: &'static str, status: Option<u16>, now: Duration) {
        if let Some(call) = self.calls.last_mut() {
            call.failed = Some(Failure {
                at: now,
                class,
                status,
            });
        }
    }

    /// The `traceparent` for the provider that is called now.
    pub fn traceparent(&self) -> Option<String> {
        let call = self.calls.last()?;
        Some(format!("00-{}-{}-01", self.id, call.span))
    }
}

#[cfg(test)]
mod tests;
