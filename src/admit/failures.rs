//! Failures to authenticate, by client: who tries keys.
//!
//! Decides when a client has failed so often within a time that it is blocked. Good keys are not
//! looked at: a caller with one valid key can't wash off the failures that it makes beside it. A
//! client is one IPv4 address or one IPv6 /64. Memory is bounded whatever the number of clients:
//! in a full neighbourhood the client whose failures are oldest is forgotten, so that a flood of
//! addresses can hide single tries of others, and no more than that.

use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::client::Client;
use super::moment::{Moment, nanos};
use crate::policy::BruteForce;

/// Neighbourhoods, each under a lock of its own that is held for a few comparisons.
const SHELVES: usize = 512;
/// Clients in a neighbourhood: 32,768 in all, in about two megabytes once all have failed.
const PLACES: usize = 64;

/// Failures of the clients of late.
#[derive(Debug)]
pub struct Failures {
    shelves: Vec<Mutex<Vec<Tally>>>,
    hasher: RandomState,
}

/// The failures of one client.
#[derive(Debug, Clone, Copy)]
struct Tally {
    client: Client,
    count: u32,
    /// When the window of the count began.
    since: Moment,
    /// When the last of them was.
    last: Moment,
}

/// The failures of one client, as they are left to a successor.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FailureLeft {
    client: Client,
    count: u32,
    /// How long ago the window of the count began, and the last of them was.
    since: Duration,
    last: Duration,
}

impl Default for Failures {
    fn default() -> Self {
        let shelves = std::iter::repeat_with(Mutex::default).take(SHELVES);
        Self {
            shelves: shelves.collect(),
            hasher: RandomState::new(),
        }
    }
}

impl Failures {
    /// Notes a failure; answers until when the client is to be blocked, if it is.
    pub fn note(&self, address: IpAddr, rule: &BruteForce, now: Moment) -> Option<Moment> {
        let client = Client::of(address);
        let shelf = self.shelf(client)?;
        let mut tallies = shelf.lock().unwrap_or_else(PoisonError::into_inner);
        let window = rule.within.get();
        let place = tallies.iter().position(|tally| tally.client == client);
        let mut tally = place.map_or(
            Tally {
                client,
                count: 0,
                since: now,
                last: now,
            },
            |place| tallies.swap_remove(place),
        );
        if now.since(tally.since) >= window {
            tally = Tally {
                count: carried(&tally, window, now),
                since: now,
                ..tally
            };
        }
        tally.count = tally.count.saturating_add(1);
        tally.last = now;
        if tally.count >= rule.failures {
            return Some(now.after(rule.block_for.get()));
        }
        if tallies.len() >= PLACES {
            make_room(&mut tallies, window, now);
        }
        tallies.push(tally);
        None
    }

    /// All that is remembered.
    pub(super) fn left(&self, now: Moment) -> Vec<FailureLeft> {
        let mut all = Vec::new();
        for shelf in &self.shelves {
            let tallies = shelf.lock().unwrap_or_else(PoisonError::into_inner);
            all.extend(tallies.iter().map(|tally| FailureLeft {
                client: tally.client,
                count: tally.count,
                since: now.since(tally.since),
                last: now.since(tally.last),
            }));
        }
        all
    }

    /// Takes over what a predecessor remembered, as far as there is room.
    pub(super) fn take(&self, failures: &[FailureLeft], now: Moment) {
        for left in failures {
            let Some(shelf) = self.shelf(left.client) else {
                continue;
            };
            let mut tallies = shelf.lock().unwrap_or_else(PoisonError::into_inner);
            let known = tallies.iter().any(|tally| tally.client == left.client);
            if !known && tallies.len() < PLACES {
                tallies.push(Tally {
                    client: left.client,
                    count: left.count,
                    since: now.before(left.since),
                    last: now.before(left.last),
                });
            }
        }
    }

