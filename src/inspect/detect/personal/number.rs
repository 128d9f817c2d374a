//! Numbers written in groups: cards, social security and other personal numbers.
//!
//! Decides what a run of digit groups ("4111 1111 1111 1111", "123-45-6789") is,
//! by group lengths, separators, check digits and keywords near by. Reads each
//! group sequence once. Telephones are `phone`, addresses `net`.
//! May miss: numbers with other separators, or two between groups.

use super::checks;
use super::groups::{Chain, Groups};
use super::phone;
use crate::each_byte::each_byte;
use crate::inspect::detect::rules::personal as row;
use crate::inspect::detect::window::{Found, Window};
use crate::inspect::detect::words::{Heard, Topic};

/// Whether a number that starts at `start` is not the end of a longer one.
pub(super) fn free_before(window: &Window<'_>, start: usize) -> bool {
    match window.behind(start) {
        // Most often.
        b' ' => true,
        b'-' | b'.' | b'/' | b',' => !window.behind(start.saturating_sub(1)).is_ascii_digit(),
        byte => !byte.is_ascii_alphanumeric() && byte != b'_',
    }
}

/// Whether a number that ends before `end` does not go on.
pub(super) fn free_after(window: &Window<'_>, end: usize) -> bool {
    match window.at(end) {
        b'-' | b'.' | b'/' | b',' => !window.at(end.saturating_add(1)).is_ascii_digit(),
        byte => !byte.is_ascii_alphanumeric() && byte != b'_',
    }
}

