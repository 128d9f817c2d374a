//! `portcullis audit`: the audit log is checked, read, and people in it are erased.
//!
//! Lives here: the commands and their answers. Must not live here: what makes a chain whole
//! (`record::chain::verify`) and how its files are kept (`runtime::audit`).

mod check;
mod erase;
mod export;
mod verify;

#[cfg(test)]
mod tests;

use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::check::Format;

/// Arguments of `portcullis audit`.
#[derive(Debug, Clone, Args)]
#[command(arg_required_else_help = true)]
pub struct AuditArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Clone, Subcommand)]
enum Command {
    /// Check that no line was edited, cut off, moved, repeated or replaced; exit 1 if one was
    #[command(
        after_help = "Examples:\n  portcullis audit verify audit.jsonl\n  portcullis audit verify \
                            audit*.jsonl --format json\n  portcullis audit verify --public-key \
                            kept-elsewhere.pub audit*.jsonl\n\nFiles are one chain, oldest first, \
                            as the shell sorts their names. The public key is read from \
                            FILE.pub, and the end of a log that is still written from FILE.state."
    )]
    Verify(VerifyArgs),
    /// Print the lines with personal fields opened, as far as their keys live
    #[command(
        after_help = "Examples:\n  portcullis audit export audit*.jsonl\n  portcullis audit export \
                            --subject alice audit*.jsonl\n\nThe keys are read from FILE.subjects. \
                            Exit 1 if the chain is not whole; the lines are printed all the same."
    )]
    Export(ExportArgs),
    /// Destroy the key of a subject, so that nobody can read what is told of it
    #[command(
        after_help = "Example:\n  portcullis audit erase --subject alice audit.jsonl\n\nOne \
                            key is destroyed for all files of the log. Works beside a running \
                            gateway. The chain stays whole. Exit 1 if no such subject is known."
    )]
    Erase(EraseArgs),
}

#[derive(Debug, Clone, Args)]
struct VerifyArgs {
    /// The files, oldest first
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The public key; by default FILE.pub
    #[arg(long, value_name = "FILE")]
    public_key: Option<PathBuf>,
    /// The log was copied while it was written, so that its end is not closed
    #[arg(long)]
    open: bool,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Debug, Clone, Args)]
struct ExportArgs {
    /// The files, oldest first
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Only lines that name this subject: a key's id, or an address
    #[arg(long, value_name = "ID")]
    subject: Option<String>,
    /// The public key; by default FILE.pub
    #[arg(long, value_name = "FILE")]
    public_key: Option<PathBuf>,
    /// The subjects' keys; by default FILE.subjects
    #[arg(long, value_name = "FILE")]
    subjects: Option<PathBuf>,
    /// The log was copied while it was written, so that its end is not closed
    #[arg(long)]
    open: bool,
    /// The form of the lines
    #[arg(long, value_enum, default_value_t = Format::Json)]
    format: Format,
}

#[derive(Debug, Clone, Args)]
struct EraseArgs {
    /// The log's file; those that were set aside of it may be named too
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// The subject: a key's id, or an address
    #[arg(long, value_name = "ID")]
    subject: String,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// Runs a command; the answer is the exit code.
///
/// # Errors
/// An output stream can't be written to.
pub fn run(args: &AuditArgs, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<u8> {
    match &args.command {
        Command::Verify(args) => verify::run(args, out, err),
        Command::Export(args) => export::run(args, out, err),
        Command::Erase(args) => erase::run(args, out, err),
    }
}
