//! Trials by made-up tallies.

use super::*;

fn plan() -> Plan {
    Plan {
        share: "5%".parse().unwrap(),
        length: Duration::from_mins(10),
        budgets: Budgets::default(),
    }
}

fn sums(requests: u64, refused: u64, found: u64, failed: u64, slow_ms: u64) -> Sums {
    Sums {
        requests,
        refused,
        found,
        failed,
        slow: Duration::from_millis(slow_ms),
    }
}

#[test]
fn shares_are_read_as_they_are_written() {
    for (text, shown) in [
        ("5%", "5%"),
        ("0.25%", "0.25%"),
        ("0.5%", "0.50%"),
        ("50%", "50%"),
        ("150%", "150%"),
    ] {
        let share: Share = text.parse().unwrap();
        assert_eq!(share.to_string(), shown, "{text}");
    }
    for text in [
        "", "5", "%", "5 %", "-5%", "+5%", "5.%", ".5%", "5.125%", "1e1%", "99999%",
    ] {
        assert_eq!(text.parse::<Share>(), Err(NoShare), "{text}");
    }
    let may = |text: &str| text.parse::<Share>().unwrap().may_be_tried();
    assert!(may("0.01%") && may("50%"), "the ends");
    assert!(!may("0%") && !may("50.01%"), "nobody, and most");
}

#[test]
fn a_share_of_the_callers_is_chosen_and_always_the_same_ones() {
    let plan = plan();
    let hash = |caller: u64| caller.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let chosen = |caller: &u64| plan.chooses(hash(*caller));
    let count = (0..100_000).filter(chosen).count();
    assert!((4_500..=5_500).contains(&count), "about 5,000: {count}");
    let again: Vec<u64> = (0..1_000).filter(chosen).collect();
    assert_eq!(
        again,
        (0..1_000).filter(chosen).collect::<Vec<_>>(),
        "a hash decides"
    );
    assert!(plan.chooses(0) && !plan.chooses(u64::MAX), "the ends");
}

#[test]
fn a_policy_within_its_budgets_is_promoted_at_the_end_and_not_before() {
    let (old, new) = (sums(9_500, 190, 95, 50, 200), sums(500, 11, 6, 4, 220));
    let at = |minutes| decide(&plan(), &old, &new, Duration::from_mins(minutes));
    assert_eq!(at(5), Decision::GoOn, "half-way");
    let Decision::Promote(why) = at(10) else {
        panic!("{:?}", at(10));
    };
    assert_eq!(why, "500 requests were within the budgets");
}

#[test]
fn whatever_leaves_its_budget_is_rolled_back_and_the_reason_names_it() {
    let old = sums(10_000, 200, 100, 50, 200);
    for (new, word) in [
        (sums(1_000, 20, 10, 20, 200), "failed"),
        (sums(1_000, 90, 10, 5, 200), "refused"),
        (sums(1_000, 20, 80, 5, 200), "flagged"),
        (sums(1_000, 20, 10, 5, 310), "slowest"),
    ] {
        let Decision::RollBack(why) = decide(&plan(), &old, &new, Duration::from_mins(10)) else {
            panic!("{new:?} is over its budget");
        };
        assert!(why.contains(word), "{why}");
    }
    let lax = sums(1_000, 0, 0, 5, 200);
    let strict = sums(10_000, 2_000, 100, 50, 200);
    let decision = decide(&plan(), &strict, &lax, Duration::from_mins(10));
    assert!(
        matches!(decision, Decision::RollBack(_)),
        "letting all pass is no virtue"
    );
}

#[test]
fn a_disaster_ends_a_trial_at_once_and_bad_luck_does_not() {
    let old = sums(10_000, 200, 100, 50, 200);
    let early = |new: Sums| decide(&plan(), &old, &new, Duration::from_secs(20));
    let disaster = sums(120, 120, 0, 0, 0);
    assert!(
        matches!(early(disaster), Decision::RollBack(_)),
        "everything is refused"
    );
    let luck = sums(120, 2, 1, 4, 200);
    assert_eq!(
        early(luck),
        Decision::GoOn,
        "four of 118 calls may be chance"
    );
    assert_eq!(
        early(sums(120, 2, 1, 0, 350)),
        Decision::GoOn,
        "so may a slow start"
    );
    assert!(
        matches!(early(sums(120, 2, 1, 0, 900)), Decision::RollBack(_)),
        "but not this"
    );
    assert_eq!(
        early(sums(99, 99, 0, 0, 0)),
        Decision::GoOn,
        "too few to tell"
    );
}

#[test]
fn too_little_to_go_by_is_no_proof() {
    for (old, new) in [(5, 10_000), (10_000, 5), (0, 0)] {
        let (old, new) = (sums(old, 0, 0, 0, 1), sums(new, 0, 0, 0, 1));
        assert_eq!(
            decide(&plan(), &old, &new, Duration::from_mins(9)),
            Decision::GoOn
        );
        let Decision::RollBack(why) = decide(&plan(), &old, &new, Duration::from_mins(10)) else {
            panic!("nothing was proved");
        };
        assert!(why.starts_with("too little was seen"), "{why}");
    }
}
