//! The command line: arguments to a command to an exit code.
//!
//! Lives here: one thin file a command, and what they share. Must not live here: anything that a
//! server needs too. Exit codes: 0 fine, 1 the thing asked about is not fine, 2 unusable arguments
//! or configuration.

mod asking;
pub mod audit;
pub mod check;
mod demo;
mod health;
pub mod keys;
pub mod processor;
mod report;
mod run;
pub mod scan;
pub mod schema;
mod selftest;
pub mod source;

use std::io::{self, Write};

use clap::{Parser, Subcommand};

/// Portcullis: a security gateway between applications and LLM providers.
#[derive(Debug, Parser)]
#[command(name = "portcullis", version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the whole gateway on an embedded provider, with a fresh key and no file
    Demo(demo::DemoArgs),
    /// Run the server
    Run(run::RunArgs),
    /// Check a configuration file: faults, and settings that are legal but insecure
    Check(check::CheckArgs),
    /// Make, list, replace and take back API keys; make time-limited tokens
    Keys(keys::KeysArgs),
    /// Apply the inspection policy to texts, a labelled corpus or a captured body, offline
    Scan(scan::ScanArgs),
    /// Check, read and erase from the tamper-evident audit log
    Audit(audit::AuditArgs),
    /// Tell what logs say: failures, suspects, attacks, limits, top clients, alerts
    Report(report::ReportArgs),
    /// Score how secure a configuration or a running gateway is, 0 to 100, and say why
    Health(health::HealthArgs),
    /// Try each control of a running gateway with one harmless probe, and say whether it acted
    Selftest(selftest::SelftestArgs),
    /// Print the JSON Schema of the configuration file
    Schema(schema::SchemaArgs),
}

/// The command line as a value, for manual pages and completions.
pub fn command() -> clap::Command {
    <Arguments as clap::CommandFactory>::command()
}

/// Runs the command that the arguments name; the answer is the exit code.
///
/// # Errors
/// An output stream can't be written to.
pub fn main(
    arguments: impl IntoIterator<Item = std::ffi::OsString>,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> io::Result<u8> {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(asked) if asked.exit_code() == 0 => {
            write!(out, "{asked}")?;
            return Ok(0);
        }
        Err(fault) => {
            write!(err, "{fault}")?;
            return Ok(2);
        }
    };
    match arguments.command {
        Command::Demo(args) => demo::run(&args, out, err),
        Command::Run(args) => run::run(&args, err),
        Command::Check(args) => check::run(&args, out, err),
        Command::Keys(args) => keys::run(&args, out, err),
        Command::Scan(args) => scan::run(&args, out, err),
        Command::Audit(args) => audit::run(&args, out, err),
        Command::Report(args) => report::run(&args, out, err),
        Command::Health(args) => health::run(&args, out, err),
        Command::Selftest(args) => selftest::run(&args, out, err),
        Command::Schema(args) => schema::run(&args, out),
    }
}
