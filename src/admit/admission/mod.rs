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

use super::accounts::Held;
use super::client::Client;
use super::leases::Aside;
use super::ledger::{Charged, Ledger, Level, UsedUp, View, Who};
use super::moment::Moment;
use super::rate::Tightest;
use super::table::Key;
use crate::policy::Denial;
use crate::policy::limits::{KeyLimits, Limit, Limits, Scope, Standing};

/// Limits that a request usually has at most; more of them take an allocation.
const FEW: usize = 4;

/// A client's address, and what it is counted under; told once for each request.
#[derive(Debug, Clone, Copy)]
pub struct Visitor {
    client: Client,
    key: Key,
}

impl Visitor {
    /// The visitor from an address, as far as it can be believed.
    #[inline]
    pub fn of(address: IpAddr, ledger: &Ledger) -> Self {
        let client = Client::of(address);
        let key = ledger.key(Who::Client(client));
        Self { client, key }
    }
}

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub struct Applicant<'a> {
    /// From where.
    pub visitor: Visitor,
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

/// Proof that a request is within its limits. It holds the request's place among those in flight,
/// and what it has set aside, until it is dropped.
#[derive(Debug)]
pub struct Admitted {
    ledger: Arc<Ledger>,
    charged: SmallVec<[Charged; FEW]>,
    tightest: Option<Tightest>,
    /// What its key is counted under, and the key's limit on tokens.
    key: Option<(Key, Option<Limit>)>,
    /// Whether it is counted among those in flight of its key, and of all.
    flying: (bool, bool),
    /// The tokens that are set aside, of what a fleet shares and of its account.
    aside: Option<Aside>,
    held: Option<Held>,
    /// The tokens that were used, and when that was told.
    used: Option<(u64, Moment)>,
}

/// Whether the client's address alone is over its limit: asked before the credential is looked
/// at, and charged nothing for.
///
/// # Errors
/// It is.
pub fn peek(visitor: Visitor, limits: &Limits, ledger: &Ledger, now: Moment) -> Result<(), Denial> {
    let mut looked = Looked::new(ledger, now);
    of_address(visitor, limits, ledger, |level| looked.admits(&level));
    looked.denial()
}

/// Charges a client for a try that came to nothing, such as one with a wrong key.
pub fn charge_attempt(visitor: Visitor, limits: &Limits, ledger: &Ledger, now: Moment) {
    // What finds its limit used up is refused by the next look.
    of_address(visitor, limits, ledger, |level| {
        let _charged = ledger.charge(&level, now);
    });
}

/// Goes through the limits of an address: the policy's and those of emergency measures.
#[inline]
fn of_address<'a>(
    visitor: Visitor,
    limits: &'a Limits,
    ledger: &Ledger,
    mut each: impl FnMut(Level<'a>),
) {
    let Visitor { client, key } = visitor;
    if let Some(limit) = &limits.per_ip {
        let who = Who::Client(client);
        each(Level { who, key, limit });
    }
    for limit in &limits.emergency {
        each(Level::of(Who::ClientHeld(client, limit), limit, ledger));
    }
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
    let mut looked = Looked::new(ledger, now);
    looked.at_all(applicant, key, limits);
    looked.denial()?;
    let mut admitted = Admitted {
        charged: SmallVec::new(),
        tightest: looked.tightest(None),
        key: key.map(|key| (key, applicant.limits.tokens)),
        flying: (false, false),
        aside: None,
        held: None,
        used: None,
        ledger: Arc::clone(ledger),
    };
    if let Some((key, most)) = key.zip(applicant.limits.concurrent) {
        if !ledger.accounts.begin(key, ledger.part(most), now) {
            return Err(Denial::ConcurrencyLimited(Scope::Key));
        }
        admitted.flying.0 = true;
    }
    if let Some(most) = limits.concurrent {
        if !ledger.flights.enter(most) {
            return Err(Denial::ConcurrencyLimited(Scope::Global));
        }
        admitted.flying.1 = true;
    }
    looked.charge(&mut admitted.charged)?;
    Ok(admitted)
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
        let mut looked = Looked::new(&self.ledger, now);
        for group in &limits.models {
            if group.models.iter().any(|pattern| pattern.matches(model)) {
                let who = Who::Models(&group.name);
                looked.at(Level::of(who, &group.limit, &self.ledger));
            }
        }
        if let Err(denial) = looked.denial() {
            give_back(&self.ledger, &mut self.charged, now);
            return Err(denial);
        }
        self.tightest = looked.tightest(self.tightest);
        looked.charge(&mut self.charged)
    }

    /// Sets model tokens of its key aside; `name` is what the key is counted under.
    ///
    /// # Errors
    /// They are not there; then nothing at all is charged for the request.
    pub fn reserve(&mut self, name: &str, tokens: u64, now: Moment) -> Result<(), Denial> {
        let Some((key, Some(limit))) = self.key else {
            return Ok(());
        };
        match self.ledger.set_aside((name, key), tokens, &limit, now) {
            Ok((aside, held)) => (self.aside, self.held) = (aside, held),
            Err(short) => {
                give_back(&self.ledger, &mut self.charged, now);
                return Err(Denial::TokensLimited(short.wait));
            }
        }
        Ok(())
    }

    /// Whether the key has a limit on tokens.
    pub const fn counts_tokens(&self) -> bool {
        matches!(self.key, Some((_, Some(_))))
    }

    /// Notes what the provider says was used of model tokens. It counts from the moment at which
    /// the request ends, that is when this is dropped.
    pub const fn settle(&mut self, tokens: u64, now: Moment) {
        self.used = Some((tokens, now));
    }

    /// What is left of the tightest limit.
    pub fn standing(&self) -> Option<Standing> {
        self.tightest.map(Tightest::standing)
    }
}

