//! A request's trace on its way through the hooks.
//!
//! Decides nothing: what belongs to a trace is `record::trace`'s. Where no traces are sent, none
//! of this does anything, and the caller's own field goes on to the provider as any other.

use http::HeaderMap;
use http::header::{HeaderName, HeaderValue};

use crate::policy::Policy;
use crate::record::Record;
use crate::route::Target;
use crate::runtime::{clock, telemetry};

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// An attempt begins.
pub(crate) fn call(record: &mut Record, policy: &Policy, target: Target) {
    let Some(trace) = &mut record.trace else {
        return;
    };
    let provider = policy.providers.get(target.provider);
    let endpoint = provider.and_then(|provider| provider.endpoints.get(target.endpoint));
    if let (Some(provider), Some(endpoint), Some(span)) =
        (provider, endpoint, telemetry::fresh_span())
    {
        trace.call(span, (provider, endpoint), clock::uptime());
    }
}

/// An attempt has failed.
pub(crate) fn failed(record: &mut Record, class: &'static str, status: Option<u16>) {
    if let Some(trace) = &mut record.trace {
        trace.failed(class, status, clock::uptime());
    }
}

/// Tells the provider which span it is called by.
pub(crate) fn pass_on(record: &Record, fields: &mut HeaderMap) {
    let Some(trace) = &record.trace else {
        return;
    };
    let told = trace.traceparent();
    let told = told.and_then(|text| HeaderValue::from_str(&text).ok());
    if let Some(value) = told {
        fields.insert(TRACEPARENT, value);
    }
    if trace.parent.is_none() {
        // It belongs to a trace that was not well formed, or to none.
        fields.remove(TRACESTATE);
    }
}
