//! The audit log: its files, its writer, and the search for one subject's lines.
//!
//! Lives here: the queue and the thread behind it (`writer`), the files and the lock that lets one
//! process at a time write them (`store`, `place`, `resume`, `keys`), the subjects' keys (`people`), reading
//! (`read`). Must not live here: what a line looks like and what is worth one (`record::chain`).
//!
//! Beside `audit.jsonl` lie `.key` and `.pub` (which sign and check it), `.state` (where it ends,
//! signed), `.subjects` (the keys of personal fields), and the files that were sealed.

mod keys;
mod people;
mod place;
pub(crate) mod read;
mod resume;
pub(crate) mod store;
mod writer;

#[cfg(test)]
mod tests;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::archive;
use crate::record::chain::key::KeyFault;
use crate::record::chain::personal::PersonalFault;
pub use writer::AuditLog;

/// Why the audit log can't be kept.
#[derive(Debug, Error)]
pub enum AuditFault {
    /// A file can't be read or written.
    #[error("can't {what} {}: {source}", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file that should hold a key holds none.
    #[error("{}: {fault}; put the right one back, or move the audit log and everything beside it away", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        fault: KeyFault,
    },
    /// The two keys are not a pair.
    #[error("{} is not the public key of {}; put the right one back", public.display(), private.display())]
    Pair {
        /// The public key's file.
        public: PathBuf,
        /// The private key's file.
        private: PathBuf,
    },
    /// Others can read a secret.
    #[error("{0} can be read or written by others; chmod 600 {0}")]
    Exposed(String),
    /// The file of the subjects' keys can't be read.
    #[error("{}: {fault}; put a whole one back, or remove it, which erases every subject", path.display())]
    People {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        fault: PersonalFault,
    },
    /// Personal fields can't be sealed.
    #[error(transparent)]
    Sealing(PersonalFault),
    /// The system gives no random bits.
    #[error("the system gives no random bits: {0}")]
    Random(getrandom::Error),
    /// The writer's thread can't be started, or does not answer.
    #[error("the audit writer {0}")]
    Writer(String),
}

impl AuditFault {
    pub(crate) fn io(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io { what, path, source }
    }
}

/// The files of an audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Places {
    /// The log itself.
    pub(crate) log: PathBuf,
    /// What signs it.
    pub(crate) key: PathBuf,
    /// What checks it.
    pub(crate) public: PathBuf,
    /// Where it ends.
    pub(crate) mark: PathBuf,
    /// The subjects' keys.
    pub(crate) people: PathBuf,
}

impl Places {
    /// The files beside a log, or beside what was set aside of it.
    pub(crate) fn of(path: &Path) -> Self {
        let log = archive::original(path);
        let beside = |ending: &str| {
            let mut name = log.file_name().unwrap_or_default().to_os_string();
            name.push(ending);
            log.with_file_name(name)
        };
        Self {
            key: beside(".key"),
            public: beside(".pub"),
            mark: beside(".state"),
            people: beside(".subjects"),
            log,
        }
    }
}

/// Puts a file in the place of another, so that whoever reads sees the one or the other, whole.
fn replace(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    put(path, bytes, mode, true)
}

/// The same without waiting for the disk: a process that is killed loses nothing, a machine that
/// is may.
fn replace_soon(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    put(path, bytes, mode, false)
}

/// Gives a file to whom another one belongs: a command that root runs must not lock the gateway
/// out.
fn own_as(file: &File, other: &Path) -> io::Result<()> {
    let Ok(other) = fs::metadata(other) else {
        return Ok(());
    };
    let own = file.metadata()?;
    if (own.uid(), own.gid()) != (other.uid(), other.gid()) {
        std::os::unix::fs::fchown(file, Some(other.uid()), Some(other.gid()))?;
    }
    Ok(())
}

fn put(path: &Path, bytes: &[u8], mode: u32, now: bool) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".new");
    let beside = path.with_file_name(name);
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(mode)
        .open(&beside)?;
    file.set_permissions(fs::Permissions::from_mode(mode))?;
    own_as(&file, path)?;
    file.write_all(bytes)?;
    if now {
        file.sync_all()?;
    }
    fs::rename(&beside, path)?;
    if now {
        File::open(archive::folder(path))?.sync_all()?;
    }
    Ok(())
}
