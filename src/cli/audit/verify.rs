//! `portcullis audit verify`: whether a chain is whole.
//!
//! Decides the exit code: 0 for a whole chain, 1 with the first fault, 2 where nothing could be
//! read.

use std::io::{self, Write};

use serde_json::json;

use super::super::check::Format;
use super::VerifyArgs;
use super::check::{Check, Outcome};
use crate::record::chain::Ending;
use crate::record::chain::verify::Seen;

pub(super) fn run(args: &VerifyArgs, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<u8> {
    let check = Check {
        files: &args.files,
        public_key: args.public_key.as_deref(),
        open: args.open,
    };
    let outcome = match check.run_settled() {
        Ok(outcome) => outcome,
        Err(unusable) => {
            writeln!(err, "portcullis: {unusable}")?;
            return Ok(2);
        }
    };
    match args.format {
        Format::Text => text(args, &outcome, out)?,
        Format::Json => as_json(args, &outcome, out)?,
    }
    Ok(u8::from(outcome.fault.is_some()))
}

fn text(args: &VerifyArgs, outcome: &Outcome, out: &mut dyn Write) -> io::Result<()> {
    if let Some(fault) = &outcome.fault {
        let file = fault.file.display();
        return writeln!(out, "{file}:{}: {}", fault.line, fault.problem);
    }
    let Some(seen) = &outcome.seen else {
        return Ok(());
    };
    let files = args.files.len();
    writeln!(
        out,
        "whole: records {} to {} in {files} {}, {} checkpoints, {}",
        seen.first,
        seen.head.seq,
        if files == 1 { "file" } else { "files" },
        seen.checkpoints,
        match seen.ending {
            Ending::Open => "and it goes on",
            Ending::Closed => "closed",
            Ending::Sealed => "sealed",
        }
    )?;
    for note in notes(outcome, seen) {
        writeln!(out, "note: {note}")?;
    }
    Ok(())
}

/// What a whole chain does not show.
fn notes(outcome: &Outcome, seen: &Seen) -> Vec<String> {
    let mut notes = Vec::new();
    if let (false, Some(key)) = (outcome.trusted, outcome.key) {
        notes.push(format!(
            "no public key is beside the files, so they were checked with the one that they name \
             themselves ({}); give the right one with --public-key",
            key.fingerprint()
        ));
    }
    if seen.first > 1 {
        notes.push(format!(
            "records before {} are not in these files; a `retention` line says whether the \
             gateway removed them",
            seen.first
        ));
    }
    let unsigned = seen.head.seq.saturating_sub(seen.signed);
    if seen.ending == Ending::Open && !outcome.marked {
        notes.push(format!(
            "the end is open: the last {unsigned} records have no signature over them, and more \
             may have followed"
        ));
    }
    notes
}

fn as_json(args: &VerifyArgs, outcome: &Outcome, out: &mut dyn Write) -> io::Result<()> {
    let files: Vec<String> = args.files.iter().map(|f| f.display().to_string()).collect();
    let fault = outcome.fault.as_ref().map(|fault| {
        json!({
            "file": fault.file.display().to_string(),
            "line": fault.line,
            "problem": fault.problem,
        })
    });
    let seen = outcome.seen.as_ref();
    let answer = json!({
        "valid": outcome.fault.is_none(),
        "files": files,
        "fault": fault,
        "records": seen.map(|seen| seen.head.seq.saturating_sub(seen.first).saturating_add(1)),
        "first": seen.map(|seen| seen.first),
        "last": seen.map(|seen| seen.head.seq),
        "signed_through": seen.map(|seen| seen.signed),
        "checkpoints": seen.map(|seen| seen.checkpoints),
        "state": seen.map(|seen| seen.ending.as_str()),
        "chain": seen.map(|seen| seen.chain.clone()),
        "public_key": outcome.key.map(|key| key.fingerprint()),
        "public_key_trusted": outcome.trusted,
        "notes": seen
            .filter(|_| outcome.fault.is_none())
            .map(|seen| notes(outcome, seen))
            .unwrap_or_default(),
    });
    writeln!(out, "{answer:#}")
}
