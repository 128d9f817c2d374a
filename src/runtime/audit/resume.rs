//! Where a chain on disk ends, and whether it can be gone on with.
//!
//! Decides by the mark: what it vouches for must be there, and what follows must be whole lines of
//! the chain. What is before the mark is not read; `portcullis audit verify` does that. A last
//! line that was torn in a crash is no reason not to go on, anything else that is wrong is.

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use super::{AuditFault, Places};
use crate::record::chain::key::PublicKey;
use crate::record::chain::line::{MAX_LINE, Parts};
use crate::record::chain::mark::Mark;
use crate::record::chain::verify::{Problem, Verifier};
use crate::record::chain::{Ending, Head};

/// What there is.
pub(super) enum Found {
    /// Nothing.
    Nothing,
    /// A chain without its last file, which was moved away, or was about to be made.
    Next(Mark),
    /// A chain to go on with.
    Chain(Tail),
    /// A file that can't be gone on with, and why; and what is known of its chain.
    Broken(Option<Mark>, String),
}

/// The end of a file.
pub(super) struct Tail {
    /// The file, open for appending.
    pub(super) file: File,
    /// Where it ends, by its lines.
    pub(super) mark: Mark,
    /// Whole lines after those that the mark vouches for.
    pub(super) unsigned: u64,
    /// Bytes of a line that was torn.
    pub(super) torn: u64,
    /// The moment of its first line, in its first ten characters: the day.
    pub(super) day: String,
}

/// Looks where the chain ends. `mark` is the text of the mark's file, if there is one.
pub(super) fn look(
    places: &Places,
    key: &PublicKey,
    mark: Option<&str>,
) -> Result<Found, AuditFault> {
    let read = mark.map(|text| Mark::read(text, key));
    let file = OpenOptions::new()
        .read(true)
        .append(true)
        .mode(0o600)
        .open(&places.log);
    let file = match file {
        Ok(file) => Some(file),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(AuditFault::io("open", &places.log)(error)),
    };
    let length = match &file {
        Some(file) => {
            let data = file.metadata();
            data.map_err(AuditFault::io("read", &places.log))?.len()
        }
        None => 0,
    };
    match (read, file) {
        (None, _) if length == 0 => Ok(Found::Nothing),
        (Some(Some(mark)), None) => Ok(Found::Next(mark)),
        // A tool that moves the file away may have made an empty one.
        (Some(Some(mark)), Some(_)) if length == 0 => Ok(Found::Next(mark)),
        (Some(Some(mark)), Some(file)) => tail(file, mark, *key, &places.log),
        (Some(None), None) => Ok(Found::Broken(
            None,
            "the mark of its end is not signed by its key".to_owned(),
        )),
        (mark, Some(file)) => {
            let why = match mark {
                Some(_) => "the mark of its end is not signed by its key",
                None => "the mark of its end is missing",
            };
            unmarked(file, *key, &places.log, why)
        }
        (None, None) => Ok(Found::Nothing),
    }
}

/// Reads what follows a mark.
fn tail(mut file: File, mark: Mark, key: PublicKey, path: &Path) -> Result<Found, AuditFault> {
    let io = || AuditFault::io("read", path);
    let day = first_day(&mut file).map_err(io())?;
    let sealed = mark.ending == Ending::Sealed;
    let vouched = line_before(&mut file, mark.offset).map_err(io())?;
    let parts = Parts::of(&vouched).filter(Parts::is_whole);
    let is_there =
        parts.is_some_and(|parts| parts.seq == mark.head.seq && parts.hash == mark.head.hash);
    // Sealed, and the next file was begun before the mark could say so: that is read whole.
    let from = match (is_there, sealed) {
        (true, true) => return Ok(Found::Next(mark)),
        (true, false) => mark.offset,
        (false, true) => 0,
        (false, false) => {
            let why = format!(
                "record {}, which was signed, is not where it was: the file was cut or edited",
                mark.head.seq
            );
            return Ok(Found::Broken(Some(mark), why));
        }
    };
    file.seek(SeekFrom::Start(from)).map_err(io())?;
    let mut verifier = Verifier::after(&mark, key);
    let (read, fault) = run(&mut verifier, &file, path)?;
    let seen = verifier.seen();
    if let Some(fault) = fault.filter(|fault| *fault != Problem::Torn) {
        let why = format!(
            "{} bytes after record {}: {fault}",
            read.whole, mark.head.seq
        );
        return Ok(Found::Broken(Some(mark), why));
    }
    if read.lines > 0 && mark.ending == Ending::Closed {
        let why = Problem::AfterEnd.to_string();
        return Ok(Found::Broken(Some(mark), why));
    }
    let next = Mark {
        head: seen.map_or(mark.head, |seen| seen.head),
        segment: seen.map_or(mark.segment, |seen| seen.segment),
        offset: from.saturating_add(read.whole),
        ..mark
    };
    Ok(Found::Chain(Tail {
        file,
        mark: next,
        unsigned: read.lines,
        torn: read.torn,
        day,
    }))
}

