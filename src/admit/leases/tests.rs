//! Fleets of hosts before a store that counts as the one in production does.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "a test that overflows fails, which is what a test is for"
)]

use std::collections::HashMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::admit::admission::{self, Admitted, Applicant, Visitor};
use crate::admit::ledger::Ledger;
use crate::policy::Denial;
use crate::policy::limits::{KeyLimits, Limits};

/// What the script in the store does, in nanoseconds.
#[derive(Default)]
pub(super) struct Store {
    pub(super) limits: HashMap<Box<str>, (u64, u64)>,
}

impl Store {
    pub(super) fn answer(&mut self, ask: &Ask, now: u64) -> Grant {
        let (interval, depth) = (ask.limit.interval(), ask.limit.depth());
        let (mut tat, mut full) = self.limits.get(&ask.name).copied().unwrap_or_default();
        if tat <= now {
            (tat, full) = (now, now);
        }
        if full <= ask.since {
            tat = tat.saturating_sub(u64::from(ask.back) * interval).max(now);
        }
        tat += u64::from(ask.debt) * interval;
        let free = (now + depth).saturating_sub(tat) / interval;
        let granted = u64::from(ask.want).min(free);
        tat += granted * interval;
        self.limits.insert(ask.name.clone(), (tat, full));
        Grant {
            granted: u32::try_from(granted).unwrap(),
            ahead: Duration::from_nanos(tat - now),
            at: now,
        }
    }
}

struct Fleet {
    store: Store,
    hosts: Vec<Arc<Ledger>>,
    limits: Limits,
}

impl Fleet {
    fn new(hosts: u32, rate: &str, burst: u32) -> Self {
        let ledger = |_| {
            let leases = Leases::new(Wake::new(|| {}));
            leases.set_hosts(hosts);
            leases.set_connected(true);
            Arc::new(Ledger::new(1_000).sharing(leases))
        };
        Self {
            store: Store::default(),
            hosts: (0..hosts).map(ledger).collect(),
            limits: limits(rate, burst),
        }
    }

    fn ask(&self, host: usize, now: Moment) -> Result<Admitted, Denial> {
        let applicant = Applicant {
            visitor: Visitor::of("192.0.2.1".parse().unwrap(), &self.hosts[host]),
            key: Some("a"),
            limits: self.limits.per_key,
        };
        admission::admit(&applicant, &self.limits, &self.hosts[host], now)
    }

    fn passes(&self, host: usize, now: Moment) -> bool {
        self.ask(host, now).is_ok()
    }

    fn leases(&self, host: usize) -> &Leases {
        self.hosts[host].leases.as_ref().unwrap()
    }

    /// A host asks the store; nothing, where it is cut off.
    fn keep(&mut self, host: usize, now: Moment) -> Option<Moment> {
        let due = self.hosts[host].due(now, 100);
        for ask in &due.asks {
            let grant = self.store.answer(ask, now.as_nanos());
            self.hosts[host].granted(ask, grant, now);
        }
        due.next
    }
}

fn limits(rate: &str, burst: u32) -> Limits {
    Limits {
        emergency: Vec::new(),
        global: None,
        per_ip: None,
        per_key: KeyLimits {
            rate: Some(Limit::new(rate.parse().unwrap(), burst).unwrap()),
            ..KeyLimits::default()
        },
        models: Vec::new(),
        concurrent: None,
        block: None,
        max_clients: 1_000,
    }
}

fn at(micros: u64) -> Moment {
    Moment::default().after(Duration::from_micros(1_000_000 + micros))
}

/// Ten times the load for so many seconds, each host asking the store every ten milliseconds.
fn admitted_at_ten_times(rate: u64, burst: u32, seconds: u64) -> u64 {
    let mut fleet = Fleet::new(3, &format!("{rate}/second"), burst);
    let between = 1_000_000 / (rate * 10);
    let mut passed = 0;
    let mut kept = [0; 3];
    let mut now = 0;
    let mut turn = 0;
    while now < seconds * 1_000_000 {
        passed += u64::from(fleet.passes(turn % 3, at(now)));
        for (host, kept) in kept.iter_mut().enumerate() {
            if now >= *kept + 10_000 {
                *kept = now + u64::try_from(host).unwrap() * 700;
                fleet.keep(host, at(now));
            }
        }
        now += between;
        turn += 1;
    }
    passed
}

