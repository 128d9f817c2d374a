use std::path::Path;
use std::time::Duration;

use super::*;
use crate::config::{self, FileContent, Resolve, SourceInfo, Unreadable};

struct Nowhere;

impl Resolve for Nowhere {
    fn env(&self, _name: &str) -> Option<String> {
        None
    }

    fn read(&self, _path: &Path) -> Result<FileContent, Unreadable> {
        Err(Unreadable::Missing)
    }
}

fn base() -> Policy {
    let text = "providers: [{name: p, api: echo}]\nroutes: [{models: [\"*\"], providers: [p]}]";
    let source = SourceInfo {
        file: "x.yaml".into(),
        base: ".".into(),
        mode: None,
    };
    config::load(text, &source, &Nowhere).unwrap()
}

fn order(change: Change, until: Option<SystemTime>) -> Order {
    Order {
        change,
        by: "alice".into(),
        reason: None,
        until,
    }
}

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH
        .checked_add(Duration::from_secs(seconds))
        .unwrap()
}

fn bytes(number: u64) -> Option<ByteLimit> {
    ByteLimit::new(number).ok()
}

#[test]
fn a_measure_only_ever_makes_sizes_smaller() {
    let mut overlay = Overlay::default();
    let sizes = Change::Sizes {
        any: bytes(2_000_000),
        json: bytes(5_000),
    };
    overlay.take(order(sizes, None), at(0));
    let policy = overlay.over(&base()).unwrap();
    assert_eq!(policy.sizes.file.get(), 2_000_000, "50 MiB shrink");
    assert_eq!(policy.sizes.json.get(), 5_000, "JSON has its own");
    let internal = policy.sizes.paths.first().unwrap();
    assert_eq!(internal.1.get(), 65_536, "smaller ones stay");
    let huge = Change::Sizes {
        any: bytes(1_000_000_000),
        json: None,
    };
    overlay.take(order(huge, None), at(1));
    let policy = overlay.over(&base()).unwrap();
    assert_eq!(
        policy.sizes.file,
        base().sizes.file,
        "a larger one does nothing"
    );
}

#[test]
fn headers_are_replaced_and_not_doubled() {
    let mut overlay = Overlay::default();
    let change = Change::Headers {
        csp: Some(HeaderValue::from_static("sandbox")),
        hsts_max_age: Some(60),
    };
    overlay.take(order(change, None), at(0));
    let policy = overlay.over(&base()).unwrap();
    let values = |name: HeaderName| -> Vec<&HeaderValue> {
        let all = policy.security_headers.iter();
        all.filter(|(n, _)| *n == name)
            .map(|(_, value)| value)
            .collect()
    };
    assert_eq!(
        values(header::CONTENT_SECURITY_POLICY),
        ["sandbox"],
        "one csp"
    );
    assert_eq!(
        values(header::STRICT_TRANSPORT_SECURITY),
        ["max-age=60; includeSubDomains"],
        "one hsts"
    );
}

#[test]
fn strict_measures_change_the_inspection_and_its_end_gives_it_back() {
    let mut overlay = Overlay::default();
    overlay.take(order(Change::Strict(None), None), at(0));
    let policy = overlay.over(&base()).unwrap();
    assert_eq!(policy.inspection.web_attacks, Action::Block, "refused");
    assert_eq!(
        policy.inspection.sanitization,
        Sanitization::Strict,
        "cleaned"
    );
    assert_ne!(policy.hash, base().hash, "records tell the two apart");
    assert_eq!(overlay.clear().len(), 1, "one measure was in force");
    assert_eq!(
        overlay.over(&base()).unwrap().hash,
        base().hash,
        "as before"
    );
}

#[test]
fn of_each_kind_the_newest_holds_until_it_is_undone_or_over() {
    let mut overlay = Overlay::default();
    overlay.take(order(Change::Sanitization, None), at(0));
    let second = overlay.take(order(Change::Sanitization, Some(at(10))), at(1));
    overlay.take(order(Change::Strict(None), Some(at(20))), at(2));
    assert_eq!(overlay.measures().len(), 2, "one of each kind");
    assert_eq!(overlay.next_end(), Some(at(10)), "the first to end");
    assert_eq!(overlay.expire(at(9)), [], "not yet");
    assert_eq!(overlay.expire(at(10)), [second], "at its end, not after it");
    assert!(overlay.undo("nothing").is_none(), "no such measure");
    assert!(overlay.undo("emergency_mode").is_some(), "by its kind");
    assert_eq!(
        overlay,
        Overlay {
            measures: vec![],
            made: 3
        },
        "none is left"
    );
}

#[test]
fn limits_of_measures_stand_beside_those_of_the_policy_and_go_with_them() {
    let limit = |rate: &str| Limit::new(rate.parse().unwrap(), 2).unwrap();
    let (one, other) = (limit("5/minute"), limit("1000000/second"));
    let mut overlay = Overlay::default();
    overlay.take(order(Change::Strict(Some(one)), None), at(0));
    overlay.take(order(Change::Rates(other), None), at(1));
    let limits = overlay.over(&base()).unwrap().limits;
    assert_eq!(limits.emergency, [one, other], "both hold");
    assert_eq!(limits.per_key, base().limits.per_key, "and the policy's");
    overlay.undo("emergency_mode");
    let limits = overlay.over(&base()).unwrap().limits;
    assert_eq!(limits.emergency, [other], "the mode took its own with it");
    overlay.clear();
    let limits = overlay.over(&base()).unwrap().limits;
    assert_eq!(limits, base().limits, "as before");
}

fn endpoint(provider: &str, endpoint: Option<&str>, order: live::Order) -> Change {
    Change::Endpoint(EndpointOrder {
        provider: provider.into(),
        endpoint: endpoint.map(Into::into),
        order,
    })
}

#[test]
fn orders_stand_beside_each_other_and_replace_those_for_the_same_name() {
    use live::Order::{Drain, Force};
    let mut overlay = Overlay::default();
    for change in [
        endpoint("p", Some("a"), Drain),
        endpoint("p", Some("b"), Drain),
        endpoint("p", None, Drain),
        endpoint("q", Some("a"), Drain),
        endpoint("p", Some("a"), Force),
    ] {
        overlay.take(order(change, None), at(0));
    }
    let kinds = |overlay: &Overlay| -> Vec<String> {
        let all = overlay.measures().iter();
        all.map(|one| one.change.describe()).collect()
    };
    assert_eq!(
        kinds(&overlay),
        [
            "b of provider p takes no new calls",
            "every endpoint of provider p takes no new calls",
            "a of provider q takes no new calls",
            "a of provider p takes calls, whatever its health",
        ],
        "one for each name"
    );
    assert_eq!(overlay.release("p", Some("b")).len(), 1, "by its name");
    assert_eq!(overlay.release("p", None).len(), 2, "all of the provider's");
    assert_eq!(kinds(&overlay).len(), 1, "the other provider's stays");
    let policy = overlay.over(&base()).unwrap();
    assert_eq!(policy.endpoint_orders.len(), 1, "and is in the policy");
}