/// A file without a mark: it may be gone on with if it is whole and ends in good order.
fn unmarked(mut file: File, key: PublicKey, path: &Path, why: &str) -> Result<Found, AuditFault> {
    let day = first_day(&mut file).map_err(AuditFault::io("read", path))?;
    file.rewind().map_err(AuditFault::io("read", path))?;
    let mut verifier = Verifier::new(Some(key));
    let (read, fault) = run(&mut verifier, &file, path)?;
    let mark = verifier.seen().map(|seen| Mark {
        chain: seen.chain.clone(),
        segment: seen.segment,
        head: seen.head,
        offset: read.whole,
        ending: seen.ending,
    });
    let fault = fault.or_else(|| verifier.finish(None, false).err());
    match (mark, fault) {
        (Some(mark), None) => Ok(Found::Chain(Tail {
            file,
            mark,
            unsigned: 0,
            torn: 0,
            day,
        })),
        (mark, Some(fault)) => Ok(Found::Broken(mark, format!("{why}, and {fault}"))),
        (None, None) => Ok(Found::Broken(None, why.to_owned())),
    }
}

/// How much was read.
struct Read {
    lines: u64,
    /// Bytes of whole lines.
    whole: u64,
    /// Bytes of a last line without its end.
    torn: u64,
}

/// Checks a file's lines from where it stands.
fn run(
    verifier: &mut Verifier,
    file: &File,
    path: &Path,
) -> Result<(Read, Option<Problem>), AuditFault> {
    let mut reader = BufReader::with_capacity(MAX_LINE, file);
    let mut read = Read {
        lines: 0,
        whole: 0,
        torn: 0,
    };
    let mut line = Vec::new();
    loop {
        line.clear();
        let most = u64::try_from(MAX_LINE).unwrap_or(u64::MAX);
        (&mut reader)
            .take(most)
            .read_until(b'\n', &mut line)
            .map_err(AuditFault::io("read", path))?;
        let length = u64::try_from(line.len()).unwrap_or(u64::MAX);
        let Some(text) = line.strip_suffix(b"\n") else {
            read.torn = length;
            let problem = if length == most {
                Some(Problem::Shape)
            } else {
                (length > 0).then_some(Problem::Torn)
            };
            return Ok((read, problem));
        };
        if let Err(problem) = verifier.push(text) {
            return Ok((read, Some(problem)));
        }
        read.lines = read.lines.saturating_add(1);
        read.whole = read.whole.saturating_add(length);
    }
}

/// The line that ends at an offset, without its line break.
fn line_before(file: &mut File, offset: u64) -> std::io::Result<Vec<u8>> {
    let most = u64::try_from(MAX_LINE).unwrap_or(u64::MAX).min(offset);
    file.seek(SeekFrom::Start(offset.saturating_sub(most)))?;
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes)?;
    let whole = u64::try_from(bytes.len()).is_ok_and(|length| length == most);
    if !whole || bytes.pop() != Some(b'\n') {
        return Ok(Vec::new());
    }
    let start = memchr::memrchr(b'\n', &bytes).map_or(0, |end| end.saturating_add(1));
    Ok(bytes.split_off(start))
}

/// The day of a file's first line, as far as it has one.
fn first_day(file: &mut File) -> std::io::Result<String> {
    file.rewind()?;
    let mut start = Vec::new();
    file.take(256).read_to_end(&mut start)?;
    let text = String::from_utf8_lossy(&start).into_owned();
    let day = text
        .split_once("\"time\":\"")
        .and_then(|(_, rest)| rest.get(..10));
    Ok(day.unwrap_or_default().to_owned())
}

/// The last line of a file, where it has the shape of one: its number and hash.
pub(super) fn last_head(path: &Path) -> std::io::Result<Option<Head>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let line = line_before(&mut file, length)?;
    Ok(Parts::of(&line).map(|parts| Head {
        seq: parts.seq,
        hash: parts.hash,
    }))
}
