//! The keywords of each topic, and how most other words are told from them by a few letters.
//!
//! Decides what a word speaks of. Never looks at where it stands. May miss: keywords of languages
//! not listed.

use std::sync::LazyLock;

use super::{Topic, WORD};
use crate::inspect::detect::bytes::Pairs;

/// Words of a topic, in small letters.
const KEYWORDS: [(Topic, &[&str]); 10] = [
    (
        Topic::Phone,
        &[
            "phone",
            "phones",
            "phonenumber",
            "telephone",
            "tel",
            "mobile",
            "cell",
            "cellphone",
            "fax",
            "whatsapp",
            "telefon",
            "telefono",
            "telefone",
            "handy",
            "hotline",
            "landline",
            "sms",
            "celular",
            "portable",
            "mobil",
            "rufnummer",
            "telefonnummer",
            "mob",
            "ph",
            "msisdn",
            "téléphone",
            "teléfono",
            "móvil",
            "телефон",
        ],
    ),
    (
        Topic::Call,
        &[
            "call",
            "dial",
            "contact",
            "reach",
            "text",
            "ring",
            "callback",
            "answering",
            "messages",
        ],
    ),
    (
        Topic::Person,
        &[
            "ssn",
            "ssns",
            "security",
            "sin",
            "insurance",
            "identity",
            "dni",
            "nie",
            "pesel",
            "bsn",
            "cpr",
            "personnummer",
            "aadhaar",
            "aadhar",
            "uidai",
            "cpf",
            "nin",
            "nino",
            "national",
            "citizen",
            "ausweis",
            "ausweisnummer",
            "personalausweis",
            "cedula",
            "curp",
            "nrc",
            "nir",
            "kimlik",
            "socialsecurity",
            "socialsecuritynumber",
            "nationalid",
        ],
    ),
    (
        Topic::Passport,
        &[
            "passport",
            "passports",
            "passportnumber",
            "passportno",
            "reisepass",
            "passeport",
            "pasaporte",
            "passaporto",
            "passnummer",
        ],
    ),
    (
        Topic::Licence,
        &[
            "driver",
            "drivers",
            "driving",
            "dl",
            "dmv",
            "driverslicense",
            "driverlicense",
            "dln",
        ],
    ),
    (
        Topic::Birth,
        &[
            "born",
            "birth",
            "dob",
            "birthday",
            "birthdate",
            "dateofbirth",
            "geboren",
            "geburtsdatum",
            "naissance",
            "nacimiento",
            "nascita",
            "nascimento",
        ],
    ),
    (
        Topic::Account,
        &[
            "account",
            "acct",
            "routing",
            "aba",
            "konto",
            "kontonummer",
            "accountnumber",
        ],
    ),
    (Topic::Health, &["nhs", "patient", "medicare", "health"]),
    (
        Topic::Tax,
        &[
            "tax",
            "tfn",
            "itin",
            "tin",
            "steuer",
            "steuernummer",
            "steuerid",
            "idnr",
            "identifikationsnummer",
            "taxpayer",
            "fiscal",
        ],
    ),
    (
        Topic::Version,
        &[
            "version", "ver", "release", "build", "oid", "revision", "rev", "versions", "upgrade",
            "chapter", "section",
        ],
    ),
];

/// Ends of words that speak of a password.
const PASSWORDS: [&str; 5] = ["password", "passwd", "passphrase", "passwort", "pwd"];

/// Ends of words that speak of another credential.
const SECRETS: [&str; 13] = [
    "secret",
    "secrets",
    "token",
    "apikey",
    "key",
    "keys",
    "credential",
    "credentials",
    "bearer",
    "authorization",
    "pat",
    "auth",
    "oauth",
];

/// What a word may be looked up in: entries by a few bits of what they begin or end with.
struct Rows<T> {
    entries: Vec<T>,
    /// For each row, how many entries the rows before it have. There are fewer than 256.
    before: [u8; ROWS + 1],
}

/// About as many as there are keywords.
const ROWS: usize = 128;

impl<T> Rows<T> {
    fn new(mut entries: Vec<T>, key: impl Fn(&T) -> u64) -> Self {
        entries.sort_by_key(|entry| row(key(entry)));
        let mut before = [0; ROWS + 1];
        for (n, before) in before.iter_mut().enumerate() {
            let count = entries.partition_point(|entry| row(key(entry)) < n);
            *before = u8::try_from(count).unwrap_or(u8::MAX);
        }
        Self { entries, before }
    }

    /// The entries whose key may be this one.
    #[inline]
    fn of(&self, key: u64) -> &[T] {
        let rest = self.before.get(row(key)..);
        let Some(&[from, upto]) = rest.and_then(<[u8]>::first_chunk) else {
            return &[];
        };
        let entries = self.entries.get(usize::from(from)..usize::from(upto));
        entries.unwrap_or_default()
    }
}

/// The row of a key.
#[inline]
fn row(key: u64) -> usize {
    // 2^64 over the golden ratio.
    let mixed = key.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    usize::try_from(mixed >> 57).unwrap_or(0)
}

