//! The text of a key: `pcl_`, 43 base-62 digits for 256 random bits, 6 more for their checksum.
//!
//! Decides what a new key looks like, and whether a text that claims to be one can be one. The
//! checksum lets a scanner tell a leaked key from a look-alike, and us a typing mistake from an
//! attack. It is no secret and protects nothing.

use subtle::{Choice, ConstantTimeEq as _};

use crate::policy::secret::Secret;

/// The prefix by which people and scanners recognise a key of this product.
pub const KEY_PREFIX: &str = "pcl_";

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Base-62 digits that hold 256 bits.
const BODY_DIGITS: usize = 43;
/// Base-62 digits that hold a CRC-32.
const CHECK_DIGITS: usize = 6;

/// Makes the text of a key from 256 random bits.
pub fn mint(random: &[u8; 32]) -> Secret {
    let mut text =
        String::with_capacity(KEY_PREFIX.len().saturating_add(BODY_DIGITS + CHECK_DIGITS));
    text.push_str(KEY_PREFIX);
    let mut number = *random;
    for _ in 0..BODY_DIGITS {
        text.push(digit(divide_by_62(&mut number)));
    }
    for check in check_digits(text.as_bytes()) {
        text.push(char::from(check));
    }
    number.fill(0);
    Secret::new(text)
}

/// Whether a text begins like one of our keys and can't be one, because its checksum is wrong. All
/// is computed for every text, so that its beginning can't be told from the time that this takes.
pub fn is_mistyped(text: &[u8]) -> bool {
    let is_ours = Choice::from(u8::from(text.starts_with(KEY_PREFIX.as_bytes())));
    let split = KEY_PREFIX.len().saturating_add(BODY_DIGITS);
    let (body, check) = text.split_at_checked(split).unwrap_or((text, &[]));
    let is_true = check_digits(body).ct_eq(check);
    bool::from(is_ours & !is_true)
}

fn check_digits(body: &[u8]) -> [u8; CHECK_DIGITS] {
    let mut check = crc32(body);
    [(); CHECK_DIGITS].map(|()| {
        let digit = digit(check.wrapping_rem(62));
        check = check.wrapping_div(62);
        u8::try_from(digit).unwrap_or(b'0')
    })
}

/// Divides a big-endian number in place and returns the remainder.
fn divide_by_62(number: &mut [u8; 32]) -> u32 {
    number.iter_mut().fold(0_u32, |remainder, byte| {
        let dividend = remainder.wrapping_mul(256).wrapping_add(u32::from(*byte));
        let quotient = dividend.wrapping_div(62);
        *byte = u8::try_from(quotient).unwrap_or(u8::MAX);
        dividend.wrapping_rem(62)
    })
}

fn digit(value: u32) -> char {
    let index = usize::try_from(value).unwrap_or(0);
    ALPHABET.get(index).map_or('0', |byte| char::from(*byte))
}

/// CRC-32 (IEEE 802.3), bit by bit: run once per key made, and once per key that opens nothing.
fn crc32(bytes: &[u8]) -> u32 {
    let crc = bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            // Without a branch, so that every text of one length takes one time.
            (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg())
        })
    });
    !crc
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn minted_keys_have_their_shape_and_a_true_checksum() {
        let key = mint(&[0xA5; 32]);
        let text = key.expose();
        assert_eq!(text.len(), 4 + 43 + 6, "prefix, body, checksum");
        assert!(text.starts_with(KEY_PREFIX), "the prefix");
        assert!(
            text.bytes().skip(4).all(|b| b.is_ascii_alphanumeric()),
            "base 62"
        );
        let (body, check) = text.split_at(47);
        let worth =
            |byte| u64::try_from(ALPHABET.iter().position(|a| *a == byte).unwrap()).unwrap();
        let value = check.bytes().rev().fold(0_u64, |value, byte| {
            value.wrapping_mul(62).wrapping_add(worth(byte))
        });
        assert_eq!(value, u64::from(crc32(body.as_bytes())), "the checksum");
        assert_eq!(
            crc32(b"123456789"),
            0xCBF4_3926,
            "the published check value of CRC-32"
        );
        assert_ne!(mint(&[1; 32]), mint(&[2; 32]), "other bits, other key");
    }

    proptest! {
        #[test]
        fn a_typing_mistake_is_told_from_another_key(
            random: [u8; 32], place in 4_usize..53, other in 0_usize..62,
        ) {
            let key = mint(&random);
            prop_assert!(!is_mistyped(key.expose().as_bytes()), "as it was made");
            let mut typed = key.expose().as_bytes().to_vec();
            let (byte, letter) = (typed[place], ALPHABET[other]);
            typed[place] = letter;
            prop_assert_eq!(is_mistyped(&typed), byte != letter, "one letter at {}", place);
            typed.pop();
            prop_assert!(is_mistyped(&typed), "one letter less");
        }
    }

    #[test]
    fn what_is_no_key_of_ours_is_not_mistyped() {
        for text in ["", "sk-something", "pc", "PCL_aaaa"] {
            assert!(!is_mistyped(text.as_bytes()), "{text:?}");
        }
    }
}
