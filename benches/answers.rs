//! The inspection of answers by the default policy. Throughput is in bytes of the stream.

#![expect(
    clippy::expect_used,
    reason = "a bench that inspects nothing must stop"
)]

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use portcullis::inspect::answer::{Answer, AnswerPolicy, By, Shape};
use portcullis::inspect::engine::{Hold, Inspector};
use portcullis::inspect::json::Limits;
use portcullis::policy::inspection::InspectionSettings;
use serde_json::json;

const PROSE: &str = "The quarterly report is due on Friday, and the figures for the northern region \
    are still missing. Could you draft a polite reminder to the team, mention the meeting at ten, \
    and say that late is better than never? ";

/// The events of a chat stream of `count` words.
fn words(count: usize) -> Vec<String> {
    let mut events: Vec<String> = PROSE
        .split_inclusive(' ')
        .cycle()
        .take(count)
        .map(|word| {
            let (word, blank) = word.split_at(word.len().saturating_sub(1));
            // As tokens come: the blank before the word.
            let event = json!({"id": "chatcmpl-1", "object": "chat.completion.chunk",
                "created": 1_760_000_000, "model": "gpt-4o", "system_fingerprint": "fp_1",
                "choices": [{"index": 0, "delta": {"content": format!("{blank}{word}")},
                    "logprobs": null, "finish_reason": null}]});
            format!("data: {event}\n\n")
        })
        .collect();
    events.push("data: [DONE]\n\n".to_owned());
    events
}

/// The same of the responses API: numbered, and each with filling of its own.
fn numbered(count: usize) -> Vec<String> {
    let words = PROSE.split_inclusive(' ').cycle().take(count);
    let mut events: Vec<String> = words
        .zip(4_u64..)
        .map(|(word, number)| {
            let (word, blank) = word.split_at(word.len().saturating_sub(1));
            let kind = "response.output_text.delta";
            let event = json!({"type": kind, "sequence_number": number, "item_id": "msg_1",
                "output_index": 0, "content_index": 0, "delta": format!("{blank}{word}"),
                "logprobs": [], "obfuscation": format!("{number:x}kZ3")});
            format!("event: {kind}\ndata: {event}\n\n")
        })
        .collect();
    let last = json!({"type": "response.completed", "sequence_number": count,
        "response": {"id": "resp_1", "status": "completed", "output": []}});
    events.push(format!("event: response.completed\ndata: {last}\n\n"));
    events
}

fn policy() -> AnswerPolicy {
    AnswerPolicy {
        strip: [
            "api_key",
            "apikey",
            "secret",
            "password",
            "token",
            "access_token",
            "refresh_token",
            "private_key",
            "internal_id",
        ]
        .map(Box::from)
        .into(),
        hold_calls: true,
        hold: Hold {
            time: Duration::from_secs(2),
            bytes: 512,
            chars: None,
        },
        limits: Limits::default(),
    }
}

fn run(mut answer: Answer, by: By<'_>, pieces: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::new();
    for piece in pieces {
        out.clear();
        answer
            .push(by, black_box(piece), &mut out)
            .expect("nothing is refused");
    }
    answer.finish(by, &mut out).expect("it has an end");
    out
}

fn bench(criterion: &mut Criterion) {
    let inspector = Inspector::compile(&InspectionSettings::response()).expect("it compiles");
    let policy = policy();
    let by = By {
        inspector: &inspector,
        policy: &policy,
        now: Duration::ZERO,
    };
    let mut group = criterion.benchmark_group("answers");
    group
        .sample_size(10)
        .measurement_time(Duration::from_secs(2));
    let events = words(200);
    let bytes: usize = events.iter().map(String::len).sum();
    let total = u64::try_from(bytes).unwrap_or(u64::MAX);
    group.throughput(Throughput::Bytes(total));
    let live: Vec<&[u8]> = events.iter().map(String::as_bytes).collect();
    group.bench_function("stream, an event at a time", |b| {
        b.iter(|| run(Answer::stream(Shape::Chat), by, &live));
    });
    let whole = events.concat();
    group.bench_function("stream, all at once", |b| {
        b.iter(|| run(Answer::stream(Shape::Chat), by, &[whole.as_bytes()]));
    });
    let events = numbered(200);
    let bytes: usize = events.iter().map(String::len).sum();
    let total = u64::try_from(bytes).unwrap_or(u64::MAX);
    group.throughput(Throughput::Bytes(total));
    let live: Vec<&[u8]> = events.iter().map(String::as_bytes).collect();
    group.bench_function("responses, an event at a time", |b| {
        b.iter(|| run(Answer::stream(Shape::Responses), by, &live));
    });
    let mut text = String::new();
    for _ in 0..100 {
        let _infallible = write!(text, "{PROSE}");
    }
    let plain = json!({"choices": [{"index": 0, "message": {"content": text}}]}).to_string();
    let total = u64::try_from(plain.len()).unwrap_or(u64::MAX);
    group.throughput(Throughput::Bytes(total));
    group.bench_function("plain", |b| {
        b.iter(|| run(Answer::plain(Shape::Chat), by, &[plain.as_bytes()]));
    });
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