#[test]
fn a_fleet_admits_what_one_host_would_within_five_in_a_hundred() {
    for (rate, burst, seconds) in [(100, 50, 10), (1_000, 1_000, 5), (5, 10, 60), (20, 1, 30)] {
        let passed = admitted_at_ten_times(rate, burst, seconds);
        let formula = u64::from(burst) + rate * seconds;
        assert!(
            passed * 100 >= formula * 95 && passed * 100 <= formula * 105,
            "{passed} of {formula} at {rate}/second, burst {burst}"
        );
    }
}

#[test]
fn a_burst_at_one_host_gets_all_of_it_once_the_store_has_answered() {
    let mut fleet = Fleet::new(3, "1/minute", 9);
    let at_once = (0..9).filter(|_| fleet.passes(0, at(0))).count();
    assert_eq!(at_once, 3, "its own share, before the store has answered");
    fleet.keep(0, at(1_000));
    let then = (0..9).filter(|_| fleet.passes(0, at(2_000))).count();
    assert!(then >= 4, "a slice of what is left: {then}");
    fleet.keep(0, at(3_000));
    let rest = (0..9).filter(|_| fleet.passes(0, at(4_000))).count();
    assert_eq!(at_once + then + rest, 9, "and no more than the burst");
}

#[test]
fn whoever_waits_as_told_gets_in_at_whichever_host() {
    for burst in [1, 2, 10] {
        let mut fleet = Fleet::new(3, "1/second", burst);
        for millis in 0..10_u64 {
            let _passed = fleet.passes(0, at(millis * 1_000));
            fleet.keep(0, at(millis * 1_000 + 500));
        }
        let Err(Denial::RateLimited(refused)) = fleet.ask(0, at(20_000)) else {
            panic!("burst {burst}: all is used");
        };
        let told = at(20_000).after(refused.wait);
        let again = fleet.keep(0, at(21_000)).expect("it is asked again");
        assert!(again <= told, "asked before the client comes");
        fleet.keep(0, again);
        let waits = |more| told.after(Duration::from_millis(more));
        assert!(fleet.passes(0, waits(0)), "burst {burst}: as told");
        fleet.keep(0, waits(1));
        let other = fleet.ask(1, waits(2));
        if burst > 1 {
            assert!(
                other.is_ok(),
                "burst {burst}: another host, by its own share"
            );
        }
    }
}

#[test]
fn without_the_store_each_host_has_its_share_and_goes_on_from_where_it_stood() {
    let mut fleet = Fleet::new(3, "60/minute", 30);
    let mut passed = 0;
    for turn in 0..300_u64 {
        passed += usize::from(fleet.passes(0, at(turn * 100)));
        fleet.keep(0, at(turn * 100 + 50));
    }
    assert_eq!(passed, 30, "all of the burst");
    for host in 0..3 {
        fleet.leases(host).set_connected(false);
    }
    let of_host = |host| {
        (0..600)
            .filter(|n| fleet.passes(host, at(50_000 + n * 100_000)))
            .count()
    };
    let used = of_host(0);
    assert!(
        used <= 20,
        "a third of a minute's sixty, and no new burst: {used}"
    );
    let fresh = of_host(1);
    assert!(
        (29..=30).contains(&fresh),
        "a third of the burst and of the minute: {fresh}"
    );
}

#[test]
fn what_was_spent_without_the_store_is_told_to_it_and_no_more_than_still_counts() {
    let mut fleet = Fleet::new(3, "60/minute", 30);
    fleet.leases(0).set_connected(false);
    let alone = (0..600)
        .filter(|n| fleet.passes(0, at(n * 100_000)))
        .count();
    assert!((28..=31).contains(&alone), "its share of a minute: {alone}");
    let later = 60_100_000;
    fleet.hosts[0].due(at(later), 10);
    fleet.leases(0).set_connected(true);
    let due = fleet.hosts[0].due(at(later), 10);
    let debts: u32 = due.asks.iter().map(|ask| ask.debt).sum();
    assert!(
        (9..=10).contains(&debts),
        "a share of the burst; the rest has recovered: {debts}"
    );
    fleet.keep(0, at(later));
    let due = fleet.hosts[0].due(at(later), 10);
    assert!(due.asks.iter().all(|ask| ask.debt == 0), "told once");
}

