//! Model tokens of a fleet, before a store that counts as the one in production does.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "a test that overflows fails, which is what a test is for"
)]

use std::sync::Arc;

use proptest::prelude::*;

use super::super::Wake;
use super::super::tests::Store;
use super::*;
use crate::admit::admission::{self, Admitted, Applicant, Visitor};
use crate::admit::ledger::Ledger;
use crate::policy::Denial;
use crate::policy::limits::{KeyLimits, Limits};

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
        let limits = Limits {
            emergency: Vec::new(),
            global: None,
            per_ip: None,
            per_key: KeyLimits {
                tokens: Some(Limit::new(rate.parse().unwrap(), burst).unwrap()),
                ..KeyLimits::default()
            },
            models: Vec::new(),
            concurrent: None,
            block: None,
            max_clients: 1_000,
        };
        Self {
            store: Store::default(),
            hosts: (0..hosts).map(ledger).collect(),
            limits,
        }
    }

    /// A request that sets so many tokens aside.
    fn ask(&self, host: usize, tokens: u64, now: Moment) -> Result<Admitted, Denial> {
        let applicant = Applicant {
            visitor: Visitor::of("192.0.2.1".parse().unwrap(), &self.hosts[host]),
            key: Some("a"),
            limits: self.limits.per_key,
        };
        let mut admitted = admission::admit(&applicant, &self.limits, &self.hosts[host], now)?;
        admitted.reserve("a", tokens, now)?;
        Ok(admitted)
    }

    /// The tokens that requests of so many each get, each of which uses them all.
    fn used(&self, host: usize, tokens: u64, now: Moment) -> u64 {
        let asked = (0..1_000).map(|_| self.ask(host, tokens, now).is_ok());
        asked.take_while(|passed| *passed).map(|_| tokens).sum()
    }

    fn leases(&self, host: usize) -> &Leases {
        self.hosts[host].leases.as_ref().unwrap()
    }

    /// A host asks the store; answers when it wants to ask again.
    fn keep(&mut self, host: usize, now: Moment) -> Option<Moment> {
        let due = self.hosts[host].due(now, 100);
        for ask in &due.asks {
            let grant = self.store.answer(ask, now.as_nanos());
            self.hosts[host].granted(ask, grant, now);
        }
        due.next
    }
}

fn at(millis: u64) -> Moment {
    Moment::default().after(Duration::from_millis(1_000_000 + millis))
}

#[test]
fn a_key_at_one_host_of_three_gets_all_of_its_tokens() {
    let mut fleet = Fleet::new(3, "900/hour", 900);
    let mut used = 0;
    for turn in 0..20 {
        used += fleet.used(0, 50, at(turn * 20));
        fleet.keep(0, at(turn * 20 + 10));
    }
    assert!((850..=900).contains(&used), "{used} of 900");
    let elsewhere = fleet.used(1, 50, at(500));
    assert!(
        elsewhere <= 300,
        "another host's share, untold: {elsewhere}"
    );
    fleet.keep(1, at(510));
    fleet.keep(1, at(530));
    assert_eq!(fleet.used(1, 50, at(540)), 0, "and then it has heard");
}

#[test]
fn what_was_not_used_goes_back_to_the_slice_and_to_the_fleet() {
    let mut fleet = Fleet::new(2, "1000/hour", 1_000);
    let mut first = fleet.ask(0, 400, at(0)).unwrap();
    fleet.keep(0, at(10));
    let second = fleet.ask(0, 300, at(20));
    assert!(second.is_ok(), "of the slice");
    fleet.keep(0, at(25));
    first.settle(10, at(30));
    drop(first);
    let third = fleet.ask(0, 600, at(40));
    assert!(third.is_ok(), "what the first did not use is there again");
    third.unwrap().settle(0, at(50));
    drop(second);
    for turn in 0..60 {
        fleet.keep(0, at(100 + turn * 100));
    }
    let (recovered, _) = fleet.store.limits.values().next().copied().unwrap();
    let used = recovered - at(6_000).as_nanos();
    let used = used / fleet.limits.per_key.tokens.unwrap().interval();
    assert!(
        (300..=560).contains(&used),
        "10 and 300, and a quarter of the burst that stays leased: {used}"
    );
}

