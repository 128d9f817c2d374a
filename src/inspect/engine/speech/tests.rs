use std::time::Duration;

use proptest::prelude::*;

use super::{Hold, Notes, Speech};
use crate::inspect::channel::Channel;
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
    assert_eq!(
        outcome.unwrap_err(),
        Refusal::Family(crate::inspect::detect::Family::Canary)
    );
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
