//! The line of a request: who, what, how it ended, how long it took; no content.
//!
//! Decides which fields it has. What a client or an operator wrote is masked here, field by field;
//! all else is ours, and is put together from ready pieces.

use std::time::SystemTime;

use super::fields::{Fields, Name, Repeated, mask_from, push_word};
use super::{Level, write_head};
use crate::policy::LogFormat;
use crate::record::json::{cut, push_escaped, push_moment, push_number};
use crate::record::{Facts, Failed, Inspected, is_usual};

macro_rules! access_logger {
    () => {
        "portcullis.access"
    };
}

/// The logger of access lines.
pub const ACCESS_LOGGER: &str = access_logger!();

/// Appends the access line of a request, masked, without a line break.
pub fn write_access_line(facts: &Facts, at: SystemTime, format: LogFormat, out: &mut Vec<u8>) {
    out.reserve(ACCESS_LINE);
    match format {
        LogFormat::Json => {
            out.extend_from_slice(b"{\"timestamp\":\"");
            push_moment(out, at);
            out.extend_from_slice(ACCESS_HEAD.as_bytes());
            write_summary(facts, out);
            out.extend_from_slice(ACCESS_PLACE.as_bytes());
            write_facts(facts, out);
            out.push(b'}');
        }
        LogFormat::Text => {
            write_head(Level::Info, ACCESS_LOGGER, at, format, out);
            write_summary(facts, out);
            out.push(b' ');
            write_facts(facts, out);
        }
    }
}

/// The length of most access lines.
const ACCESS_LINE: usize = 1_024;

/// What follows the time in an access line, up to its message.
const ACCESS_HEAD: &str = concat!(
    "\",\"level\":\"INFO\",\"logger\":\"",
    access_logger!(),
    "\",\"message\":\""
);

/// The end of the message, and where access lines are made, up to what they are about.
const ACCESS_PLACE: &str = concat!(
    "\",\"module\":\"",
    module_path!(),
    "\",\"function\":\"write_access_line\",\"line\":",
    line!(),
    ",\"extra_data\":"
);

/// `POST /v1/chat/completions 200`: bounded words, but for a method that nobody knows, which is
/// masked.
fn write_summary(facts: &Facts, out: &mut Vec<u8>) {
    if is_usual(&facts.method) {
        out.extend_from_slice(facts.method.as_str().as_bytes());
    } else {
        let start = out.len();
        push_escaped(out, method(facts));
        mask_from(start, out);
    }
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
    fields.id(field!("request_id"), &facts.request_id);
    if let Some(address) = facts.client_ip {
        fields.address(field!("client_ip"), address);
    }
    if let Some(key) = &facts.key_id {
        fields.repeated(field!("key_id"), key.as_str(), Repeated::Key);
    }
    if let Some(role) = facts.role {
        fields.word(field!("role"), role.as_str());
    }
    if is_usual(&facts.method) {
        fields.plain(field!("method"), facts.method.as_str());
    } else {
        fields.foreign(field!("method"), method(facts));
    }
    let endpoint = facts.endpoint.as_str();
    fields.word(field!("endpoint"), endpoint);
    if facts.path.as_bytes() == endpoint.as_bytes() {
        fields.word(field!("path"), endpoint);
    } else {
        fields.foreign_bytes(field!("path"), facts.path.as_bytes());
    }
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
    fields.id(field!("policy"), &facts.policy);
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
        fields.repeated(field!("model"), model.as_str(), Repeated::Model);
    }
    if let Some(provider) = &facts.provider {
        fields.repeated(field!("provider"), provider.as_str(), Repeated::Provider);
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
