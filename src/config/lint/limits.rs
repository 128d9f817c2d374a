//! Limits that are switched off, or so wide that they hold nobody up.
//!
//! Decides from the compiled limits alone. In development mode no key is asked for, so that limits
//! of keys are not missed there.

use std::time::Duration;

use super::{Fixed, Severity};
use crate::policy::{AuthMode, Policy};

/// A JSON body is held in memory whole; over this many bytes that costs dear.
const LARGE_JSON: u64 = 64 * 1024 * 1024;
/// Failures to authenticate that are no guard against guessing any more.
const MANY_FAILURES: u32 = 100;
/// A block that is shorter than this hardly slows anybody down.
const SHORT_BLOCK: Duration = Duration::from_mins(1);

/// What is insecure about limits.
pub(super) fn of_limits(policy: &Policy) -> Vec<Fixed> {
    let mut found = of_rates(policy);
    let limits = &policy.limits;
    if limits.concurrent.is_none() {
        found.push((
            "concurrency_unlimited",
            Severity::Low,
            "rate_limits.concurrent_requests",
            "any number of requests may be in flight, as long as memory lasts; write 1000",
        ));
    }
    if limits.block.is_none() {
        found.push((
            "violations_unblocked",
            Severity::Low,
            "rate_limits.block",
            "clients that keep violating limits are never sent away; write {violations: 100, \
             within: 5m, block_for: 1h}",
        ));
    }
    let guard = &policy.auth.brute_force;
    if guard.failures > MANY_FAILURES || guard.block_for.get() < SHORT_BLOCK {
        found.push((
            "brute_force_lax",
            Severity::Medium,
            "auth.brute_force",
            "whoever guesses keys is hardly held up; write {failures: 5, within: 5m, block_for: 1h}",
        ));
    }
    if policy.sizes.json.get() > LARGE_JSON {
        found.push((
            "large_json",
            Severity::Medium,
            "size_limits.json",
            "JSON bodies are held in memory whole, so that few clients could fill it; write at \
             most 64MiB",
        ));
    }
    found
}

fn of_rates(policy: &Policy) -> Vec<Fixed> {
    let limits = &policy.limits;
    let no_keys = policy.auth.mode == AuthMode::Development;
    let per_key = no_keys || limits.per_key.rate.is_some();
    if limits.per_ip.is_none() && limits.per_key.rate.is_none() && limits.global.is_none() {
        return vec![(
            "rate_limits_off",
            Severity::High,
            "rate_limits",
            "anyone may call as often as he likes; write per_ip: {rate: 100/minute} and per_key: \
             {rate: 60/minute}",
        )];
    }
    let mut found = Vec::new();
    if limits.per_ip.is_none() {
        found.push((
            "rate_limit_per_ip_off",
            Severity::Medium,
            "rate_limits.per_ip",
            "one address may use up what all share, and guess at keys as fast as it can; write \
             {rate: 100/minute, burst: 50}",
        ));
    }
    if !per_key {
        found.push((
            "rate_limit_per_key_off",
            Severity::Medium,
            "rate_limits.per_key",
            "one key may use up what all share, and a stolen one is worth more; write {rate: \
             60/minute, burst: 10}",
        ));
    }
    found
}
