//! All levels at once: what is charged, what is not, and what a client is told.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::unnecessary_wraps,
    reason = "a test that overflows fails, and limits are written as policies have them"
)]

use proptest::prelude::*;

use super::*;
use crate::policy::limits::ModelLimit;

fn limit(rate: &str, burst: u32) -> Option<Limit> {
    Some(Limit::new(rate.parse().unwrap(), burst).unwrap())
}

fn none() -> Limits {
    Limits {
        emergency: Vec::new(),
        global: None,
        per_ip: None,
        per_key: KeyLimits::default(),
        models: Vec::new(),
        concurrent: None,
        block: None,
        max_clients: 1_000,
    }
}

fn who(address: &str, key: &'static str, limits: &Limits, ledger: &Ledger) -> Applicant<'static> {
    Applicant {
        visitor: Visitor::of(address.parse().unwrap(), ledger),
        key: Some(key),
        limits: limits.per_key,
    }
}

fn at(seconds: u64) -> Moment {
    Moment::default().after(Duration::from_secs(seconds))
}

fn code(outcome: &Result<Admitted, Denial>) -> &'static str {
    outcome
        .as_ref()
        .map_or_else(|denial| denial.face().code, |_| "admitted")
}

#[test]
fn the_tightest_limit_is_told_and_the_longest_wait() {
    let limits = Limits {
        global: limit("1/second", 100),
        per_ip: limit("1/minute", 3),
        per_key: KeyLimits {
            rate: limit("1/hour", 2),
            ..KeyLimits::default()
        },
        ..none()
    };
    let ledger = Arc::new(Ledger::new(1_000));
    let caller = who("192.0.2.1", "a", &limits, &ledger);
    let ask = || admit(&caller, &limits, &ledger, at(0));
    let first = ask().unwrap().standing().unwrap();
    assert_eq!(
        (first.limit, first.remaining),
        (2, 1),
        "the key's is tightest"
    );
    drop(ask().unwrap());
    let Err(Denial::RateLimited(refused)) = ask() else {
        panic!("the key has had its two");
    };
    assert_eq!(refused.scope, Scope::Key, "who refused");
    assert_eq!(refused.wait, Duration::from_hours(1), "until the next");
    assert_eq!(refused.standing.remaining, 0, "nothing is left");
    assert!(
        admit(&caller, &limits, &ledger, at(3_600)).is_ok(),
        "the wait was the truth"
    );
}

#[test]
fn a_refused_request_charges_no_other_limit() {
    let limits = Limits {
        global: limit("1/hour", 5),
        per_key: KeyLimits {
            rate: limit("1/hour", 1),
            ..KeyLimits::default()
        },
        concurrent: Some(1),
        ..none()
    };
    let ledger = Arc::new(Ledger::new(1_000));
    let ask = |key| {
        admit(
            &who("192.0.2.1", key, &limits, &ledger),
            &limits,
            &ledger,
            at(0),
        )
    };
    assert_eq!(code(&ask("a")), "admitted", "its one");
    for _ in 0..20 {
        assert_eq!(code(&ask("a")), "rate_limit_exceeded", "and no more");
    }
    let holding = ask("b");
    for _ in 0..20 {
        assert_eq!(code(&ask("c")), "concurrency_limit_exceeded", "one at once");
    }
    drop(holding);
    for key in ["c", "d", "e"] {
        assert_eq!(code(&ask(key)), "admitted", "{key}: 5 in all, 2 so far");
    }
    assert_eq!(code(&ask("f")), "rate_limit_exceeded", "the sixth");
}

#[test]
fn a_model_that_is_used_up_charges_nothing_and_other_models_go_on() {
    let mut limits = Limits {
        global: limit("1/hour", 3),
        ..none()
    };
    limits.models = vec![ModelLimit {
        models: vec!["gpt-*".parse().unwrap()],
        name: "gpt-*".into(),
        limit: limit("1/hour", 1).unwrap(),
    }];
    let ledger = Arc::new(Ledger::new(1_000));
    let ask = |model| {
        let mut admitted = admit(
            &who("192.0.2.1", "a", &limits, &ledger),
            &limits,
            &ledger,
            at(0),
        )?;
        admitted.model(model, &limits, at(0))?;
        Ok(admitted)
    };
    assert_eq!(code(&ask("gpt-4o")), "admitted", "its one");
    for _ in 0..20 {
        assert_eq!(code(&ask("gpt-5")), "rate_limit_exceeded", "they share it");
    }
    assert_eq!(code(&ask("o3")), "admitted", "another model");
    assert_eq!(code(&ask("o3")), "admitted", "the third of three");
    assert_eq!(code(&ask("o3")), "rate_limit_exceeded", "all are used");
}

