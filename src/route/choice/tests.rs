#![expect(clippy::arithmetic_side_effects, reason = "small numbers of a test")]

use std::collections::BinaryHeap;
use std::num::NonZeroU32;

use super::*;
use crate::route::balance::hash;
use crate::route::breaker::HealthSettings;
use crate::route::live::{Order, Verdict};

#[derive(Debug)]
struct Even(Vec<u16>);

impl Weights for Even {
    fn weight(&self, endpoint: usize) -> u16 {
        self.0[endpoint]
    }
}

struct Yard {
    schedule: Schedule,
    ring: Ring,
    weights: Even,
    lives: Vec<Arc<Live>>,
}

impl Yard {
    fn new(weights: &[u16]) -> Self {
        let names: Vec<String> = (0..weights.len()).map(|n| format!("e{n}")).collect();
        let named = names
            .iter()
            .map(String::as_str)
            .zip(weights.iter().copied());
        Self {
            schedule: Schedule::new(weights),
            ring: Ring::new(named),
            weights: Even(weights.to_vec()),
            lives: weights
                .iter()
                .map(|_| Arc::new(Live::new(None, Duration::from_secs(30))))
                .collect(),
        }
    }

    fn choose(&self, balance: Balance, tick: u64, now: Duration, tried: &[usize]) -> Option<usize> {
        let field = Field {
            schedule: &self.schedule,
            ring: &self.ring,
            weights: &self.weights,
            lives: &self.lives,
            now,
        };
        let turn = Turn {
            tick,
            hash: scatter(tick),
        };
        choose(balance, field, turn, tried)
    }
}

const ALL: [Balance; 4] = [
    Balance::RoundRobin,
    Balance::LeastInFlight,
    Balance::Latency,
    Balance::HashKey,
];
const NOW: Duration = Duration::from_secs(100);

#[test]
fn every_kind_chooses_among_those_that_may_be_called() {
    for balance in ALL {
        let yard = Yard::new(&[1, 1, 1]);
        yard.lives[1].order(Order::Drain);
        for tick in 0..200 {
            let chosen = yard.choose(balance, tick, NOW, &[0]);
            assert_eq!(chosen, Some(2), "{balance:?}: 0 was tried, 1 is drained");
            assert_eq!(
                yard.choose(balance, tick, NOW, &[0, 2]),
                None,
                "{balance:?}: nobody is left"
            );
        }
    }
}

#[test]
fn an_endpoint_set_aside_is_called_when_it_is_the_only_one() {
    for balance in ALL {
        let yard = Yard::new(&[1, 1]);
        yard.lives[0].rest(Duration::from_secs(9), NOW);
        for tick in 0..50 {
            assert_eq!(yard.choose(balance, tick, NOW, &[]), Some(1), "{balance:?}");
            assert_eq!(
                yard.choose(balance, tick, NOW, &[1]),
                Some(0),
                "{balance:?}"
            );
        }
    }
}

#[test]
fn a_returning_endpoint_gets_a_part_of_its_share() {
    let probes = HealthSettings {
        unhealthy_after: NonZeroU32::MIN,
        healthy_after: NonZeroU32::MIN,
    };
    for balance in [
        Balance::RoundRobin,
        Balance::LeastInFlight,
        Balance::Latency,
    ] {
        let yard = Yard::new(&[1, 1]);
        yard.lives[0].probed(false, probes, NOW);
        yard.lives[0].probed(true, probes, NOW);
        let calls = (0..2_000).filter(|tick| yard.choose(balance, *tick, NOW, &[]) == Some(0));
        let share = calls.count();
        assert!(
            (20..400).contains(&share),
            "{balance:?}: well under half: {share}"
        );
    }
}

#[test]
fn the_fewest_calls_in_flight_win_by_weight() {
    let yard = Yard::new(&[1, 1, 2]);
    let held: Vec<_> = [0, 1, 2]
        .map(|one: usize| yard.lives[one].begin(NOW).unwrap())
        .into();
    for tick in 0..50 {
        assert_eq!(
            yard.choose(Balance::LeastInFlight, tick, NOW, &[]),
            Some(2),
            "one call on a weight of two is half a call"
        );
    }
    drop(held);
}

