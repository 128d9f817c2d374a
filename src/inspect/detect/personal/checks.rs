//! Check digits: pure arithmetic over digit values.
//!
//! Decides whether a number's check digits fit. Never looks at a text.
//! May miss: nothing; a fit by chance is one in ten to one in a hundred.

fn weighted(digits: &[u8], weights: &[u32]) -> u32 {
    digits.iter().zip(weights).fold(0, |sum, (d, w)| {
        sum.wrapping_add(w.wrapping_mul(u32::from(*d)))
    })
}

/// The number that the digits spell, modulo `m`.
pub(super) fn modulo(digits: &[u8], m: u32) -> u32 {
    digits.iter().fold(0, |rest: u32, d| {
        rest.wrapping_mul(10)
            .wrapping_add(u32::from(*d))
            .checked_rem(m)
            .unwrap_or(0)
    })
}

/// The number that at most nine digits spell.
pub(super) fn number(digits: &[u8]) -> u32 {
    digits.iter().fold(0, |n: u32, d| {
        n.wrapping_mul(10).wrapping_add(u32::from(*d))
    })
}

/// Cards, Canadian and Swedish personal numbers.
pub(super) fn luhn(digits: &[u8]) -> bool {
    // What twice a digit counts for.
    const TWICE: [u8; 10] = [0, 2, 4, 6, 8, 1, 3, 5, 7, 9];
    // The sums if the newest digit counts once and if it counts twice, the one before it the other
    // way: which it is, only the last one tells.
    let (once, _) = digits.iter().fold((0_u32, 0_u32), |(once, twice), d| {
        let double = TWICE.get(usize::from(*d)).copied().unwrap_or(0);
        (
            twice.wrapping_add(u32::from(*d)),
            once.wrapping_add(u32::from(double)),
        )
    });
    once.is_multiple_of(10)
}

/// The Indian resident number.
pub(super) fn verhoeff(digits: &[u8]) -> bool {
    const SHIFTS: [[u8; 10]; 8] = [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
        [1, 5, 7, 6, 2, 8, 3, 0, 9, 4],
        [5, 8, 0, 3, 7, 9, 6, 1, 4, 2],
        [8, 9, 1, 6, 0, 4, 3, 5, 2, 7],
        [9, 4, 5, 3, 1, 2, 6, 8, 7, 0],
        [4, 2, 8, 6, 5, 7, 3, 9, 0, 1],
        [2, 7, 9, 3, 8, 0, 6, 4, 1, 5],
        [7, 0, 4, 6, 9, 1, 3, 2, 5, 8],
    ];
    let turn = |a: u8, b: u8| {
        let row = TURNS.get(usize::from(a));
        let turned = row.and_then(|row| row.get(usize::from(b)));
        turned.copied().unwrap_or(0)
    };
    let rest = digits
        .iter()
        .rev()
        .zip(SHIFTS.iter().cycle())
        .fold(0, |rest, (d, shift)| {
            turn(rest, shift.get(usize::from(*d)).copied().unwrap_or(0))
        });
    rest == 0
}

/// The dihedral group of the pentagon, one turn after another: rotations below 5, reflections from
/// 5. A table, as the digits of a number have no order that a processor could learn.
const TURNS: [[u8; 10]; 10] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    [1, 2, 3, 4, 0, 6, 7, 8, 9, 5],
    [2, 3, 4, 0, 1, 7, 8, 9, 5, 6],
    [3, 4, 0, 1, 2, 8, 9, 5, 6, 7],
    [4, 0, 1, 2, 3, 9, 5, 6, 7, 8],
    [5, 9, 8, 7, 6, 0, 4, 3, 2, 1],
    [6, 5, 9, 8, 7, 1, 0, 4, 3, 2],
    [7, 6, 5, 9, 8, 2, 1, 0, 4, 3],
    [8, 7, 6, 5, 9, 3, 2, 1, 0, 4],
    [9, 8, 7, 6, 5, 4, 3, 2, 1, 0],
];

