//! The description of the interface, as `OpenAPI` 3.1 has it.
//!
//! Decides how operations become a document: which credentials, errors and fields of the head go
//! with each kind of path. What there is stands in [`operations`], the shapes of bodies in
//! `schemas.json`. Tests hold it against the tables that requests are served by, and against the
//! answers of a running gateway.

mod operations;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use operations::{ALL, Gives, Group, Operation};

static DOCUMENT: LazyLock<String> = LazyLock::new(|| made().to_string());

/// The document.
pub(super) fn document() -> &'static str {
    &DOCUMENT
}

/// Statuses that any request may be answered with, whatever it asks for.
const ANYWHERE: &[u16] = &[400, 404, 405, 414, 431];
/// Those that a caller of models may get beside them.
const CALLS: &[u16] = &[401, 403, 408, 411, 413, 415, 429, 502, 503, 504];
/// Those of the control plane.
const CONTROL: &[u16] = &[401, 403, 408, 413, 415, 503];
/// Those of a key without a body.
const KEYED: &[u16] = &[401, 403, 429, 503];

fn made() -> Value {
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for operation in ALL {
        let method = operation.method.to_ascii_lowercase();
        paths
            .entry(operation.path)
            .or_default()
            .insert(method, described(operation));
    }
    let tags = Group::ALL.map(|group| json!({"name": group.name(), "description": group.words()}));
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Portcullis",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "A security gateway between applications and LLM providers. Fields \
                            that are not named here may be added; none is renamed or dropped.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": tags,
        "security": [{"bearer": []}, {"x-api-key": []}, {"api-key": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "x-api-key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
                "api-key": {"type": "apiKey", "in": "header", "name": "api-key"},
            },
            "parameters": parameters(),
            "headers": headers(),
            "responses": responses(),
            "schemas": schemas(),
        },
    })
}

fn schemas() -> Value {
    // A part of the program, which a test reads.
    serde_json::from_str(include_str!("schemas.json")).unwrap_or_default()
}

fn described(operation: &Operation) -> Value {
    let mut made = json!({
        "operationId": operation.id(),
        "tags": [operation.group.name()],
        "summary": operation.summary,
        "description": operation.group.callers(),
        "parameters": [{"$ref": "#/components/parameters/request-id"}],
        "responses": answers(operation),
    });
    let Some(fields) = made.as_object_mut() else {
        return made;
    };
    if let Some(Value::Array(parameters)) = fields.get_mut("parameters") {
        parameters.extend(free(operation.path).map(|name| {
            json!({
                "name": name,
                "in": "path",
                "required": true,
                "schema": {"type": "string", "pattern": "^[A-Za-z0-9._:@-]+$"},
            })
        }));
    }
    if let Some(body) = operation.body {
        let reference = json!({"$ref": format!("#/components/schemas/{body}")});
        let content = match body {
            "Upload" => json!({
                "multipart/form-data": {"schema": reference},
                "application/json": {"schema": {"type": "object"}},
            }),
            _ => json!({"application/json": {"schema": reference}}),
        };
        let needed = operation.group == Group::Calls;
        fields.insert(
            "requestBody".to_owned(),
            json!({"required": needed, "content": content}),
        );
    }
    if operation.group == Group::Open {
        fields.insert("security".to_owned(), json!([]));
    }
    made
}

/// The names that a path leaves free.
fn free(path: &str) -> impl Iterator<Item = &str> {
    path.split('/')
        .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
}

fn answers(operation: &Operation) -> Value {
    let mut made = Map::new();
    made.insert("200".to_owned(), fine(operation));
    let more: &[u16] = match operation.group {
        Group::Open => &[503],
        Group::Calls => CALLS,
        Group::Own | Group::Metrics => KEYED,
        Group::Monitoring
        | Group::Emergency
        | Group::Configuration
        | Group::Audit
        | Group::Pages => CONTROL,
    };
    let named = operation.path.starts_with("/v1/messages");
    let prefix = if named { "Anthropic" } else { "Error" };
    for status in ANYWHERE.iter().chain(more) {
        let reference = format!("#/components/responses/{prefix}{status}");
        made.insert(status.to_string(), json!({"$ref": reference}));
    }
    if operation.path == "/ready" {
        made.insert(
            "503".to_owned(),
            json!({
                "description": "It is draining, or no provider is healthy.",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Ready"}}},
            }),
        );
    }
    if operation.path == "/internal/config/reload" {
        made.insert("422".to_owned(), json!({
            "description": "The configuration has faults; the old one stays in force.",
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Rejected"}}},
        }));
    }
    if operation.group == Group::Calls {
        made.insert(
            "default".to_owned(),
            json!({
                "description": "What the provider answered, passed on with its status.",
            }),
        );
    }
    Value::Object(made)
}

