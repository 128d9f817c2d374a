use super::*;

fn finding(id: &'static str, severity: Severity) -> Finding {
    Finding {
        id,
        severity,
        key: "a.b".to_owned(),
        advice: "do".to_owned(),
    }
}

#[test]
fn the_points_of_each_area_add_up_to_its_share_of_a_hundred() {
    for area in Area::ALL {
        let own = CHECKS.iter().filter(|check| check.area == area);
        let points: u32 = own.map(|check| check.points).sum();
        assert_eq!(points, area.points(), "{}", area.as_str());
    }
    assert_eq!(of(&[]).score, 100, "nothing to find");
    assert_eq!(of(&[]).status, "good", "and so it is fine");
}

#[test]
fn a_finding_costs_by_its_gravity_and_says_so() {
    for (id, severity, score) in [
        ("weak_key", Severity::High, 91),
        ("short_key", Severity::Medium, 95),
        ("provider_key_shared", Severity::Low, 97),
        ("prompt_injection_off", Severity::High, 91),
        ("inspection_off", Severity::High, 83),
        ("listener_without_tls", Severity::High, 90),
        ("one_that_no_check_names", Severity::High, 97),
    ] {
        let told = of(&[finding(id, severity)]);
        assert_eq!(told.score, score, "{id}");
        let named = told.checks.iter().filter(|one| one.lost_to.contains(&id));
        let lost: u32 = named.map(|one| one.of - one.points).sum();
        assert_eq!(lost, 100 - score, "{id}: the check says what it lost");
        assert_eq!(told.recommendations[0].points, 100 - score, "{id}");
    }
}

#[test]
fn without_keys_nothing_of_authentication_is_worth_a_point() {
    let told = of(&[finding("development_mode", Severity::High)]);
    assert_eq!(told.score, 60, "40 points are gone");
    assert_eq!(told.components.authentication.score, 0, "all of them");
    assert_eq!(told.components.configuration.score, 100, "and no other");
    assert_eq!(told.status, "fair", "below {FINE}");
}

#[test]
fn the_same_finding_often_costs_no_more_than_there_is() {
    let many = vec![finding("security_header_missing", Severity::Low); 9];
    let told = of(&many);
    assert_eq!(told.score, 96, "the points of one check");
    assert!(
        told.checks.iter().all(|one| one.points <= one.of),
        "no check below nothing"
    );
}
