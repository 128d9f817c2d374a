//! Limits on how often: told in every answer, and enforced.

use super::bench::{Bench, Probe, answered, code};
use super::{Said, Tried, acted, did_not, note, off, unknown};
use crate::runtime::outgoing::Reply;

const MODELS: &str = "/v1/models";
/// More requests than this are not sent to find a limit.
const MOST: u32 = 120;

pub(super) async fn run(bench: &Bench<'_>, burst: bool, all: &mut Vec<Tried>) {
    let first = bench.with_key(Probe::get(MODELS)).await;
    note(all, "rate_limit_headers", told(bench, &first));
    note(all, "rate_limit", enforced(bench, burst, &first).await);
}

/// Whether it is known that nothing is limited.
fn is_unlimited(bench: &Bench<'_>) -> bool {
    let levels = [
        "/rate_limits/per_ip",
        "/rate_limits/per_key",
        "/rate_limits/global",
    ];
    levels.into_iter().all(|level| bench.known.is_null(level))
}

fn told(bench: &Bench<'_>, reply: &Result<Reply, String>) -> Said {
    let reply = match reply {
        Ok(reply) => reply,
        Err(fault) => return unknown(fault.clone()),
    };
    let names = [
        "x-ratelimit-limit-requests",
        "x-ratelimit-remaining-requests",
        "x-ratelimit-reset-requests",
    ];
    let there = names.iter().filter(|name| reply.field(name).is_some());
    match there.count() {
        3 => acted(format!(
            "{} of {} left",
            reply.field("x-ratelimit-remaining-requests").unwrap_or("-"),
            reply.field("x-ratelimit-limit-requests").unwrap_or("-"),
        )),
        0 if is_unlimited(bench) => off("no rate limit is configured"),
        0 if !bench.known.is_there() => {
            unknown("no limit is told; whether one is configured can't be seen with this key")
        }
        0 => did_not("a limit is configured, and not told"),
        _ => did_not("only some of the fields are there"),
    }
}

async fn enforced(bench: &Bench<'_>, burst: bool, first: &Result<Reply, String>) -> Said {
    let reply = match first {
        Ok(reply) => reply,
        Err(fault) => return unknown(fault.clone()),
    };
    let left = reply.field("x-ratelimit-remaining-requests");
    let left: Option<u32> = left.and_then(|text| text.parse().ok());
    let Some(left) = left else {
        return if is_unlimited(bench) {
            off("no rate limit is configured")
        } else {
            unknown("no limit is told")
        };
    };
    if !burst {
        return unknown("left out: using the limit up would hit other callers");
    }
    if left >= MOST {
        return unknown(format!(
            "{left} requests are left; no more than {MOST} are sent"
        ));
    }
    // What trickles in meanwhile is a part of the burst at most.
    let tries = left.saturating_mul(2).saturating_add(5).min(MOST);
    let probe = Probe::get(MODELS).with(bench.key.as_ref());
    for number in 0..tries {
        match bench.once(&probe).await {
            Ok(reply) if reply.status == 429 && code(&reply) == "rate_limit_exceeded" => {
                return if reply.field("retry-after").is_some() {
                    acted(format!("request {number} of a burst: {}", answered(&reply)))
                } else {
                    did_not("429 without retry-after")
                };
            }
            Ok(reply) if reply.status == 200 => {}
            Ok(reply) => return unknown(answered(&reply)),
            Err(fault) => return unknown(fault),
        }
    }
    did_not(format!("{left} requests were left, and {tries} passed"))
}