/// The Brazilian tax number of a person, eleven digits.
pub(super) fn cpf(digits: &[u8]) -> bool {
    let (Some(first), Some(all)) = (digits.first(), digits.get(..11)) else {
        return false;
    };
    if all.iter().all(|d| d == first) {
        return false;
    }
    let check = |sum: u32| (sum.wrapping_mul(10) % 11) % 10;
    let one = check(weighted(digits, &[10, 9, 8, 7, 6, 5, 4, 3, 2]));
    let two = check(weighted(digits, &[11, 10, 9, 8, 7, 6, 5, 4, 3, 2]));
    digits.get(9).map(|d| u32::from(*d)) == Some(one)
        && digits.get(10).map(|d| u32::from(*d)) == Some(two)
}

/// The British health number, ten digits.
pub(super) fn nhs(digits: &[u8]) -> bool {
    weighted(digits, &[10, 9, 8, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11)
        && digits.iter().any(|d| Some(d) != digits.first())
}

/// The Australian tax number, nine digits.
pub(super) fn tfn(digits: &[u8]) -> bool {
    weighted(digits, &[1, 4, 3, 7, 5, 8, 6, 9, 10]).is_multiple_of(11)
}

/// The American bank routing number, nine digits.
pub(super) fn routing(digits: &[u8]) -> bool {
    weighted(digits, &[3, 7, 1, 3, 7, 1, 3, 7, 1]).is_multiple_of(10) && number(digits) != 0
}

/// The Polish personal number, eleven digits.
pub(super) fn pesel(digits: &[u8]) -> bool {
    weighted(digits, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]).is_multiple_of(10)
        && month_day(digits.get(2..6).unwrap_or_default(), 20)
}

/// The German tax number of a person, eleven digits (ISO 7064, mod 11,10).
pub(super) fn german_tax(digits: &[u8]) -> bool {
    let Some((check, body)) = digits.split_last() else {
        return false;
    };
    let mut product = 10_u32;
    for d in body {
        let sum = product.wrapping_add(u32::from(*d)) % 10;
        product = if sum == 0 { 10 } else { sum }.wrapping_mul(2) % 11;
    }
    digits.first() != Some(&0) && 11_u32.wrapping_sub(product) % 10 == u32::from(*check)
}

/// The Turkish number of a person, eleven digits.
pub(super) fn turkish(digits: &[u8]) -> bool {
    let odd = weighted(digits, &[1, 0, 1, 0, 1, 0, 1, 0, 1]);
    let even = weighted(digits, &[0, 1, 0, 1, 0, 1, 0, 1]);
    let tenth = odd.wrapping_mul(7).wrapping_add(1000).wrapping_sub(even) % 10;
    let eleventh = weighted(digits, &[1; 10]) % 10;
    digits.first() != Some(&0)
        && digits.get(9).map(|d| u32::from(*d)) == Some(tenth)
        && digits.get(10).map(|d| u32::from(*d)) == Some(eleventh)
}

/// The Korean resident number, thirteen digits.
pub(super) fn korean(digits: &[u8]) -> bool {
    let sum = weighted(digits, &[2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]) % 11;
    month_day(digits.get(2..6).unwrap_or_default(), 0)
        && digits.get(6).is_some_and(|d| (1..=8).contains(d))
        && digits.get(12).map(|d| u32::from(*d)) == Some(11_u32.wrapping_sub(sum) % 10)
}

/// The Chinese resident number: seventeen digits and a check, 10 for `X`.
pub(super) fn chinese(digits: &[u8], check: u8) -> bool {
    let sum = weighted(
        digits,
        &[7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2],
    ) % 11;
    let year = number(digits.get(6..10).unwrap_or_default());
    (1900..2100).contains(&year)
        && month_day(digits.get(10..14).unwrap_or_default(), 0)
        && u32::from(check) == 12_u32.wrapping_sub(sum) % 11
}

/// The French number: thirteen digits and a key of two.
pub(super) fn french(digits: &[u8]) -> bool {
    let (body, key) = digits.split_at(13.min(digits.len()));
    let month = number(body.get(3..5).unwrap_or_default());
    matches!(body.first(), Some(1 | 2))
        && ((1..=12).contains(&month) || (20..=42).contains(&month) || month >= 50)
        && number(key) == 97_u32.wrapping_sub(modulo(body, 97))
}

