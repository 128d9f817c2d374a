//! Rates of the literal stage by set size and text: `cargo bench --bench scan`.
#![expect(clippy::arithmetic_side_effects, reason = "made-up texts are short")]
#![expect(
    clippy::expect_used,
    reason = "a bench without its set has nothing to say"
)]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use portcullis::inspect::scan::{Hits, Literal, Literals};
use std::hint::black_box;

const BLOCK: usize = 8192;

const WORDS: &str = "the of and to ignore disregard forget previous all prior instructions above \
    system prompt reveal print show your rules developer mode jailbreak pretend act as you are now \
    without restrictions unfiltered bypass override policy safety filter do anything execute shell \
    command script select union from where drop table password secret token key send email to \
    exfiltrate every message repeat verbatim translate summarise document weather report engine \
    holiday garden library river mountain compile module function return value struct trait table \
    <script eval( ../ sk- ${ -----begin onerror= base64 http:// {{ }} import( javascript: &lt; \\x3c";

/// A fixed sequence: benches of two days are to be compared.
struct Dice(u64);

impl Dice {
    fn pick<'a>(&mut self, words: &[&'a str]) -> &'a str {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(0x9e37_79b9);
        let at = usize::try_from(self.0 >> 40).unwrap_or(0) % words.len();
        words.get(at).copied().unwrap_or_default()
    }

    fn text(&mut self, words: &[&str], len: usize) -> String {
        let mut text = String::new();
        while text.len() < len {
            text.push_str(self.pick(words));
            text.push(' ');
        }
        text
    }
}

/// Phrases of three words, all different.
fn phrases(count: usize) -> Vec<String> {
    let words: Vec<&str> = WORDS.split_whitespace().collect();
    let (mut dice, mut phrases) = (Dice(1), vec!["ignore previous".to_owned()]);
    while phrases.len() < count {
        let phrase = [dice.pick(&words), dice.pick(&words), dice.pick(&words)].join(" ");
        if !phrases.contains(&phrase) {
            phrases.push(phrase);
        }
    }
    phrases
}

fn literals(phrases: &[String]) -> Vec<Literal<'_>> {
    let anchored = phrases.iter().zip(0..);
    anchored
        .map(|(phrase, id)| Literal {
            bytes: phrase.as_bytes(),
            id,
            word_start: true,
            word_end: false,
        })
        .collect()
}

fn scan(c: &mut Criterion) {
    let mut group = c.benchmark_group("scan");
    for count in [60, 600, 2000] {
        let phrases = phrases(count);
        let set = Literals::compile(&literals(&phrases)).expect("the phrases compile");
        let words: Vec<&str> = WORDS.split_whitespace().collect();
        let all: Vec<&str> = phrases.iter().map(String::as_str).collect();
        let mut dice = Dice(7);
        let texts = [
            ("words", dice.text(&words, BLOCK)),
            ("triggers", dice.text(&all, BLOCK)),
            ("one_trigger", dice.text(&["ignore previous"], BLOCK)),
            (
                "cyrillic",
                "обычный текст на другом языке ".repeat(BLOCK / 56),
            ),
        ];
        for (name, text) in &texts {
            let mut hits = Hits::new();
            group.throughput(Throughput::Bytes(u64::try_from(text.len()).unwrap_or(0)));
            group.bench_function(BenchmarkId::new(*name, count), |b| {
                b.iter(|| {
                    set.scan(black_box(text.as_bytes()), &mut hits);
                    black_box(hits.as_slice().len())
                });
            });
        }
    }
    group.finish();
}

fn short(c: &mut Criterion) {
    let phrases = phrases(600);
    let set = Literals::compile(&literals(&phrases)).expect("the phrases compile");
    let words: Vec<&str> = WORDS.split_whitespace().collect();
    let mut group = c.benchmark_group("scan_short");
    for len in [64, 256, 1024, 4096] {
        let text = Dice(3).text(&words, len);
        let mut hits = Hits::new();
        group.throughput(Throughput::Bytes(u64::try_from(text.len()).unwrap_or(0)));
        group.bench_function(BenchmarkId::from_parameter(len), |b| {
            b.iter(|| {
                set.scan(black_box(text.as_bytes()), &mut hits);
                black_box(hits.as_slice().len())
            });
        });
    }
    group.finish();
}

fn compile(c: &mut Criterion) {
    let phrases = phrases(2000);
    let literals = literals(&phrases);
    c.bench_function("compile_2000", |b| {
        b.iter(|| Literals::compile(black_box(&literals)));
    });
}

criterion_group!(benches, scan, short, compile);
criterion_main!(benches);
