//! What a request pays for its record: counting, the access line, the push; and what the writer's
//! thread pays for masking it.

use std::hint::black_box;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use http::Method;
use portcullis::identify::keys::Role;
use portcullis::policy::LogFormat;
use portcullis::record::event::write_access_line;
use portcullis::record::mask::mask;
use portcullis::record::metrics::Metrics;
use portcullis::record::{Facts, Outcome, Record, Recorder, Times, Usage};
use portcullis::runtime::logger::LineWriter;
use portcullis::runtime::writer::LogSink;

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH
        .checked_add(Duration::from_millis(1_763_762_821_007))
        .unwrap_or(SystemTime::UNIX_EPOCH)
}

fn facts() -> Facts {
    let mut facts = Facts::new(
        "0190163d-8694-739b-aea5-966c26f8ad90",
        Method::POST,
        b"/v1/chat/completions",
        "0123456789abcdef",
    );
    facts.client_ip = Some(IpAddr::from([203, 0, 113, 17]));
    facts.key_id = "team-search".parse().ok();
    facts.role = Some(Role::Standard);
    facts.model = "gpt-4o-mini".parse().ok();
    facts.provider = "openai".parse().ok();
    facts.upstream_status = Some(200);
    facts.attempts = 1;
    facts.status = Some(200);
    facts.outcome = Outcome::Completed;
    facts.request_bytes = 1_024;
    facts.response_bytes = 612;
    facts.times = Some(Times {
        duration: Duration::from_micros(812_345),
        overhead: Duration::from_micros(123),
        first_byte: Some(Duration::from_micros(640_001)),
        upstream: Some(Duration::from_micros(811_900)),
    });
    facts.usage = Usage {
        prompt: Some(123),
        completion: Some(45),
    };
    facts
}

/// The server's recorder, without the switch for access lines.
struct Whole {
    metrics: Metrics,
    lines: LineWriter,
}

impl Recorder for Whole {
    fn opened(&self) {
        self.metrics.opened();
    }

    fn closed(&self, facts: &Facts) {
        self.metrics.closed(facts);
        self.lines.access(facts);
    }
}

fn per_request(c: &mut Criterion) {
    let mut group = c.benchmark_group("record");
    let facts = facts();
    let (Ok(metrics), Ok(sink)) = (
        Metrics::new(),
        LogSink::open(Some("/dev/null".as_ref()), true),
    ) else {
        return;
    };
    metrics.know(["openai", "local"], ["gpt-4o", "gpt-4o-mini"]);
    group.bench_function("observe", |b| b.iter(|| metrics.observe(black_box(&facts))));
    let mut line = Vec::new();
    group.bench_function("write_access_line", |b| {
        b.iter(|| {
            line.clear();
            write_access_line(black_box(&facts), now(), LogFormat::Json, &mut line);
        });
    });
    group.bench_function("push", |b| b.iter(|| sink.push(black_box(&line))));
    let whole: Arc<dyn Recorder> = Arc::new(Whole {
        metrics,
        lines: LineWriter::new(sink.clone(), LogFormat::Json, now),
    });
    // In rounds with a pause for the writer's thread, which no real load outruns.
    group.throughput(Throughput::Elements(1_000));
    group.bench_function("open, fill, finish 1,000", |b| {
        b.iter_batched(
            || sink.flush(Duration::from_secs(1)),
            |_| {
                for _ in 0..1_000 {
                    drop(Record::open(Arc::clone(&whole), self::facts()));
                }
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

fn masking(c: &mut Criterion) {
    let mut line = Vec::new();
    write_access_line(&facts(), now(), LogFormat::Json, &mut line);
    let plain = String::from_utf8(line).unwrap_or_default();
    let secret = plain.replace("gpt-4o-mini", "sk-abcdefghijklmnopqrstuvwxyz");
    let mut group = c.benchmark_group("mask");
    for (name, line) in [("access line", &plain), ("line with a secret", &secret)] {
        group.throughput(Throughput::Bytes(
            u64::try_from(line.len()).unwrap_or_default(),
        ));
        group.bench_function(name, |b| b.iter(|| mask(black_box(line)).len()));
    }
    group.finish();
}

criterion_group!(benches, per_request, masking);
criterion_main!(benches);
