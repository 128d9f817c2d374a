//! The arguments of the commands.
//!
//! Decides what clap can: numbers, words, and that a file is named. Everything that a keys file
//! may hold is judged where the file is.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::builder::TypedValueParser as _;
use clap::{Args, value_parser};

use super::Format;
use crate::identify::keys::Role;

/// A keys file, and the form of the answer.
#[derive(Debug, Clone, Args)]
pub(super) struct FileArgs {
    /// The keys file
    #[arg(long, value_name = "FILE")]
    pub keys: PathBuf,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

fn role() -> impl clap::builder::TypedValueParser<Value = Role> {
    PossibleValuesParser::new(Role::ALL.map(Role::as_str))
        .try_map(|name| Role::from_name(&name).ok_or("not a role"))
}

/// Arguments of `portcullis keys new`.
#[derive(Debug, Clone, Args)]
pub(super) struct NewArgs {
    #[command(flatten)]
    pub file: FileArgs,
    /// The public id of the key, shown in logs and metrics
    #[arg(long)]
    pub id: String,
    /// What it may do
    #[arg(long, value_parser = role())]
    pub role: Role,
    #[command(flatten)]
    pub bounds: BoundArgs,
    /// Hash it under the secret in this file (made on first use); the gateway needs `auth.pepper`
    #[arg(long, value_name = "FILE")]
    pub pepper: Option<PathBuf>,
}

/// What a key is bound to.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct BoundArgs {
    /// Models that it may use, such as gpt-*,o3
    #[arg(long, value_name = "GLOB,…", value_delimiter = ',')]
    pub models: Option<Vec<String>>,
    /// Providers that it may use
    #[arg(long, value_name = "GLOB,…", value_delimiter = ',')]
    pub providers: Option<Vec<String>>,
    /// Paths that it may use, such as /v1/chat/completions,/v1/images/*
    #[arg(long, value_name = "GLOB,…", value_delimiter = ',')]
    pub paths: Option<Vec<String>>,
    /// Addresses and networks that it may come from
    #[arg(long, value_name = "CIDR,…", value_delimiter = ',')]
    pub ips: Option<Vec<String>>,
    /// Hours in which it may call, such as 'Mon-Fri 08:00-18:00', in UTC
    #[arg(long, value_name = "HOURS,…", value_delimiter = ',')]
    pub hours: Option<Vec<String>>,
    /// From when it is good: 2027-01-31, 2027-01-31T12:00:00Z, or 2h from now
    #[arg(long, value_name = "T")]
    pub not_before: Option<String>,
    /// From when on it is no longer good, in the same forms
    #[arg(long, value_name = "T")]
    pub expires_at: Option<String>,
    /// How often it may call, such as 60/minute
    #[arg(long, value_name = "RATE")]
    pub rate: Option<String>,
    /// How many calls at once above the rate
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..))]
    pub burst: Option<u32>,
    /// How many model tokens it may use, such as 100000/hour
    #[arg(long, value_name = "RATE")]
    pub tokens: Option<String>,
    /// Calls in flight at once
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..))]
    pub concurrent: Option<u32>,
    /// A note, such as team=search; may be given more than once
    #[arg(long, value_name = "NAME=TEXT")]
    pub metadata: Vec<String>,
}

/// Arguments of `portcullis keys rotate`.
#[derive(Debug, Clone, Args)]
pub(super) struct RotateArgs {
    #[command(flatten)]
    pub file: FileArgs,
    /// The id of the key
    #[arg(long)]
    pub id: String,
    /// How long the old key stays good; 0s: not at all
    #[arg(long, value_name = "DURATION", default_value = "24h")]
    pub overlap: String,
    /// Also print a notice for the key's holder, without anything secret, to standard error
    #[arg(long)]
    pub notify: bool,
    /// Hash the new key under the secret in this file
    #[arg(long, value_name = "FILE")]
    pub pepper: Option<PathBuf>,
}

/// Arguments of `portcullis keys revoke`.
#[derive(Debug, Clone, Args)]
pub(super) struct RevokeArgs {
    #[command(flatten)]
    pub file: FileArgs,
    /// The id of the key
    #[arg(long)]
    pub id: String,
}

/// Arguments of `portcullis keys hash`.
#[derive(Debug, Clone, Args)]
pub(super) struct HashArgs {
    /// Taken for the likeness of the other commands; no file is read
    #[arg(long, value_name = "FILE")]
    pub keys: Option<PathBuf>,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Hash it under the secret in this file (made on first use); the gateway needs `auth.pepper`
    #[arg(long, value_name = "FILE")]
    pub pepper: Option<PathBuf>,
}

/// Arguments of `portcullis keys token`.
#[derive(Debug, Clone, Args)]
pub(super) struct TokenArgs {
    #[command(flatten)]
    pub file: FileArgs,
    /// What the token's bearer may do
    #[arg(long, value_parser = role())]
    pub role: Role,
    /// How long it is good
    #[arg(long, value_name = "DURATION", default_value = "15m")]
    pub ttl: String,
    /// What it is bound to: model:GLOB, provider:GLOB, path:GLOB; may be given more than once
    #[arg(long, value_name = "SCOPE", value_delimiter = ' ')]
    pub scope: Vec<String>,
    /// Who it is for, shown in logs; by default a random name
    #[arg(long, value_name = "NAME")]
    pub subject: Option<String>,
    /// The file of the secret that signs it (made on first use); by default beside the keys file
    #[arg(long, value_name = "FILE")]
    pub secret: Option<PathBuf>,
}
