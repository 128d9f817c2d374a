//! What the audit log costs: the request that leaves an entry, the writer's thread, the check of a
//! file. `portcullis audit verify` runs here as it is, on a file that was written for it.

use std::hint::black_box;
use std::net::IpAddr;
use std::path::Path;
use std::time::{Duration, SystemTime};

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use portcullis::record::chain::entry::Entry;
use portcullis::record::event::{KeyPrefix, Level, SecurityEvent, Severity, Verdict};
use portcullis::runtime::audit::AuditLog;

const LINES: u32 = 100_000;

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH
        .checked_add(Duration::from_mins(29_922_020))
        .unwrap_or(SystemTime::UNIX_EPOCH)
}

fn denial(number: u32, prefix: &KeyPrefix) -> Entry {
    let [_, _, second, third] = number.to_be_bytes();
    let event = SecurityEvent {
        level: Level::Warning,
        operation: "authentication",
        verdict: Verdict::Status("failure"),
        severity: Severity::Medium,
        user_id: None,
        client_ip: Some(IpAddr::from([203, 0, second / 16, third])),
        user_agent: b"OpenAI/Python 1.2.3",
        request_id: "0190163d-8694-739b-aea5-966c26f8ad90",
        key_prefix: Some(prefix),
        reason: "unknown",
        tags: &["authentication", "failure"],
        found: None,
        details: &[],
    };
    Entry::of(black_box(&event), now())
}

/// Writes a log and says whether all of it is there.
fn write(path: &Path, entries: Vec<Entry>) -> bool {
    let Ok(log) = AuditLog::open(path, None, now) else {
        return false;
    };
    for (number, entry) in entries.into_iter().enumerate() {
        log.push(entry);
        // Room for what comes: what is measured is the writer, not how much it drops.
        if number % 20_000 == 19_999 && !log.flush(Duration::from_mins(1)) {
            return false;
        }
    }
    log.close(now(), Duration::from_mins(1)) && log.dropped() == 0
}

fn entries(prefix: &KeyPrefix) -> Vec<Entry> {
    (0..LINES).map(|number| denial(number, prefix)).collect()
}

fn audit(c: &mut Criterion) {
    let mut group = c.benchmark_group("audit");
    let prefix = KeyPrefix::of(b"sk-0123456789abcdef0123456789");
    let Ok(folder) = tempfile::tempdir() else {
        return;
    };
    let pushed = folder.path().join("pushed.jsonl");
    let Ok(log) = AuditLog::open(&pushed, None, now) else {
        return;
    };
    // In rounds with a pause for the writer's thread, which no real load outruns.
    group.throughput(Throughput::Elements(1_000));
    group.bench_function("make and push 1,000 entries", |b| {
        b.iter_batched(
            || log.flush(Duration::from_secs(5)),
            |_| {
                for number in 0..1_000 {
                    log.push(denial(number, &prefix));
                }
            },
            BatchSize::PerIteration,
        );
    });
    group.sample_size(10);
    group.throughput(Throughput::Elements(u64::from(LINES)));
    let mut file = 0_u32;
    group.bench_function("write 100,000 lines", |b| {
        b.iter_batched(
            || {
                file = file.saturating_add(1);
                let path = folder.path().join(format!("{file}.jsonl"));
                (path, entries(&prefix))
            },
            |(path, entries)| assert!(write(&path, entries), "all of it"),
            BatchSize::PerIteration,
        );
    });
    let checked = folder.path().join("checked.jsonl");
    if !write(&checked, entries(&prefix)) {
        return;
    }
    let arguments = ["portcullis", "audit", "verify"].map(Into::into);
    let arguments = [&arguments[..], &[checked.into_os_string()]].concat();
    group.bench_function("verify 100,000 lines", |b| {
        b.iter(|| {
            let (mut out, mut err) = (Vec::new(), Vec::new());
            let code = portcullis::cli::main(arguments.clone(), &mut out, &mut err);
            assert!(code.is_ok_and(|code| code == 0), "whole");
        });
    });
    group.finish();
}

criterion_group!(benches, audit);
criterion_main!(benches);
