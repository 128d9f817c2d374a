//! The security health score: 0 to 100, every point of it explained.
//!
//! Decides how many points each finding costs. 40 points are for authentication, 30 for the
//! validation of input, 30 for the configuration as a whole. Each check has points of its own; a
//! grave finding costs all of them, a middling one half, a slight one a quarter. It knows what
//! `lint` knows and nothing else: not whether anybody attacks, nor whether a control acts (that is
//! `selftest`'s).

use serde::Serialize;

use super::lint::{Finding, Severity};

/// The score below which a gateway is not fine, where nobody says otherwise.
pub const FINE: u32 = 80;

/// What points are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Area {
    /// Who may call.
    Authentication,
    /// What may be said.
    InputValidation,
    /// All else.
    Configuration,
}

impl Area {
    /// Every area.
    pub const ALL: [Self; 3] = [
        Self::Authentication,
        Self::InputValidation,
        Self::Configuration,
    ];

    /// The name in answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Authentication => "authentication",
            Self::InputValidation => "input_validation",
            Self::Configuration => "configuration",
        }
    }

    /// Its share of the score, in points of a hundred.
    pub const fn points(self) -> u32 {
        match self {
            Self::Authentication => 40,
            Self::InputValidation | Self::Configuration => 30,
        }
    }
}

/// One check: what it is called, whose points it has, and which findings cost some.
struct Check {
    id: &'static str,
    area: Area,
    points: u32,
    findings: &'static [&'static str],
}

const fn check(
    area: Area,
    id: &'static str,
    points: u32,
    findings: &'static [&'static str],
) -> Check {
    Check {
        id,
        area,
        points,
        findings,
    }
}

/// The last check takes every finding that no other names.
const OTHERS: &str = "other_settings";

/// Without keys nothing else of authentication is worth a point.
const OPEN: &str = "development_mode";

/// The table; the points of each area add up to its own.
const CHECKS: [Check; 14] = [
    check(
        Area::Authentication,
        "keys_are_asked_for",
        15,
        &[OPEN, "no_keys"],
    ),
    check(
        Area::Authentication,
        "keys_are_strong_and_separate",
        9,
        &[
            "short_key",
            "weak_key",
            "key_shared_with_provider",
            "provider_key_shared",
            "short_token_secret",
            "token_rules_open",
        ],
    ),
    check(
        Area::Authentication,
        "secrets_are_kept",
        6,
        &[
            "literal_secret",
            "literal_secret_readable",
            "secret_file_readable",
            "private_key_readable",
            "file_writable",
        ],
    ),
    check(
        Area::Authentication,
        "guessing_is_held_up",
        5,
        &["brute_force_lax", "rate_limit_per_ip_off"],
    ),
    check(
        Area::Authentication,
        "operators_are_apart",
        5,
        &[
            "internal_allow_open",
            "internal_public",
            "trusted_proxies_open",
        ],
    ),
    check(
        Area::InputValidation,
        "attacks_on_models",
        9,
        &[
            "inspection_off",
            "prompt_injection_off",
            "prompt_injection_flag_only",
            "code_patterns_off",
            "web_attacks_off",
        ],
    ),
    check(
        Area::InputValidation,
        "secrets_and_personal_data_in_requests",
        8,
        &[
            "inspection_off",
            "request_secrets_off",
            "request_secrets_flag_only",
            "request_pii_off",
            "request_pii_flag_only",
        ],
    ),
    check(
        Area::InputValidation,
        "answers",
        6,
        &[
            "response_secrets_off",
            "response_secrets_flag_only",
            "response_pii_off",
            "response_pii_flag_only",
            "harmful_off",
            "strip_fields_empty",
            "tool_calls_live",
        ],
    ),
    check(
        Area::InputValidation,
        "bodies",
        7,
        &[
            "sanitization_off",
            "text_unlimited",
            "rules_disabled",
            "stream_mode",
            "large_json",
        ],
    ),
    check(
        Area::Configuration,
        "transport",
        10,
        &[
            "listener_without_tls",
            "provider_without_tls",
            "webhook_without_tls",
        ],
    ),
    check(
        Area::Configuration,
        "limits",
        8,
        &[
            "rate_limits_off",
            "rate_limit_per_key_off",
            "concurrency_unlimited",
            "violations_unblocked",
        ],
    ),
    check(
        Area::Configuration,
        "logs",
        5,
        &["secrets_unmasked", "debug_logging", "access_log_off"],
    ),
    check(
        Area::Configuration,
        "browsers",
        4,
        &["security_header_missing", "cors_any_origin"],
    ),
    check(Area::Configuration, OTHERS, 3, &[]),
];

