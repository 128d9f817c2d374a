//! `portcullis run`: the server.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;

use super::source;
use crate::config::Reviewed;
use crate::policy::AuthMode;
use crate::runtime::reload::Load;
use crate::runtime::serve;

/// Arguments of `portcullis run`.
#[derive(Debug, Clone, Args)]
pub(super) struct RunArgs {
    /// The configuration file
    #[arg(short, long, value_name = "FILE")]
    config: PathBuf,
    /// Take the listening sockets over from the running process (not yet built)
    #[arg(long)]
    upgrade: bool,
    /// Go to the background (not yet built: run it under systemd, or with `&`)
    #[arg(long)]
    daemon: bool,
}

/// Serves until a signal ends it.
pub(super) fn run(args: &RunArgs, err: &mut dyn Write) -> io::Result<u8> {
    for (given, flag, instead) in [
        (args.upgrade, "--upgrade", "stop the running process first"),
        (args.daemon, "--daemon", "run it under systemd, or with `&`"),
    ] {
        if given {
            writeln!(err, "portcullis: {flag} is not built yet; {instead}")?;
            return Ok(2);
        }
    }
    let reviewed = match source::review(&args.config) {
        Ok(reviewed) => reviewed,
        Err(faults) => {
            for fault in &faults {
                writeln!(err, "{fault}")?;
            }
            return Ok(2);
        }
    };
    if reviewed.policy.auth.mode == AuthMode::Development {
        writeln!(
            err,
            "portcullis: DEVELOPMENT MODE: no keys are configured, so none are asked for. \
             Anyone who reaches {} may do everything.",
            serve::addresses(&reviewed.policy),
        )?;
    }
    let config = args.config.clone();
    serve_reviewed(reviewed, Box::new(move || source::review(&config)), err)
}

/// Serves a policy; what keeps it from serving is said, and is exit code 2.
pub(super) fn serve_reviewed(
    reviewed: Reviewed,
    load: Load,
    err: &mut dyn Write,
) -> io::Result<u8> {
    match serve::serve(reviewed, load) {
        Ok(()) => Ok(0),
        Err(fault) => {
            writeln!(err, "portcullis: {fault}")?;
            Ok(2)
        }
    }
}
