//! How many connections at once: in all, and of one address.
//!
//! Decides whether one more is let in. It is counted until its [`Place`] is dropped, however it
//! ends. Listeners that serve the API have one count, all others another, so that a crowd before
//! the API does not keep out who operates the gateway.

use super::flights::{Flights, Slot};
use super::table::Key;
use crate::policy::ConnectionLimits;

/// What a listener is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// It serves the API.
    Api,
    /// It serves those who operate the gateway, or sends its clients elsewhere.
    Other,
}

/// Why a connection is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// There are too many in all.
    All,
    /// There are too many of this address.
    Address,
}

/// The counts.
#[derive(Debug, Default)]
pub struct Connections {
    api: Flights,
    other: Flights,
    by_address: Flights,
}

/// One connection; given back on drop.
#[derive(Debug)]
pub struct Place {
    _all: Slot,
    _address: Option<Slot>,
}

impl Connections {
    /// One more connection of an address; without one it is counted in all alone.
    ///
    /// # Errors
    /// There are as many as there may be.
    pub fn enter(
        &self,
        purpose: Purpose,
        address: Option<Key>,
        limits: ConnectionLimits,
    ) -> Result<Place, Full> {
        let all = match purpose {
            Purpose::Api => &self.api,
            Purpose::Other => &self.other,
        };
        let all = all.begin(limits.all).ok_or(Full::All)?;
        let one = |key| self.by_address.begin_for(key, limits.per_address);
        let address = address.map(|key| one(key).ok_or(Full::Address));
        Ok(Place {
            _all: all,
            _address: address.transpose()?,
        })
    }

    /// Connections that are open.
    pub fn open(&self) -> u32 {
        self.api.all().saturating_add(self.other.all())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: ConnectionLimits = ConnectionLimits {
        all: 3,
        per_address: 2,
    };

    #[test]
    fn a_crowd_is_bounded_in_all_and_by_address_and_apart_from_operators() {
        let connections = Connections::default();
        let enter = |purpose, address: Option<u64>| {
            connections.enter(purpose, address.map(Key::of), LIMITS)
        };
        let places = [1, 1].map(|address| enter(Purpose::Api, Some(address)).unwrap());
        let third = enter(Purpose::Api, Some(1));
        assert_eq!(third.err(), Some(Full::Address), "two of an address");
        let proxy = enter(Purpose::Api, None).unwrap();
        let fourth = enter(Purpose::Api, Some(2));
        assert_eq!(fourth.err(), Some(Full::All), "three in all");
        let operator = enter(Purpose::Other, Some(2)).unwrap();
        assert_eq!(connections.open(), 4, "operators have room of their own");
        drop((places, proxy, operator));
        assert_eq!(connections.open(), 0, "nothing leaks");
        assert!(enter(Purpose::Api, Some(1)).is_ok(), "and there is room");
    }

    #[test]
    fn what_is_turned_away_leaves_nothing_behind() {
        let connections = Connections::default();
        let place = connections.enter(Purpose::Api, Some(Key::of(1)), LIMITS);
        for _ in 0..1_000 {
            let limits = ConnectionLimits {
                per_address: 1,
                ..LIMITS
            };
            let refused = connections.enter(Purpose::Api, Some(Key::of(1)), limits);
            assert_eq!(refused.err(), Some(Full::Address), "one of one");
        }
        assert_eq!(connections.open(), 1, "the one");
        drop(place);
    }
}
