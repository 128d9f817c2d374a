//! Addresses of crypto-currencies.
//!
//! Decides whether a word is an address: base58 with its SHA-256 checksum
//! (Bitcoin, Litecoin, Dogecoin, Dash, Tron), bech32 with its own, or `0x` and 40
//! hex digits. Never takes the shape alone where there is a checksum.
//! May miss: other coins. An Ethereum address without mixed case has no checksum.

use sha2::{Digest, Sha256};

/// Whether the word of letters and digits is an address.
pub(super) fn check(word: &[u8]) -> bool {
    match word {
        [b'0', b'x' | b'X', rest @ ..] => {
            rest.len() == 40
                && rest.iter().all(u8::is_ascii_hexdigit)
                && rest.iter().any(|byte| Some(byte) != rest.first())
        }
        [b'b' | b't', b'c' | b'b', b'1', ..] | [b'B', b'C', b'1', ..] => bech32(word, 2),
        [b'l', b't', b'c', b'1', ..] => bech32(word, 3),
        [
            b'1' | b'3' | b'L' | b'M' | b'D' | b'T' | b'X' | b'm' | b'n' | b'2',
            ..,
        ] => base58(word),
        _ => false,
    }
}

/// Version byte, 20 bytes, and the first four of their double SHA-256.
fn base58(word: &[u8]) -> bool {
    if !(26..=35).contains(&word.len()) {
        return false;
    }
    // 25 bytes, big-endian, in seven words.
    let mut number = [0_u32; 7];
    for piece in word.chunks(5) {
        let mut value = 0_u64;
        let mut step = 1_u64;
        for byte in piece {
            let Some(digit) = base58_digit(*byte) else {
                return false;
            };
            value = value.wrapping_mul(58).wrapping_add(u64::from(digit));
            step = step.wrapping_mul(58);
        }
        for limb in number.iter_mut().rev() {
            let sum = u64::from(*limb).wrapping_mul(step).wrapping_add(value);
            *limb = u32::try_from(sum & 0xffff_ffff).unwrap_or(0);
            value = sum >> 32;
        }
        if value != 0 {
            return false;
        }
    }
    let mut bytes = [0_u8; 28];
    for (to, limb) in bytes.chunks_mut(4).zip(number) {
        to.copy_from_slice(&limb.to_be_bytes());
    }
    let [0, 0, 0, payload @ ..] = bytes else {
        return false;
    };
    let (body, sum) = payload.split_at(21);
    // Asked before the hash, which costs a hundred times as much.
    let version = matches!(
        body.first(),
        Some(0 | 5 | 0x1e | 0x30 | 0x32 | 0x41 | 0x4c | 0x6f | 0xc4)
    );
    version && Sha256::digest(Sha256::digest(body)).starts_with(sum)
}

fn base58_digit(byte: u8) -> Option<u8> {
    let place = match byte {
        b'1'..=b'9' => byte.wrapping_sub(b'1'),
        b'A'..=b'H' => byte.wrapping_sub(b'A').wrapping_add(9),
        b'J'..=b'N' => byte.wrapping_sub(b'J').wrapping_add(17),
        b'P'..=b'Z' => byte.wrapping_sub(b'P').wrapping_add(22),
        b'a'..=b'k' => byte.wrapping_sub(b'a').wrapping_add(33),
        b'm'..=b'z' => byte.wrapping_sub(b'm').wrapping_add(44),
        _ => return None,
    };
    Some(place)
}

/// Bech32 and bech32m with a prefix of `prefix` letters before the `1`.
fn bech32(word: &[u8], prefix: usize) -> bool {
    if !(14..=62).contains(&word.len()) {
        return false;
    }
    let upper = word.iter().any(u8::is_ascii_uppercase);
    if upper && word.iter().any(u8::is_ascii_lowercase) {
        return false;
    }
    let (head, data) = word.split_at(prefix);
    let mut sum = 1_u32;
    for byte in head {
        sum = polymod(sum, u32::from(byte.to_ascii_lowercase() >> 5));
    }
    sum = polymod(sum, 0);
    for byte in head {
        sum = polymod(sum, u32::from(byte.to_ascii_lowercase() & 31));
    }
    for byte in data.iter().skip(1) {
        let lower = byte.to_ascii_lowercase();
        let Some(value) = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l"
            .iter()
            .position(|c| *c == lower)
        else {
            return false;
        };
        sum = polymod(sum, u32::try_from(value).unwrap_or(0));
    }
    sum == 1 || sum == 0x2bc8_30a3
}

fn polymod(sum: u32, value: u32) -> u32 {
    let top = sum >> 25;
    let mut sum = ((sum & 0x1ff_ffff) << 5) ^ value;
    for (n, generator) in [
        0x3b6a_57b2,
        0x2650_8e6d,
        0x1ea1_19fa,
        0x3d42_33dd,
        0x2a14_62b3,
    ]
    .into_iter()
    .enumerate()
    {
        if (top >> n) & 1 == 1 {
            sum ^= generator;
        }
    }
    sum
}
