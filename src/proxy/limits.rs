//! Limits on the request path: who is over them, what a client is told, what a violation leads to.
//!
//! Decides nothing of it: `admit` does. Here the answers are carried to where they belong: refusal
//! or admission into the request, what is left into headers, violations into the ledger, the log
//! and, when there were too many, a block.

use std::net::IpAddr;
use std::time::{Duration, Instant, SystemTime};

use http::HeaderMap;
use http::header::{HeaderName, HeaderValue};
use pingora::proxy::Session;

use super::ctx::Flight;
use super::{Gateway, findings};
use crate::admit::admission::{self, Admitted, Applicant, TooOften, Visitor};
use crate::admit::blocks::By;
use crate::admit::client::Client;
use crate::admit::ledger::Who;
use crate::admit::moment::Moment;
use crate::admit::violations::Violation;
use crate::identify::{Caller, keys};
use crate::policy::limits::{BlockRule, KeyLimits, Limit, Scope, Standing};
use crate::policy::names::ModelName;
use crate::policy::units::Rate;
use crate::policy::{Denial, Policy};
use crate::record::endpoint::Endpoint;
use crate::record::event::SecurityEvent;
use crate::record::{Outcome, Usage};
use crate::runtime::clock;
use crate::runtime::turnstile::Tokens;

const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit-requests");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining-requests");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset-requests");

/// Bytes of text that a model token stands for, roughly, in the languages that are dearest.
const BYTES_PER_TOKEN: u64 = 3;

/// Whether an endpoint is under the limits: all that costs anything. Who operates the gateway is
/// not kept from it.
const fn is_limited(endpoint: Endpoint) -> bool {
    !matches!(endpoint, Endpoint::Internal | Endpoint::Metrics)
}

/// Who came, and when: told once, before anything is looked at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrived {
    visitor: Visitor,
    now: Moment,
}

/// Whether the client's address alone may ask, before its credential is looked at.
///
/// # Errors
/// It is blocked, or over its limit.
pub(crate) fn peek(
    gateway: &Gateway,
    flight: &Flight,
    policy: &Policy,
    address: IpAddr,
) -> Result<Arrived, Denial> {
    let now = clock::moment_at(flight.clock.started());
    let visitor = Visitor::of(address, &gateway.ledger);
    let arrived = Arrived { visitor, now };
    let endpoint = flight.record.endpoint;
    let blocks = &gateway.ledger.blocks;
    // Who may operate the gateway still reaches it, to lift the block.
    if endpoint != Endpoint::Internal && blocks.is_blocked(address, now).is_some() {
        return Err(Denial::ClientBlocked);
    }
    if !is_limited(endpoint) {
        return Ok(arrived);
    }
    admission::peek(visitor, &policy.limits, &gateway.ledger, now)?;
    Ok(arrived)
}

/// Charges a client for a credential that opened nothing.
pub(crate) fn charge_attempt(gateway: &Gateway, policy: &Policy, arrived: Arrived) {
    let Arrived { visitor, now } = arrived;
    admission::charge_attempt(visitor, &policy.limits, &gateway.ledger, now);
}

/// Admits a caller to an endpoint.
///
/// # Errors
/// One of its limits is used up.
pub(crate) fn admit(
    gateway: &Gateway,
    flight: &mut Flight,
    caller: &Caller,
    (endpoint, arrived): (Endpoint, Arrived),
) -> Result<(), Denial> {
    if !is_limited(endpoint) {
        return Ok(());
    }
    let limits = &flight.snapshot.policy.limits;
    let Arrived { visitor, now } = arrived;
    let applicant = Applicant {
        visitor,
        key: Some(caller.id()),
        limits: own(caller.limits(), limits.per_key),
    };
    flight.admitted = Some(admission::admit(&applicant, limits, &gateway.ledger, now)?);
    Ok(())
}

