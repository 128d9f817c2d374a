//! The files of an audit log, written by one process at a time.
//!
//! Decides the order of things: under a lock that all processes share, the end of the chain is
//! looked at, lines are appended, and the mark is set anew; what can't be written whole is taken
//! back. So a process that takes over, or a command, goes on exactly where another has stopped. A
//! chain that can't be gone on with is set aside, and a new file says so in its first line. It
//! never looks into a line.

use std::fs::{self, File};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::keys::{open_private, signer};
use super::people::{People, day};
use super::resume;
use super::{AuditFault, Places, replace, replace_soon};
use crate::record::chain::entry::Entry;
use crate::record::chain::key::{PublicKey, Signer};
use crate::record::chain::mark::Mark;
use crate::record::chain::personal::{Pseudonym, SubjectKey};
use crate::record::chain::{Ending, Head};
use crate::runtime::archive;

/// Lines after which a checkpoint is due.
const CHECKPOINT_LINES: u64 = 1_000;

/// An audit log on disk.
pub(crate) struct Store {
    pub(super) places: Places,
    signer: Signer,
    pub(super) public: PublicKey,
    /// The private key's file, which is never replaced: whoever writes has it locked.
    lock: File,
    pub(super) people: People,
    pub(super) at: Option<Position>,
    out: Vec<u8>,
    body: Vec<u8>,
    /// How the process before left the chain, as it was found at the start.
    pub(super) found: &'static str,
}

/// Where the next line goes.
pub(super) struct Position {
    pub(super) file: File,
    pub(super) mark: Mark,
    /// The mark as it stands on disk.
    pub(super) text: String,
    /// The day of the file's first line.
    pub(super) day: String,
    /// Lines since the last checkpoint.
    pub(super) unsigned: u64,
}

impl Store {
    /// Opens an audit log; makes what is missing of it.
    ///
    /// # Errors
    /// Its keys can't be used, or its files can't be written.
    pub(crate) fn open(path: &Path, now: SystemTime) -> Result<Self, AuditFault> {
        let places = Places::of(path);
        let mut lock = open_private(&places.key)?;
        lock.lock().map_err(AuditFault::io("lock", &places.key))?;
        let signer = signer(&mut lock, &places)?;
        let public = signer.public();
        let mut store = Self {
            people: People::new(places.people.clone())?,
            places,
            signer,
            public,
            lock,
            at: None,
            out: Vec::new(),
            body: Vec::new(),
            found: "new",
        };
        store.under_lock(|store| store.settle(now))?;
        Ok(store)
    }

