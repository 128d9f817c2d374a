use std::net::IpAddr;
use std::sync::Arc;

use super::*;
use crate::admit::admission::{Applicant, Visitor, admit};
use crate::admit::violations::Violation;
use crate::policy::limits::{KeyLimits, Limits};
use crate::policy::units::Span;
use crate::policy::{BruteForce, Denial};

fn limit(rate: &str, burst: u32) -> Limit {
    Limit::new(rate.parse().unwrap(), burst).unwrap()
}

fn at(seconds: u64) -> Moment {
    Moment::default().after(Duration::from_secs(seconds))
}

fn applicant(address: &str, ledger: &Ledger) -> Applicant<'static> {
    Applicant {
        visitor: Visitor::of(address.parse().unwrap(), ledger),
        key: Some("alice"),
        limits: KeyLimits {
            rate: Some(limit("60/minute", 2)),
            tokens: Some(limit("600/minute", 600)),
            concurrent: None,
        },
    }
}

fn limits() -> Limits {
    Limits {
        per_ip: Some(limit("60/minute", 3)),
        global: Some(limit("60/minute", 5)),
        per_key: KeyLimits::default(),
        emergency: Vec::new(),
        models: Vec::new(),
        concurrent: None,
        block: None,
        max_clients: 1_000,
    }
}

/// What the process before was told, as text and back again.
fn handed_on(ledger: &Ledger, now: Moment, wall: Duration) -> Bequest {
    let text = serde_json::to_string(&Bequest::of(ledger, now, wall)).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn who_is_at_a_limit_stays_there_by_the_clock_of_the_successor() {
    let old = Arc::new(Ledger::new(1_000));
    let (limits, now) = (limits(), at(5_000));
    let one = applicant("192.0.2.1", &old);
    for _ in 0..2 {
        let mut admitted = admit(&one, &limits, &old, now).unwrap();
        admitted.reserve("alice", 250, now).unwrap();
    }
    assert!(
        admit(&one, &limits, &old, now).is_err(),
        "the key is at its limit"
    );

    let left = handed_on(&old, now, Duration::ZERO);
    let new = Arc::new(Ledger::seeded(1_000, left.seed()));
    let here = at(100);
    let words = left.take(&new, here).unwrap();
    assert_eq!(words, 3, "an address, a key, its tokens");
    let refused = admit(&one, &limits, &new, here).unwrap_err();
    assert!(matches!(refused, Denial::RateLimited(_)), "{refused:?}");
    let other = Applicant {
        key: None,
        ..applicant("192.0.2.1", &new)
    };
    assert!(
        admit(&other, &limits, &new, here).is_ok(),
        "a third of the address"
    );
    assert!(admit(&other, &limits, &new, here).is_err(), "and no fourth");
    let elsewhere = Applicant {
        key: None,
        ..applicant("192.0.2.2", &new)
    };
    let passed = (0..9).filter(|_| admit(&elsewhere, &limits, &new, here).is_ok());
    assert_eq!(
        passed.count(),
        2,
        "two of the five of all callers were left"
    );
    let later = at(101);
    let mut again = admit(&one, &limits, &new, later).unwrap();
    let refused = again.reserve("alice", 250, later).unwrap_err();
    assert!(
        matches!(refused, Denial::TokensLimited(_)),
        "500 of 600 tokens are used"
    );
}

#[test]
fn failures_violations_and_counts_of_the_day_go_on() {
    let old = Ledger::default();
    let address: IpAddr = "2001:db8::1".parse().unwrap();
    let rule = BruteForce {
        failures: 3,
        within: Span::from_secs(60),
        block_for: Span::from_secs(600),
    };
    let block = crate::policy::limits::BlockRule {
        violations: 3,
        within: "1m".parse().unwrap(),
        block_for: "1h".parse().unwrap(),
    };
    let wall = Duration::from_hours(30);
    let (now, key) = (at(90_000), Key::of(77));
    for _ in 0..2 {
        assert_eq!(old.failures.note(address, &rule, now), None, "not yet");
        assert!(!old.violations.is_one_too_many(key, &block, now), "not yet");
    }
    old.violations.add(Violation::Rate, wall);
    old.violations.note_size(70, wall);
    let left = handed_on(&old, now.after(Duration::from_secs(9)), wall);

    let new = Ledger::seeded(100, left.seed());
    let here = at(86_400);
    left.take(&new, here).unwrap();
    assert!(
        new.failures.note(address, &rule, here).is_some(),
        "the third failure"
    );
    assert!(
        new.violations.is_one_too_many(key, &block, here),
        "the third violation"
    );
    assert_eq!(new.violations.today(Violation::Rate, wall), 1, "of the day");
    assert_eq!(new.violations.largest_today(wall), 70, "of the day");
    let late = Ledger::seeded(100, left.seed());
    left.take(&late, here).unwrap();
    let later = here.after(Duration::from_secs(52));
    assert!(
        !late.violations.is_one_too_many(key, &block, later),
        "its minute is over"
    );
}

#[test]
fn what_was_counted_under_other_keys_or_garbled_is_left_behind() {
    let old = Ledger::default();
    let mut left = Bequest::of(&old, at(1), Duration::ZERO);
    assert_eq!(
        left.take(&Ledger::default(), at(1)),
        Err(BequestFault::Keys),
        "other seed"
    );
    let new = Ledger::seeded(10, left.seed());
    left.check ^= 1;
    assert_eq!(
        left.take(&new, at(1)),
        Err(BequestFault::Keys),
        "another way to hash"
    );
    left.check ^= 1;
    for garbled in ["%", "AAAA", "AAAAAAAAAAAAAAAAAAAAAA"] {
        left.names = Words(garbled.to_owned());
        assert_eq!(
            left.take(&new, at(1)),
            Err(BequestFault::Words),
            "{garbled}"
        );
    }
}
