//! Values behind a name: `password = …`, `api_key: …`, `https://user:pass@host`.
//!
//! Decides by the name before `=` or `:` and by the value behind it. Passwords
//! may be short but need a digit or mark among letters; keys and tokens must look
//! random. Only the value is the find. Never follows variables.
//! May miss: passwords of letters only, values broken over lines.

use super::chance::{Mix, password, placeholder, public_id};
use crate::inspect::detect::rules::secrets as row;
use crate::inspect::detect::window::{Found, Window};

/// Longest name before the sign, longest value behind it.
const NAME: usize = 40;
const VALUE: usize = 200;

/// What a name promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Promise {
    Password,
    Key,
}

/// The value behind the `=` or `:` at `sign`, if the name before it promises one.
pub(super) fn check(window: &Window<'_>, sign: usize) -> Option<Found> {
    let quote = |byte: u8| matches!(byte, b' ' | b'"' | b'\'' | b'`' | b'\\' | b']');
    let name_end = window.run_back(sign, 3, quote);
    let name_start = window.run_back(name_end, NAME, |byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
    });
    let name = window.slice(name_start, name_end);
    let promise = promise(name)?;
    let Opening {
        start,
        quoted,
        scheme,
    } = opening(window, sign)?;
    let end = value_end(window, start, quoted, promise);
    let value = window.slice(start, end);
    let (value, end) = trimmed(value, start, end, quoted);
    let called = matches!(window.at(end), b'(' | b'[');
    let row = match promise {
        Promise::Password if password(value, quoted) && !called => row::PASSWORD,
        Promise::Key if scheme.is_some_and(|scheme| sent(value, scheme)) => row::BEARER_TOKEN,
        Promise::Key => key(value, name)?,
        Promise::Password => return None,
    };
    (!placeholder(value)).then(|| Found::new(row, start, end))
}

