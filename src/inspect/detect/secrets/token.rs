//! Words that are secrets by themselves: prefixed keys, JSON web tokens, private
//! key blocks, bot tokens; and random words with a keyword before them.
//!
//! Decides what the word at a place is. A key with a telling prefix needs only
//! its alphabet and length, less filler (`xxxxxx`, `your`); documentation's own
//! samples (`AKIAIOSFODNN7EXAMPLE`) have the shape and are reported.
//! May miss: prefixes glued to letters or digits before them.

use super::super::index::{Index, Row};
use super::chance::{filler, placeholder, public_id, uuid};
use super::mix::Mix;
use crate::inspect::detect::rules::secrets::{self as row, Alphabet, KEYS, Key};
use crate::inspect::detect::window::{Found, Window};
use crate::inspect::detect::words::{Heard, Topic};

/// Longest value read in one go; longer ones are continued by the next block.
pub(super) const LONGEST: usize = 1 << 14;

/// Prefixes by their first two bytes, which nearly no word of a text shares with one.
#[derive(Clone, Debug)]
pub(super) struct Prefixes {
    /// For each first byte of ASCII, which bytes of ASCII follow in any.
    begins: [[u64; 2]; 128],
    /// For each pair of ASCII bytes, one more than the place of its list, or nothing.
    pairs: Box<[u8]>,
    lists: Vec<Vec<Prefix>>,
}

/// A prefix and the place of its key in [`KEYS`].
type Prefix = (&'static [u8], u8);

/// The place of a pair of ASCII bytes.
fn pair(first: u8, second: u8) -> usize {
    (usize::from(first) << 7) | usize::from(second & 0x7f)
}

impl Prefixes {
    pub(super) fn compile() -> Self {
        let mut prefixes = Self {
            begins: [[0; 2]; 128],
            pairs: vec![0; 1 << 15].into(),
            lists: Vec::new(),
        };
        for (n, key) in (0_u8..).zip(KEYS) {
            for prefix in key.prefixes {
                prefixes.add(prefix.as_bytes(), n);
            }
        }
        for list in &mut prefixes.lists {
            list.sort_by_key(|(prefix, n): &(&[u8], u8)| {
                (usize::MAX.saturating_sub(prefix.len()), *n)
            });
        }
        prefixes
    }

    fn add(&mut self, prefix: &'static [u8], key: u8) {
        let [first, second, ..] = *prefix else {
            return;
        };
        let begins = self.begins.get_mut(usize::from(first));
        if let Some([low, high]) = begins {
            let seconds = if second < 64 { low } else { high };
            *seconds |= 1 << (second & 63);
        }
        let Some(list) = self.pairs.get_mut(pair(first, second)) else {
            return;
        };
        if *list == 0 {
            self.lists.push(Vec::new());
            *list = u8::try_from(self.lists.len()).unwrap_or(0);
        }
        let place = usize::from(*list).wrapping_sub(1);
        if let Some(list) = self.lists.get_mut(place) {
            list.push((prefix, key));
        }
    }

    /// Whether a word that begins with these bytes may have a prefix.
    #[inline]
    pub(super) fn may_begin(&self, first: u8, second: u8) -> bool {
        let begins = self.begins.get(usize::from(first));
        let [low, high] = begins.copied().unwrap_or_default();
        let seconds = if second < 64 { low } else { high };
        seconds >> (second & 63) & 1 == 1
    }

    /// The prefixed key at `start`; of several the one with the longest prefix.
    pub(super) fn check(&self, window: &Window<'_>, start: usize) -> Option<Found> {
        let first = window.at(start);
        if *self.begins.get(usize::from(first))? == [0; 2] {
            return None;
        }
        let second = window.at(start.saturating_add(1));
        let list = self.pairs.get(pair(first, second))?.checked_sub(1)?;
        self.lists
            .get(usize::from(list))?
            .iter()
            .find_map(|(prefix, n)| {
                let body = start.checked_add(prefix.len())?;
                let same = prefix
                    .iter()
                    .enumerate()
                    .all(|(i, byte)| window.at(start.saturating_add(i)) == *byte);
                let key = KEYS.get(usize::from(*n)).filter(|_| same)?;
                let end = fits(window, body, key)?;
                Some(Found::new(row::FIRST_KEY.checked_add(*n)?, start, end))
            })
    }
}

fn member(alphabet: Alphabet, byte: u8) -> bool {
    match alphabet {
        Alphabet::Alnum => byte.is_ascii_alphanumeric(),
        Alphabet::Upper => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
        Alphabet::Hex => byte.is_ascii_hexdigit(),
        Alphabet::Url => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'),
        Alphabet::Dotted => {
            byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'=')
        }
        Alphabet::Base64 => {
            byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'+' | b'/' | b'=')
        }
    }
}