fn fine(operation: &Operation) -> Value {
    let schema = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
    let content = match operation.gives {
        Gives::Json(name) => json!({"application/json": {"schema": schema(name)}}),
        Gives::JsonOrStream(name) => json!({
            "application/json": {"schema": schema(name)},
            "text/event-stream": {"schema": {"type": "string"}},
        }),
        Gives::Anything => json!({"*/*": {}}),
        Gives::Metrics => json!({"text/plain": {"schema": {"type": "string"}}}),
        Gives::Page => json!({"text/html": {"schema": {"type": "string"}}}),
    };
    let mut told = vec!["x-request-id"];
    if operation.group == Group::Calls {
        told.extend(["x-portcullis-provider", "x-portcullis-attempts"]);
    }
    if matches!(operation.group, Group::Calls | Group::Own) {
        told.extend([
            "x-ratelimit-limit-requests",
            "x-ratelimit-remaining-requests",
            "x-ratelimit-reset-requests",
        ]);
    }
    let told = told.into_iter().map(|name| {
        let reference = format!("#/components/headers/{name}");
        (name.to_owned(), json!({"$ref": reference}))
    });
    let headers: Map<String, Value> = told.collect();
    json!({"description": operation.summary, "headers": headers, "content": content})
}

fn parameters() -> Value {
    json!({
        "request-id": {
            "name": "x-request-id",
            "in": "header",
            "description": "The caller's own id of the request; taken over where it is 1 to 128 \
                            letters, digits and `-_.:`.",
            "schema": {"type": "string"},
        },
    })
}

fn headers() -> Value {
    let header = |words: &str, kind: &str| json!({"description": words, "schema": {"type": kind}});
    json!({
        "x-request-id": header("The id of the request.", "string"),
        "x-portcullis-provider": header("The provider that answered.", "string"),
        "x-portcullis-attempts": header("Calls to providers that it took.", "integer"),
        "x-ratelimit-limit-requests": header("Requests that may come at once.", "integer"),
        "x-ratelimit-remaining-requests": header("Requests that are left now.", "integer"),
        "x-ratelimit-reset-requests":
            header("When all of them are there again, such as `12s`.", "string"),
        "retry-after": header("Seconds to wait.", "integer"),
        "allow": header("What the path takes.", "string"),
        "www-authenticate": header("`Bearer`.", "string"),
    })
}

/// Every refusal by its status, in the shape of either API.
fn responses() -> Value {
    let mut made = Map::new();
    for (status, words, codes) in REFUSALS {
        for (prefix, schema) in [("Error", "Error"), ("Anthropic", "AnthropicError")] {
            let listed = codes.join("`, `");
            let mut headers =
                json!({"x-request-id": {"$ref": "#/components/headers/x-request-id"}});
            let more = match status {
                401 => Some("www-authenticate"),
                405 => Some("allow"),
                429 | 503 => Some("retry-after"),
                _ => None,
            };
            if let (Some(name), Some(headers)) = (more, headers.as_object_mut()) {
                let reference = format!("#/components/headers/{name}");
                headers.insert(name.to_owned(), json!({"$ref": reference}));
            }
            let reference = format!("#/components/schemas/{schema}");
            made.insert(
                format!("{prefix}{status}"),
                json!({
                    "description": format!("{words} Codes: `{listed}`."),
                    "headers": headers,
                    "content": {"application/json": {"schema": {"$ref": reference}}},
                }),
            );
        }
    }
    Value::Object(made)
}

/// The table of refusals: status, words, codes.
const REFUSALS: &[(u16, &str, &[&str])] = &[
    (
        400,
        "The request is not valid, or says what it may not.",
        &[
            "invalid_json",
            "invalid_request",
            "prompt_injection_detected",
            "pii_detected",
            "secret_detected",
            "code_pattern_detected",
            "web_attack_detected",
            "harmful_content_detected",
            "canary_detected",
            "text_too_long",
        ],
    ),
    (
        401,
        "No valid credential.",
        &["missing_api_key", "invalid_api_key"],
    ),
    (
        403,
        "The caller may not do this.",
        &["permission_denied", "model_not_allowed", "client_blocked"],
    ),
    (
        404,
        "Nothing is served there.",
        &["not_found", "model_not_found"],
    ),
    (405, "Not by this method.", &["method_not_allowed"]),
    (
        408,
        "The request took too long to arrive.",
        &["request_timeout"],
    ),
    (411, "A length is needed.", &["length_required"]),
    (413, "The body is too large.", &["request_too_large"]),
    (414, "The target is too long.", &["uri_too_long"]),
    (415, "Not this type of body.", &["unsupported_media_type"]),
    (
        429,
        "A limit is used up.",
        &[
            "rate_limit_exceeded",
            "token_limit_exceeded",
            "concurrency_limit_exceeded",
            "provider_rate_limit_exceeded",
        ],
    ),
    (431, "The head is too large.", &["headers_too_large"]),
    (502, "The provider failed.", &["upstream_error"]),
    (
        503,
        "Nobody can answer now.",
        &["no_healthy_provider", "overloaded", "stream_terminated"],
    ),
    (504, "The provider took too long.", &["upstream_timeout"]),
];

#[cfg(test)]
mod tests;
