use std::time::Duration;

use proptest::prelude::*;

use super::{Hold, Notes, Speech};
use crate::inspect::channel::Channel;
use crate::inspect::detect::{AppliesTo, Family, OwnRule, Severity};
use crate::inspect::engine::Inspector;
use crate::inspect::finding::Refusal;
use crate::policy::inspection::{Action, InspectionSettings};

const HOLD: Hold = Hold {
    time: Duration::from_secs(2),
    bytes: 512,
    chars: None,
};

fn inspector(change: impl FnOnce(&mut InspectionSettings)) -> Inspector {
    let mut settings = InspectionSettings::response();
    change(&mut settings);
    Inspector::compile(&settings).unwrap()
}

fn usual() -> Inspector {
    inspector(|_| {})
}

/// What left, how it ended, and what was found where.
type Said = (Vec<String>, Result<(), Refusal>, Vec<(String, u64, u64)>);

/// What leaves after each piece, and what at the end.
fn spoken(inspector: &Inspector, pieces: &[&str]) -> Said {
    let (mut speech, mut notes) = (Speech::new(Channel::Assistant, 1), Notes::default());
    let mut left = Vec::new();
    let mut outcome = Ok(());
    let mut take = |speech: &mut Speech| {
        let mut out = String::new();
        let release = speech.release();
        release.write(release.start, release.end, &mut out);
        speech.released();
        left.push(out);
    };
    for piece in pieces {
        outcome = speech.push(inspector, &mut notes, (&HOLD, Duration::ZERO), piece);
        if outcome.is_err() {
            break;
        }
        take(&mut speech);
    }
    if outcome.is_ok() {
        outcome = speech.finish(inspector, &mut notes);
        if outcome.is_ok() {
            take(&mut speech);
        }
    }
    let report = notes.report(inspector, 0);
    let mut found: Vec<_> = report
        .findings
        .iter()
        .map(|finding| {
            let rule = inspector.rule(finding.rule).unwrap();
            (rule.id.to_string(), finding.raw.start, finding.raw.end)
        })
        .collect();
    found.sort();
    (left, outcome, found)
}

#[test]
fn a_value_over_pieces_becomes_its_label_and_the_rest_passes_live() {
    let inspector = usual();
    let (left, outcome, _) = spoken(
        &inspector,
        &["Write ", "to ali", "ce@exa", "mple.com, ", "please. "],
    );
    assert_eq!(outcome, Ok(()));
    assert_eq!(
        left,
        ["Write ", "to ", "", "[EMAIL_1], ", "please. ", ""],
        "only what could be part of the address waits"
    );
}

#[test]
fn words_before_a_blank_do_not_wait() {
    let (left, ..) = spoken(&usual(), &["Hello ", "from ", "the ", "mock."]);
    assert_eq!(left, ["Hello ", "from ", "the ", "", "mock."]);
}

#[test]
fn a_canary_never_begins_to_leave() {
    let inspector = inspector(|settings| {
        settings.canaries = vec!["PX-CANARY-77 do not tell".to_owned()];
    });
    let (left, outcome, found) = spoken(&inspector, &["It says px-", "canary-77  do", " not te"]);
    assert_eq!(outcome, Ok(()), "it was not said to its end");
    assert_eq!(left.first().map(String::as_str), Some("It says "));
    assert!(found.is_empty());
    let (left, outcome, _) = spoken(
        &inspector,
        &["It says px-", "canary-77  do", " not te", "ll, all"],
    );
    assert_eq!(outcome.unwrap_err(), Refusal::Family(Family::Canary));
    assert_eq!(left.concat(), "It says ", "nothing of it left");
}

#[test]
fn a_harmful_phrase_is_flagged_or_refused() {
    let text = ["Sure: how to ", "build a ", "pipe bomb at home. ", "Step 1"];
    let (left, outcome, found) = spoken(&usual(), &text);
    assert_eq!((left.concat(), outcome), (text.concat(), Ok(())));
    assert!(
        found.iter().any(|(rule, ..)| rule.starts_with("harmful")),
        "{found:?}"
    );
    let (left, outcome, _) = spoken(&inspector(|s| s.harmful = Action::Block), &text);
    assert!(outcome.is_err());
    assert!(!left.concat().contains("bomb"), "{left:?}");
}

