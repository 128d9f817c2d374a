//! Answers as a whole, plain and in events.

mod chat;
mod endings;
mod events;
mod plain;
mod repeated;

use std::time::Duration;

use serde_json::{Value, json};

use super::{Answer, AnswerPolicy, Broken, By};
use crate::inspect::engine::{Hold, Inspector};
use crate::inspect::json::Limits;
use crate::policy::inspection::InspectionSettings;

fn policy() -> AnswerPolicy {
    AnswerPolicy {
        strip: ["token", "password", "internal_id"].map(Into::into).into(),
        hold_calls: true,
        hold: Hold {
            time: Duration::from_secs(2),
            bytes: 512,
            chars: None,
        },
        limits: Limits::default(),
    }
}

fn inspector(change: impl FnOnce(&mut InspectionSettings)) -> Inspector {
    let mut settings = InspectionSettings::response();
    change(&mut settings);
    Inspector::compile(&settings).unwrap()
}

struct Heard {
    out: String,
    outcome: Result<(), Broken>,
    findings: Vec<(String, u64, u64)>,
    answer: Answer,
}

fn heard(
    mut answer: Answer,
    (inspector, policy): (&Inspector, &AnswerPolicy),
    pieces: &[&[u8]],
) -> Heard {
    let by = By {
        inspector,
        policy,
        now: Duration::ZERO,
    };
    let mut out = Vec::new();
    let mut outcome = Ok(());
    for piece in pieces {
        outcome = answer.push(by, piece, &mut out);
        if outcome.is_err() {
            break;
        }
    }
    if outcome.is_ok() {
        outcome = answer.finish(by, &mut out);
    }
    let report = answer.report(inspector);
    let findings = report.findings.iter().map(|f| {
        let rule = inspector.rule(f.rule).unwrap();
        (rule.id.to_string(), f.raw.start, f.raw.end)
    });
    Heard {
        findings: findings.collect(),
        out: String::from_utf8(out).unwrap(),
        outcome,
        answer,
    }
}

fn usual(answer: Answer, pieces: &[&[u8]]) -> Heard {
    thread_local!(static INSPECTOR: Inspector = inspector(|_| {}));
    INSPECTOR.with(|inspector| heard(answer, (inspector, &policy()), pieces))
}

fn data(stream: &str) -> Vec<Value> {
    stream
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .filter(|data| *data != "[DONE]")
        .map(|data| serde_json::from_str(data).unwrap())
        .collect()
}

fn chunk(index: u32, delta: &Value, finish: &Value) -> String {
    let event = json!({
        "id": "c-1", "object": "chat.completion.chunk", "created": 7, "model": "m",
        "choices": [{"index": index, "delta": delta, "finish_reason": finish}],
    });
    format!("data: {event}\n\n")
}

fn said(stream: &str, index: u64, field: &str) -> String {
    data(stream)
        .iter()
        .flat_map(|event| event["choices"].as_array().cloned().unwrap_or_default())
        .filter(|choice| choice["index"] == index)
        .filter_map(|choice| choice["delta"][field].as_str().map(str::to_owned))
        .collect()
}
