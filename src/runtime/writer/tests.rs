use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, mpsc};

use super::*;

const SOON: Duration = Duration::from_secs(20);

/// A target that fails on demand, takes a few bytes at a time, and can be made to hang.
#[derive(Clone, Default)]
struct Disk(Arc<Mutex<DiskState>>);

#[derive(Default)]
struct DiskState {
    bytes: Vec<u8>,
    room: Option<usize>,
    gate: Option<mpsc::Receiver<()>>,
}

impl Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.0.lock().unwrap();
        if let Some(gate) = state.gate.take() {
            let _ = gate.recv();
        }
        let taken = bytes.len().min(1_000).min(state.room.unwrap_or(usize::MAX));
        if taken == 0 {
            return Err(ErrorKind::StorageFull.into());
        }
        state.room = state.room.map(|room| room.saturating_sub(taken));
        state.bytes.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Target for Disk {}

impl Disk {
    fn sink(&self) -> LogSink {
        LogSink::start(Box::new(self.clone()), None, true).unwrap()
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().bytes.clone()).unwrap()
    }
}

#[test]
fn lines_are_written_in_order_and_masked() {
    let disk = Disk::default();
    let sink = disk.sink();
    for n in 0..1_000 {
        sink.push(format!("line {n} token=abc").as_bytes());
    }
    assert!(sink.flush(SOON), "a flush waits for what was pushed");
    let wanted: Vec<_> = (0..1_000)
        .map(|n| format!("line {n} token=***MASKED***"))
        .collect();
    let text = disk.text();
    let found: Vec<_> = text.lines().collect();
    assert_eq!(found, wanted, "every line, in order, masked");
    assert_eq!(sink.dropped(), 0, "none lost");
}

#[test]
fn lines_are_written_without_being_asked_for() {
    let disk = Disk::default();
    let sink = disk.sink();
    sink.push(b"x");
    let begun = clock::now();
    while sink.handle.waiting.progress().0 == 0 {
        assert!(begun.elapsed() < SOON, "the writer wakes by itself");
        thread::yield_now();
    }
    assert_eq!(disk.text(), "x\n", "the line");
}

#[test]
fn lines_of_many_threads_are_never_mixed() {
    let disk = Disk::default();
    let sink = disk.sink();
    thread::scope(|scope| {
        for name in ["a", "b", "c", "d"] {
            let sink = sink.clone();
            scope.spawn(move || {
                for _ in 0..500 {
                    sink.push(name.repeat(50).as_bytes());
                }
            });
        }
    });
    assert!(sink.flush(SOON), "flushed");
    let text = disk.text();
    assert_eq!(text.lines().count(), 2_000, "all lines");
    for line in text.lines() {
        let first = line.chars().next().unwrap();
        assert!(
            line.len() == 50 && line.chars().all(|c| c == first),
            "{line} is not one thread's line"
        );
    }
}

#[test]
fn what_finds_no_room_is_dropped_and_counted_and_nobody_waits() {
    let (open, gate) = mpsc::channel();
    let disk = Disk::default();
    disk.0.lock().unwrap().gate = Some(gate);
    let sink = disk.sink();
    sink.push(b"held by the disk");
    assert!(
        !sink.flush(Duration::from_millis(1)),
        "a flush gives up at its deadline"
    );
    // Wait until the writer has taken the first line, so that the buffer is empty.
    while !sink.handle.waiting.progress().1 {
        thread::yield_now();
    }
    // Each takes two bytes more: a tag and a line break.
    let line = vec![b'x'; CAPACITY / 4 - 2];
    for _ in 0..4 {
        sink.push(&line);
    }
    assert_eq!(sink.dropped(), 0, "four quarters fit");
    sink.push(b"");
    assert_eq!(sink.dropped(), 1, "one byte more does not");
    open.send(()).unwrap();
    assert!(sink.flush(SOON), "the disk answers again");
    assert_eq!(
        disk.text().len(),
        CAPACITY - 4 + 17,
        "what fitted is written"
    );
    sink.push(b"later");
    assert!(sink.flush(SOON), "flushed");
    assert!(disk.text().ends_with("\nlater\n"), "and it goes on");
}

#[test]
fn a_full_disk_costs_lines_and_nothing_else() {
    let disk = Disk::default();
    disk.0.lock().unwrap().room = Some(10);
    let sink = disk.sink();
    for line in ["first", "second", "third"] {
        sink.push(line.as_bytes());
    }
    assert!(sink.flush(SOON), "failed writes are done, too");
    assert_eq!(sink.dropped(), 2, "the torn line and the one after it");
    disk.0.lock().unwrap().room = None;
    sink.push(b"fourth");
    assert!(sink.flush(SOON), "flushed");
    assert_eq!(
        disk.text(),
        "first\nseco\nfourth\n",
        "the next line begins on a line of its own"
    );
}