/// One past the value. A key without quotes ends at the next name's `=` or `:`,
/// or else "key=key=key=…" would be read over and over.
fn value_end(window: &Window<'_>, start: usize, quoted: bool, promise: Promise) -> usize {
    let chained = promise == Promise::Key && !quoted;
    let mut end = start;
    let stop = start.saturating_add(VALUE);
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

/// The last two letters of all names that promise something.
fn may_promise(name: &[u8]) -> bool {
    let mut letters = name
        .iter()
        .rev()
        .filter(|byte| byte.is_ascii_alphanumeric());
    let mut next = || letters.next().map_or(0, u8::to_ascii_lowercase);
    let (last, before) = (next(), next());
    matches!(
        &[before, last],
        b"rd"
            | b"wd"
            | b"se"
            | b"rt"
            | b"ss"
            | b"na"
            | b"pw"
            | b"ey"
            | b"et"
            | b"en"
            | b"al"
            | b"ls"
            | b"on"
            | b"th"
            | b"ys"
            | b"ts"
            | b"at"
            | b"id"
            | b"in"
    )
}

fn promise(name: &[u8]) -> Option<Promise> {
    if !may_promise(name) {
        return None;
    }
    let mut lower = [0_u8; NAME];
    let mut length: usize = 0;
    for byte in name.iter().filter(|byte| byte.is_ascii_alphanumeric()) {
        if let Some(place) = lower.get_mut(length) {
            *place = byte.to_ascii_lowercase();
            length = length.saturating_add(1);
        }
    }
    let name = lower.get(..length).unwrap_or_default();
    let ends = |tails: &[&[u8]]| tails.iter().any(|tail| name.ends_with(tail));
    if ends(PASSWORDS) && !ends(&[b"bypass", b"compass"]) {
        return Some(Promise::Password);
    }
    (ends(NAMES) && !ends(HARMLESS)).then_some(Promise::Key)
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

fn in_value(byte: u8, quoted: bool) -> bool {
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

/// 8-4-4-4-12 hex digits: names things, hardly ever opens them.
pub(super) fn uuid(value: &[u8]) -> bool {
    value.len() == 36
        && value.iter().enumerate().all(|(n, byte)| match n {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// What stands behind `scheme://`, whose `:` is at `colon`.
pub(super) fn url(window: &Window<'_>, colon: usize) -> Option<Found> {
    if !window.behind(colon).is_ascii_alphanumeric() {
        return None;
    }
    let start = colon.saturating_add(3);
    if let Some(found) = webhook(window, start) {
        return Some(found);
    }
    let stop = |byte: u8| {
        matches!(
            byte,
            0..=b' ' | b'/' | b'?' | b'#' | b'"' | b'\'' | b'`' | b'<' | b'>' | b'|' | b'@' | b'\\'
        )
    };
    let at = window.run(start, 256, |byte| !stop(byte));
    if window.at(at) != b'@' {
        return None;
    }
    let pair = window.slice(start, at);
    let split = pair.iter().position(|byte| *byte == b':')?;
    let (user, secret) = pair.split_at(split);
    let secret = secret.get(1..).unwrap_or_default();
    let worn: &[&[u8]] = &[b"password", b"pass", b"pwd", b"passwd", b"secret", b"token"];
    let real = secret.len() > 2
        && secret != user
        && !placeholder_part(secret)
        && !placeholder_part(user)
        && !worn.contains(&secret);
    real.then_some(Found::new(row::BASIC_AUTH_URL, start, at))
}

fn placeholder_part(part: &[u8]) -> bool {
    matches!(part.first(), Some(b'<' | b'{' | b'$' | b'%' | b'[' | b'*'))
        || part
            .windows(4)
            .any(|word| word.eq_ignore_ascii_case(b"your") || word == b"xxxx")
        || part.windows(2).any(|word| word == b"${" || word == b"{{")
}

/// "-u user:password" and "--user …" of curl; the option's name ends at `end`.
pub(super) fn option(window: &Window<'_>, end: usize) -> Option<Found> {
    let mut start = window.run(end, 3, |byte| matches!(byte, b' ' | b'='));
    let quoted = matches!(window.at(start), b'"' | b'\'');
    start = start.saturating_add(usize::from(quoted));
    let last = window.run(start, VALUE, |byte| in_value(byte, quoted));
    let pair = window.slice(start, last);
    let split = pair.iter().position(|byte| *byte == b':')?;
    let (user, secret) = pair.split_at(split);
    let secret = secret.get(1..).unwrap_or_default();
    let real = !user.is_empty()
        && last > end
        && secret.len() > 5
        && Mix::of(secret).is_mixed()
        && !secret.starts_with(b"/")
        && !placeholder(secret);
    real.then_some(Found::new(row::BASIC_AUTH_URL, start, last))
}

/// Webhook addresses, which are secrets as a whole.
fn webhook(window: &Window<'_>, start: usize) -> Option<Found> {
    const HOSTS: [(&[u8], u8, usize); 7] = [
        (b"hooks.slack.com/triggers/", row::SLACK_WEBHOOK, 30),
        (b"hooks.slack.com/services/", row::SLACK_WEBHOOK, 30),
        (b"hooks.slack.com/workflows/", row::SLACK_WEBHOOK, 30),
        (b"discord.com/api/webhooks/", row::DISCORD_WEBHOOK, 60),
        (b"discordapp.com/api/webhooks/", row::DISCORD_WEBHOOK, 60),
        (b"ptb.discord.com/api/webhooks/", row::DISCORD_WEBHOOK, 60),
        (
            b"canary.discord.com/api/webhooks/",
            row::DISCORD_WEBHOOK,
            60,
        ),
    ];
    let path = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'_' | b'-' | b'@');
    for (host, row, least) in HOSTS {
        if window.reads(start, host) {
            let body = start.saturating_add(host.len());
            let end = window.run(body, 200, path);
            let mix = Mix::of(window.slice(body, end));
            let real = mix.length >= least && mix.digits > 0 && mix.distinct > 9;
            return real.then_some(Found::new(row, start, end));
        }
    }
    let host = window.run(start, 64, |byte| {
        byte.is_ascii_alphanumeric() || byte == b'-'
    });
    if window.reads(host, b".webhook.office.com/webhookb2/") {
        let end = window.run(host.saturating_add(30), 250, path);
        return (end.saturating_sub(host) > 100).then_some(Found::new(
            row::TEAMS_WEBHOOK,
            start,
            end,
        ));
    }
    None
}
