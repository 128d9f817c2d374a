//! Numbers written in groups: cards, social security and other personal numbers.
//!
//! Decides what a run of digit groups ("4111 1111 1111 1111", "123-45-6789") is,
//! by group lengths, separators, check digits and keywords near by. Reads each
//! group sequence once. Telephones are `phone`, addresses `net`.
//! May miss: numbers with other separators, or two between groups.

use super::checks;
use super::phone;
use crate::inspect::detect::rules::personal as row;
use crate::inspect::detect::window::{Found, Window};
use crate::inspect::detect::words::{Heard, Topic};

/// Most groups and digits that any kind needs: seven in a French number, 19 in a card.
const GROUPS: usize = 8;
const DIGITS: usize = 24;

/// Digit groups from one place on.
#[derive(Debug, Default)]
pub(super) struct Groups {
    pub(super) start: usize,
    count: usize,
    /// One past each group's last byte, from `start` on.
    ends: [u8; GROUPS],
    /// Digits up to each group's end.
    totals: [u8; GROUPS],
    /// Digits in each group.
    lengths: [u8; GROUPS],
    /// What stands before each group; `(` for any brackets.
    seps: [u8; GROUPS],
    digits: [u8; DIGITS],
}

impl Groups {
    /// Reads the groups from the digit at `start` on.
    pub(super) fn read(window: &Window<'_>, start: usize) -> Self {
        let mut groups = Self {
            start,
            ..Self::default()
        };
        let mut total: usize = 0;
        let mut i = start;
        while groups.count < GROUPS {
            let mut digit = window.at(i);
            while digit.is_ascii_digit() {
                let Some(place) = groups.digits.get_mut(total) else {
                    return groups;
                };
                *place = digit.wrapping_sub(b'0');
                total = total.saturating_add(1);
                i = i.saturating_add(1);
                digit = window.at(i);
            }
            groups.close(i, total);
            // A row of single digits is no number of any kind.
            if groups.lengths.starts_with(&[1, 1, 1])
                || (groups.sep(1) == b' ' && groups.lengths.starts_with(&[1, 1]))
            {
                break;
            }
            let Some((sep, next)) = separator(window, i) else {
                break;
            };
            if let Some(place) = groups.seps.get_mut(groups.count) {
                *place = sep;
            }
            i = next;
        }
        groups
    }

    fn close(&mut self, end: usize, total: usize) {
        let length = total.saturating_sub(self.digits(self.count).len());
        if let (Some(e), Some(t), Some(l)) = (
            self.ends.get_mut(self.count),
            self.totals.get_mut(self.count),
            self.lengths.get_mut(self.count),
        ) {
            *e = u8::try_from(end.saturating_sub(self.start)).unwrap_or(u8::MAX);
            *t = u8::try_from(total).unwrap_or(u8::MAX);
            *l = u8::try_from(length).unwrap_or(u8::MAX);
            self.count = self.count.saturating_add(1);
        }
    }

    pub(super) const fn count(&self) -> usize {
        self.count
    }

    /// One past the last byte of the first `count` groups.
    pub(super) fn end(&self, count: usize) -> usize {
        let length = count
            .checked_sub(1)
            .and_then(|n| self.ends.get(n))
            .copied()
            .unwrap_or(0);
        self.start.saturating_add(usize::from(length))
    }

    /// The digits of the first `count` groups.
    pub(super) fn digits(&self, count: usize) -> &[u8] {
        let total = count
            .checked_sub(1)
            .and_then(|n| self.totals.get(n))
            .copied()
            .unwrap_or(0);
        self.digits.get(..usize::from(total)).unwrap_or_default()
    }

    /// Digits in group `n`.
    pub(super) fn length(&self, n: usize) -> usize {
        self.lengths.get(n).copied().map_or(0, usize::from)
    }

    /// What stands before group `n`.
    pub(super) fn sep(&self, n: usize) -> u8 {
        self.seps.get(n).copied().unwrap_or(0)
    }

    /// Whether the groups are exactly of these lengths, or begin so.
    #[inline]
    pub(super) fn like<const N: usize>(&self, lengths: &[u8; N]) -> bool {
        self.lengths.first_chunk() == Some(lengths)
    }

    /// Whether groups `from..count` all stand behind the same separator.
    pub(super) fn even(&self, from: usize, count: usize) -> bool {
        (from..count).all(|n| self.sep(n) == self.sep(from))
    }
}

/// The separator at `i` and the digit after it.
fn separator(window: &Window<'_>, i: usize) -> Option<(u8, usize)> {
    let first = window.at(i);
    let mut next = i.saturating_add(1);
    let mut sep = first;
    match first {
        b'-' | b'.' | b'/' => {}
        // NO-BREAK SPACE, which telephone numbers are set with.
        0xc2 if window.at(next) == 0xa0 => {
            sep = b' ';
            next = next.saturating_add(1);
        }
        b' ' | b')' | b'(' => {
            for _ in 0..2 {
                let byte = window.at(next);
                if matches!(byte, b'(' | b')') || (byte == b' ' && first == b')') {
                    next = next.saturating_add(1);
                    sep = b'(';
                } else if first == b')' && byte == b'-' {
                    next = next.saturating_add(1);
                }
            }
            if first != b' ' {
                sep = b'(';
            }
        }
        _ => return None,
    }
    window.at(next).is_ascii_digit().then_some((sep, next))
}

