//! Identifiers of letters and digits: bank accounts and personal numbers.
//!
//! Decides by shape and check letter (IBAN, Spanish, Italian, Indian, British,
//! Singaporean numbers), or by a keyword near by where the shape says little
//! (passports, licences). Wants capitals, as such numbers are written; an IBAN
//! may be in small letters. Never reads more than one word, but an IBAN's and a
//! British number's groups. May miss: small letters, other groupings.

use super::checks;
use crate::inspect::detect::bytes::{DIGIT, is};
use crate::inspect::detect::rules::personal as row;
use crate::inspect::detect::window::{Found, Window};
use crate::inspect::detect::words::{Heard, Topic};

/// Everything that the word of letters and digits at `start..end` may be.
pub(super) fn check(
    window: &Window<'_>,
    (start, end): (usize, usize),
    heard: &mut Heard<'_>,
    found: &mut Vec<Found>,
) {
    let word = window.slice(start, end);
    if let Some(end) = iban(window, start, word) {
        found.push(Found::new(row::IBAN, start, end));
        return;
    }
    if window.behind(start) == b'_' || window.at(end) == b'_' {
        return;
    }
    if let Some(row) = by_shape(word).or_else(|| by_keyword(window, start, word, heard)) {
        found.push(Found::new(row, start, end));
    }
}

/// How many characters an IBAN of this country has.
const fn iban_length(country: [u8; 2]) -> usize {
    match &country {
        b"NO" => 15,
        b"BE" => 16,
        b"DK" | b"FO" | b"FI" | b"GL" | b"NL" | b"SD" | b"FK" => 18,
        b"MK" | b"SI" => 19,
        b"AT" | b"BA" | b"EE" | b"KZ" | b"XK" | b"LT" | b"LU" | b"MN" => 20,
        b"HR" | b"LV" | b"LI" | b"CH" => 21,
        b"BH" | b"BG" | b"CR" | b"GE" | b"DE" | b"IE" | b"ME" | b"RS" | b"GB" | b"VA" => 22,
        b"GI" | b"IQ" | b"IL" | b"OM" | b"SO" | b"TL" | b"AE" => 23,
        b"AD" | b"CZ" | b"MD" | b"PK" | b"RO" | b"SA" | b"SK" | b"ES" | b"SE" | b"TN" | b"VG" => 24,
        b"LY" | b"PT" | b"ST" => 25,
        b"IS" | b"TR" => 26,
        b"BI" | b"DJ" | b"FR" | b"GR" | b"IT" | b"MR" | b"MC" | b"SM" => 27,
        b"AL" | b"MA" | b"AZ" | b"BY" | b"CY" | b"DO" | b"SV" | b"GT" | b"HU" | b"LB" | b"NI"
        | b"PL" => 28,
        b"BR" | b"EG" | b"PS" | b"QA" | b"UA" => 29,
        b"JO" | b"KW" | b"MU" | b"YE" => 30,
        b"MT" | b"SC" => 31,
        b"LC" => 32,
        b"RU" => 33,
        _ => 0,
    }
}

/// One past the IBAN at `start`: country, check digits, its country's length in
/// letters and digits, single blanks or dashes between, remainder 1 modulo 97.
fn iban(window: &Window<'_>, start: usize, word: &[u8]) -> Option<usize> {
    let [country @ .., tens, ones] = *word.first_chunk::<4>()?;
    let letters = country.iter().all(u8::is_ascii_alphabetic);
    if !letters || !tens.is_ascii_digit() || !ones.is_ascii_digit() {
        return None;
    }
    let length = iban_length(country.map(|byte| byte.to_ascii_uppercase()));
    // In groups the first holds four or is the whole.
    if length == 0 || word.len() > length || (word.len() < length && word.len() > 12) {
        return None;
    }
    let mut cases = (false, false);
    let mut rest = 0_u32;
    let mut head = 0_u32;
    let mut count: usize = 0;
    let mut i = start;
    while count < length {
        let byte = window.at(i);
        let value = match byte {
            b'0'..=b'9' => byte.wrapping_sub(b'0'),
            b'A'..=b'Z' => byte.wrapping_sub(b'A').wrapping_add(10),
            b'a'..=b'z' => byte.wrapping_sub(b'a').wrapping_add(10),
            b' ' | b'-' if window.at(i.saturating_add(1)).is_ascii_alphanumeric() => {
                i = i.saturating_add(1);
                continue;
            }
            _ => return None,
        };
        cases.0 |= byte.is_ascii_uppercase();
        cases.1 |= byte.is_ascii_lowercase();
        let step = if value > 9 { 100 } else { 10 };
        rest = rest.wrapping_mul(step).wrapping_add(u32::from(value)) % 97;
        count = count.saturating_add(1);
        if count == 4 {
            // Country and check digits are to stand at the end: taken out of the
            // front and put behind.
            head = rest;
            rest = 0;
        }
        i = i.saturating_add(1);
    }
    // The head is two letters and two digits: six digits.
    let whole = rest.wrapping_mul(1_000_000 % 97).wrapping_add(head) % 97;
    (whole == 1 && cases != (true, true) && !window.at(i).is_ascii_alphanumeric()).then_some(i)
}

