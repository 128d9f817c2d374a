//! The algorithm against a slow reference, and under every interleaving of threads.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::unchecked_time_subtraction,
    reason = "a test that overflows fails, which is what a test is for"
)]

use std::collections::VecDeque;

use proptest::prelude::*;

use super::*;
use crate::policy::units::Rate;

fn limit(rate: &str, burst: u32) -> Limit {
    let rate: Rate = rate.parse().unwrap();
    Limit::new(rate, burst).unwrap()
}

#[test]
fn who_waits_has_a_place_of_its_own() {
    let (word, limit) = (AtomicU64::new(0), limit("1/second", 1));
    let now = Moment::from_nanos(5_000_000_000);
    let secs = Duration::from_secs;
    let take = || reserve(&word, &limit, secs(2), now);
    let waits: Vec<_> = (0..5).map(|_| take()).collect();
    let third = Err(secs(3));
    assert_eq!(
        waits,
        [Ok(secs(0)), Ok(secs(1)), Ok(secs(2)), third, third],
        "one after the other, as far as anyone waits; who is refused takes no place"
    );
    word.store(
        returned(word.look(), limit.interval(), now, now),
        Ordering::Release,
    );
    assert_eq!(take(), Ok(secs(2)), "a place that was given up is free");
}

/// The same limit as a bucket of separate tokens, each of which comes back after its own wait: a
/// queue of the moments at which those that are out will be back.
struct Reference {
    out: VecDeque<u64>,
    limit: Limit,
}

impl Reference {
    fn admit(&mut self, now: u64) -> Result<(), Duration> {
        while self.out.front().is_some_and(|back| *back <= now) {
            self.out.pop_front();
        }
        let burst = usize::try_from(self.limit.burst()).unwrap();
        if self.out.len() >= burst {
            return Err(Duration::from_nanos(self.out[0] - now));
        }
        // They come back one after another, an interval apart.
        let from = self.out.back().copied().unwrap_or(now).max(now);
        self.out.push_back(from + self.limit.interval());
        Ok(())
    }
}

proptest! {
    #[test]
    fn it_decides_as_the_slow_reference_does(
        burst in 1_u32..6,
        count in 1_u64..20,
        steps in prop::collection::vec(0_u64..300_000_000, 1..200),
    ) {
        let limit = limit(&format!("{count}/second"), burst);
        let word = AtomicU64::new(0);
        let mut reference = Reference { out: VecDeque::new(), limit };
        let mut now = 0;
        for step in steps {
            now += step;
            let verdict = charge(&word, &limit, Moment::from_nanos(now)).map(|_next| ());
            prop_assert_eq!(verdict, reference.admit(now), "at {}", now);
        }
    }

    #[test]
    fn over_any_window_at_most_the_formula_passes(
        burst in 1_u32..6,
        count in 1_u64..50,
        steps in prop::collection::vec(0_u64..100_000_000, 1..200),
    ) {
        let limit = limit(&format!("{count}/second"), burst);
        let word = AtomicU64::new(0);
        let mut now = 0;
        let mut admitted = Vec::new();
        for step in steps {
            now += step;
            if charge(&word, &limit, Moment::from_nanos(now)).is_ok() {
                admitted.push(now);
            }
        }
        for (first, from) in admitted.iter().enumerate() {
            for (last, to) in admitted.iter().enumerate().skip(first) {
                let passed = u64::try_from(last - first + 1).unwrap();
                let formula = u64::from(burst) + (to - from) / limit.interval();
                prop_assert!(passed <= formula, "{} of {} in {}", passed, formula, to - from);
            }
        }
    }

    #[test]
    fn a_clock_that_jumps_lets_no_more_pass(
        burst in 1_u32..6,
        count in 1_u64..50,
        moments in prop::collection::vec(0_u64..3_000_000_000, 1..200),
    ) {
        let limit = limit(&format!("{count}/second"), burst);
        let word = AtomicU64::new(0);
        let at = |moment: &u64| charge(&word, &limit, Moment::from_nanos(*moment)).is_ok();
        let passed = u64::try_from(moments.iter().filter(|moment| at(moment)).count()).unwrap();
        let span = moments.iter().max().unwrap() - moments.iter().min().unwrap();
        let formula = u64::from(burst) + span / limit.interval();
        prop_assert!(passed <= formula, "{} of {}", passed, formula);
        let end = Moment::from_nanos(u64::MAX);
        prop_assert!(charge(&word, &limit, end).is_ok(), "the end of time is no panic");
    }

    #[test]
    fn whoever_waits_as_told_gets_in_and_a_nanosecond_less_is_too_little(
        burst in 1_u32..6,
        steps in prop::collection::vec(0_u64..200_000_000, 20..60),
    ) {
        let limit = limit("10/second", burst);
        let word = AtomicU64::new(0);
        let mut now = Moment::default();
        for step in steps {
            now = now.after(Duration::from_nanos(step));
            if let Err(wait) = charge(&word, &limit, now) {
                let early = now.after(wait - Duration::from_nanos(1));
                prop_assert!(next(word.look(), &limit, early).is_err(), "too early");
                prop_assert!(next(word.look(), &limit, now.after(wait)).is_ok(), "as told");
                prop_assert_eq!(standing(word.look(), &limit, now).remaining, 0, "nothing is left");
            }
        }
    }

    #[test]
    fn what_is_given_back_is_as_if_it_had_never_been(
        before in 0_u32..4,
        after in 0_u32..4,
        pause in 0_u64..3_000_000_000,
    ) {
        let limit = limit("3/second", 20);
        let run = |with_ours: bool| {
            let word = AtomicU64::new(0);
            for _ in 0..before {
                charge(&word, &limit, Moment::from_nanos(1)).unwrap();
            }
            if with_ours {
                charge(&word, &limit, Moment::from_nanos(1)).unwrap();
            }
            let later = Moment::from_nanos(7 + pause);
            for _ in 0..after {
                charge(&word, &limit, later).unwrap();
            }
            if with_ours {
                let back = returned(word.look(), limit.interval(), Moment::from_nanos(1), later);
                word.store(back, Ordering::Relaxed);
            }
            standing(word.look(), &limit, later).reset
        };
        let (with, without) = (run(true), run(false));
        prop_assert!(with >= without, "others' charges are never taken off");
        if pause == 0 {
            prop_assert!(with <= without + Duration::from_nanos(6), "and ours is");
        }
    }
}

