//! Rates, bursts and who they are for.

use super::*;
use crate::policy::limits::Limits;
use crate::policy::store::Store;

fn limits(lines: &str) -> Limits {
    World::default().policy(&with(lines)).limits
}

/// A configuration with a key, so that the limits of keys are on.
fn with_a_key(lines: &str) -> Limits {
    let world = World::default().env("API_KEY", "some-key-0123456789");
    world.policy(&with(lines)).limits
}

fn shown(limit: Option<crate::policy::limits::Limit>) -> Option<(u64, u64, u32)> {
    limit.map(|limit| {
        let rate = limit.rate();
        (rate.count().get(), rate.period().as_secs(), limit.burst())
    })
}

#[test]
fn what_is_not_written_is_on_and_null_is_off() {
    let limits = with_a_key("");
    assert_eq!(shown(limits.global), None, "global");
    assert_eq!(shown(limits.per_ip), Some((100, 60, 50)), "per_ip");
    assert_eq!(shown(limits.per_key.rate), Some((60, 60, 10)), "per_key");
    assert_eq!(limits.per_key.tokens, None, "tokens");
    assert_eq!(limits.per_key.concurrent, None, "concurrent");
    assert_eq!(limits.concurrent, Some(1_000), "concurrent_requests");
    let block = limits.block.unwrap();
    let seconds = (
        block.within.get().as_secs(),
        block.block_for.get().as_secs(),
    );
    assert_eq!((block.violations, seconds), (100, (300, 3_600)), "block");
    let off = with_a_key(
        "rate_limits: {per_ip: null, per_key: null, concurrent_requests: null, block: null}",
    );
    let all_off = (off.per_ip, off.per_key.rate, off.concurrent, off.block);
    assert_eq!(all_off, (None, None, None, None), "null switches off");
}

#[test]
fn a_burst_that_is_not_written_is_never_more_than_the_rate() {
    for (lines, expected) in [
        ("per_key: {rate: 5/minute}", (5, 60, 5)),
        ("per_key: {rate: 600/minute}", (600, 60, 10)),
        ("per_key: {rate: 600/minute, burst: 99}", (600, 60, 99)),
    ] {
        let limits = with_a_key(&format!("rate_limits: {{{lines}}}"));
        assert_eq!(shown(limits.per_key.rate), Some(expected), "{lines}");
    }
    let global = limits("rate_limits: {global: {rate: 2000/second}}").global;
    assert_eq!(shown(global), Some((2_000, 1, 2_000)), "a second's worth");
}

#[test]
fn without_keys_their_limit_counts_only_where_it_is_written() {
    assert_eq!(shown(limits("").per_key.rate), None, "there are no keys");
    let written = limits("rate_limits: {per_key: {rate: 5/minute}}");
    assert_eq!(shown(written.per_key.rate), Some((5, 60, 5)), "for all");
}

#[test]
fn the_older_spelling_and_the_environment_set_the_same_limits() {
    let older = with_a_key("settings: {rate_limit_rpm: 7, max_concurrent_requests: 3}");
    assert_eq!(shown(older.per_key.rate), Some((7, 60, 7)), "a rate");
    assert_eq!(older.concurrent, Some(3), "requests at once");
    let world = World::default()
        .env("RATE_LIMIT_REQUESTS_PER_MINUTE", "30")
        .env("RATE_LIMIT_BURST", "4")
        .env("RATE_LIMIT_BLOCK_THRESHOLD", "9")
        .env("RATE_LIMIT_BLOCK_DURATION", "120");
    let limits = world
        .policy(&with(
            "settings: {rate_limit_rpm: 7}\nrate_limits: {block: null}",
        ))
        .limits;
    assert_eq!(
        shown(limits.per_key.rate),
        Some((30, 60, 4)),
        "variables win"
    );
    let block = limits.block.unwrap();
    assert_eq!(
        (block.violations, block.block_for.get().as_secs()),
        (9, 120),
        "and switch on what is off"
    );
}

#[test]
fn models_have_limits_of_their_own() {
    let lines = "rate_limits: {models: [{models: [gpt-4o, \"o*\"], rate: 3/hour}]}";
    let models = limits(lines).models;
    let first = models.first().unwrap();
    assert_eq!(shown(Some(first.limit)), Some((3, 3_600, 3)), "the limit");
    let matches = |name| first.models.iter().any(|pattern| pattern.matches(name));
    assert!(
        matches("o3") && matches("gpt-4o") && !matches("gpt-4"),
        "whom"
    );
}