/// The values of a word that is digits throughout.
fn digits<const N: usize>(word: &[u8]) -> Option<[u8; N]> {
    let mut values = [0; N];
    if word.len() != N || !word.iter().all(u8::is_ascii_digit) {
        return None;
    }
    for (value, byte) in values.iter_mut().zip(word) {
        *value = byte.wrapping_sub(b'0');
    }
    Some(values)
}

fn by_shape(word: &[u8]) -> Option<u8> {
    match word.len() {
        9 => spanish(word)
            .or_else(|| singapore(word))
            .or_else(|| british(word)),
        10 => indian(word).then_some(row::IN_PAN),
        16 => italian(word).then_some(row::IT_FISCAL_CODE),
        18 => {
            let (check, body) = word.split_last()?;
            let chinese = checks::chinese(&digits::<17>(body)?, 10);
            (*check == b'X' && chinese).then_some(row::CN_RESIDENT_ID)
        }
        _ => None,
    }
}

/// The check letter of a Spanish number.
fn spanish_letter(number: u32) -> Option<u8> {
    let place = usize::try_from(number % 23).ok()?;
    b"TRWAGMYFPDXBNJZSQVHLCKE".get(place).copied()
}

/// 12345678Z, X1234567L.
fn spanish(word: &[u8]) -> Option<u8> {
    let (check, body) = word.split_last()?;
    if let Some(values) = digits::<8>(body) {
        return (spanish_letter(checks::number(&values))? == *check).then_some(row::ES_DNI);
    }
    let (first, rest) = body.split_first()?;
    let series = match first {
        b'X' => 0,
        b'Y' => 10_000_000,
        b'Z' => 20_000_000,
        _ => return None,
    };
    let number = checks::number(&digits::<7>(rest)?).wrapping_add(series);
    (spanish_letter(number)? == *check).then_some(row::ES_NIE)
}

/// "12345678-Z", "X1234567-L": the letter behind a dash.
pub(super) fn spanish_dashed(window: &Window<'_>, start: usize, end: usize) -> Option<Found> {
    let mut word = [0; 9];
    let letter = end.saturating_add(1);
    if end.saturating_sub(start) != 8 || window.at(end) != b'-' {
        return None;
    }
    for (to, from) in word
        .iter_mut()
        .zip(window.slice(start, end).iter().chain([&window.at(letter)]))
    {
        *to = *from;
    }
    let row =
        spanish(&word).filter(|_| !window.at(letter.saturating_add(1)).is_ascii_alphanumeric())?;
    Some(Found::new(row, start, letter.saturating_add(1)))
}

/// S1234567D.
fn singapore(word: &[u8]) -> Option<u8> {
    let (check, body) = word.split_last()?;
    let (first, rest) = body.split_first()?;
    let values = digits::<7>(rest)?;
    let sum = values
        .iter()
        .zip([2_u32, 7, 6, 5, 4, 3, 2])
        .fold(0_u32, |sum, (d, w)| {
            sum.wrapping_add(w.wrapping_mul(u32::from(*d)))
        });
    let (table, offset): (&[u8; 11], u32) = match first {
        b'S' => (b"JZIHGFEDCBA", 0),
        b'T' => (b"JZIHGFEDCBA", 4),
        b'F' => (b"XWUTRQPNMLK", 0),
        b'G' => (b"XWUTRQPNMLK", 4),
        _ => return None,
    };
    let place = usize::try_from(sum.wrapping_add(offset) % 11).ok()?;
    (table.get(place) == Some(check)).then_some(row::SG_NRIC)
}

