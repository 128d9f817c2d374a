//! `portcullis schema`: the JSON Schema of the configuration file.
//!
//! Decides nothing; the schema is the configuration's own.

use std::io::{self, Write};

use clap::Args;

use crate::config::schema;

/// Arguments of `portcullis schema`.
#[derive(Debug, Clone, Default, Args)]
pub struct SchemaArgs {}

/// Prints the schema.
///
/// # Errors
/// The output can't be written.
pub fn run(_args: &SchemaArgs, out: &mut dyn Write) -> io::Result<u8> {
    writeln!(out, "{}", schema::text())?;
    Ok(0)
}
