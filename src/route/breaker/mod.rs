//! Whether an endpoint is well enough to be called: breaker, health by probes, passive outliers.
//!
//! Decides from outcomes and the time, both passed in: closed, open or half-open by failures within
//! a window; well or ill by probes in a row; set aside by failures in a row of live calls. It never
//! calls anybody, reads no clock, and holds at most as many moments as the breaker has failures.
//! Times are spans since a moment that never changes, such as the process's start.

pub mod bequest;

use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::time::Duration;

/// When a breaker opens, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerSettings {
    /// After so many failures …
    pub failures: NonZeroU32,
    /// … within this time.
    pub within: Duration,
    /// How long nobody is let through then.
    pub open_for: Duration,
    /// Calls that are let through after that, until as many have succeeded.
    pub trials: NonZeroU32,
}

/// The states of a breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Circuit {
    /// Calls pass.
    Closed,
    /// No call passes.
    Open,
    /// A few calls pass, to find out.
    HalfOpen,
}

impl Circuit {
    /// The word in answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
        }
    }

    /// The number in metrics.
    pub const fn number(self) -> i64 {
        match self {
            Self::Closed => 0,
            Self::Open => 1,
            Self::HalfOpen => 2,
        }
    }
}

/// A circuit breaker.
#[derive(Debug)]
pub struct Breaker {
    settings: BreakerSettings,
    failed_at: VecDeque<Duration>,
    opened: Option<Opened>,
}

/// An open or half-open breaker.
#[derive(Debug)]
struct Opened {
    until: Duration,
    on_trial: u32,
    succeeded: u32,
}

impl Breaker {
    /// A closed breaker.
    pub const fn new(settings: BreakerSettings) -> Self {
        Self {
            settings,
            failed_at: VecDeque::new(),
            opened: None,
        }
    }

    /// Other settings from now on; what has happened stays.
    pub fn configure(&mut self, settings: BreakerSettings) {
        self.settings = settings;
    }

    /// Its state.
    pub fn circuit(&self, now: Duration) -> Circuit {
        match &self.opened {
            None => Circuit::Closed,
            Some(opened) if now < opened.until => Circuit::Open,
            Some(_) => Circuit::HalfOpen,
        }
    }

    /// Whether a call would be let through.
    pub fn lets_through(&self, now: Duration) -> bool {
        match &self.opened {
            None => true,
            Some(opened) => now >= opened.until && opened.on_trial < self.settings.trials.get(),
        }
    }

    /// Whether it has nothing to remember.
    pub fn is_clear(&self, now: Duration) -> bool {
        let last = self.failed_at.back();
        self.opened.is_none() && last.is_none_or(|last| self.is_past(*last, now))
    }

    fn is_past(&self, at: Duration, now: Duration) -> bool {
        now.saturating_sub(at) > self.settings.within
    }

    /// A call is let through; says whether it is a trial, whose outcome or loss must be told.
    pub fn begin(&mut self, now: Duration) -> bool {
        let Some(opened) = &mut self.opened else {
            return false;
        };
        if now < opened.until {
            return false;
        }
        opened.on_trial = opened.on_trial.saturating_add(1);
        true
    }

    /// A trial ended without saying anything about the endpoint.
    pub fn abandon(&mut self) {
        if let Some(opened) = &mut self.opened {
            opened.on_trial = opened.on_trial.saturating_sub(1);
        }
    }

    /// A call succeeded.
    pub fn succeed(&mut self, trial: bool) {
        let needed = self.settings.trials.get();
        let Some(opened) = self.opened.as_mut().filter(|_| trial) else {
            return;
        };
        opened.on_trial = opened.on_trial.saturating_sub(1);
        opened.succeeded = opened.succeeded.saturating_add(1);
        if opened.succeeded >= needed {
            self.opened = None;
            self.failed_at.clear();
        }
    }

    /// A call failed.
    pub fn fail(&mut self, trial: bool, now: Duration) {
        if let Some(opened) = &self.opened {
            // A call from before it opened says nothing new.
            if trial && now >= opened.until {
                self.open(now);
            }
            return;
        }
        let most = usize::try_from(self.settings.failures.get()).unwrap_or(usize::MAX);
        let within = self.settings.within;
        let past = |at: &Duration| now.saturating_sub(*at) > within;
        while self.failed_at.front().is_some_and(past) || self.failed_at.len() >= most {
            self.failed_at.pop_front();
        }
        self.failed_at.push_back(now);
        if self.failed_at.len() >= most {
            self.open(now);
        }
    }

    fn open(&mut self, now: Duration) {
        self.failed_at.clear();
        self.opened = Some(Opened {
            until: now.saturating_add(self.settings.open_for),
            on_trial: 0,
            succeeded: 0,
        });
    }
}

/// After how many probes in a row the verdict changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HealthSettings {
    /// Failures that make a well endpoint ill.
    pub unhealthy_after: NonZeroU32,
    /// Successes that make an ill endpoint well.
    pub healthy_after: NonZeroU32,
}

/// Health as the probes have it: well until they say otherwise.
#[derive(Debug, Default)]
pub struct Health {
    ill: bool,
    against: u32,
}

impl Health {
    /// Whether the probes find it ill.
    pub const fn is_ill(&self) -> bool {
        self.ill
    }

    /// Takes a probe's outcome; says whether the verdict has changed.
    pub fn probed(&mut self, good: bool, settings: HealthSettings) -> bool {
        if good != self.ill {
            self.against = 0;
            return false;
        }
        self.against = self.against.saturating_add(1);
        let needed = if self.ill {
            settings.healthy_after
        } else {
            settings.unhealthy_after
        };
        if self.against < needed.get() {
            return false;
        }
        self.against = 0;
        self.ill = !self.ill;
        true
    }
}

/// Failures of live calls in a row after which an endpoint is set aside.
const ASIDE_AFTER: u32 = 3;
/// How long, the first time; twice as long each further time.
const ASIDE_FOR: Duration = Duration::from_secs(5);
/// At most so often twice as long.
const MOST_DOUBLINGS: u32 = 3;

/// What live calls say: an endpoint that fails several times in a row is set aside for a while.
/// That only ever prefers others, so that an endpoint without siblings is still called.
#[derive(Debug, Default)]
pub struct Outlier {
    in_a_row: u32,
    times: u32,
    until: Duration,
}

impl Outlier {
    /// Whether others are to be preferred.
    pub fn is_aside(&self, now: Duration) -> bool {
        now < self.until
    }

    /// Whether it has nothing to remember.
    pub const fn is_clear(&self) -> bool {
        self.in_a_row == 0 && self.times == 0
    }

    /// A call succeeded.
    pub fn succeed(&mut self) {
        *self = Self::default();
    }

    /// A call failed; says whether the endpoint is set aside by that.
    pub fn fail(&mut self, now: Duration) -> bool {
        self.in_a_row = self.in_a_row.saturating_add(1);
        if self.in_a_row < ASIDE_AFTER || self.is_aside(now) {
            return false;
        }
        let doubled = 1_u32
            .checked_shl(self.times.min(MOST_DOUBLINGS))
            .unwrap_or(1);
        self.until = now.saturating_add(ASIDE_FOR.saturating_mul(doubled));
        self.times = self.times.saturating_add(1);
        // One more failure after the pause is enough.
        self.in_a_row = ASIDE_AFTER.saturating_sub(1);
        true
    }
}

#[cfg(test)]
mod tests;
