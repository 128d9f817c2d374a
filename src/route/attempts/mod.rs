//! What may be tried after a failed attempt, and where.
//!
//! Decides by one table, [`Class::may`], from how far the attempt came: whether the same provider
//! may be asked again, whether the next one may, and whether that counts against the budget of
//! retries. Then it walks a route's providers in their order. It never sends anything.
//!
//! The rule behind the table: a call that a provider may have run is not made again, because it
//! may be billed twice, unless the configuration says so (`retry_unsafe`) or the method promises
//! that twice is as good as once. A provider that itself says that it failed has said that it did
//! not run the call. Once the client has a byte of an answer, nothing is tried again.

use std::time::Duration;

use crate::policy::{Policy, Route};
use crate::route::Target;
use crate::route::choice::{Field, Turn, choose};
use crate::route::fleet::{ProviderLive, View};
use crate::route::live::Standing;

/// How far a failed attempt came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// No connection came to be, or its TLS did not.
    NotConnected,
    /// There was a connection; nothing was sent on it.
    NothingSent,
    /// The head may have been sent, and a body was to follow.
    HeadSent,
    /// The body was not sent to its end.
    BodyIncomplete,
    /// The whole request was sent, and the provider said that it did nothing of it.
    NotProcessed,
    /// The whole request may have been sent, and no answer came, or one that can't be used.
    NoAnswer,
    /// The provider answered with this status, and the client has nothing of it.
    Status(u16),
    /// The client has a part of the answer.
    Begun,
}

/// What may be tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The same provider, then the next ones; free of charge.
    Freely,
    /// The same provider, at the charge of its budget; then the next ones.
    Again,
    /// Another endpoint or key of the provider, at the charge of its budget; then the next ones.
    Elsewhere,
    /// The next providers alone.
    Onward,
    /// Nothing.
    Never,
}

/// What matters of the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Circumstances {
    /// Its body is still here, whole.
    pub replayable: bool,
    /// Its method may be repeated (RFC 9110, 9.2.2).
    pub idempotent: bool,
    /// The provider may be asked again though it may have run the call.
    pub retry_unsafe: bool,
}

impl Class {
    /// The table.
    pub const fn may(self, about: Circumstances) -> Verdict {
        match self {
            // Nothing of the body has been read, so that it is still there to be sent.
            Self::NotConnected | Self::NothingSent => Verdict::Freely,
            _ if !about.replayable => Verdict::Never,
            Self::HeadSent | Self::BodyIncomplete | Self::NotProcessed => Verdict::Again,
            Self::NoAnswer => {
                if about.idempotent || about.retry_unsafe {
                    Verdict::Again
                } else {
                    Verdict::Never
                }
            }
            Self::Status(status) => by_status(status),
            Self::Begun => Verdict::Never,
        }
    }

    /// The word in records and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotConnected => "not_connected",
            Self::NothingSent => "nothing_sent",
            Self::HeadSent => "headers_sent",
            Self::BodyIncomplete => "body_incomplete",
            Self::NotProcessed => "not_processed",
            Self::NoAnswer => "no_answer",
            Self::Status(429) => "status_429",
            Self::Status(500) => "status_500",
            Self::Status(502) => "status_502",
            Self::Status(503) => "status_503",
            Self::Status(504) => "status_504",
            Self::Status(529) => "status_529",
            Self::Status(_) => "status_other",
            Self::Begun => "answer_cut",
        }
    }
}

const fn by_status(status: u16) -> Verdict {
    match status {
        429 => Verdict::Elsewhere,
        500 | 502 | 503 | 504 | 529 => Verdict::Again,
        // Our key or our bill there; another provider has others.
        401..=403 | 407 => Verdict::Onward,
        _ => Verdict::Never,
    }
}

/// However many providers a route names, one request knocks at so many doors at most.
const MOST_ATTEMPTS: usize = 8;

/// The way of one request along its route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempts {
    turn: Turn,
    /// Where it may lead, in order of fallback.
    providers: Box<[usize]>,
    /// Index into those.
    place: usize,
    /// Attempts at the current provider so far.
    here: u8,
    tried: Vec<Target>,
}

/// What a step of the way is taken on.
#[derive(Debug, Clone, Copy)]
pub struct Ground<'a> {
    /// The policy of the request.
    pub policy: &'a Policy,
    /// The route that was found.
    pub route: &'a Route,
    /// What is known of the providers.
    pub view: &'a View,
    /// The time.
    pub now: Duration,
}

impl Attempts {
    /// The beginning of a way.
    pub const fn new(turn: Turn, providers: Box<[usize]>) -> Self {
        Self {
            turn,
            providers,
            place: 0,
            here: 0,
            tried: Vec::new(),
        }
    }

