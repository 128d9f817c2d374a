//! Where the next line goes: the file that is there, the one before it, or a new one.
//!
//! Decides when a file is sealed (a day is over, it is large, somebody moved it) and when it is
//! left for broken. Whoever calls holds the chain's lock.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::time::SystemTime;

use super::keys::open_private;
use super::people::random;
use super::resume::{self, Found, Tail};
use super::store::{Position, Store};
use super::{AuditFault, own_as};
use crate::record::chain::entry::Entry;
use crate::record::chain::mark::Mark;
use crate::record::chain::verify::VERSION;
use crate::record::chain::{Ending, Head, hex};
use crate::record::json::push_moment;
use crate::runtime::archive;

/// Bytes at which a file is sealed.
const SEGMENT_BYTES: u64 = 256 * 1024 * 1024;

/// Why a new file is begun.
enum Because {
    First,
    Sealed,
    Missing,
    Broken { aside: Option<String>, why: String },
}

impl Store {
    /// Finds out where the chain ends, if this process does not know.
    pub(super) fn settle(&mut self, now: SystemTime) -> Result<(), AuditFault> {
        self.people.settle()?;
        let text = match fs::read_to_string(&self.places.mark) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(AuditFault::io("read", &self.places.mark)(error)),
        };
        let first = self.at.is_none();
        let Some(at) = self.at.take() else {
            return self.resume(text.as_deref(), first, now);
        };
        if text.as_ref() != Some(&at.text) {
            return self.resume(text.as_deref(), first, now);
        }
        let own = at
            .file
            .metadata()
            .map_err(AuditFault::io("read", &self.places.log))?;
        let there = fs::metadata(&self.places.log).ok();
        let in_place =
            there.is_some_and(|there| (there.ino(), there.dev()) == (own.ino(), own.dev()));
        match (in_place, own.len() == at.mark.offset) {
            (true, true) => {
                self.at = Some(at);
                Ok(())
            }
            // Moved away by somebody else, whole: it is sealed where it is.
            (false, true) => {
                self.at = Some(at);
                self.seal(now)?;
                self.begin(Because::Missing, now)
            }
            (_, false) => {
                let why = format!(
                    "the file has {} bytes where this process has written {}",
                    own.len(),
                    at.mark.offset
                );
                let mark = at.mark;
                self.break_off(Some(&mark), why, now)
            }
        }
    }

    fn resume(
        &mut self,
        text: Option<&str>,
        first: bool,
        now: SystemTime,
    ) -> Result<(), AuditFault> {
        let found = resume::look(&self.places, &self.public, text)?;
        let (word, mark) = match &found {
            Found::Nothing => ("new", None),
            Found::Next(mark) if mark.ending == Ending::Sealed => ("closed", Some(mark)),
            Found::Next(mark) => ("moved", Some(mark)),
            Found::Chain(tail) if tail.mark.ending == Ending::Open => ("open", Some(&tail.mark)),
            Found::Chain(tail) => ("closed", Some(&tail.mark)),
            Found::Broken(mark, _) => ("broken", mark.as_ref()),
        };
        let mark = mark.cloned();
        if first {
            self.found = word;
        }
        match found {
            Found::Nothing => self.begin_after(None, Because::First, now),
            Found::Chain(tail) => self.go_on(tail, text, now),
            Found::Broken(_, why) => self.break_off(mark.as_ref(), why, now),
            Found::Next(mark) if mark.ending == Ending::Sealed => {
                self.put_aside(false, now)?;
                self.begin_after(Some(&mark), Because::Sealed, now)
            }
            Found::Next(mark) => {
                log::error!(
                    "the audit log {} is gone; a new file goes on after record {}",
                    self.places.log.display(),
                    mark.head.seq
                );
                self.begin_after(Some(&mark), Because::Missing, now)
            }
        }
    }

    /// Goes on with a file that another process has left.
    fn go_on(&mut self, tail: Tail, text: Option<&str>, now: SystemTime) -> Result<(), AuditFault> {
        let Tail {
            file,
            mark,
            unsigned,
            torn,
            day,
        } = tail;
        if torn > 0 {
            file.set_len(mark.offset)
                .map_err(AuditFault::io("write", &self.places.log))?;
        }
        self.at = Some(Position {
            file,
            mark,
            text: text.unwrap_or_default().to_owned(),
            day,
            unsigned: 0,
        });
        if unsigned == 0 && torn == 0 && text.is_some() {
            return Ok(());
        }
        let entry = Entry::new("recovered", now)
            .number("unsigned_lines", unsigned)
            .number("torn_bytes", torn);
        log::warn!(
            "the audit log was left in the middle: {unsigned} lines without a signature, {torn} \
             bytes of a torn one"
        );
        self.append(&[entry], Some(Ending::Open), now)
    }

    /// Leaves a file that can't be gone on with, and begins another that says so.
    fn break_off(
        &mut self,
        mark: Option<&Mark>,
        why: String,
        now: SystemTime,
    ) -> Result<(), AuditFault> {
        let aside = self.put_aside(true, now)?;
        log::error!(
            "THE AUDIT LOG {} WAS TAMPERED WITH OR DAMAGED: {why}. What there was is kept as {}; \
             a new file begins",
            self.places.log.display(),
            aside.as_deref().unwrap_or("nothing")
        );
        self.begin_after(mark, Because::Broken { aside, why }, now)
    }

    /// Gives the file the name of one that was set aside; says which, if there is a file.
    fn put_aside(&self, broken: bool, now: SystemTime) -> Result<Option<String>, AuditFault> {
        let log = &self.places.log;
        if !fs::metadata(log).is_ok_and(|found| found.len() > 0) {
            return Ok(None);
        }
        let name = archive::name(log, now, broken).map_err(AuditFault::io("read", log))?;
        fs::rename(log, &name).map_err(AuditFault::io("rename", log))?;
        Ok(name
            .file_name()
            .map(|name| name.to_string_lossy().into_owned()))
    }

    /// Seals the file, so that its end is an end.
    fn seal(&mut self, now: SystemTime) -> Result<(), AuditFault> {
        self.append(&[], Some(Ending::Sealed), now)
    }

    /// Seals the file and begins the next one, if a day is over or the file is large.
    pub(super) fn rotate(&mut self, now: SystemTime) -> Result<(), AuditFault> {
        let Some(at) = &self.at else {
            return Ok(());
        };
        if at.day == date(now) && at.mark.offset < SEGMENT_BYTES {
            return Ok(());
        }
        self.seal(now)?;
        self.put_aside(false, now)?;
        self.begin(Because::Sealed, now)
    }

    fn begin(&mut self, because: Because, now: SystemTime) -> Result<(), AuditFault> {
        let mark = self.at.take().map(|at| at.mark);
        self.begin_after(mark.as_ref(), because, now)
    }

    /// Begins a file.
    fn begin_after(
        &mut self,
        before: Option<&Mark>,
        because: Because,
        now: SystemTime,
    ) -> Result<(), AuditFault> {
        let (chain, segment, head) = match before {
            Some(mark) => (mark.chain.clone(), mark.segment, mark.head),
            None => (hex(&*random::<16>()?).into(), 0, Head::NONE),
        };
        let segment = segment.saturating_add(1);
        let file = open_private(&self.places.log)?;
        // Whoever moved the old one away may have made a new one for everybody.
        file.set_permissions(fs::Permissions::from_mode(0o600))
            .and_then(|()| own_as(&file, &self.places.key))
            .map_err(AuditFault::io("write", &self.places.log))?;
        let mut entry = Entry::new("segment", now)
            .number("version", u64::from(VERSION))
            .text("chain", &chain)
            .number("segment", segment)
            .text("key", &self.public.to_base64());
        match because {
            Because::First | Because::Sealed => {}
            Because::Missing => entry = entry.text("after", "moved"),
            Because::Broken { aside, why } => {
                entry = entry.text("after", "broken").text("why", &why);
                if let Some(name) = aside {
                    entry = entry.text("file", &name);
                }
            }
        }
        self.at = Some(Position {
            file,
            mark: Mark {
                chain,
                segment,
                head,
                offset: 0,
                ending: Ending::Open,
            },
            text: String::new(),
            day: date(now),
            unsigned: 0,
        });
        self.append(&[entry], None, now)
    }
}

/// The day of a moment, as lines write it.
fn date(now: SystemTime) -> String {
    let mut text = Vec::with_capacity(24);
    push_moment(&mut text, now);
    text.truncate(10);
    String::from_utf8(text).unwrap_or_default()
}