#[cold]
fn give_back(ledger: &Ledger, charged: &mut SmallVec<[Charged; FEW]>, now: Moment) {
    for charged in charged.drain(..) {
        ledger.give_back(&charged, now);
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        let (of_key, of_all) = self.flying;
        if of_all {
            self.ledger.flights.leave();
        }
        if let Some((key, _)) = self.key {
            let (aside, held) = (self.aside.as_ref(), self.held.take());
            self.ledger.end((key, of_key), aside, held, self.used);
        }
    }
}

impl<'a> Level<'a> {
    #[inline]
    fn of(who: Who<'a>, limit: &'a Limit, ledger: &Ledger) -> Self {
        Self {
            who,
            key: ledger.key(who),
            limit,
        }
    }
}

/// Limits that were looked at and not charged.
struct Looked<'l> {
    ledger: &'l Ledger,
    now: Moment,
    /// Those that would let one more pass.
    views: SmallVec<[(Level<'l>, View<'l>); FEW]>,
    /// Of those that would not, the one with the longest wait.
    refused: Option<TooOften>,
    /// Whether another limit than those of emergency measures refused.
    usual: bool,
}

impl<'l> Looked<'l> {
    #[inline]
    fn new(ledger: &'l Ledger, now: Moment) -> Self {
        Self {
            ledger,
            now,
            views: SmallVec::new(),
            refused: None,
            usual: false,
        }
    }

    /// Looks at all limits that can be told before the body is read.
    #[inline]
    fn at_all(&mut self, applicant: &'l Applicant<'l>, key: Option<Key>, limits: &'l Limits) {
        if let Some((name, key)) = applicant.key.zip(key) {
            if let Some(limit) = &applicant.limits.rate {
                let who = Who::Key(name);
                self.at(Level { who, key, limit });
            }
            for limit in &limits.emergency {
                let who = Who::KeyHeld(name, limit);
                self.at(Level::of(who, limit, self.ledger));
            }
        }
        let ledger = self.ledger;
        of_address(applicant.visitor, limits, ledger, |level| self.at(level));
        if let Some(limit) = &limits.global {
            self.at(Level::of(Who::All, limit, ledger));
        }
    }

    #[inline]
    fn at(&mut self, level: Level<'l>) {
        match self.ledger.look(&level, self.now) {
            Ok(view) => self.views.push((level, view)),
            Err(used_up) => self.refuse(&level, used_up),
        }
    }

    /// The same where it will not be charged.
    #[inline]
    fn admits(&mut self, level: &Level<'_>) {
        if let Err(used_up) = self.ledger.look(level, self.now) {
            self.refuse(level, used_up);
        }
    }

    #[cold]
    fn refuse(&mut self, level: &Level<'_>, used_up: UsedUp) {
        let UsedUp { wait, standing } = used_up;
        self.usual |= !level.held();
        if self.refused.is_none_or(|longest| longest.wait < wait) {
            self.refused = Some(TooOften {
                scope: level.who.scope(),
                wait,
                standing,
                held: false,
            });
        }
    }

    #[inline]
    fn denial(&self) -> Result<(), Denial> {
        let Some(longest) = self.refused else {
            return Ok(());
        };
        let held = !self.usual;
        Err(Denial::RateLimited(TooOften { held, ..longest }))
    }

    /// Charges them, or gives back what was charged so far.
    fn charge(&self, charged: &mut SmallVec<[Charged; FEW]>) -> Result<(), Denial> {
        for (level, view) in &self.views {
            match self.ledger.charge_viewed(level, view, self.now) {
                Ok(one) => charged.push(one),
                Err(wait) => return Err(self.too_late(level, wait, charged)),
            }
        }
        Ok(())
    }

    /// Somebody took the last place since it was looked at.
    #[cold]
    fn too_late(
        &self,
        level: &Level<'_>,
        wait: Duration,
        charged: &mut SmallVec<[Charged; FEW]>,
    ) -> Denial {
        let standing = self.ledger.standing(level, self.now);
        give_back(self.ledger, charged, self.now);
        Denial::RateLimited(TooOften {
            scope: level.who.scope(),
            wait,
            standing,
            held: level.held(),
        })
    }

    /// What will be left of the tightest, these and one that is known already.
    #[inline]
    fn tightest(&self, mut known: Option<Tightest>) -> Option<Tightest> {
        for (level, view) in &self.views {
            known = Some(view.tightest(known, level.limit, self.now));
        }
        known
    }
}

#[cfg(test)]
mod tests;
