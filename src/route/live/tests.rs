use std::num::NonZeroU32;

use super::*;

const fn number(n: u32) -> NonZeroU32 {
    NonZeroU32::new(n).unwrap()
}

const BREAKER: BreakerSettings = BreakerSettings {
    failures: number(2),
    within: Duration::from_secs(10),
    open_for: Duration::from_secs(30),
    trials: number(1),
};
const PROBES: HealthSettings = HealthSettings {
    unhealthy_after: number(1),
    healthy_after: number(1),
};

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn live(breaker: Option<BreakerSettings>) -> Arc<Live> {
    Arc::new(Live::new(breaker, at(30)))
}

const GOOD: Verdict = Verdict::Good(Duration::from_millis(5));

#[test]
fn calls_in_flight_are_counted_and_given_back() {
    let live = live(None);
    let first = live.begin(at(0)).unwrap();
    let second = live.begin(at(0)).unwrap();
    assert_eq!(live.in_flight(), 2, "two calls");
    drop((first, second));
    assert_eq!(live.in_flight(), 0, "none is left");
}

#[test]
fn an_open_breaker_closes_the_endpoint_until_a_trial_succeeds() {
    let live = live(Some(BREAKER));
    for _ in 0..2 {
        live.begin(at(0)).unwrap().settle(Verdict::Bad, at(0));
    }
    assert_eq!(live.standing(at(1)), Standing::Closed, "open");
    assert_eq!(live.glance(at(1)).circuit, Circuit::Open, "and says so");
    let mut trial = live.begin(at(31)).unwrap();
    assert_eq!(
        live.standing(at(31)),
        Standing::Closed,
        "one trial at a time"
    );
    trial.settle(GOOD, at(31));
    assert_eq!(
        live.standing(at(31)),
        Standing::Returning(10),
        "a tenth of its share"
    );
    assert_eq!(live.standing(at(46)), Standing::Returning(50), "then half");
    assert_eq!(live.standing(at(61)), Standing::Ready, "then all of it");
}

#[test]
fn of_two_that_saw_a_place_on_trial_one_gets_it() {
    let live = live(Some(BREAKER));
    for _ in 0..2 {
        live.begin(at(0)).unwrap().settle(Verdict::Bad, at(0));
    }
    assert_ne!(live.standing(at(31)), Standing::Closed, "one sees it");
    assert_ne!(live.standing(at(31)), Standing::Closed, "so does another");
    let first = live.begin(at(31));
    assert!(first.is_some(), "who comes first has it");
    assert!(live.begin(at(31)).is_none(), "the other calls elsewhere");
    assert_eq!(live.in_flight(), 1, "and is not counted");
}

#[test]
fn a_trial_whose_client_left_gives_its_place_back() {
    let live = live(Some(BREAKER));
    for _ in 0..2 {
        live.begin(at(0)).unwrap().settle(Verdict::Bad, at(0));
    }
    let trial = live.begin(at(31)).unwrap();
    assert_eq!(live.standing(at(31)), Standing::Closed, "taken");
    drop(trial);
    assert_ne!(live.standing(at(31)), Standing::Closed, "free again");
}

#[test]
fn failures_in_a_row_set_it_aside_but_do_not_close_it() {
    let live = live(None);
    for _ in 0..3 {
        live.begin(at(0)).unwrap().settle(Verdict::Bad, at(0));
    }
    assert_eq!(
        live.standing(at(1)),
        Standing::Aside,
        "others are preferred"
    );
    live.begin(at(1)).unwrap().settle(GOOD, at(1));
    assert_eq!(
        live.standing(at(1)),
        Standing::Ready,
        "one success is enough"
    );
}

#[test]
fn probes_close_it_and_bring_it_back_slowly() {
    let live = live(None);
    assert!(live.probed(false, PROBES, at(0)), "ill");
    assert_eq!(live.standing(at(0)), Standing::Closed, "not called");
    assert!(live.probed(true, PROBES, at(10)), "well");
    assert_eq!(live.standing(at(10)), Standing::Returning(10), "slowly");
    assert_eq!(live.standing(at(40)), Standing::Ready, "and fully");
}

#[test]
fn an_operators_order_overrides_health() {
    let live = live(None);
    live.order(Order::Drain);
    assert_eq!(live.standing(at(0)), Standing::Closed, "drained");
    live.probed(false, PROBES, at(0));
    live.order(Order::Force);
    assert_eq!(live.standing(at(0)), Standing::Ready, "forced although ill");
    live.order(Order::Auto);
    assert_eq!(
        live.standing(at(0)),
        Standing::Closed,
        "health decides again"
    );
}

#[test]
fn a_rest_that_a_provider_asked_for_is_kept_and_capped() {
    let live = live(None);
    live.rest(at(7), at(0));
    assert_eq!(live.standing(at(6)), Standing::Aside, "not yet");
    assert_eq!(live.standing(at(7)), Standing::Ready, "now");
    live.rest(at(1_000_000), at(10));
    assert_eq!(
        live.standing(at(310)),
        Standing::Ready,
        "five minutes at most"
    );
}

#[test]
fn latency_rises_at_once_falls_slowly_and_fades() {
    let live = live(None);
    let read = |now| live.latency.read(now);
    live.latency.note(Duration::from_millis(10), at(1));
    live.latency.note(Duration::from_millis(100), at(1));
    assert_eq!(read(at(1)), 100_000, "a peak counts at once");
    live.latency.note(Duration::from_millis(10), at(1));
    let after = read(at(1));
    assert!(
        (80_000..100_000).contains(&after),
        "one good answer is little: {after}"
    );
    assert_eq!(read(at(11)), after / 2, "half after ten seconds of silence");
    assert_eq!(read(at(10_000)), 0, "nothing after hours");
}
