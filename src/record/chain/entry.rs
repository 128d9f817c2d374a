//! What becomes a line of the chain: decisions of the gateway, and acts of its operators.
//!
//! Decides which words of an event stand in clear (what was decided, by which rule, of which
//! request) and which are personal and are sealed: key id, address, user agent, the beginning of a
//! credential. Never writes a credential or a text that was inspected. Entries are made on the
//! request's thread, lines of them elsewhere.

use std::borrow::Cow;
use std::net::IpAddr;
use std::time::SystemTime;

use crate::record::event::{KeyPrefix, MAX_USER_AGENT, SecurityEvent, Verdict};
use crate::record::json::{cut, push_address, push_bytes, push_number, push_string};
use crate::record::mask::mask;

/// The longest value of a detail, in bytes; what is longer is cut.
const MAX_DETAIL: usize = 4 * 1024;
/// The longest entry in clear; a line must hold it, escaped and masked.
const MAX_CLEAR: usize = 16 * 1024;

/// The operation of events that are alerts.
const ALERT: &str = "alert";

/// What every entry begins with.
const EVENT: &str = "{\"event\":\"";

/// Details that name somebody: who an order is about.
const ABOUT: [&str; 3] = ["network", "ip", "key"];

/// What an alert says in words, which name whoever it is about.
const IN_WORDS: [&str; 2] = ["subject", "message"];

/// Somebody, and what is told of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Personal {
    /// A key id, or an address.
    pub subject: Box<str>,
    /// Whether this is a caller whom no key names.
    pub anonymous: bool,
    /// What is sealed: a JSON object.
    pub fields: Vec<u8>,
}

/// An entry of the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When it happened.
    pub at: SystemTime,
    /// What stands in clear: an object without its closing brace.
    clear: Vec<u8>,
    /// Who did it, if anybody did.
    pub who: Option<Personal>,
    /// Whom it is about, if anybody else.
    pub about: Option<Personal>,
}

impl Entry {
    /// An entry of the gateway itself; `event` is a word of ours.
    pub fn new(event: &'static str, at: SystemTime) -> Self {
        let mut clear = Vec::with_capacity(128);
        clear.extend_from_slice(EVENT.as_bytes());
        clear.extend_from_slice(event.as_bytes());
        clear.push(b'"');
        Self {
            at,
            clear,
            who: None,
            about: None,
        }
    }

    /// The same with a text more; none where there is no room for it.
    #[must_use]
    pub fn text(mut self, name: &str, value: &str) -> Self {
        push_text(&mut self.clear, name, value);
        self
    }

    /// The same with a number more.
    #[must_use]
    pub fn number(mut self, name: &str, value: u64) -> Self {
        push_name(&mut self.clear, name);
        push_number(&mut self.clear, value);
        self
    }

    /// The same, about a client whom no key names.
    #[must_use]
    pub fn of_client(mut self, address: IpAddr) -> Self {
        self.who = person(None, Some(address), b"", None);
        self
    }

    /// The same, done by somebody.
    #[must_use]
    pub fn by(mut self, id: &str, address: Option<IpAddr>, agent: &[u8]) -> Self {
        self.who = person(Some(id), address, agent, None);
        self
    }

    /// What stands in clear, masked, from the event's name on: `denial","reason":"…"`.
    pub fn body(&self) -> Cow<'_, [u8]> {
        masked(&self.clear, EVENT.len())
    }

    /// What a security event is as an entry.
    pub fn of(event: &SecurityEvent<'_>, at: SystemTime) -> Self {
        let mut entry = Self::new(kind(event), at).text("operation", event.operation);
        let (name, word) = match event.verdict {
            Verdict::Status(status) => ("result", status),
            Verdict::Threat(threat) => ("threat_type", threat),
        };
        entry = entry
            .text(name, word)
            .text("severity", event.severity.as_str())
            .text("reason", event.reason)
            .text("request_id", event.request_id);
        if let Some(found) = &event.found {
            entry = entry
                .text("rule", found.rule)
                .text("kind", found.kind)
                .text("channel", found.channel)
                .number("offset", found.offset)
                .number("length", found.length)
                .text("action", found.action);
        }
        let prefix = event.key_prefix.map(KeyPrefix::as_str);
        let mut who = person(event.user_id, event.client_ip, event.user_agent, prefix);
        let mut about: Option<Personal> = None;
        let in_words = event.operation == ALERT;
        for (name, value) in event.details {
            let names_somebody = ABOUT.contains(name) && !value.is_empty();
            match (&mut about, &mut who) {
                (Some(about), _) if names_somebody => about.add(name, value),
                (None, _) if names_somebody => about = Some(somebody(name, value)),
                (_, Some(who)) if in_words && IN_WORDS.contains(name) => who.add(name, value),
                _ => entry = entry.text(name, value),
            }
        }
        (entry.who, entry.about) = (who, about);
        entry
    }
}

