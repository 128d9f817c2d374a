//! The files: over processes, crashes, days, and what others do to them.

use super::*;

#[test]
fn a_chain_goes_on_over_processes_and_its_files_are_private() {
    let log = Log::new();
    let mut store = log.open();
    assert_eq!(store.found(), "new", "nothing was there");
    store.write(&[denial(1), denial(2)], None, at(1)).unwrap();
    store
        .write(&[Entry::new("stop", at(2))], Some(Ending::Closed), at(2))
        .unwrap();
    drop(store);
    log.check().expect("closed");
    let mut store = log.open();
    assert_eq!(store.found(), "closed", "in good order");
    store.write(&[denial(1)], None, at(3)).unwrap();
    log.check().expect("and on");
    let expected = [
        "segment",
        "denial",
        "denial",
        "stop",
        "checkpoint",
        "denial",
    ];
    assert_eq!(log.events(), expected, "one chain");
    let names: Vec<_> = log
        .lines()
        .iter()
        .map(|line| line["subject"].clone())
        .collect();
    assert_eq!(names[1], names[5], "one client, one name");
    assert_ne!(names[1], names[2], "another client, another name");
    assert!(!log.text().contains("192.0.2."), "addresses are sealed");
    let places = Places::of(&log.path);
    for (path, mode) in [
        (&places.log, 0o600),
        (&places.key, 0o600),
        (&places.mark, 0o600),
        (&places.people, 0o600),
        (&places.public, 0o644),
    ] {
        let found = fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(found, mode, "{}", path.display());
    }
}

#[test]
fn two_processes_write_one_chain() {
    let log = Log::new();
    let (mut one, mut other) = (log.open(), log.open());
    assert_eq!(other.found(), "open", "the other is there");
    for round in 0..5 {
        one.write(&[denial(round)], None, at(1)).unwrap();
        other
            .write(&[denial(round), denial(9)], None, at(1))
            .unwrap();
    }
    log.check().expect("each goes on where the other stopped");
    assert_eq!(log.events().len(), 16, "all lines");
    let one_by_one = log.lines();
    let name = |place: usize| one_by_one[place]["subject"].as_str().unwrap();
    assert_eq!(name(1), name(2), "and they know the same people");
    one.erase("192.0.2.9", Entry::new("erasure", at(2)), at(2))
        .unwrap()
        .expect("erased");
    other.write(&[denial(9)], None, at(3)).unwrap();
    let lines = log.lines();
    assert_ne!(
        lines[lines.len() - 1]["subject"],
        lines[3]["subject"],
        "a key that one has destroyed is used by none"
    );
    log.check().expect("whole");
}

#[test]
fn what_was_done_to_the_file_meanwhile_begins_a_new_one_that_says_so() {
    type Attack = fn(&Path, &str);
    let attacks: [(&str, Attack); 4] = [
        ("cut", |path, text| {
            let end = text[..text.len() - 1].rfind('\n').unwrap();
            fs::write(path, &text[..=end]).unwrap();
        }),
        ("edited", |path, text| {
            fs::write(
                path,
                text.replacen("\"reason\":\"x\"", "\"reason\":\"y\"", 3),
            )
            .unwrap();
        }),
        ("added to", |path, text| {
            let last = text.lines().last().unwrap();
            fs::write(path, format!("{text}{last}\n")).unwrap();
        }),
        ("put back", |path, text| {
            let end = text.find('\n').unwrap();
            fs::write(path, &text[..=end]).unwrap();
        }),
    ];
    for running in [false, true] {
        for (name, attack) in &attacks {
            let log = Log::new();
            let mut store = log.open();
            store.write(&[denial(1), denial(2)], None, at(1)).unwrap();
            attack(&log.path, &fs::read_to_string(&log.path).unwrap());
            if !running {
                drop(store);
                store = log.open();
                assert_eq!(store.found(), "broken", "{name}");
            }
            // A running process looks at its file's length and place; a start reads its end.
            if running && *name == "edited" {
                continue;
            }
            store.write(&[denial(3)], None, at(2)).unwrap();
            let files = log.files();
            assert_eq!(files.len(), 2, "{name}: the old one is kept");
            assert!(files[0].to_string_lossy().contains(".broken."), "{name}");
            let text = fs::read_to_string(&log.path).unwrap();
            let first: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
            assert_eq!(first["after"], "broken", "{name}: {first}");
            assert_eq!(first["seq"], 4, "{name}: it goes on after what was signed");
            assert!(log.check().is_err(), "{name}: and is found");
        }
    }
}

