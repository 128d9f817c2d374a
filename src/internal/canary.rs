//! A configuration on trial: what is asked for, how it stands, and its end by an operator.
//!
//! Decides what a well-formed plan is. What is done with it is `runtime::referee`'s.

use std::ops::RangeInclusive;
use std::time::Duration;

use serde_json::{Value, json};

use super::ask::{Ask, Fields};
use super::control::trial::Verdict;
use super::invalid;
use crate::policy::Denial;
use crate::proxy::Answer;
use crate::record::trial::{Budgets, Plan, Share};
use crate::runtime::referee;

/// How long a trial may take.
const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_hours(24 * 7);
/// Requests that a budget may ask for.
const REQUESTS: RangeInclusive<u64> = 1..=1_000_000;

/// The plan that a reload asks for, if it asks for a trial.
pub(super) fn plan(fields: &mut Fields) -> Result<Option<Plan>, Denial> {
    let Some(mut canary) = object(fields, "canary")? else {
        return Ok(None);
    };
    let missing = |name: &str| {
        let example = "{\"canary\": {\"share\": \"5%\", \"for\": \"10m\"}}";
        invalid(
            Some("canary"),
            format!("`canary` needs `{name}`: {example}."),
        )
    };
    let share = share(&mut canary, "share")?.ok_or_else(|| missing("share"))?;
    if !share.may_be_tried() {
        let problem = "`share` takes more than 0% and at most 50%.";
        return Err(invalid(Some("share"), problem));
    }
    let length = canary.duration(&["for"])?.ok_or_else(|| missing("for"))?;
    if !(SHORTEST..=LONGEST).contains(&length) {
        return Err(invalid(Some("for"), "`for` takes from 1s to 7d."));
    }
    let budgets = budgets(&mut canary)?;
    canary.done()?;
    Ok(Some(Plan {
        share,
        length,
        budgets,
    }))
}

fn budgets(canary: &mut Fields) -> Result<Budgets, Denial> {
    let usual = Budgets::default();
    let Some(mut fields) = object(canary, "budgets")? else {
        return Ok(usual);
    };
    let requests = fields.number(&["requests"], REQUESTS)?;
    let budgets = Budgets {
        errors: share(&mut fields, "errors")?.unwrap_or(usual.errors),
        verdicts: share(&mut fields, "verdicts")?.unwrap_or(usual.verdicts),
        latency: share(&mut fields, "latency")?.unwrap_or(usual.latency),
        requests: requests
            .and_then(|number| u32::try_from(number).ok())
            .unwrap_or(usual.requests),
    };
    fields.done()?;
    Ok(budgets)
}

fn object(fields: &mut Fields, name: &str) -> Result<Option<Fields>, Denial> {
    match fields.take(&[name])? {
        None => Ok(None),
        Some((_, Value::Object(object))) => Ok(Some(Fields::within(object))),
        Some(_) => Err(invalid(Some(name), format!("`{name}` takes an object."))),
    }
}

fn share(fields: &mut Fields, name: &str) -> Result<Option<Share>, Denial> {
    let Some(text) = fields.text(&[name])? else {
        return Ok(None);
    };
    let share = text.parse();
    share
        .map(Some)
        .map_err(|problem| invalid(Some(name), format!("`{name}`: {problem}.")))
}

/// `GET /internal/config/canary`.
pub(super) fn show(ask: &Ask, fields: Fields) -> Result<Answer, Denial> {
    fields.done()?;
    let canary = ask.control.trial_shown();
    Ok(Answer::json(200, &json!({"canary": canary})))
}

/// `DELETE /internal/config/canary`: the old policy is for everybody again.
pub(super) fn cancel(ask: &Ask, fields: Fields) -> Result<Answer, Denial> {
    end(ask, fields, Verdict::RolledBack)
}

/// `POST /internal/config/canary/promote`: the new policy is for everybody from now on.
pub(super) fn promote(ask: &Ask, fields: Fields) -> Result<Answer, Denial> {
    end(ask, fields, Verdict::Promoted)
}

fn end(ask: &Ask, fields: Fields, verdict: Verdict) -> Result<Answer, Denial> {
    fields.done()?;
    if !referee::order_end(&ask.control, verdict) {
        return Err(invalid(None, "No configuration is on trial."));
    }
    let word = verdict.as_str();
    ask.control.acted(ask, "config_canary", word, &[]);
    let canary = ask.control.trial_shown();
    let hash = &ask.control.snapshot.load().policy.hash;
    let answer = json!({"status": word, "hash": hash, "canary": canary});
    Ok(Answer::json(200, &answer))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<Option<Plan>, Denial> {
        let mut fields = Fields::read(body.as_bytes()).unwrap();
        plan(&mut fields)
    }

    #[test]
    fn a_plan_is_a_share_a_time_and_budgets() {
        assert_eq!(read("{}").unwrap(), None, "no trial");
        let plan = read(r#"{"canary": {"share": "5%", "for": "10m"}}"#);
        let plan = plan.unwrap().expect("a plan");
        assert_eq!(plan.share.to_string(), "5%");
        assert_eq!(plan.length, Duration::from_mins(10));
        assert_eq!(plan.budgets, Budgets::default());
        let body = r#"{"canary": {"share": "50%", "for": 60, "budgets": {"errors": "0%",
            "verdicts": "2.5%", "latency": "100%", "requests": 20}}}"#;
        let budgets = read(body).unwrap().expect("a plan").budgets;
        assert_eq!(budgets.errors, Share::of_hundredths(0));
        assert_eq!(budgets.verdicts, Share::of_hundredths(250));
        assert_eq!(budgets.latency, Share::of_hundredths(10_000));
        assert_eq!(budgets.requests, 20);
    }

    #[test]
    fn what_is_no_plan_is_refused_by_the_name_of_its_field() {
        for (canary, param) in [
            ("true", "canary"),
            ("{}", "canary"),
            (r#"{"share": "5%"}"#, "canary"),
            (r#"{"share": 5, "for": "10m"}"#, "share"),
            (r#"{"share": "0%", "for": "10m"}"#, "share"),
            (r#"{"share": "51%", "for": "10m"}"#, "share"),
            (r#"{"share": "5%", "for": "900ms"}"#, "for"),
            (r#"{"share": "5%", "for": "8d"}"#, "for"),
            (r#"{"share": "5%", "for": "10m", "tpyo": 1}"#, "tpyo"),
            (r#"{"share": "5%", "for": "10m", "budgets": 1}"#, "budgets"),
            (
                r#"{"share": "5%", "for": "10m", "budgets": {"errors": "x"}}"#,
                "errors",
            ),
            (
                r#"{"share": "5%", "for": "10m", "budgets": {"requests": 0}}"#,
                "requests",
            ),
        ] {
            let denial = read(&format!("{{\"canary\": {canary}}}")).unwrap_err();
            assert_eq!(denial.param(), Some(param), "{canary}");
        }
    }
}
