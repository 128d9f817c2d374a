//! Values behind a name: `password = …`, `api_key: …`.
//!
//! Decides by the name before `=` or `:` and by the value behind it. Passwords
//! may be short but need a digit or mark among letters; keys and tokens must look
//! random. Only the value is the find. Never follows variables.
//! May miss: passwords of letters only, values broken over lines.

use std::sync::LazyLock;

use super::chance::{Mix, password, placeholder, public_id, uuid};
use crate::inspect::detect::bytes::{ALNUM, DIGIT, DOT, JOINT, LETTER, Pairs, is};
use crate::inspect::detect::rules::secrets::{self as row, SHORTEST};
use crate::inspect::detect::window::{Body, Found, Window};

/// Longest name before the sign.
const NAME: usize = 40;
/// Bytes by which a value is judged; a longer one is found whole.
pub(super) const VALUE: usize = 200;

/// What a name promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Promise {
    Password,
    Key,
}

/// The value behind the `=` or `:` at `sign`, if the name before it promises one, and what goes
/// on with it.
pub(super) fn check(window: &Window<'_>, sign: usize) -> Option<(Found, Body)> {
    // No name ends in a digit: of times and tables this is all.
    if is(window.behind(sign), DIGIT) {
        return None;
    }
    let quote = |byte: u8| matches!(byte, b' ' | b'"' | b'\'' | b'`' | b'\\' | b']');
    let name_end = window.run_back(sign, 3, quote);
    let name_start = window.run_back(name_end, NAME, |byte| {
        is(byte, ALNUM | JOINT) || byte == b'.'
    });
    let name = window.slice(name_start, name_end);
    let promise = promise(name)?;
    let Opening {
        start,
        quoted,
        scheme,
    } = opening(window, sign)?;
    let key_like = promise == Promise::Key;
    let stop = start.saturating_add(VALUE);
    let read = value_end(window, (start, stop), key_like, quoted);
    let value = window.slice(start, read);
    let (value, end) = trimmed(value, start, read, quoted);
    let called = matches!(window.at(end), b'(' | b'[');
    let row = match promise {
        Promise::Password if password(value, quoted) && !called => row::PASSWORD,
        Promise::Key if scheme.is_some_and(|scheme| sent(value, scheme)) => row::BEARER_TOKEN,
        Promise::Key => key(value, name)?,
        Promise::Password => return None,
    };
    if placeholder(value) {
        return None;
    }
    let whole = if read < stop {
        end
    } else {
        rest(window, stop, key_like, quoted)
    };
    let end = if whole > stop { whole } else { end };
    let body = Body::Value {
        key: key_like,
        quoted,
    };
    Some((Found::new(row, start, end), body))
}

/// Where the look for secrets goes on behind the sign at `sign`: behind a long value, so that no
/// text is read as one value over and over.
pub(super) fn next(sign: usize, found: Option<Found>) -> usize {
    let long = found.filter(|found| found.length() >= VALUE);
    long.map_or(sign, |found| found.end)
        .max(sign.saturating_add(1))
}

/// One past the rest of a value that is known to be one.
pub(super) fn rest(window: &Window<'_>, start: usize, key: bool, quoted: bool) -> usize {
    let read = value_end(window, (start, usize::MAX), key, quoted);
    if window.undecided() && read == window.bytes.len() {
        // It may go on.
        return read;
    }
    trimmed(window.slice(start, read), start, read, quoted).1
}

/// One past the value, at most `stop`. A key without quotes ends at the next name's `=` or `:`,
/// or else "key=key=key=…" would be read over and over.
fn value_end(window: &Window<'_>, (start, stop): (usize, usize), key: bool, quoted: bool) -> usize {
    let chained = key && !quoted;
    let mut end = start;
    while end < stop {
        let byte = window.at(end);
        let next = chained && matches!(byte, b'=' | b':');
        let letter = next && window.at(end.saturating_add(1)).is_ascii_alphanumeric();
        if !in_value(byte, quoted) || letter {
            break;
        }
        end = end.saturating_add(1);
    }
    end
}

/// Ends of names whose value is a password.
const PASSWORDS: &[&[u8]] = &[
    b"password",
    b"passwd",
    b"passphrase",
    b"pwd",
    b"passwort",
    b"pass",
    b"contrasena",
    b"pw",
];

