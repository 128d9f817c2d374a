//! The machine as configurations see it: its files and its environment.
//!
//! Decides nothing about what it reads. It never reads a file over 4 MiB at once, nor one that is
//! not a plain file, so that a mistaken path (a device, a pipe) can't hang the program.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use crate::config::fault::Fault;
use crate::config::{self, FileContent, Resolve, Reviewed, SourceInfo, Unreadable};
use crate::runtime::files::{Files, Noted};

/// Longest file that is read.
const MAX_FILE_BYTES: u64 = 4 * 1024 * 1024;
/// Longest file that is read in pieces: some millions of keys.
const MAX_PIECES_BYTES: u64 = 1024 * 1024 * 1024;
const PIECE_BYTES: usize = 65_536;

/// This machine's files and environment.
#[derive(Debug, Clone, Copy, Default)]
pub struct Machine;

impl Resolve for Machine {
    fn env(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn read(&self, path: &Path) -> Result<FileContent, Unreadable> {
        content(path).map_err(|error| unreadable(&error))
    }

    fn read_in_pieces(
        &self,
        path: &Path,
        take: &mut dyn FnMut(&[u8]),
    ) -> Result<Option<u32>, Unreadable> {
        pieces(path, take)
            .map(Some)
            .map_err(|error| unreadable(&error))
    }
}

fn unreadable(error: &io::Error) -> Unreadable {
    if error.kind() == io::ErrorKind::NotFound {
        Unreadable::Missing
    } else {
        Unreadable::Failed(error.to_string())
    }
}

fn open(path: &Path) -> io::Result<(File, u32)> {
    // Asked before opening, because opening a pipe waits for its other end.
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a plain file"));
    }
    let file = File::open(path)?;
    let mode = file.metadata()?.mode();
    Ok((file, mode))
}

fn pieces(path: &Path, take: &mut dyn FnMut(&[u8])) -> io::Result<u32> {
    let (file, mode) = open(path)?;
    let length = file.metadata()?.len();
    if length > MAX_PIECES_BYTES {
        return Err(io::Error::other(format!(
            "it is longer than {MAX_PIECES_BYTES} bytes"
        )));
    }
    let mut rest = file.take(MAX_PIECES_BYTES);
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        match rest.read(&mut piece) {
            Ok(0) => return Ok(mode),
            Ok(length) => take(piece.get(..length).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn content(path: &Path) -> io::Result<FileContent> {
    let (file, mode) = open(path)?;
    let mode = Some(mode);
    let mut bytes = Vec::new();
    file.take(MAX_FILE_BYTES.saturating_add(1))
        .read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > MAX_FILE_BYTES {
        return Err(io::Error::other(format!(
            "it is longer than {MAX_FILE_BYTES} bytes"
        )));
    }
    Ok(FileContent { bytes, mode })
}

/// This machine, with a note of every file that is read.
struct Noting<'a>(&'a Noted);

impl Resolve for Noting<'_> {
    fn env(&self, name: &str) -> Option<String> {
        Machine.env(name)
    }

    fn read(&self, path: &Path) -> Result<FileContent, Unreadable> {
        self.0.note(path);
        Machine.read(path)
    }

    fn read_in_pieces(
        &self,
        path: &Path,
        take: &mut dyn FnMut(&[u8]),
    ) -> Result<Option<u32>, Unreadable> {
        self.0.note(path);
        Machine.read_in_pieces(path, take)
    }
}

/// Reads a configuration file and compiles it, and remembers which files that took.
///
/// # Errors
/// As [`review`].
pub fn review_noting(path: &Path, files: &Files) -> Result<Reviewed, Vec<Fault>> {
    let noted = Noted::default();
    let reviewed = review_by(path, &Noting(&noted));
    files.loaded(noted, reviewed.is_ok());
    reviewed
}

/// Reads a configuration file and compiles it.
///
/// # Errors
/// The file can't be read, or everything that is wrong with it.
pub fn review(path: &Path) -> Result<Reviewed, Vec<Fault>> {
    review_by(path, &Machine)
}

fn review_by(path: &Path, resolver: &dyn Resolve) -> Result<Reviewed, Vec<Fault>> {
    let file = path.display().to_string();
    let whole = |problem: String, remedy: &str| vec![Fault::of_file(&file, problem, remedy)];
    let content = resolver.read(path).map_err(|error| match error {
        Unreadable::Missing => whole(
            "there is no such file".to_owned(),
            "name one with `--config FILE`; conf/minimal.yaml is a start",
        ),
        Unreadable::Failed(reason) => whole(
            format!("can't be read: {reason}"),
            "name a plain file that this user may read",
        ),
    })?;
    let text = String::from_utf8(content.bytes)
        .map_err(|_not_text| whole("is not text".to_owned(), "write YAML as UTF-8"))?;
    let source = SourceInfo {
        file: file.clone(),
        base: path.parent().map(Path::to_path_buf).unwrap_or_default(),
        mode: content.mode,
    };
    config::review(&text, &source, resolver)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_plain_file_is_not_read() {
        assert_eq!(
            Machine.read(Path::new("/no/such/file")).err(),
            Some(Unreadable::Missing),
            "a missing file"
        );
        for path in ["/", "/dev/zero"] {
            assert!(
                matches!(Machine.read(Path::new(path)), Err(Unreadable::Failed(_))),
                "{path} is no plain file"
            );
        }
    }

    #[test]
    fn a_file_is_read_up_to_its_limit_and_not_one_byte_more() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("large");
        let limit = usize::try_from(MAX_FILE_BYTES).unwrap();
        std::fs::write(&path, vec![b'x'; limit]).unwrap();
        assert!(Machine.read(&path).is_ok(), "4 MiB are read");
        std::fs::write(&path, vec![b'x'; limit + 1]).unwrap();
        assert!(Machine.read(&path).is_err(), "one more is not");
    }
}
