//! The quick reader beside the whole one, and the book that the command line writes.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;
use crate::identify::keys::{KeyHash, Role};

fn hash(key: &str) -> String {
    KeyHash::of(key.as_bytes(), None).to_string()
}

/// What the quick reader makes of a text that comes in pieces of this size.
fn quickly(text: &str, size: usize) -> Result<Vec<KeyEntry>, usize> {
    let mut quick = Quick::default();
    let mut entries = Vec::new();
    let mut keep = |entry: &KeyEntry, _line: usize| entries.push(entry.clone());
    for piece in text.as_bytes().chunks(size.max(1)) {
        quick.take(piece, &mut keep);
    }
    quick.finish(&mut keep)?;
    Ok(entries)
}

fn wholly(text: &str) -> Vec<KeyEntry> {
    entries("keys.yaml", text).unwrap().0.keys
}

#[test]
fn the_forms_that_people_and_programs_write_are_read_alike() {
    let (one, two) = (hash("one"), hash("two"));
    for text in [
        format!("keys:\n  - {{\"id\": \"a\", \"hash\": \"{one}\", \"role\": \"admin\"}}\n"),
        format!("keys:\n- {{id: a, hash: \"{one}\", role: admin, models: [gpt-*]}}"),
        format!("# why\n\nkeys:\n  - id: a\n    hash: {one}\n    role: read_only\n"),
        format!("---\nkeys:\n  - id: \"7\"\r\n    hash: \"{one}\"\r\n    role: system\r\n"),
        format!(
            "keys:\n  - id: a\n    hash: {one}\n    role: standard\n    models:\n      - gpt-*\n      \
             - o3\n    # a remark\n    metadata: {{team: \"a: b\"}}\n\n  - id: b\n    hash: \
             {two}\n    role: standard\n    burst: 5\n    expires_at: 2027-01-31\n"
        ),
        format!("keys:\n  -   id: a\n      hash: {one}\n      role: admin\n"),
    ] {
        let whole = wholly(&text);
        assert!(!whole.is_empty(), "{text}");
        for size in [1, 7, 4_096] {
            assert_eq!(quickly(&text, size).as_ref(), Ok(&whole), "{size}: {text}");
        }
    }
}

#[test]
fn what_is_not_plainly_a_key_stops_the_quick_reader_at_its_line() {
    let one = hash("one");
    for (text, line) in [
        ("keyes:\n".to_owned(), 1),
        ("keys:\n  - id: a\n  b: c\n".to_owned(), 3),
        (
            format!("keys:\n  - id: a\n    hash: {one}\n    role: god\n"),
            2,
        ),
        (
            format!("keys:\n  - id: a\n    id: b\n    hash: {one}\n    role: admin\n"),
            2,
        ),
        (
            format!("keys:\n\n  - {{id: a, hash: \"{one}\", role: admin, key: x}}\n"),
            3,
        ),
        (
            format!("keys:\n  - {{id: a, hash: \"{one}\", role: admin}}\nmore: 1\n"),
            3,
        ),
    ] {
        assert_eq!(quickly(&text, 5), Err(line), "{text}");
    }
}

#[test]
fn a_large_file_is_read_and_its_faults_have_lines() {
    let mut text = String::from("keys:\n");
    for n in 0..3_000 {
        let entry = KeyEntry::new(&format!("key-{n}"), hash(&n.to_string()), Role::Standard);
        writeln!(text, "  - {}", serde_json::to_string(&entry).unwrap()).unwrap();
    }
    assert!(text.len() > SMALL, "it is large");
    let read = |text: &str| {
        let mut reader = Reader::new("keys.yaml");
        text.as_bytes()
            .chunks(1_000)
            .for_each(|piece| reader.take(piece));
        reader.finish()
    };
    let found = read(&text).unwrap();
    assert_eq!(found.records.len(), 3_000, "all of them");
    let wrong = text.replace(&hash("2500"), "pcl_secret-text");
    let faults = read(&wrong).unwrap_err();
    let told = faults[0].to_string();
    assert!(
        told.starts_with("keys.yaml:2502: keys[2500].hash: is not a hash")
            && !told.contains("secret-text"),
        "{told}"
    );
    let broken = format!("{text}  - [\n");
    let faults = read(&broken).unwrap_err();
    assert_eq!(faults[0].line(), Some(3_002), "{faults:?}");
}

#[test]
fn a_book_is_written_as_it_was_read() {
    let text = format!(
        "# Ours.\nkeys:\n  - id: a\n    hash: {}\n    role: admin\n    models: [gpt-*]\n",
        hash("one")
    );
    let mut book = KeyBook::read("keys.yaml", &text).unwrap();
    let other = KeyEntry::new("b", hash("two"), Role::Standard);
    book.add(other.clone()).unwrap();
    assert!(
        book.add(other).unwrap_err()[0].contains("rotate --id b"),
        "an id that is taken"
    );
    let wrong = KeyEntry::new("c c", hash("three"), Role::Standard);
    assert!(book.add(wrong).is_err(), "an id that is none");
    let again = KeyBook::read("keys.yaml", &book.text()).unwrap();
    assert_eq!(again.entries, book.entries, "the same keys");
    assert_eq!(again.entries.len(), 2, "what was refused is not there");
    assert!(book.text().starts_with("# Ours.\n"), "and the same remark");
}

#[test]
fn a_replaced_key_is_a_record_of_its_own() {
    let mut entry = KeyEntry::new("a", hash("new"), Role::Standard);
    entry.expires_at = Some("1970-01-01T00:01:40Z".to_owned());
    entry.previous = Some(vec![
        PreviousKey {
            hash: hash("old"),
            expires_at: "1970-01-01T00:00:50Z".to_owned(),
        },
        PreviousKey {
            hash: hash("older"),
            expires_at: "1970-01-02".to_owned(),
        },
    ]);
    let records = record::compile(&entry).unwrap();
    let told: Vec<_> = records
        .iter()
        .map(|record| (record.id.as_str(), record.replaced, record.expires_at))
        .collect();
    assert_eq!(
        told,
        [("a", true, 50), ("a", true, 100), ("a", false, 100)],
        "an old key lives no longer than its id"
    );
}

proptest! {
    #[test]
    fn no_text_and_no_cut_makes_the_quick_reader_panic_or_differ(
        lines in proptest::collection::vec("(  - |    |- |)(id|hash|role|keys|#x|\\{)?(: ?)[a-z\"0-9{}\\[\\],]{0,8}", 0..12),
        size in 1_usize..40,
    ) {
        let text = format!("keys:\n{}\n", lines.join("\n"));
        let at_once = quickly(&text, usize::MAX);
        prop_assert_eq!(&at_once, &quickly(&text, size), "cut at {}: {}", size, text);
        if let Ok(found) = at_once
            && !found.is_empty()
        {
            prop_assert_eq!(found, wholly(&text), "{}", text);
        }
    }
}
