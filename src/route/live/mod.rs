//! What is known of one endpoint at the moment: calls in flight, latency, and how well it is.
//!
//! Decides how it stands for the next call. Counting is atomic; what needs more is under a lock
//! that is taken only while there is trouble to remember, so that a healthy endpoint costs a few
//! loads a call. It never calls anybody and reads no clock.

pub mod bequest;
mod latency;

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::route::breaker::{Breaker, BreakerSettings, Circuit, Health, HealthSettings, Outlier};
use latency::Latency;

/// How an endpoint stands for the next call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Well.
    Ready,
    /// Back for a while, and given so many hundredths of its share.
    Returning(u32),
    /// To be called only if nobody else can be.
    Aside,
    /// Not to be called.
    Closed,
}

/// What an operator has said of an endpoint.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Nothing: health decides.
    #[default]
    Auto,
    /// No new calls.
    Drain,
    /// Calls, whatever health says.
    Force,
}

impl Order {
    /// The word in answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Drain => "drain",
            Self::Force => "force",
        }
    }
}

/// What a call says of its endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It answered, after this long.
    Good(Duration),
    /// It failed.
    Bad,
}

/// The state of one endpoint.
#[derive(Debug)]
pub struct Live {
    in_flight: AtomicU32,
    latency: Latency,
    /// Whether the lock must be asked.
    troubled: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    breaker: Option<Breaker>,
    health: Health,
    outlier: Outlier,
    order: Order,
    /// The provider asked to be left alone until then.
    resting: Duration,
    /// Since when it is back, while its share still grows.
    back_since: Option<Duration>,
    slow_start: Duration,
}

/// What an operator sees of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Glance {
    /// Whether it would be called.
    pub healthy: bool,
    /// Its breaker's state.
    pub circuit: Circuit,
    /// What the operator has said.
    pub order: Order,
    /// Calls in flight.
    pub in_flight: u32,
    /// Its latency, as balancing sees it; zero before the first call.
    pub latency: Duration,
}

/// The share of a returning endpoint to begin with, in hundredths.
const FIRST_SHARE: u32 = 10;
/// The longest rest that a provider may ask for.
const LONGEST_REST: Duration = Duration::from_mins(5);

