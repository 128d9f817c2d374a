//! The choice of an endpoint among a provider's, for one attempt.
//!
//! Decides from weights, from how each endpoint stands, and from numbers passed in (a running one,
//! a caller's hash): the kinds of balance, slow start, and who comes last. It changes nothing.
//! With very many endpoints two kinds look at a sample: `latency` at two, as its name of old (two
//! random choices) says, and `least_in_flight` at 16 of more than 64.

use std::sync::Arc;
use std::time::Duration;

use crate::policy::Provider;
use crate::route::balance::{Balance, Ring, Schedule, scatter};
use crate::route::live::{Live, Standing};

/// What a choice is made from.
#[derive(Debug, Clone, Copy)]
pub struct Field<'a> {
    /// Whose turn it is.
    pub schedule: &'a Schedule,
    /// Who belongs to whom.
    pub ring: &'a Ring,
    /// The endpoints' weights.
    pub weights: &'a dyn Weights,
    /// How the endpoints stand.
    pub lives: &'a [Arc<Live>],
    /// The time.
    pub now: Duration,
}

/// The weights of endpoints.
pub trait Weights: std::fmt::Debug {
    /// The weight of an endpoint.
    fn weight(&self, endpoint: usize) -> u16;
}

impl Weights for Provider {
    fn weight(&self, endpoint: usize) -> u16 {
        self.endpoints.get(endpoint).map_or(0, |one| one.weight)
    }
}

/// What tells one request's choice from another's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    /// A running number.
    pub tick: u64,
    /// The caller's hash.
    pub hash: u64,
}

/// Up to so many endpoints are all looked at.
const LOOK_AT_ALL: usize = 64;
/// Of more, so many.
const SAMPLE: u64 = 16;
/// Draws for an endpoint that can be called, before all are looked at.
const DRAWS: u64 = 16;

/// Which endpoints a pass takes into account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pass {
    /// Those that are well, and those that return by their share.
    Well,
    /// All that may be called.
    Any,
}

/// The endpoint for a request; none: no endpoint that is not in `tried` may be called.
pub fn choose(balance: Balance, field: Field<'_>, turn: Turn, tried: &[usize]) -> Option<usize> {
    [Pass::Well, Pass::Any].into_iter().find_map(|pass| {
        Choice {
            field,
            turn,
            tried,
            pass,
        }
        .by(balance)
    })
}

struct Choice<'a> {
    field: Field<'a>,
    turn: Turn,
    tried: &'a [usize],
    pass: Pass,
}

impl Choice<'_> {
    fn by(&self, balance: Balance) -> Option<usize> {
        let chosen = match balance {
            Balance::RoundRobin => None,
            Balance::LeastInFlight => self.least(|live| u64::from(live.in_flight()) + 1),
            Balance::Latency => self.of_two(),
            Balance::HashKey => {
                let mut owners = self.field.ring.from_hash(self.turn.hash);
                owners.find(|place| self.takes(*place))
            }
        };
        chosen.or_else(|| self.in_turn())
    }

    fn in_turn(&self) -> Option<usize> {
        let mut order = self.field.schedule.from_tick(self.turn.tick);
        order.find(|place| self.takes(*place))
    }

    /// Whether an endpoint may be chosen in this pass.
    fn takes(&self, place: usize) -> bool {
        let Some(live) = self.field.lives.get(place) else {
            return false;
        };
        if self.tried.contains(&place) {
            return false;
        }
        match (live.standing(self.field.now), self.pass) {
            (Standing::Closed, _) | (Standing::Aside, Pass::Well) => false,
            (Standing::Returning(share), Pass::Well) => {
                let place = u64::try_from(place).unwrap_or(0);
                self.random(place).checked_rem(100) < Some(u64::from(share))
            }
            (Standing::Ready, _) | (Standing::Returning(_) | Standing::Aside, Pass::Any) => true,
        }
    }

    /// A number that nobody can foretell from this request's others.
    fn random(&self, salt: u64) -> u64 {
        scatter(self.turn.tick ^ scatter(salt ^ 0x5bd1_e995))
    }

    fn drawn(&self, salt: u64) -> Option<usize> {
        let count = u64::try_from(self.field.lives.len()).ok()?;
        let place = self.random(salt).checked_rem(count)?;
        usize::try_from(place).ok()
    }

    /// The endpoint that costs least for its weight, of all or of a sample.
    fn least(&self, cost: impl Fn(&Live) -> u64) -> Option<usize> {
        let count = self.field.lives.len();
        if count > LOOK_AT_ALL {
            let sample = (0..SAMPLE).filter_map(|salt| self.drawn(salt));
            return self.cheapest(sample, cost);
        }
        // The first of equals is another one each time.
        let start = self.drawn(0).unwrap_or(0);
        let places = (0..count).filter_map(|step| start.checked_add(step)?.checked_rem(count));
        self.cheapest(places, cost)
    }

    /// The cheaper of two that were drawn.
    fn of_two(&self) -> Option<usize> {
        let mut drawn = (0..DRAWS).filter_map(|salt| self.drawn(salt));
        let mut may = |place: &usize| self.takes(*place) && self.field.weights.weight(*place) > 0;
        let first = drawn.find(&mut may)?;
        let second = drawn.find(|place| *place != first && may(place));
        let now = self.field.now;
        self.cheapest([Some(first), second].into_iter().flatten(), |live| {
            live.cost(now)
        })
    }

    fn cheapest(
        &self,
        places: impl Iterator<Item = usize>,
        cost: impl Fn(&Live) -> u64,
    ) -> Option<usize> {
        let mut best: Option<(usize, u64, u64)> = None;
        for place in places {
            let weight = u64::from(self.field.weights.weight(place));
            if weight == 0 || !self.takes(place) {
                continue;
            }
            let Some(cost) = self.field.lives.get(place).map(|live| cost(live)) else {
                continue;
            };
            // cost / weight, without a division.
            let cheaper = best.is_none_or(|(_, least, of)| {
                cost.saturating_mul(of) < least.saturating_mul(weight)
            });
            if cheaper {
                best = Some((place, cost, weight));
            }
        }
        best.map(|(place, ..)| place)
    }
}

#[cfg(test)]
mod tests;
