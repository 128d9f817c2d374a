//! Whether a caller may call now, by all limits at once.
//!
//! Decides by the policy's limits and what the ledger knows was used. All limits are looked at
//! before any is charged, so that a refused request uses up none of them; where another thread
//! takes the last place between the look and the charge, what was charged is given back. Made
//! before the body is read; limits on models follow when the model is known.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use smallvec::SmallVec;

use super::client::Client;
use super::flights::Slot;
use super::ledger::{Charged, Ledger, Level, UsedUp, Who};
use super::moment::Moment;
use super::table::Key;
use super::tokens::Reservation;
use crate::policy::Denial;
use crate::policy::limits::{KeyLimits, Limit, Limits, Scope, Standing};

/// Limits that a request usually has at most; more of them take an allocation.
const FEW: usize = 4;

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub struct Applicant<'a> {
    /// The client's address, as far as it can be believed.
    pub address: IpAddr,
    /// What its key is counted under; none where keys are not asked for.
    pub key: Option<&'a str>,
    /// The limits of its key.
    pub limits: KeyLimits,
}

/// Why a request has to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooOften {
    /// The level whose limit is used up.
    pub scope: Scope,
    /// How long to wait until all limits would let it pass, absent others.
    pub wait: Duration,
    /// What is left of the limit.
    pub standing: Standing,
    /// Whether only limits of emergency measures refused.
    pub held: bool,
}

/// Proof that a request is within its limits. It holds the request's place among those in flight.
#[derive(Debug)]
pub struct Admitted {
    ledger: Arc<Ledger>,
    charged: SmallVec<[Charged; FEW]>,
    standing: Option<Standing>,
    /// What its key is counted under.
    key: Option<Key>,
    tokens: Option<Reservation>,
    _slots: [Option<Slot>; 2],
}

/// Whether the client's address alone is over its limit: asked before the credential is looked
/// at, and charged nothing for.
///
/// # Errors
/// It is.
pub fn peek(address: IpAddr, limits: &Limits, ledger: &Ledger, now: Moment) -> Result<(), Denial> {
    look(of_address(address, limits, ledger), ledger, now).map(|_standing| ())
}

/// Charges a client for a try that came to nothing, such as one with a wrong key.
pub fn charge_attempt(address: IpAddr, limits: &Limits, ledger: &Ledger, now: Moment) {
    for level in of_address(address, limits, ledger) {
        // What finds its limit used up is refused by the next look.
        let _charged = ledger.charge(&level, now);
    }
}

/// The limits of an address: the policy's and those of emergency measures.
fn of_address<'a>(
    address: IpAddr,
    limits: &'a Limits,
    ledger: &'a Ledger,
) -> impl Iterator<Item = Level<'a>> {
    let client = Client::of(address);
    let usual = limits.per_ip.map(|limit| (Who::Client(client), limit));
    let held = limits.emergency.iter();
    let held = held.map(move |limit| (Who::ClientHeld(client, *limit), *limit));
    let both = usual.into_iter().chain(held);
    both.map(|(who, limit)| Level::of(who, limit, ledger))
}

/// Admits a caller, or says why not.
///
/// # Errors
/// A limit is used up.
pub fn admit(
    applicant: &Applicant<'_>,
    limits: &Limits,
    ledger: &Arc<Ledger>,
    now: Moment,
) -> Result<Admitted, Denial> {
    let key = applicant.key.map(|key| ledger.key(Who::Key(key)));
    let levels = levels(applicant, key, limits, ledger);
    let standing = look(levels.iter().copied(), ledger, now)?;
    let slots = [
        match (key, applicant.limits.concurrent) {
            (Some(key), Some(most)) => {
                let slot = ledger.flights.begin_for(key, ledger.part(most));
                Some(slot.ok_or(Denial::ConcurrencyLimited(Scope::Key))?)
            }
            (None, _) | (_, None) => None,
        },
        match limits.concurrent {
            Some(most) => Some(
                ledger
                    .flights
                    .begin(most)
                    .ok_or(Denial::ConcurrencyLimited(Scope::Global))?,
            ),
            None => None,
        },
    ];
    let mut admitted = Admitted {
        ledger: Arc::clone(ledger),
        charged: SmallVec::new(),
        standing,
        key,
        tokens: None,
        _slots: slots,
    };
    admitted.charge(&levels, now)?;
    Ok(admitted)
}