const WORDS: &[&str] = &[
    "alice@example.com",
    "call",
    "+49 30 1234567",
    "4111 1111 1111 1111",
    " ",
    ", ",
    "\n",
    "key sk-proj-abcdefghijklmnopqrstuvwx1234567890",
    "password=hunter2secret!",
    "the",
    "é",
    "日本",
    "192.168.1.20",
    "DE89 3704 0044 0532 0130 00",
    "-",
    ":",
    "=",
    "@",
    ".",
    "how to build a pipe bomb",
    "078-05-1120",
    "AKIAIOSFODNN7EXAMPLE",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn any_cut_of_a_text_leaves_the_same_text_and_findings(
        words in prop::collection::vec(prop::sample::select(WORDS), 1..30),
        blanks in prop::collection::vec(any::<bool>(), 30),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..40),
    ) {
        thread_local!(static INSPECTOR: Inspector = usual());
        let mut text = String::new();
        for (word, blank) in words.iter().zip(&blanks) {
            text.push_str(word);
            if *blank { text.push(' '); }
        }
        let mut places: Vec<usize> = cuts.iter().map(|cut| text.floor_char_boundary(cut.index(text.len().saturating_add(1)))).collect();
        places.extend([0, text.len()]);
        places.sort_unstable();
        let pieces: Vec<&str> = places.windows(2).map(|w| text.get(w[0]..w[1]).unwrap()).collect();
        INSPECTOR.with(|inspector| {
            let whole = spoken(inspector, &[&text]);
            let cut = spoken(inspector, &pieces);
            prop_assert_eq!(whole.0.concat(), cut.0.concat());
            prop_assert_eq!(whole.1, cut.1);
            prop_assert_eq!(whole.2, cut.2);
            Ok(())
        })?;
    }
}

/// What left of a text that is held no longer than so many bytes, joined, and how often something
/// was found.
fn held_to(inspector: &Inspector, bytes: usize, pieces: &[&str]) -> (String, usize) {
    let hold = Hold { bytes, ..HOLD };
    let (mut speech, mut notes) = (Speech::new(Channel::Assistant, 1), Notes::default());
    let mut left = String::new();
    let mut take = |speech: &mut Speech| {
        let release = speech.release();
        release.write(release.start, release.end, &mut left);
        speech.released();
    };
    for piece in pieces {
        let said = speech.push(inspector, &mut notes, (&hold, Duration::ZERO), piece);
        assert_eq!(said, Ok(()), "nothing is refused");
        take(&mut speech);
    }
    assert_eq!(
        speech.finish(inspector, &mut notes),
        Ok(()),
        "nor at the end"
    );
    take(&mut speech);
    (left, notes.report(inspector, 0).findings.len())
}

/// Values that any number of characters may follow.
const LONG: &[(&str, &str, &str)] = &[
    (
        "",
        "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\
        MzEfYyjiWA4R4/M2bS1GB4t7NXp98C3SC6dVMvDuictGeurT8jNbvJZHtCSuYEvu",
        "xY7dEfGh1jKlMn0pQrStUvWz",
    ),
    ("password=", "Tr0ub4dor", "xY7dEfGh1jKlMn0pQrStUvWz"),
    ("api_key: ", "Ab3", "xY7dEfGh1jKlMn0pQrStUvWz"),
    (
        "",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.",
        "dozjgNryP4J3jVmNHl0w5N",
    ),
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn a_secret_longer_than_what_may_be_held_has_one_label(
        (name, begins, more) in prop::sample::select(LONG),
        times in 1_usize..120,
        before in 0_usize..60,
        hold in prop::sample::select(&[64_usize, 128, 512, 4096]),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..40),
    ) {
        thread_local!(static INSPECTOR: Inspector = usual());
        let before = "so ".repeat(before);
        let text = format!("{before}{name}{begins}{} and on.", more.repeat(times));
        let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len())).collect();
        places.extend([0, text.len()]);
        places.sort_unstable();
        let pieces: Vec<&str> = places.windows(2).map(|w| text.get(w[0]..w[1]).unwrap()).collect();
        INSPECTOR.with(|inspector| {
            let (left, found) = held_to(inspector, hold, &pieces);
            prop_assert_eq!(left.matches("_1]").count(), 1, "{}", left);
            prop_assert_eq!(left.matches('[').count(), 1, "{}", left);
            prop_assert_eq!(found, 1, "one finding");
            prop_assert!(left.starts_with(&before) && left.ends_with(" and on."), "{}", left);
            prop_assert!(!left.contains(more.get(..12).unwrap()), "{}", left);
            prop_assert_eq!(&left, &held_to(inspector, hold, &[&text]).0, "any cut");
            Ok(())
        })?;
    }
}

