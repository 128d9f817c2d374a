//! Log files that were set aside: how they are called, and which there are.
//!
//! `audit.jsonl` becomes `audit.20261122T042000123Z.jsonl`, so that names sort as time does and
//! end as the file's own does. Decides nothing about when a file is set aside or removed, and
//! finds no file under a name that is not of this form: those of other tools are theirs.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

const FORM: &str = "%Y%m%dT%H%M%S%3fZ";
/// What stands in the name of a file that is not whole.
const BROKEN: &str = "broken";

/// A file that was set aside.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Aside {
    /// When that was, to the millisecond.
    pub(crate) at: SystemTime,
    /// Its name now.
    pub(crate) path: PathBuf,
    /// Whether it is one that was found broken.
    pub(crate) broken: bool,
}

/// A free name to set a file aside under, later than any that was given before.
///
/// # Errors
/// The folder can't be read.
pub(crate) fn name(path: &Path, now: SystemTime, broken: bool) -> io::Result<PathBuf> {
    let latest = list(path)?.pop().map(|last| last.at);
    let next = latest.and_then(|at| at.checked_add(Duration::from_millis(1)));
    let at = next.map_or(now, |next| next.max(now));
    let moment = Timestamp::try_from(at).map_err(io::Error::other)?;
    let mark = if broken {
        format!(".{BROKEN}")
    } else {
        String::new()
    };
    let (stem, ending) = parts(path);
    Ok(path.with_file_name(format!("{stem}.{}{mark}{ending}", moment.strftime(FORM))))
}

/// The files that were set aside, oldest first.
///
/// # Errors
/// The folder can't be read.
pub(crate) fn list(path: &Path) -> io::Result<Vec<Aside>> {
    let (stem, ending) = parts(path);
    let mut found = Vec::new();
    for entry in fs::read_dir(folder(path))? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let inner = name
            .strip_prefix(&*stem)
            .and_then(|rest| rest.strip_prefix('.'))
            .and_then(|rest| rest.strip_suffix(&*ending));
        if let Some((at, broken)) = inner.and_then(stamp) {
            found.push(Aside {
                at,
                path: path.with_file_name(&*name),
                broken,
            });
        }
    }
    found.sort();
    Ok(found)
}

/// The name that a file had before it was set aside; its own, if it was not.
pub(crate) fn original(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut words: Vec<&str> = name.split('.').collect();
    let place = words.iter().skip(1).position(|word| stamp(word).is_some());
    let Some(place) = place.map(|place| place.saturating_add(1)) else {
        return path.to_path_buf();
    };
    words.remove(place);
    if words.get(place) == Some(&BROKEN) {
        words.remove(place);
    }
    path.with_file_name(words.join("."))
}

/// The folder that a file lies in.
pub(crate) fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) | None => Path::new("."),
    }
}

/// A file's name without its ending, and the ending with its dot.
fn parts(path: &Path) -> (String, String) {
    let text =
        |part: Option<&std::ffi::OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
    let ending = match path.extension() {
        Some(ending) => format!(".{}", ending.to_string_lossy()),
        None => String::new(),
    };
    (text(path.file_stem()), ending)
}

fn stamp(text: &str) -> Option<(SystemTime, bool)> {
    let (text, broken) = match text.split_once('.') {
        Some((text, BROKEN)) => (text, true),
        Some(_) => return None,
        None => (text, false),
    };
    let moment = DateTime::strptime(FORM, text).ok()?;
    let moment = TimeZone::UTC.to_timestamp(moment).ok()?;
    Some((moment.into(), broken))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> SystemTime {
        let since = Duration::from_millis(millis);
        SystemTime::UNIX_EPOCH.checked_add(since).unwrap()
    }

    #[test]
    fn names_sort_as_time_does_and_lead_back() {
        let folder = tempfile::tempdir().unwrap();
        for file in ["audit.jsonl", "plain"] {
            let path = folder.path().join(file);
            let mut names = Vec::new();
            // The second is of the same moment, the third of an earlier one.
            for (millis, broken) in [
                (1_795_321_200_123, false),
                (1_795_321_200_123, true),
                (5, false),
            ] {
                let aside = name(&path, at(millis), broken).unwrap();
                assert_eq!(original(&aside), path, "{}", aside.display());
                fs::write(&aside, "").unwrap();
                names.push(aside);
            }
            let mut sorted = names.clone();
            sorted.sort();
            assert_eq!(names, sorted, "by name as by time");
            let listed: Vec<_> = list(&path).unwrap().into_iter().map(|it| it.path).collect();
            assert_eq!(listed, names, "all are found");
        }
    }

    #[test]
    fn files_of_other_tools_are_not_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gateway.log");
        for other in [
            "gateway.log",
            "gateway.log.1",
            "gateway.log-20261122",
            "gateway.2026.log",
            "gateway.20261122T042000123Z.log.gz",
            "other.20261122T042000123Z.log",
            "gateway.20269922T042000123Z.log",
        ] {
            fs::write(folder.path().join(other), "").unwrap();
        }
        assert_eq!(list(&path).unwrap(), [], "none of them");
    }
}
