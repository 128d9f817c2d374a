//! The lines of the log: access, security and the program's own, as JSON or for a terminal.
//!
//! Decides the shape of each line and what goes into it. It never writes a body, a credential
//! (six characters of one at most) or a query, and never reads a clock. Masking comes after it,
//! at the sink; access lines alone are masked here, field by field as a client wrote it, since
//! all else in them is ours (a property test holds that no value has anything left to mask). A
//! line holds no line break, whatever it was made of.

#[macro_use]
mod fields;

mod access;
mod security;

pub use access::{ACCESS_LOGGER, write_access_line};
pub use security::{
    FoundAt, KeyPrefix, MAX_USER_AGENT, SECURITY_LOGGER, SecurityEvent, Severity, Verdict,
};

use std::fmt::{self, Write as _};
use std::time::SystemTime;

use super::json::{Escaping, cut, push_escaped, push_moment, push_number, push_string};
use crate::policy::LogFormat;

/// How much a line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Every step.
    Trace,
    /// What a developer asks for.
    Debug,
    /// What happened.
    Info,
    /// What somebody should look at some day.
    Warning,
    /// What somebody should look at today.
    Error,
    /// What somebody should look at now.
    Critical,
}

impl Level {
    /// The word in logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trace => "TRACE",
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warning => "WARNING",
            Self::Error => "ERROR",
            Self::Critical => "CRITICAL",
        }
    }
}

impl From<log::Level> for Level {
    fn from(level: log::Level) -> Self {
        match level {
            log::Level::Trace => Self::Trace,
            log::Level::Debug => Self::Debug,
            log::Level::Info => Self::Info,
            log::Level::Warn => Self::Warning,
            log::Level::Error => Self::Error,
        }
    }
}

/// The longest message of a line in bytes; what is longer is cut.
pub const MAX_MESSAGE: usize = 8_192;

/// A line of the program itself.
#[derive(Debug, Clone, Copy)]
pub struct LogLine<'a> {
    /// How much it matters.
    pub level: Level,
    /// Which part of the program speaks.
    pub logger: &'a str,
    /// What it says.
    pub message: fmt::Arguments<'a>,
    /// The module it stands in.
    pub module: &'a str,
    /// The line of the source.
    pub line: u32,
    /// What went wrong beneath it, if anything did.
    pub exception: Option<&'a str>,
}

/// Appends a line of the program itself, without a line break.
pub fn write_log_line(line: &LogLine<'_>, at: SystemTime, format: LogFormat, out: &mut Vec<u8>) {
    write_head(line.level, line.logger, at, format, out);
    match format {
        LogFormat::Json => {
            out.extend_from_slice(b",\"message\":\"");
            write_message(line.message, out);
            out.push(b'"');
            write_place(line.module, "", line.line, out);
            out.extend_from_slice(b",\"extra_data\":{}");
            if let Some(exception) = line.exception {
                out.extend_from_slice(b",\"exception\":");
                push_string(out, cut(exception, MAX_MESSAGE));
            }
            out.push(b'}');
        }
        LogFormat::Text => {
            write_message(line.message, out);
            if let Some(exception) = line.exception {
                out.extend_from_slice(b": ");
                push_escaped(out, cut(exception, MAX_MESSAGE));
            }
        }
    }
}

/// Time, level and logger: the beginning of an object, or of a line for people.
fn write_head(level: Level, logger: &str, at: SystemTime, format: LogFormat, out: &mut Vec<u8>) {
    match format {
        LogFormat::Json => {
            out.extend_from_slice(b"{\"timestamp\":\"");
            push_moment(out, at);
            out.extend_from_slice(b"\",\"level\":\"");
            out.extend_from_slice(level.as_str().as_bytes());
            out.extend_from_slice(b"\",\"logger\":");
            push_string(out, logger);
        }
        LogFormat::Text => {
            push_moment(out, at);
            out.push(b' ');
            out.extend_from_slice(level.as_str().as_bytes());
            out.push(b' ');
            push_escaped(out, logger);
            out.push(b' ');
        }
    }
}

/// The message, escaped, and cut in case it is very long.
fn write_message(message: fmt::Arguments<'_>, out: &mut Vec<u8>) {
    if let Some(text) = message.as_str() {
        return push_escaped(out, cut(text, MAX_MESSAGE));
    }
    let mut limited = Limited {
        inner: Escaping(out),
        left: MAX_MESSAGE,
    };
    // An error comes from some `Display` that gave up, or from the cut: the line goes out as it is.
    let _ = limited.write_fmt(message);
}

/// Passes so many bytes on and refuses the rest.
struct Limited<'a> {
    inner: Escaping<'a>,
    left: usize,
}

impl fmt::Write for Limited<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let part = cut(text, self.left);
        self.inner.write_str(part)?;
        self.left = self.left.saturating_sub(part.len());
        if part.len() < text.len() {
            return Err(fmt::Error);
        }
        Ok(())
    }
}

fn write_place(module: &str, function: &str, line: u32, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"module\":");
    push_string(out, module);
    out.extend_from_slice(b",\"function\":");
    push_string(out, function);
    out.extend_from_slice(b",\"line\":");
    push_number(out, u64::from(line));
}

#[cfg(test)]
mod tests;
