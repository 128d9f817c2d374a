//! For the tests of the tables: a plain, slow literal finder and one-call judging.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::set::is_word;
use super::{Family, Hit, Rule, RuleSet, Scratch, Standard, Tally};
use crate::inspect::scan::LiteralHit;

/// The form that tests bring texts to: small letters, single spaces.
pub(super) fn canonical(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.to_lowercase().chars() {
        if !c.is_whitespace() {
            out.push(c);
        } else if !out.ends_with(' ') {
            out.push(' ');
        }
    }
    out
}

/// A set of these tables, all rules on.
pub(super) fn set(tables: &[&[Rule]]) -> RuleSet {
    RuleSet::compile(tables, &[], &[], canonical).expect("the built-in tables compile")
}

/// Every literal hit of a text, in order of ends. Whether a word goes on in ASCII is asked here, as the
/// literal stage does; other scripts are left to the rule set.
pub(super) fn literal_hits(set: &RuleSet, text: &str) -> Vec<LiteralHit> {
    let place = |at: usize| u32::try_from(at).expect("test texts are short");
    let joins = |beside: Option<char>| beside.is_some_and(|c| c.is_ascii() && is_word(c));
    let mut hits = Vec::new();
    for (id, literal) in (0_u16..).zip(set.literals()) {
        for (at, _) in text.char_indices() {
            let (before, rest) = text.split_at(at);
            let Some(after) = rest.strip_prefix(&*literal.text) else {
                continue;
            };
            let goes_on = (literal.word_start && joins(before.chars().next_back()))
                || (literal.word_end && joins(after.chars().next()));
            if !goes_on {
                let end = place(at.saturating_add(literal.text.len()));
                hits.push(LiteralHit {
                    id,
                    start: place(at),
                    end,
                });
            }
        }
    }
    hits.sort();
    hits
}

/// The hits and the score of one text.
pub(super) fn judge(set: &RuleSet, text: &str) -> (Vec<Hit>, Tally) {
    judge_by(set, Standard::Anyone, text)
}

/// The hits and the score of one text by a standard.
pub(super) fn judge_by(set: &RuleSet, standard: Standard, text: &str) -> (Vec<Hit>, Tally) {
    let text = canonical(text);
    let mut out = Vec::new();
    set.evaluate_by(
        standard,
        &mut Scratch::default(),
        &literal_hits(set, &text),
        &text,
        &mut out,
    );
    let mut tally = Tally::default();
    for hit in &out {
        tally.add(set, 0, hit);
    }
    (out, tally)
}

/// The texts whose points are not what `fine` wants, with points and rules.
pub(super) fn wrong(
    tables: &[&[Rule]],
    family: Family,
    texts: &[&str],
    fine: impl Fn(u32) -> bool,
) -> String {
    let set = set(tables);
    let mut wrong = String::new();
    for text in texts {
        let (points, ids) = points(&set, family, text);
        if !fine(points) {
            let _infallible = write!(wrong, "\n{points} [{ids}] {text:?}");
        }
    }
    wrong
}

/// Points of a family in one text, and the rules that gave them, for messages.
pub(super) fn points(set: &RuleSet, family: Family, text: &str) -> (u32, String) {
    points_by(set, Standard::Anyone, family, text)
}

/// The same by a standard.
pub(super) fn points_by(
    set: &RuleSet,
    standard: Standard,
    family: Family,
    text: &str,
) -> (u32, String) {
    let (hits, tally) = judge_by(set, standard, text);
    let ids: BTreeSet<&str> = hits
        .iter()
        .filter_map(|hit| set.rule(hit.rule))
        .map(|rule| &*rule.id)
        .collect();
    (
        tally.points(family),
        ids.into_iter().collect::<Vec<_>>().join(" "),
    )
}
