//! `portcullis keys`: keys and tokens are made, listed, replaced and taken back.
//!
//! Lives here: the commands, and the one place that writes a keys file. Must not live here: what
//! a file may hold (`config::keyfile`) and what a key looks like (`identify::keys`). A secret is
//! printed once, at birth, to standard output alone.

mod args;
mod change;
mod hash;
mod list;
mod store;
mod token;

use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, Subcommand};
use thiserror::Error;

use super::check::Format;

/// Arguments of `portcullis keys`.
#[derive(Debug, Clone, Args)]
#[command(arg_required_else_help = true)]
pub struct KeysArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Clone, Subcommand)]
enum Command {
    /// Make a key; its text is printed once and stored nowhere
    #[command(
        after_help = "Example:\n  portcullis keys new --keys keys.yaml --id alice --role \
                            standard --models 'gpt-*' --expires-at 90d --rate 60/minute"
    )]
    New(Box<args::NewArgs>),
    /// List the keys: ids, roles, states and bounds, and nothing secret
    #[command(after_help = "Example:\n  portcullis keys list --keys keys.yaml --format json")]
    List(args::FileArgs),
    /// Replace a key; the old one stays good for the overlap
    #[command(
        after_help = "Example:\n  portcullis keys rotate --keys keys.yaml --id alice \
                            --overlap 24h\n\nThen reload the gateway: systemctl reload \
                            portcullis, or SIGHUP."
    )]
    Rotate(args::RotateArgs),
    /// Take a key back
    #[command(
        after_help = "Example:\n  portcullis keys revoke --keys keys.yaml --id \
                            alice\n\nThen reload the gateway: systemctl reload portcullis, or \
                            SIGHUP."
    )]
    Revoke(args::RevokeArgs),
    /// Print the hash of a key that is read from standard input
    #[command(after_help = "Example:\n  printf %s \"$KEY\" | portcullis keys hash")]
    Hash(args::HashArgs),
    /// Print a signed token that ends by itself
    #[command(
        after_help = "Example:\n  portcullis keys token --keys keys.yaml --role read_only \
                            --ttl 15m\n  portcullis keys token --keys keys.yaml --role standard \
                            --ttl 1h --scope 'model:gpt-*'"
    )]
    Token(args::TokenArgs),
}

/// Why a command did nothing.
#[derive(Debug, Error)]
enum Refusal {
    /// The arguments, or the file, are unusable; each line says why.
    #[error("{}", .0.join("\n"))]
    Unusable(Vec<String>),
    /// The machine would not.
    #[error("{what}: {source}")]
    System {
        /// What was tried.
        what: String,
        /// The system's reason.
        source: io::Error,
    },
    /// The answer can't be written.
    #[error(transparent)]
    Output(#[from] io::Error),
}

impl Refusal {
    fn unusable(line: impl Into<String>) -> Self {
        Self::Unusable(vec![line.into()])
    }

    fn system(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::System { what, source }
    }
}

/// Standard output and standard error.
struct Streams<'a> {
    out: &'a mut dyn Write,
    err: &'a mut dyn Write,
}

/// Runs a command; the answer is the exit code.
///
/// # Errors
/// An output stream can't be written to.
pub fn run(args: &KeysArgs, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<u8> {
    let mut streams = Streams { out, err };
    let outcome = match &args.command {
        Command::New(args) => change::new(args, &mut streams),
        Command::List(args) => list::run(args, &mut streams),
        Command::Rotate(args) => change::rotate(args, &mut streams),
        Command::Revoke(args) => change::revoke(args, &mut streams),
        Command::Hash(args) => hash::run(args, &mut io::stdin().lock(), &mut streams),
        Command::Token(args) => token::run(args, &mut streams),
    };
    match outcome {
        Ok(()) => Ok(0),
        Err(Refusal::Output(error)) => Err(error),
        Err(refusal @ (Refusal::Unusable(_) | Refusal::System { .. })) => {
            for line in refusal.to_string().lines() {
                writeln!(err, "portcullis: {line}")?;
            }
            Ok(2)
        }
    }
}

/// Where the secret of tokens is kept if nothing else is said: beside the keys file.
pub fn token_secret_beside(keys: &std::path::Path) -> PathBuf {
    keys.with_extension(crate::config::TOKEN_SECRET_EXTENSION)
}
