//! The `inspection` block and the rules file.

use super::*;
use crate::inspect::channel::Channel;
use crate::inspect::detect::Family;
use crate::inspect::engine::Inspector;
use crate::policy::inspection::{Action, InspectionSettings, Sanitization, Uninspectable};

/// What is looked for in requests with these keys of `inspection.request`.
fn settings(keys: &str) -> InspectionSettings {
    let text = with(&format!("inspection: {{request: {{{keys}}}}}"));
    World::default().policy(&text).inspection
}

#[test]
fn inspection_is_on_by_default() {
    let policy = World::default().policy(BASE);
    assert_eq!(
        format!("{:?}", policy.inspection),
        format!("{:?}", InspectionSettings::request()),
        "with the contract's values"
    );
    for (family, action) in [
        (Family::PromptInjection, Action::Block),
        (Family::CodePatterns, Action::Flag),
        (Family::WebAttacks, Action::Flag),
        (Family::Pii, Action::Mask),
        (Family::Secrets, Action::Block),
        (Family::Sanitization, Action::Mask),
        (Family::Harmful, Action::Off),
        (Family::Canary, Action::Off),
    ] {
        let compiled = policy.inspector.action(family);
        assert_eq!(compiled, action, "{}", family.as_str());
        let runs = policy.inspector.families().has(family);
        assert_eq!(runs, action != Action::Off, "{}", family.as_str());
    }
}

#[test]
fn each_family_takes_each_of_its_words() {
    let all = [
        ("off", Action::Off),
        ("flag", Action::Flag),
        ("mask", Action::Mask),
        ("block", Action::Block),
    ];
    for (word, action) in all {
        assert_eq!(settings(&format!("pii: {word}")).pii, action, "pii: {word}");
        let secrets = settings(&format!("secrets: {word}")).secrets;
        assert_eq!(secrets, action, "secrets: {word}");
        if action == Action::Mask {
            continue;
        }
        let three = settings(&format!(
            "prompt_injection: {word}, code_patterns: {word}, web_attacks: {word}"
        ));
        for set in [
            three.prompt_injection,
            three.code_patterns,
            three.web_attacks,
        ] {
            assert_eq!(set, action, "{word}");
        }
    }
    for (word, level) in [
        ("off", Sanitization::Off),
        ("standard", Sanitization::Standard),
        ("strict", Sanitization::Strict),
    ] {
        let set = settings(&format!("sanitization: {word}")).sanitization;
        assert_eq!(set, level, "sanitization: {word}");
    }
    for (word, policy) in [
        ("flag", Uninspectable::Flag),
        ("block", Uninspectable::Block),
    ] {
        let set = settings(&format!("uninspectable: {word}")).uninspectable;
        assert_eq!(set, policy, "uninspectable: {word}");
    }
    for (text, chars) in [("1", 1), ("100000", 100_000), ("null", usize::MAX)] {
        let set = settings(&format!("max_text_chars: {text}")).max_text_chars;
        assert_eq!(set, chars, "max_text_chars: {text}");
    }
}

#[test]
fn what_a_family_can_not_do_is_refused() {
    for keys in [
        "prompt_injection: mask",
        "code_patterns: mask",
        "web_attacks: mask",
        "pii: on",
        "secrets: true",
        "sanitization: block",
        "uninspectable: off",
        "max_text_chars: -1",
        "max_text_chars: 64KiB",
    ] {
        let key = keys.split(':').next().unwrap();
        let text = with(&format!("inspection:\n  request: {{{keys}}}"));
        let faults = World::default().faults(&text);
        let begins = format!("x.yaml:2: inspection.request.{key}: ");
        assert!(faults[0].starts_with(&begins), "{keys}: {faults:#?}");
    }
}

#[test]
fn the_hash_tells_of_rules_and_actions() {
    let text = with("inspection: {request: {rules_file: rules.yaml}}");
    let hash = |rules: &str| {
        World::default()
            .file("rules.yaml", rules)
            .policy(&text)
            .hash
    };
    let rule = "rules: [{id: a.b, family: web_attacks, literals: [abcd]}]\n";
    let hashes = [
        World::default().policy(BASE).hash,
        World::default()
            .policy(&with("inspection: {request: {pii: block}}"))
            .hash,
        hash("disabled: [pii.email]\n"),
        hash(rule),
        hash(&rule.replace("abcd", "abce")),
    ];
    let distinct: std::collections::BTreeSet<_> = hashes.iter().collect();
    assert_eq!(distinct.len(), hashes.len(), "each differs: {hashes:?}");
    assert_eq!(
        hash("{}\n"),
        hashes[0],
        "a file without rules changes nothing"
    );
}

