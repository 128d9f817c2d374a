//! What is done to answers: asked of an embedded provider, which says what it was told.

use serde_json::{Value, json};

use super::bench::{Bench, Probe, answered, code};
use super::{Said, Tried, acted, did_not, note, off, unknown};
use crate::runtime::outgoing::Reply;

const CHAT: &str = "/v1/chat/completions";
const EMAIL: &str = "ada.lovelace@analytical.org";
const WHY_NOT: &str = "needs a model that an embedded provider (api: echo) serves; name one with \
                       --model, or give a key that may see /internal/config";

pub(super) async fn run(bench: &Bench<'_>, all: &mut Vec<Tried>) {
    let Some(model) = &bench.model else {
        for control in CONTROLS {
            note(all, control, unknown(WHY_NOT));
        }
        return;
    };
    let [mask, stream, canary, strip] = CONTROLS;
    note(all, mask, masked(bench, model).await);
    note(all, stream, streamed(bench, model).await);
    note(all, canary, withheld(bench, model).await);
    note(all, strip, stripped(bench, model).await);
}

const CONTROLS: [&str; 4] = ["mask", "stream", "canary", "response_strip"];

fn chat(model: &str, text: &str, stream: bool) -> Value {
    json!({
        "model": model,
        "stream": stream,
        "messages": [{"role": "user", "content": text}],
    })
}

/// Whether personal data is masked on either way.
fn masks(bench: &Bench<'_>) -> Option<bool> {
    let words = ["/inspection/request/pii", "/inspection/response/pii"]
        .map(|place| bench.known.word(place));
    match words {
        [Some("mask"), _] | [_, Some("mask")] => Some(true),
        [None, None] => None,
        [_, _] => Some(false),
    }
}

async fn masked(bench: &Bench<'_>, model: &str) -> Said {
    if masks(bench) == Some(false) {
        return off("pii is masked in neither direction");
    }
    let text = format!("portcullis-selftest: write to {EMAIL} today");
    match bench
        .with_key(Probe::post(CHAT, &chat(model, &text, false)))
        .await
    {
        Ok(reply) => judged(&reply, "/choices/0/message/content"),
        Err(fault) => unknown(fault),
    }
}

/// What came back of a text with an address in it.
fn judged(reply: &Reply, pointer: &str) -> Said {
    if reply.status != 200 {
        return refusal(reply);
    }
    let told = reply.json();
    let text = told.pointer(pointer).and_then(Value::as_str);
    label(text.unwrap_or_default())
}

fn label(text: &str) -> Said {
    if text.contains(EMAIL) {
        return did_not("the address came back as it was sent");
    }
    if text.contains("[EMAIL_1]") && text.contains("today") {
        return acted("an address came back as [EMAIL_1], the text around it whole");
    }
    unknown("the answer holds neither the address nor its label")
}

fn refusal(reply: &Reply) -> Said {
    if code(reply).ends_with("_detected") {
        return acted(format!("refused: {}", answered(reply)));
    }
    unknown(answered(reply))
}

async fn streamed(bench: &Bench<'_>, model: &str) -> Said {
    let masks = masks(bench);
    let text = format!("portcullis-selftest: write to {EMAIL} today");
    let reply = bench
        .with_key(Probe::post(CHAT, &chat(model, &text, true)))
        .await;
    let reply = match reply {
        Ok(reply) if reply.status == 200 => reply,
        Ok(reply) => return refusal(&reply),
        Err(fault) => return unknown(fault),
    };
    let events = String::from_utf8_lossy(&reply.body).into_owned();
    let data = events
        .lines()
        .filter_map(|line| line.strip_prefix("data: "));
    let mut joined = String::new();
    let mut done = false;
    for event in data {
        done |= event == "[DONE]";
        let event: Value = serde_json::from_str(event).unwrap_or_default();
        let delta = event.pointer("/choices/0/delta/content");
        joined.push_str(delta.and_then(Value::as_str).unwrap_or_default());
    }
    if !done {
        return did_not("the stream has no end");
    }
    if masks == Some(false) {
        return acted("a whole stream came through; pii is masked in neither direction");
    }
    label(&joined)
}

async fn withheld(bench: &Bench<'_>, model: &str) -> Said {
    let Some(canaries) = bench.known.at("/inspection/response/canaries") else {
        return unknown("canaries are in the configuration, which this key may not see");
    };
    if canaries.as_array().is_none_or(Vec::is_empty) {
        return off("inspection.response.canaries is empty");
    }
    let Some(canary) = bench.canary.as_deref() else {
        return unknown("canaries are not shown; name one with --canary");
    };
    let text = format!("portcullis-selftest: {canary}");
    match bench
        .with_key(Probe::post(CHAT, &chat(model, &text, false)))
        .await
    {
        Ok(reply) if code(&reply) == "canary_detected" => acted(answered(&reply)),
        Ok(reply) if reply.status == 200 => {
            let whole = String::from_utf8_lossy(&reply.body).contains(canary);
            if whole {
                did_not("the canary came back")
            } else {
                unknown("neither the canary nor a refusal came back")
            }
        }
        Ok(reply) => unknown(answered(&reply)),
        Err(fault) => unknown(fault),
    }
}

async fn stripped(bench: &Bench<'_>, model: &str) -> Said {
    let fields = bench.known.at("/inspection/response/strip_fields");
    let fields = fields.and_then(Value::as_array);
    let field = match fields {
        None => "internal_id",
        Some(fields) => match fields.iter().filter_map(Value::as_str).next_back() {
            Some(field) => field,
            None => return off("inspection.response.strip_fields is empty"),
        },
    };
    let body = json!({
        "model": model,
        "input": "portcullis-selftest",
        "metadata": {field: "portcullis-selftest", "portcullis_selftest": "kept"},
    });
    let reply = match bench.with_key(Probe::post("/v1/responses", &body)).await {
        Ok(reply) if reply.status == 200 => reply.json(),
        Ok(reply) => return unknown(answered(&reply)),
        Err(fault) => return unknown(fault),
    };
    let metadata = reply.get("metadata");
    let has = |name: &str| metadata.and_then(|all| all.get(name)).is_some();
    match (has(field), has("portcullis_selftest")) {
        (true, _) => did_not(format!("the field {field} came back")),
        (false, true) => acted(format!(
            "the field {field} did not come back, its neighbour did"
        )),
        (false, false) => unknown("the answer has no such fields"),
    }
}