#[test]
fn a_crash_costs_its_last_line_and_no_more() {
    let log = Log::new();
    let mut store = log.open();
    store.write(&[denial(1)], None, at(1)).unwrap();
    let text = fs::read_to_string(&log.path).unwrap();
    let places = Places::of(&log.path);
    let mark = fs::read_to_string(&places.mark).unwrap();
    store.write(&[denial(2)], None, at(1)).unwrap();
    drop(store);
    // Lines were written, the mark was not, and the last line only in part.
    let more = fs::read_to_string(&log.path).unwrap();
    fs::write(&log.path, format!("{more}{}", &text[..20])).unwrap();
    fs::write(&places.mark, mark).unwrap();
    let store = log.open();
    assert_eq!(store.found(), "open", "it goes on");
    log.check().expect("whole again");
    let lines = log.lines();
    let recovered = lines
        .iter()
        .find(|line| line["event"] == "recovered")
        .unwrap();
    assert_eq!(recovered["unsigned_lines"], 1, "{recovered}");
    assert_eq!(recovered["torn_bytes"], 20, "{recovered}");
}

#[test]
fn a_file_that_was_moved_away_is_sealed_and_followed() {
    let log = Log::new();
    let mut store = log.open();
    store.write(&[denial(1)], None, at(1)).unwrap();
    let moved = log.folder.path().join("audit.20261122T000000000Z.jsonl");
    fs::rename(&log.path, &moved).unwrap();
    // As logrotate's `create` does.
    fs::write(&log.path, "").unwrap();
    store.write(&[denial(2)], None, at(2)).unwrap();
    log.check().expect("one chain over both");
    let expected = ["segment", "denial", "checkpoint", "segment", "denial"];
    assert_eq!(log.events(), expected, "sealed and followed");
    drop(store);
    // The same while nobody writes.
    fs::rename(
        &log.path,
        log.folder.path().join("audit.20261122T000000001Z.jsonl"),
    )
    .unwrap();
    let mut store = log.open();
    assert_eq!(store.found(), "moved", "it is said");
    store
        .write(&[denial(3)], Some(Ending::Closed), at(3))
        .unwrap();
    log.check().expect("one chain over three");
}

#[test]
fn each_day_has_a_file_and_old_ones_go_with_their_subjects() {
    let log = Log::new();
    let mut store = log.open();
    for day in 0..6_u32 {
        let now = at(10) + DAY * day;
        let mut entry = denial(u8::try_from(day).unwrap());
        entry.at = now;
        store.write(&[entry], None, now).unwrap();
    }
    assert_eq!(log.files().len(), 6, "a file a day");
    log.check().expect("whole");
    assert!(
        store.find("192.0.2.0").unwrap().is_some(),
        "the first client's key"
    );
    // Sealed on the following day each: those of the first two days are over three days old.
    let removed = store.retain(3, at(20) + DAY * 5).unwrap();
    assert_eq!(removed, 2, "whole files");
    assert_eq!(log.files().len(), 4, "the others stay");
    log.check().expect("what is left is whole");
    let lines = log.lines();
    let told = lines
        .iter()
        .find(|line| line["event"] == "retention")
        .unwrap();
    assert_eq!(told["files"], 2, "{told}");
    let next =
        u64::from(lines[0]["seq"].as_u64().unwrap() == told["through"].as_u64().unwrap() + 1);
    assert_eq!(next, 1, "it says up to where: {told}");
    assert!(store.find("192.0.2.0").unwrap().is_none(), "its key went");
    assert!(
        store.find("192.0.2.5").unwrap().is_some(),
        "newer ones did not"
    );
    assert_eq!(store.retain(3, at(21) + DAY * 5).unwrap(), 0, "once");
}

#[test]
fn what_can_not_be_written_is_taken_back() {
    let log = Log::new();
    let mut store = log.open();
    store.write(&[denial(1)], None, at(1)).unwrap();
    let before = log.text();
    // A folder in the way of the mark fails after the lines are written, as a full disk may.
    let places = Places::of(&log.path);
    let mut beside = places.mark.into_os_string();
    beside.push(".new");
    fs::create_dir(&beside).unwrap();
    store
        .write(&[denial(2)], None, at(2))
        .expect_err("it is told");
    assert_eq!(log.text(), before, "and nothing of it stays");
    fs::remove_dir(&beside).unwrap();
    store
        .write(&[denial(3)], Some(Ending::Closed), at(3))
        .unwrap();
    log.check().expect("whole");
}

#[test]
fn keys_that_are_not_ours_or_open_to_others_are_refused() {
    let log = Log::new();
    drop(log.open());
    let places = Places::of(&log.path);
    let refused = |what: &str| {
        let fault = Store::open(&log.path, at(1)).err().expect(what).to_string();
        assert!(
            fault.contains("audit.jsonl."),
            "{what}: {fault} names the file"
        );
    };
    fs::set_permissions(&places.key, fs::Permissions::from_mode(0o640)).unwrap();
    refused("a key that others may read");
    fs::set_permissions(&places.key, fs::Permissions::from_mode(0o600)).unwrap();
    let public = fs::read_to_string(&places.public).unwrap();
    fs::write(&places.public, public.replace("MCow", "MCoW")).unwrap();
    refused("another public key");
    fs::write(&places.public, public).unwrap();
    fs::write(&places.key, "x").unwrap();
    refused("no key");
}
