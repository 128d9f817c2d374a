//! Random cuts, random order, random damage.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "a wrong place must fail the test"
)]

use std::sync::LazyLock;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Map, Value, json};

use super::super::cross_check::judge;
use super::super::{Checker, Shape, cross_check};
use super::bodies;
use crate::inspect::fault::{FieldFault, Problem};
use crate::inspect::json::{Limits, Reader};

static SEEDS: LazyLock<Vec<(String, Shape, String)>> = LazyLock::new(bodies);

/// A value of any kind, small enough to be put anywhere.
fn anything() -> impl Strategy<Value = Value> {
    select(vec![
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(1),
        json!(0.5),
        json!(2),
        json!(1e300),
        json!(""),
        json!("user"),
        json!("tool"),
        json!("a very long string of no meaning"),
        json!([]),
        json!([1, "a", null]),
        json!([[1], {}]),
        json!({}),
        json!({"type": "text", "role": "user", "content": null}),
    ])
}

/// A seed of which some values, at any depth, are others.
fn damaged() -> impl Strategy<Value = (Shape, String)> {
    let damage = vec((vec(any::<Index>(), 1..5), anything()), 0..3);
    (any::<Index>(), damage).prop_map(|(which, damage)| {
        let (_, shape, body) = &SEEDS[which.index(SEEDS.len())];
        let mut value: Value = serde_json::from_str(body).expect("a seed is JSON");
        for (path, other) in damage {
            put(&mut value, &path, other);
        }
        (*shape, value.to_string())
    })
}

fn put(value: &mut Value, path: &[Index], other: Value) {
    let Some((step, path)) = path.split_first() else {
        *value = other;
        return;
    };
    match value {
        Value::Array(items) if !items.is_empty() => {
            let at = step.index(items.len());
            put(&mut items[at], path, other);
        }
        Value::Object(map) if !map.is_empty() => {
            let at = step.index(map.len());
            let child = map.values_mut().nth(at).expect("it has so many");
            put(child, path, other);
        }
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_) => *value = other,
    }
}

fn judge_cut(shape: Shape, body: &[u8], cuts: &[Index]) -> Result<(), FieldFault> {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(body.len() + 1)).collect();
    cuts.sort_unstable();
    let mut checker = Checker::new(shape);
    let mut reader = Reader::new(Limits::default());
    let mut start = 0;
    for end in cuts.into_iter().chain([body.len()]) {
        reader
            .push(&body[start..end], &mut checker)
            .expect("it is JSON");
        start = end;
    }
    reader.finish(&mut checker).expect("it is whole");
    checker.verdict()
}

/// What `param` leads to in `body`, if it is there.
fn at<'a>(body: &'a Value, param: &str) -> Option<&'a Value> {
    let pointer = param.replace('[', "/").replace(']', "").replace('.', "/");
    body.pointer(&format!("/{pointer}"))
}

fn cases() -> ProptestConfig {
    ProptestConfig::with_cases(1000)
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn random_cuts_do_not_matter((shape, body) in damaged(), cuts in vec(any::<Index>(), 0..12)) {
        let whole = judge(shape, body.as_bytes(), body.len());
        prop_assert_eq!(judge_cut(shape, body.as_bytes(), &cuts), whole);
    }

    #[test]
    fn what_is_blamed_is_there_or_is_missing_from_what_is_there((shape, body) in damaged()) {
        let Err(fault) = judge(shape, body.as_bytes(), body.len()) else { return Ok(()) };
        let value: Value = serde_json::from_str(&body).expect("it is JSON");
        let found = at(&value, &fault.param).filter(|found| !found.is_null());
        let required = fault.problem == Problem::Required;
        prop_assert!(
            required != found.is_some() || at(&value, &fault.param).is_some_and(Value::is_null)
                || fault.param.is_empty(),
            "{} in {}", fault, body
        );
        prop_assert!(fault.to_string().len() < 200, "a message is short: {}", fault);
    }

    #[test]
    fn unknown_fields_change_no_verdict((shape, body) in damaged(), more in anything()) {
        let verdict = judge(shape, body.as_bytes(), body.len());
        let Ok(Value::Object(map)) = serde_json::from_str(&body) else { return Ok(()) };
        let mut longer = Map::new();
        longer.insert("zz_unknown".to_owned(), more.clone());
        longer.extend(map);
        longer.insert("~unknown".to_owned(), more);
        let longer = Value::Object(longer).to_string();
        prop_assert_eq!(judge(shape, longer.as_bytes(), longer.len()), verdict);
    }

    #[test]
    fn any_bytes_are_judged_alike_at_any_cut(body in vec(any::<u8>(), 0..64)) {
        prop_assert_eq!(cross_check(&body), Ok(()));
    }

    #[test]
    fn a_cut_off_body_is_judged_alike_at_any_cut((_, body) in damaged(), end in any::<Index>()) {
        let end = end.index(body.len().min(400) + 1);
        prop_assert_eq!(cross_check(&body.as_bytes()[..end]), Ok(()));
    }
}
