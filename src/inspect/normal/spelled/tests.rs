//! Rows of letters set apart, held against the same text read character by character.

#![expect(clippy::arithmetic_side_effects, reason = "small numbers of a test")]

use super::{LETTERS, Run, find_runs, is_gap, is_letter, measure};
use crate::inspect::normal::canon::Canon;
use crate::inspect::normal::views::Views;
use proptest::prelude::*;

fn texts() -> impl Strategy<Value = String> {
    let near = "([a-z0-9@!] [a-z]{0,2}|[a-z0-9](-| |  |_)|[éя] |x){0,120}";
    let long = "(([a-z1] ){9,60}[a-z]{0,3}[ .\u{200b}]{0,2}){0,5}";
    prop_oneof![long, near, "([ -~][ _.]){0,99}"]
}

/// The run that begins with a letter, told character by character: its end, and whether it is long.
fn run(text: &str, start: usize) -> Option<(usize, bool)> {
    let all: Vec<char> = text.get(start..)?.chars().collect();
    is_letter(*all.first()?).then_some(())?;
    let single = |at: usize| {
        let [gap, letter] = [all.get(at), all.get(at + 1)].map(|c| c.copied().unwrap_or('"'));
        let after = all.get(at + 2).copied().unwrap_or('"');
        is_gap(gap) && is_letter(letter) && !is_letter(after)
    };
    let pairs = (0..all.len()).take_while(|n| single(1 + 2 * n)).count();
    let letters = all.iter().step_by(2).take(pairs + 1);
    let alphabetic = letters.filter(|c| c.is_alphabetic()).count();
    let end = start
        + all
            .iter()
            .take(1 + 2 * pairs)
            .map(|c| c.len_utf8())
            .sum::<usize>();
    Some((end, pairs + 1 >= LETTERS && alphabetic * 2 > pairs + 1))
}

/// The text with its runs joined, and where each letter of it stands.
fn joined(canon: &Canon, runs: &[Run]) -> (String, Vec<usize>) {
    let (mut out, mut places, mut cursor) = (String::new(), Vec::new(), canon.cursor(0));
    let mut usual = None;
    for (at, c) in canon.text().char_indices() {
        let Some(run) = runs.iter().find(|run| run.range.contains(&at)) else {
            out.push(c);
            places.extend((at..at + c.len_utf8()).map(|_| at));
            continue;
        };
        if run.range.start == at {
            usual = None;
        }
        if is_letter(c) {
            out.push(c);
            places.extend((at..at + c.len_utf8()).map(|_| at));
        } else if *usual.get_or_insert(c) != c || canon.drops_after(at, &mut cursor) {
            out.push(' ');
            places.push(at);
        }
    }
    (out, places)
}

proptest! {
    #[test]
    fn rows_of_letters_are_measured_like_each_letter(text in texts()) {
        for (at, _) in text.char_indices() {
            let measured = measure(&text, at);
            let found = (!measured.range.is_empty()).then_some((measured.range.end, measured.long));
            prop_assert_eq!(found, run(&text, at), "{:?} at {}", text, at);
        }
        let mut runs = Vec::new();
        find_runs(&text, &(0..text.len()), &mut runs);
        let (mut want, mut end, mut before) = (Vec::new(), 0, None);
        for (at, c) in text.char_indices() {
            let after = text.get(at + c.len_utf8()..).and_then(|rest| rest.chars().next());
            let alone = [before, after].into_iter().flatten().all(|c| !is_letter(c));
            before = Some(c);
            if at >= end && alone && let Some((stop, long)) = run(&text, at) {
                end = stop;
                if stop > at + c.len_utf8() {
                    want.push((at..stop, long));
                }
            }
        }
        let runs: Vec<_> = runs.into_iter().map(|run| (run.range, run.long)).collect();
        prop_assert_eq!(runs, want);
    }

    #[test]
    fn rows_of_letters_are_joined_like_each_letter(text in texts()) {
        let mut canon = Canon::new();
        canon.fold(&text);
        let region = 0..canon.text().len();
        let mut runs = Vec::new();
        find_runs(canon.text(), &region, &mut runs);
        let (want, places) = joined(&canon, &runs);
        let mut views = Views::new();
        views.written(&canon, |pad| super::join::write_joined(&canon, &region, &runs, pad));
        let Some(view) = views.iter().next() else {
            return Ok(());
        };
        prop_assert_eq!(view.text, want);
        for (at, c) in view.text.char_indices() {
            let end = at + c.len_utf8();
            let [from, to, place] = [at, end, places[at]].map(|at| u32::try_from(at).unwrap_or(0));
            let own = canon.source_range(place, place + u32::try_from(c.len_utf8()).unwrap_or(0));
            prop_assert_eq!(views.source_range(&canon, &view, from, to), own);
        }
    }
}
