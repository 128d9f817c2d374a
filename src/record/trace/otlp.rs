//! Spans as OTLP has them in JSON.
//!
//! Decides names, kinds, attributes and verdicts of spans: the conventions for HTTP and for
//! generative AI, and `portcullis.` before what is ours. JSON, because it needs nothing that is
//! not here already; protobuf would bring a code generator and a dozen crates to write numbers.

use serde::Serialize;

use super::finished::Finished;
use super::{Call, SpanId};
use crate::policy::names::{KeyId, ModelName};
use crate::record::endpoint::Endpoint;

const SERVER: u8 = 2;
const CLIENT: u8 = 3;
const FAILED: u8 = 2;
const VERSION: &str = env!("CARGO_PKG_VERSION");

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Export<'a> {
    resource_spans: [ResourceSpans<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResourceSpans<'a> {
    resource: Resource<'a>,
    scope_spans: [ScopeSpans<'a>; 1],
}

#[derive(Serialize)]
struct Resource<'a> {
    attributes: Vec<Attribute<'a>>,
}

#[derive(Serialize)]
struct ScopeSpans<'a> {
    scope: Scope,
    spans: Vec<Span<'a>>,
}

#[derive(Serialize)]
struct Scope {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the names are OTLP's")]
struct Span<'a> {
    trace_id: String,
    span_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_span_id: Option<String>,
    name: String,
    kind: u8,
    // 64-bit numbers are texts in OTLP's JSON.
    start_time_unix_nano: String,
    end_time_unix_nano: String,
    attributes: Vec<Attribute<'a>>,
    status: Status,
}

#[derive(Serialize)]
struct Status {
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u8>,
}

#[derive(Serialize)]
struct Attribute<'a> {
    key: &'static str,
    value: Value<'a>,
}

#[derive(Serialize)]
enum Value<'a> {
    #[serde(rename = "stringValue")]
    Word(&'a str),
    #[serde(rename = "stringValue")]
    Text(String),
    #[serde(rename = "intValue")]
    Number(String),
    #[serde(rename = "doubleValue")]
    Seconds(f64),
    #[serde(rename = "boolValue")]
    Flag(bool),
}

/// Attributes being gathered; what is not known is left out.
#[derive(Default)]
struct Attributes<'a>(Vec<Attribute<'a>>);

impl<'a> Attributes<'a> {
    fn add(&mut self, key: &'static str, value: Value<'a>) {
        self.0.push(Attribute { key, value });
    }

    fn word(&mut self, key: &'static str, value: Option<&'a str>) {
        if let Some(value) = value {
            self.add(key, Value::Word(value));
        }
    }

    fn text(&mut self, key: &'static str, value: Option<String>) {
        if let Some(value) = value {
            self.add(key, Value::Text(value));
        }
    }

    fn number(&mut self, key: &'static str, value: Option<u64>) {
        if let Some(value) = value {
            self.add(key, Value::Number(value.to_string()));
        }
    }
}

/// The body of one delivery of spans.
pub fn write(requests: &[Finished], service: &str) -> Vec<u8> {
    let mut resource = Attributes::default();
    resource.word("service.name", Some(service));
    resource.word("service.version", Some(VERSION));
    let mut spans = Vec::with_capacity(requests.len().saturating_mul(2));
    for request in requests {
        spans.push(server(request));
        let calls = request.trace.calls.iter().enumerate();
        spans.extend(calls.map(|(number, call)| client(request, call, number)));
    }
    let export = Export {
        resource_spans: [ResourceSpans {
            resource: Resource {
                attributes: resource.0,
            },
            scope_spans: [ScopeSpans {
                scope: Scope {
                    name: "portcullis",
                    version: VERSION,
                },
                spans,
            }],
        }],
    };
    // Plain structs with text keys can't fail to serialise.
    serde_json::to_vec(&export).unwrap_or_default()
}