/// Names with such an end that promise nothing.
const HARMLESS: &[&[u8]] = &[
    b"publickey",
    b"pubkey",
    b"primarykey",
    b"foreignkey",
    b"cachekey",
    b"sortkey",
    b"partitionkey",
    b"routingkey",
    b"idempotencykey",
    b"hotkey",
    b"nexttoken",
    b"pagetoken",
    b"continuationtoken",
    b"objectkey",
    b"monkey",
    b"eostoken",
    b"bostoken",
    b"padtoken",
];

/// Ends of names whose value is a key.
const NAMES: &[&[u8]] = &[
    b"key",
    b"secret",
    b"token",
    b"credential",
    b"credentials",
    b"authorization",
    b"auth",
    b"apikey",
    b"keys",
    b"secrets",
    b"pat",
    b"keyid",
    b"login",
];

/// Ends of names, told apart by their last letters.
#[derive(Debug, Default)]
struct Tails(Vec<Tail>);

/// An end: its last eight letters, the last one lowest, which bytes these are, and all of it.
type Tail = (u64, u64, &'static [u8]);

impl Tails {
    fn new(names: &[&'static [u8]]) -> Self {
        let tail = |name: &&'static [u8]| {
            let last = name.iter().rev().take(8).enumerate();
            let place = |n: usize| n.wrapping_mul(8) % 64;
            let letters = last
                .clone()
                .map(|(n, letter)| u64::from(*letter) << place(n));
            let bytes = last.map(|(n, _)| 0xff << place(n));
            (letters.sum(), bytes.sum(), *name)
        };
        Self(names.iter().map(tail).collect())
    }

    /// Whether a name in small letters with these last ones may end with any: surely, if it does.
    #[inline]
    #[expect(
        clippy::needless_bitwise_bool,
        reason = "asked of all together, and without a branch"
    )]
    fn may_end(&self, small: u64) -> bool {
        let tails = self.0.iter();
        tails.fold(false, |any, (letters, bytes, _)| {
            any | (small & bytes == *letters)
        })
    }

    /// Whether a name in small letters ends with any.
    fn end(&self, name: &[u8], small: u64) -> bool {
        self.may_end(small) && self.0.iter().any(|(_, _, tail)| name.ends_with(tail))
    }
}

/// How all names end that promise something.
#[derive(Debug)]
pub(super) struct Endings {
    /// Their last two letters, and the two before the last one.
    last: Pairs,
    before: Pairs,
    passwords: Tails,
    names: Tails,
    harmless: Tails,
}

pub(super) static ENDINGS: LazyLock<Endings> = LazyLock::new(|| {
    let (mut last, mut before) = (Pairs::default(), Pairs::default());
    for name in PASSWORDS.iter().chain(NAMES) {
        if let [.., b, c] = *name {
            last.add(*b, *c);
        }
        match **name {
            [.., a, b, _] => before.add(a, b),
            [b, _] => (0..32).for_each(|any| before.add(any, b)),
            _ => {}
        }
    }
    Endings {
        last,
        before,
        passwords: Tails::new(PASSWORDS),
        names: Tails::new(NAMES),
        harmless: Tails::new(HARMLESS),
    }
});

impl Endings {
    /// Whether a text that ends with these bytes may end with a name that promises something.
    #[inline]
    pub(super) fn may_be(&self, end: [u8; 8]) -> bool {
        let [.., a, b, c] = end;
        // What joins a name's words may stand between its last letters.
        let joins = |byte: u8| is(byte, JOINT | DOT);
        let parted = joins(c) | (joins(b) & is(c, LETTER));
        let letters = is(b, LETTER) & is(c, LETTER);
        let ends = self.last.has(b, c) & (self.before.has(a, b) | joins(a));
        (letters & ends && self.end(end)) || (parted && self.parted(end))
    }

    /// The same of a name whose last letters are parted, by the two that are left.
    fn parted(&self, end: [u8; 8]) -> bool {
        let mut letters = end.iter().rev().filter(|byte| !is(**byte, JOINT | DOT));
        let (Some(c), Some(b)) = (letters.next(), letters.next()) else {
            return true;
        };
        is(*b, LETTER) & is(*c, LETTER) & self.last.has(*b, *c)
    }

    /// The same of the few whose last letters are those of such a name.
    fn end(&self, end: [u8; 8]) -> bool {
        // Makes small letters of capitals, and no letters of what is none.
        let small = u64::from_be_bytes(end) | 0x2020_2020_2020_2020;
        self.passwords.may_end(small) | self.names.may_end(small)
            || end.iter().any(|byte| is(*byte, JOINT | DOT))
    }
}

