//! `portcullis audit erase`: the key of a subject is destroyed.
//!
//! Decides that there must be a log already: a mistyped path makes no new one. The gateway may
//! run; it sees that the key is gone before it writes the next line.

use std::io::{self, Write};

use serde_json::json;

use super::super::check::Format;
use super::EraseArgs;
use crate::record::chain::entry::Entry;
use crate::record::chain::personal::Pseudonym;
use crate::runtime::audit::{AuditFault, Places, store::Store};
use crate::runtime::clock;

pub(super) fn run(args: &EraseArgs, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<u8> {
    let places = Places::of(&args.file);
    for needed in [&places.log, &places.key, &places.people] {
        if !needed.exists() {
            let shown = needed.display();
            writeln!(err, "portcullis: {shown}: there is no such file")?;
            return Ok(2);
        }
    }
    let pseudonym = match erase(args) {
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

fn erase(args: &EraseArgs) -> Result<Option<String>, AuditFault> {
    let now = clock::wall();
    let mut store = Store::open(&args.file, now)?;
    let entry = Entry::new("erasure", now).text("by", "command line");
    let erased = store.erase(&args.subject, entry, now)?;
    Ok(erased.map(Pseudonym::to_hex))
}
