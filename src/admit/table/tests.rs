//! Tables against a map, under floods and under threads.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::admit::rate;
use crate::policy::limits::Limit;

fn limit(rate: &str, burst: u32) -> Limit {
    Limit::new(rate.parse().unwrap(), burst).unwrap()
}

fn charge(table: &Table, key: Key, limit: &Limit, now: Moment) -> bool {
    table.update(key, now, recovered, |word| {
        match rate::next(word, limit, now) {
            Ok(next) => (Some(next), true),
            Err(_wait) => (None, false),
        }
    })
}

/// A key that is as random as a hash.
fn key(number: u64) -> Key {
    Key::of(
        number
            .wrapping_add(1)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .rotate_left(29),
    )
}

proptest! {
    #[test]
    fn it_agrees_with_a_map_while_there_is_room(
        asked in prop::collection::vec((0_u64..40, 0_u64..400), 1..300),
    ) {
        let table = Table::new(1_000);
        let mut map: HashMap<u64, AtomicU64> = HashMap::new();
        let limit = limit("2/second", 3);
        let mut now = Moment::default();
        for (number, millis) in asked {
            now = now.after(Duration::from_millis(millis));
            let word = map.entry(number).or_default();
            let expected = rate::charge(word, &limit, now).is_ok();
            prop_assert_eq!(charge(&table, key(number), &limit, now), expected);
        }
    }
}

#[test]
fn a_flood_of_new_keys_resets_nobody() {
    let table = Table::new(1);
    let limit = limit("1/minute", 1);
    let now = Moment::from_nanos(1);
    let known = key(0);
    assert!(charge(&table, known, &limit, now), "the first passes");
    let passed = (1..50_000_u64).filter(|number| charge(&table, key(*number), &limit, now));
    let passed = passed.count();
    assert!(!charge(&table, known, &limit, now), "it still counts");
    assert_eq!(table.used(), SHARDS * WAYS, "every place is taken");
    let most = SHARDS * WAYS + SHARDS;
    assert!(
        passed <= most,
        "who finds no place shares one: {passed} of {most}"
    );
    assert!(table.crowded() > 0, "and that is told");
    let later = now.after(Duration::from_mins(1));
    assert!(
        charge(&table, key(60_000), &limit, later),
        "recovered places are free"
    );
}

#[test]
fn eight_threads_with_few_places_never_let_a_key_pass_twice() {
    const KEYS: u64 = 500;
    let table = Table::new(1);
    let limit = limit("1/day", 1);
    let passed: Vec<AtomicU64> = (0..KEYS).map(|_| AtomicU64::new(0)).collect();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (table, passed, limit) = (&table, &passed, &limit);
            scope.spawn(move || {
                for turn in 0..KEYS * 4 {
                    let number = (turn * 7 + thread * 31) % KEYS;
                    let now = Moment::from_nanos(1 + turn);
                    if charge(table, key(number), limit, now) {
                        let place = usize::try_from(number).unwrap();
                        passed[place].fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    for (number, count) in passed.iter().enumerate() {
        assert!(
            count.load(Ordering::Relaxed) <= 1,
            "key {number} passed once at most"
        );
    }
}