/// All keywords, and what tells most other words apart from them by a few letters.
pub(super) struct Keywords {
    /// With their first eight letters as a number.
    words: Rows<(u64, &'static [u8], Topic)>,
    /// Ends of words that speak of a credential, by their last two letters.
    tails: Rows<(&'static [u8], Topic)>,
    /// First letters and lengths.
    begins: Pairs,
    /// First and last letters.
    outer: Pairs,
    /// The last two letters of what ends in a credential.
    ends: Pairs,
    /// The two before the last one.
    middles: Pairs,
}

pub(super) static ALL: LazyLock<Keywords> = LazyLock::new(|| {
    let topics = KEYWORDS.iter();
    let words = topics.flat_map(|(topic, words)| words.iter().map(|w| (w.as_bytes(), *topic)));
    let words: Vec<_> = words
        .map(|(word, topic)| (head(word), word, topic))
        .collect();
    let (mut begins, mut outer) = (Pairs::default(), Pairs::default());
    let (mut ends, mut middles) = (Pairs::default(), Pairs::default());
    for (_, word, _) in &words {
        if let ([first, ..], [.., last]) = (word, word) {
            begins.add(*first, length(word));
            outer.add(*first, *last);
        }
    }
    let of = |tails: &[&'static str], topic: Topic| {
        let tails = tails.iter().map(|tail| (tail.as_bytes(), topic));
        tails.collect::<Vec<_>>()
    };
    let mut tails = of(&PASSWORDS, Topic::Password);
    tails.append(&mut of(&SECRETS, Topic::Secret));
    for (tail, _) in &tails {
        if let [.., a, b, c] = tail {
            middles.add(*a, *b);
            ends.add(*b, *c);
        }
    }
    Keywords {
        words: Rows::new(words, |(head, ..)| *head),
        tails: Rows::new(tails, |(tail, _)| last(tail)),
        begins,
        outer,
        ends,
        middles,
    }
});

/// The first eight letters of a word as a number, zeros behind a shorter one.
#[inline]
fn head(word: &[u8]) -> u64 {
    match word.first_chunk() {
        Some(eight) => u64::from_le_bytes(*eight),
        None => word
            .iter()
            .rev()
            .fold(0, |head, letter| head << 8 | u64::from(*letter)),
    }
}

/// The last two letters of a word as a number.
#[inline]
fn last(word: &[u8]) -> u64 {
    let two = word.last_chunk().copied().unwrap_or_default();
    u64::from(u16::from_le_bytes(two))
}

/// The length of a word, as far as it tells words apart.
fn length(word: &[u8]) -> u8 {
    u8::try_from(word.len()).map_or(31, |n| n.min(31))
}

impl Keywords {
    /// Whether letters may be a keyword, in any case: false for most other words.
    #[inline]
    pub(super) fn may_be(&self, letters: &[u8]) -> bool {
        let ([first, ..], [.., b, c]) = (letters, letters) else {
            return false;
        };
        // Two letters have none before them, and no credential is so short.
        let a = letters.get(letters.len().wrapping_sub(3)).copied();
        let ends = self.ends.has(*b, *c) & self.middles.has(a.unwrap_or(0), *b);
        let word = self.begins.has(*first, length(letters)) & self.outer.has(*first, *c);
        letters.len() <= WORD && (word | ends)
    }

    /// What a word in small letters speaks of.
    #[inline]
    pub(super) fn topic(&self, word: &[u8]) -> Option<Topic> {
        let head = head(word);
        let mut alike = self.words.of(head).iter();
        let known = alike.find(|(known, letters, _)| *known == head && *letters == word);
        known.map(|(.., topic)| *topic)
    }

    /// The kind of credential that a word in small letters ends in.
    #[inline]
    pub(super) fn credential(&self, word: &[u8]) -> Option<Topic> {
        let mut tails = self.tails.of(last(word)).iter();
        let known = tails.find(|(tail, _)| word.ends_with(tail));
        known.map(|(_, topic)| *topic)
    }
}

#[cfg(test)]
mod tests {
    use super::{ALL, KEYWORDS, PASSWORDS, SECRETS, WORD};

    #[test]
    fn every_keyword_passes_the_look_at_a_few_letters_and_is_found() {
        for (topic, words) in KEYWORDS {
            for word in words {
                assert!(ALL.may_be(word.as_bytes()), "{word}");
                assert!(ALL.may_be(word.to_ascii_uppercase().as_bytes()), "{word}");
                assert_eq!(ALL.topic(word.as_bytes()), Some(topic), "{word}");
                assert!((2..=WORD).contains(&word.len()), "{word} is looked at");
            }
        }
        for tail in PASSWORDS.iter().chain(&SECRETS) {
            for word in [tail.to_string(), format!("my{tail}")] {
                assert!(ALL.may_be(word.as_bytes()), "{word}");
                assert!(ALL.credential(word.as_bytes()).is_some(), "{word}");
            }
        }
    }

    #[test]
    fn most_words_are_passed_over_by_a_few_letters() {
        let text = "the quick brown fox jumps over a lazy dog and is not heard of again";
        let may_be = |word: &&str| ALL.may_be(word.as_bytes());
        let looked_at: Vec<&str> = text.split(' ').filter(may_be).collect();
        assert!(looked_at.len() <= 4, "a quarter at most: {looked_at:?}");
        for word in ["", "a", &"x".repeat(WORD + 1), &"key".repeat(20)] {
            assert!(!ALL.may_be(word.as_bytes()), "{word}");
        }
    }
}
