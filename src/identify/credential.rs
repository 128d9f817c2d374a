//! Finds the one credential of a request.
//!
//! Decides which bytes are the credential. One credential in two headers is one; two that differ
//! are refused, since a proxy before us and we might each believe another. It never looks a
//! credential up, and it never copies one.

use http::HeaderName;
use http::header::{AUTHORIZATION, HeaderMap, HeaderValue};

use super::token;
use crate::policy::{Denial, KeyFault};

/// No key is longer: whatever is, need not be hashed.
pub const LONGEST_KEY: usize = 512;

/// The credential, from the headers that may carry one.
///
/// # Errors
/// None at all, a malformed one, or two that differ.
pub fn find<'a>(
    headers: &'a HeaderMap<HeaderValue>,
    carriers: &[HeaderName],
) -> Result<&'a [u8], Denial> {
    let mut found: Option<&[u8]> = None;
    for carrier in carriers {
        for value in headers.get_all(carrier) {
            let credential = if *carrier == AUTHORIZATION {
                bearer(value.as_bytes()).ok_or(Denial::InvalidApiKey(KeyFault::Malformed))?
            } else {
                value.as_bytes()
            };
            match found {
                Some(other) if other != credential => {
                    return Err(Denial::InvalidApiKey(KeyFault::Ambiguous));
                }
                Some(_) | None => found = Some(credential),
            }
        }
    }
    let credential = found
        .filter(|c| !c.is_empty())
        .ok_or(Denial::MissingApiKey)?;
    let longest = if token::is_like(credential) {
        token::LONGEST
    } else {
        LONGEST_KEY
    };
    let plain = credential.len() <= longest && credential.iter().all(u8::is_ascii_graphic);
    if plain {
        Ok(credential)
    } else {
        Err(Denial::InvalidApiKey(KeyFault::Malformed))
    }
}

/// The first credential, whatever it is worth: for the few characters of it that a security event
/// may show.
pub fn shown<'a>(headers: &'a HeaderMap<HeaderValue>, carriers: &[HeaderName]) -> Option<&'a [u8]> {
    let value = carriers
        .iter()
        .find_map(|carrier| headers.get(carrier))?
        .as_bytes();
    Some(bearer(value).unwrap_or(value))
}

/// The token of `Bearer TOKEN` (RFC 6750, 2.1); the scheme's case does not count (RFC 9110, 11.1).
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.split_at_checked(7)?;
    scheme
        .eq_ignore_ascii_case(b"bearer ")
        .then(|| token.trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(headers: &[(&'static str, &[u8])]) -> Result<Vec<u8>, Denial> {
        let carriers = ["authorization", "x-api-key", "api-key"].map(HeaderName::from_static);
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_bytes(value).unwrap());
        }
        find(&map, &carriers).map(<[u8]>::to_vec)
    }

    const MALFORMED: Result<Vec<u8>, Denial> = Err(Denial::InvalidApiKey(KeyFault::Malformed));
    const AMBIGUOUS: Result<Vec<u8>, Denial> = Err(Denial::InvalidApiKey(KeyFault::Ambiguous));

    #[test]
    fn each_carrier_carries() {
        for header in [
            ("authorization", &b"Bearer key"[..]),
            ("authorization", b"bearer key"),
            ("authorization", b"BEARER  key "),
            ("x-api-key", b"key"),
            ("api-key", b"key"),
        ] {
            assert_eq!(found(&[header]), Ok(b"key".to_vec()), "{header:?}");
        }
    }

    #[test]
    fn no_credential_is_not_a_wrong_one() {
        assert_eq!(found(&[]), Err(Denial::MissingApiKey), "no header");
        assert_eq!(
            found(&[("x-api-key", b"")]),
            Err(Denial::MissingApiKey),
            "an empty one"
        );
        assert_eq!(
            found(&[("cookie", b"key")]),
            Err(Denial::MissingApiKey),
            "not a carrier"
        );
    }

    #[test]
    fn malformed_credentials_are_refused() {
        let long = [b'a'; LONGEST_KEY + 1];
        for header in [
            ("authorization", &b"Basic a2V5"[..]),
            ("authorization", b"key"),
            ("authorization", b"Bearerkey"),
            ("x-api-key", b"a b"),
            ("x-api-key", b"k\xe9y"),
            ("x-api-key", b"\xff\xfe"),
            ("x-api-key", &long),
        ] {
            assert_eq!(found(&[header]), MALFORMED, "{header:?}");
        }
        assert!(
            found(&[("x-api-key", &long[1..])]).is_ok(),
            "the longest key is still a key"
        );
    }

    #[test]
    fn two_credentials_are_refused_unless_they_are_one() {
        assert_eq!(
            found(&[("authorization", b"Bearer a"), ("x-api-key", b"a")]),
            Ok(b"a".to_vec()),
            "one key sent twice"
        );
        assert_eq!(
            found(&[("authorization", b"Bearer a"), ("x-api-key", b"b")]),
            AMBIGUOUS,
            "two keys"
        );
        assert_eq!(
            found(&[("x-api-key", b"a"), ("x-api-key", b"b")]),
            AMBIGUOUS,
            "one header twice"
        );
    }
}