/// Four digits that are a month and a day; some offices add 20s to the month.
pub(super) fn month_day(digits: &[u8], century_step: u32) -> bool {
    let value = number(digits);
    let (mut month, day) = (value / 100, value % 100);
    if century_step != 0 {
        month = month.checked_rem(century_step).unwrap_or(0);
    }
    digits.len() == 4 && (1..=12).contains(&month) && (1..=31).contains(&day)
}

/// How many digits cards have that begin with these four, as bits; 0 if none do.
pub(super) fn card_lengths(digits: &[u8]) -> u32 {
    let head = number(digits.get(..4).unwrap_or_default());
    let issuer = usize::try_from(head).ok().and_then(|n| ISSUERS.get(n));
    let lengths = LENGTHS.get(usize::from(issuer.copied().unwrap_or(0)));
    lengths.copied().unwrap_or(0)
}

/// How many digits the cards of each kind of issuer have, as bits.
const LENGTHS: [u32; 7] = [
    0,
    1 << 13 | 1 << 16 | 1 << 19,
    1 << 16,
    1 << 15,
    // 14 to 19, 16 to 19, 12 to 19.
    0x000f_c000,
    0x000f_0000,
    0x000f_f000,
];

/// The kind of issuer by the first four digits: a table, as they follow no order that a processor
/// could learn.
static ISSUERS: [u8; 10_000] = {
    let mut issuers = [0; 10_000];
    let mut head = 0_usize;
    while head < issuers.len() {
        #[expect(clippy::indexing_slicing, reason = "below the table's length")]
        {
            issuers[head] = issuer(head);
        }
        head = head.wrapping_add(1);
    }
    issuers
};

/// Which of [`LENGTHS`] cards have that begin so.
const fn issuer(head: usize) -> u8 {
    match head {
        4000..=4999 => 1,
        5100..=5599 | 2221..=2720 => 2,
        3400..=3499 | 3700..=3799 | 1800 | 2131 => 3,
        3000..=3059 | 3095 | 3600..=3699 | 3800..=3999 => 4,
        6011 | 6200..=6299 | 6440..=6599 | 3500..=3599 | 2200..=2204 | 9792 | 8100..=8199 => 5,
        5000..=5099 | 5600..=5899 | 6000..=6999 | 604 => 6,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{TURNS, card_lengths, luhn, verhoeff};

    /// By the sum as it is defined: from the last digit on, every other one twice.
    fn plain_luhn(digits: &[u8]) -> bool {
        let values = digits.iter().rev().zip([1_u32, 2].into_iter().cycle());
        let sum: u32 = values
            .map(|(d, times)| u32::from(*d).saturating_mul(times))
            .map(|value| (value / 10).saturating_add(value % 10))
            .sum();
        sum.is_multiple_of(10)
    }

    #[test]
    fn turns_are_those_of_a_pentagon() {
        // A corner's place after a turn: a reflection turns the other way round.
        let turned = |turn: u8, corner: u8| match turn {
            0..5 => (corner + turn) % 5,
            _ => (turn + 5 - corner) % 5,
        };
        for a in 0..10_u8 {
            for b in 0..10_u8 {
                let both = TURNS[usize::from(a)][usize::from(b)];
                for corner in 0..5 {
                    assert_eq!(
                        turned(both, corner),
                        turned(a, turned(b, corner)),
                        "{a} after {b}"
                    );
                }
            }
        }
    }

    #[test]
    fn numbers_that_are_printed_as_examples_add_up() {
        assert!(verhoeff(&[2, 3, 6, 3]));
        assert!(!verhoeff(&[2, 3, 6, 4]));
        assert_eq!(card_lengths(&[4, 1, 1, 1]), 1 << 13 | 1 << 16 | 1 << 19);
        assert_eq!(card_lengths(&[3, 7, 8, 2]), 1 << 15);
        assert_eq!(card_lengths(&[6, 0, 1, 1]), 0x000f_0000);
        assert_eq!(card_lengths(&[9, 9, 9, 9]), 0);
        assert_eq!(card_lengths(&[4, 1]), 0);
    }

    proptest! {
        #[test]
        fn sums_are_as_they_are_defined(digits in prop::collection::vec(0_u8..10, 0..24)) {
            prop_assert_eq!(luhn(&digits), plain_luhn(&digits));
        }
    }
}
