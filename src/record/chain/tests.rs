#![expect(
    clippy::arithmetic_side_effects,
    clippy::string_slice,
    reason = "a test that overflows or slices wrongly fails, which is what a test is for"
)]

use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use zeroize::Zeroizing;

use super::entry::Entry;
use super::key::{PublicKey, Signer};
use super::mark::Mark;
use super::personal::{ENTRY_RANDOM, MOST_SUBJECTS, NONCE, Subjects};
use super::verify::{Problem, Seen, Verifier};
use super::*;
use crate::record::event::{Level, SecurityEvent, Severity, Verdict};

fn signer(seed: u8) -> Signer {
    Signer::new(Zeroizing::new([seed; 32])).unwrap()
}

fn at(second: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_321_200 + second)
}

/// Writes files of a chain.
struct Scribe {
    signer: Signer,
    head: Head,
    segment: u64,
    chain: &'static str,
}

impl Scribe {
    fn new(seed: u8, chain: &'static str) -> Self {
        Self {
            signer: signer(seed),
            head: Head::NONE,
            segment: 0,
            chain,
        }
    }

    fn line(&mut self, body: &str, out: &mut Vec<u8>) {
        self.head.append(at(self.head.seq), body.as_bytes(), out);
    }

    fn checkpoint(&mut self, ending: Ending, out: &mut Vec<u8>) {
        let body = format!("checkpoint\",\"state\":\"{}\"", ending.as_str());
        let at = at(self.head.seq);
        self.head
            .append_signed(at, body.as_bytes(), &self.signer, out);
    }

    /// A file with so many lines between checkpoints in its midst.
    fn file(&mut self, lines: usize, ending: Ending) -> Vec<u8> {
        let mut out = Vec::new();
        self.segment += 1;
        let opening = format!(
            "segment\",\"version\":1,\"chain\":\"{}\",\"segment\":{},\"key\":\"{}\"",
            self.chain,
            self.segment,
            self.signer.public().to_base64()
        );
        self.line(&opening, &mut out);
        for number in 0..lines {
            if number == lines / 2 {
                self.checkpoint(Ending::Open, &mut out);
            }
            self.line(&format!("denial\",\"reason\":\"r{number}\""), &mut out);
        }
        if ending != Ending::Open {
            self.checkpoint(ending, &mut out);
        }
        out
    }

    fn mark(&self, offset: usize, ending: Ending) -> Mark {
        Mark {
            chain: self.chain.into(),
            segment: self.segment,
            head: self.head,
            offset: u64::try_from(offset).unwrap(),
            ending,
        }
    }
}

/// Checks files; the fault's file and line (from 1), and what it is.
fn check(
    files: &[&[u8]],
    key: Option<PublicKey>,
    mark: Option<&Mark>,
) -> Result<Seen, (usize, usize, Problem)> {
    let mut verifier = Verifier::new(key);
    if let Some(mark) = mark {
        verifier.look_for(mark);
    }
    for (file, bytes) in files.iter().enumerate() {
        verifier.next_file();
        for (number, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
            let found = match line.strip_suffix(b"\n") {
                Some(line) => verifier.push(line),
                None => Err(Problem::Torn),
            };
            found.map_err(|problem| (file, number + 1, problem))?;
        }
    }
    verifier
        .finish(mark, false)
        .map_err(|problem| (files.len(), 0, problem))?;
    Ok(verifier.seen().unwrap().clone())
}

fn lines(file: &[u8]) -> Vec<Vec<u8>> {
    let lines = file.split_inclusive(|byte| *byte == b'\n');
    lines.map(<[u8]>::to_vec).collect()
}

fn changed(file: &[u8], change: impl FnOnce(&mut Vec<Vec<u8>>)) -> Vec<u8> {
    let mut lines = lines(file);
    change(&mut lines);
    lines.concat()
}

#[test]
fn a_chain_over_files_is_whole_and_every_line_is_json() {
    let mut scribe = Scribe::new(1, "c1");
    let files = [
        scribe.file(5, Ending::Sealed),
        scribe.file(0, Ending::Sealed),
        scribe.file(3, Ending::Closed),
    ];
    let key = Some(scribe.signer.public());
    let files: Vec<&[u8]> = files.iter().map(Vec::as_slice).collect();
    let seen = check(&files, key, None).unwrap();
    assert_eq!((seen.first, seen.head), (1, scribe.head), "all of it");
    assert_eq!(
        (seen.checkpoints, seen.signed),
        (5, seen.head.seq),
        "signed"
    );
    assert_eq!(seen.segment, 3, "three files");
    check(&files, None, None).expect("by the key that it names");
    check(&files[1..], key, None).expect("a later part is one piece too");
    check(&files[..2], key, None).expect("sealed files are whole");
    for line in files.concat().split(|byte| *byte == b'\n') {
        if !line.is_empty() {
            let value: serde_json::Value = serde_json::from_slice(line).unwrap();
            assert_eq!(value["prev"].as_str().map(str::len), Some(64), "{value}");
        }
    }
}

