//! What limits cost a request: all of them together, a refusal, a connection; and what a million
//! addresses take.

#![expect(
    clippy::expect_used,
    reason = "a bench over its own numbers; one that fails must stop"
)]

use std::hint::black_box;
use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use portcullis::admit::admission::{self, Applicant, Visitor};
use portcullis::admit::client::Client;
use portcullis::admit::connections::Purpose;
use portcullis::admit::flood;
use portcullis::admit::ledger::{Ledger, Who};
use portcullis::admit::moment::Moment;
use portcullis::policy::ConnectionLimits;
use portcullis::policy::limits::{KeyLimits, Limit, Limits, ModelLimit};
use portcullis::runtime::clock;
use portcullis::runtime::flood::Sketch;

const ADDRESSES: u32 = 1_000_000;

/// So much that nothing is refused.
fn plenty() -> Limit {
    limit("1000000000/second", 1_000_000)
}

fn limit(rate: &str, burst: u32) -> Limit {
    Limit::new(rate.parse().expect("a rate"), burst).expect("a limit")
}

/// Every kind of limit at once.
fn all(limit: Limit) -> Limits {
    Limits {
        global: Some(limit),
        per_ip: Some(limit),
        per_key: KeyLimits {
            rate: Some(limit),
            tokens: Some(plenty()),
            concurrent: Some(1_000),
        },
        emergency: Vec::new(),
        models: vec![ModelLimit {
            models: vec!["gpt-*".parse().expect("a pattern")],
            name: "gpt-*".into(),
            limit,
        }],
        concurrent: Some(1_000),
        block: None,
        max_clients: usize::try_from(ADDRESSES).unwrap_or(usize::MAX),
    }
}

fn address(number: u32) -> IpAddr {
    Ipv4Addr::from_bits(number.wrapping_mul(2_654_435_761)).into()
}

/// A request of the key's, from a first look at its address to its end.
fn request(from: IpAddr, limits: &Limits, ledger: &Arc<Ledger>, now: Moment) -> bool {
    let blocked = ledger.blocks.is_blocked(from, now).is_some();
    let visitor = Visitor::of(from, ledger);
    if blocked || admission::peek(visitor, limits, ledger, now).is_err() {
        return false;
    }
    let applicant = Applicant {
        visitor,
        key: Some("team-search"),
        limits: limits.per_key,
    };
    let Ok(mut admitted) = admission::admit(&applicant, limits, ledger, now) else {
        return false;
    };
    let fine = admitted.model("gpt-4o", limits, now).is_ok()
        && admitted.reserve("team-search", 100, now).is_ok();
    admitted.settle(80, now);
    fine
}

fn requests(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("limits");
    let ledger = Arc::new(Ledger::new(1_000_000));
    let limits = all(plenty());
    let from = address(1);
    group.bench_function("all_admitted", |bench| {
        bench.iter(|| {
            let admitted = request(black_box(from), &limits, &ledger, clock::moment());
            assert!(admitted, "nothing is refused");
        });
    });
    let tight = all(limit("1/day", 1));
    let ledger = Arc::new(Ledger::new(1_000_000));
    assert!(request(from, &tight, &ledger, clock::moment()), "the first");
    group.bench_function("refused_by_address", |bench| {
        bench.iter(|| {
            let admitted = request(black_box(from), &tight, &ledger, clock::moment());
            assert!(!admitted, "all are refused");
        });
    });
    let by_key = Limits {
        per_ip: Some(plenty()),
        global: None,
        ..tight
    };
    group.bench_function("refused_by_key", |bench| {
        bench.iter(|| {
            let admitted = request(black_box(from), &by_key, &ledger, clock::moment());
            assert!(!admitted, "all are refused");
        });
    });
    group.finish();
}

fn connections(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("connections");
    let ledger = Ledger::new(1_000_000);
    let limits = ConnectionLimits {
        all: 20_000,
        per_address: 10_000,
    };
    let client = Client::of(address(1));
    group.bench_function("enter_and_leave", |bench| {
        bench.iter(|| {
            let key = ledger.key(Who::Client(black_box(client)));
            let place = ledger.connections.enter(Purpose::Api, Some(key), limits);
            assert!(place.is_ok(), "there is room");
        });
    });
    let sketch = Sketch::default();
    group.bench_function("coarse_count", |bench| {
        bench.iter(|| sketch.suspects(black_box(client), clock::moment()));
    });
    let requests = limit("100/minute", 50);
    group.bench_function("exact_count_of_a_suspect", |bench| {
        bench.iter(|| flood::is_flood(black_box(client), &requests, &ledger, clock::moment()));
    });
    group.finish();
}

fn many_addresses(criterion: &mut Criterion) {
    let ledger = Arc::new(Ledger::new(
        usize::try_from(ADDRESSES).unwrap_or(usize::MAX),
    ));
    let limits = Limits {
        per_ip: Some(limit("100/minute", 50)),
        ..all(plenty())
    };
    let before = resident();
    for number in 0..ADDRESSES {
        let visitor = Visitor::of(address(number), &ledger);
        admission::charge_attempt(visitor, &limits, &ledger, clock::moment());
    }
    let grown = resident().saturating_sub(before);
    let known = ledger.clients_known();
    let mib = grown.checked_div(1_048_576).unwrap_or(0);
    writeln!(
        std::io::stdout(),
        "{known} addresses known: {mib} MiB resident"
    )
    .expect("a line");
    let mut number = 0_u32;
    criterion.bench_function("limits/one_of_a_million_addresses", |bench| {
        bench.iter(|| {
            number = number
                .wrapping_add(7_919)
                .checked_rem(ADDRESSES)
                .unwrap_or(0);
            let visitor = Visitor::of(address(number), &ledger);
            admission::peek(visitor, &limits, &ledger, clock::moment())
        });
    });
}

/// Memory of the process, as the system has it.
fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = statm
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse().ok())
        .unwrap_or(0);
    pages.saturating_mul(4_096)
}

fn short() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
}

criterion_group! {
    name = benches;
    config = short();
    targets = requests, connections, many_addresses
}
criterion_main!(benches);