/// What must wait until the body has been read: limits on models and model tokens.
///
/// # Errors
/// One of them is used up.
pub(crate) fn admit_call(
    flight: &mut Flight,
    caller: &Caller,
    model: Option<&ModelName>,
) -> Result<(), Denial> {
    let policy = &flight.snapshot.policy;
    let Some(admitted) = &mut flight.admitted else {
        return Ok(());
    };
    if policy.limits.models.is_empty() && !admitted.counts_tokens() {
        return Ok(());
    }
    let now = clock::moment();
    if let Some(model) = model {
        admitted.model(model.as_str(), &policy.limits, now)?;
    }
    if admitted.counts_tokens() {
        let tokens = tokens(flight.record.request_bytes, flight.most_tokens);
        admitted.reserve(caller.id(), tokens, now)?;
    }
    Ok(())
}

/// Model tokens that a request may take, as far as can be told before it is answered.
pub(crate) fn most_tokens(flight: &Flight) -> u64 {
    tokens(flight.record.request_bytes, flight.most_tokens)
}

fn tokens(bytes: u64, answer: Option<u64>) -> u64 {
    let asked = bytes.checked_div(BYTES_PER_TOKEN).unwrap_or(0);
    asked.saturating_add(answer.unwrap_or(0)).max(1)
}

/// Settles what was set aside of model tokens, of the key's and of its provider's, when the
/// request has ended with `outcome`.
pub(crate) fn settle(
    gateway: &Gateway,
    flight: &mut Flight,
    (providers, outcome): (Option<Tokens>, Outcome),
    now: Instant,
) {
    let record = &flight.record;
    let whole = outcome == Outcome::Completed && record.refusal.is_none();
    let used = used(record.upstream_status, record.usage, whole);
    if let (Some(admitted), Some(used)) = (&mut flight.admitted, used) {
        admitted.settle(used, clock::moment_at(now));
    }
    // The request is in flight up to here, and no longer.
    flight.admitted = None;
    if let (Some(tokens), Some(used)) = (providers, used) {
        tokens.settle(used);
    }
    let violations = &gateway.ledger.violations;
    violations.note_size(flight.record.request_bytes, since_1970());
}

/// Model tokens that a call used. A provider that was not reached, or that refused, used none.
/// None: it does not say, or its answer broke off before it could, and then it is taken to have
/// used all that was set aside.
fn used(status: Option<u16>, usage: Usage, whole: bool) -> Option<u64> {
    match status {
        None | Some(400..=499) => Some(0),
        Some(_) if whole => {
            let (read, written) = (usage.prompt?, usage.completion.unwrap_or(0));
            Some(read.saturating_add(written))
        }
        Some(_) => None,
    }
}

/// The limits of a key: its own, and the policy's for what it has none of.
fn own(own: keys::KeyLimits, all: KeyLimits) -> KeyLimits {
    if own == keys::KeyLimits::default() {
        return all;
    }
    let rate = own.rate.or_else(|| all.rate.map(|limit| limit.rate()));
    let burst = own.burst.or_else(|| match own.rate {
        // A rate of its own comes with the burst that it would have in the configuration.
        Some(rate) => Some(KeyLimits::BURST.min(whole(rate))),
        None => all.rate.map(|limit| limit.burst()),
    });
    let tokens = own.tokens.map(|rate| Limit::new(rate, whole(rate)));
    KeyLimits {
        rate: rate
            .zip(burst)
            .and_then(|(rate, burst)| Limit::new(rate, burst).ok())
            .or(all.rate),
        tokens: tokens.and_then(Result::ok).or(all.tokens),
        concurrent: own.concurrent.or(all.concurrent),
    }
}

fn whole(rate: Rate) -> u32 {
    u32::try_from(rate.count().get()).unwrap_or(u32::MAX)
}

/// What a client is told of its limits: those that refused it, or the tightest it is under.
pub(crate) fn standing(flight: &Flight, denial: Option<&Denial>) -> Option<Standing> {
    match denial {
        Some(Denial::RateLimited(too_often)) => Some(too_often.standing),
        Some(_) | None => flight.admitted.as_ref().and_then(Admitted::standing),
    }
}