/// The span of the request itself.
fn server(request: &Finished) -> Span<'_> {
    let mut found = Attributes::default();
    let route = (request.endpoint != Endpoint::Other).then(|| request.endpoint.as_str());
    found.word("http.request.method", Some(request.verb()));
    found.word("http.route", route);
    found.number("http.response.status_code", Some(request.status.into()));
    found.number("http.request.body.size", Some(request.sizes.0));
    found.number("http.response.body.size", Some(request.sizes.1));
    found.text(
        "client.address",
        request.client.map(|client| client.to_string()),
    );
    found.text("error.type", request.error());
    asked(request, &mut found);
    found.word("portcullis.request_id", Some(&request.request_id));
    found.word("portcullis.outcome", Some(request.outcome.as_str()));
    found.word("portcullis.key_id", request.key.as_ref().map(KeyId::as_str));
    let attempts = u64::try_from(request.trace.calls.len()).unwrap_or(u64::MAX);
    found.number("portcullis.attempts", Some(attempts));
    let own = request.overhead.as_secs_f64();
    found.add("portcullis.overhead_seconds", Value::Seconds(own));
    let name = match route {
        Some(route) => format!("{} {route}", request.verb()),
        None => request.verb().to_owned(),
    };
    Span {
        trace_id: request.trace.id.to_string(),
        span_id: request.trace.span.to_string(),
        parent_span_id: request.trace.parent.map(|span| span.to_string()),
        name,
        kind: SERVER,
        start_time_unix_nano: request.start().to_string(),
        end_time_unix_nano: request.end().to_string(),
        attributes: found.0,
        // What a client did wrong is no fault of the server.
        status: status(request.status >= 500),
    }
}

/// What was asked of a model.
fn asked<'a>(request: &'a Finished, found: &mut Attributes<'a>) {
    found.word("gen_ai.operation.name", request.operation());
    found.word(
        "gen_ai.request.model",
        request.model.as_ref().map(ModelName::as_str),
    );
}

/// The span of one attempt.
fn client<'a>(request: &'a Finished, call: &'a Call, number: usize) -> Span<'a> {
    let last = number.saturating_add(1) == request.trace.calls.len();
    let (status_code, end, class) = match call.failed {
        Some(failure) => (failure.status, request.at(failure.at), Some(failure.class)),
        None if last => (request.upstream_status, request.last_call_ended(), None),
        None => (None, request.end(), None),
    };
    let failed_status = status_code.filter(|status| *status >= 400);
    let error = failed_status
        .map(|status| status.to_string())
        .or_else(|| class.map(str::to_owned))
        // An answer that was cut, or that nobody waited for.
        .or_else(|| request.error().filter(|_| last && request.status < 400));
    let mut found = Attributes::default();
    found.word("http.request.method", Some(request.verb()));
    found.word("server.address", Some(&call.host));
    found.number(
        "server.port",
        Some(call.port.into()).filter(|port| *port > 0),
    );
    found.number("http.response.status_code", status_code.map(u64::from));
    let again = u64::try_from(number).unwrap_or(u64::MAX);
    found.number(
        "http.request.resend_count",
        Some(again).filter(|count| *count > 0),
    );
    let failed = error.is_some();
    found.text("error.type", error);
    asked(request, &mut found);
    found.word("gen_ai.provider.name", Some(call.api.as_str()));
    // Its older name, which most tools still read.
    found.word("gen_ai.system", Some(call.api.as_str()));
    found.word("portcullis.provider", Some(call.provider.as_str()));
    if last && call.failed.is_none() {
        found.number("gen_ai.usage.input_tokens", request.usage.prompt);
        found.number("gen_ai.usage.output_tokens", request.usage.completion);
        found.add("portcullis.stream", Value::Flag(request.stream));
    }
    let model = request.model.as_ref().map(ModelName::as_str);
    let name = match (request.operation(), model) {
        (Some(operation), Some(model)) => format!("{operation} {model}"),
        (Some(operation), None) => operation.to_owned(),
        (None, _) => request.verb().to_owned(),
    };
    Span {
        trace_id: request.trace.id.to_string(),
        span_id: call.span.to_string(),
        parent_span_id: Some(SpanId::to_string(&request.trace.span)),
        name,
        kind: CLIENT,
        start_time_unix_nano: request.at(call.began).to_string(),
        end_time_unix_nano: end.to_string(),
        attributes: found.0,
        status: status(failed),
    }
}

fn status(failed: bool) -> Status {
    Status {
        code: failed.then_some(FAILED),
    }
}
