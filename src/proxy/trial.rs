//! A policy on trial beside the one in force: who gets it, and what became of their requests.
//!
//! Decides by a hash of what a caller sends to be known by (its credential, else its address), so
//! that one caller sees one policy. Requests outside `/v1/` are never on trial: who operates the
//! gateway must not be locked out by a policy that is to be looked at.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use pingora::http::RequestHeader;

use super::Snapshot;
use super::ctx::Flight;
use crate::admit::client::Client;
use crate::admit::seed::{Seed, Seeded};
use crate::policy::Policy;
use crate::record::trial::tally::{Seen, Sums, Tally};
use crate::record::trial::{self, Decision, Plan};
use crate::record::{Facts, Outcome, Times};

/// What is tried.
const TRIED: &[u8] = b"/v1/";

/// A trial under way.
#[derive(Debug)]
pub(crate) struct Trial {
    pub(crate) plan: Plan,
    chance: Seeded,
    old: Tally,
    new: Tally,
}

/// A snapshot's part in a trial.
pub(crate) struct Part {
    trial: Arc<Trial>,
    /// None: this snapshot is the one on trial.
    candidate: Option<Arc<Snapshot>>,
}

impl Trial {
    /// A trial that begins.
    pub(crate) fn new(plan: Plan) -> Self {
        Self {
            plan,
            chance: Seeded::new(Seed::random()),
            old: Tally::default(),
            new: Tally::default(),
        }
    }

    /// What was seen of the old policy, and of the new one.
    pub(crate) fn sums(&self) -> (Sums, Sums) {
        (self.old.sums(), self.new.sums())
    }

    /// What is to be done, when so much time has passed.
    pub(crate) fn decide(&self, passed: Duration) -> Decision {
        let (old, new) = self.sums();
        trial::decide(&self.plan, &old, &new, passed)
    }

    fn chooses(&self, head: &RequestHeader, address: Option<IpAddr>, policy: &Policy) -> bool {
        let mut names = policy.auth.headers.iter();
        let hash = if let Some(value) = names.find_map(|name| head.headers.get(name)) {
            // With or without `Bearer`, it is the same caller.
            let secret = value.as_bytes().rsplit(|byte| *byte == b' ').next();
            self.chance.hash(&[], secret.unwrap_or_default())
        } else {
            let client = address.map(|address| Client::of(address).words());
            self.chance.hash(&client.unwrap_or_default(), &[])
        };
        self.plan.chooses(hash)
    }
}

impl Part {
    /// The part of the policy in force.
    pub(crate) const fn old(trial: Arc<Trial>, candidate: Arc<Snapshot>) -> Self {
        Self {
            trial,
            candidate: Some(candidate),
        }
    }

    /// The part of the policy on trial.
    pub(crate) const fn new(trial: Arc<Trial>) -> Self {
        Self {
            trial,
            candidate: None,
        }
    }

    /// The policy on trial, as seen from the one in force.
    pub(crate) const fn candidate(&self) -> Option<&Arc<Snapshot>> {
        self.candidate.as_ref()
    }

    fn note(&self, seen: &Seen) {
        match self.candidate {
            Some(_) => self.trial.old.note(seen),
            None => self.trial.new.note(seen),
        }
    }
}

/// What a request is judged by: the policy in force, or the one that its caller is to try.
pub(super) fn seat(
    snapshot: Arc<Snapshot>,
    head: &RequestHeader,
    address: impl FnOnce() -> Option<IpAddr>,
) -> Arc<Snapshot> {
    let Some(part) = &snapshot.trial else {
        return snapshot;
    };
    let tried = head.uri.path().as_bytes().starts_with(TRIED);
    match &part.candidate {
        Some(candidate) if tried && part.trial.chooses(head, address(), &snapshot.policy) => {
            Arc::clone(candidate)
        }
        Some(_) | None => snapshot,
    }
}

/// Counts a request that has ended.
pub(super) fn note(flight: &Flight, outcome: Outcome, times: impl FnOnce() -> Times) {
    if let Some(part) = &flight.snapshot.trial
        && let Some(seen) = seen(&flight.record, outcome, times)
    {
        part.note(&seen);
    }
}

fn seen(facts: &Facts, outcome: Outcome, times: impl FnOnce() -> Times) -> Option<Seen> {
    if !facts.path.as_bytes().starts_with(TRIED) {
        return None;
    }
    let broken = facts.status.is_some_and(|status| status >= 500);
    let (refused, failed) = match (&facts.refusal, outcome) {
        // That is the client's doing.
        (_, Outcome::ClientGone | Outcome::Abandoned) => return None,
        (Some(refusal), _) => (!refusal.upstream, refusal.upstream),
        (None, Outcome::Completed) => (false, broken),
        (None, Outcome::Denied) => (true, false),
        (None, Outcome::UpstreamFailed | Outcome::Cut) => (false, true),
    };
    let both = [&facts.inspection, &facts.answer].into_iter().flatten();
    let found = both.map(|inspected| inspected.found.len()).sum::<usize>() > 0;
    let times = times();
    Some(Seen {
        refused,
        found: found && !refused,
        failed,
        waited: times
            .overhead
            .saturating_add(times.first_byte.unwrap_or_default()),
    })
}
