use super::{REPORTS, WINDOWS};
use crate::inspect::detect::probe::{canonical, judge, literal_hits, set};
use crate::inspect::detect::{
    AppliesTo, Family, Group, Hit, OwnRule, Rule, RuleFault, RuleSet, Scratch, Severity, Step,
};

const PHRASE: Rule = Rule::new("t.phrase", Family::PromptInjection, "t")
    .worth(50, Group::Override)
    .steps(&[
        Step {
            any: &["ignor~", "forget"],
            gap: 0,
        },
        Step {
            any: &["previous", "all"],
            gap: 12,
        },
        Step {
            any: &["rules", "orders"],
            gap: 12,
        },
    ])
    .unless(&["do not "]);
const CONFIRMED: Rule = Rule::new("t.confirmed", Family::CodePatterns, "t")
    .worth(50, Group::Payload)
    .literals(&["run"])
    .reach(0, 12)
    .pattern(r"run [0-9]+");
const WORD: Rule = Rule::new("t.word", Family::WebAttacks, "t")
    .worth(50, Group::Payload)
    .literals(&["cat"]);
const OPEN: Rule = Rule::new("t.open", Family::WebAttacks, "t")
    .worth(50, Group::Payload)
    .literals(&["~dog~"]);
const HAN: Rule = Rule::new("t.han", Family::WebAttacks, "t")
    .worth(50, Group::Payload)
    .literals(&["忽略"]);
const LAST: Rule = Rule::new("t.last", Family::WebAttacks, "t")
    .worth(50, Group::Payload)
    .literals(&["~--~"])
    .at_end();

fn hits(rules: &[Rule], text: &str) -> Vec<Hit> {
    judge(&set(&[rules]), text).0
}

#[test]
fn a_phrase_needs_its_steps_in_order_near_and_in_one_sentence() {
    for (text, found) in [
        ("ignore all rules", true),
        ("ignoring the previous set of orders", true),
        ("rules all ignore", false),
        ("ignore rules", false),
        ("ignore all the many things that are rules", false),
        ("ignore. the previous rules", false),
        ("do not ignore all rules", false),
        ("forget the first, forget all rules", true),
        ("ignore all all all rules", true),
    ] {
        assert_eq!(
            !hits(&[PHRASE], text).is_empty(),
            found,
            "order, gap, sentence, veto: {text:?}"
        );
    }
}

#[test]
fn a_phrase_spans_from_its_first_word_to_its_last() {
    let hit = hits(&[PHRASE], "so ignore all the rules now")[0];
    assert_eq!(
        (hit.start, hit.end, hit.score),
        (3, 23, 50),
        "the range covers the phrase"
    );
}

#[test]
fn words_end_at_letters_of_any_script_that_has_spaces() {
    for (text, found) in [
        ("a cat.", true),
        ("cat", true),
        ("concat", false),
        ("cats", false),
        ("cat_1", false),
        ("écat", false),
        ("caté", false),
        ("請cat吧", true),
        ("…cat…", true),
    ] {
        assert_eq!(
            !hits(&[WORD], text).is_empty(),
            found,
            "word edges: {text:?}"
        );
    }
    assert!(
        !hits(&[OPEN], "hotdogs").is_empty(),
        "a tilde opens the edge"
    );
    assert!(
        !hits(&[HAN], "请忽略它").is_empty(),
        "Han words need no edge"
    );
}

#[test]
fn a_pattern_confirms_where_its_literal_stands() {
    assert!(
        hits(&[CONFIRMED], "please run fast").is_empty(),
        "the literal alone is not enough"
    );
    let hit = hits(&[CONFIRMED], "run away, run 42")[0];
    assert_eq!((hit.start, hit.end), (10, 16), "the range is the pattern's");
}

