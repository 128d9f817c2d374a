#![expect(clippy::arithmetic_side_effects, reason = "small numbers of a test")]

use proptest::prelude::*;

use super::*;

const fn number(n: u32) -> NonZeroU32 {
    NonZeroU32::new(n).unwrap()
}

const SETTINGS: BreakerSettings = BreakerSettings {
    failures: number(3),
    within: Duration::from_secs(10),
    open_for: Duration::from_secs(30),
    trials: number(2),
};

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn opened_at(seconds: u64) -> Breaker {
    let mut breaker = Breaker::new(SETTINGS);
    for _ in 0..3 {
        breaker.fail(false, at(seconds));
    }
    breaker
}

#[test]
fn failures_within_the_window_open_it() {
    let mut breaker = Breaker::new(SETTINGS);
    breaker.fail(false, at(0));
    breaker.fail(false, at(5));
    assert_eq!(breaker.circuit(at(5)), Circuit::Closed, "two of three");
    breaker.succeed(false);
    breaker.fail(false, at(10));
    assert_eq!(
        breaker.circuit(at(10)),
        Circuit::Open,
        "three within ten seconds"
    );
    assert!(!breaker.lets_through(at(39)), "open for thirty seconds");
}

#[test]
fn failures_far_apart_leave_it_closed() {
    let mut breaker = Breaker::new(SETTINGS);
    for second in [0, 6, 12, 18, 24] {
        breaker.fail(false, at(second));
    }
    assert_eq!(
        breaker.circuit(at(24)),
        Circuit::Closed,
        "never three in ten seconds"
    );
    assert!(!breaker.is_clear(at(30)), "it remembers");
    assert!(breaker.is_clear(at(40)), "and forgets");
}

#[test]
fn half_open_lets_a_few_through_and_closes_when_they_succeed() {
    let mut breaker = opened_at(0);
    assert_eq!(breaker.circuit(at(30)), Circuit::HalfOpen, "time is up");
    assert!(breaker.begin(at(30)), "the first trial");
    assert!(breaker.begin(at(30)), "the second trial");
    assert!(!breaker.lets_through(at(30)), "no third at once");
    breaker.succeed(true);
    assert_eq!(breaker.circuit(at(31)), Circuit::HalfOpen, "one of two");
    assert!(breaker.lets_through(at(31)), "a place is free again");
    breaker.succeed(true);
    assert_eq!(breaker.circuit(at(31)), Circuit::Closed, "two of two");
}

#[test]
fn a_failed_trial_opens_it_anew() {
    let mut breaker = opened_at(0);
    breaker.begin(at(30));
    breaker.fail(true, at(31));
    assert_eq!(
        breaker.circuit(at(60)),
        Circuit::Open,
        "thirty seconds from 31"
    );
    assert_eq!(breaker.circuit(at(61)), Circuit::HalfOpen, "and again");
}

#[test]
fn a_late_failure_of_an_old_call_does_not_prolong_it() {
    let mut breaker = opened_at(0);
    breaker.fail(false, at(29));
    breaker.fail(false, at(31));
    assert_eq!(
        breaker.circuit(at(31)),
        Circuit::HalfOpen,
        "those calls began before it opened"
    );
}

#[test]
fn a_trial_that_says_nothing_gives_its_place_back() {
    let mut breaker = opened_at(0);
    breaker.begin(at(30));
    breaker.begin(at(30));
    breaker.abandon();
    assert!(breaker.lets_through(at(30)), "the client had left");
}

#[test]
fn probes_in_a_row_change_the_verdict() {
    let settings = HealthSettings {
        unhealthy_after: number(3),
        healthy_after: number(2),
    };
    let mut health = Health::default();
    for (step, (good, ill)) in [
        (false, false),
        (false, false),
        (true, false),
        (false, false),
        (false, false),
        (false, true),
        (true, true),
        (false, true),
        (true, true),
        (true, false),
    ]
    .into_iter()
    .enumerate()
    {
        let before = health.is_ill();
        let changed = health.probed(good, settings);
        assert_eq!(health.is_ill(), ill, "step {step}");
        assert_eq!(changed, before != ill, "step {step} tells of a change");
    }
}

#[test]
fn failures_in_a_row_set_an_endpoint_aside_for_longer_and_longer() {
    let mut outlier = Outlier::default();
    assert!(!outlier.fail(at(0)) && !outlier.fail(at(0)), "two are luck");
    assert!(outlier.fail(at(0)), "three are not");
    assert!(
        outlier.is_aside(at(4)) && !outlier.is_aside(at(5)),
        "five seconds"
    );
    assert!(outlier.fail(at(5)), "still failing");
    assert!(outlier.is_aside(at(14)) && !outlier.is_aside(at(15)), "ten");
    outlier.succeed();
    assert!(outlier.is_clear(), "one success is enough");
}

proptest! {
    #[test]
    fn a_breaker_keeps_its_bounds_whatever_happens(
        steps in prop::collection::vec((0_u8..5, 0_u64..20), 0..200),
    ) {
        let mut breaker = Breaker::new(SETTINGS);
        let (mut now, mut trials) = (Duration::ZERO, 0_u32);
        for (step, wait) in steps {
            now += at(wait);
            match step {
                0 if breaker.lets_through(now) => trials += u32::from(breaker.begin(now)),
                1 if trials > 0 => { trials -= 1; breaker.succeed(true); }
                2 if trials > 0 => { trials -= 1; breaker.fail(true, now); }
                3 if trials > 0 => { trials -= 1; breaker.abandon(); }
                _ => breaker.fail(false, now),
            }
            prop_assert!(breaker.failed_at.len() <= 3);
            let open = breaker.circuit(now) == Circuit::Open;
            prop_assert!(!open || !breaker.lets_through(now), "open means nobody");
        }
        let later = now + SETTINGS.open_for;
        prop_assert_ne!(breaker.circuit(later), Circuit::Open, "it never stays open");
    }
}
