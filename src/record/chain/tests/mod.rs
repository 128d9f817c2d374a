//! A chain in memory: written, and checked.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::string_slice,
    reason = "a test that overflows or slices wrongly fails, which is what a test is for"
)]

mod attacks;
mod entries;
mod marks;

use std::time::{Duration, SystemTime};

use zeroize::Zeroizing;

use super::key::{PublicKey, Signer};
use super::mark::Mark;
use super::verify::{Problem, Seen, Verifier};
use super::*;

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
