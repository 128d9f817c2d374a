//! Marks against the keys themselves.

use std::hash::RandomState;

use proptest::collection::vec;
use proptest::prelude::{any, prop_assert_eq, proptest};

use super::{Entry, OpenKeys, Owner};

#[test]
fn the_limit_is_the_number_of_open_keys() {
    let mut keys = OpenKeys::new(2, RandomState::new());
    assert_eq!(keys.add("a", &[]), Entry::New);
    let outer = keys.open(9);
    assert_eq!(keys.add("b", &[]), Entry::New);
    assert_eq!(keys.add("c", &[]), Entry::Full, "one past the limit");
    keys.close(outer);
    assert_eq!(
        keys.add("a", &[]),
        Entry::Duplicate,
        "what is still open is remembered"
    );
    assert_eq!(keys.add("c", &[]), Entry::New, "what was closed made room");
}

#[test]
fn a_limit_past_what_a_slot_can_say_is_cut_down_to_it() {
    let mut keys = OpenKeys::new(usize::MAX, RandomState::new());
    for no in 0..0xFFFF_u32 {
        assert_eq!(keys.add(&no.to_string(), &[]), Entry::New, "key {no}");
    }
    assert_eq!(keys.add("one more", &[]), Entry::Full);
    keys.close(Owner::default());
    assert!(
        keys.slots.iter().all(|&slot| slot == 0),
        "all slots are empty again"
    );
}

#[test]
fn keys_that_differ_in_their_length_or_one_byte_have_marks_of_their_own() {
    let mut keys = OpenKeys::new(4096, RandomState::new());
    let names = (0..=20).flat_map(|len| {
        let plain = "a".repeat(len);
        let other = move |at: usize| {
            let mut name = "a".repeat(len);
            name.replace_range(at..=at, "b");
            name
        };
        std::iter::once(plain).chain((0..len).map(other))
    });
    for name in names {
        assert_eq!(keys.add(&name, &[]), Entry::New, "{name:?}");
        assert_eq!(keys.add(&name, &[]), Entry::Duplicate, "{name:?}");
    }
}

proptest! {
    /// Against the plain way: a list per open object.
    #[test]
    fn keys_are_duplicates_as_a_plain_list_says(steps in vec((0..40_u8, any::<u8>()), 0..400)) {
        let mut keys = OpenKeys::new(4096, RandomState::new());
        let mut model: Vec<(Owner, Vec<String>)> = vec![(Owner::default(), Vec::new())];
        for (opened, (step, name)) in (1_u64..).zip(steps) {
            match step {
                0 | 1 => {
                    let owner = keys.open(opened);
                    model.push((owner, Vec::new()));
                }
                2 if model.len() > 1 => {
                    let (owner, _) = model.pop().expect("one is open");
                    keys.close(owner);
                }
                _ => {
                    let (_, names) = model.last_mut().expect("one is open");
                    // Some are longer than what stands for itself, or than two words.
                    let name = match name % 4 {
                        0 => format!("longer {name}"),
                        1 => format!("the longest keys of all {name}"),
                        _ => name.to_string(),
                    };
                    let known = names.contains(&name);
                    // As it is read in a piece, or kept from the one before.
                    let rest = if opened % 2 == 0 { format!("{name}\":\"a value and more") } else { String::new() };
                    let entry = if known { Entry::Duplicate } else { Entry::New };
                    prop_assert_eq!(keys.add(&name, rest.as_bytes()), entry);
                    if !known {
                        names.push(name);
                    }
                }
            }
        }
        while let Some((outer, _)) = model.pop() {
            keys.close(outer);
        }
        prop_assert_eq!(keys.slots.iter().filter(|&&slot| slot != 0).count(), 0);
    }
}