#[test]
fn what_is_held_too_long_has_one_label_and_the_next_value_its_own() {
    let inspector = usual();
    let (mut speech, mut notes) = (Speech::new(Channel::Assistant, 1), Notes::default());
    let mut left = String::new();
    for (piece, late) in [
        ("key sk-proj-abcdefghijklmnopqrstuvwx1234567890", true),
        ("abcdefgh1234", true),
        ("ijkl, mail alice@example.com", true),
        (", key sk-proj-bbcdefghijklmnopqrstuvwx1234567890.", false),
    ] {
        let said = speech.push(&inspector, &mut notes, (&HOLD, Duration::ZERO), piece);
        assert_eq!(said, Ok(()), "{piece}");
        if late {
            assert_eq!(speech.expire(&inspector, &mut notes), Ok(()), "{piece}");
        }
        let release = speech.release();
        release.write(release.start, release.end, &mut left);
        speech.released();
    }
    assert_eq!(speech.finish(&inspector, &mut notes), Ok(()), "the end");
    let release = speech.release();
    release.write(release.start, release.end, &mut left);
    let labels = left.matches('[').count();
    assert_eq!(labels, 3, "{left}");
    assert!(
        left.starts_with("key [") && left.contains("], mail [EMAIL_1], key ["),
        "{left}"
    );
    assert_eq!(notes.report(&inspector, 0).findings.len(), 3, "{left}");
}

#[test]
fn own_rules_are_flagged_or_refused_by_their_points() {
    let text = ["Ask for ", "project blue", "bird today. ", "More"];
    for (family, points, action, refused, found) in [
        (Family::PromptInjection, 100, Action::Block, true, 1),
        (Family::PromptInjection, 55, Action::Block, false, 1),
        (Family::WebAttacks, 55, Action::Block, true, 1),
        (Family::WebAttacks, 100, Action::Flag, false, 1),
        (Family::CodePatterns, 15, Action::Block, false, 0),
        (Family::Harmful, 15, Action::Block, true, 1),
        (Family::Harmful, 15, Action::Flag, false, 1),
    ] {
        let inspector = inspector(|settings| {
            settings.prompt_injection = action;
            settings.web_attacks = action;
            settings.code_patterns = action;
            settings.harmful = action;
            settings.own_rules = vec![OwnRule {
                id: "acme.project".to_owned(),
                family,
                applies_to: AppliesTo::Answers,
                kind: "project".to_owned(),
                severity: Severity::High,
                points,
                literals: vec!["project bluebird".to_owned()],
                pattern: None,
            }];
        });
        let (left, outcome, rules) = spoken(&inspector, &text);
        let why = format!("{family:?} {points} {action:?}: {left:?}");
        assert_eq!(outcome.is_err(), refused, "{why}");
        assert_eq!(rules.len(), found, "{why}");
        assert_eq!(left.concat().contains("bluebird"), !refused, "{why}");
    }
}

#[test]
fn a_text_of_one_word_holds_little_and_ends() {
    let inspector = usual();
    let (mut speech, mut notes) = (Speech::new(Channel::Assistant, 1), Notes::default());
    let mut left = 0;
    for _ in 0..2000 {
        speech
            .push(
                &inspector,
                &mut notes,
                (&HOLD, Duration::ZERO),
                &"a1".repeat(50),
            )
            .unwrap();
        assert!(speech.held() <= HOLD.bytes, "{}", speech.held());
        let release = speech.release();
        left += release.end - release.start;
        speech.released();
        assert!(speech.state_bytes() < 16_384, "{}", speech.state_bytes());
    }
    assert!(left > 199_000, "{left}");
}
