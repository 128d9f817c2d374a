//! The gate passes over nothing: what is found and what waits is the same with a look at every mark.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "a wrong place must fail the test"
)]

use proptest::prelude::*;

use super::super::tests::{PERSONAL, set};
use super::super::{Personal, net};
use crate::inspect::detect::window::{Edges, Window};
use crate::inspect::detect::{Index, RuleSet, rules};

/// What nearly is something, in pieces and cut short, with what may stand between.
fn near_misses() -> impl Strategy<Value = String> {
    let cut = (
        0..PERSONAL.len(),
        any::<prop::sample::Index>(),
        any::<bool>(),
    );
    let cut = cut.prop_map(|(n, at, head)| {
        let text = PERSONAL[n].0;
        let at = text.floor_char_boundary(at.index(text.len() + 1));
        let (before, behind) = text.split_at(at);
        (if head { before } else { behind }).to_owned()
    });
    let whole = (0..PERSONAL.len()).prop_map(|n| PERSONAL[n].0.to_owned());
    let piece = prop_oneof![
        4 => cut,
        3 => whole,
        4 => "[0-9]{1,9}",
        2 => "[A-Z0-9]{1,18}",
        2 => "(passport |licence: |id )?([A-Z]{1,3}|[a-zA-Z])([0-9]{1,4}[A-Za-z]?){1,3}",
        2 => "[0-9a-fA-F]{1,4}",
        2 => "([0-9a-f]{2}[:-]){1,6}[0-9a-f]{2}",
        1 => "([0-9a-f]{4}[.:]){1,7}[0-9a-f]{1,4}",
        1 => "([0-9a-f]{0,3}:){1,60}",
        1 => "([0-9a-f]{1,2}[.:]){1,40}",
        1 => "([0-9]{1,3}\\.){1,4}[0-9]{1,3}",
        1 => "[A-Z]{2}( [0-9]{2}){1,3} [A-D]",
        1 => "[a-zA-Zé]{1,70}",
        1 => "(passport|tax|born|tel|ssn|iban|version) ?",
        1 => " {1,70}",
    ];
    let between = prop_oneof![
        6 => "[-./ (),:;@_+x\\n]{0,3}",
        1 => Just("\u{a0}".to_owned()),
        1 => Just("é–".to_owned()),
    ];
    prop::collection::vec((piece, between), 0..16)
        .prop_map(|parts| parts.into_iter().map(|(a, b)| a + &b).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn the_gate_passes_over_nothing_that_is_found(
        text in near_misses(),
        from in any::<prop::sample::Index>(),
        whole in any::<bool>(),
        ends_string in any::<bool>(),
        all in any::<bool>(),
    ) {
        let from = if whole { 0 } else { text.floor_char_boundary(from.index(text.len() + 1)) };
        let edges = Edges { from: u32::try_from(from).unwrap(), ends_string, open: None };
        let personal = if all { LOOK.with(Clone::clone) } else { SOME.with(Clone::clone) };
        let mut index = Index::default();
        let read = index.read(&text, 0);
        let (mut gated, mut every) = (Vec::new(), Vec::new());
        let rest = personal.look((read, edges), false, &mut gated);
        prop_assert_eq!(rest, personal.look((read, edges), true, &mut every), "of {:?}", &text);
        prop_assert_eq!(gated, every, "in {:?} from {}", &text, from);
    }
}

proptest! {
    #[test]
    fn what_has_too_few_colons_is_no_address(text in near_misses()) {
        // Nobody asks of a text without a digit.
        let text = text + " 7";
        let mut index = Index::default();
        let index = index.read(&text, 0).index;
        let edges = Edges { ends_string: false, ..Edges::WHOLE };
        let window = Window::new(&text, edges);
        for (at, _) in text.match_indices(|c: char| c.is_ascii_alphanumeric()) {
            window.fresh();
            if net::unlike_six(&window, index, at).is_some() {
                let (found, _) = net::hex(&window, net::hex_start(&window, at));
                prop_assert!(found.is_none() && !window.undecided(), "at {} of {:?}", at, text);
            }
        }
    }
}

thread_local! {
    static LOOK: Personal = Personal::compile(&set());
    /// With rules off whose finds would hide others.
    static SOME: Personal = Personal::compile(
        &RuleSet::compile(&[rules::personal::RULES], &["pii.credit_card", "pii.phone"], &[], str::to_owned)
            .unwrap(),
    );
}
