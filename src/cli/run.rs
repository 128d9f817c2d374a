//! `portcullis run`: the server.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;

use super::source;
use crate::config::Reviewed;
use crate::policy::AuthMode;
use crate::runtime::daemon;
use crate::runtime::files::Files;
use crate::runtime::reload::Source;
use crate::runtime::serve::{self, Start};

/// Arguments of `portcullis run`.
#[derive(Debug, Clone, Args)]
pub(super) struct RunArgs {
    /// The configuration file
    #[arg(short, long, value_name = "FILE")]
    config: PathBuf,
    /// Wait until the running process gets SIGQUIT, then take its listening sockets over
    #[arg(long)]
    upgrade: bool,
    /// Go to the background as soon as the listeners take connections; logs go to `logging.file`
    #[arg(long)]
    daemon: bool,
}

/// Serves until a signal ends it.
pub(super) fn run(args: &RunArgs, err: &mut dyn Write) -> io::Result<u8> {
    let files = Files::default();
    let reviewed = match source::review_noting(&args.config, &files) {
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
    if args.daemon {
        return daemon::start(&args.config, args.upgrade, err);
    }
    let start = if args.upgrade {
        Start::Upgrade
    } else {
        Start::Anew
    };
    let config = args.config.clone();
    let noted = files.clone();
    let load = Box::new(move || source::review_noting(&config, &noted));
    serve_reviewed(reviewed, (start, Source { load, files }), err)
}

/// Serves a policy; what keeps it from serving is said, and is exit code 2.
pub(super) fn serve_reviewed(
    reviewed: Reviewed,
    (start, source): (Start, Source),
    err: &mut dyn Write,
) -> io::Result<u8> {
    match serve::serve(reviewed, start, source) {
        Ok(()) => Ok(0),
        Err(fault) => {
            writeln!(err, "portcullis: {fault}")?;
            Ok(2)
        }
    }
}
