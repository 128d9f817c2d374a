//! The lines of the log: access, security and the program's own, as JSON or for a terminal.
//!
//! Decides the shape of each line and what goes into it. It never writes a body, a credential
//! (six characters of one at most) or a query, and never reads a clock. Masking comes after it,
//! at the sink; access lines alone are masked here, field by field as a client wrote it, since
//! all else in them is ours (a property test holds that no value has anything left to mask). A
//! line holds no line break, whatever it was made of.

#[macro_use]
mod fields;
mod security;

pub use security::{
    FoundAt, KeyPrefix, MAX_USER_AGENT, SECURITY_LOGGER, SecurityEvent, Severity, Verdict,
};

use std::fmt::{self, Write as _};
use std::time::SystemTime;

use fields::{Fields, Name, mask_from, push_word};

use super::json::{Escaping, cut, push_escaped, push_moment, push_number, push_string};
use super::{Facts, Failed, Inspected};
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

/// The logger of access lines.
pub const ACCESS_LOGGER: &str = "portcullis.access";

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

/// Appends the access line of a request, masked, without a line break.
pub fn write_access_line(facts: &Facts, at: SystemTime, format: LogFormat, out: &mut Vec<u8>) {
    write_head(Level::Info, ACCESS_LOGGER, at, format, out);
    match format {
        LogFormat::Json => {
            out.extend_from_slice(b",\"message\":");
            let message = out.len();
            out.push(b'"');
            write_summary(facts, out);
            out.push(b'"');
            mask_from(message, out);
            out.extend_from_slice(ACCESS_PLACE.as_bytes());
            write_facts(facts, out);
            out.push(b'}');
        }
        LogFormat::Text => {
            let message = out.len();
            write_summary(facts, out);
            mask_from(message, out);
            out.push(b' ');
            write_facts(facts, out);
        }
    }
}

/// Where access lines are made, up to what they are about.
const ACCESS_PLACE: &str = concat!(
    ",\"module\":\"",
    module_path!(),
    "\",\"function\":\"write_access_line\",\"line\":",
    line!(),
    ",\"extra_data\":"
);

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

/// `POST /v1/chat/completions 200`: bounded words, but for the method.
fn write_summary(facts: &Facts, out: &mut Vec<u8>) {
    push_escaped(out, method(facts));
    out.push(b' ');
    out.extend_from_slice(facts.endpoint.as_str().as_bytes());
    out.push(b' ');
    push_number(out, u64::from(facts.status_shown()));
}

/// The method, cut: a client may send one as long as it likes.
fn method(facts: &Facts) -> &str {
    cut(facts.method.as_str(), 16)
}

/// The object of an access line's `extra_data`.
fn write_facts(facts: &Facts, out: &mut Vec<u8>) {
    let mut fields = Fields::begin(out);
    fields.foreign(field!("request_id"), &facts.request_id);
    if let Some(address) = facts.client_ip {
        fields.address(field!("client_ip"), address);
    }
    if let Some(key) = &facts.key_id {
        fields.foreign(field!("key_id"), key.as_str());
    }
    if let Some(role) = facts.role {
        fields.word(field!("role"), role.as_str());
    }
    fields.foreign(field!("method"), method(facts));
    fields.word(field!("endpoint"), facts.endpoint.as_str());
    fields.foreign_bytes(field!("path"), facts.path.as_bytes());
    fields.number(field!("status"), u64::from(facts.status_shown()));
    fields.word(field!("outcome"), facts.outcome.as_str());
    if let Some(refusal) = facts.refusal {
        fields.word(field!("code"), refusal.code);
        fields.word(field!("reason"), refusal.reason);
    }
    write_call(facts, &mut fields);
    fields.number(field!("request_bytes"), facts.request_bytes);
    fields.number(field!("response_bytes"), facts.response_bytes);
    if let Some(times) = facts.times {
        fields.millis(field!("duration_ms"), times.duration);
        fields.millis(field!("overhead_ms"), times.overhead);
        if let Some(first) = times.first_byte {
            fields.millis(field!("upstream_first_byte_ms"), first);
        }
        if let Some(total) = times.upstream {
            fields.millis(field!("upstream_ms"), total);
        }
    }
    if let Some(inspected) = &facts.inspection {
        write_inspection(inspected, &REQUEST, &mut fields);
    }
    if let Some(inspected) = &facts.answer {
        write_inspection(inspected, &ANSWER, &mut fields);
    }
    fields.text(field!("policy"), &facts.policy);
    fields.end();
}

/// The fields of an inspection: bytes, bytes of text, bytes not read, families, findings.
type Names = [Name; 5];

const REQUEST: Names = [
    field!("inspected_bytes"),
    field!("inspected_text_bytes"),
    field!("uninspected_bytes"),
    field!("families"),
    field!("findings"),
];

const ANSWER: Names = [
    field!("response_inspected_bytes"),
    field!("response_inspected_text_bytes"),
    field!("response_uninspected_bytes"),
    field!("response_families"),
    field!("response_findings"),
];

/// What the inspection did and found, in numbers.
fn write_inspection(inspected: &Inspected, names: &Names, fields: &mut Fields<'_>) {
    let [body, text, uninspected, families, findings] = *names;
    fields.number(body, inspected.body_bytes);
    fields.number(text, inspected.text_bytes);
    fields.number(uninspected, inspected.uninspected_bytes);
    fields.name(families);
    fields.out.push(b'[');
    for (place, family) in inspected.families.iter().enumerate() {
        if place > 0 {
            fields.out.push(b',');
        }
        push_word(fields.out, family.as_str());
    }
    fields.out.push(b']');
    fields.name(findings);
    fields.out.push(b'[');
    for (place, found) in inspected.found.iter().enumerate() {
        if place > 0 {
            fields.out.push(b',');
        }
        let mut one = Fields::begin(fields.out);
        one.word(field!("family"), found.family.as_str());
        one.word(field!("action"), found.action.as_str());
        one.number(field!("count"), found.count);
        one.end();
    }
    fields.out.push(b']');
}

/// Which attempts at providers failed, and how far each came.
fn write_failed(failed: &[Failed], fields: &mut Fields<'_>) {
    if failed.is_empty() {
        return;
    }
    fields.name(field!("failed_attempts"));
    fields.out.push(b'[');
    for (place, failed) in failed.iter().enumerate() {
        if place > 0 {
            fields.out.push(b',');
        }
        let mut one = Fields::begin(fields.out);
        one.foreign(field!("provider"), failed.provider.as_str());
        one.foreign(field!("endpoint"), &failed.endpoint);
        one.word(field!("class"), failed.class);
        one.end();
    }
    fields.out.push(b']');
}

/// What is known of the call to a provider.
fn write_call(facts: &Facts, fields: &mut Fields<'_>) {
    if let Some(model) = &facts.model {
        fields.foreign(field!("model"), model.as_str());
    }
    if let Some(provider) = &facts.provider {
        fields.foreign(field!("provider"), provider.as_str());
    }
    if let Some(status) = facts.upstream_status {
        fields.number(field!("upstream_status"), u64::from(status));
    }
    if facts.provider.is_some() {
        fields.number(field!("attempts"), u64::from(facts.attempts));
        fields.bare(
            field!("stream"),
            if facts.stream { "true" } else { "false" },
        );
    }
    write_failed(&facts.failed, fields);
    if let Some(tokens) = facts.usage.prompt {
        fields.number(field!("prompt_tokens"), tokens);
    }
    if let Some(tokens) = facts.usage.completion {
        fields.number(field!("completion_tokens"), tokens);
    }
}

#[cfg(test)]
mod tests;
