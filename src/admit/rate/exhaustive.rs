//! Eight threads on one word, in every order that their steps can take.
//!
//! A thread of [`super::charge`] does two things that others can see: it reads the word, and it
//! puts a new value in the place of the one that it has read. Here both are steps of a model that
//! decides by the very [`super::next`], and every state that any order leads to is visited once.
//! `loom` runs `charge` itself in every order, which for more than three threads is too much.

use std::collections::{BTreeSet, HashSet};

use super::*;

/// Where a thread is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum At {
    /// Before its first step.
    Start,
    /// It has read this, and would pass.
    Read(u64),
    /// It has passed.
    Passed,
    /// It was refused.
    Refused,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct State {
    word: u64,
    /// Moments and where the thread with it is, sorted: threads of one moment are alike.
    threads: Vec<(u64, At)>,
}

/// Where a thread is that has read the word.
fn read(word: u64, limit: &Limit, now: u64) -> At {
    let next = next(word, limit, Moment::from_nanos(now));
    next.map_or(At::Refused, |_next| At::Read(word))
}

/// The state after one step of one thread; none, if it has no more steps.
fn step(state: &State, place: usize, limit: &Limit) -> Option<State> {
    let (now, at) = state.threads[place];
    let mut after = state.clone();
    after.threads[place].1 = match at {
        At::Start => read(state.word, limit, now),
        At::Read(seen) if seen == state.word => {
            after.word = next(seen, limit, Moment::from_nanos(now)).expect("it would pass");
            At::Passed
        }
        At::Read(_other) => read(state.word, limit, now),
        At::Passed | At::Refused => return None,
    };
    after.threads.sort_unstable();
    Some(after)
}

/// Visits every state; answers which moments have passed at each end.
fn ends(limit: &Limit, moments: [u64; 8]) -> BTreeSet<Vec<u64>> {
    let mut threads: Vec<_> = moments.map(|moment| (moment, At::Start)).into();
    threads.sort_unstable();
    let first = State { word: 0, threads };
    let mut seen = HashSet::from([first.clone()]);
    let mut open = vec![first];
    let mut ends = BTreeSet::new();
    while let Some(state) = open.pop() {
        let steps = (0..8).filter_map(|place| step(&state, place, limit));
        let before = open.len();
        let mut is_end = true;
        for after in steps {
            is_end = false;
            if seen.insert(after.clone()) {
                open.push(after);
            }
        }
        if is_end {
            assert_eq!(open.len(), before, "an end leads nowhere");
            let passed = state.threads.iter().filter(|(_, at)| *at == At::Passed);
            ends.insert(passed.map(|(moment, _)| *moment).collect());
        }
    }
    assert!(seen.len() > 40, "{} states were visited", seen.len());
    ends
}

fn limit(burst: u32) -> Limit {
    let limit = Limit::new("10000000/second".parse().unwrap(), burst).unwrap();
    assert_eq!(limit.interval(), 100, "the moments are counted in these");
    limit
}

#[test]
fn in_every_order_of_eight_threads_no_window_passes_more_than_the_formula() {
    for (burst, moments) in [
        (1, [5; 8]),
        (3, [5; 8]),
        (2, [1_000, 1_000, 1_000, 1_000, 1_120, 1_120, 1_120, 1_120]),
        (2, [1_000, 1_000, 1_060, 1_060, 1_120, 1_120, 1_250, 1_250]),
        (3, [1_000, 1_000, 1_000, 1_100, 1_100, 1_350, 1_350, 1_900]),
    ] {
        let limit = limit(burst);
        for passed in ends(&limit, moments) {
            for (first, from) in passed.iter().enumerate() {
                for (last, to) in passed.iter().enumerate().skip(first) {
                    let count = u64::try_from(last - first + 1).unwrap();
                    let formula = u64::from(burst) + (to - from) / limit.interval();
                    assert!(count <= formula, "{passed:?} of {moments:?}, burst {burst}");
                }
            }
        }
    }
}

/// Threads whose moments are less than one interval apart: however they overtake one another, as
/// many pass as the formula says, or one less.
#[test]
fn in_every_order_of_eight_threads_the_count_is_within_one_of_the_formula() {
    for (burst, moments) in [
        (1, [1_000, 1_010, 1_020, 1_030, 1_040, 1_040, 1_050, 1_050]),
        (3, [1_000, 1_000, 1_030, 1_030, 1_060, 1_060, 1_099, 1_099]),
        (5, [1_000, 1_000, 1_000, 1_000, 1_050, 1_050, 1_090, 1_090]),
    ] {
        for passed in ends(&limit(burst), moments) {
            let (count, formula) = (passed.len(), usize::try_from(burst).unwrap());
            assert!(
                (formula - 1..=formula).contains(&count),
                "{passed:?} of {moments:?}, burst {burst}"
            );
        }
    }
}