#[test]
fn one_caller_stays_with_one_endpoint_while_it_is_well() {
    let yard = Yard::new(&[1, 1, 1, 1]);
    let first = yard.choose(Balance::HashKey, 7, NOW, &[]);
    yard.lives[0].begin(NOW).unwrap().settle(Verdict::Bad, NOW);
    assert_eq!(
        first,
        yard.choose(Balance::HashKey, 7, NOW, &[]),
        "the same again"
    );
}

#[test]
fn weights_of_zero_are_a_last_resort_of_every_kind() {
    for balance in ALL {
        let yard = Yard::new(&[0, 1]);
        for tick in 0..50 {
            assert_eq!(yard.choose(balance, tick, NOW, &[]), Some(1), "{balance:?}");
            assert_eq!(
                yard.choose(balance, tick, NOW, &[1]),
                Some(0),
                "{balance:?}"
            );
        }
    }
}

/// Calls arrive at random, each is given to an endpoint and ends after that one's time; answers
/// the p99 of those times in microseconds.
fn p99(balance: Balance, micros: &[u64], calls: u64, every: u64) -> u64 {
    let yard = Yard::new(&vec![1; micros.len()]);
    let mut ending = Ending::new();
    let mut tickets = std::collections::HashMap::new();
    let (mut took, mut clock) = (Vec::new(), 1_000_000_u64);
    for call in 0..calls {
        clock += scatter(call) % (2 * every) + 1;
        while let Some((end, which)) = next_to_end(&mut ending, clock) {
            let (mut ticket, time): (crate::route::live::Ticket, u64) =
                tickets.remove(&which).unwrap();
            let now = Duration::from_micros(end);
            ticket.settle(Verdict::Good(Duration::from_micros(time)), now);
        }
        let now = Duration::from_micros(clock);
        let chosen = yard.choose(balance, call, now, &[]).unwrap();
        // A fifth more or less, as in life.
        let base = micros[chosen];
        let time = base * 4 / 5 + scatter(call ^ 0xabc) % (base * 2 / 5);
        tickets.insert(call, (yard.lives[chosen].begin(now).unwrap(), time));
        ending.push((std::cmp::Reverse(clock + time), call));
        took.push(time);
    }
    took.sort_unstable();
    took[took.len() * 99 / 100]
}

type Ending = BinaryHeap<(std::cmp::Reverse<u64>, u64)>;

fn next_to_end(ending: &mut Ending, clock: u64) -> Option<(u64, u64)> {
    let due = ending.peek().is_some_and(|(end, _)| end.0 <= clock);
    let (end, which) = if due { ending.pop()? } else { return None };
    Some((end.0, which))
}

#[test]
fn with_one_of_three_ten_times_slower_the_p99_stays_near_that_of_the_fast_ones() {
    // 200 calls a second over 100 seconds, 50 ms each: ten in flight.
    let fast = p99(Balance::Latency, &[50_000; 3], 20_000, 5_000);
    let mixed = p99(Balance::Latency, &[50_000, 500_000, 50_000], 20_000, 5_000);
    assert!(
        mixed * 2 <= fast * 3,
        "{mixed} us within 1.5 times {fast} us"
    );
    let blind = p99(
        Balance::RoundRobin,
        &[50_000, 500_000, 50_000],
        20_000,
        5_000,
    );
    assert!(blind > fast * 5, "turns alone do not do it: {blind} us");
}

#[test]
fn a_sticky_canary_of_five_percent_has_three_to_seven_of_a_hundred_callers() {
    for stable in ["api.example.com", "10.0.0.1:8080", "a"] {
        let endpoints = [(stable, 95), ("canary.example.com", 5)];
        let yard = Yard {
            ring: Ring::new(endpoints),
            ..Yard::new(&[95, 5])
        };
        let owner = |caller: u64, tick: u64| {
            let field = Field {
                schedule: &yard.schedule,
                ring: &yard.ring,
                weights: &yard.weights,
                lives: &yard.lives,
                now: NOW,
            };
            let hash = hash(format!("team-{caller}").as_bytes());
            choose(Balance::HashKey, field, Turn { tick, hash }, &[])
        };
        let mut with_canary = 0;
        for caller in 0..10_000 {
            let first = owner(caller, caller);
            with_canary += u32::from(first == Some(1));
            for tick in 0..5 {
                assert_eq!(
                    owner(caller, tick),
                    first,
                    "team-{caller} stays where it is"
                );
            }
        }
        assert!(
            (300..=700).contains(&with_canary),
            "{stable}: {with_canary} of 10,000"
        );
    }
}