impl Personal {
    /// Tells more of the same person; what there is no room for is left out.
    fn add(&mut self, name: &str, value: &str) {
        let closed = self.fields.len();
        if closed > MAX_CLEAR {
            return;
        }
        self.fields.truncate(closed.saturating_sub(1));
        push_member(&mut self.fields, name);
        push_string(&mut self.fields, cut(value, MAX_DETAIL));
        self.fields.push(b'}');
    }

    /// What is to be sealed, masked.
    pub fn masked(&self) -> Cow<'_, [u8]> {
        masked(&self.fields, 0)
    }
}

/// A text of ours from a place on, with what looks like a secret written over.
fn masked(text: &[u8], from: usize) -> Cow<'_, [u8]> {
    match str::from_utf8(text).map(mask) {
        Ok(Cow::Owned(masked)) => Cow::Owned(masked.into_bytes().split_off(from)),
        Ok(Cow::Borrowed(_)) | Err(_) => Cow::Borrowed(text.get(from..).unwrap_or_default()),
    }
}

/// What kind of entry an event is.
fn kind(event: &SecurityEvent<'_>) -> &'static str {
    if event.operation == ALERT {
        ALERT
    } else if event.tags.contains(&"operator") {
        "order"
    } else if event.tags.contains(&"fleet") {
        "taken_over"
    } else if event.found.is_some() {
        "finding"
    } else if event.tags.contains(&"blocked") {
        "block"
    } else {
        "denial"
    }
}

fn person(
    id: Option<&str>,
    address: Option<IpAddr>,
    agent: &[u8],
    prefix: Option<&str>,
) -> Option<Personal> {
    let mut shown = Vec::with_capacity(16);
    if let Some(address) = address {
        push_address(&mut shown, address);
    }
    let address = str::from_utf8(&shown).unwrap_or_default();
    let subject = id.unwrap_or(address);
    if subject.is_empty() {
        return None;
    }
    let mut fields = Vec::with_capacity(128);
    fields.push(b'{');
    for (name, value) in [
        ("user_id", id.unwrap_or_default()),
        ("client_ip", address),
        ("key_prefix", prefix.unwrap_or_default()),
    ] {
        if !value.is_empty() {
            push_member(&mut fields, name);
            push_string(&mut fields, value);
        }
    }
    if !agent.is_empty() {
        push_member(&mut fields, "user_agent");
        push_bytes(&mut fields, agent.get(..MAX_USER_AGENT).unwrap_or(agent));
    }
    fields.push(b'}');
    Some(Personal {
        subject: subject.into(),
        anonymous: id.is_none(),
        fields,
    })
}

/// Whom an order is about. A network of one address is that address.
fn somebody(name: &str, value: &str) -> Personal {
    let value = cut(value, MAX_DETAIL);
    let (address, prefix) = value.split_once('/').unwrap_or((value, ""));
    let single = matches!(
        (address.parse::<IpAddr>(), prefix),
        (Ok(IpAddr::V4(_)), "32") | (Ok(IpAddr::V6(_)), "128")
    );
    let mut fields = vec![b'{'];
    push_member(&mut fields, name);
    push_string(&mut fields, value);
    fields.push(b'}');
    Personal {
        subject: if single { address } else { value }.into(),
        anonymous: false,
        fields,
    }
}

fn push_member(out: &mut Vec<u8>, name: &str) {
    if out.len() > 1 {
        out.push(b',');
    }
    push_string(out, name);
    out.push(b':');
}

fn push_name(out: &mut Vec<u8>, name: &str) {
    out.push(b',');
    push_string(out, name);
    out.push(b':');
}

fn push_text(out: &mut Vec<u8>, name: &str, value: &str) {
    let start = out.len();
    push_name(out, name);
    push_string(out, cut(value, MAX_DETAIL));
    if out.len() > MAX_CLEAR {
        out.truncate(start);
    }
}
