//! The files that a configuration was read from, and whether they have changed since.
//!
//! Decides when a change is worth a reload (`server.watch`): when a file differs from what the last
//! load found, and has stayed the same from one look to the next, so that a file that is being
//! written is left alone for a while. A load that fails has looked at its files too: it is not tried
//! again before one of them changes. What changes twice within the resolution of the file system's
//! clock, to the same length and in place, is not seen.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use pingora::server::ShutdownWatch;
use pingora::services::background::BackgroundService;

use super::reload::reload;
use crate::internal::control::Control;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(1);

/// What a file is told by: device, inode, length, and its times of change in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Print {
    place: (u64, u64),
    length: u64,
    written: (i64, i64),
    changed: (i64, i64),
}

/// Files and what they were told by; none where there was no file.
type Prints = BTreeMap<PathBuf, Option<Print>>;

/// The files of the last load.
#[derive(Debug, Clone, Default)]
pub struct Files(Arc<Mutex<Prints>>);

/// The files of a load that goes on.
#[derive(Debug, Default)]
pub struct Noted(Mutex<Prints>);

impl Noted {
    /// A file is about to be read. Looked at before, so that what is written meanwhile is seen as
    /// a change.
    pub fn note(&self, path: &Path) {
        lock(&self.0)
            .entry(path.to_owned())
            .or_insert_with(|| print(path));
    }
}

impl Files {
    /// A load has ended. One that failed may not have come to all files: the others stay noted.
    pub fn loaded(&self, noted: Noted, well: bool) {
        let noted = noted.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut files = lock(&self.0);
        if well {
            *files = noted;
        } else {
            files.extend(noted);
        }
    }

    /// What the files are told by now, and whether that differs from the last load's.
    fn look(&self) -> (Prints, bool) {
        let known = lock(&self.0).clone();
        let now: Prints = known
            .keys()
            .map(|path| (path.clone(), print(path)))
            .collect();
        let changed = now != known;
        (now, changed)
    }
}

fn print(path: &Path) -> Option<Print> {
    let found = std::fs::metadata(path).ok()?;
    Some(Print {
        place: (found.dev(), found.ino()),
        length: found.len(),
        written: (found.mtime(), found.mtime_nsec()),
        changed: (found.ctime(), found.ctime_nsec()),
    })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Looks at the files of one process.
#[derive(Debug, Default)]
struct Watcher {
    before: Prints,
}

impl Watcher {
    /// Whether they are to be loaded anew: they have changed, and are at rest.
    fn is_due(&mut self, files: &Files) -> bool {
        let (now, changed) = files.look();
        let rests = now == self.before;
        self.before = now;
        changed && rests
    }
}

/// Loads the configuration anew when its files change, while the policy asks for it.
pub(super) struct FileWatch(pub(super) Arc<Control>);

#[async_trait]
impl BackgroundService for FileWatch {
    async fn start(&self, mut shutdown: ShutdownWatch) {
        let mut watcher = Watcher::default();
        loop {
            tokio::select! {
                _changed = shutdown.changed() => return,
                () = tokio::time::sleep(LOOK) => {}
            }
            if !self.0.base().watch {
                continue;
            }
            let control = Arc::clone(&self.0);
            // Files may lie where looking at them takes a while.
            let looking = tokio::task::spawn_blocking(move || {
                if watcher.is_due(control.reloader.files()) {
                    log::info!("files of the configuration have changed");
                    // What comes of it is in the log.
                    let _logged = reload(&control);
                }
                watcher
            });
            watcher = looking.await.unwrap_or_default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A load of these files.
    fn load(files: &Files, paths: &[&Path], well: bool) {
        let noted = Noted::default();
        for path in paths {
            noted.note(path);
        }
        files.loaded(noted, well);
    }

    #[test]
    fn a_change_is_due_once_and_only_when_the_file_is_at_rest() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (folder.path().join("one"), folder.path().join("other"));
        std::fs::write(&one, "1").unwrap();
        let (files, mut watcher) = (Files::default(), Watcher::default());
        load(&files, &[&one, &other], true);
        assert!(!watcher.is_due(&files), "nothing has changed");
        assert!(!watcher.is_due(&files), "and nothing does");
        std::fs::write(&one, "12").unwrap();
        assert!(!watcher.is_due(&files), "it may still be written to");
        std::fs::write(&one, "123").unwrap();
        assert!(!watcher.is_due(&files), "as it was");
        assert!(watcher.is_due(&files), "now it rests");
        load(&files, &[&one], false);
        assert!(!watcher.is_due(&files), "a faulty file is not tried again");
        std::fs::write(&other, "new").unwrap();
        watcher.is_due(&files);
        assert!(watcher.is_due(&files), "a file that was missing is there");
        load(&files, &[&one, &other], true);
        assert!(!watcher.is_due(&files), "loaded");
        std::fs::write(&one, "1234").unwrap();
        load(&files, &[&one, &other], true);
        watcher.is_due(&files);
        assert!(!watcher.is_due(&files), "somebody else has loaded it");
        std::fs::remove_file(&one).unwrap();
        watcher.is_due(&files);
        assert!(watcher.is_due(&files), "a file that is gone");
    }

    #[test]
    fn a_link_that_points_elsewhere_is_a_change() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["a", "b"] {
            std::fs::write(at(name), "same").unwrap();
        }
        std::os::unix::fs::symlink(at("a"), at("link")).unwrap();
        let (files, mut watcher) = (Files::default(), Watcher::default());
        load(&files, &[&at("link")], true);
        std::os::unix::fs::symlink(at("b"), at("new")).unwrap();
        std::fs::rename(at("new"), at("link")).unwrap();
        watcher.is_due(&files);
        assert!(
            watcher.is_due(&files),
            "as Kubernetes changes mounted files"
        );
    }
}