impl Live {
    /// An endpoint of which nothing is known.
    pub fn new(breaker: Option<BreakerSettings>, slow_start: Duration) -> Self {
        Self {
            in_flight: AtomicU32::new(0),
            latency: Latency::default(),
            troubled: AtomicBool::new(false),
            state: Mutex::new(State {
                breaker: breaker.map(Breaker::new),
                health: Health::default(),
                outlier: Outlier::default(),
                order: Order::Auto,
                resting: Duration::ZERO,
                back_since: None,
                slow_start,
            }),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Other settings from now on.
    pub fn configure(&self, breaker: Option<BreakerSettings>, slow_start: Duration) {
        let mut state = self.state();
        state.slow_start = slow_start;
        match (&mut state.breaker, breaker) {
            (Some(known), Some(settings)) => known.configure(settings),
            (kept, settings) => *kept = settings.map(Breaker::new),
        }
    }

    /// How it stands.
    pub fn standing(&self, now: Duration) -> Standing {
        if !self.troubled.load(Ordering::Acquire) {
            return Standing::Ready;
        }
        let mut state = self.state();
        let standing = state.standing(now);
        if state.is_clear(now) {
            state.back_since = None;
            self.troubled.store(false, Ordering::Release);
        }
        standing
    }

    /// Calls in flight.
    pub fn in_flight(&self) -> u32 {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// What a call would cost, for comparison: its latency in microseconds times the calls that
    /// would share it.
    pub fn cost(&self, now: Duration) -> u64 {
        let sharing = u64::from(self.in_flight()).saturating_add(1);
        self.latency
            .read(now)
            .saturating_add(1)
            .saturating_mul(sharing)
    }

    /// A call begins; none: another one took the last place on trial since this one was chosen,
    /// or the endpoint was closed.
    pub fn begin(self: &Arc<Self>, now: Duration) -> Option<Ticket> {
        let trial = self.troubled.load(Ordering::Acquire) && {
            let mut state = self.state();
            if state.standing(now) == Standing::Closed {
                return None;
            }
            state
                .breaker
                .as_mut()
                .is_some_and(|breaker| breaker.begin(now))
        };
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        Some(Ticket {
            live: Arc::clone(self),
            trial,
        })
    }

    fn settle(&self, verdict: Verdict, trial: bool, now: Duration) {
        match verdict {
            Verdict::Good(latency) => {
                self.latency.note(latency, now);
                if self.troubled.load(Ordering::Acquire) {
                    self.state().succeed(trial, now);
                }
            }
            Verdict::Bad => {
                let mut state = self.state();
                state.fail(trial, now);
                self.troubled.store(true, Ordering::Release);
            }
        }
    }

    /// The provider asks to be left alone for so long.
    pub fn rest(&self, wait: Duration, now: Duration) {
        let mut state = self.state();
        state.resting = state
            .resting
            .max(now.saturating_add(wait.min(LONGEST_REST)));
        self.troubled.store(true, Ordering::Release);
    }

    /// A probe's outcome; says whether the verdict has changed.
    pub fn probed(&self, good: bool, settings: HealthSettings, now: Duration) -> bool {
        let mut state = self.state();
        let changed = state.health.probed(good, settings);
        if changed {
            state.back_since = good.then_some(now);
            self.troubled.store(true, Ordering::Release);
        }
        changed
    }

    /// An operator's order.
    pub fn order(&self, order: Order) {
        let mut state = self.state();
        if state.order == order {
            return;
        }
        state.order = order;
        self.troubled.store(true, Ordering::Release);
    }

    /// What an operator sees.
    pub fn glance(&self, now: Duration) -> Glance {
        let state = self.state();
        Glance {
            healthy: state.standing(now) != Standing::Closed && !state.outlier.is_aside(now),
            circuit: state
                .breaker
                .as_ref()
                .map_or(Circuit::Closed, |breaker| breaker.circuit(now)),
            order: state.order,
            in_flight: self.in_flight(),
            latency: Duration::from_micros(self.latency.read(now)),
        }
    }
}

impl State {
    fn standing(&self, now: Duration) -> Standing {
        match self.order {
            Order::Drain => return Standing::Closed,
            Order::Force => return Standing::Ready,
            Order::Auto => {}
        }
        let let_through = |breaker: &Breaker| breaker.lets_through(now);
        if self.health.is_ill() || !self.breaker.as_ref().is_none_or(let_through) {
            return Standing::Closed;
        }
        if self.outlier.is_aside(now) || now < self.resting {
            return Standing::Aside;
        }
        match self.back_since.and_then(|since| self.share(since, now)) {
            Some(share) => Standing::Returning(share),
            None => Standing::Ready,
        }
    }

    /// The share of an endpoint that came back at that time; none: all of it.
    fn share(&self, since: Duration, now: Duration) -> Option<u32> {
        let passed = now.saturating_sub(since).as_millis();
        let hundredths = passed
            .saturating_mul(100)
            .checked_div(self.slow_start.as_millis())?;
        let share = u32::try_from(hundredths).unwrap_or(u32::MAX);
        (share < 100).then_some(share.max(FIRST_SHARE))
    }

    fn is_clear(&self, now: Duration) -> bool {
        self.order == Order::Auto
            && !self.health.is_ill()
            && self.outlier.is_clear()
            && now >= self.resting
            && self
                .breaker
                .as_ref()
                .is_none_or(|breaker| breaker.is_clear(now))
            && self
                .back_since
                .is_none_or(|since| self.share(since, now).is_none())
    }

    fn succeed(&mut self, trial: bool, now: Duration) {
        let was_open = self.is_open();
        if let Some(breaker) = &mut self.breaker {
            breaker.succeed(trial);
        }
        if was_open && !self.is_open() {
            self.back_since = Some(now);
        }
        self.outlier.succeed();
    }

    fn is_open(&self) -> bool {
        let now = Duration::MAX;
        self.breaker
            .as_ref()
            .is_some_and(|breaker| breaker.circuit(now) != Circuit::Closed)
    }

    fn fail(&mut self, trial: bool, now: Duration) {
        if let Some(breaker) = &mut self.breaker {
            breaker.fail(trial, now);
        }
        self.outlier.fail(now);
    }
}

/// A call in flight. Dropped without a verdict it says nothing of the endpoint.
#[derive(Debug)]
pub struct Ticket {
    live: Arc<Live>,
    trial: bool,
}

impl Ticket {
    /// What the call says of its endpoint. May be said again: an answer that began well may be
    /// cut.
    pub fn settle(&mut self, verdict: Verdict, now: Duration) {
        self.live
            .settle(verdict, std::mem::take(&mut self.trial), now);
    }

    /// The provider asks to be left alone for so long.
    pub fn rest(&self, wait: Duration, now: Duration) {
        self.live.rest(wait, now);
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.live.in_flight.fetch_sub(1, Ordering::Relaxed);
        if self.trial
            && let Some(breaker) = &mut self.live.state().breaker
        {
            breaker.abandon();
        }
    }
}

#[cfg(test)]
mod tests;
