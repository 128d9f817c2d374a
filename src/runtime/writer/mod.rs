//! Where log lines go: a bounded buffer, and a thread that masks and writes what is in it.
//!
//! Decides when lines are written, and that no request ever waits for a disk: pushing a line
//! copies it under a lock that is never held while anything is masked or written. What finds no
//! room, and what can't be written, is dropped and counted. It never looks into a line but to
//! mask it. A process that is killed loses what it pushed in the last 50 ms.

mod target;

use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, SystemTime};

use thiserror::Error;

use crate::policy::Rotation;
use crate::record::mask::mask;
use crate::runtime::batches::{Batches, Load, Pace};
use crate::runtime::clock;
use target::{LogFile, Target};

/// Bytes that may wait; a line beyond them is dropped.
const CAPACITY: usize = 4 * 1024 * 1024;

/// Bytes at which the writer is woken before its time.
const HALF_FULL: usize = CAPACITY / 2;

/// Room that an idle buffer keeps.
const KEPT: usize = 64 * 1024;

/// How long lines are gathered before they are written together.
const GATHER: Duration = Duration::from_millis(50);

/// How long a writer that is told to wait (a full pipe that doesn't block) tries again.
const RETRIES: u32 = 100;
const RETRY_AFTER: Duration = Duration::from_millis(10);

/// Why a sink can't be opened.
#[derive(Debug, Error)]
pub enum SinkFault {
    /// The log file can't be opened for appending.
    #[error("can't open log file {}: {source}; its folder must exist and be writable", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The writer's thread can't be started.
    #[error("can't start the log writer: {0}")]
    Thread(#[source] io::Error),
}

/// Takes finished lines from every thread. Clones share one buffer and one writer, which ends
/// when the last of them is dropped.
#[derive(Clone)]
pub struct LogSink {
    handle: Arc<Handle>,
}

impl LogSink {
    /// A sink that appends to a file (made with mode 0600), or writes to standard error.
    ///
    /// Starts a thread: to be called after the process has gone to the background, if it does.
    ///
    /// # Errors
    /// The file can't be opened, or no thread started.
    pub fn open(file: Option<&Path>, mask_secrets: bool) -> Result<Self, SinkFault> {
        Self::open_rotated(file, mask_secrets, (Rotation::default(), clock::wall))
    }

    /// The same with a file that is set aside now and then, by this clock.
    ///
    /// # Errors
    /// The file can't be opened, or no thread started.
    pub fn open_rotated(
        file: Option<&Path>,
        mask_secrets: bool,
        (rotation, now): (Rotation, fn() -> SystemTime),
    ) -> Result<Self, SinkFault> {
        let Some(path) = file else {
            return Self::start(Box::new(io::stderr()), None, mask_secrets);
        };
        let target = Box::new(LogFile::open(path, rotation, now)?);
        let again = Box::new(move |path: &Path| LogFile::open(path, rotation, now));
        Self::start(target, Some((path.to_path_buf(), again)), mask_secrets)
    }

    fn start(
        target: Box<dyn Target>,
        file: Option<(PathBuf, Again)>,
        mask_secrets: bool,
    ) -> Result<Self, SinkFault> {
        let waiting = Arc::new(Batches::new(Pace {
            gather: GATHER,
            tick: None,
        }));
        let writer = Writer {
            waiting: Arc::clone(&waiting),
            target,
            mask_secrets,
            lines: Vec::with_capacity(KEPT),
            out: Vec::with_capacity(KEPT),
            torn: false,
        };
        thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || writer.run())
            .map_err(SinkFault::Thread)?;
        let handle = Arc::new(Handle { waiting, file });
        Ok(Self { handle })
    }

    /// Takes a line, which has no line break, to be masked before it is written; drops and counts
    /// it if there is no room.
    pub fn push(&self, line: &[u8]) {
        self.take(Mask::Due, line);
    }

    /// Takes a line of which masking would change nothing, as its maker has seen to it.
    pub fn push_masked(&self, line: &[u8]) {
        self.take(Mask::Done, line);
    }

    fn take(&self, mask: Mask, line: &[u8]) {
        let waiting = &self.handle.waiting;
        let mut fits = true;
        waiting.push(|load| {
            let before = load.lines.len();
            let after = before.saturating_add(line.len()).saturating_add(2);
            fits = after <= CAPACITY;
            if fits {
                load.lines.push(mask.tag());
                load.lines.extend_from_slice(line);
                load.lines.push(b'\n');
            }
            // Woken when the buffer stops being empty, and at half.
            fits && (before == 0 || (before < HALF_FULL && after >= HALF_FULL))
        });
        if !fits {
            waiting.drop_some(1);
        }
    }

    /// Lines lost since the start, for want of room or to failed writes.
    pub fn dropped(&self) -> u64 {
        self.handle.waiting.dropped()
    }