#[test]
fn dropping_the_last_sink_writes_what_is_left() {
    let disk = Disk::default();
    let sink = disk.sink();
    let shared = Arc::downgrade(&sink.handle.waiting);
    sink.push(b"last words");
    drop(sink);
    while shared.strong_count() > 0 {
        thread::yield_now();
    }
    assert_eq!(disk.text(), "last words\n", "nothing is lost at the end");
}

#[test]
fn a_log_file_is_private_is_appended_to_and_can_be_moved() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("portcullis.log");
    fs::write(&path, "before\n").unwrap();
    fs::remove_file(&path).unwrap();
    let sink = LogSink::open(Some(&path), true).unwrap();
    sink.push(b"one");
    assert!(sink.flush(SOON), "flushed");
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "for the owner alone");
    let moved = folder.path().join("portcullis.log.1");
    fs::rename(&path, &moved).unwrap();
    sink.push(b"two");
    sink.reopen().unwrap();
    assert!(sink.flush(SOON), "flushed");
    sink.push(b"three");
    assert!(sink.flush(SOON), "flushed");
    assert_eq!(fs::read_to_string(&moved).unwrap(), "one\n", "the old");
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        "two\nthree\n",
        "the new"
    );
    drop(sink);
    let again = LogSink::open(Some(&path), true).unwrap();
    again.push(b"four");
    assert!(again.flush(SOON), "flushed");
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        "two\nthree\nfour\n",
        "appended"
    );
}

#[test]
fn a_log_file_that_can_not_be_opened_is_said_at_the_start_and_survived_later() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing/x.log");
    let fault = LogSink::open(Some(&missing), true).err().unwrap();
    assert!(
        fault.to_string().contains("missing/x.log"),
        "{fault} must name the file"
    );
    let inner = folder.path().join("inner");
    fs::create_dir(&inner).unwrap();
    let path = inner.join("x.log");
    let sink = LogSink::open(Some(&path), true).unwrap();
    fs::remove_dir_all(&inner).unwrap();
    assert!(sink.reopen().is_err(), "the folder is gone");
    sink.push(b"x");
    assert!(sink.flush(SOON), "the old file stays in use");
    assert_eq!(sink.dropped(), 0, "and is written to");
}

/// Seconds since 1970 by the clock of the test below.
static CLOCK: AtomicU64 = AtomicU64::new(1_795_305_600);

fn by_clock() -> SystemTime {
    let since = Duration::from_secs(CLOCK.load(Ordering::Relaxed));
    SystemTime::UNIX_EPOCH.checked_add(since).unwrap()
}

/// Everything that was written, in the order of the files' names, and how many files that are.
fn everything(path: &Path) -> (String, usize) {
    let mut files: Vec<_> = crate::runtime::archive::list(path)
        .unwrap()
        .into_iter()
        .map(|file| file.path)
        .collect();
    files.push(path.to_path_buf());
    let count = files.len();
    (
        files
            .iter()
            .map(|file| fs::read_to_string(file).unwrap())
            .collect(),
        count,
    )
}

#[test]
fn a_file_is_set_aside_by_day_and_by_size_and_no_line_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gateway.log");
    let rotation = Rotation {
        daily: true,
        size: crate::policy::units::ByteLimit::new(1_000).ok(),
    };
    let sink = LogSink::open_rotated(Some(&path), true, (rotation, by_clock)).unwrap();
    let mut wanted = String::new();
    let mut write = |number: u32| {
        let line = format!("line {number} {}", "x".repeat(80));
        sink.push(line.as_bytes());
        assert!(sink.flush(SOON), "flushed");
        wanted.push_str(&line);
        wanted.push('\n');
        everything(&path).1
    };
    // The file's day is its last change's by the real clock, until it is empty.
    let first = write(0);
    assert_eq!(write(1), first, "one day");
    CLOCK.fetch_add(86_400, Ordering::Relaxed);
    assert_eq!(write(2), first + 1, "another day, another file");
    let files = (3..30).map(&mut write).max().unwrap();
    assert!(files >= first + 3, "{files} files of a thousand bytes");
    let (text, _) = everything(&path);
    assert_eq!(text, wanted, "every line, in order");
    for aside in crate::runtime::archive::list(&path).unwrap() {
        let found = fs::metadata(&aside.path).unwrap();
        assert!(found.len() <= 1_000, "none is larger");
        assert_eq!(
            found.permissions().mode() & 0o777,
            0o600,
            "nor open to others"
        );
    }
    assert_eq!(sink.dropped(), 0, "none lost");
}

#[test]
fn a_file_that_was_moved_away_is_followed_without_being_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gateway.log");
    let sink = LogSink::open(Some(&path), true).unwrap();
    sink.push(b"one");
    assert!(sink.flush(SOON), "flushed");
    let moved = folder.path().join("gateway.log.1");
    fs::rename(&path, &moved).unwrap();
    sink.push(b"two");
    assert!(sink.flush(SOON), "flushed");
    assert_eq!(fs::read_to_string(&moved).unwrap(), "one\n", "the old");
    assert_eq!(fs::read_to_string(&path).unwrap(), "two\n", "the new");
}
