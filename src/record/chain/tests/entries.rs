//! What becomes a line, and what is told of people in it.

use super::*;
use crate::record::chain::entry::Entry;
use crate::record::chain::personal::{ENTRY_RANDOM, MOST_SUBJECTS, NONCE, Subjects};
use crate::record::event::{Level, SecurityEvent, Severity, Verdict};

#[test]
fn erasing_a_subject_leaves_nothing_of_it() {
    let mut subjects = Subjects::new(Zeroizing::new([7; 32]));
    let (alice, bob) = (subjects.lookup("alice"), subjects.lookup("bob"));
    let key = subjects.make(alice, &[1; ENTRY_RANDOM], 10);
    subjects.make(bob, &[2; ENTRY_RANDOM], 20);
    let sealed = key.seal(b"{\"user_id\":\"alice\"}", [3; NONCE]).unwrap();
    let text = subjects.to_text();
    assert!(
        !text.contains("alice"),
        "no id stands in the table: {}",
        &*text
    );
    let mut again = Subjects::read(&text).unwrap();
    let opened = again.find(again.lookup("alice")).unwrap().open(&sealed);
    assert_eq!(
        &**opened.unwrap(),
        b"{\"user_id\":\"alice\"}",
        "while the key lives"
    );
    let other = again.find(again.lookup("bob")).unwrap();
    assert!(other.open(&sealed).is_err(), "no other key opens it");
    assert_eq!(again.erase(alice), Some(key.pseudonym), "erased");
    assert_eq!(again.erase(alice), None, "once");
    let text = again.to_text();
    assert!(!text.contains(&key.pseudonym.to_hex()), "nor its name");
    assert_eq!(again.expire(21), 1, "keys of old lines go with them");
    // A row that was cut off in a crash is left out; one that is wrong is a fault.
    let torn = &subjects.to_text()[..subjects.to_text().len() - 2];
    assert_eq!(
        Subjects::read(torn).unwrap().by_pseudonym().len(),
        1,
        "the whole one"
    );
    let wrong = subjects.to_text().replace("\"day\":10", "\"day\":\"x\"");
    assert!(Subjects::read(&wrong).is_err(), "a fault");
    assert!(Subjects::read("").is_err(), "an empty file is no table");
}

#[test]
fn there_is_an_end_to_subjects_without_a_key() {
    let mut subjects = Subjects::new(Zeroizing::new([7; 32]));
    for number in 0..MOST_SUBJECTS {
        assert!(subjects.has_room(), "{number}");
        let lookup = subjects.lookup(&number.to_string());
        subjects.make(lookup, &[0; ENTRY_RANDOM], 0);
    }
    assert!(!subjects.has_room(), "full");
}

#[test]
fn an_entry_tells_what_was_decided_in_clear_and_of_whom_under_seal() {
    let event = SecurityEvent {
        level: Level::Warning,
        operation: "block_ip",
        verdict: Verdict::Status("applied"),
        severity: Severity::High,
        user_id: Some("ops"),
        client_ip: "192.0.2.9".parse().ok(),
        user_agent: b"curl\n\"\xff token=abcdefghijkl",
        request_id: "r-1",
        key_prefix: None,
        reason: "operator",
        tags: &["control", "operator"],
        found: None,
        details: &[
            ("network", "203.0.113.9/32"),
            ("note", "api_key=sk-abcdefghijklmnop\nx"),
        ],
    };
    let entry = Entry::of(&event, at(0));
    let body = String::from_utf8(entry.body().into_owned()).unwrap();
    let line: serde_json::Value = serde_json::from_str(&format!("{{\"event\":\"{body}}}")).unwrap();
    assert_eq!(line["event"], "order", "{line}");
    assert_eq!(line["operation"], "block_ip", "{line}");
    for personal in ["ops", "192.0.2.9", "curl", "203.0.113.9", "abcdefghijkl"] {
        assert!(!body.contains(personal), "{personal} is in clear in {body}");
    }
    assert!(!body.contains('\n'), "one line");
    let who = entry.who.unwrap();
    assert_eq!((&*who.subject, who.anonymous), ("ops", false), "by its key");
    let fields: serde_json::Value = serde_json::from_slice(&who.masked()).unwrap();
    assert_eq!(fields["client_ip"], "192.0.2.9", "{fields}");
    let agent = fields["user_agent"].as_str().unwrap();
    assert!(
        agent.contains("***MASKED***"),
        "secrets are masked: {agent}"
    );
    let about = entry.about.unwrap();
    assert_eq!(
        &*about.subject, "203.0.113.9",
        "a network of one is an address"
    );
}

#[test]
fn an_entry_has_a_bound_whatever_it_is_made_of() {
    let huge = "\u{1}token=".repeat(100_000);
    let mut entry = Entry::new("order", at(0));
    for _ in 0..20 {
        entry = entry.text("note", &huge);
    }
    let mut out = Vec::new();
    Head::NONE.clone().append(at(0), &entry.body(), &mut out);
    assert!(out.len() < line::MAX_LINE, "{} bytes", out.len());
    let line: serde_json::Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(line["event"], "order", "and is a line");
}

#[test]
fn whoever_is_named_beside_or_in_words_is_under_seal_too() {
    let event = |operation: &'static str, details: &[(&'static str, &str)]| {
        let event = SecurityEvent {
            level: Level::Warning,
            operation,
            verdict: Verdict::Status("applied"),
            severity: Severity::High,
            user_id: None,
            client_ip: "192.0.2.9".parse().ok(),
            user_agent: b"",
            request_id: "",
            key_prefix: None,
            reason: "x",
            tags: &["control", "operator"],
            found: None,
            details,
        };
        Entry::of(&event, at(0))
    };
    let both = [
        ("key", "alice"),
        ("ip", "203.0.113.9/32"),
        ("terminated", "2"),
    ];
    let entry = event("terminate_streams", &both);
    let body = String::from_utf8(entry.body().into_owned()).unwrap();
    assert!(
        body.contains("\"terminated\":\"2\"") && !body.contains("203.0.113.9"),
        "{body}"
    );
    let about = entry.about.unwrap();
    let told: serde_json::Value = serde_json::from_slice(&about.masked()).unwrap();
    assert_eq!(&*about.subject, "alice", "the first of them");
    assert_eq!(told["ip"], "203.0.113.9/32", "{told}");

    let words = [
        ("alert_id", "alert-1"),
        ("subject", "192.0.2.9"),
        ("message", "5 from 192.0.2.9"),
    ];
    let entry = event("alert", &words);
    let body = String::from_utf8(entry.body().into_owned()).unwrap();
    assert!(
        body.starts_with("alert\"") && body.contains("alert-1") && !body.contains("192.0.2.9"),
        "{body}"
    );
    let who = entry.who.unwrap();
    let told: serde_json::Value = serde_json::from_slice(&who.masked()).unwrap();
    assert_eq!(told["message"], "5 from 192.0.2.9", "{told}");
}