/// Asserts that this is one fault, at this key, that says this.
fn assert_told(lines: &str, key: &str, words: &str) {
    let world = World::default().env("API_KEY", "some-key-0123456789");
    let faults = world.faults(&with(&format!("rate_limits: {{{lines}}}")));
    assert_eq!(faults.len(), 1, "{lines}: {faults:#?}");
    let begins = format!("x.yaml:1: rate_limits.{key}: ");
    let told = faults[0].starts_with(&begins) && faults[0].contains(words);
    assert!(told, "{lines}: {}", faults[0]);
}

#[test]
fn limits_that_make_no_sense_are_told() {
    for (lines, key, words) in [
        ("global: {rate: 0/second}", "global.rate", "more than zero"),
        (
            "global: {rate: 1/day, burst: 0}",
            "global.burst",
            "let nothing pass",
        ),
        (
            "per_ip: {rate: 1/day, burst: 400}",
            "per_ip.burst",
            "a year",
        ),
        (
            "per_ip: {rate: 1/day, burst: 4294967295}",
            "per_ip.burst",
            "a year",
        ),
        ("per_key: {rate: -1/minute}", "per_key.rate", "not a rate"),
        (
            "per_key: {tokens: 0/minute}",
            "per_key.tokens",
            "more than zero",
        ),
        (
            "per_key: {concurrent: 0}",
            "per_key.concurrent",
            "at least 1",
        ),
        (
            "concurrent_requests: 0",
            "concurrent_requests",
            "at least 1",
        ),
        (
            "models: [{models: [], rate: 1/day}]",
            "models[0].models",
            "no model",
        ),
        ("block: {within: -5m}", "block.within", "not a duration"),
        (
            "block: {block_for: 0s}",
            "block.block_for",
            "more than zero",
        ),
    ] {
        assert_told(lines, key, words);
    }
}

#[test]
fn numbers_without_measure_and_stores_that_are_none_are_told() {
    for (lines, key, words) in [
        (
            "global: {rate: 99999999999999999999999/second}",
            "global.rate",
            "",
        ),
        ("per_ip: {rate: 1/day, burst: -1}", "per_ip.burst", ""),
        (
            "per_ip: {rate: 1/day, burst: 4294967296}",
            "per_ip.burst",
            "",
        ),
        ("store: redis", "store", "redis://HOST:PORT/DB"),
        ("store: \"http://cache:1/0\"", "store", "memory"),
        ("store: \"redis://cache:1/x\"", "store", "memory"),
        ("store: \"redis://:${NONE}@cache\"", "store", "NONE"),
    ] {
        assert_told(lines, key, words);
    }
}

#[test]
fn a_store_is_compiled_and_its_password_is_told_to_nobody() {
    let world = World::default().env("STORE_PASSWORD", "open-sesame");
    let policy = world.policy(&with(
        "rate_limits: {store: \"redis://:${STORE_PASSWORD}@cache/3\"}",
    ));
    let Store::Redis(store) = &policy.store else {
        panic!("a Redis");
    };
    assert_eq!(store.shown(), "redis://cache:6379/3", "without it");
    assert_eq!(store.expose(), "redis://:open-sesame@cache/3", "with it");
    for lines in [
        "",
        "rate_limits: {store: memory}",
        "rate_limits: {store: null}",
    ] {
        let policy = World::default().policy(&with(lines));
        assert_eq!(policy.store, Store::Memory, "{lines}");
    }
    let faults = world.faults(&with("rate_limits: {store: \"redis://:open-sesame@/3\"}"));
    assert_eq!(faults.len(), 1, "{faults:#?}");
    assert!(!faults[0].contains("sesame"), "{}", faults[0]);
}

#[test]
fn a_providers_limits_are_compiled_and_wrong_ones_are_told() {
    let with_limit = |limit: &str| {
        format!(
            "providers: [{{name: a, api: echo, rate_limit: {{{limit}}}}}]\nroutes: [{{models: [\"*\"], providers: [a]}}]\n"
        )
    };
    let policy = World::default().policy(&with_limit("tokens: 300/minute, on_exceeded: reject"));
    let limits = policy.providers.first().unwrap().limits;
    assert_eq!(shown(limits.tokens), Some((300, 60, 300)), "tokens");
    assert_eq!(shown(limits.rate), None, "as often as anybody wants");
    for (limit, key, words) in [
        ("", "", "neither"),
        ("on_exceeded: reject", "", "neither"),
        ("tokens: 0/minute", ".tokens", "more than zero"),
        ("tokens: 9/minute, burst: 3", ".burst", "no rate"),
        ("rate: 1/day, burst: 4000", ".burst", "a year"),
    ] {
        let faults = World::default().faults(&with_limit(limit));
        let begins = format!("x.yaml:1: providers[0].rate_limit{key}: ");
        let told = faults
            .iter()
            .any(|fault| fault.starts_with(&begins) && fault.contains(words));
        assert!(told && faults.len() == 1, "{limit}: {faults:#?}");
    }
}