    /// Opens the log file anew, after it was moved away.
    ///
    /// # Errors
    /// The file can't be opened; the old one stays in use.
    pub fn reopen(&self) -> Result<(), SinkFault> {
        let Some((path, again)) = &self.handle.file else {
            return Ok(());
        };
        let file = again(path)?;
        self.handle.waiting.push(|load| {
            load.replacement = Some(file);
            true
        });
        Ok(())
    }

    /// Waits until all that was pushed before has been written or dropped; says whether it was
    /// in time.
    pub fn flush(&self, deadline: Duration) -> bool {
        self.handle.waiting.flush(deadline)
    }
}

/// Whether a line has still to be masked; in the buffer it is the line's first byte.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mask {
    Due,
    Done,
}

impl Mask {
    const fn tag(self) -> u8 {
        match self {
            Self::Due => b'?',
            Self::Done => b'=',
        }
    }
}

/// What the clones of a sink share; its end is the writer's.
struct Handle {
    waiting: Arc<Batches<Lines>>,
    file: Option<(PathBuf, Again)>,
}

/// Opens a log file anew.
type Again = Box<dyn Fn(&Path) -> Result<LogFile, SinkFault> + Send + Sync>;

impl Drop for Handle {
    fn drop(&mut self) {
        self.waiting.close();
    }
}

/// Lines that wait, each behind its tag, and a file to go on with.
#[derive(Default)]
struct Lines {
    lines: Vec<u8>,
    replacement: Option<LogFile>,
}

impl Load for Lines {
    fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    fn is_urgent(&self) -> bool {
        self.replacement.is_some() || self.lines.len() >= HALF_FULL
    }
}

/// The thread's own part.
struct Writer {
    waiting: Arc<Batches<Lines>>,
    target: Box<dyn Target>,
    mask_secrets: bool,
    lines: Vec<u8>,
    out: Vec<u8>,
    /// Whether the last write failed within a line, which the next must not continue.
    torn: bool,
}

impl Writer {
    fn run(mut self) {
        loop {
            let lines = &mut self.lines;
            let taken = self.waiting.next(|load| {
                std::mem::swap(&mut load.lines, lines);
                load.replacement.take()
            });
            self.write_batch();
            if let Some(file) = taken.batch {
                self.target = Box::new(file);
                self.torn = false;
            }
            if self.waiting.done(taken.closing) {
                return;
            }
        }
    }

    /// Masks and writes what was taken over. The lines that a failed write takes with it are
    /// counted; the next batch tries again.
    fn write_batch(&mut self) {
        self.out.clear();
        if self.torn && !self.lines.is_empty() {
            self.out.push(b'\n');
        }
        let mut rest = &*self.lines;
        while let Some((tag, tagged)) = rest.split_first() {
            let end =
                memchr::memchr(b'\n', tagged).map_or(tagged.len(), |end| end.saturating_add(1));
            let (line, next) = tagged.split_at(end);
            rest = next;
            if self.mask_secrets && *tag != Mask::Done.tag() {
                // What is not text can't be masked; the writers of lines make none.
                self.out
                    .extend_from_slice(mask(&String::from_utf8_lossy(line)).as_bytes());
            } else {
                self.out.extend_from_slice(line);
            }
        }
        if !self.torn && !self.out.is_empty() {
            self.target.settle(self.out.len());
        }
        let written = write_some(&mut *self.target, &self.out);
        let rest = self.out.get(written..).unwrap_or_default();
        if !rest.is_empty() {
            let lost = memchr::memchr_iter(b'\n', rest).count();
            let lost = u64::try_from(lost).unwrap_or(u64::MAX);
            self.waiting.drop_some(lost);
        }
        if written > 0 {
            let last = written.checked_sub(1).and_then(|place| self.out.get(place));
            self.torn = last != Some(&b'\n');
        }
        self.lines.clear();
        self.lines.shrink_to(KEPT);
        self.out.shrink_to(KEPT);
    }
}

/// Writes as much as can be written and says how much that was.
fn write_some(target: &mut dyn Write, bytes: &[u8]) -> usize {
    let mut written = 0_usize;
    let mut patience = RETRIES;
    while let Some(rest) = bytes.get(written..).filter(|rest| !rest.is_empty()) {
        match target.write(rest) {
            Ok(0) => break,
            Ok(some) => written = written.saturating_add(some),
            Err(fault) if fault.kind() == ErrorKind::Interrupted => {}
            Err(fault) if fault.kind() == ErrorKind::WouldBlock && patience > 0 => {
                patience = patience.saturating_sub(1);
                thread::park_timeout(RETRY_AFTER);
            }
            Err(_) => break,
        }
    }
    written
}

#[cfg(test)]
mod tests;
