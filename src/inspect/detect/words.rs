//! Which words stand near a candidate, read once and only where a candidate asks.
//!
//! Decides whether a keyword of a topic ("passport", "iban", "api key") stands
//! within reach before a place. Never reads a byte twice, so that a text full of
//! candidates costs one more pass and no more. May miss: keywords after the
//! value, keywords of languages not listed, words longer than 40 bytes.

use super::bytes::{FOREIGN, LETTER, is, next_mark};
use super::window::Window;
use crate::each_byte::each_byte;

/// What a keyword speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Topic {
    /// A telephone, without doubt.
    Phone,
    /// Perhaps a telephone: "call", "contact".
    Call,
    /// Social security or another number of a person at an office.
    Person,
    /// A passport.
    Passport,
    /// A driving licence.
    Licence,
    /// A birthday.
    Birth,
    /// A bank account.
    Account,
    /// Health insurance.
    Health,
    /// Tax.
    Tax,
    /// A version follows, no address.
    Version,
    /// A password: any value may follow.
    Password,
    /// A key, token or other credential: a random value may follow.
    Secret,
}

const TOPICS: usize = 12;
/// Longest word that is looked at; also what must be read before the reach.
const WORD: usize = 40;
/// Words that end further before a candidate don't matter to it.
const OLDEST: usize = Heard::REACH + WORD;

impl Topic {
    const fn index(self) -> usize {
        match self {
            Self::Phone => 0,
            Self::Call => 1,
            Self::Person => 2,
            Self::Passport => 3,
            Self::Licence => 4,
            Self::Birth => 5,
            Self::Account => 6,
            Self::Health => 7,
            Self::Tax => 8,
            Self::Version => 9,
            Self::Password => 10,
            Self::Secret => 11,
        }
    }
}

/// The newest keyword of each topic, up to where the text was read.
#[derive(Debug, Default)]
pub(super) struct Heard {
    upto: usize,
    /// Up to there no letter follows.
    quiet: usize,
    /// One past the keyword's end; 0: none yet.
    ends: [usize; TOPICS],
}

impl Heard {
    /// The furthest that a keyword may stand before a candidate.
    pub(super) const REACH: usize = 64;

    /// Whether a keyword of `topic` ends at most `reach` bytes before `place`.
    /// Places must not go backwards.
    #[inline]
    pub(super) fn near(
        &mut self,
        window: &Window<'_>,
        topic: Topic,
        place: usize,
        reach: usize,
    ) -> bool {
        if place > self.upto {
            if place > self.quiet {
                self.read(window, place);
            }
            self.upto = place;
        }
        let end = self.ends.get(topic.index()).copied().unwrap_or(0);
        end != 0
            && place
                .checked_sub(end)
                .is_some_and(|gap| gap <= reach.min(Self::REACH))
    }

    fn read(&mut self, window: &Window<'_>, place: usize) {
        let oldest = place.saturating_sub(OLDEST);
        let mut i = self.upto;
        if oldest > i {
            // A word cut here is too far away to matter.
            i = window.skip(oldest, is_letter).min(place);
        }
        let seen = i.max(self.quiet);
        self.quiet =
            next_mark(window.bytes, seen, &LETTERS, may_be_letter).unwrap_or(window.bytes.len());
        if place <= self.quiet {
            return;
        }
        let mut rest = window.slice(i, place);
        while let Some(gap) = rest.iter().position(|byte| is_letter(*byte)) {
            let word = rest.get(gap..).unwrap_or_default();
            let length = word
                .iter()
                .position(|byte| !is_letter(*byte))
                .unwrap_or(word.len());
            i = i.wrapping_add(gap).wrapping_add(length);
            let (letters, behind) = word.split_at_checked(length).unwrap_or_default();
            if (2..=WORD).contains(&length) {
                self.word(letters, i);
            }
            rest = behind;
        }
    }

    fn word(&mut self, letters: &[u8], end: usize) {
        let mut lower = [0_u8; WORD];
        for (to, from) in lower.iter_mut().zip(letters) {
            *to = from.to_ascii_lowercase();
        }
        let word = lower.get(..letters.len()).unwrap_or_default();
        for topic in [personal(word), credential(word)].into_iter().flatten() {
            if let Some(place) = self.ends.get_mut(topic.index()) {
                *place = end;
            }
        }
    }
}

/// Letters, and all of other scripts: a word of Greek is one word.
fn is_letter(byte: u8) -> bool {
    is(byte, LETTER | FOREIGN)
}

