//! Lines of an audit log, read back.
//!
//! Decides how lines are found and how what is sealed in them is opened: by the keys that live.
//! Files are read from one end to the other and never held as a whole. It checks nothing: that is
//! `record::chain::verify`'s.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::Places;
use crate::record::chain::line::MAX_LINE;
use crate::record::chain::personal::SubjectKey;
use crate::runtime::archive;

/// Names of what is sealed, and of what opens it.
const SEALED: [(&str, &str); 2] = [("subject", "sealed"), ("about", "about_sealed")];

/// The files of a log that are there, oldest first.
pub(crate) fn files(places: &Places) -> io::Result<Vec<PathBuf>> {
    let aside = archive::list(&places.log)?;
    let mut files: Vec<_> = aside.into_iter().map(|file| file.path).collect();
    if places.log.exists() {
        files.push(places.log.clone());
    }
    Ok(files)
}

/// Goes through the whole lines of a file. What is too long for a line is passed in pieces, none of
/// which is one.
///
/// # Errors
/// The file can't be read, or whoever takes the lines says so.
pub(crate) fn lines(path: &Path, take: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
    let mut reader = BufReader::with_capacity(256 * 1024, File::open(path)?);
    let most = u64::try_from(MAX_LINE).unwrap_or(u64::MAX);
    let mut line = Vec::new();
    loop {
        line.clear();
        (&mut reader).take(most).read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return Ok(());
        }
        take(&line)?;
    }
}

/// Opens what is sealed in a line, as far as there are keys; `opened` says of each part whether.
pub(crate) fn open(line: &mut Map<String, Value>, keys: &HashMap<String, SubjectKey>) {
    for (name, sealed) in SEALED {
        let pseudonym = line.get(name).and_then(Value::as_str);
        let key = pseudonym.and_then(|pseudonym| keys.get(pseudonym));
        let text = line.get(sealed).and_then(Value::as_str);
        let opened = key
            .zip(text)
            .and_then(|(key, text)| key.open(text).ok())
            .and_then(|text| serde_json::from_slice::<Value>(&text).ok());
        if let Some(opened) = opened {
            line.insert(sealed.to_owned(), opened);
        }
    }
}

/// What was found of somebody.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// How many lines name them.
    pub(crate) count: u64,
    /// The newest of them, opened.
    pub(crate) lines: Vec<Value>,
}

/// The lines that name somebody, and the newest of them opened.
///
/// # Errors
/// A file can't be read.
pub(crate) fn about(places: &Places, key: &SubjectKey, most: usize) -> io::Result<Told> {
    let name = key.pseudonym.to_hex();
    let finder = memchr::memmem::Finder::new(name.as_bytes());
    let keys = HashMap::from([(name.clone(), key.clone())]);
    let mut kept = std::collections::VecDeque::new();
    let mut count = 0_u64;
    for file in files(places)? {
        let read = lines(&file, &mut |line| {
            if finder.find(line).is_some() {
                count = count.saturating_add(1);
                if kept.len() == most {
                    kept.pop_front();
                }
                kept.push_back(line.to_vec());
            }
            Ok(())
        });
        match read {
            // Removed by retention in the meantime.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            other => other?,
        }
    }
    let lines = kept.iter().filter_map(|line| {
        let mut line: Map<String, Value> = serde_json::from_slice(line).ok()?;
        open(&mut line, &keys);
        Some(Value::Object(line))
    });
    Ok(Told {
        count,
        lines: lines.collect(),
    })
}