    /// How the process before left the chain: `new`, `closed`, `open`, `moved` or `broken`.
    pub(crate) const fn found(&self) -> &'static str {
        self.found
    }

    /// Its files.
    pub(crate) const fn places(&self) -> &Places {
        &self.places
    }

    /// Whether lines wait for a checkpoint.
    pub(crate) fn is_unsigned(&self) -> bool {
        self.at.as_ref().is_some_and(|at| at.unsigned > 0)
    }

    /// Writes entries, and a checkpoint after them where an ending is named. All of them are
    /// written, or none.
    ///
    /// # Errors
    /// They can't be written.
    pub(crate) fn write(
        &mut self,
        entries: &[Entry],
        ending: Option<Ending>,
        now: SystemTime,
    ) -> Result<(), AuditFault> {
        self.under_lock(|store| {
            store.settle(now)?;
            store.rotate(now)?;
            store.append(entries, ending, now)
        })
    }

    /// Somebody's key, if it lives.
    ///
    /// # Errors
    /// The subjects' keys can't be read.
    pub(crate) fn find(&mut self, id: &str) -> Result<Option<SubjectKey>, AuditFault> {
        self.under_lock(|store| {
            store.people.settle()?;
            Ok(store.people.find(id))
        })
    }

    /// Destroys somebody's key, and writes down that it did: `entry`, with the name under which
    /// the lines stand. A chain that was closed is so again.
    ///
    /// # Errors
    /// It can't be destroyed, or that can't be written down.
    pub(crate) fn erase(
        &mut self,
        id: &str,
        entry: Entry,
        now: SystemTime,
    ) -> Result<Option<Pseudonym>, AuditFault> {
        self.under_lock(|store| {
            store.settle(now)?;
            let ending = store.at.as_ref().map_or(Ending::Open, |at| at.mark.ending);
            let erased = store.people.erase(id)?;
            if let Some(name) = erased {
                let entry = entry.text("pseudonym", &name.to_hex());
                store.append(&[entry], Some(ending), now)?;
            }
            Ok(erased)
        })
    }

    /// Removes sealed files, and subjects' keys, that are older than so many days, and writes down
    /// that it did; says how many files that were.
    ///
    /// # Errors
    /// They can't be removed, or that can't be written down.
    pub(crate) fn retain(&mut self, days: u32, now: SystemTime) -> Result<usize, AuditFault> {
        let kept = Duration::from_hours(24).saturating_mul(days);
        let Some(since) = now.checked_sub(kept) else {
            return Ok(0);
        };
        self.under_lock(|store| {
            store.settle(now)?;
            store.rotate(now)?;
            let log = store.places.log.clone();
            let aside = archive::list(&log).map_err(AuditFault::io("read", &log))?;
            let old: Vec<_> = aside.into_iter().filter(|file| file.at < since).collect();
            let keys = store.people.expire(day(since))?;
            if old.is_empty() && keys == 0 {
                return Ok(0);
            }
            let mut entry = Entry::new("retention", now)
                .number("days", u64::from(days))
                .number("files", u64::try_from(old.len()).unwrap_or(u64::MAX))
                .number("subjects", u64::try_from(keys).unwrap_or(u64::MAX));
            let last = old.iter().rev().find_map(|file| {
                // What can't be read has no last line to name.
                resume::last_head(&file.path).ok().flatten()
            });
            if let Some(head) = last {
                entry = entry
                    .number("through", head.seq)
                    .text("through_hash", head.hash.as_str());
            }
            let name = |file: &archive::Aside| {
                file.path
                    .file_name()
                    .map(|name| name.to_string_lossy().into_owned())
            };
            let names: Vec<_> = old.iter().filter_map(name).collect();
            entry = entry.text("removed", &names.join(" "));
            // Written first: a file that is gone without a word looks like an attack.
            store.append(&[entry], Some(Ending::Open), now)?;
            for file in &old {
                fs::remove_file(&file.path).map_err(AuditFault::io("remove", &file.path))?;
            }
            Ok(old.len())
        })
    }

    fn under_lock<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, AuditFault>,
    ) -> Result<T, AuditFault> {
        let io = || AuditFault::io("lock", &self.places.key);
        // Taken already by `open`, once; a lock that this process has is not waited for.
        self.lock.lock().map_err(io())?;
        let done = work(self);
        let unlocked = self
            .lock
            .unlock()
            .map_err(AuditFault::io("unlock", &self.places.key));
        done.and_then(|done| unlocked.map(|()| done))
    }

    /// Appends entries and checkpoints, and sets the mark; takes everything back if it can't.
    pub(super) fn append(
        &mut self,
        entries: &[Entry],
        ending: Option<Ending>,
        now: SystemTime,
    ) -> Result<(), AuditFault> {
        let Some(mut at) = self.at.take() else {
            return Err(AuditFault::Writer("lost its place".to_owned()));
        };
        let written = self.append_at(&mut at, entries, ending, now);
        if written.is_err() {
            // A line that stays without its mark is found, and named, by whoever goes on.
            let _taken_back = at.file.set_len(at.mark.offset);
            self.people.forget();
        }
        self.at = Some(at);
        written
    }

    fn append_at(
        &mut self,
        at: &mut Position,
        entries: &[Entry],
        ending: Option<Ending>,
        now: SystemTime,
    ) -> Result<(), AuditFault> {
        let (mut head, mut unsigned) = (at.mark.head, at.unsigned);
        let mut out = std::mem::take(&mut self.out);
        out.clear();
        for entry in entries {
            self.compose(entry)?;
            head.append(entry.at, &self.body, &mut out);
            unsigned = unsigned.saturating_add(1);
            if unsigned >= CHECKPOINT_LINES {
                self.checkpoint(&mut head, Ending::Open, now, &mut out);
                unsigned = 0;
            }
        }
        if let Some(ending) = ending {
            self.checkpoint(&mut head, ending, now, &mut out);
            unsigned = 0;
        }
        let length = u64::try_from(out.len()).unwrap_or(u64::MAX);
        let mark = Mark {
            head,
            offset: at.mark.offset.saturating_add(length),
            ending: ending.unwrap_or(Ending::Open),
            ..at.mark.clone()
        };
        let text = mark.to_line(&self.signer);
        self.people.flush()?;
        let io = || AuditFault::io("write", &self.places.log);
        at.file.seek(SeekFrom::End(0)).map_err(io())?;
        at.file.write_all(&out).map_err(io())?;
        if ending.is_some() {
            self.people
                .sync()
                .map_err(AuditFault::io("write", &self.places.people))?;
            at.file.sync_data().map_err(io())?;
            replace(&self.places.mark, text.as_bytes(), 0o600)
        } else {
            replace_soon(&self.places.mark, text.as_bytes(), 0o600)
        }
        .map_err(AuditFault::io("write", &self.places.mark))?;
        (at.mark, at.text, at.unsigned) = (mark, text, unsigned);
        out.shrink_to(1024 * 1024);
        self.out = out;
        Ok(())
    }

    /// Makes the body of an entry's line.
    fn compose(&mut self, entry: &Entry) -> Result<(), AuditFault> {
        let mut body = std::mem::take(&mut self.body);
        body.clear();
        body.extend_from_slice(&entry.body());
        for (person, names) in [
            (&entry.who, ("subject", "sealed")),
            (&entry.about, ("about", "about_sealed")),
        ] {
            if let Some(person) = person {
                self.people.seal(person, entry.at, names, &mut body)?;
            }
        }
        self.body = body;
        Ok(())
    }

    fn checkpoint(&self, head: &mut Head, ending: Ending, now: SystemTime, out: &mut Vec<u8>) {
        let body = format!("checkpoint\",\"state\":\"{}\"", ending.as_str());
        head.append_signed(now, body.as_bytes(), &self.signer, out);
    }
}
