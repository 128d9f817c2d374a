//! The security health score: 0 to 100, every point of it explained.
//!
//! Decides how many points each finding costs. 40 points are for authentication, 30 for the
//! validation of input, 30 for the configuration as a whole. Each check has points of its own; a
//! grave finding costs all of them, a middling one half, a slight one a quarter. It knows what
//! `lint` knows and nothing else: not whether anybody attacks, nor whether a control acts (that is
//! `selftest`'s).

mod checks;

use serde::Serialize;

use self::checks::{CHECKS, Check, OPEN, OTHERS};
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
    /// The findings that cost it some; `development_mode` stands at every check of its area.
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
mod tests;
