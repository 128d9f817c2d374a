//! What a look at a limit finds, and what a charge leaves to be given back.
//!
//! Decides nothing of its own: the arithmetic is [`rate`]'s, and what a fleet shares is told by
//! [`Leases`]. A look keeps hold of the word that it saw, so that the charge after it is one
//! comparison and exchange, with no second search.

use std::time::Duration;

use crate::admit::leases::{Leases, Means, Paid};
use crate::admit::moment::Moment;
use crate::admit::rate::{self, Tightest};
use crate::admit::table::{Key, Seen};
use crate::admit::who::Who;
use crate::policy::limits::{Limit, Scope, Standing};

/// A limit that counts for a request.
#[derive(Debug, Clone, Copy)]
pub(in crate::admit) struct Level<'a> {
    pub(in crate::admit) who: Who<'a>,
    pub(in crate::admit) key: Key,
    pub(in crate::admit) limit: &'a Limit,
}

impl Level<'_> {
    /// Whether it is an emergency measure's.
    pub(in crate::admit) const fn held(&self) -> bool {
        matches!(self.who, Who::ClientHeld(..) | Who::KeyHeld(..))
    }
}

/// A limit that was charged for a request.
#[derive(Debug, Clone, Copy)]
pub(in crate::admit) struct Charged {
    pub(super) key: Key,
    /// Nanoseconds that one stands for.
    pub(super) interval: u64,
    pub(super) at: Moment,
    pub(super) scope: Scope,
    pub(super) paid: Paid,
}

/// A limit under which one more would pass.
#[derive(Debug, Clone, Copy)]
pub(in crate::admit) struct View<'l> {
    /// The word as it was seen and what one more would make of it; none, where that takes longer.
    pub(super) step: Option<Seen<'l>>,
    /// What one more would make of it.
    pub(super) next: u64,
    /// How many are paid for already.
    pub(super) paid: u32,
    /// How many hosts the limit is divided among.
    pub(super) hosts: u32,
}

impl View<'_> {
    /// What one more would leave of the limit, or what is left of a tighter one.
    #[inline]
    pub(in crate::admit) fn tightest(
        &self,
        known: Option<Tightest>,
        limit: &Limit,
        now: Moment,
    ) -> Tightest {
        let shared;
        let limit = match self.hosts {
            1 => limit,
            hosts => {
                shared = limit.share(hosts);
                &shared
            }
        };
        match known {
            None => Tightest::of(self.next, limit, self.paid, now),
            Some(known) => known.or(self.next, limit, self.paid, now),
        }
    }
}

impl Charged {
    pub(super) const fn of(level: &Level<'_>, paid: Paid, at: Moment) -> Self {
        Self {
            key: level.key,
            interval: level.limit.interval(),
            at,
            scope: level.who.scope(),
            paid,
        }
    }
}

/// A limit that is used up.
#[derive(Debug, Clone, Copy)]
pub(in crate::admit) struct UsedUp {
    pub(in crate::admit) wait: Duration,
    pub(in crate::admit) standing: Standing,
}

impl UsedUp {
    #[cold]
    pub(super) fn at(word: u64, limit: &Limit, wait: Duration, now: Moment) -> Self {
        let standing = rate::standing(word, limit, now);
        Self { wait, standing }
    }
}

/// A look at a limit that a fleet shares.
pub(super) fn look_shared(
    leases: &Leases,
    level: &Level<'_>,
    word: u64,
    now: Moment,
) -> Result<View<'static>, UsedUp> {
    let Level { who, key, limit } = level;
    let view = |next, paid, hosts| View {
        step: None,
        next,
        paid,
        hosts,
    };
    match leases.means(*who, *key, limit, now) {
        Means::Slice(slice) => Ok(view(word, slice.saturating_sub(1), 1)),
        Means::Own => {
            let hosts = leases.hosts();
            let share = limit.share(hosts);
            let next = rate::next(word, &share, now);
            next.map(|next| view(next, 0, hosts)).map_err(|wait| {
                leases.want(*key, now);
                UsedUp::at(word, &share, wait, now)
            })
        }
        Means::Nothing(wait) => Err(UsedUp {
            wait,
            standing: Standing {
                remaining: 0,
                ..rate::standing(word, limit, now)
            },
        }),
    }
}