/// One past the body at `start`, if it is the key's.
fn fits(window: &Window<'_>, start: usize, key: &Key) -> Option<usize> {
    let (least, most) = (usize::from(key.length.0), usize::from(key.length.1));
    let mut end = window.run(start, most.saturating_add(1), |byte| {
        member(key.alphabet, byte)
    });
    // A sentence's end is no part of the key.
    while end > start && matches!(window.behind(end), b'.' | b'-') {
        end = end.saturating_sub(1);
    }
    let body = window.slice(start, end);
    let long_enough = (least..=most).contains(&body.len());
    if !long_enough || window.at(end).is_ascii_alphanumeric() {
        return None;
    }
    let mix = Mix::of(body);
    if filler(body, &mix) {
        return None;
    }
    let random = mix.is_random() || (body.len() > 20 && mix.is_mixed() && mix.distinct > 11);
    let real = !key.weak || (random && !placeholder(body, &mix));
    real.then_some(end)
}

/// A token of three parts whose first is a JSON header with an algorithm or type.
pub(super) fn jwt(window: &Window<'_>, start: usize) -> Option<Found> {
    let url = |byte: u8| member(Alphabet::Url, byte);
    let head = window.run(start, LONGEST, url);
    let body = head.saturating_add(1);
    if window.at(head) != b'.'
        || head.saturating_sub(start) < 12
        || !header(window.slice(start, head))
    {
        return None;
    }
    let mid = window.run(body, LONGEST, url);
    // Encrypted tokens have an empty second part and five parts in all.
    let mut end = mid;
    let mut parts = 2_u8;
    let short = mid.saturating_sub(body) < 8;
    while parts < 5 && window.at(end) == b'.' {
        let next = window.run(end.saturating_add(1), LONGEST, url);
        if next == end.saturating_add(1) && parts > 2 {
            break;
        }
        end = next;
        parts = parts.saturating_add(1);
    }
    let cut = window.at(end) == 0 && parts == 2 && window.undecided();
    let whole = parts > 2 && (!short || parts == 5);
    (whole || cut).then_some(Found::new(row::JWT, start, end))
}

/// Whether base64 decodes to a JSON object with `alg`, `typ`, `kid` or `enc` in its
/// first 96 bytes.
fn header(part: &[u8]) -> bool {
    let mut text = [0_u8; 96];
    let mut length: usize = 0;
    let mut bits = 0_u32;
    let mut held = 0_u32;
    for byte in part.iter().take(128) {
        let value = match byte {
            b'A'..=b'Z' => byte.wrapping_sub(b'A'),
            b'a'..=b'z' => byte.wrapping_sub(b'a').wrapping_add(26),
            b'0'..=b'9' => byte.wrapping_sub(b'0').wrapping_add(52),
            b'-' => 62,
            _ => 63,
        };
        bits = ((bits << 6) | u32::from(value)) & 0xffff;
        held = held.wrapping_add(6);
        if held >= 8 {
            held = held.wrapping_sub(8);
            if let (Some(place), Ok(byte)) =
                (text.get_mut(length), u8::try_from((bits >> held) & 0xff))
            {
                *place = byte;
                length = length.saturating_add(1);
            }
        }
    }
    let text = text.get(..length).unwrap_or_default();
    [b"\"alg\"".as_slice(), b"\"typ\"", b"\"kid\"", b"\"enc\""]
        .iter()
        .any(|name| text.windows(name.len()).any(|part| part == *name))
}

/// A private key block, from its dashes to its last dashes or as far as it goes.
pub(super) fn block(window: &Window<'_>, start: usize) -> Option<Found> {
    let name = start.saturating_add(11);
    let end = window.run(name, 60, |byte| {
        byte.is_ascii_uppercase() || byte == b' ' || byte.is_ascii_digit()
    });
    let title = window.slice(name, end);
    if !window.reads(start, b"-----begin ") || !title.windows(11).any(|part| part == b"PRIVATE KEY")
    {
        return None;
    }
    let body = window.run(end, 5, |byte| byte == b'-');
    let (end, letters) = block_body(window, body, 0);
    (letters >= 32).then_some(Found::new(row::PRIVATE_KEY, start, end))
}

/// Letters of base64 after which a key block has neither header lines nor blanks within a line.
pub(super) const HEADED: usize = 96;

/// Where a key block's body that goes on at `start` ends, its last line included,
/// and how many letters of base64 it has with those before.
pub(super) fn block_body(window: &Window<'_>, start: usize, before: usize) -> (usize, usize) {
    let mut i = start;
    let mut letters = before;
    loop {
        let byte = window.at(i);
        let line = matches!(window.behind(i), b'\n' | b'\r' | b' ' | b'\t' | b'n' | b'-');
        match byte {
            b'\n' | b'\r' | b'\\' | b'=' => {}
            // Indents, and the header lines of an encrypted key.
            b' ' | b'\t' if line || letters < HEADED => {}
            b':' | b',' | b'-' if letters < HEADED && byte != window.at(i.saturating_add(1)) => {}
            b'+' | b'/' => letters = letters.saturating_add(1),
            _ if byte.is_ascii_alphanumeric() => letters = letters.saturating_add(1),
            _ => break,
        }
        i = i.saturating_add(1);
    }
    if window.reads(i, b"-----end ") {
        let name = i.saturating_add(9);
        let last = window.run(name, 60, |byte| {
            byte.is_ascii_uppercase() || byte == b' ' || byte.is_ascii_digit()
        });
        i = window.run(last, 5, |byte| byte == b'-');
    }
    (i, letters)
}