/// Everything that the number may be whose first group is given.
#[inline]
pub(super) fn check(
    window: &Window<'_>,
    (start, end): (usize, usize),
    (heard, chain, cards): (&mut Heard<'_>, &mut Chain, bool),
    found: &mut Vec<Found>,
) {
    let free = free_before(window, start);
    let first = end.wrapping_sub(start);
    // Within a longer number only a card may begin.
    if !free && (first < 4 || (first > 4 && first < 12)) {
        return;
    }
    if let Some(groups) = chain.groups(window, (start, end)) {
        judge(window, (&groups, free, cards), heard, found);
    }
}

/// Everything that these groups may be; `free` if no longer number ends there. Where `cards` are
/// told, what is a card from its first digit to the last of its groups is not asked what else it
/// may be: of finds of the same bytes and of parts of them the card names the value.
fn judge(
    window: &Window<'_>,
    (groups, free, cards): (&Groups<'_>, bool, bool),
    heard: &mut Heard<'_>,
    found: &mut Vec<Found>,
) {
    let start = groups.start;
    let digits = groups.total(groups.count());
    if (digits < 7 && groups.count() < 3) || groups.like(&[1, 1, 1]) {
        return;
    }
    let mut push = |row: u8, count: usize| {
        found.push(Found::new(row, start, groups.end(count)));
    };
    let shape = Shape::of_lengths(groups.length(0), groups.length(1));
    if shape.is(Shape::CARD)
        && let Some(count) = card(window, groups)
    {
        push(row::CREDIT_CARD, count);
        let last = groups.last().filter(|last| *last == groups.end(count));
        let led = matches!(window.behind(start), b'+' | b'(');
        if cards && !led && last.is_some_and(|last| phone::ends(window, last) == Some(last)) {
            return;
        }
    }
    if free {
        if shape.is(Shape::GROUPED)
            && let Some((row, count)) = grouped(window, groups, heard)
        {
            push(row, count);
        } else if shape.is(Shape::SINGLE)
            && let Some(row) = single(window, groups, heard)
        {
            push(row, 1);
        }
        if shape.is(Shape::DATE)
            && let Some(count) = birthday(window, groups, heard)
        {
            push(row::DATE_OF_BIRTH, count);
        }
    }
    let shaped = shape.is(Shape::AMERICAN) || phone::may_be(window, groups);
    if (shaped || heard.any(window, start))
        && let Some(phone) = phone::check(window, (groups, free), heard)
    {
        found.push(phone);
    }
}

/// Which kinds of numbers begin with two groups of such lengths, as bits.
#[derive(Clone, Copy, Debug)]
struct Shape(u8);

impl Shape {
    const NONE: Self = Self(0);
    const CARD: Self = Self(1);
    /// What [`grouped`] tells.
    const GROUPED: Self = Self(2);
    /// What [`single`] tells.
    const SINGLE: Self = Self(4);
    /// A telephone number in American groups.
    const AMERICAN: Self = Self(8);
    /// What [`birthday`] tells.
    const DATE: Self = Self(16);

    /// By the first group's length, and the second's in the lower four bits; 15 for all longer.
    const ALL: [Self; 256] = each_byte!(n => match (n >> 4, n & 15) {
        (4, 4) => Self::CARD.or(Self::GROUPED),
        (4, 6) => Self::CARD,
        (4 | 2, 2) | (1..=2, 1) => Self::DATE,
        (3, 3) => Self::GROUPED.or(Self::AMERICAN),
        (1, 3) => Self::AMERICAN,
        (1, 2) => Self::GROUPED.or(Self::DATE),
        (3, 2) | (6, 4 | 7) => Self::GROUPED,
        (13, 2) => Self::CARD.or(Self::GROUPED).or(Self::SINGLE),
        (8, 4) => Self::GROUPED.or(Self::SINGLE),
        (12.., _) => Self::CARD.or(Self::SINGLE),
        (7.., _) => Self::SINGLE,
        _ => Self::NONE,
    });

    const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// By the lengths of two groups, of which the second may be missing.
    #[inline]
    fn of_lengths(first: usize, second: usize) -> Self {
        let place = first.min(15) << 4 | second.min(15);
        Self::ALL.get(place).copied().unwrap_or(Self(u8::MAX))
    }

    const fn is(self, kind: Self) -> bool {
        self.0 & kind.0 != 0
    }
}

/// Cards: 12 to 19 digits in one group, or groups as they are printed.
fn card(window: &Window<'_>, groups: &Groups<'_>) -> Option<usize> {
    let first = groups.length(0);
    if first < 4 || (first > 4 && first < 12) {
        return None;
    }
    let grouped = matches!(groups.sep(1), b' ' | b'-' | b'.') && matches!(groups.length(1), 4 | 6);
    if first == 4 && !(grouped && groups.count() > 2) {
        return None;
    }
    let lengths = checks::card_lengths(groups.digits(1));
    if lengths == 0 {
        return None;
    }
    let long = |count: usize| (lengths >> groups.total(count).min(31)) & 1 == 1;
    let adds_up = |count: usize| checks::luhn(groups.digits(count));
    let before = window.behind(groups.start);
    let decimal = matches!(before, b'.' | b',')
        && window
            .behind(groups.start.saturating_sub(1))
            .is_ascii_digit();
    if before == b'_' || decimal {
        return None;
    }
    if first > 4 {
        return (long(1) && adds_up(1) && free_after(window, groups.end(1))).then_some(1);
    }
    let printed = |count: usize| {
        let last = count.saturating_sub(1);
        (1..last).all(|n| matches!(groups.length(n), 4 | 6))
            && matches!(
                (groups.length(1), groups.length(last)),
                (4, 1..=4) | (6, 4 | 5)
            )
    };
    groups.counts(lengths).find(|count| {
        (3..=5).contains(count)
            && groups.even(1, *count)
            && printed(*count)
            && adds_up(*count)
            && !window.at(groups.end(*count)).is_ascii_alphanumeric()
    })
}

/// Numbers told by the lengths of their groups.
fn grouped(window: &Window<'_>, groups: &Groups<'_>, heard: &mut Heard<'_>) -> Option<(u8, usize)> {
    let digits = groups.digits(groups.count());
    let sep = groups.sep(1);
    if groups.count() < 2 || !matches!(groups.length(0), 1 | 3 | 4 | 6 | 8 | 13) {
        return None;
    }
    let near = |heard: &mut Heard<'_>, topic| heard.near(window, topic, groups.start, 40);
    let found = if groups.like(&[3, 2, 4]) && matches!(sep, b'-' | b' ') && groups.even(1, 3) {
        let row = social(groups.digits(3))?;
        let spaced = sep == b' ' && groups.count() > 3;
        (!spaced || near(heard, Topic::Person)).then_some((row, 3))
    } else if groups.like(&[3, 3, 3, 2]) && sep == b'.' && groups.sep(3) == b'-' {
        checks::cpf(digits).then_some((row::BR_CPF, 4))
    } else if groups.like(&[4, 4, 4]) && matches!(sep, b' ' | b'-') && groups.even(1, 3) {
        let twelve = groups.digits(3);
        (twelve.first() > Some(&1) && !groups.like(&[4, 4, 4, 4]) && checks::verhoeff(twelve))
            .then_some((row::IN_AADHAAR, 3))
    } else if groups.like(&[3, 3, 4]) && matches!(sep, b' ' | b'-') && groups.even(1, 3) {
        checks::nhs(groups.digits(3)).then_some((row::UK_NHS, 3))
    } else if groups.like(&[3, 3, 3]) && matches!(sep, b' ' | b'-') && groups.even(1, 3) {
        let nine = groups.digits(3);
        if checks::tfn(nine) && near(heard, Topic::Tax) {
            Some((row::AU_TFN, 3))
        } else {
            (checks::luhn(nine) && near(heard, Topic::Person)).then_some((row::CA_SIN, 3))
        }
    } else if groups.like(&[1, 2, 2, 2, 3, 3, 2]) {
        checks::french(groups.digits(7)).then_some((row::FR_NIR, 7))
    } else if groups.like(&[13, 2]) {
        checks::french(groups.digits(2)).then_some((row::FR_NIR, 2))
    } else if groups.like(&[6, 7]) && sep == b'-' {
        checks::korean(groups.digits(2)).then_some((row::KR_RRN, 2))
    } else if (groups.like(&[6, 4]) || groups.like(&[8, 4])) && sep == b'-' {
        let ten = groups.total(2).checked_sub(10)?;
        let ten = groups.digits(2).get(ten..)?;
        (checks::luhn(ten) && checks::month_day(ten.get(2..6)?, 0))
            .then_some((row::SE_PERSONNUMMER, 2))
    } else {
        None
    }?;
    free_after(window, groups.end(found.1)).then_some(found)
}

/// A social security or taxpayer number, nine digits.
fn social(digits: &[u8]) -> Option<u8> {
    let area = checks::number(digits.get(..3)?);
    let group = checks::number(digits.get(3..5)?);
    let serial = checks::number(digits.get(5..9)?);
    match area {
        0 | 666 => None,
        900.. => matches!(group, 50..=65 | 70..=88 | 90..=92 | 94..=99).then_some(row::US_ITIN),
        _ => (group != 0 && serial != 0).then_some(row::US_SSN),
    }
}

/// Numbers in one group: told by strong checks, or a keyword near by.
fn single(window: &Window<'_>, groups: &Groups<'_>, heard: &mut Heard<'_>) -> Option<u8> {
    let digits = groups.digits(1);
    if digits.len() < 7 || !free_after(window, groups.end(1)) {
        return None;
    }
    let (check, body) = digits.split_last()?;
    match digits.len() {
        15 if checks::french(digits) => return Some(row::FR_NIR),
        18 if checks::chinese(body, *check) => return Some(row::CN_RESIDENT_ID),
        _ => {}
    }
    let mut near = |topic| heard.near(window, topic, groups.start, 40);
    let person = near(Topic::Person);
    let row = match digits.len() {
        9 if person && social(digits).is_some() => social(digits),
        9 if near(Topic::Account) && checks::routing(digits) => Some(row::US_BANK_ROUTING),
        9 if near(Topic::Tax) && checks::tfn(digits) => Some(row::AU_TFN),
        9 if near(Topic::Tax) => social(digits),
        10 if near(Topic::Health) && checks::nhs(digits) => Some(row::UK_NHS),
        11 if person && checks::cpf(digits) => Some(row::BR_CPF),
        11 if person && checks::pesel(digits) => Some(row::PL_PESEL),
        11 if person && checks::turkish(digits) => Some(row::TR_NATIONAL_ID),
        11 if near(Topic::Tax) && checks::german_tax(digits) => Some(row::DE_TAX_ID),
        12 if person && checks::verhoeff(digits) => Some(row::IN_AADHAAR),
        13 if person && checks::korean(digits) => Some(row::KR_RRN),
        _ => None,
    };
    row.or_else(|| match digits.len() {
        7..=10 if near(Topic::Passport) => Some(row::PASSPORT),
        7..=10 if near(Topic::Licence) => Some(row::US_DRIVER_LICENSE),
        7..=14 if person => Some(row::NATIONAL_ID),
        7..=17 if near(Topic::Account) => Some(row::BANK_ACCOUNT),
        _ => None,
    })
}

/// A date with "born" or the like before it: 1980-03-12, 12.03.1980, 3/12/80,
/// and "12 March 1980", "12, 1980" after a month's name.
fn birthday(window: &Window<'_>, groups: &Groups<'_>, heard: &mut Heard<'_>) -> Option<usize> {
    if groups.count() < 3 {
        return None;
    }
    let digits = groups.digits(3);
    let numeric = matches!(groups.sep(1), b'-' | b'.' | b'/')
        && groups.even(1, 3)
        && (groups.like(&[4, 2, 2])
            || (groups.length(0) <= 2
                && groups.length(1) <= 2
                && matches!(groups.length(2), 2 | 4)))
        && (6..=8).contains(
            &digits
                .len()
                .saturating_add(2_usize.saturating_sub(groups.length(0))),
        );
    (numeric
        && free_after(window, groups.end(3))
        && heard.near(window, Topic::Birth, groups.start, 32))
    .then_some(3)
}