/// The score of a configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Score {
    /// 0 to 100.
    pub score: u32,
    /// `good` from [`FINE`], `fair` from 60, `poor` below.
    pub status: &'static str,
    /// The areas.
    pub components: Components,
    /// Every check, with what it lost.
    pub checks: Vec<Checked>,
    /// What to do, by how many points it is worth.
    pub recommendations: Vec<Recommendation>,
}

/// The areas of a score.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Components {
    /// Who may call.
    pub authentication: Component,
    /// What may be said.
    pub input_validation: Component,
    /// All else.
    pub configuration: Component,
}

/// One area of a score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Component {
    /// 0 to 100: how much of its points it has.
    pub score: u32,
    /// Its points.
    pub points: u32,
    /// Of so many; also its weight in per cent.
    pub weight: u32,
}

/// One check of a score.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// What it is called.
    pub id: &'static str,
    /// Whose points it has.
    pub area: Area,
    /// Its points.
    pub points: u32,
    /// Of so many.
    pub of: u32,
    /// The findings that cost it some; [`OPEN`] stands at every check of its area.
    pub lost_to: Vec<&'static str>,
}

/// What to do about a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Recommendation {
    /// The finding.
    pub id: &'static str,
    /// How grave it is.
    pub severity: Severity,
    /// The key that it is about.
    pub key: String,
    /// What to do.
    pub advice: String,
    /// Points that it costs, alone.
    pub points: u32,
}

/// The score that a configuration with these findings has.
pub fn of(findings: &[Finding]) -> Score {
    let open = findings.iter().any(|finding| finding.id == OPEN);
    let checks: Vec<Checked> = CHECKS
        .iter()
        .map(|check| checked(check, findings, open && check.area == Area::Authentication))
        .collect();
    let component = |area: Area| {
        let of_area = checks.iter().filter(|check| check.area == area);
        let points: u32 = of_area.map(|check| check.points).sum();
        let weight = area.points();
        let score = points.saturating_mul(100).checked_div(weight);
        Component {
            score: score.unwrap_or_default(),
            points,
            weight,
        }
    };
    let components = Components {
        authentication: component(Area::Authentication),
        input_validation: component(Area::InputValidation),
        configuration: component(Area::Configuration),
    };
    let score = checks.iter().map(|check| check.points).sum();
    let mut recommendations: Vec<Recommendation> = findings.iter().map(recommended).collect();
    recommendations.sort_by_key(|one| (std::cmp::Reverse(one.points), one.id));
    Score {
        score,
        status: match score {
            FINE.. => "good",
            60.. => "fair",
            _ => "poor",
        },
        components,
        checks,
        recommendations,
    }
}

fn checked(check: &Check, findings: &[Finding], open: bool) -> Checked {
    let own = |finding: &&Finding| belongs(check, finding.id);
    let mut lost_to: Vec<&'static str> = Vec::new();
    let mut lost = 0_u32;
    for finding in findings.iter().filter(own) {
        lost = lost.saturating_add(cost(check, finding.severity));
        if !lost_to.contains(&finding.id) {
            lost_to.push(finding.id);
        }
    }
    if open {
        lost = check.points;
        if !lost_to.contains(&OPEN) {
            lost_to.push(OPEN);
        }
    }
    Checked {
        id: check.id,
        area: check.area,
        points: check.points.saturating_sub(lost),
        of: check.points,
        lost_to,
    }
}

fn belongs(check: &Check, id: &str) -> bool {
    if check.id == OTHERS {
        return !CHECKS.iter().any(|other| other.findings.contains(&id));
    }
    check.findings.contains(&id)
}

/// What a finding costs a check.
const fn cost(check: &Check, severity: Severity) -> u32 {
    match severity {
        Severity::High => check.points,
        Severity::Medium => check.points.div_ceil(2),
        Severity::Low => check.points.div_ceil(4),
    }
}

fn recommended(finding: &Finding) -> Recommendation {
    let own = CHECKS.iter().filter(|check| belongs(check, finding.id));
    let points = if finding.id == OPEN {
        Area::Authentication.points()
    } else {
        own.map(|check| cost(check, finding.severity)).sum()
    };
    Recommendation {
        id: finding.id,
        severity: finding.severity,
        key: finding.key.clone(),
        advice: finding.advice.clone(),
        points,
    }
}

#[cfg(test)]
mod tests {
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
}
