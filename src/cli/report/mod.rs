//! `portcullis report`: what logs say about who failed, attacked, and used how much.
//!
//! Decides what is read and in what order: all files at once, line by line, by their times, so
//! that rotated files may be named in any order. What is counted is `record::report`'s.

mod source;

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;

use super::check::Format;
use crate::record::report::{MOST_DAYS, Report};
use crate::runtime::clock;
use source::Sources;

/// Arguments of `portcullis report`.
#[derive(Debug, Clone, Args)]
pub(super) struct ReportArgs {
    /// How many days the report covers, up to now
    #[arg(long, value_name = "N", default_value_t = 7,
          value_parser = clap::value_parser!(u64).range(1..=MOST_DAYS))]
    days: u64,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Logs of the gateway: `logging.file`, `logging.security_file`, rotated ones, gzip'd or not;
    /// `-` is standard input
    #[arg(value_name = "LOG", required = true)]
    logs: Vec<PathBuf>,
}

/// Reads the logs and tells what they say; the answer is the exit code: 0, or 2 where a log can't
/// be read.
pub(super) fn run(args: &ReportArgs, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<u8> {
    let mut sources = match Sources::open(&args.logs) {
        Ok(sources) => sources,
        Err(fault) => {
            writeln!(err, "portcullis report: {fault}")?;
            return Ok(2);
        }
    };
    let mut report = Report::new(args.days, clock::unix());
    loop {
        let next = sources.next(&mut |unread| report.skip(unread));
        let Some(entry) = next else { break };
        report.take(entry);
    }
    for fault in sources.faults() {
        writeln!(err, "portcullis report: {fault}")?;
    }
    let lines = report.lines();
    if lines.read > 0 && lines.read == lines.foreign {
        writeln!(
            err,
            "portcullis report: no line is one of Portcullis's; name `logging.file` or \
             `logging.security_file`"
        )?;
    }
    match args.format {
        Format::Text => out.write_all(report.text().as_bytes())?,
        Format::Json => writeln!(out, "{:#}", report.json())?,
    }
    Ok(if sources.faults().is_empty() { 0 } else { 2 })
}
