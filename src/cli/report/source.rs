//! Logs as one sequence of lines, in the order of their times.
//!
//! Decides which log is read next: the one whose next line is the oldest. Holds one line of each.
//! What is compressed with gzip is told by its first bytes, not by its name. A line that is too
//! long is left out and counted.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;
use thiserror::Error;

use crate::record::report::line::{self, Entry, Unread};

/// The longest line that is looked at; the gateway writes none over some ten kilobytes.
const LONGEST: usize = 1024 * 1024;
/// The first bytes of what gzip wrote.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Why a log can't be read, or not to its end.
#[derive(Debug, Error)]
#[error("{name}: can't be read: {reason}; name a readable log, or `-` for standard input")]
pub(super) struct SourceFault {
    name: String,
    reason: io::Error,
}

/// All logs.
pub(super) struct Sources {
    open: Vec<Source>,
    faults: Vec<SourceFault>,
}

/// One log, as far as it was read.
struct Source {
    name: String,
    reader: Box<dyn BufRead>,
    buffer: Vec<u8>,
    next: Option<Entry>,
    begun: bool,
}

impl Sources {
    /// Opens them all.
    ///
    /// # Errors
    /// One can't be opened.
    pub(super) fn open(paths: &[PathBuf]) -> Result<Self, SourceFault> {
        let open = paths.iter().map(|path| Source::open(path));
        Ok(Self {
            open: open.collect::<Result<_, _>>()?,
            faults: Vec::new(),
        })
    }

    /// The oldest line of ours that is left; `skip` hears of every line that is none.
    pub(super) fn next(&mut self, skip: &mut dyn FnMut(Unread)) -> Option<Entry> {
        let mut oldest: Option<&mut Source> = None;
        for source in &mut self.open {
            if !source.begun {
                source.begun = true;
                advance(source, skip, &mut self.faults);
            }
            let at = source.next.as_ref().map(|entry| entry.at);
            let known = oldest.as_ref().and_then(|one| one.next.as_ref());
            if at.is_some_and(|at| known.is_none_or(|known| at < known.at)) {
                oldest = Some(source);
            }
        }
        let source = oldest?;
        let entry = source.next.take();
        advance(source, skip, &mut self.faults);
        entry
    }

    /// What could not be read to its end.
    pub(super) fn faults(&self) -> &[SourceFault] {
        &self.faults
    }
}

/// Reads a log on to its next line of ours.
fn advance(source: &mut Source, skip: &mut dyn FnMut(Unread), faults: &mut Vec<SourceFault>) {
    if let Err(reason) = source.advance(skip) {
        faults.push(SourceFault {
            name: source.name.clone(),
            reason,
        });
    }
}

impl Source {
    fn open(path: &Path) -> Result<Self, SourceFault> {
        let name = path.display().to_string();
        let reader = reader(path).map_err(|reason| SourceFault {
            name: name.clone(),
            reason,
        })?;
        Ok(Self {
            name,
            reader,
            buffer: Vec::new(),
            next: None,
            begun: false,
        })
    }

    fn advance(&mut self, skip: &mut dyn FnMut(Unread)) -> io::Result<()> {
        while self.line()? {
            let text = str::from_utf8(&self.buffer).unwrap_or_default();
            let text = text.trim_end_matches(['\n', '\r']);
            if self.buffer.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            match line::read(text) {
                Ok(entry) => {
                    self.next = Some(entry);
                    return Ok(());
                }
                Err(unread) => skip(unread),
            }
        }
        Ok(())
    }

    /// Reads a line; of one that is too long, what is looked at, which is no line of ours then.
    fn line(&mut self) -> io::Result<bool> {
        self.buffer.clear();
        let most = u64::try_from(LONGEST).unwrap_or(u64::MAX);
        let read = (&mut self.reader)
            .take(most)
            .read_until(b'\n', &mut self.buffer)?;
        if read == LONGEST && self.buffer.last() != Some(&b'\n') {
            self.reader.skip_until(b'\n')?;
        }
        Ok(read > 0)
    }
}

fn reader(path: &Path) -> io::Result<Box<dyn BufRead>> {
    let mut plain: Box<dyn BufRead> = if path == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        if std::fs::metadata(path)?.is_dir() {
            return Err(io::Error::other("it is a folder"));
        }
        Box::new(BufReader::new(File::open(path)?))
    };
    if plain.fill_buf()?.starts_with(&GZIP) {
        return Ok(Box::new(BufReader::new(MultiGzDecoder::new(plain))));
    }
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn line(at: &str) -> String {
        format!(
            "{{\"timestamp\":\"{at}\",\"level\":\"INFO\",\"logger\":\"portcullis.x\",\"message\":\"\"}}\n"
        )
    }

    fn all(paths: &[PathBuf]) -> (Vec<u64>, usize, usize) {
        let mut sources = Sources::open(paths).unwrap();
        let (mut times, mut skipped) = (Vec::new(), Vec::new());
        while let Some(entry) = sources.next(&mut |unread| skipped.push(unread)) {
            times.push(entry.at);
        }
        (times, skipped.len(), sources.faults().len())
    }

    #[test]
    fn lines_of_several_logs_come_in_the_order_of_their_times() {
        let folder = tempfile::tempdir().unwrap();
        let [new, old] = ["log", "log.1.gz"].map(|name| folder.path().join(name));
        std::fs::write(
            &new,
            [line("1970-01-01T00:00:03Z"), line("1970-01-01T00:00:05Z")].concat(),
        )
        .unwrap();
        let file = File::create(&old).unwrap();
        let mut gzip = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
        let text = [line("1970-01-01T00:00:01Z"), line("1970-01-01T00:00:04Z")].concat();
        gzip.write_all(text.as_bytes()).unwrap();
        gzip.finish().unwrap();
        assert_eq!(all(&[new, old]), (vec![1, 3, 4, 5], 0, 0), "merged");
    }

    #[test]
    fn what_is_too_long_or_no_text_is_left_out_and_the_rest_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let mut bytes = vec![b'x'; LONGEST * 2];
        bytes.push(b'\n');
        bytes.extend_from_slice(b"\xff\xfe\n\n");
        bytes.extend_from_slice(line("1970-01-01T00:00:01Z").as_bytes());
        bytes.extend_from_slice(b"{\"timestamp\":\"cut in the mid");
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(all(&[path]), (vec![1], 3, 0), "one line of ours");
    }

    #[test]
    fn a_compressed_log_that_is_cut_is_read_as_far_as_it_goes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.gz");
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
        let text = line("1970-01-01T00:00:01Z").repeat(2_000);
        gzip.write_all(text.as_bytes()).unwrap();
        let mut bytes = gzip.finish().unwrap();
        bytes.truncate(bytes.len() / 2);
        std::fs::write(&path, bytes).unwrap();
        let (times, _, faults) = all(&[path]);
        assert!(times.len() > 500, "what can be read is: {}", times.len());
        assert_eq!(faults, 1, "and the fault is told");
    }
}
