//! Answers that need no provider: health, readiness, models, metrics.
//!
//! Decides their content. Who may ask has been decided before; a caller without a key learns
//! whether the process is alive and able to serve, and nothing else.

use std::collections::BTreeSet;

use pingora::proxy::Session;
use serde_json::{Value, json};

use super::reply::Answer;
use super::{Gateway, Snapshot};
use crate::identify::Caller;
use crate::policy::{Api, Denial, Policy};
use crate::record::endpoint::Endpoint;
use crate::route;
use crate::runtime::clock;

/// What the embedded provider is listed as, where it may be called so.
const ECHO: &str = "echo";

/// Answers that anyone may have.
pub(crate) fn public(snapshot: &Snapshot, endpoint: Endpoint, session: &Session) -> Answer {
    if endpoint == Endpoint::Ready {
        if session.is_process_shutting_down() {
            return Answer::json(503, &json!({"status": "draining"}));
        }
        if !can_serve(snapshot) {
            return Answer::json(503, &json!({"status": "no_healthy_provider"}));
        }
        return Answer::json(200, &json!({"status": "ready"}));
    }
    Answer::json(200, &json!({"status": "ok"}))
}

/// Whether some provider could be called at this moment.
fn can_serve(snapshot: &Snapshot) -> bool {
    let reports = snapshot.report(clock::uptime());
    let mut endpoints = reports.iter().flat_map(|report| &report.endpoints);
    endpoints.any(|(_, glance)| glance.healthy)
}

/// Answers for callers with a key.
///
/// # Errors
/// A model that is asked for by name and is not there.
pub(crate) fn answer(
    gateway: &Gateway,
    snapshot: &Snapshot,
    caller: &Caller,
    endpoint: Endpoint,
    path: &str,
) -> Result<Answer, Denial> {
    match endpoint {
        Endpoint::Models => models(&snapshot.policy, caller, path),
        Endpoint::Metrics => Ok(Answer {
            status: 200,
            content_type: "text/plain; version=0.0.4; charset=utf-8",
            body: gateway.render_metrics(),
            csp: None,
        }),
        Endpoint::V1Health => Ok(Answer::json(
            200,
            &json!({"status": "ok", "version": env!("CARGO_PKG_VERSION")}),
        )),
        Endpoint::ChatCompletions
        | Endpoint::Completions
        | Endpoint::Responses
        | Endpoint::Embeddings
        | Endpoint::Moderations
        | Endpoint::Messages
        | Endpoint::Audio
        | Endpoint::Files
        | Endpoint::Images
        | Endpoint::Health
        | Endpoint::Ready
        | Endpoint::Internal
        | Endpoint::Other => Err(Denial::NotFound),
    }
}

/// `GET /v1/models` and `GET /v1/models/NAME`, in a shape that both OpenAI's and Anthropic's SDK
/// read. A route for a pattern stands for models that only its provider could list, so the list
/// holds the names that are written in full: in routes, in the caller's key, and in what providers
/// call them. The embedded provider answers to any name, and is listed by its own.
fn models(policy: &Policy, caller: &Caller, path: &str) -> Result<Answer, Denial> {
    if let Some(name) = path.strip_prefix("/v1/models/") {
        let usable = route::serves(caller, policy, name);
        return if usable {
            Ok(Answer::json(200, &model(name)))
        } else {
            Err(Denial::ModelNotFound)
        };
    }
    let routed = policy
        .routes
        .iter()
        .flat_map(|route| &route.models)
        .filter_map(|p| p.exact());
    let mapped = policy.providers.iter().flat_map(|one| &one.model_map);
    let mapped = mapped.filter_map(|(from, _)| from.exact());
    let echo = policy.providers.iter().any(|one| one.api == Api::Echo);
    let names: BTreeSet<&str> = routed
        .chain(mapped)
        .chain(echo.then_some(ECHO))
        .chain(caller.named_models())
        .filter(|name| route::serves(caller, policy, name))
        .collect();
    Ok(Answer::json(
        200,
        &json!({
            "object": "list",
            "data": names.iter().map(|name| model(name)).collect::<Vec<_>>(),
            "has_more": false,
            "first_id": names.first(),
            "last_id": names.last(),
        }),
    ))
}

fn model(name: &str) -> Value {
    json!({
        "id": name,
        "object": "model",
        "created": 0,
        "owned_by": "portcullis",
        "type": "model",
        "display_name": name,
        "created_at": "1970-01-01T00:00:00Z",
    })
}
