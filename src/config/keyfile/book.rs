//! A keys file under change: what the command line reads, alters and writes back.
//!
//! Decides the text of the file: comments at its top are kept, then one key a line. It never
//! reads or writes a file itself, and refuses to alter what it does not wholly understand.

use super::entry::{KeyEntry, RawKeys};
use super::{Gathered, Reader, entries, hinted};
use crate::config::fault::Fault;

/// The entries of a keys file, in its order.
#[derive(Debug, Clone, Default)]
pub struct KeyBook {
    head: String,
    /// All keys.
    pub entries: Vec<KeyEntry>,
}

/// What stands at the top of a new file.
const HEAD: &str = "# Keys of Portcullis: hashes, never keys. Written by `portcullis keys`; see \
                    docs/keys.md.\n";

impl KeyBook {
    /// A book without a key.
    pub fn new() -> Self {
        Self {
            head: HEAD.to_owned(),
            entries: Vec::new(),
        }
    }

    /// Reads a keys file whole.
    ///
    /// # Errors
    /// Everything that is wrong with it: a file that a gateway would refuse is not altered.
    pub fn read(file: &str, text: &str) -> Result<Self, Vec<Fault>> {
        let mut reader = Reader::new(file);
        reader.take(text.as_bytes());
        reader.finish()?;
        let head: String = text
            .split_inclusive('\n')
            .take_while(|line| line.starts_with('#') || line.trim().is_empty())
            .collect();
        if text.len() <= super::SMALL {
            let (RawKeys { keys }, faults, _) = entries(file, text)?;
            if !faults.is_empty() {
                return Err(hinted(faults));
            }
            return Ok(Self {
                head,
                entries: keys,
            });
        }
        let mut quick = super::quick::Quick::default();
        let mut entries = Vec::new();
        let mut keep = |entry: &KeyEntry, _line: usize| entries.push(entry.clone());
        quick.take(text.as_bytes(), &mut keep);
        // The reader above went the same way to its end.
        let _same = quick.finish(&mut keep);
        Ok(Self { head, entries })
    }

    /// The entry of this id.
    pub fn find(&mut self, id: &str) -> Option<&mut KeyEntry> {
        self.entries.iter_mut().find(|entry| entry.id == id)
    }

    /// Adds a key.
    ///
    /// # Errors
    /// What is wrong with it, one line each; the book is as it was.
    pub fn add(&mut self, entry: KeyEntry) -> Result<(), Vec<String>> {
        if self.find(&entry.id).is_some() {
            let id = &entry.id;
            return Err(vec![format!(
                "id: `{id}` is taken; choose another, or replace its key with `portcullis keys \
                 rotate --id {id}`"
            )]);
        }
        Gathered::default().take(&entry).map_err(|wrongs| {
            let tell = |wrong: super::Wrong| {
                let path = wrong.path(&super::KeyPath::default());
                format!("{path}: {}; {}", wrong.problem, wrong.remedy)
            };
            wrongs.into_iter().map(tell).collect::<Vec<_>>()
        })?;
        self.entries.push(entry);
        Ok(())
    }

    /// The text of the file: YAML, one key a line, each of which is JSON too.
    pub fn text(&self) -> String {
        let mut text = self.head.clone();
        if self.entries.is_empty() {
            text.push_str("keys: []\n");
            return text;
        }
        text.push_str("keys:\n");
        for entry in &self.entries {
            // Texts, numbers and lists of them: there is nothing in an entry that JSON has not.
            let line = serde_json::to_string(entry).unwrap_or_default();
            text.push_str("  - ");
            text.push_str(&line);
            text.push('\n');
        }
        text
    }
}
