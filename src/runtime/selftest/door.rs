//! Controls that need no inspection: who may come in, to what, in which form.

use http::header::{self, HeaderValue};
use serde_json::json;

use super::bench::{Bench, Probe, answered, code};
use super::{Said, Tried, acted, did_not, note, off, unknown};
use crate::runtime::outgoing::{Body, Reply};

const CHAT: &str = "/v1/chat/completions";
const MODELS: &str = "/v1/models";
/// More than any limit of a body lets through.
const HUGE: u64 = 1 << 50;
/// Another origin, which nobody has.
const ORIGIN: HeaderValue = HeaderValue::from_static("https://selftest.invalid");

/// What a faulty chat is: refused by the validator, whatever else it is.
pub(super) fn faulty(text: &str) -> serde_json::Value {
    json!({
        "model": "portcullis-selftest",
        "messages": [{"role": "user", "content": text}],
        "temperature": "portcullis-selftest",
    })
}

/// Header fields, and the settings that they follow.
const FIELDS: [(&str, &str); 5] = [
    (
        "strict-transport-security",
        "/security_headers/hsts_max_age",
    ),
    ("content-security-policy", "/security_headers/csp"),
    ("x-frame-options", "/security_headers/frame_options"),
    (
        "x-content-type-options",
        "/security_headers/content_type_options",
    ),
    ("referrer-policy", "/security_headers/referrer_policy"),
];

pub(super) async fn run(bench: &Bench<'_>, all: &mut Vec<Tried>) {
    note(all, "missing_key", missing_key(bench).await);
    note(all, "wrong_key", wrong_key(bench).await);
    note(all, "internal_hidden", internal(bench).await);
    note(all, "metrics_hidden", metrics(bench).await);
    note(all, "security_headers", headers(bench).await);
    note(all, "cross_origin", origin(bench).await);
    note(all, "method", method(bench).await);
    note(all, "path_normalisation", path(bench).await);
    note(all, "body_size", size(bench).await);
    note(all, "valid_json", broken_json(bench).await);
    note(all, "valid_fields", wrong_field(bench).await);
}

fn said(reply: Result<Reply, String>, judge: impl FnOnce(&Reply) -> Said) -> Said {
    match reply {
        Ok(reply) => judge(&reply),
        Err(fault) => unknown(fault),
    }
}

/// Refused with this status and code, or not.
fn refused(reply: &Reply, status: u16, wanted: &str) -> Said {
    if reply.status == status && code(reply) == wanted {
        return acted(answered(reply));
    }
    match (reply.status, code(reply).as_str()) {
        (403, "client_blocked") => unknown("this address is blocked there"),
        (429, _) => unknown("limited; try again later"),
        _ => did_not(format!("{}; {status} {wanted} is due", answered(reply))),
    }
}

async fn missing_key(bench: &Bench<'_>) -> Said {
    let reply = bench.send(Probe::post(CHAT, &faulty("Hello."))).await;
    said(reply, |reply| {
        if reply.field("x-portcullis-mode") == Some("development") {
            return off("development mode asks for no key");
        }
        refused(reply, 401, "missing_api_key")
    })
}

async fn wrong_key(bench: &Bench<'_>) -> Said {
    let failures = bench.known.at("/auth/brute_force/failures");
    if failures.and_then(serde_json::Value::as_u64) == Some(1) {
        return unknown("left out: one failure has this address blocked");
    }
    let Some(wrong) = &bench.wrong_key else {
        return unknown("left out: tried so often, it would have this address blocked");
    };
    let probe = Probe::post(CHAT, &faulty("Hello.")).with(Some(wrong));
    said(bench.send(probe).await, |reply| {
        if reply.field("x-portcullis-mode") == Some("development") {
            return off("development mode asks for no key");
        }
        refused(reply, 401, "invalid_api_key")
    })
}

async fn internal(bench: &Bench<'_>) -> Said {
    let reply = bench.send(Probe::get("/internal/config")).await;
    said(reply, |reply| match reply.status {
        401 | 404 => acted(format!("without a key: {}", answered(reply))),
        200 if reply.field("x-portcullis-mode") == Some("development") => {
            off("development mode shows it to everyone")
        }
        200 => did_not("the configuration is shown without a key"),
        _ => unknown(answered(reply)),
    })
}