    /// Attempts so far.
    pub const fn count(&self) -> usize {
        self.tried.len()
    }

    /// How often the endpoint of the newest attempt had been tried before, less one; none: never.
    pub fn repeats(&self) -> Option<u32> {
        let (newest, earlier) = self.tried.split_last()?;
        let times = earlier.iter().filter(|one| *one == newest).count();
        u32::try_from(times.checked_sub(1)?).ok()
    }

    /// The first attempt's target. A provider all of whose endpoints are set aside, or asked to
    /// be left alone, comes after those that are well.
    pub fn first(&mut self, ground: Ground<'_>) -> Option<Target> {
        let well = |index: &usize| {
            let live = ground.view.provider(*index);
            live.is_some_and(|live| live.has_well_endpoint(ground.now))
        };
        if self.providers.first().is_some_and(|first| !well(first)) {
            self.providers.sort_by_key(|index| !well(index));
        }
        self.onward(ground)
    }

    /// The target after the current provider turned out to take no call now; nothing was tried.
    pub fn instead(&mut self, ground: Ground<'_>) -> Option<Target> {
        self.tried.pop();
        self.leave();
        self.onward(ground)
    }

    /// The target after a failed attempt; none: it was the last one.
    pub fn after(
        &mut self,
        class: Class,
        about: Circumstances,
        ground: Ground<'_>,
    ) -> Option<Target> {
        let verdict = class.may(about);
        if verdict == Verdict::Never || self.tried.len() >= MOST_ATTEMPTS {
            return None;
        }
        if let Some(sibling) = self.again(verdict, false, ground) {
            return Some(sibling);
        }
        let here = (self.place, self.here);
        self.leave();
        if let Some(next) = self.onward(ground) {
            return Some(next);
        }
        (self.place, self.here) = here;
        self.again(verdict, true, ground)
    }

    fn leave(&mut self) {
        self.place = self.place.saturating_add(1);
        self.here = 0;
    }

    /// Another attempt at the same provider, if its retries and its budget allow one: at an
    /// endpoint that was not tried, with a key that was not, or, where nobody else is left, the
    /// same again.
    fn again(&mut self, verdict: Verdict, same_too: bool, ground: Ground<'_>) -> Option<Target> {
        let charged = match verdict {
            Verdict::Freely => false,
            Verdict::Again | Verdict::Elsewhere => true,
            Verdict::Onward | Verdict::Never => return None,
        };
        if self.here > ground.route.retries {
            return None;
        }
        let (provider, live) = self.current(ground)?;
        let target = self.pick(provider, ground).or_else(|| {
            let same = self.tried.last().copied()?;
            let standing = live.endpoint(same.endpoint)?.standing(ground.now);
            let fit = match (verdict, standing) {
                (_, Standing::Closed) => false,
                (Verdict::Elsewhere, _) => live.has_fresh_key(ground.now),
                (_, Standing::Aside) => false,
                (_, Standing::Ready | Standing::Returning(_)) => same_too,
            };
            fit.then_some(same)
        })?;
        if charged && !live.budget.withdraw() {
            return None;
        }
        Some(self.take(target))
    }

    /// The first provider from here on that has somebody to call.
    fn onward(&mut self, ground: Ground<'_>) -> Option<Target> {
        while self.place < self.providers.len() {
            if let Some((provider, live)) = self.current(ground)
                && let Some(target) = self.pick(provider, ground)
            {
                live.budget.deposit();
                return Some(self.take(target));
            }
            self.leave();
        }
        None
    }

    fn current<'a>(&self, ground: Ground<'a>) -> Option<(usize, &'a ProviderLive)> {
        let index = *self.providers.get(self.place)?;
        Some((index, ground.view.provider(index)?))
    }

    fn pick(&self, index: usize, ground: Ground<'_>) -> Option<Target> {
        let provider = ground.policy.providers.get(index)?;
        let field = Field {
            schedule: &provider.schedule,
            ring: &provider.ring,
            weights: &**provider,
            lives: ground.view.provider(index)?.endpoints(),
            now: ground.now,
        };
        // At most eight: no need of a set.
        let mut tried = [usize::MAX; MOST_ATTEMPTS];
        let here = self.tried.iter().filter(|one| one.provider == index);
        for (place, target) in tried.iter_mut().zip(here) {
            *place = target.endpoint;
        }
        let endpoint = choose(ground.route.balance, field, self.turn, &tried)?;
        Some(Target {
            provider: index,
            endpoint,
        })
    }

    fn take(&mut self, target: Target) -> Target {
        self.here = self.here.saturating_add(1);
        self.tried.push(target);
        target
    }
}

#[cfg(test)]
mod tests;
