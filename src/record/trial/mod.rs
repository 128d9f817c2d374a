//! A policy on trial: for whom it is tried, and whether it proves itself.
//!
//! Decides, from the tallies of both policies and the time that has passed, whether the trial goes
//! on, the new policy is promoted, or it is rolled back, and says why. Shares are compared, so that
//! it matters little how many callers are on trial. While the trial runs, only a difference that
//! chance hardly explains (three standard errors) ends it. What it can't see: a change that shows
//! only in requests that nobody on trial sent.

pub mod tally;

use std::str::FromStr;
use std::time::Duration;

use thiserror::Error;

use tally::Sums;

/// A hundred per cent, in hundredths of one.
const WHOLE: u32 = 10_000;
/// The largest share that may be on trial: the old policy must be seen too.
const MOST: u32 = WHOLE / 2;
/// How far from a share chance may lead, in standard errors.
const ERRORS: f64 = 3.0;
/// How far over the budget a latency must be to end a trial early.
const EARLY: f64 = 2.0;

/// A share, such as `5%` or `0.25%`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share(u32);

/// A text that is no share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("write a percentage with at most two decimals, such as 5% or 0.25%")]
pub struct NoShare;

impl FromStr for Share {
    type Err = NoShare;

    fn from_str(text: &str) -> Result<Self, NoShare> {
        let number = text.strip_suffix('%').ok_or(NoShare)?;
        let (whole, rest) = number.split_once('.').unwrap_or((number, "0"));
        let digits = |text: &str, most: usize| {
            let plain = text.bytes().all(|byte| byte.is_ascii_digit());
            plain && (1..=most).contains(&text.len())
        };
        if !digits(whole, 4) || !digits(rest, 2) {
            return Err(NoShare);
        }
        let hundredths = |text: &str| text.parse::<u32>().map_err(|_too_long| NoShare);
        let tens = if rest.len() == 1 { 10 } else { 1 };
        let whole = hundredths(whole)?.saturating_mul(100);
        Ok(Self(
            whole.saturating_add(hundredths(rest)?.saturating_mul(tens)),
        ))
    }
}

impl std::fmt::Display for Share {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (whole, rest) = (self.0 / 100, self.0 % 100);
        match rest {
            0 => write!(f, "{whole}%"),
            rest => write!(f, "{whole}.{rest:02}%"),
        }
    }
}

impl Share {
    /// So many hundredths of a per cent.
    pub const fn of_hundredths(hundredths: u32) -> Self {
        Self(hundredths)
    }

    /// Whether so many may be on trial.
    pub const fn may_be_tried(self) -> bool {
        self.0 > 0 && self.0 <= MOST
    }

    fn part(self) -> f64 {
        f64::from(self.0) / f64::from(WHOLE)
    }
}

/// How much worse the new policy may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budgets {
    /// By so many points more calls may fail.
    pub errors: Share,
    /// By so many points more or fewer requests may be refused, and flagged or masked.
    pub verdicts: Share,
    /// By so much longer the slowest twentieth may wait for its first byte.
    pub latency: Share,
    /// So many requests at least must have been seen of either policy.
    pub requests: u32,
}

impl Default for Budgets {
    fn default() -> Self {
        Self {
            errors: Share(100),
            verdicts: Share(500),
            latency: Share(5_000),
            requests: 100,
        }
    }
}

/// What is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// For how many of the callers.
    pub share: Share,
    /// For how long.
    pub length: Duration,
    /// Within which budgets.
    pub budgets: Budgets,
}

impl Plan {
    /// Whether a caller whose credential hashes to this is on trial.
    pub fn chooses(&self, hash: u64) -> bool {
        // The upper half of a hash, spread evenly; 32 bits times 10,000 fit.
        let place = (hash >> 32).saturating_mul(u64::from(WHOLE)) >> 32;
        place < u64::from(self.share.0)
    }
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Nothing yet.
    GoOn,
    /// The new policy is for everybody from now on.
    Promote(String),
    /// The old policy is for everybody again.
    RollBack(String),
}

/// What is to be done, when so much time has passed.
pub fn decide(plan: &Plan, old: &Sums, new: &Sums, passed: Duration) -> Decision {
    let budgets = &plan.budgets;
    let over = passed >= plan.length;
    let seen = old.requests.min(new.requests);
    if seen < u64::from(budgets.requests) {
        if !over {
            return Decision::GoOn;
        }
        return Decision::RollBack(format!(
            "too little was seen: {} requests under the new policy and {} under the old one, of {} \
             that were asked for",
            new.requests, old.requests, budgets.requests
        ));
    }
    let faults = [
        worse(
            "of the calls failed",
            budgets.errors,
            over,
            (old.failed(), new.failed()),
        ),
        other(
            "of the requests were refused",
            budgets.verdicts,
            over,
            (old.refused(), new.refused()),
        ),
        other(
            "of the requests were flagged or masked",
            budgets.verdicts,
            over,
            (old.found(), new.found()),
        ),
        slower(budgets.latency, over, (old.slow, new.slow)),
    ];
    match faults.into_iter().flatten().next() {
        Some(fault) => Decision::RollBack(fault),
        None if over => {
            Decision::Promote(format!("{} requests were within the budgets", new.requests))
        }
        None => Decision::GoOn,
    }
}

/// A share of so many.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    share: f64,
    of: f64,
}

impl Part {
    fn of(count: u64, all: u64) -> Self {
        let number = |count: u64| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
        Self {
            share: number(count) / number(all).max(1.0),
            of: number(all).max(1.0),
        }
    }

    fn error(self) -> f64 {
        // One event more than there was, so that none at all does not look certain.
        let share = self.share.max(1.0 / self.of).min(0.5);
        share * (1.0 - share) / self.of
    }
}

/// By how much chance may have two shares differ, while the trial runs.
fn chance(over: bool, (old, new): (Part, Part)) -> f64 {
    if over {
        0.0
    } else {
        ERRORS * (old.error() + new.error()).sqrt()
    }
}

fn worse(what: &str, budget: Share, over: bool, parts: (Part, Part)) -> Option<String> {
    let (old, new) = parts;
    let beyond = new.share - old.share > budget.part() + chance(over, parts);
    beyond.then(|| told(what, budget, parts))
}

fn other(what: &str, budget: Share, over: bool, parts: (Part, Part)) -> Option<String> {
    let (old, new) = parts;
    let beyond = (new.share - old.share).abs() > budget.part() + chance(over, parts);
    beyond.then(|| told(what, budget, parts))
}

fn told(what: &str, budget: Share, (old, new): (Part, Part)) -> String {
    let (old, new) = (old.share * 100.0, new.share * 100.0);
    format!(
        "{new:.2}% {what} under the new policy, {old:.2}% under the old one; the budget is {budget}"
    )
}

fn slower(budget: Share, over: bool, (old, new): (Duration, Duration)) -> Option<String> {
    let factor = if over { 1.0 } else { EARLY };
    let most = old.as_secs_f64() * (1.0 + budget.part() * factor);
    (new.as_secs_f64() > most).then(|| {
        format!(
            "the slowest twentieth waited {new:.1?} and more under the new policy, {old:.1?} under \
             the old one; the budget is {budget}"
        )
    })
}

#[cfg(test)]
mod tests;