#[test]
fn what_attackers_do_is_found_at_its_line() {
    let mut scribe = Scribe::new(1, "c1");
    let one = scribe.file(4, Ending::Sealed);
    let key = Some(scribe.signer.public());
    let first = |file: &[u8]| check(&[file], key, None).unwrap_err();
    let (_, line, problem) = first(&changed(&one, |lines| drop(lines.remove(2))));
    assert_eq!(
        (line, problem),
        (
            3,
            Problem::Missing {
                expected: 3,
                found: 4
            }
        ),
        "removed"
    );
    let (_, line, problem) = first(&changed(&one, |lines| lines.swap(1, 2)));
    assert_eq!(
        (line, problem),
        (
            2,
            Problem::Missing {
                expected: 2,
                found: 3
            }
        ),
        "reordered"
    );
    let again = changed(&one, |lines| lines.insert(3, lines[1].clone()));
    assert_eq!(first(&again).1, 4, "replayed");
    assert_eq!(
        first(&again).2,
        Problem::Repeated {
            expected: 4,
            found: 2
        },
        "replayed"
    );
    let cut = changed(&one, |lines| lines.truncate(3));
    assert_eq!(first(&cut).2, Problem::Cut, "cut");
    let at_checkpoint = changed(&one, |lines| lines.truncate(4));
    assert_eq!(
        first(&at_checkpoint).2,
        Problem::Cut,
        "cut right after a signature"
    );
    let torn = &one[..one.len() - 1];
    assert_eq!(first(torn).2, Problem::Torn, "the very last byte");
}

#[test]
fn files_without_their_ends_or_out_of_order_are_found() {
    let mut scribe = Scribe::new(1, "c1");
    let one = scribe.file(4, Ending::Sealed);
    let two = scribe.file(4, Ending::Closed);
    let key = Some(scribe.signer.public());
    let first = |file: &[u8]| check(&[file], key, None).unwrap_err();
    let no_head = changed(&one, |lines| drop(lines.remove(0)));
    assert_eq!(
        first(&no_head),
        (0, 1, Problem::NoHead),
        "without its beginning"
    );
    assert_eq!(first(b"").2, Problem::NoHead, "an empty file is no chain");
    let swapped = check(&[&two, &one], key, None).unwrap_err();
    assert_eq!(
        swapped,
        (
            1,
            1,
            Problem::Segment {
                expected: 3,
                found: 1
            }
        ),
        "swapped files"
    );
    let joined = [one.clone(), two.clone()].concat();
    assert_eq!(first(&joined).2, Problem::StrayHead, "joined files");
    let short = changed(&one, |lines| drop(lines.pop()));
    let gap = check(&[&short, &two], key, None).unwrap_err();
    assert_eq!(
        gap,
        (
            1,
            1,
            Problem::Missing {
                expected: 7,
                found: 8
            }
        ),
        "a cut file before"
    );
}

#[test]
fn a_chain_that_somebody_else_wrote_or_wrote_anew_is_found() {
    let mut scribe = Scribe::new(1, "c1");
    let one = scribe.file(4, Ending::Sealed);
    let key = Some(scribe.signer.public());
    let mut other = Scribe::new(2, "c1");
    let forged = other.file(4, Ending::Sealed);
    let found = check(&[&forged], key, None).unwrap_err();
    assert_eq!(found, (0, 1, Problem::OtherKey), "another key");
    // Whoever lacks the key can write hashes anew, and no signature.
    let mut naming = Scribe::new(2, "c1");
    let text = String::from_utf8(naming.file(4, Ending::Sealed)).unwrap();
    let own = scribe.signer.public().to_base64();
    let mut head = Head::NONE;
    let mut forged = Vec::new();
    for line in text.lines() {
        let body = line.split_once("\"event\":\"").unwrap().1;
        let body = body.rsplit_once(",\"hash\"").unwrap().0;
        let body = body.replace(&naming.signer.public().to_base64(), &own);
        head.append(at(head.seq), body.as_bytes(), &mut forged);
    }
    let found = check(&[&forged], key, None).unwrap_err();
    assert_eq!(
        found,
        (0, 4, Problem::Signature),
        "the first checkpoint tells"
    );
    let mut second = Scribe::new(1, "c2");
    second.file(4, Ending::Sealed);
    let foreign = second.file(1, Ending::Closed);
    let found = check(&[&one, &foreign], key, None).unwrap_err();
    assert_eq!(
        found,
        (1, 1, Problem::OtherChain),
        "a file of another gateway"
    );
}