fn promise(name: &[u8]) -> Option<Promise> {
    // Behind eight zeros, as many as are looked at of a name that is shorter.
    let mut lower = [0_u8; NAME + 8];
    let mut length: usize = 8;
    for byte in name {
        if let Some(place) = lower.get_mut(length) {
            *place = byte.to_ascii_lowercase();
            length = length.saturating_add(usize::from(byte.is_ascii_alphanumeric()));
        }
    }
    let name = lower.get(..length).unwrap_or_default();
    let last: [u8; 8] = name.last_chunk().copied().unwrap_or_default();
    let [.., b, c] = last;
    let endings = &*ENDINGS;
    // Most names that were looked at for what joins their words.
    if !endings.last.has(b, c) {
        return None;
    }
    let small = u64::from_be_bytes(last);
    let ends = |tails: &Tails| tails.end(name, small);
    if ends(&endings.passwords) && !name.ends_with(b"bypass") && !name.ends_with(b"compass") {
        return Some(Promise::Password);
    }
    (ends(&endings.names) && !ends(&endings.harmless)).then_some(Promise::Key)
}

/// What stands between the sign and the value.
struct Opening {
    start: usize,
    quoted: bool,
    /// "bearer ", "basic ".
    scheme: Option<&'static [u8]>,
}

fn opening(window: &Window<'_>, sign: usize) -> Option<Opening> {
    let mut i = sign.saturating_add(1);
    match (window.at(sign), window.at(i)) {
        (b'=', b'=') => return None,
        (b'=', b'>') | (b':', b'=') => i = i.saturating_add(1),
        _ => {}
    }
    i = window.run(i, 3, |byte| byte == b' ');
    if window.at(i) == b'\\' {
        i = i.saturating_add(1);
    }
    let quoted = matches!(window.at(i), b'"' | b'\'' | b'`');
    if quoted {
        i = i.saturating_add(1);
    }
    let word = [b"bearer ".as_slice(), b"basic ", b"token "]
        .into_iter()
        .find(|word| window.reads(i, word));
    i = i.saturating_add(word.map_or(0, <[u8]>::len));
    Some(Opening {
        start: i,
        quoted,
        scheme: word,
    })
}

/// Whether a value behind "Bearer" or "Basic" is one.
fn sent(value: &[u8], scheme: &[u8]) -> bool {
    let mix = Mix::of(value);
    let encoded =
        scheme == b"basic " && mix.lower > 0 && mix.upper > 0 && value.len().is_multiple_of(4);
    value.len() > 11 && (mix.is_mixed() || (encoded && mix.distinct > 5))
}

pub(super) fn in_value(byte: u8, quoted: bool) -> bool {
    match byte {
        0..=b' ' | b'"' | b'\'' | b'`' | 0x7f.. => false,
        b',' | b';' | b')' | b'}' | b']' | b'<' | b'>' | b'&' => quoted,
        _ => true,
    }
}

/// Without the sentence's full stop, or the escape before a closing quote.
fn trimmed(value: &[u8], start: usize, end: usize, quoted: bool) -> (&[u8], usize) {
    let cut = value
        .iter()
        .rev()
        .take_while(|byte| **byte == b'\\' || (!quoted && matches!(byte, b'.' | b':')))
        .count();
    let end = end.saturating_sub(cut).max(start);
    (
        value
            .get(..value.len().saturating_sub(cut))
            .unwrap_or_default(),
        end,
    )
}

/// The row of a key's value, if it looks like one.
fn key(value: &[u8], name: &[u8]) -> Option<u8> {
    if value.len() < SHORTEST {
        return None;
    }
    let base64 = value.iter().all(|byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'_' | b'-')
    });
    let path = value
        .iter()
        .any(|byte| matches!(byte, b'(' | b'[' | b'{' | b'<' | b'\\'));
    let opens = [
        b"token".as_slice(),
        b"secret",
        b"apikey",
        b"api_key",
        b"api-key",
    ]
    .iter()
    .any(|tail| {
        name.len() >= tail.len()
            && name
                .get(name.len().saturating_sub(tail.len())..)
                .is_some_and(|end| end.eq_ignore_ascii_case(tail))
    });
    let mix = Mix::of(value);
    if base64 && value.len() == 88 && value.ends_with(b"==") {
        return Some(row::AZURE_STORAGE_KEY);
    }
    let aws = name
        .windows(3)
        .any(|part| part.eq_ignore_ascii_case(b"aws"));
    if base64 && value.len() == 40 && aws && mix.is_random() {
        return Some(row::AWS_SECRET_KEY);
    }
    let random = if uuid(value) {
        opens
    } else {
        mix.is_random() && !public_id(value)
    };
    (!path && random).then_some(row::GENERIC_SECRET)
}