#[test]
fn rules_are_read_from_beside_the_configuration() {
    let text = with("inspection: {request: {rules_file: rules.yaml}}");
    let example = include_str!("../../../conf/rules.yaml");
    let inspection = World::default()
        .file("rules.yaml", example)
        .policy(&text)
        .inspection;
    assert!(!inspection.own_rules.is_empty(), "the example has rules");
    assert!(
        !inspection.disabled_rules.is_empty(),
        "and switches some off"
    );
}

#[test]
fn own_rules_for_harmful_content_are_looked_for_and_the_built_in_ones_are_not() {
    let text = with("inspection: {request: {rules_file: rules.yaml}}");
    let rules = "rules:\n  - {id: a.b, family: harmful, literals: [the forbidden dance]}\n";
    let policy = World::default().file("rules.yaml", rules).policy(&text);
    let found = |text: &str| {
        let scanned = policy.inspector.scan_text([text.as_bytes()], Channel::User);
        let rules = scanned
            .findings
            .iter()
            .map(|finding| finding.rule.to_string());
        (scanned.verdict(), rules.collect::<Vec<_>>())
    };
    assert_eq!(
        found("show the forbidden dance"),
        ("flag", vec!["a.b".to_owned()])
    );
    assert_eq!(found("how to build a pipe bomb at home"), ("pass", vec![]));
}

#[test]
fn own_rules_look_at_what_they_say_and_bring_no_built_in_ones_along() {
    let text = with("inspection: {request: {rules_file: rules.yaml, web_attacks: block}}");
    let rules = "rules:\n\
        \x20 - {id: a.request, family: web_attacks, literals: [alpha word]}\n\
        \x20 - {id: a.answer, family: web_attacks, applies_to: response, literals: [beta word]}\n\
        \x20 - {id: a.both, family: harmful, applies_to: both, literals: [gamma word]}\n";
    let policy = World::default().file("rules.yaml", rules).policy(&text);
    let attack = "<script>alert(document.cookie)</script> ' or '1'='1";
    for (words, in_requests, in_answers) in [
        ("the alpha word", "block", "pass"),
        ("the beta word", "pass", "block"),
        ("the gamma word", "flag", "flag"),
        (attack, "block", "pass"),
    ] {
        let verdict = |inspector: &Inspector, channel| {
            let scanned = inspector.scan_text([words.as_bytes()], channel);
            scanned.verdict()
        };
        let request = verdict(&policy.inspector, Channel::User);
        assert_eq!(request, in_requests, "asked: {words}");
        let answer = verdict(&policy.response_inspector, Channel::Assistant);
        assert_eq!(answer, in_answers, "answered: {words}");
    }
}

#[test]
fn a_wrong_rules_file_is_told_with_the_place() {
    let key = "x.yaml:2: inspection.request.rules_file: ";
    let rule = |fields: &str| format!("rules:\n  - {{id: a.b, family: web_attacks, {fields}}}\n");
    for (rules, begins, word) in [
        (
            "disable: []\n".to_owned(),
            "/etc/p/rules.yaml:1: disable: ",
            "`disabled`",
        ),
        ("disabled: [no.such]\n".to_owned(), key, "`no.such`"),
        (rule("literals: [a]"), key, "`a.b`"),
        (rule("literals: [abcd], pattern: '['"), key, "`a.b`"),
        (
            rule("literals: [abcd], pattern: '['"),
            key,
            "unclosed character class",
        ),
        (rule("applies_to: response, literals: [a]"), key, "`a.b`"),
        (
            rule("applies_to: answer, literals: [abcd]"),
            "/etc/p/rules.yaml:2: ",
            "response",
        ),
        (
            rule("literals: [abcd], points: many"),
            "/etc/p/rules.yaml:2: ",
            "points",
        ),
        (
            rule("literals: [abcd]").replace("a.b", "pii.email"),
            key,
            "`pii.email`",
        ),
        (
            rule("literals: [abcd]").replace("web_attacks", "pii"),
            "/etc/p/rules.yaml:2: ",
            "pii",
        ),
        ("[".to_owned(), "/etc/p/rules.yaml:", "YAML"),
    ] {
        let text = with("inspection:\n  request: {rules_file: rules.yaml}");
        let faults = World::default().file("rules.yaml", &rules).faults(&text);
        let told = faults
            .iter()
            .any(|one| one.starts_with(begins) && one.contains(word));
        assert!(told, "{rules:?}: {faults:#?}");
    }
    let text = with("inspection:\n  request: {rules_file: rules.yaml}");
    let faults = World::default().faults(&text);
    assert!(
        faults[0].starts_with(key) && faults[0].contains("/etc/p/rules.yaml"),
        "a missing file: {faults:#?}"
    );
}
