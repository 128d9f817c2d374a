#![expect(clippy::arithmetic_side_effects, reason = "small numbers of a test")]

use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::config::{self, FileContent, Resolve, SourceInfo, Unreadable};
use crate::route::fleet::Fleet;
use crate::route::live::{Order, Verdict as Settled};

struct Nothing;

impl Resolve for Nothing {
    fn env(&self, _name: &str) -> Option<String> {
        None
    }

    fn read(&self, _path: &Path) -> Result<FileContent, Unreadable> {
        Err(Unreadable::Missing)
    }
}

const NOW: Duration = Duration::from_hours(1);
const TURN: Turn = Turn { tick: 0, hash: 0 };
const HELD_POST: Circumstances = Circumstances {
    replayable: true,
    idempotent: false,
    retry_unsafe: false,
};

struct Yard {
    policy: Policy,
    view: View,
}

impl Yard {
    /// Providers `a` with the given endpoints and keys, and `b` with one; the route names both.
    fn new(endpoints: usize, keys: usize, retries: u8) -> Self {
        let endpoint = |n: usize| format!("{{url: \"http://127.0.0.1:{}\"}}", 9000 + n);
        let all: Vec<String> = (0..endpoints).map(endpoint).collect();
        let keys: Vec<String> = (0..keys).map(|n| format!("sk-key-number-{n}")).collect();
        let text = format!(
            "server: {{listeners: [{{address: \"127.0.0.1:1\"}}]}}\nproviders:\n  - {{name: a, api: \
             openai, endpoints: [{}], api_keys: [{}]}}\n  - {{name: b, api: openai, endpoints: \
             [{{url: \"http://127.0.0.1:9999\"}}]}}\nroutes: [{{models: [\"*\"], providers: [a, \
             b], retries: {retries}}}]\n",
            all.join(", "),
            keys.join(", ")
        );
        let source = SourceInfo {
            file: "x.yaml".to_owned(),
            base: ".".into(),
            mode: None,
        };
        let policy = config::load(&text, &source, &Nothing).unwrap();
        let view = Fleet::default().view(&policy);
        Self { policy, view }
    }

    fn ground(&self) -> Ground<'_> {
        Ground {
            policy: &self.policy,
            route: &self.policy.routes[0],
            view: &self.view,
            now: NOW,
        }
    }

    /// Where a request goes that fails in these ways, one after the other.
    fn way(&self, failures: &[Class]) -> Vec<(usize, usize)> {
        let mut attempts = Attempts::new(TURN, [0, 1].into());
        let mut way: Vec<Target> = attempts.first(self.ground()).into_iter().collect();
        for class in failures {
            match attempts.after(*class, HELD_POST, self.ground()) {
                Some(target) => way.push(target),
                None => break,
            }
        }
        way.iter().map(|one| (one.provider, one.endpoint)).collect()
    }
}

#[test]
fn the_table_holds_row_by_row() {
    use Class::*;
    use Verdict::{Again, Elsewhere, Freely, Never, Onward};
    let gone = Circumstances {
        replayable: false,
        ..HELD_POST
    };
    let get = Circumstances {
        idempotent: true,
        ..HELD_POST
    };
    let bold = Circumstances {
        retry_unsafe: true,
        ..HELD_POST
    };
    // Class: a held POST, one whose body is gone, a GET, a POST with `retry_unsafe`.
    for (class, held, spent, idempotent, unsafe_too) in [
        (NotConnected, Freely, Freely, Freely, Freely),
        (NothingSent, Freely, Freely, Freely, Freely),
        (HeadSent, Again, Never, Again, Again),
        (BodyIncomplete, Again, Never, Again, Again),
        (NotProcessed, Again, Never, Again, Again),
        (NoAnswer, Never, Never, Again, Again),
        (Status(429), Elsewhere, Never, Elsewhere, Elsewhere),
        (Status(500), Again, Never, Again, Again),
        (Status(502), Again, Never, Again, Again),
        (Status(503), Again, Never, Again, Again),
        (Status(504), Again, Never, Again, Again),
        (Status(529), Again, Never, Again, Again),
        (Status(401), Onward, Never, Onward, Onward),
        (Status(402), Onward, Never, Onward, Onward),
        (Status(403), Onward, Never, Onward, Onward),
        (Status(407), Onward, Never, Onward, Onward),
        (Status(400), Never, Never, Never, Never),
        (Status(404), Never, Never, Never, Never),
        (Status(501), Never, Never, Never, Never),
        (Begun, Never, Never, Never, Never),
    ] {
        assert_eq!(class.may(HELD_POST), held, "{class:?}, held");
        assert_eq!(class.may(gone), spent, "{class:?}, body gone");
        assert_eq!(class.may(get), idempotent, "{class:?}, GET");
        assert_eq!(class.may(bold), unsafe_too, "{class:?}, retry_unsafe");
    }
}

