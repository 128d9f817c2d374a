//! The keys file: ids, hashes, roles, bounds.
//!
//! Lives here: the file as it is written, its reading (whole and with the line of every fault, or
//! in pieces where it is large), and its writing by the command line. Must not live here: files
//! themselves, and the making of keys. A key's own text has no place in the file; where one was
//! written, the fault says so and does not repeat it.

mod book;
mod entry;
mod quick;
mod record;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

pub use book::KeyBook;
pub use entry::{KeyEntry, KeyRole, PreviousKey};
pub use record::moment;

use super::document::{self, Document};
use super::fault::{Fault, Place};
use super::locate::Places;
use super::path::KeyPath;
use crate::identify::keys::KeyRecord;
use entry::RawKeys;
use quick::Quick;
use record::Wrong;

/// Up to so many bytes a file is read whole, by the reader that knows the line of every fault.
const SMALL: usize = 256 * 1024;

/// What a keys file holds.
#[derive(Debug, Default)]
pub(super) struct KeysFile {
    /// Its records.
    pub records: Vec<Arc<KeyRecord>>,
    /// Its content as a digest, for the configuration's hash.
    pub digest: String,
}

/// Reads a keys file as it comes, so that a large one is never in memory as text.
#[derive(Debug)]
pub(super) struct Reader {
    file: String,
    text: Vec<u8>,
    large: Option<Quick>,
    gathered: Gathered,
}

#[derive(Debug, Default)]
struct Gathered {
    records: Vec<Arc<KeyRecord>>,
    hasher: Sha256,
    faults: Vec<Fault>,
    entries: usize,
}

impl Gathered {
    fn take(&mut self, entry: &KeyEntry) -> Result<(), Vec<Wrong>> {
        self.entries = self.entries.saturating_add(1);
        if let Ok(line) = serde_json::to_vec(entry) {
            self.hasher.update(&line);
            self.hasher.update(b"\n");
        }
        record::compile(entry).map(|records| self.records.extend(records.into_iter().map(Arc::new)))
    }

    fn finish(self) -> Result<KeysFile, Vec<Fault>> {
        if !self.faults.is_empty() {
            return Err(self.faults);
        }
        let digest = self.hasher.finalize();
        Ok(KeysFile {
            records: self.records,
            digest: format!("{digest:x}"),
        })
    }
}

/// How many faults of a large file are told; the rest is like them.
const MOST_FAULTS: usize = 20;

impl Reader {
    /// A reader of the file of this name.
    pub(super) fn new(file: &str) -> Self {
        Self {
            file: file.to_owned(),
            text: Vec::new(),
            large: None,
            gathered: Gathered::default(),
        }
    }

    /// Takes the next piece.
    pub(super) fn take(&mut self, piece: &[u8]) {
        if self.large.is_none() {
            self.text.extend_from_slice(piece);
            if self.text.len() <= SMALL {
                return;
            }
            let begun = std::mem::take(&mut self.text);
            self.large = Some(Quick::default());
            return self.feed(&begun);
        }
        self.feed(piece);
    }

    fn feed(&mut self, piece: &[u8]) {
        let Self {
            file,
            large,
            gathered,
            ..
        } = self;
        if let Some(quick) = large {
            quick.take(piece, &mut |entry, line| {
                gather(gathered, file, entry, line);
            });
        }
    }

    /// What the file held.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub(super) fn finish(mut self) -> Result<KeysFile, Vec<Fault>> {
        let Some(mut quick) = self.large.take() else {
            return match String::from_utf8(self.text) {
                Ok(text) => read(&self.file, &text),
                Err(_) => Err(vec![Fault::of_file(
                    &self.file,
                    "is not text",
                    "write YAML as UTF-8",
                )]),
            };
        };
        let Self { file, gathered, .. } = &mut self;
        let end = quick.finish(&mut |entry, line| gather(gathered, file, entry, line));
        if let Err(line) = end {
            gathered.faults.push(fault(
                file,
                line,
                String::new(),
                "can't be read as a key, in a file too large for any but the plain form".to_owned(),
                "write one key a line, as `portcullis keys` does: - {\"id\": …, \"hash\": …, \
                 \"role\": …}"
                    .to_owned(),
            ));
        }
        self.gathered.finish()
    }
}

fn gather(gathered: &mut Gathered, file: &str, entry: &KeyEntry, line: usize) {
    let index = gathered.entries;
    let Err(wrongs) = gathered.take(entry) else {
        return;
    };
    for wrong in wrongs {
        if gathered.faults.len() < MOST_FAULTS {
            let key = wrong.path(&KeyPath::of("keys").index(index)).to_string();
            let found = fault(file, line, key, wrong.problem, wrong.remedy);
            gathered.faults.push(found);
        }
    }
}

fn fault(file: &str, line: usize, key: String, problem: String, remedy: String) -> Fault {
    Fault {
        place: Place::File {
            file: file.to_owned(),
            line: Some(line),
            column: None,
        },
        key,
        problem,
        remedy,
    }
}

/// Reads the text of a keys file.
///
/// # Errors
/// Everything that is wrong with it.
pub(super) fn read(file: &str, text: &str) -> Result<KeysFile, Vec<Fault>> {
    let (raw, mut faults, places) = entries(file, text)?;
    let mut gathered = Gathered::default();
    for (index, entry) in raw.keys.iter().enumerate() {
        let at = KeyPath::of("keys").index(index);
        if let Err(wrongs) = gathered.take(entry) {
            let told = wrongs
                .into_iter()
                .map(|wrong| places.fault(&wrong.path(&at), wrong.problem, wrong.remedy));
            faults.extend(told);
        }
    }
    duplicates(&raw.keys, &places, &mut faults);
    gathered.faults = hinted(faults);
    gathered.finish()
}

/// The entries of a keys file, with what the shape of the text had against it.
fn entries(file: &str, text: &str) -> Result<(RawKeys, Vec<Fault>, Places), Vec<Fault>> {
    let Document {
        raw,
        places,
        faults,
    } = document::read::<RawKeys>(file, text).map_err(hinted)?;
    Ok((raw, faults, places))
}

fn duplicates(entries: &[KeyEntry], places: &Places, faults: &mut Vec<Fault>) {
    let mut ids = HashMap::new();
    let mut hashes = HashMap::new();
    for (index, entry) in entries.iter().enumerate() {
        let at = KeyPath::of("keys").index(index);
        if ids.insert(entry.id.as_str(), index).is_some() {
            faults.push(places.fault(
                &at.key("id"),
                format!("`{}` is the id of an earlier key too", entry.id),
                "give each key an id of its own",
            ));
        }
        let previous = entry.previous.iter().flatten().map(|key| &key.hash);
        for hash in std::iter::once(&entry.hash).chain(previous) {
            if let Some(other) = hashes.insert(hash.to_ascii_lowercase(), entry.id.as_str()) {
                faults.push(places.fault(
                    &at.key("hash"),
                    format!("is the hash of `{other}` too"),
                    "give each caller a key of its own",
                ));
            }
        }
    }
}

/// Adds to a fault about an unknown key what the writer most likely wanted.
fn hinted(mut faults: Vec<Fault>) -> Vec<Fault> {
    for fault in &mut faults {
        let name = fault.key.rsplit('.').next().unwrap_or_default();
        let unknown = fault.problem == "is not a known key";
        if unknown && ["key", "secret", "token", "api_key", "value"].contains(&name) {
            "a key's own text is never stored; write `hash:` with what `portcullis keys hash` says"
                .clone_into(&mut fault.remedy);
        }
    }
    faults
}
