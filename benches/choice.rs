//! Choosing an endpoint among a thousand, by each kind of balance.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use portcullis::route::balance::{Balance, Ring, Schedule, scatter};
use portcullis::route::choice::{Field, Turn, Weights, choose};
use portcullis::route::live::{Live, Verdict};

const COUNT: u16 = 1_000;
const NOW: Duration = Duration::from_hours(1);

#[derive(Debug)]
struct Even;

impl Weights for Even {
    fn weight(&self, _endpoint: usize) -> u16 {
        1
    }
}

/// Endpoints that were called already; with trouble, every tenth has failed several times.
fn yard(trouble: bool) -> Vec<Arc<Live>> {
    let one = |place: u16| {
        let live = Arc::new(Live::new(None, Duration::from_secs(30)));
        for call in 0..4_u64 {
            let Some(mut ticket) = live.begin(NOW) else {
                continue;
            };
            let took = Duration::from_micros(scatter(call ^ u64::from(place)) % 10_000);
            let failed = trouble && place.is_multiple_of(10);
            let verdict = if failed {
                Verdict::Bad
            } else {
                Verdict::Good(took)
            };
            ticket.settle(verdict, NOW);
        }
        live
    };
    (0..COUNT).map(one).collect()
}

fn choices(c: &mut Criterion) {
    let weights = vec![1_u16; usize::from(COUNT)];
    let schedule = Schedule::new(&weights);
    let names: Vec<String> = (0..COUNT).map(|n| format!("host-{n}:443")).collect();
    let ring = Ring::new(names.iter().map(|name| (name.as_str(), 1)));
    for (state, trouble) in [("well", false), ("a tenth set aside", true)] {
        let lives = yard(trouble);
        let field = Field {
            schedule: &schedule,
            ring: &ring,
            weights: &Even,
            lives: &lives,
            now: NOW,
        };
        for balance in [
            Balance::RoundRobin,
            Balance::LeastInFlight,
            Balance::Latency,
            Balance::HashKey,
        ] {
            let mut tick = 0_u64;
            let name = format!("choose/1000 endpoints/{state}/{}", balance.as_str());
            c.bench_function(&name, |b| {
                b.iter(|| {
                    tick = tick.wrapping_add(1);
                    let turn = Turn {
                        tick,
                        hash: scatter(tick),
                    };
                    black_box(choose(balance, field, black_box(turn), &[]))
                });
            });
        }
    }
}

criterion_group!(benches, choices);
criterion_main!(benches);
