//! Values behind a name: `password = …`, `api_key: …`.
//!
//! Decides by the name before `=` or `:` and by the value behind it. Passwords
//! may be short but need a digit or mark among letters; keys and tokens must look
//! random. Only the value is the find. Never follows variables.
//! May miss: passwords of letters only, values broken over lines.

use super::chance::{password, placeholder, public_id, uuid};
use super::mix::Mix;
use super::names::{NAME, Promise, promise};
use crate::each_byte::each_byte;
use crate::inspect::detect::bytes::{DIGIT, is};
use crate::inspect::detect::index::{Index, Row};
use crate::inspect::detect::rules::secrets::{self as row, SHORTEST};
use crate::inspect::detect::window::{Body, Found, Window};

/// Bytes by which a value is judged; a longer one is found whole.
pub(super) const VALUE: usize = 200;

/// The value behind the `=` or `:` at `sign`, if the name before it promises one, and what goes
/// on with it.
pub(super) fn check(window: &Window<'_>, index: &Index, sign: usize) -> Option<(Found, Body)> {
    // No name ends in a digit: of times and tables this is all.
    if is(window.behind(sign), DIGIT) {
        return None;
    }
    let quote = |byte: u8| matches!(byte, b' ' | b'"' | b'\'' | b'`' | b'\\' | b']');
    let name_end = window.run_back(sign, 3, quote);
    let length = index.back(Row::dotted, name_end).min(NAME);
    let name = window.slice(name_end.wrapping_sub(length), name_end);
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
    let mix = Mix::of(value);
    let row = match promise {
        Promise::Password if password(value, &mix, quoted) && !called => row::PASSWORD,
        Promise::Key if scheme.is_some_and(|scheme| sent(&mix, scheme)) => row::BEARER_TOKEN,
        Promise::Key => key(value, &mix, name)?,
        Promise::Password => return None,
    };
    if placeholder(value, &mix) {
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
    let outside = if quoted { OUTSIDE_QUOTES } else { OUTSIDE };
    let ends = if key && !quoted {
        outside | SIGN
    } else {
        outside
    };
    let mut end = start;
    while end < stop {
        let rest = window.slice(end, stop.min(window.bytes.len()));
        let Some(next) = rest.iter().position(|byte| value_byte(*byte) & ends != 0) else {
            end = end.wrapping_add(rest.len());
            if end < stop {
                window.note_past();
            }
            break;
        };
        end = end.wrapping_add(next);
        let sign = value_byte(window.at(end)) & outside == 0;
        if !sign || window.at(end.wrapping_add(1)).is_ascii_alphanumeric() {
            break;
        }
        end = end.wrapping_add(1);
    }
    end
}

/// Of a byte: none of a value without quotes, none of one in quotes, `=` or `:`.
const OUTSIDE: u8 = 1;
const OUTSIDE_QUOTES: u8 = 2;
const SIGN: u8 = 4;

const VALUE_BYTES: [u8; 256] = each_byte!(byte => match byte {
    0..=b' ' | b'"' | b'\'' | b'`' | 0x7f.. => OUTSIDE | OUTSIDE_QUOTES,
    b',' | b';' | b')' | b'}' | b']' | b'<' | b'>' | b'&' => OUTSIDE,
    b'=' | b':' => SIGN,
    _ => 0,
});

#[inline]
fn value_byte(byte: u8) -> u8 {
    VALUE_BYTES.get(usize::from(byte)).copied().unwrap_or(0)
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
fn sent(mix: &Mix, scheme: &[u8]) -> bool {
    let encoded =
        scheme == b"basic " && mix.lower > 0 && mix.upper > 0 && mix.length.is_multiple_of(4);
    mix.length > 11 && (mix.is_mixed() || (encoded && mix.distinct > 5))
}

pub(super) fn in_value(byte: u8, quoted: bool) -> bool {
    let outside = if quoted { OUTSIDE_QUOTES } else { OUTSIDE };
    value_byte(byte) & outside == 0
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
fn key(value: &[u8], mix: &Mix, name: &[u8]) -> Option<u8> {
    if value.len() < SHORTEST {
        return None;
    }
    let base64 = || {
        value.iter().all(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'_' | b'-')
        })
    };
    if value.len() == 88 && value.ends_with(b"==") && base64() {
        return Some(row::AZURE_STORAGE_KEY);
    }
    let aws = || {
        name.windows(3)
            .any(|part| part.eq_ignore_ascii_case(b"aws"))
    };
    if value.len() == 40 && mix.is_random() && aws() && base64() {
        return Some(row::AWS_SECRET_KEY);
    }
    let random = if uuid(value) {
        opens(name)
    } else {
        mix.is_random() && !public_id(value)
    };
    let of_path = |byte: &u8| matches!(byte, b'(' | b'[' | b'{' | b'<' | b'\\');
    let path = mix.others() > 0 && value.iter().any(of_path);
    (random && !path).then_some(row::GENERIC_SECRET)
}

/// Whether what has such a name may be an id and open something.
fn opens(name: &[u8]) -> bool {
    let tails = [
        b"token".as_slice(),
        b"secret",
        b"apikey",
        b"api_key",
        b"api-key",
    ];
    tails.iter().any(|tail| {
        let start = name.len().checked_sub(tail.len());
        start
            .and_then(|start| name.get(start..))
            .is_some_and(|end| end.eq_ignore_ascii_case(tail))
    })
}
