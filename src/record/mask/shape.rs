//! What secrets look like: keys of known makers, names that announce a secret, schemes.
//!
//! Decides whether bytes at a place have such a shape, from those bytes and their neighbours
//! alone. It never looks anything up and never changes the line.

/// A key found in a line: shown up to `first_hidden`, and from `last_shown` to `end`.
pub(super) struct Key {
    pub(super) first_hidden: usize,
    pub(super) last_shown: usize,
    pub(super) end: usize,
}

/// Makers' prefixes, and how much must follow for it to be a key.
const PREFIXES: [(&[u8], usize); 17] = [
    // OpenAI, Anthropic and those who imitate them; `sk-proj-` and `sk-ant-` among them.
    (b"sk-", 7),
    (b"pcl_", 10),
    (b"AKIA", 16),
    (b"ASIA", 16),
    (b"ghp_", 20),
    (b"gho_", 20),
    (b"ghu_", 20),
    (b"ghs_", 20),
    (b"ghr_", 20),
    (b"github_pat_", 20),
    (b"AIza", 30),
    (b"xoxa-", 10),
    (b"xoxb-", 10),
    (b"xoxe-", 10),
    (b"xoxp-", 10),
    (b"xoxr-", 10),
    (b"xoxs-", 10),
];

/// The key that begins here, if one does.
pub(super) fn key_at(bytes: &[u8], at: usize) -> Option<Key> {
    if !begins_word(bytes, at) {
        return None;
    }
    if let Some(header) = after(bytes, at, b"eyJ") {
        return token_at(bytes, header);
    }
    let (body, least) = PREFIXES
        .iter()
        .find_map(|(prefix, least)| Some((after(bytes, at, prefix)?, *least)))?;
    let end = run(bytes, body, is_word);
    let amazon = matches!(bytes.get(at..body), Some(b"AKIA" | b"ASIA"));
    let shaped = !amazon
        || bytes.get(body..body + least).is_some_and(|id| {
            id.iter()
                .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
        });
    (end - body >= least && shaped).then_some(Key {
        first_hidden: body + 3,
        last_shown: end - 3,
        end,
    })
}

/// A JSON Web Token: three parts, two of which must be there.
fn token_at(bytes: &[u8], header: usize) -> Option<Key> {
    let dot = run(bytes, header, is_word);
    let payload = after(bytes, dot, b".")?;
    if dot - header < 5 || run(bytes, payload, is_word) - payload < 5 {
        return None;
    }
    let end = run(bytes, payload, |b| is_word(b) || b == b'.');
    Some(Key {
        first_hidden: header + 3,
        last_shown: end - 3,
        end,
    })
}

/// Where the bytes of a kind end that begin here.
fn run(bytes: &[u8], start: usize, of_kind: impl Fn(u8) -> bool) -> usize {
    let rest = bytes.get(start..).unwrap_or_default();
    start + rest.iter().position(|b| !of_kind(*b)).unwrap_or(rest.len())
}

const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

/// The place after these bytes, if they stand here.
pub(super) fn after(bytes: &[u8], at: usize, wanted: &[u8]) -> Option<usize> {
    bytes
        .get(at..)?
        .starts_with(wanted)
        .then_some(at + wanted.len())
}

/// Whether a word can begin here: after no letter or digit, but for those of an escape (`\n`).
pub(super) fn begins_word(bytes: &[u8], at: usize) -> bool {
    let before = |back: usize| at.checked_sub(back).and_then(|place| bytes.get(place));
    !before(1).is_some_and(u8::is_ascii_alphanumeric)
        || before(2) == Some(&b'\\')
        || (before(6) == Some(&b'\\') && before(5) == Some(&b'u'))
}

/// What a name announces.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Name {
    /// A secret, after a sign.
    Secret,
    /// A token, with no sign between.
    Bearer,
}

pub(super) const BEARER: &[u8] = b"bearer";

/// Names of which the value is a secret, whatever stands before them (`client_secret`).
const NAMES: [&[u8]; 17] = [
    b"token",
    b"secret",
    b"password",
    b"passwd",
    b"passphrase",
    b"api_key",
    b"api-key",
    b"apikey",
    b"private_key",
    b"private-key",
    b"privatekey",
    b"secret_key",
    b"secret-key",
    b"secretkey",
    b"access_key",
    b"access-key",
    AUTHORIZATION,
];

const AUTHORIZATION: &[u8] = b"authorization";

/// The name whose last three letters, or in `authorization` whose `riz`, begin here; and its end.
pub(super) fn name_at(bytes: &[u8], at: usize) -> Option<(Name, usize)> {
    let long = matches!(bytes.get(at + 2), Some(b'z' | b'Z'));
    let end = at + if long { 8 } else { 3 };
    // Nearly all that is no name goes on as a word: `tokens`, `key_id`.
    let follows = bytes.get(end)?;
    if !matches!(follows, b' ' | b'\t' | b':' | b'=' | b'"' | b'\'' | b'\\') {
        return None;
    }
    let text = bytes.get(..end)?;
    let ends_with = |name: &[u8]| {
        text.len()
            .checked_sub(name.len())
            .and_then(|start| text.get(start..))
            .is_some_and(|tail| tail.eq_ignore_ascii_case(name))
    };
    if ends_with(BEARER) {
        return Some((Name::Bearer, end));
    }
    NAMES
        .into_iter()
        .any(ends_with)
        .then_some((Name::Secret, end))
}

/// Authentication schemes, which stand before a credential and are none.
const SCHEMES: [&[u8]; 6] = [
    BEARER,
    b"basic",
    b"digest",
    b"negotiate",
    b"token",
    b"apikey",
];

/// Whether a word is an authentication scheme.
pub(super) fn is_scheme(word: &[u8]) -> bool {
    SCHEMES
        .iter()
        .any(|scheme| scheme.eq_ignore_ascii_case(word))
}

/// The length of a scheme and the blanks after it, at the beginning of a text that goes on.
pub(super) fn scheme_length(text: &[u8]) -> usize {
    let word = run(text, 0, |b| b.is_ascii_alphabetic());
    let next = super::quote::skip_blanks(text, word);
    let scheme = text.get(..word).is_some_and(is_scheme);
    if scheme && next > word && next < text.len() {
        next
    } else {
        0
    }
}