#[test]
fn what_nobody_asks_for_goes_back_and_is_forgotten() {
    let mut fleet = Fleet::new(2, "60/minute", 40);
    assert!(fleet.passes(0, at(0)), "one");
    fleet.keep(0, at(1_000));
    assert_eq!(fleet.leases(0).there(), 1, "leased");
    let idle = 3_000_000;
    fleet.keep(0, at(idle));
    fleet.keep(0, at(idle + 1_000));
    assert_eq!(fleet.leases(0).there(), 0, "forgotten");
    let (tat, _) = *fleet.store.limits.values().next().unwrap();
    assert!(
        tat <= at(idle).as_nanos() + 1_000_000_000,
        "the store has it back"
    );
}

#[test]
fn an_answer_of_rubbish_opens_no_gate() {
    let fleet = Fleet::new(2, "60/minute", 4);
    assert!(fleet.passes(0, at(0)), "one");
    let due = fleet.hosts[0].due(at(1), 10);
    for ask in &due.asks {
        let grant = Grant {
            granted: u32::MAX,
            ahead: Duration::MAX,
            at: u64::MAX,
        };
        fleet.hosts[0].granted(ask, grant, at(2));
    }
    let passed = (0..100).filter(|_| fleet.passes(0, at(3))).count();
    assert!(passed <= 4, "no more than was asked for: {passed}");
}

#[test]
fn limits_beyond_the_room_are_held_to_the_share() {
    let leases = Leases::new(Wake::new(|| {}));
    leases.set_hosts(2);
    leases.set_connected(true);
    leases.there.store(MOST_LEASES, Ordering::Relaxed);
    let ledger = Arc::new(Ledger::new(1_000).sharing(leases));
    let fleet = Fleet {
        store: Store::default(),
        hosts: vec![ledger],
        limits: limits("1/minute", 10),
    };
    let passed = (0..100).filter(|_| fleet.passes(0, at(0))).count();
    assert_eq!(passed, 5, "half of ten");
    assert!(fleet.leases(0).crowded() > 0, "and that is counted");
}

proptest! {
    #[test]
    fn no_order_of_requests_questions_and_partitions_passes_the_bound(
        burst in 1_u32..20,
        count in 1_u64..40,
        steps in prop::collection::vec((0_usize..3, 0_u64..40_000, 0_u8..12), 1..400),
    ) {
        let mut fleet = Fleet::new(3, &format!("{count}/second"), burst);
        let (mut now, mut passed) = (0, 0_u64);
        let mut cut_off = [false; 3];
        let mut was_cut = [false; 3];
        for (host, micros, what) in steps {
            now += micros;
            match what {
                0 => {
                    if cut_off[host] {
                        fleet.hosts[host].due(at(now), 100);
                    }
                    cut_off[host] = !cut_off[host];
                    was_cut[host] |= cut_off[host];
                    fleet.leases(host).set_connected(!cut_off[host]);
                }
                1 | 2 if !cut_off[host] => drop(fleet.keep(host, at(now))),
                _ => passed += u64::from(fleet.passes(host, at(now))),
            }
            let whole = u64::from(burst) + now * count / 1_000_000;
            let cut = u64::try_from(was_cut.iter().filter(|cut| **cut).count()).unwrap();
            // The whole; what hosts have spent of their shares and not told; one more for each
            // whose share is less than one.
            let bound = whole + u64::from(burst) + cut * whole / 3 + 3;
            prop_assert!(passed <= bound, "{} of {} after {} us", passed, bound, now);
        }
    }

    #[test]
    fn a_host_alone_admits_no_more_than_the_limit_however_late_its_store_is(
        burst in 1_u32..20,
        count in 1_u64..40,
        steps in prop::collection::vec((0_u64..20_000, 0_u8..8), 1..400),
    ) {
        let mut fleet = Fleet::new(1, &format!("{count}/second"), burst);
        let (mut now, mut passed) = (0, 0_u64);
        let mut answers: Vec<(Ask, Grant)> = Vec::new();
        for (micros, what) in steps {
            now += micros;
            match what {
                0 if answers.is_empty() => {
                    for ask in fleet.hosts[0].due(at(now), 100).asks {
                        let grant = fleet.store.answer(&ask, at(now).as_nanos());
                        answers.push((ask, grant));
                    }
                }
                1 => {
                    for (ask, grant) in answers.drain(..) {
                        fleet.hosts[0].granted(&ask, grant, at(now));
                    }
                }
                _ => passed += u64::from(fleet.passes(0, at(now))),
            }
            let whole = u64::from(burst) + now * count / 1_000_000;
            prop_assert!(passed <= whole, "{passed} of {whole} after {now} us");
        }
    }
}
