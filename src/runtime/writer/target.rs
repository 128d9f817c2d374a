//! Where a log's lines end up, and when another file takes their place.
//!
//! Decides, before each batch, whether the file is still where it should be: one that was moved
//! away is followed by a new one without being told, one of yesterday or one that is full is set
//! aside. Done by the thread that writes, between two batches, so that no line is lost or torn.
//! Where that can't be done, the old file stays in use.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::SinkFault;
use crate::policy::Rotation;
use crate::runtime::archive;

/// Seconds of a day.
const DAY: u64 = 86_400;

/// What takes the lines.
pub(super) trait Target: Write + Send {
    /// Gets ready for so many bytes.
    fn settle(&mut self, _coming: usize) {}
}

impl Target for io::Stderr {}

/// A log file.
pub(super) struct LogFile {
    path: PathBuf,
    file: File,
    rotation: Rotation,
    now: fn() -> SystemTime,
    /// The day of its lines, since 1970.
    day: u64,
    /// Its length.
    length: u64,
    /// Whether it is known, and was told, that no other file can take its place.
    stuck: bool,
}

impl LogFile {
    /// Opens a log file for appending, made with mode 0600.
    pub(super) fn open(
        path: &Path,
        rotation: Rotation,
        now: fn() -> SystemTime,
    ) -> Result<Self, SinkFault> {
        let fault = |source| SinkFault::Open {
            path: path.to_path_buf(),
            source,
        };
        let file = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(path)
            .map_err(fault)?;
        let found = file.metadata().map_err(fault)?;
        let written = found.modified().ok().filter(|_| found.len() > 0);
        Ok(Self {
            path: path.to_path_buf(),
            file,
            rotation,
            now,
            day: day(written.unwrap_or_else(now)),
            length: found.len(),
            stuck: false,
        })
    }

    /// Opens it anew.
    pub(super) fn again(&self) -> Result<Self, SinkFault> {
        Self::open(&self.path, self.rotation, self.now)
    }

    /// Whether lines go to the file that is called so.
    fn is_in_place(&self) -> bool {
        let own = self.file.metadata();
        let there = fs::metadata(&self.path);
        let same = |own: fs::Metadata, there: fs::Metadata| {
            (own.dev(), own.ino()) == (there.dev(), there.ino())
        };
        own.and_then(|own| there.map(|there| same(own, there)))
            .unwrap_or(false)
    }

    fn is_full(&self, coming: usize) -> bool {
        let coming = u64::try_from(coming).unwrap_or(u64::MAX);
        let after = self.length.saturating_add(coming);
        self.length > 0 && self.rotation.size.is_some_and(|most| after > most.get())
    }

    /// Says once why the file stays: what is said comes back as a line to be written.
    fn stay(&mut self, why: &str) {
        if !std::mem::replace(&mut self.stuck, true) {
            log::error!("log file {} stays in use: {why}", self.path.display());
        }
    }

    fn set_aside(&self) -> io::Result<()> {
        let name = archive::name(&self.path, (self.now)(), false)?;
        fs::rename(&self.path, name)
    }
}

impl Target for LogFile {
    fn settle(&mut self, coming: usize) {
        let today = day((self.now)());
        // Device files and pipes are nobody's to move.
        if !self.file.metadata().is_ok_and(|found| found.is_file()) {
            return;
        }
        if self.is_in_place() {
            let over = self.rotation.daily && self.day != today;
            if self.length == 0 {
                self.day = today;
            }
            if self.length == 0 || !(over || self.is_full(coming)) {
                return;
            }
            if let Err(error) = self.set_aside() {
                return self.stay(&format!("it can't be set aside: {error}"));
            }
        }
        match self.again() {
            Ok(new) => *self = new,
            Err(fault) => self.stay(&fault.to_string()),
        }
    }
}

impl Write for LogFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        let more = u64::try_from(written).unwrap_or(u64::MAX);
        self.length = self.length.saturating_add(more);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn day(at: SystemTime) -> u64 {
    let since = at
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    since.as_secs() / DAY
}
