//! Counts of the day in a small file, so that a restart does not begin the day anew.
//!
//! Decides when they are written: every few seconds where something has changed, and once more at
//! the end. The file is replaced whole (written beside, synced, renamed), mode 0600, so that it is
//! the old or the new one whatever happens. One that can't be read is told and begun anew: counts
//! are worth less than a gateway that starts. After a hand-over the successor writes it.

use std::fs::{self, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use async_trait::async_trait;
use pingora::server::ShutdownWatch;
use pingora::services::background::BackgroundService;
use serde::{Deserialize, Serialize};

use super::clock;
use crate::admit::violations;
use crate::internal::control::Control;
use crate::record::monitor::bequest as monitor;

/// How often the counts are written, where they have changed.
const PAUSE: Duration = Duration::from_secs(5);
/// The longest file that is read.
const MOST: u64 = 65_536;
const NAME: &str = "counters.json";

/// What is kept: what an upgrade hands over of the day.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Counters {
    version: u32,
    monitor: monitor::DayLeft,
    violations: violations::DayLeft,
}

impl Counters {
    /// The counts as they are.
    pub(crate) fn of(control: &Control) -> Self {
        let wall = clock::wall().duration_since(UNIX_EPOCH);
        let violations = &control.ledger.violations;
        Self {
            version: monitor::VERSION,
            monitor: control.watch.monitor().left(),
            violations: violations.day_left(wall.unwrap_or_default()),
        }
    }
}

/// Goes on from what was kept, before anything is counted. Counts of another day end with it.
pub(crate) fn resume(control: &Control) {
    let Some(counters) = control.keeper.load() else {
        return;
    };
    if counters.version == monitor::VERSION {
        control.watch.monitor().take(&counters.monitor);
        control.ledger.violations.take_day(&counters.violations);
    }
}

/// Where counts are kept.
#[derive(Debug)]
pub(crate) struct Keeper {
    folder: Option<PathBuf>,
    /// Whether another process writes the file now.
    given_up: AtomicBool,
}

impl Keeper {
    /// Keeps counts in this folder, which is made if it is not there; or nowhere.
    pub(crate) fn new(folder: Option<PathBuf>) -> Self {
        if let Some(folder) = &folder
            && let Err(error) = fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(folder)
        {
            log::error!("{} can't be made: {error}", folder.display());
        }
        Self {
            folder,
            given_up: AtomicBool::new(false),
        }
    }

    /// From here on the file is another process's.
    pub(crate) fn give_up(&self) {
        self.given_up.store(true, Ordering::Relaxed);
    }

    /// What was kept.
    pub(crate) fn load(&self) -> Option<Counters> {
        let file = self.folder.as_ref()?.join(NAME);
        match read(&file) {
            Ok(counters) => Some(counters),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                let shown = file.display();
                log::warn!("{shown} can't be read, so that the day is counted anew: {error}");
                None
            }
        }
    }

    /// Writes the counts.
    pub(crate) fn save(&self, counters: &Counters) {
        match serde_json::to_vec(counters) {
            Ok(text) => self.put(&text),
            Err(error) => log::error!("counts can't be kept: {error}"),
        }
    }

    fn put(&self, text: &[u8]) {
        let Some(folder) = &self.folder else {
            return;
        };
        if self.given_up.load(Ordering::Relaxed) {
            return;
        }
        if let Err(error) = write(folder, text) {
            log::error!("counts can't be kept in {}: {error}", folder.display());
        }
    }
}

fn read(file: &Path) -> io::Result<Counters> {
    let mut text = Vec::new();
    fs::File::open(file)?.take(MOST).read_to_end(&mut text)?;
    serde_json::from_slice(&text).map_err(io::Error::other)
}

fn write(folder: &Path, text: &[u8]) -> io::Result<()> {
    let beside = folder.join(format!("{NAME}.{}", std::process::id()));
    let written = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)
        .and_then(|mut file| file.write_all(text).and_then(|()| file.sync_all()));
    let renamed = written.and_then(|()| fs::rename(&beside, folder.join(NAME)));
    if renamed.is_err() {
        // What is left of a failed try is of no use to anybody.
        let _not_there = fs::remove_file(&beside);
    }
    renamed
}

/// Writes the counts while the server runs.
pub(crate) struct Keeping(pub(crate) Arc<Control>);

#[async_trait]
impl BackgroundService for Keeping {
    async fn start(&self, mut shutdown: ShutdownWatch) {
        if self.0.keeper.folder.is_none() {
            return;
        }
        let mut last = Vec::new();
        loop {
            let ended = tokio::select! {
                _changed = shutdown.changed() => true,
                () = tokio::time::sleep(PAUSE) => false,
            };
            let text = serde_json::to_vec(&Counters::of(&self.0)).unwrap_or_default();
            if text != last && !text.is_empty() {
                self.0.keeper.put(&text);
                last = text;
            }
            if ended {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    const KEPT: &str = r#"{"version":1,
        "monitor":{"day":20000,"requests":7,"failed":2,"events":{"prompt_injection":1},
                   "largest_request":70,"request_bytes":700},
        "violations":{"day":20000,"rate":3,"size":4,"largest":70}}"#;

    fn counters() -> Counters {
        serde_json::from_str(KEPT).unwrap()
    }

    fn text(counters: Option<Counters>) -> Option<String> {
        counters.map(|counters| serde_json::to_string(&counters).unwrap())
    }

    #[test]
    fn what_is_saved_is_loaded_by_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let keeper = Keeper::new(Some(folder.path().join("deeper/state")));
        assert!(keeper.load().is_none(), "nothing yet");
        keeper.save(&counters());
        assert_eq!(text(keeper.load()), text(Some(counters())), "as it was");
        let file = folder.path().join("deeper/state").join(NAME);
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "nobody else's");
        let left = fs::read_dir(file.parent().unwrap()).unwrap().count();
        assert_eq!(left, 1, "nothing is left beside it");
    }

    #[test]
    fn a_broken_or_forged_file_is_begun_anew() {
        let folder = tempfile::tempdir().unwrap();
        let keeper = Keeper::new(Some(folder.path().to_owned()));
        for text in ["", "{", "[]", "{\"monitor\": 7}", "\u{0}\u{0}"] {
            fs::write(folder.path().join(NAME), text).unwrap();
            assert!(keeper.load().is_none(), "{text:?}");
        }
    }

    #[test]
    fn after_a_hand_over_the_file_is_the_successors() {
        let folder = tempfile::tempdir().unwrap();
        let keeper = Keeper::new(Some(folder.path().to_owned()));
        keeper.give_up();
        keeper.save(&counters());
        assert!(keeper.load().is_none(), "not written");
    }
}