/// Tokens told by their parts.
pub(super) fn parted(window: &Window<'_>, start: usize, end: usize) -> Option<Found> {
    let word = window.slice(start, end);
    match window.at(end) {
        b':' => telegram(window, start, end),
        b'$' => password_hash(window, start, end),
        b'~' => azure(window, end).filter(|_| word.len() > 4),
        b'.' => discord(window, start, end),
        _ => {
            let data_centre = (36..=38).contains(&word.len())
                && word.get(32..35) == Some(b"-us")
                && word.iter().take(32).all(u8::is_ascii_hexdigit);
            data_centre.then(|| Found::new(row::MAILCHIMP_KEY, start, end))
        }
    }
}

/// 110201543:AA… and bot110201543:AA…
fn telegram(window: &Window<'_>, start: usize, end: usize) -> Option<Found> {
    let word = window.slice(start, end);
    let number = word.strip_prefix(b"bot").unwrap_or(word);
    let body = end.saturating_add(1);
    let fits = (8..=10).contains(&number.len())
        && number.iter().all(u8::is_ascii_digit)
        && window.at(body) == b'A';
    if !fits {
        return None;
    }
    let last = window.run(body, 40, |byte| member(Alphabet::Url, byte));
    let length = last.saturating_sub(body);
    let value = window.slice(body, last);
    ((34..=36).contains(&length) && !filler(value, &Mix::of(value)))
        .then(|| Found::new(row::TELEGRAM_TOKEN, start, last))
}

/// $2a$12$…, $6$salt$…: what a password file holds.
fn password_hash(window: &Window<'_>, start: usize, end: usize) -> Option<Found> {
    let word = window.slice(start, end);
    let scheme = matches!(
        word,
        b"1" | b"5" | b"6" | b"2a" | b"2b" | b"2y" | b"y" | b"7"
    );
    if !scheme || window.behind(start) != b'$' {
        return None;
    }
    let part = |i: usize| {
        window.run(i.saturating_add(1), 90, |byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'/' | b'=' | b'+' | b'-')
        })
    };
    let mut last = part(end);
    for _ in 0..2 {
        last = if window.at(last) == b'$' {
            part(last)
        } else {
            last
        };
    }
    let long = (24..140).contains(&last.saturating_sub(end));
    long.then(|| Found::new(row::PASSWORD_HASH, start, last))
}

/// Three of any, a digit, "Q~", 31 to 34 of any; `end` is the tilde.
fn azure(window: &Window<'_>, end: usize) -> Option<Found> {
    let body = end.saturating_add(1);
    let start = end.checked_sub(5).filter(|start| *start >= window.from)?;
    let [.., digit, b'Q'] = window.slice(start, end) else {
        return None;
    };
    let last = window.run(body, 36, |byte| {
        member(Alphabet::Url, byte) || matches!(byte, b'.' | b'~')
    });
    let shape = (30..=34).contains(&last.saturating_sub(body)) && digit.is_ascii_digit();
    shape.then(|| Found::new(row::AZURE_AD_SECRET, start, last))
}

/// A number in base64, six characters, 27 or more.
fn discord(window: &Window<'_>, start: usize, end: usize) -> Option<Found> {
    let url = |byte: u8| member(Alphabet::Url, byte);
    let word = window.slice(start, end);
    if !(22..=28).contains(&word.len()) || !matches!(word.first(), Some(b'M' | b'N' | b'O')) {
        return None;
    }
    let mid = end.saturating_add(1);
    let dot = window.run(mid, 8, url);
    let last = window.run(dot.saturating_add(1), 48, url);
    let shape = matches!(dot.saturating_sub(mid), 6 | 7)
        && window.at(dot) == b'.'
        && (25..=45).contains(&last.saturating_sub(dot));
    (shape && Mix::of(word).is_random()).then(|| Found::new(row::DISCORD_TOKEN, start, last))
}

/// Bytes of the longest random word that is taken for a secret.
pub(super) const RANDOM: usize = 300;

/// A random word with a keyword at most 48 bytes before it.
pub(super) fn told(
    window: &Window<'_>,
    index: &Index,
    (start, end): (usize, usize),
    heard: &mut Heard<'_>,
) -> Option<Found> {
    let word = window.slice(start, end);
    // Nothing random has fewer digits, and most long words of code have none.
    if !(16..=RANDOM).contains(&word.len()) || index.count(Row::digits, start..end) < 2 {
        return None;
    }
    // Asked first, because it reads the text once and not each word.
    let near = heard.near(window, Topic::Secret, start, 48)
        || heard.near(window, Topic::Password, start, 48);
    if !near || uuid(word) || public_id(word) {
        return None;
    }
    let mix = Mix::of(word);
    if !mix.is_random() || placeholder(word, &mix) {
        return None;
    }
    let bearer = start
        .checked_sub(7)
        .is_some_and(|at| window.reads(at, b"bearer "));
    let row = if bearer {
        row::BEARER_TOKEN
    } else {
        row::GENERIC_SECRET
    };
    Some(Found::new(row, start, end))
}
