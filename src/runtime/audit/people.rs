//! The file of the subjects' keys, beside the audit log.
//!
//! Decides how it is kept: new keys are appended before the lines that need them, a key that is
//! destroyed is gone from a file written anew and put in the old one's place. Whoever calls holds
//! the chain's lock. The file is for its owner alone; what is in memory is wiped when dropped.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::PathBuf;
use std::time::SystemTime;

use zeroize::Zeroizing;

use super::{AuditFault, replace};
use crate::record::chain::entry::Personal;
use crate::record::chain::personal::{
    ENTRY_RANDOM, Lookup, NONCE, Pseudonym, SubjectKey, Subjects,
};

/// Seconds of a day.
const DAY: u64 = 86_400;

/// The day of a moment, since 1970.
pub(super) fn day(now: SystemTime) -> u64 {
    let since = now
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    since.as_secs() / DAY
}

/// The subjects' keys, as in the file.
pub(super) struct People {
    path: PathBuf,
    table: Subjects,
    /// Which file was read, and how long it was.
    known: Option<(u64, u64)>,
    /// Rows that are not in the file yet.
    pending: Zeroizing<String>,
}

impl People {
    /// The keys of a file that is still to be read or made.
    pub(super) fn new(path: PathBuf) -> Result<Self, AuditFault> {
        Ok(Self {
            path,
            table: Subjects::new(random()?),
            known: None,
            pending: Zeroizing::default(),
        })
    }

    /// Reads the file again if another process has written it. Makes it where there is none.
    pub(super) fn settle(&mut self) -> Result<(), AuditFault> {
        match fs::metadata(&self.path) {
            Ok(found) if self.known == Some((found.ino(), found.len())) => Ok(()),
            Ok(_) => {
                let text = fs::read_to_string(&self.path).map(Zeroizing::new);
                let text = text.map_err(AuditFault::io("read", &self.path))?;
                self.table = Subjects::read(&text).map_err(|fault| AuditFault::People {
                    path: self.path.clone(),
                    fault,
                })?;
                self.pending = Zeroizing::default();
                if text.ends_with('\n') {
                    self.look()
                } else {
                    // A row that was cut off must not begin the next one.
                    self.rewrite()
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // Whoever removes the file erases everybody.
                self.table = Subjects::new(random()?);
                self.pending = Zeroizing::default();
                self.rewrite()
            }
            Err(error) => Err(AuditFault::io("read", &self.path)(error)),
        }
    }

    fn look(&mut self) -> Result<(), AuditFault> {
        let found = fs::metadata(&self.path).map_err(AuditFault::io("read", &self.path))?;
        self.known = Some((found.ino(), found.len()));
        Ok(())
    }

    fn rewrite(&mut self) -> Result<(), AuditFault> {
        let written = replace(&self.path, self.table.to_text().as_bytes(), 0o600);
        written.map_err(AuditFault::io("write", &self.path))?;
        self.look()
    }

    /// The key of somebody, made where there is none.
    fn key(&mut self, person: &Personal, now: SystemTime) -> Result<SubjectKey, AuditFault> {
        let day = day(now);
        let mut lookup = self.table.lookup(&person.subject);
        let mut found = self.table.find(lookup);
        if found.is_none() && person.anonymous && !self.table.has_room() {
            lookup = self.table.lookup(&shared(day));
            found = self.table.find(lookup);
        }
        let key = match found {
            Some(key) if key.day >= day => return Ok(key.clone()),
            Some(_) => self.table.used(lookup, day),
            None => None,
        };
        let key = match key {
            Some(key) => key,
            None => self.table.make(lookup, &*random::<ENTRY_RANDOM>()?, day),
        };
        self.pending.push_str(&Subjects::row(lookup, &key));
        Ok(key)
    }

    /// Adds what is told of somebody to a line, under these two names.
    pub(super) fn seal(
        &mut self,
        person: &Personal,
        now: SystemTime,
        (name, sealed): (&str, &str),
        body: &mut Vec<u8>,
    ) -> Result<(), AuditFault> {
        let key = self.key(person, now)?;
        let nonce = *random::<NONCE>()?;
        let text = key
            .seal(&person.masked(), nonce)
            .map_err(AuditFault::Sealing)?;
        for (name, value) in [(name, &key.pseudonym.to_hex()), (sealed, &text)] {
            for part in [",\"", name, "\":\"", value, "\""] {
                body.extend_from_slice(part.as_bytes());
            }
        }
        Ok(())
    }

    /// Writes the rows that are not in the file yet.
    pub(super) fn flush(&mut self) -> Result<(), AuditFault> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let append = || {
            let mut file = OpenOptions::new()
                .append(true)
                .mode(0o600)
                .open(&self.path)?;
            file.write_all(self.pending.as_bytes())
        };
        append().map_err(AuditFault::io("write", &self.path))?;
        self.pending = Zeroizing::default();
        self.look()
    }

    /// Forces the file to disk.
    pub(super) fn sync(&self) -> io::Result<()> {
        File::open(&self.path)?.sync_data()
    }

    /// Has the file read again, after something could not be written.
    pub(super) const fn forget(&mut self) {
        self.known = None;
    }

    /// What somebody is found by.
    fn lookup(&self, id: &str) -> Lookup {
        self.table.lookup(id)
    }

    /// Somebody's key, if it lives.
    pub(super) fn find(&self, id: &str) -> Option<SubjectKey> {
        self.table.find(self.lookup(id)).cloned()
    }

    /// Destroys somebody's key.
    pub(super) fn erase(&mut self, id: &str) -> Result<Option<Pseudonym>, AuditFault> {
        let erased = self.table.erase(self.lookup(id));
        if erased.is_some() {
            self.pending = Zeroizing::default();
            self.rewrite().inspect_err(|_| self.known = None)?;
        }
        Ok(erased)
    }

    /// Destroys the keys that were last used before a day.
    pub(super) fn expire(&mut self, day: u64) -> Result<usize, AuditFault> {
        let count = self.table.expire(day);
        if count > 0 {
            self.rewrite().inspect_err(|_| self.known = None)?;
        }
        Ok(count)
    }
}

/// The name of those who have no key of their own on a day.
fn shared(day: u64) -> String {
    format!("anonymous:{day}")
}

/// Random bits.
pub(super) fn random<const N: usize>() -> Result<Zeroizing<[u8; N]>, AuditFault> {
    let mut bytes = Zeroizing::new([0_u8; N]);
    getrandom::fill(&mut *bytes).map_err(AuditFault::Random)?;
    Ok(bytes)
}
