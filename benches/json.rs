//! The JSON reader over bodies of several kinds, beside `serde_json` skipping the same bytes.
//! Throughput is in bytes of body; the sink only adds up lengths, as the floor for what listens.

#![expect(clippy::expect_used, reason = "a bench that reads nothing must stop")]

use std::fmt::Write;
use std::hint::black_box;

use criterion::{
    BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime,
};
use portcullis::inspect::json::{Decoded, Limits, Reader, Sink};
use portcullis::inspect::peek::Peek;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

/// Adds up the decoded length of all strings.
#[derive(Default)]
struct Lengths(usize);

impl Sink for Lengths {
    fn string_run(&mut self, _at: u64, run: &str) {
        self.0 = self.0.wrapping_add(run.len());
    }
    fn string_escape(&mut self, _at: u64, _raw_len: u8, ch: char) {
        self.0 = self.0.wrapping_add(ch.len_utf8());
    }
    fn string_decoded(&mut self, decoded: Decoded<'_>) {
        self.0 = self.0.wrapping_add(decoded.text().len());
    }
}

const PROSE: &str = "The quarterly report is due on Friday, and the figures for the northern region \
    are still missing. Could you draft a polite reminder to the team, mention the meeting at ten, \
    and say that \"late\" is better than \"never\"?\n";
const CODE: &str = "fn main() {\n\tlet name = \"world\";\n\tprintln!(\"Hello, {name}\\n\");\n}\n\n";
const RUSSIAN: &str = "Отчёт за квартал нужен к пятнице, а цифр по северному региону ещё нет. ";

/// A chat request of about `size` bytes with turns of `text`.
fn chat(text: &str, size: usize) -> Value {
    let turns = (size / 2000).max(1);
    let turn = text.repeat(size.div_ceil(turns.saturating_mul(text.len())));
    let messages: Vec<Value> = (0..turns)
        .map(|no| if no % 2 == 0 { "user" } else { "assistant" })
        .map(|role| json!({"role": role, "content": turn}))
        .collect();
    json!({"messages": messages, "temperature": 0.7, "max_tokens": 256, "stream": true,
        "model": "gpt-4o-mini"})
}

/// Tool definitions: short strings and much structure.
fn tools(size: usize) -> Value {
    let tool = |no: usize| {
        json!({"type": "function", "function": {"name": format!("tool_{no}"), "strict": true,
        "parameters": {"type": "object", "required": ["city", "unit"], "properties": {
            "city": {"type": "string", "description": "The city"},
            "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]}}}}})
    };
    json!({"model": "gpt-4o-mini", "tools": (0..size / 260).map(tool).collect::<Vec<_>>()})
}

/// One object with as many keys as may be open.
fn keys() -> Vec<u8> {
    let keys: Vec<String> = (0..4096).map(|no| format!("\"{no}\":0")).collect();
    format!("{{{}}}", keys.join(",")).into_bytes()
}

fn embedding(size: usize) -> Value {
    let vector: Vec<f64> = (0_u32..)
        .take(size / 20)
        .map(|no| (f64::from(no) * 0.37).sin())
        .collect();
    json!({"data": [{"embedding": vector}]})
}

/// Every character outside ASCII as an escape, as Python's `json.dumps` writes it.
fn escaped(value: &Value) -> Vec<u8> {
    let mut out = String::new();
    for ch in value.to_string().chars() {
        if ch.is_ascii() {
            out.push(ch);
        } else {
            let mut units = [0; 2];
            for unit in ch.encode_utf16(&mut units) {
                write!(out, "\\u{unit:04x}").expect("a string takes all");
            }
        }
    }
    out.into_bytes()
}

fn bodies() -> Vec<(&'static str, Vec<u8>)> {
    let bytes = |value: Value| value.to_string().into_bytes();
    vec![
        ("prose_1k", bytes(chat(PROSE, 1_000))),
        ("prose_16k", bytes(chat(PROSE, 16_000))),
        ("prose_256k", bytes(chat(PROSE, 256_000))),
        ("code_16k", bytes(chat(CODE, 16_000))),
        ("russian_16k", bytes(chat(RUSSIAN, 16_000))),
        ("russian_escaped_16k", escaped(&chat(RUSSIAN, 5_000))),
        ("tools_16k", bytes(tools(16_000))),
        ("embedding_16k", bytes(embedding(16_000))),
        (
            "pretty_16k",
            serde_json::to_vec_pretty(&tools(6_000)).expect("a value is JSON"),
        ),
        (
            "strings_16k",
            format!("[{}0]", "\"\",".repeat(5_300)).into_bytes(),
        ),
        (
            "arrays_16k",
            format!("[{}0]", "[],".repeat(5_300)).into_bytes(),
        ),
        (
            "objects_16k",
            format!("[{}0]", "{\"\":0},".repeat(2_000)).into_bytes(),
        ),
        ("keys_4096", keys()),
        (
            "escapes_16k",
            format!("\"{}\"", "\\n".repeat(8_000)).into_bytes(),
        ),
    ]
}

fn read<S: Sink>(body: &[u8], cut: usize, sink: &mut S) {
    let mut reader = Reader::new(Limits::default());
    for piece in body.chunks(cut) {
        reader.push(piece, sink).expect("the body is JSON");
    }
    reader.finish(sink).expect("the body is whole");
}

fn each(
    c: &mut Criterion,
    group: &str,
    run: impl Fn(&mut BenchmarkGroup<'_, WallTime>, &str, &[u8]),
) {
    let mut group = c.benchmark_group(group);
    for (name, body) in bodies() {
        group.throughput(Throughput::BytesDecimal(
            u64::try_from(body.len()).expect("small"),
        ));
        run(&mut group, name, &body);
    }
    group.finish();
}

fn json(c: &mut Criterion) {
    each(c, "json/read", |group, name, body| {
        group.bench_function(name, |b| {
            b.iter(|| {
                let mut sink = Lengths::default();
                read(black_box(body), body.len(), &mut sink);
                sink.0
            });
        });
    });
    each(c, "json/peek", |group, name, body| {
        if name.starts_with("prose") {
            group.bench_function(name, |b| {
                b.iter(|| {
                    let mut peek = Peek::default();
                    read(black_box(body), body.len(), &mut peek);
                    peek.facts().expect("a model is named")
                });
            });
        }
    });
    each(c, "json/read_by_64", |group, name, body| {
        if name.ends_with("_16k") {
            group.bench_function(name, |b| {
                b.iter(|| {
                    let mut sink = Lengths::default();
                    read(black_box(body), 64, &mut sink);
                    sink.0
                });
            });
        }
    });
    each(c, "json/serde_json_ignored", |group, name, body| {
        group.bench_function(name, |b| {
            b.iter(|| serde_json::from_slice::<IgnoredAny>(black_box(body)).expect("JSON"));
        });
    });
}

criterion_group!(benches, json);
criterion_main!(benches);
