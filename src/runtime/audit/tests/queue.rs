//! The queue: what finds no room, or can't be written, is counted and told.

use super::*;

#[test]
fn lost_entries_are_counted_and_told_in_the_chain() {
    let log = Log::new();
    let audit = AuditLog::open(&log.path, None, || at(1)).unwrap();
    let mut beside = Places::of(&log.path).mark.into_os_string();
    beside.push(".new");
    fs::create_dir(&beside).unwrap();
    for client in 0..7 {
        audit.push(denial(client));
    }
    assert!(
        audit.flush(Duration::from_secs(20)),
        "failed writes are done, too"
    );
    assert_eq!(audit.dropped(), 7, "counted");
    fs::remove_dir(&beside).unwrap();
    audit.push(denial(9));
    assert!(
        audit.close(at(2), Duration::from_secs(20)),
        "the disk is back"
    );
    let lines = log.lines();
    let gap = lines.iter().find(|line| line["event"] == "gap").unwrap();
    assert_eq!(gap["lost"], 7, "{gap}");
    assert_eq!(log.events().last().unwrap(), "checkpoint", "closed");
    log.check().expect("whole");
}

#[test]
fn a_flood_is_dropped_and_counted_and_nobody_waits() {
    let log = Log::new();
    let audit = AuditLog::open(&log.path, None, || at(1)).unwrap();
    // Held by another process.
    let key = File::options()
        .append(true)
        .open(Places::of(&log.path).key)
        .unwrap();
    key.lock().unwrap();
    let mut many = 0_u64;
    while audit.dropped() == 0 {
        audit.push(Entry::new("denial", at(1)));
        many += 1;
        assert!(many < 1_000_000, "there is an end to what waits");
    }
    key.unlock().unwrap();
    assert!(audit.close(at(2), Duration::from_mins(1)), "written");
    let lines = log.lines();
    let written = lines
        .iter()
        .filter(|line| line["event"] == "denial")
        .count();
    let lost: u64 = lines.iter().filter_map(|line| line["lost"].as_u64()).sum();
    assert_eq!(
        u64::try_from(written).unwrap() + lost,
        many,
        "every one is accounted for"
    );
    log.check().expect("whole");
}