#[test]
fn what_was_used_beyond_is_told_to_the_fleet() {
    let mut fleet = Fleet::new(2, "1000/hour", 1_000);
    let mut one = fleet.ask(0, 100, at(0)).unwrap();
    fleet.keep(0, at(10));
    one.settle(1_500, at(20));
    drop(one);
    fleet.keep(0, at(30));
    fleet.keep(1, at(30));
    assert!(fleet.ask(0, 1, at(40)).is_err(), "500 are owed");
    drop(fleet.ask(1, 1, at(40)));
    fleet.keep(1, at(50));
    let Err(Denial::TokensLimited(wait)) = fleet.ask(1, 1, at(60)) else {
        panic!("owed everywhere");
    };
    assert!(wait > Duration::from_mins(29), "half an hour's: {wait:?}");
}

#[test]
fn whoever_waits_as_told_finds_the_tokens() {
    for (hosts, tokens) in [(1, 60), (3, 10), (3, 60), (3, 100)] {
        let mut fleet = Fleet::new(hosts, "100/minute", 100);
        for turn in 0..20 {
            fleet.used(0, 10, at(turn * 20));
            fleet.keep(0, at(turn * 20 + 10));
        }
        let asked = at(1_000);
        let Err(Denial::TokensLimited(wait)) = fleet.ask(0, tokens, asked) else {
            panic!("{tokens} of {hosts} hosts: all is used");
        };
        assert!(wait < Duration::from_mins(2), "{tokens}: {wait:?}");
        let told = asked.after(wait);
        let mut now = asked;
        while now < told {
            let next = fleet.keep(0, now);
            // As the service does: when it was told, ten times a second at least, and not more
            // often than a hundred times.
            let soon = now.after(Duration::from_millis(10));
            let tick = now.after(Duration::from_millis(100));
            now = next.unwrap_or(tick).min(tick).max(soon);
        }
        let passed = fleet.ask(0, tokens, told);
        assert!(passed.is_ok(), "{tokens} of {hosts} hosts after {wait:?}");
    }
}

#[test]
fn without_the_store_a_host_has_its_share_and_holds_what_is_in_flight() {
    let fleet = Fleet::new(3, "300/minute", 300);
    fleet.leases(0).set_connected(false);
    let one = fleet.ask(0, 60, at(0)).unwrap();
    assert!(fleet.ask(0, 60, at(0)).is_err(), "a third of 300 is 100");
    let later = at(60_000);
    fleet.hosts[0].due(later, 10);
    assert!(fleet.ask(0, 40, later).is_ok(), "beside 60 in flight");
    assert!(
        fleet.ask(0, 40, later).is_err(),
        "which do not wear off, and 40 were used"
    );
    drop(one);
}

proptest! {
    #[test]
    fn no_order_of_calls_questions_and_partitions_passes_the_bound(
        burst in 10_u32..200,
        count in 1_u64..200,
        steps in prop::collection::vec((0_usize..3, 0_u64..100, 0_u8..16, 1_u64..60, 0_u64..60), 1..300),
    ) {
        let mut fleet = Fleet::new(3, &format!("{count}/second"), burst);
        let (mut now, mut used, mut largest) = (0, 0_u64, 0_u64);
        let mut cut_off = [false; 3];
        let mut was_cut = [false; 3];
        let mut open: Vec<(Admitted, u64)> = Vec::new();
        for (host, millis, what, tokens, less) in steps {
            now += millis;
            match what {
                0 => {
                    if cut_off[host] {
                        fleet.hosts[host].due(at(now), 100);
                    }
                    cut_off[host] = !cut_off[host];
                    was_cut[host] |= cut_off[host];
                    fleet.leases(host).set_connected(!cut_off[host]);
                }
                1..=4 if !cut_off[host] => drop(fleet.keep(host, at(now))),
                5..=8 if !open.is_empty() => {
                    let (mut admitted, set_aside) = open.swap_remove(host % open.len());
                    let settled = set_aside.saturating_sub(less);
                    admitted.settle(settled, at(now));
                    used += settled;
                }
                _ => {
                    let tokens = tokens.min(u64::from(burst));
                    if let Ok(admitted) = fleet.ask(host, tokens, at(now)) {
                        open.push((admitted, tokens));
                        largest = largest.max(tokens);
                    }
                }
            }
            let in_flight: u64 = open.iter().map(|(_, tokens)| tokens).sum();
            let whole = u64::from(burst) + now * count / 1_000;
            let cut = u64::try_from(was_cut.iter().filter(|cut| **cut).count()).unwrap();
            // The whole; what hosts have set aside of their shares and not told, where each lets
            // one call pass that is larger than its share; the shares of those that were cut off.
            let bound = whole + u64::from(burst).max(3 * largest) + cut * whole / 3 + 3;
            prop_assert!(used + in_flight <= bound, "{used} and {in_flight} of {bound} after {now} ms");
        }
    }
}
