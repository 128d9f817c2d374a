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

/// All keywords, and what tells most other words apart from them by a few letters.
pub(super) struct Keywords {
    /// In order of length, with their first eight letters as a number.
    words: Vec<(u64, &'static [u8], Topic)>,
    /// For each length, how many words are shorter.
    shorter: [usize; WORD + 2],
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
    let words = words.map(|(word, topic)| (head(word), word, topic));
    let mut words: Vec<_> = words.collect();
    words.sort_unstable_by_key(|(_, word, _)| (word.len(), *word));
    let mut shorter = [0; WORD + 2];
    for (length, shorter) in shorter.iter_mut().enumerate() {
        *shorter = words.partition_point(|(_, word, _)| word.len() < length);
    }
    let (mut begins, mut outer) = (Pairs::default(), Pairs::default());
    let (mut ends, mut middles) = (Pairs::default(), Pairs::default());
    for (_, word, _) in &words {
        if let ([first, ..], [.., last]) = (word, word) {
            begins.add(*first, length(word));
            outer.add(*first, *last);
        }
    }
    for tail in PASSWORDS.iter().chain(&SECRETS) {
        if let [.., a, b, c] = tail.as_bytes() {
            middles.add(*a, *b);
            ends.add(*b, *c);
        }
    }
    Keywords {
        words,
        shorter,
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
    pub(super) fn topic(&self, word: &[u8]) -> Option<Topic> {
        let [from, upto] = *self.shorter.get(word.len()..)?.first_chunk()?;
        let mut alike = self.words.get(from..upto)?.iter();
        let head = head(word);
        let known = alike.find(|(known, letters, _)| *known == head && *letters == word);
        known.map(|(.., topic)| *topic)
    }

    /// The kind of credential that a word in small letters ends in.
    pub(super) fn credential(&self, word: &[u8]) -> Option<Topic> {
        let [.., b, c] = word else { return None };
        self.ends.has(*b, *c).then(|| credential(word))?
    }
}

fn credential(word: &[u8]) -> Option<Topic> {
    let ends = |tails: &[&str]| tails.iter().any(|tail| word.ends_with(tail.as_bytes()));
    if ends(&PASSWORDS) {
        Some(Topic::Password)
    } else {
        ends(&SECRETS).then_some(Topic::Secret)
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