/// The same without a look at a table, for many bytes at a time.
const fn may_be_letter(byte: u8) -> bool {
    byte >= 0x80 || (byte | 0x20).wrapping_sub(b'a') < 26
}

const LETTERS: [bool; 256] = each_byte!(byte => may_be_letter(byte));

fn personal(word: &[u8]) -> Option<Topic> {
    Some(match word {
        b"phone" | b"phones" | b"phonenumber" | b"telephone" | b"tel" | b"mobile" | b"cell"
        | b"cellphone" | b"fax" | b"whatsapp" | b"telefon" | b"telefono" | b"telefone"
        | b"handy" | b"hotline" | b"landline" | b"sms" | b"celular" | b"portable" | b"mobil"
        | b"rufnummer" | b"telefonnummer" | b"mob" | b"ph" | b"msisdn" => Topic::Phone,
        _ if word == "téléphone".as_bytes() || word == "teléfono".as_bytes() => Topic::Phone,
        _ if word == "móvil".as_bytes() || word == "телефон".as_bytes() => Topic::Phone,
        b"call" | b"dial" | b"contact" | b"reach" | b"text" | b"ring" | b"callback"
        | b"answering" | b"messages" => Topic::Call,
        b"ssn"
        | b"ssns"
        | b"security"
        | b"sin"
        | b"insurance"
        | b"identity"
        | b"dni"
        | b"nie"
        | b"pesel"
        | b"bsn"
        | b"cpr"
        | b"personnummer"
        | b"aadhaar"
        | b"aadhar"
        | b"uidai"
        | b"cpf"
        | b"nin"
        | b"nino"
        | b"national"
        | b"citizen"
        | b"ausweis"
        | b"ausweisnummer"
        | b"personalausweis"
        | b"cedula"
        | b"curp"
        | b"nrc"
        | b"nir"
        | b"kimlik"
        | b"socialsecurity"
        | b"socialsecuritynumber"
        | b"nationalid" => Topic::Person,
        b"passport" | b"passports" | b"passportnumber" | b"passportno" | b"reisepass"
        | b"passeport" | b"pasaporte" | b"passaporto" | b"passnummer" => Topic::Passport,
        b"driver" | b"drivers" | b"driving" | b"dl" | b"dmv" | b"driverslicense"
        | b"driverlicense" | b"dln" => Topic::Licence,
        b"born" | b"birth" | b"dob" | b"birthday" | b"birthdate" | b"dateofbirth" | b"geboren"
        | b"geburtsdatum" | b"naissance" | b"nacimiento" | b"nascita" | b"nascimento" => {
            Topic::Birth
        }
        _ => return office(word),
    })
}

fn office(word: &[u8]) -> Option<Topic> {
    Some(match word {
        b"account" | b"acct" | b"routing" | b"aba" | b"konto" | b"kontonummer"
        | b"accountnumber" => Topic::Account,
        b"nhs" | b"patient" | b"medicare" | b"health" => Topic::Health,
        b"tax"
        | b"tfn"
        | b"itin"
        | b"tin"
        | b"steuer"
        | b"steuernummer"
        | b"steuerid"
        | b"idnr"
        | b"identifikationsnummer"
        | b"taxpayer"
        | b"fiscal" => Topic::Tax,
        b"version" | b"ver" | b"v" | b"release" | b"build" | b"oid" | b"revision" | b"rev"
        | b"versions" | b"upgrade" | b"chapter" | b"section" => Topic::Version,
        _ => return None,
    })
}

fn credential(word: &[u8]) -> Option<Topic> {
    // The last two letters of all of them, which few other words have.
    let [.., a, b] = word else {
        return None;
    };
    let may = matches!(
        &[*a, *b],
        b"rd" | b"wd" | b"se" | b"rt" | b"et" | b"ts" | b"en" | b"ey"
    ) || matches!(
        &[*a, *b],
        b"ys" | b"al" | b"ls" | b"er" | b"on" | b"at" | b"th"
    );
    if !may {
        return None;
    }
    let ends = |tails: &[&[u8]]| tails.iter().any(|tail| word.ends_with(tail));
    if ends(&[b"password", b"passwd", b"passphrase", b"passwort", b"pwd"]) {
        return Some(Topic::Password);
    }
    if ends(&[
        b"secret",
        b"secrets",
        b"token",
        b"apikey",
        b"key",
        b"keys",
        b"credential",
    ]) || ends(&[
        b"credentials",
        b"bearer",
        b"authorization",
        b"pat",
        b"auth",
        b"oauth",
    ]) {
        return Some(Topic::Secret);
    }
    None
}
