//! The check of an audit log's files, one line after the other.
//!
//! Decides which key and which mark belong to which files, and where a fault is. What is wrong
//! with a line is `record::chain::verify`'s.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::record::chain::key::PublicKey;
use crate::record::chain::mark::Mark;
use crate::record::chain::verify::{Problem, Seen, Verifier};
use crate::runtime::audit::{Places, read};

/// How often a log that is written at the same time is looked at anew.
const TRIES: usize = 5;

/// What is to be checked, and by what.
pub(super) struct Check<'a> {
    /// The files, oldest first.
    pub(super) files: &'a [PathBuf],
    /// Where the public key is, if not beside them.
    pub(super) public_key: Option<&'a Path>,
    /// Whether the end may be missing.
    pub(super) open: bool,
}

/// What was found.
#[derive(Debug)]
pub(super) struct Outcome {
    /// What was seen of the chain.
    pub(super) seen: Option<Seen>,
    /// The first fault.
    pub(super) fault: Option<Fault>,
    /// The key that was used.
    pub(super) key: Option<PublicKey>,
    /// Whether that key came from outside the files.
    pub(super) trusted: bool,
    /// Whether a mark vouches for the end.
    pub(super) marked: bool,
}

/// What is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// The file.
    pub(super) file: PathBuf,
    /// The line, from 1; 0 where it is the file as a whole.
    pub(super) line: u64,
    /// What is wrong.
    pub(super) problem: String,
}

/// Why nothing could be checked.
#[derive(Debug, thiserror::Error)]
#[error("{}: {problem}", path.display())]
pub(super) struct Unusable {
    path: PathBuf,
    problem: String,
}

impl Unusable {
    pub(super) fn new(path: &Path, problem: &dyn std::fmt::Display) -> Self {
        Self {
            path: path.to_path_buf(),
            problem: problem.to_string(),
        }
    }

    /// A file can't be read that should be `what`.
    pub(super) fn unread(path: &Path, error: &io::Error, what: &str) -> Self {
        Self::new(path, &format!("can't be read: {error}; name {what}"))
    }
}

impl Check<'_> {
    /// Checks the files; `take` gets every line that is read, whatever comes of it.
    pub(super) fn run(
        &self,
        take: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<Outcome, Unusable> {
        let last = self.files.last().map(|file| (file, Places::of(file)));
        let own = self.key()?;
        let trusted = own.is_some();
        let key = match own {
            Some(key) => Some(key),
            None => self.named_key(),
        };
        let state = last
            .filter(|(file, places)| *file == &places.log)
            .map(|(_, places)| places.mark);
        let mark = match (&state, key) {
            (Some(path), Some(key)) => mark(path, &key)?,
            (Some(_) | None, _) => Ok(None),
        };
        let mut outcome = Outcome {
            seen: None,
            fault: None,
            key,
            trusted,
            marked: matches!(mark, Ok(Some(_))),
        };
        let mark = match mark {
            Ok(mark) => mark,
            Err(fault) => {
                outcome.fault = Some(fault);
                return Ok(outcome);
            }
        };
        let mut verifier = Verifier::new(key);
        if let Some(mark) = &mark {
            verifier.look_for(mark);
        }
        outcome.fault = self.lines(&mut verifier, take)?;
        if outcome.fault.is_none()
            && let Err(problem) = verifier.finish(mark.as_ref(), self.open)
        {
            outcome.fault = self.at_the_end(&verifier, &problem);
        }
        outcome.seen = verifier.seen().cloned();
        Ok(outcome)
    }

    /// The same of a log that may be written in the meantime.
    pub(super) fn run_settled(&self) -> Result<Outcome, Unusable> {
        let mut before = self.run(&mut |_line| Ok(()))?;
        for _ in 1..TRIES {
            if before.fault.is_none() {
                break;
            }
            // A fault that is one stays; a line that was half-written does not.
            let again = self.run(&mut |_line| Ok(()))?;
            if again.fault == before.fault {
                break;
            }
            before = again;
        }
        Ok(before)
    }

    fn lines(
        &self,
        verifier: &mut Verifier,
        take: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<Option<Fault>, Unusable> {
        let mut fault = None;
        for file in self.files {
            verifier.next_file();
            let mut number = 0_u64;
            read::lines(file, &mut |line| {
                number = number.saturating_add(1);
                if fault.is_none() {
                    let found = match line.strip_suffix(b"\n") {
                        Some(line) => verifier.push(line),
                        None => Err(Problem::Torn),
                    };
                    fault = found.err().map(|problem| Fault {
                        file: file.clone(),
                        line: number,
                        problem: problem.to_string(),
                    });
                }
                take(line)
            })
            .map_err(|error| Unusable::unread(file, &error, "a file of the audit log"))?;
        }
        Ok(fault)
    }

    fn at_the_end(&self, verifier: &Verifier, problem: &Problem) -> Option<Fault> {
        let file = self.files.last()?.clone();
        let mut line = 0_u64;
        if verifier.seen().is_some() {
            let counted = read::lines(&file, &mut |_line| {
                line = line.saturating_add(1);
                Ok(())
            });
            line = counted.map_or(0, |()| line);
        }
        Some(Fault {
            file,
            line,
            problem: problem.to_string(),
        })
    }

    /// The key that was named, or that lies beside the files.
    fn key(&self) -> Result<Option<PublicKey>, Unusable> {
        let beside = self.files.last().map(|file| Places::of(file).public);
        let path = match (self.public_key, &beside) {
            (Some(path), _) => path,
            (None, Some(path)) if path.exists() => path,
            (None, _) => return Ok(None),
        };
        let text = fs::read_to_string(path)
            .map_err(|error| Unusable::unread(path, &error, "the public key of this log"))?;
        let key = PublicKey::read(&text).map_err(|fault| Unusable::new(path, &fault))?;
        Ok(Some(key))
    }

    /// The key that the files name themselves.
    fn named_key(&self) -> Option<PublicKey> {
        let mut verifier = Verifier::new(None);
        let first = self.files.first()?;
        // The first line is enough.
        let _stopped = read::lines(first, &mut |line| {
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            let _named = verifier.push(line);
            Err(io::ErrorKind::Interrupted.into())
        });
        verifier.key()
    }
}

/// The mark beside a log; a fault where there is one that nobody signed.
fn mark(path: &Path, key: &PublicKey) -> Result<Result<Option<Mark>, Fault>, Unusable> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Mark::read(&text, key).map(Some).ok_or_else(|| Fault {
            file: path.to_path_buf(),
            line: 1,
            problem: "the mark of the log's end is not signed by its key".to_owned(),
        })),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Ok(None)),
        Err(error) => Err(Unusable::new(path, &error)),
    }
}
