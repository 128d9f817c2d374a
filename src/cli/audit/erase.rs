//! `portcullis audit erase`: the key of a subject is destroyed.
//!
//! Decides that there must be a log already: a mistyped path makes no new one. The gateway may
//! run; it sees that the key is gone before it writes the next line.

use std::io::{self, Write};
use std::path::PathBuf;

use serde_json::json;

use super::super::check::Format;
use super::EraseArgs;
use crate::record::chain::entry::Entry;
use crate::record::chain::personal::Pseudonym;
use crate::runtime::audit::{AuditFault, Places, store::Store};
use crate::runtime::clock;

pub(super) fn run(args: &EraseArgs, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<u8> {
    let Some(places) = one_log(&args.files) else {
        writeln!(
            err,
            "portcullis: the files are of several logs; name those of one at a time"
        )?;
        return Ok(2);
    };
    for needed in [&places.log, &places.key, &places.people] {
        if !needed.exists() {
            let shown = needed.display();
            writeln!(
                err,
                "portcullis: {shown}: there is no such file; name the file of `logging.audit_file`"
            )?;
            return Ok(2);
        }
    }
    let pseudonym = match erase(&places, &args.subject) {
        Ok(pseudonym) => pseudonym,
        Err(fault) => {
            writeln!(err, "portcullis: {fault}")?;
            return Ok(2);
        }
    };
    match (args.format, &pseudonym) {
        (Format::Json, pseudonym) => {
            let answer = json!({"erased": pseudonym.is_some(), "pseudonym": pseudonym});
            writeln!(out, "{answer:#}")?;
        }
        (Format::Text, Some(pseudonym)) => writeln!(
            out,
            "erased: what is told under the name {pseudonym} can't be read any more"
        )?,
        (Format::Text, None) => writeln!(out, "no living key is of this subject")?,
    }
    Ok(u8::from(pseudonym.is_none()))
}

/// The log that all these files are of.
fn one_log(files: &[PathBuf]) -> Option<Places> {
    let mut all = files.iter().map(|file| Places::of(file));
    let first = all.next()?;
    all.all(|other| other == first).then_some(first)
}

fn erase(places: &Places, subject: &str) -> Result<Option<String>, AuditFault> {
    let now = clock::wall();
    let mut store = Store::open(&places.log, now)?;
    let entry = Entry::new("erasure", now).text("by", "command line");
    let erased = store.erase(subject, entry, now)?;
    Ok(erased.map(Pseudonym::to_hex))
}