    fn shelf(&self, client: Client) -> Option<&Mutex<Vec<Tally>>> {
        let hash = self.hasher.hash_one(client);
        let place = usize::try_from(hash).unwrap_or(usize::MAX) % SHELVES;
        self.shelves.get(place)
    }
}

/// What a new window takes over of the one before: none of it, when that lies a window back, and
/// a part of it by how much of the old one is still within reach.
fn carried(tally: &Tally, window: Duration, now: Moment) -> u32 {
    let past = nanos(now.since(tally.since)).saturating_sub(nanos(window));
    let left = nanos(window).saturating_sub(past);
    let part = u128::from(tally.count).saturating_mul(u128::from(left));
    let carried = part.checked_div(u128::from(nanos(window))).unwrap_or(0);
    u32::try_from(carried).unwrap_or(u32::MAX)
}

/// Drops what lies too far back, and if nothing does, the client that failed longest ago; one that
/// failed once before one that goes on trying.
fn make_room(tallies: &mut Vec<Tally>, window: Duration, now: Moment) {
    tallies.retain(|tally| now.since(tally.last) < window);
    if tallies.len() < PLACES {
        return;
    }
    let all = tallies.iter().enumerate();
    let oldest = all.min_by_key(|(_, tally)| (tally.count > 1, tally.last));
    if let Some((place, _)) = oldest {
        tallies.swap_remove(place);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::units::Span;

    fn rule() -> BruteForce {
        BruteForce {
            failures: 3,
            within: Span::from_secs(60),
            block_for: Span::from_secs(600),
        }
    }

    fn at(seconds: u64) -> Moment {
        Moment::default().after(Duration::from_secs(seconds))
    }

    #[test]
    fn a_client_that_fails_often_enough_is_blocked() {
        let failures = Failures::default();
        let (one, other) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let note = |address, seconds| failures.note(address, &rule(), at(seconds));
        assert_eq!(note(one, 0), None, "the first");
        assert_eq!(note(other, 1), None, "another client's");
        assert_eq!(note(one, 10), None, "the second");
        assert_eq!(note(one, 20), Some(at(620)), "the third, for ten minutes");
        assert_eq!(note(one, 700), None, "afterwards it begins anew");
    }

    #[test]
    fn failures_far_apart_are_forgiven_and_a_border_of_windows_is_no_hole() {
        let failures = Failures::default();
        let address = "192.0.2.1".parse().unwrap();
        let note = |seconds| failures.note(address, &rule(), at(seconds)).is_some();
        assert!(!(0..20).any(|n| note(n * 120)), "one in two minutes");
        let start = 10_000;
        assert!(!note(start) && !note(start + 59), "two in a minute");
        assert!(!note(start + 62), "a third, when the first is forgiven");
        assert!(note(start + 70), "and three within a minute");
    }

    #[test]
    fn a_network_of_one_subscriber_is_one_client() {
        let failures = Failures::default();
        let blocked = (1..=3).map(|host| {
            let address = format!("2001:db8::{host}").parse().unwrap();
            failures.note(address, &rule(), at(host)).is_some()
        });
        assert_eq!(blocked.collect::<Vec<_>>(), [false, false, true], "one /64");
    }

    #[test]
    fn a_flood_of_addresses_takes_bounded_room_and_hides_no_one_who_goes_on() {
        let failures = Failures::default();
        let guesser = "192.0.2.1".parse().unwrap();
        failures.note(guesser, &rule(), at(1));
        failures.note(guesser, &rule(), at(1));
        for bits in 0..100_000_u32 {
            let address = IpAddr::from((0x0A00_0000 | bits).to_be_bytes());
            failures.note(address, &rule(), at(2));
        }
        let held: usize = failures
            .shelves
            .iter()
            .map(|shelf| shelf.lock().unwrap().len())
            .sum();
        assert!(held <= SHELVES * PLACES, "{held} places");
        assert!(
            failures.note(guesser, &rule(), at(3)).is_some(),
            "the third of one client, after a flood of single ones"
        );
    }
}