/// Writes it into the headers of an answer.
pub(crate) fn tell(fields: &mut HeaderMap, standing: Option<Standing>) {
    let Some(standing) = standing else {
        return;
    };
    fields.insert(LIMIT, HeaderValue::from(standing.limit));
    fields.insert(REMAINING, HeaderValue::from(standing.remaining));
    let reset = format!("{}s", whole_seconds(standing.reset));
    if let Ok(reset) = HeaderValue::from_str(&reset) {
        fields.insert(RESET, reset);
    }
}

/// Rounded up: whoever waits as told must not come too early.
pub(crate) fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs()
        .saturating_add(u64::from(wait.subsec_nanos() > 0))
}

/// Counts what a refusal says of its client, and blocks a client that has been refused too often.
pub(crate) fn violated(gateway: &Gateway, session: &Session, flight: &Flight, denial: &Denial) {
    let policy = &flight.snapshot.policy;
    let Some((violation, by_client)) = kind(denial, policy.sizes.reduced) else {
        return;
    };
    gateway.ledger.violations.add(violation, since_1970());
    let rule = policy.limits.block.filter(|_| by_client);
    if let Some((rule, address)) = rule.zip(flight.record.client_ip) {
        count(gateway, session, flight, address, &rule);
    }
}

/// What kind of violation a refusal is, and whether the client alone is to blame for it: not for
/// what an emergency measure refuses, which clients can't know. `reduced`: one holds sizes down.
fn kind(denial: &Denial, reduced: bool) -> Option<(Violation, bool)> {
    let own = |scope: &Scope| matches!(scope, Scope::Ip | Scope::Key);
    if let Denial::RateLimited(TooOften { scope, held, .. }) = denial {
        return Some((Violation::Rate, own(scope) && !held));
    }
    if let Denial::ConcurrencyLimited(scope) = denial {
        return Some((Violation::Rate, own(scope)));
    }
    if matches!(denial, Denial::TokensLimited(_)) {
        return Some((Violation::Rate, true));
    }
    let status = denial.face().status;
    let by_client = !(reduced && status == 413);
    matches!(status, 413 | 414 | 431).then_some((Violation::Size, by_client))
}

fn count(gateway: &Gateway, session: &Session, flight: &Flight, address: IpAddr, rule: &BlockRule) {
    let ledger = &gateway.ledger;
    let now = clock::moment();
    let client = ledger.key(Who::Client(Client::of(address)));
    if !ledger.violations.is_one_too_many(client, rule, now) {
        return;
    }
    let until = now.after(rule.block_for.get());
    let reason = "too many violations of limits";
    let blocked = ledger
        .blocks
        .block_client(address, reason, until, By::Limits, now);
    match blocked {
        Ok(()) => log::warn!("{address} is blocked: {reason}"),
        Err(full) => log::error!("{address} is not blocked: {full}"),
    }
    let agent = findings::user_agent(session);
    let event = SecurityEvent::of_block(&flight.record, agent);
    gateway.desk.lines.security(&event);
}

/// The time of day, as the ledger takes it.
pub(crate) fn since_1970() -> Duration {
    clock::wall()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_charged_what_the_provider_says_or_all_that_was_set_aside() {
        let usage = |prompt, completion| Usage { prompt, completion };
        for (status, usage, whole, expected) in [
            (None, usage(None, None), false, Some(0)),
            (Some(429), usage(None, None), true, Some(0)),
            (Some(200), usage(Some(7), Some(5)), true, Some(12)),
            (Some(200), usage(Some(7), None), true, Some(7)),
            (Some(200), usage(None, Some(5)), true, None),
            (Some(200), usage(Some(7), Some(1)), false, None),
            (Some(503), usage(None, None), true, None),
            (
                Some(200),
                usage(Some(u64::MAX), Some(1)),
                true,
                Some(u64::MAX),
            ),
        ] {
            assert_eq!(
                used(status, usage, whole),
                expected,
                "{status:?} {usage:?} whole: {whole}"
            );
        }
    }
}