/// All limits that can be told before the body is read.
fn levels<'a>(
    applicant: &Applicant<'a>,
    key: Option<Key>,
    limits: &'a Limits,
    ledger: &'a Ledger,
) -> SmallVec<[Level<'a>; FEW]> {
    let of = |who: Who<'a>, limit: Limit| Level::of(who, limit, ledger);
    let named = applicant.key.zip(key).zip(applicant.limits.rate);
    let own = named.map(|((name, key), limit)| Level {
        who: Who::Key(name),
        key,
        limit,
    });
    let held = limits.emergency.iter().filter_map(|limit| {
        let key = applicant.key?;
        Some(of(Who::KeyHeld(key, *limit), *limit))
    });
    let mut levels = SmallVec::new();
    levels.extend(own);
    levels.extend(held);
    levels.extend(of_address(applicant.address, limits, ledger));
    levels.extend(limits.global.map(|limit| of(Who::All, limit)));
    levels
}

impl Admitted {
    /// Puts the limits on a model over the request, now that the model is known.
    ///
    /// # Errors
    /// One of them is used up; then nothing at all is charged for the request.
    pub fn model(&mut self, model: &str, limits: &Limits, now: Moment) -> Result<(), Denial> {
        if limits.models.is_empty() {
            return Ok(());
        }
        let of_model = limits
            .models
            .iter()
            .filter(|group| group.models.iter().any(|pattern| pattern.matches(model)));
        let levels: SmallVec<[_; FEW]> = of_model
            .map(|group| Level::of(Who::Models(&group.name), group.limit, &self.ledger))
            .collect();
        let looked = look(levels.iter().copied(), &self.ledger, now);
        let looked = looked.inspect_err(|_denial| self.give_back(now))?;
        self.charge(&levels, now)?;
        self.standing = tighter(self.standing, looked);
        Ok(())
    }

    /// Sets model tokens aside.
    ///
    /// # Errors
    /// They are not there; then nothing at all is charged for the request.
    pub fn reserve(
        &mut self,
        applicant: &Applicant<'_>,
        tokens: u64,
        now: Moment,
    ) -> Result<(), Denial> {
        let Some((key, limit)) = self.key.zip(applicant.limits.tokens) else {
            return Ok(());
        };
        let limit = self.ledger.share(limit);
        match self.ledger.tokens.reserve(key, tokens, &limit, now) {
            Ok(reservation) => self.tokens = Some(reservation),
            Err(short) => {
                self.give_back(now);
                return Err(Denial::TokensLimited(short.wait));
            }
        }
        Ok(())
    }

    /// Settles the tokens by what the provider says was used.
    pub fn settle(&mut self, tokens: u64, now: Moment) {
        if let Some(reservation) = self.tokens.take() {
            reservation.settle(tokens, now);
        }
    }

    /// What is left of the tightest limit.
    pub const fn standing(&self) -> Option<Standing> {
        self.standing
    }

    fn charge(&mut self, levels: &[Level<'_>], now: Moment) -> Result<(), Denial> {
        for level in levels {
            match self.ledger.charge(level, now) {
                Ok(charged) => self.charged.push(charged),
                Err(wait) => {
                    let standing = self.ledger.standing(level, now);
                    self.give_back(now);
                    return Err(Denial::RateLimited(TooOften {
                        scope: level.who.scope(),
                        wait,
                        standing,
                        held: level.held(),
                    }));
                }
            }
        }
        Ok(())
    }

    fn give_back(&mut self, now: Moment) {
        for charged in self.charged.drain(..) {
            self.ledger.give_back(&charged, now);
        }
    }
}

impl<'a> Level<'a> {
    fn of(who: Who<'a>, limit: Limit, ledger: &Ledger) -> Self {
        Self {
            who,
            key: ledger.key(who),
            limit,
        }
    }
}

/// Looks at limits and charges none; answers what will be left of the tightest after one more.
fn look<'a>(
    levels: impl Iterator<Item = Level<'a>>,
    ledger: &Ledger,
    now: Moment,
) -> Result<Option<Standing>, Denial> {
    let mut tightest = None;
    let mut refused: Option<TooOften> = None;
    let mut held = true;
    for level in levels {
        match ledger.look(&level, now) {
            Ok(standing) => tightest = tighter(tightest, Some(standing)),
            Err(UsedUp { wait, standing }) => {
                held &= level.held();
                if refused.is_none_or(|refused| refused.wait < wait) {
                    refused = Some(TooOften {
                        scope: level.who.scope(),
                        wait,
                        standing,
                        held,
                    });
                }
            }
        }
    }
    match refused {
        Some(refused) => Err(Denial::RateLimited(TooOften { held, ..refused })),
        None => Ok(tightest),
    }
}

/// The one with less left, and of two alike the one that takes longer.
fn tighter(one: Option<Standing>, other: Option<Standing>) -> Option<Standing> {
    let key = |standing: &Standing| (standing.remaining, std::cmp::Reverse(standing.reset));
    one.into_iter().chain(other).min_by_key(key)
}

#[cfg(test)]
mod tests;