#[test]
fn the_mark_tells_a_cut_tail_from_one_that_is_still_written() {
    let mut scribe = Scribe::new(1, "c1");
    let mut file = scribe.file(4, Ending::Open);
    let key = Some(scribe.signer.public());
    let mark = scribe.mark(file.len(), Ending::Open);
    check(&[&file], key, Some(&mark)).expect("it goes on");
    assert_eq!(
        check(&[&file], key, None).unwrap_err().2,
        Problem::Cut,
        "nobody vouches for it"
    );
    let cut = changed(&file, |lines| drop(lines.pop()));
    let found = check(&[&cut], key, Some(&mark)).unwrap_err().2;
    assert_eq!(found, Problem::Short(mark.head.seq), "cut");
    scribe.line("denial\"", &mut file);
    check(&[&file], key, Some(&mark)).expect("lines may follow a mark");
    let closed = Mark {
        ending: Ending::Closed,
        ..mark
    };
    let found = check(&[&file], key, Some(&closed)).unwrap_err().2;
    assert_eq!(found, Problem::AfterEnd, "and may not follow an end");
    let mut other = Scribe::new(1, "c1");
    let other = other.file(9, Ending::Closed);
    let found = check(&[&other], key, Some(&closed)).unwrap_err();
    assert_eq!(
        found.2,
        Problem::Replaced(closed.head.seq),
        "an older or newer twin"
    );
}

#[test]
fn marks_and_keys_are_read_as_they_were_written_and_not_otherwise() {
    let scribe = Scribe::new(1, "c1");
    let public = scribe.signer.public();
    let mark = scribe.mark(77, Ending::Closed);
    let line = mark.to_line(&scribe.signer);
    assert_eq!(Mark::read(&line, &public), Some(mark), "{line}");
    assert_eq!(
        Mark::read(&line, &signer(2).public()),
        None,
        "another key's"
    );
    for place in 0..line.len() - 1 {
        let mut bytes = line.clone().into_bytes();
        bytes[place] ^= 1;
        if let Ok(text) = String::from_utf8(bytes) {
            assert_eq!(Mark::read(&text, &public), None, "{text}");
        }
    }
    let pem = scribe.signer.to_pem();
    assert_eq!(
        Signer::read(&pem).unwrap().public(),
        public,
        "the private key"
    );
    assert_eq!(
        PublicKey::read(&public.to_pem()),
        Ok(public),
        "the public key"
    );
    for wrong in ["", "x", &public.to_pem(), &pem.replace("MC4", "MC5")] {
        assert!(Signer::read(wrong).is_err(), "{wrong} is no private key");
    }
}

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

proptest! {
    #[test]
    fn any_single_byte_edit_is_found(place in any::<prop::sample::Index>(), to in any::<u8>()) {
        let mut scribe = Scribe::new(1, "c1");
        let mut one = scribe.file(4, Ending::Sealed);
        let two = scribe.file(2, Ending::Closed);
        let place = place.index(one.len());
        prop_assume!(one[place] != to);
        one[place] = to;
        let found = check(&[&one, &two], Some(scribe.signer.public()), None);
        prop_assert!(found.is_err(), "byte {place} became {to}");
    }

    #[test]
    fn any_cut_is_found(from in any::<prop::sample::Index>(), length in 1_usize..200) {
        let mut scribe = Scribe::new(1, "c1");
        let one = scribe.file(4, Ending::Closed);
        let from = from.index(one.len());
        let upto = one.len().min(from + length);
        let cut = [&one[..from], &one[upto..]].concat();
        let found = check(&[&cut], Some(scribe.signer.public()), None);
        prop_assert!(found.is_err(), "bytes {from} to {upto} are gone");
    }

    #[test]
    fn no_bytes_make_the_check_panic(lines in prop::collection::vec(any::<Vec<u8>>(), 0..8)) {
        let mut verifier = Verifier::new(None);
        for line in &lines {
            prop_assert!(verifier.push(line).is_err(), "{line:?} is no line");
        }
    }
}