/// Letters that a British number's prefix may have, and the pairs never given.
fn british_prefix(a: u8, b: u8) -> bool {
    let usual = |c: u8| c.is_ascii_uppercase() && !b"DFIQUV".contains(&c);
    usual(a)
        && usual(b)
        && b != b'O'
        && !matches!(
            &[a, b],
            b"BG" | b"GB" | b"KN" | b"NK" | b"NT" | b"TN" | b"ZZ"
        )
}

/// AB123456C.
fn british(word: &[u8]) -> Option<u8> {
    let [a, b, body @ .., check] = word else {
        return None;
    };
    let fits =
        british_prefix(*a, *b) && digits::<6>(body).is_some() && (b'A'..=b'D').contains(check);
    fits.then_some(row::UK_NINO)
}

/// "AB 12 34 56 C", woken by the 12 at `start`.
pub(super) fn british_spaced(window: &Window<'_>, start: usize) -> Option<Found> {
    let first = start.checked_sub(3)?;
    let [a, b, b' '] = *window.slice(first, start) else {
        return None;
    };
    let pair = |n: usize| {
        let i = start.saturating_add(n);
        window.at(i).is_ascii_digit()
            && window.at(i.saturating_add(1)).is_ascii_digit()
            && window.at(i.saturating_add(2)) == b' '
    };
    let letter = start.saturating_add(9);
    let fits = british_prefix(a, b)
        && !window.behind(first).is_ascii_alphanumeric()
        && [0, 3, 6].into_iter().all(pair)
        && (b'A'..=b'D').contains(&window.at(letter))
        && !window.at(letter.saturating_add(1)).is_ascii_alphanumeric();
    fits.then_some(Found::new(row::UK_NINO, first, letter.saturating_add(1)))
}

/// ABCPE1234F: the fourth letter names the kind of holder.
fn indian(word: &[u8]) -> bool {
    let [a, b, c, holder, e, body @ .., check] = word else {
        return false;
    };
    [a, b, c, holder, e, check]
        .into_iter()
        .all(u8::is_ascii_uppercase)
        && b"PCHFATBLJG".contains(holder)
        && digits::<4>(body).is_some_and(|values| values != [0; 4])
}

/// Six letters, year, month letter, day, place, check letter.
fn italian(word: &[u8]) -> bool {
    const ODD: [u8; 36] = [
        1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3,
        6, 8, 12, 14, 16, 10, 22, 25, 24, 23,
    ];
    let Some((check, body)) = word.split_last() else {
        return false;
    };
    let shape = body.iter().enumerate().all(|(n, byte)| match n {
        6 | 7 | 9 | 10 | 12..=14 => byte.is_ascii_digit() || b"LMNPQRSTUV".contains(byte),
        8 => b"ABCDEHLMPRST".contains(byte),
        _ => byte.is_ascii_uppercase(),
    });
    if !shape {
        return false;
    }
    let sum = body.iter().enumerate().fold(0_u32, |sum, (n, byte)| {
        let value = match byte {
            b'0'..=b'9' => byte.wrapping_sub(b'0'),
            other => other.wrapping_sub(b'A').wrapping_add(10),
        };
        // ODD lists digits first, then letters; even places count plainly.
        let worth = if n % 2 == 0 {
            ODD.get(usize::from(value)).copied().unwrap_or(0)
        } else if value > 9 {
            value.wrapping_sub(10)
        } else {
            value
        };
        sum.wrapping_add(u32::from(worth))
    });
    u32::from(check.wrapping_sub(b'A')) == sum % 26
}

/// Passports and licences: a keyword and a word of capitals and mostly digits.
fn by_keyword(window: &Window<'_>, start: usize, word: &[u8], heard: &mut Heard<'_>) -> Option<u8> {
    if !(5..=18).contains(&word.len()) {
        return None;
    }
    let digits = word.iter().filter(|byte| is(**byte, DIGIT)).count();
    if digits < 4 || (digits < 6 && word.iter().any(u8::is_ascii_lowercase)) {
        return None;
    }
    let mut near = |topic| heard.near(window, topic, start, 40);
    match word.len() {
        7..=9 if digits > 4 && near(Topic::Passport) => Some(row::PASSPORT),
        5..=18 if near(Topic::Licence) => Some(row::US_DRIVER_LICENSE),
        8..=18 if digits > 4 && near(Topic::Person) => Some(row::NATIONAL_ID),
        _ => None,
    }
}
