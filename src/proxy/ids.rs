//! The ids of requests.
//!
//! Decides which ids of clients are taken over, and makes one where none is. Ids are unique, not
//! secret: nothing may be allowed because somebody knows one.

use std::sync::atomic::{AtomicU64, Ordering};

/// Makes ids that no other process and no earlier run made.
#[derive(Debug)]
pub(crate) struct RequestIds {
    run: u64,
    next: AtomicU64,
}

impl RequestIds {
    /// Ids of one run of the program, told from others' by random bits.
    pub(crate) fn new(random: [u8; 16]) -> Self {
        let (run, first) = random.split_at(8);
        let number = |bytes: &[u8]| bytes.iter().fold(0_u64, |n, b| (n << 8) | u64::from(*b));
        Self {
            run: number(run),
            next: AtomicU64::new(number(first)),
        }
    }

    /// The next id: 32 hex digits.
    pub(crate) fn next(&self) -> Box<str> {
        let count = self.next.fetch_add(1, Ordering::Relaxed);
        let mut id = String::with_capacity(32);
        for byte in [self.run, mixed(count)]
            .into_iter()
            .flat_map(u64::to_be_bytes)
        {
            for digit in [byte >> 4, byte & 0xf] {
                id.push(char::from_digit(digit.into(), 16).unwrap_or('0'));
            }
        }
        id.into()
    }
}

/// A bijection (splitmix64's finaliser), so that ids in a row don't look alike yet never collide.
const fn mixed(count: u64) -> u64 {
    let a = (count ^ (count >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let b = (a ^ (a >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    b ^ (b >> 31)
}

/// The client's own id, where it is well formed: 1 to 128 letters, digits and `-_.:`.
pub(crate) fn well_formed(value: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(value).ok()?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.:".contains(&b);
    (matches!(text.len(), 1..=128) && text.bytes().all(plain)).then_some(text)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_are_well_formed_and_never_come_twice() {
        let ids = RequestIds::new([0xFF; 16]);
        let made: HashSet<_> = (0..10_000).map(|_| ids.next()).collect();
        assert_eq!(made.len(), 10_000, "no id comes twice");
        for id in made.iter().take(10) {
            assert_eq!(
                well_formed(id.as_bytes()),
                Some(&**id),
                "{id} is well formed"
            );
        }
    }

    #[test]
    fn a_clients_id_is_taken_over_only_if_it_can_do_no_harm() {
        assert_eq!(
            well_formed(b"req-1.2:3_x"),
            Some("req-1.2:3_x"),
            "a plain one"
        );
        for bad in [
            &b""[..],
            b"a b",
            b"a\nb",
            b"a\"b",
            b"\xff",
            b"\x1b[31m",
            &[b'a'; 129],
        ] {
            assert_eq!(well_formed(bad), None, "{bad:?}");
        }
    }
}
