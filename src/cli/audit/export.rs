//! `portcullis audit export`: the lines, with what is sealed in them opened.
//!
//! Decides which lines are printed, and that a chain that is not whole is said so. What can't be
//! opened stays as it is: its key was erased, or is not at hand.

use std::collections::HashMap;
use std::fs;
use std::io::{self, Write};

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::super::check::Format;
use super::ExportArgs;
use super::check::{Check, Unusable};
use crate::record::chain::personal::{SubjectKey, Subjects};
use crate::runtime::audit::{Places, read};

pub(super) fn run(args: &ExportArgs, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<u8> {
    let (keys, wanted) = match keys(args) {
        Ok(found) => found,
        Err(refusal) => {
            writeln!(err, "portcullis: {}", refusal.problem)?;
            return Ok(refusal.code);
        }
    };
    let check = Check {
        files: &args.files,
        public_key: args.public_key.as_deref(),
        open: args.open,
    };
    let mut unreadable = 0_u64;
    let outcome = check.run(&mut |line| {
        let Ok(mut line) = serde_json::from_slice::<Map<String, Value>>(line) else {
            unreadable = unreadable.saturating_add(1);
            return Ok(());
        };
        if wanted.as_ref().is_some_and(|wanted| !names(&line, wanted)) {
            return Ok(());
        }
        read::open(&mut line, &keys);
        print(args.format, &line, out)
    });
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(unusable) => {
            writeln!(err, "portcullis: {unusable}")?;
            return Ok(2);
        }
    };
    if unreadable > 0 {
        writeln!(
            err,
            "portcullis: {unreadable} lines can't be read and are left out"
        )?;
    }
    if let Some(fault) = &outcome.fault {
        let file = fault.file.display();
        writeln!(err, "portcullis: {file}:{}: {}", fault.line, fault.problem)?;
    }
    Ok(u8::from(outcome.fault.is_some()))
}

/// Why nothing is printed.
struct Refusal {
    code: u8,
    problem: String,
}

/// The keys by their names in lines, and the name of the subject that is asked for.
type Keys = (HashMap<String, SubjectKey>, Option<String>);

fn keys(args: &ExportArgs) -> Result<Keys, Refusal> {
    let refusal = |code: u8, problem: String| Refusal { code, problem };
    let people = people(args).map_err(|unusable| refusal(2, unusable.to_string()))?;
    let keys = people.as_ref().map(Subjects::by_pseudonym);
    let keys = keys.unwrap_or_default();
    let Some(id) = &args.subject else {
        return Ok((keys, None));
    };
    let needed = "--subject needs the subjects' keys; give --subjects FILE";
    let people = people.ok_or_else(|| refusal(2, needed.to_owned()))?;
    let key = people.find(people.lookup(id));
    let key = key.ok_or_else(|| refusal(1, format!("no living key is of subject {id}")))?;
    Ok((keys, Some(key.pseudonym.to_hex())))
}

/// The subjects' keys, if they are at hand.
fn people(args: &ExportArgs) -> Result<Option<Subjects>, Unusable> {
    let beside = args.files.last().map(|file| Places::of(file).people);
    let path = match (&args.subjects, &beside) {
        (Some(path), _) => path,
        (None, Some(path)) if path.exists() => path,
        (None, _) => return Ok(None),
    };
    let text = fs::read_to_string(path).map(Zeroizing::new);
    let text =
        text.map_err(|error| Unusable::unread(path, &error, "the subjects' keys of this log"))?;
    let people = Subjects::read(&text).map_err(|fault| Unusable::new(path, &fault))?;
    Ok(Some(people))
}

fn names(line: &Map<String, Value>, pseudonym: &str) -> bool {
    line.values().any(|value| value.as_str() == Some(pseudonym))
}

fn print(format: Format, line: &Map<String, Value>, out: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Json => {
            serde_json::to_writer(&mut *out, line)?;
            writeln!(out)
        }
        Format::Text => {
            let word = |name: &str| line.get(name).and_then(Value::as_str).unwrap_or_default();
            let number = line.get("seq").and_then(Value::as_u64).unwrap_or_default();
            write!(out, "{number} {} {}", word("time"), word("event"))?;
            for (name, value) in line {
                if !["seq", "prev", "time", "event", "hash", "signature"].contains(&name.as_str()) {
                    write!(out, " {name}={value}")?;
                }
            }
            writeln!(out)
        }
    }
}
