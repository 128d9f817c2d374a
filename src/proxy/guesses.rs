//! Clients that try keys: counted, and blocked when it is too much.
//!
//! Decides nothing: which failures are guesses is the refusal's own, when they are too many is
//! `admit::failures`', and what a block means is `admit::blocks`'.

use std::net::IpAddr;

use super::Gateway;
use crate::admit::blocks::By;
use crate::policy::{Denial, Policy};
use crate::record::event::{Level, SecurityEvent, Severity, Verdict};
use crate::runtime::clock;

/// Notes that a client failed to authenticate; blocks it when it has too often.
pub(crate) fn note(gateway: &Gateway, policy: &Policy, address: IpAddr, denial: &Denial) {
    let Denial::InvalidApiKey(fault) = denial else {
        return;
    };
    if !fault.is_guess() {
        return;
    }
    let rule = &policy.auth.brute_force;
    let now = clock::moment();
    let Some(until) = gateway.ledger.failures.note(address, rule, now) else {
        return;
    };
    let blocks = &gateway.ledger.blocks;
    let seconds = until.since(now).as_secs();
    match blocks.block_client(
        address,
        "failed to authenticate too often",
        until,
        By::BruteForce,
        now,
    ) {
        Ok(()) => {
            log::warn!(
                "{address} failed to authenticate {} times within {:?}, and is blocked for \
                 {seconds} s",
                rule.failures,
                rule.within.get()
            );
            let seconds = seconds.to_string();
            gateway.desk.lines.security(&SecurityEvent {
                level: Level::Error,
                operation: "block_client",
                verdict: Verdict::Status("blocked"),
                severity: Severity::High,
                user_id: None,
                client_ip: Some(address),
                user_agent: b"",
                request_id: "",
                key_prefix: None,
                reason: "brute_force",
                tags: &["authentication", "blocked"],
                found: None,
                details: &[("seconds", &seconds)],
            });
        }
        Err(full) => log::error!("{address} fails to authenticate, and can't be blocked: {full}"),
    }
}