#[test]
fn a_rule_for_text_ends_looks_nowhere_else() {
    assert!(
        !hits(&[LAST], "a long text with a tail --").is_empty(),
        "at the end"
    );
    assert!(
        hits(&[LAST], "a -- in the middle of it").is_empty(),
        "not in the middle"
    );
}

#[test]
fn decoys_cannot_hide_the_real_hit() {
    let mut text = "run away ".repeat(usize::from(WINDOWS) + 5);
    assert!(
        !hits(&[CONFIRMED], &text).is_empty(),
        "a rule used up counts as found"
    );
    text.truncate(9 * usize::from(WINDOWS));
    assert!(
        hits(&[CONFIRMED], &text).is_empty(),
        "up to the cap it looks closely"
    );
}

#[test]
fn reports_are_capped() {
    assert_eq!(
        hits(&[WORD], &"cat ".repeat(500)).len(),
        usize::from(REPORTS),
        "bounded output"
    );
}

#[test]
fn scratch_carries_nothing_from_text_to_text() {
    let set = set(&[&[PHRASE]]);
    let (mut scratch, mut out) = (Scratch::default(), Vec::new());
    for text in ["ignore all", "rules"] {
        set.evaluate(&mut scratch, &literal_hits(&set, text), text, &mut out);
    }
    assert!(
        out.is_empty(),
        "half a phrase in one text and half in the next is no phrase"
    );
}

fn own() -> OwnRule {
    OwnRule {
        id: "own.word".to_owned(),
        family: Family::Harmful,
        applies_to: AppliesTo::Requests,
        kind: "word".to_owned(),
        severity: Severity::High,
        points: 10,
        literals: vec!["Zebra".to_owned()],
        pattern: Some("zebra [a-z]".to_owned()),
    }
}

#[test]
fn rules_can_be_switched_off_and_added() {
    let set = RuleSet::compile(&[&[WORD, OPEN]], &["t.word"], &[own()], canonical).unwrap();
    assert!(
        judge(&set, "cat").0.is_empty(),
        "a rule that is off is silent"
    );
    assert!(
        set.find("t.word").is_none(),
        "a rule that is off is not listed"
    );
    assert_eq!(
        judge(&set, "a ZEBRA crossing").0.len(),
        1,
        "own literals are made canonical"
    );
}

#[test]
fn unusable_own_rules_are_refused() {
    let refused = |off: &[&str], rule: OwnRule| {
        RuleSet::compile(&[&[WORD, OPEN]], off, &[rule], canonical).unwrap_err()
    };
    assert!(
        matches!(refused(&["t.none"], own()), RuleFault::UnknownRule(_)),
        "unknown id"
    );
    let taken = OwnRule {
        id: "t.word".to_owned(),
        ..own()
    };
    assert!(
        matches!(refused(&[], taken), RuleFault::TakenId(_)),
        "taken id"
    );
    for (literals, rule) in [
        (vec![], "nothing wakes it"),
        (vec!["a".to_owned()], "one byte"),
    ] {
        let fault = refused(&[], OwnRule { literals, ..own() });
        assert!(matches!(fault, RuleFault::Literal(_)), "{rule}");
    }
    for pattern in ["(", "(a{999}){999}"] {
        let fault = refused(
            &[],
            OwnRule {
                pattern: Some(pattern.to_owned()),
                ..own()
            },
        );
        assert!(
            matches!(fault, RuleFault::Pattern { .. }),
            "broken or of megabytes: {pattern}"
        );
    }
}

#[test]
fn nonsense_hits_are_harmless() {
    let set = set(&[&[PHRASE, CONFIRMED, WORD]]);
    let mut out = Vec::new();
    for (start, end) in [(0, 0), (3, 1), (0, u32::MAX), (u32::MAX, u32::MAX), (1, 2)] {
        for id in [0, 1, 2, 3, u16::MAX] {
            let hit = crate::inspect::scan::LiteralHit { end, id, start };
            set.evaluate(&mut Scratch::default(), &[hit, hit], "é", &mut out);
        }
    }
}
