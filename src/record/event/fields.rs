//! The fields of a line: names put together by the compiler, values as JSON has them.
//!
//! Decides what of a value needs escaping and what needs masking: words of ours neither, what a
//! client or an operator wrote both. It never decides which fields a line has.

use std::borrow::Cow;
use std::cell::RefCell;
use std::net::IpAddr;
use std::time::Duration;

use crate::record::json::{push_address, push_bytes, push_millis, push_number, push_string};
use crate::record::mask::{mask, may_hold_secrets};

/// The name of a field as it stands in a line.
macro_rules! field {
    ($name:literal) => {
        $crate::record::event::fields::Name(concat!(",\"", $name, "\":"))
    };
}

/// Masks what was written from here on.
pub(super) fn mask_from(start: usize, out: &mut Vec<u8>) {
    let written = out.get(start..).unwrap_or_default();
    if !may_hold_secrets(written) {
        return;
    }
    // What is not text can't be masked; nothing that writes into a line makes such.
    if let Some(Cow::Owned(masked)) = str::from_utf8(written).ok().map(mask) {
        out.truncate(start);
        out.extend_from_slice(masked.as_bytes());
    }
}

/// A field whose value most lines repeat.
#[derive(Clone, Copy)]
pub(super) enum Repeated {
    Key,
    Model,
    Provider,
}

/// The longest value that is remembered.
const REMEMBERED: usize = 128;

thread_local! {
    /// What was written last under each such name and had nothing to escape or mask.
    static PLAIN: RefCell<[String; 3]> = const { RefCell::new([const { String::new() }; 3]) };
}

impl Repeated {
    const fn index(self) -> usize {
        match self {
            Self::Key => 0,
            Self::Model => 1,
            Self::Provider => 2,
        }
    }

    fn is_plain(self, value: &str) -> bool {
        let known = |all: &RefCell<[String; 3]>| {
            let all = all.try_borrow().ok()?;
            Some(all.get(self.index())? == value)
        };
        // A thread that is ending remembers nothing.
        PLAIN.try_with(known).ok().flatten().unwrap_or(false)
    }

    fn remember(self, value: &str) {
        let _ending = PLAIN.try_with(|all| {
            let mut all = all.try_borrow_mut().ok()?;
            let known = all.get_mut(self.index())?;
            known.clear();
            known.push_str(value);
            Some(())
        });
    }
}

/// Whether it is made of the digits of hexadecimal numbers alone: nothing to escape, and no secret
/// begins with them.
fn is_hex(text: &str) -> bool {
    let digit = |byte: u8| byte.is_ascii_digit() | matches!(byte, b'a'..=b'f');
    text.bytes().fold(true, |all, byte| all & digit(byte))
}

/// A field's name as it stands in a line, comma and quotes included; [`field!`] makes it.
#[derive(Clone, Copy)]
pub(super) struct Name(pub(super) &'static str);

/// A word of ours, which has nothing to escape.
pub(super) fn push_word(out: &mut Vec<u8>, word: &str) {
    out.push(b'"');
    out.extend_from_slice(word.as_bytes());
    out.push(b'"');
}

/// An object being written, field by field.
pub(super) struct Fields<'a> {
    pub(super) out: &'a mut Vec<u8>,
    pub(super) first: bool,
}

impl<'a> Fields<'a> {
    pub(super) fn begin(out: &'a mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, first: true }
    }

    pub(super) fn end(self) {
        self.out.push(b'}');
    }

    pub(super) fn name(&mut self, name: Name) {
        // The first has no comma before it.
        let from = usize::from(std::mem::take(&mut self.first));
        let name = name.0.as_bytes();
        self.out.extend_from_slice(name.get(from..).unwrap_or(name));
    }

    pub(super) fn text(&mut self, name: Name, value: &str) {
        self.name(name);
        push_string(self.out, value);
    }

    /// A field whose name the compiler does not know; a word of ours all the same.
    pub(super) fn detail(&mut self, name: &'static str, value: &str) {
        if !std::mem::take(&mut self.first) {
            self.out.push(b',');
        }
        push_word(self.out, name);
        self.out.push(b':');
        push_string(self.out, value);
    }

    /// One of our own words, which have nothing to escape.
    pub(super) fn word(&mut self, name: Name, value: &'static str) {
        self.name(name);
        push_word(self.out, value);
    }

    /// What a client or an operator wrote: masked at once.
    pub(super) fn foreign(&mut self, name: Name, value: &str) {
        self.name(name);
        let start = self.out.len();
        push_string(self.out, value);
        mask_from(start, self.out);
    }

    /// The same of a value that most lines repeat.
    pub(super) fn repeated(&mut self, name: Name, value: &str, which: Repeated) {
        if which.is_plain(value) {
            return self.plain(name, value);
        }
        let start = self.out.len();
        self.foreign(name, value);
        let written = self.out.get(start..).unwrap_or_default();
        let text = value.as_bytes();
        let text_alone = written
            .strip_suffix(b"\"")
            .and_then(|it| it.strip_suffix(text))
            .is_some_and(|before| before.ends_with(b":\""));
        if text_alone && text.len() <= REMEMBERED {
            which.remember(value);
        }
    }

    /// The same of an id, which most often is our own.
    pub(super) fn id(&mut self, name: Name, value: &str) {
        if is_hex(value) {
            self.plain(name, value);
        } else {
            self.foreign(name, value);
        }
    }

    /// What has nothing to escape or mask.
    pub(super) fn plain(&mut self, name: Name, value: &str) {
        self.name(name);
        push_word(self.out, value);
    }

    /// The same of what may be no text.
    pub(super) fn foreign_bytes(&mut self, name: Name, value: &[u8]) {
        self.foreign(name, &String::from_utf8_lossy(value));
    }

    pub(super) fn bytes(&mut self, name: Name, value: &[u8]) {
        self.name(name);
        push_bytes(self.out, value);
    }

    pub(super) fn number(&mut self, name: Name, value: u64) {
        self.name(name);
        push_number(self.out, value);
    }

    pub(super) fn millis(&mut self, name: Name, value: Duration) {
        self.name(name);
        push_millis(self.out, value);
    }

    pub(super) fn bare(&mut self, name: Name, value: &str) {
        self.name(name);
        self.out.extend_from_slice(value.as_bytes());
    }

    /// An address, which has no character that would need escaping.
    pub(super) fn address(&mut self, name: Name, value: IpAddr) {
        self.name(name);
        self.out.push(b'"');
        push_address(self.out, value);
        self.out.push(b'"');
    }
}