#[test]
fn a_key_has_its_requests_at_once_and_its_tokens() {
    let limits = Limits {
        per_key: KeyLimits {
            rate: None,
            tokens: limit("60/minute", 60),
            concurrent: Some(1),
        },
        ..none()
    };
    let ledger = Arc::new(Ledger::new(1_000));
    let caller = who("192.0.2.1", "a", &limits, &ledger);
    let mut one = admit(&caller, &limits, &ledger, at(0)).unwrap();
    let two = admit(&caller, &limits, &ledger, at(0));
    assert_eq!(code(&two), "concurrency_limit_exceeded", "one at once");
    assert_eq!(one.reserve("a", 50, at(0)), Ok(()), "50 of 60");
    one.settle(20, at(0));
    drop(one);
    let mut two = admit(&caller, &limits, &ledger, at(0)).unwrap();
    let refused = two.reserve("a", 50, at(0));
    let wait = Duration::from_secs(10);
    assert_eq!(refused, Err(Denial::TokensLimited(wait)), "20 were used");
    assert_eq!(
        two.reserve("a", 50, at(10)),
        Ok(()),
        "the wait was the truth"
    );
}

#[test]
fn an_address_that_is_over_its_limit_is_refused_before_its_credential_is_looked_at() {
    let limits = Limits {
        per_ip: limit("1/minute", 2),
        ..none()
    };
    let ledger = Ledger::new(1_000);
    let visitor = |text: &str| Visitor::of(text.parse().unwrap(), &ledger);
    let address = visitor("2001:db8::1");
    let neighbour = visitor("2001:db8::ffff");
    for _ in 0..2 {
        assert_eq!(
            peek(address, &limits, &ledger, at(0)),
            Ok(()),
            "a look is free"
        );
        charge_attempt(address, &limits, &ledger, at(0));
    }
    assert!(peek(address, &limits, &ledger, at(0)).is_err(), "two tries");
    assert!(
        peek(neighbour, &limits, &ledger, at(0)).is_err(),
        "a /64 is one client"
    );
    let stranger = visitor("2001:db8:1::1");
    assert_eq!(
        peek(stranger, &limits, &ledger, at(0)),
        Ok(()),
        "another is not"
    );
}

#[test]
fn eight_threads_never_pass_the_limits_and_lose_next_to_nothing() {
    const EACH: u32 = 400;
    let limits = Limits {
        global: limit("1/day", 300),
        per_key: KeyLimits {
            rate: limit("1/day", 100),
            ..KeyLimits::default()
        },
        ..none()
    };
    let ledger = Arc::new(Ledger::new(1_000));
    let keys = ["a", "b", "c", "d"];
    let count = |thread: usize| {
        let key = keys[thread % keys.len()];
        let caller = who("192.0.2.1", key, &limits, &ledger);
        let passes = |_: &u32| admit(&caller, &limits, &ledger, Moment::from_nanos(1)).is_ok();
        (0..EACH).filter(passes).count()
    };
    let count = &count;
    let passed: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|thread| scope.spawn(move || count(thread)))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .sum()
    });
    assert_eq!(
        passed, 300,
        "exactly what all may have, whatever each key lost"
    );
}

proptest! {
    #[test]
    fn whoever_waits_as_told_gets_in(
        asked in prop::collection::vec((0_u8..3, 0_u8..3, 0_u64..40), 1..120),
    ) {
        let limits = Limits {
            global: limit("1/second", 4),
            per_ip: limit("20/minute", 3),
            per_key: KeyLimits { rate: limit("10/minute", 2), ..KeyLimits::default() },
            ..none()
        };
        let ledger = Arc::new(Ledger::new(1_000));
        let mut now = at(1);
        for (host, key, pause) in asked {
            now = now.after(Duration::from_millis(pause * 100));
            let address = format!("192.0.2.{host}");
            let caller = who(&address, ["a", "b", "c"][usize::from(key)], &limits, &ledger);
            if let Err(Denial::RateLimited(refused)) = admit(&caller, &limits, &ledger, now) {
                now = now.after(refused.wait);
                let again = admit(&caller, &limits, &ledger, now);
                prop_assert_eq!(code(&again), "admitted", "after {:?}", refused.wait);
            }
        }
    }
}