#[test]
fn eight_threads_admit_exactly_the_burst() {
    let limit = limit("1/hour", 1_000);
    let word = AtomicU64::new(0);
    let admitted = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..2_000 {
                    if charge(&word, &limit, Moment::from_nanos(5)).is_ok() {
                        admitted.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    assert_eq!(admitted.into_inner(), 1_000, "not one more, not one less");
}

/// A word whose every step loom may put before or after another thread's.
struct Modelled(loom::sync::atomic::AtomicU64);

impl Word for Modelled {
    fn look(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    fn replace(&self, old: u64, new: u64) -> Result<(), u64> {
        self.0
            .compare_exchange(old, new, Ordering::AcqRel, Ordering::Acquire)
            .map(|_old| ())
    }
}

/// Asks from threads at moments of their own, in every order that their steps can take; answers
/// nothing, as each order ends in `check` of how many passed.
fn in_every_order(moments: &'static [&'static [u64]], check: fn(usize)) {
    loom::model(move || {
        let limit = limit("10000000/second", 2);
        assert_eq!(limit.interval(), 100, "the moments are counted in these");
        let word = loom::sync::Arc::new(Modelled(loom::sync::atomic::AtomicU64::new(0)));
        let ask = |moments: &'static [u64]| {
            let word = loom::sync::Arc::clone(&word);
            move || {
                let passes = |at: &u64| charge(&*word, &limit, Moment::from_nanos(*at)).is_ok();
                moments.iter().filter(|at| passes(at)).count()
            }
        };
        let (first, others) = moments.split_first().expect("somebody asks");
        let threads: Vec<_> = others
            .iter()
            .map(|moments| loom::thread::spawn(ask(moments)))
            .collect();
        let own = ask(first)();
        let passed = threads.into_iter().map(|thread| thread.join().unwrap());
        check(own + passed.sum::<usize>());
    });
}

#[test]
fn under_every_interleaving_exactly_the_burst_passes_at_one_moment() {
    in_every_order(&[&[5, 5], &[5]], |passed| {
        assert_eq!(passed, 2, "a burst of 2");
    });
}

/// A burst of 2 and one in 100 ns, asked three times within 120 ns: by the formula three pass; one
/// less where the thread that is late asks with an early moment.
#[test]
fn under_every_interleaving_the_count_is_within_one_of_the_formula() {
    in_every_order(&[&[0, 120], &[10]], |passed| {
        assert!((2..=3).contains(&passed), "{passed} passed");
    });
}