/// Whether a number that starts at `start` is not the end of a longer one.
pub(super) fn free_before(window: &Window<'_>, start: usize) -> bool {
    match window.behind(start) {
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

/// Everything that the number at `start` may be.
pub(super) fn check(window: &Window<'_>, start: usize, heard: &mut Heard, found: &mut Vec<Found>) {
    let free = free_before(window, start);
    if !free {
        // Within a longer number only a card may begin.
        let first = window.skip(start, |byte| byte.is_ascii_digit());
        let first = first.saturating_sub(start);
        if first < 4 || (first > 4 && first < 12) {
            return;
        }
    }
    let groups = Groups::read(window, start);
    let digits = groups.digits(groups.count()).len();
    if (digits < 7 && groups.count() < 3) || groups.lengths.starts_with(&[1, 1, 1]) {
        return;
    }
    let mut push = |row: u8, count: usize| {
        found.push(Found::new(row, start, groups.end(count)));
    };
    if let Some(count) = card(window, &groups) {
        push(row::CREDIT_CARD, count);
    }
    if free {
        if let Some((row, count)) = grouped(window, &groups, heard) {
            push(row, count);
        } else if let Some(row) = single(window, &groups, heard) {
            push(row, 1);
        }
        if let Some(count) = birthday(window, &groups, heard) {
            push(row::DATE_OF_BIRTH, count);
        }
    }
    if let Some(phone) = phone::check(window, &groups, heard) {
        found.push(phone);
    }
}

/// Cards: 12 to 19 digits in one group, or groups as they are printed.
fn card(window: &Window<'_>, groups: &Groups) -> Option<usize> {
    let first = groups.length(0);
    if first < 4 || (first > 4 && first < 12) {
        return None;
    }
    let fits = |count: usize| {
        let digits = groups.digits(count);
        checks::issuer(digits) && checks::luhn(digits)
    };
    let before = window.behind(groups.start);
    let decimal = matches!(before, b'.' | b',')
        && window
            .behind(groups.start.saturating_sub(1))
            .is_ascii_digit();
    if before == b'_' || decimal {
        return None;
    }
    if first > 4 {
        return (fits(1) && free_after(window, groups.end(1))).then_some(1);
    }
    let printed = |count: usize| {
        let last = count.saturating_sub(1);
        (1..last).all(|n| matches!(groups.length(n), 4 | 6))
            && matches!(
                (groups.length(1), groups.length(last)),
                (4, 1..=4) | (6, 4 | 5)
            )
    };
    (3..=groups.count().min(5)).rev().find(|count| {
        (12..=19).contains(&groups.digits(*count).len())
            && matches!(groups.sep(1), b' ' | b'-' | b'.')
            && groups.even(1, *count)
            && printed(*count)
            && fits(*count)
            && !window.at(groups.end(*count)).is_ascii_alphanumeric()
    })
}

/// Numbers told by the lengths of their groups.
fn grouped(window: &Window<'_>, groups: &Groups, heard: &mut Heard) -> Option<(u8, usize)> {
    let digits = groups.digits(groups.count());
    let sep = groups.sep(1);
    let near = |heard: &mut Heard, topic| heard.near(window, topic, groups.start, 40);
    let found = if groups.like(&[3, 2, 4]) && matches!(sep, b'-' | b' ') && groups.even(1, 3) {
        let row = social(groups.digits(3))?;
        let spaced = sep == b' ' && groups.count() > 3;
        (!spaced || near(heard, Topic::Person)).then_some((row, 3))
    } else if groups.like(&[3, 3, 3, 2]) && sep == b'.' && groups.sep(3) == b'-' {
        checks::cpf(digits).then_some((row::BR_CPF, 4))
    } else if groups.like(&[4, 4, 4]) && matches!(sep, b' ' | b'-') && groups.even(1, 3) {
        let twelve = groups.digits(3);
        (twelve.first() > Some(&1) && checks::verhoeff(twelve) && !groups.like(&[4, 4, 4, 4]))
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
        let ten = groups.digits(2).len().checked_sub(10)?;
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
fn single(window: &Window<'_>, groups: &Groups, heard: &mut Heard) -> Option<u8> {
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
fn birthday(window: &Window<'_>, groups: &Groups, heard: &mut Heard) -> Option<usize> {
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
    (groups.count() >= 3
        && numeric
        && free_after(window, groups.end(3))
        && heard.near(window, Topic::Birth, groups.start, 32))
    .then_some(3)
}