#[test]
fn other_endpoints_come_before_other_providers() {
    let yard = Yard::new(2, 1, 1);
    let refused = [Class::NotConnected; 4];
    assert_eq!(
        yard.way(&refused),
        [(0, 0), (0, 1), (1, 0), (1, 0)],
        "one retry at each; the last of all is asked twice"
    );
    let yard = Yard::new(3, 1, 0);
    assert_eq!(
        yard.way(&refused),
        [(0, 0), (1, 0)],
        "no retries: only fallback"
    );
}

#[test]
fn a_call_that_may_have_run_goes_nowhere_else() {
    let yard = Yard::new(2, 1, 5);
    assert_eq!(
        yard.way(&[Class::NoAnswer]),
        [(0, 0)],
        "it may be billed twice"
    );
    assert_eq!(
        yard.way(&[Class::Begun]),
        [(0, 0)],
        "the client has a part of it"
    );
}

#[test]
fn a_spent_key_gives_way_at_the_same_endpoint() {
    let yard = Yard::new(1, 2, 1);
    yard.view
        .provider(0)
        .unwrap()
        .spend(0, Duration::from_secs(9), NOW);
    let limited = [Class::Status(429)];
    assert_eq!(yard.way(&limited), [(0, 0), (0, 0)], "with the other key");
    yard.view
        .provider(0)
        .unwrap()
        .spend(1, Duration::from_secs(9), NOW);
    assert_eq!(
        yard.way(&limited),
        [(0, 0), (1, 0)],
        "no key is left: fallback"
    );
}

#[test]
fn an_endpoint_that_asked_to_be_left_alone_is_not_asked_again() {
    let yard = Yard::new(1, 1, 1);
    let mut attempts = Attempts::new(TURN, [0, 1].into());
    attempts.first(yard.ground());
    let live = &yard.view.provider(0).unwrap().endpoints()[0];
    live.rest(Duration::from_secs(7), NOW);
    let next = attempts.after(Class::Status(503), HELD_POST, yard.ground());
    assert_eq!(
        next.map(|one| one.provider),
        Some(1),
        "retry-after is obeyed"
    );
}

#[test]
fn closed_endpoints_are_passed_over_from_the_start() {
    let yard = Yard::new(2, 1, 1);
    for live in yard.view.provider(0).unwrap().endpoints() {
        live.order(Order::Drain);
    }
    assert_eq!(yard.way(&[]), [(1, 0)], "all of a is drained");
    yard.view.provider(1).unwrap().endpoints()[0].order(Order::Drain);
    assert_eq!(yard.way(&[]), [], "nobody is left");
}

#[test]
fn a_storm_is_answered_by_one_retry_in_ten() {
    let yard = Yard::new(2, 1, 1);
    yard.view.provider(1).unwrap().endpoints()[0].order(Order::Drain);
    let calls = 2_000;
    let attempts: usize = (0..calls)
        .map(|_| yard.way(&[Class::Status(500)]).len())
        .sum();
    assert_eq!(
        attempts,
        calls + calls / 10 + 10,
        "a tenth, and ten to begin with"
    );
}

#[test]
fn fallback_costs_the_budget_nothing() {
    let yard = Yard::new(1, 1, 0);
    for _ in 0..500 {
        assert_eq!(
            yard.way(&[Class::Status(503)]).len(),
            2,
            "b takes every call of a"
        );
    }
}

#[test]
fn one_request_knocks_at_eight_doors_at_most() {
    let yard = Yard::new(20, 1, 5);
    let way = yard.way(&[Class::NotConnected; 20]);
    assert_eq!(way.len(), MOST_ATTEMPTS, "{way:?}");
}

#[test]
fn a_reload_forgets_no_failure() {
    let yard = Yard::new(1, 1, 1);
    let fleet = Fleet::default();
    let before = fleet.view(&yard.policy);
    let live = Arc::clone(&before.provider(0).unwrap().endpoints()[0]);
    let mut ticket = live.begin(NOW).unwrap();
    for _ in 0..3 {
        ticket.settle(Settled::Bad, NOW);
    }
    let after = fleet.view(&yard.policy);
    let glance = after.provider(0).unwrap().endpoints()[0].glance(NOW);
    assert!(!glance.healthy, "still set aside");
    assert_eq!(glance.in_flight, 1, "still in flight");
}

#[test]
fn a_provider_that_is_set_aside_comes_after_those_that_are_well() {
    let yard = Yard::new(1, 1, 0);
    assert_eq!(yard.way(&[]), [(0, 0)], "in the order of the file");
    let rest = Duration::from_secs(20);
    let resting = &yard.view.provider(0).unwrap().endpoints()[0];
    resting.rest(rest, NOW);
    assert_eq!(
        yard.way(&[Class::Status(503)]),
        [(1, 0), (0, 0)],
        "it asked to be left alone, and is the last resort"
    );
    let other = &yard.view.provider(1).unwrap().endpoints()[0];
    other.rest(rest, NOW);
    assert_eq!(yard.way(&[]), [(0, 0)], "all of them did");
}
