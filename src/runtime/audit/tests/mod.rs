//! An audit log in a folder of its own.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::string_slice,
    reason = "a test that overflows or slices wrongly fails, which is what a test is for"
)]

mod files;
mod queue;

use std::fs;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use serde_json::Value;
use tempfile::TempDir;

use super::store::Store;
use super::*;
use crate::record::chain::Ending;
use crate::record::chain::entry::Entry;
use crate::record::chain::key::PublicKey;
use crate::record::chain::mark::Mark;
use crate::record::chain::verify::{Problem, Verifier};

const DAY: Duration = Duration::from_hours(24);

fn at(second: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_305_600 + second)
}

/// A log in a folder of its own.
struct Log {
    folder: TempDir,
    path: PathBuf,
}

impl Log {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.jsonl");
        Self { folder, path }
    }

    fn open(&self) -> Store {
        Store::open(&self.path, at(0)).unwrap()
    }

    fn files(&self) -> Vec<PathBuf> {
        read::files(&Places::of(&self.path)).unwrap()
    }

    fn text(&self) -> String {
        let files = self.files();
        files
            .iter()
            .map(|path| fs::read_to_string(path).unwrap())
            .collect()
    }

    fn lines(&self) -> Vec<Value> {
        let text = self.text();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    fn events(&self) -> Vec<String> {
        let event = |line: Value| line["event"].as_str().unwrap().to_owned();
        self.lines().into_iter().map(event).collect()
    }

    /// Checks all files, the mark included.
    fn check(&self) -> Result<(), Problem> {
        let places = Places::of(&self.path);
        let key = PublicKey::read(&fs::read_to_string(&places.public).unwrap()).unwrap();
        let mark = Mark::read(&fs::read_to_string(&places.mark).unwrap(), &key).unwrap();
        let mut verifier = Verifier::new(Some(key));
        verifier.look_for(&mark);
        for file in self.files() {
            verifier.next_file();
            let text = fs::read_to_string(file).unwrap();
            for line in text.split_inclusive('\n') {
                verifier.push(line.strip_suffix('\n').ok_or(Problem::Torn)?.as_bytes())?;
            }
        }
        verifier.finish(Some(&mark), false)
    }
}

fn denial(client: u8) -> Entry {
    let address = IpAddr::from([192, 0, 2, client]);
    Entry::new("denial", at(1))
        .text("reason", "x")
        .of_client(address)
}
