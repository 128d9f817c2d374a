//! Names that promise a secret: `db_password`, `apiKey`, `AWS-SECRET`.
//!
//! Decides by the letters that a name ends with, whatever joins its words. Never looks at the value.
//! May miss: names of other languages, and such as promise nothing but in their place (`value`).

use std::sync::LazyLock;

use crate::inspect::detect::bytes::{DOT, JOINT, LETTER, Pairs, is};

/// Longest name before the sign.
pub(super) const NAME: usize = 40;

/// What a name promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Promise {
    Password,
    Key,
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

/// What a name of at most [`NAME`] bytes promises, by its end.
pub(super) fn promise(name: &[u8]) -> Option<Promise> {
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