async fn metrics(bench: &Bench<'_>) -> Said {
    let reply = bench.send(Probe::get("/metrics")).await;
    said(reply, |reply| match reply.status {
        401 | 404 => acted(format!("without a key: {}", answered(reply))),
        200 if reply.field("x-portcullis-mode") == Some("development") => {
            off("development mode shows them to everyone")
        }
        200 => did_not("metrics are shown without a key"),
        _ => unknown(answered(reply)),
    })
}

async fn headers(bench: &Bench<'_>) -> Said {
    let reply = bench.send(Probe::get("/health")).await;
    said(reply, |reply| {
        let wanted = FIELDS
            .iter()
            .filter(|(_, setting)| !bench.known.is_null(setting));
        let (mut there, mut missing) = (0_usize, Vec::new());
        for (name, _) in wanted {
            if reply.field(name).is_some_and(|value| !value.is_empty()) {
                there = there.saturating_add(1);
            } else {
                missing.push(*name);
            }
        }
        match (there, missing.is_empty()) {
            (0, true) => off("all of them are switched off"),
            (_, true) => acted(format!("{there} fields")),
            (_, false) => did_not(format!("{} is missing", missing.join(", "))),
        }
    })
}

async fn origin(bench: &Bench<'_>) -> Said {
    let mut probe = Probe::get("/health");
    probe.fields.push((header::ORIGIN, ORIGIN));
    said(bench.send(probe).await, |reply| {
        match reply.field("access-control-allow-origin") {
            None => acted("another origin's pages may not read answers"),
            Some("*") if bench.known.is_there() => off("cors.origins takes any origin"),
            Some(_) => did_not("any origin's pages may read answers"),
        }
    })
}

async fn method(bench: &Bench<'_>) -> Said {
    let mut probe = Probe::get(CHAT);
    probe.method = "DELETE";
    said(bench.with_key(probe).await, |reply| {
        refused(reply, 405, "method_not_allowed")
    })
}

async fn path(bench: &Bench<'_>) -> Said {
    let mut seen = Vec::new();
    for target in [
        "/internal/../v1/models",
        "/v1//models",
        "/v1/%6dodels",
        "/v1/./models",
        "/v1/models;x=1",
    ] {
        match bench.with_key(Probe::get(target)).await {
            Ok(reply) if reply.status < 300 => {
                return did_not(format!("{target} is served as another path"));
            }
            Ok(reply) => seen.push(reply.status.to_string()),
            Err(fault) => return unknown(fault),
        }
    }
    acted(format!("answered {}", seen.join(", ")))
}

async fn size(bench: &Bench<'_>) -> Said {
    let mut probe = Probe::raw(CHAT, Vec::new());
    probe.body = Body::Announced(HUGE);
    said(bench.with_key(probe).await, |reply| {
        refused(reply, 413, "request_too_large")
    })
}

async fn broken_json(bench: &Bench<'_>) -> Said {
    let probe = Probe::raw(CHAT, b"{\"model\": \"portcullis-selftest\", ".to_vec());
    said(bench.with_key(probe).await, |reply| {
        refused(reply, 400, "invalid_json")
    })
}

async fn wrong_field(bench: &Bench<'_>) -> Said {
    let reply = bench.with_key(Probe::post(CHAT, &faulty("Hello."))).await;
    said(reply, |reply| refused(reply, 400, "invalid_request"))
}

/// Whether the key opens the door at all.
///
/// # Errors
/// It does not, or nobody is there; in words.
pub(crate) async fn opens(bench: &Bench<'_>) -> Result<(), String> {
    let reply = bench.with_key(Probe::get(MODELS)).await?;
    match reply.status {
        200 | 429 => Ok(()),
        401 => Err("the key is not valid there; give one of the role standard or admin".to_owned()),
        403 if code(&reply) == "client_blocked" => Err("this address is blocked there".to_owned()),
        403 => {
            Err("the key may not list models; give one of the role standard or admin".to_owned())
        }
        404 => Err("no gateway serves /v1 there".to_owned()),
        _ => Err(answered(&reply)),
    }
}
