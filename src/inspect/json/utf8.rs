//! Pieces of bytes to pieces of text: checks the whole piece in one go and holds back the start
//! of a character whose rest is still to come. Everything outside strings is ASCII, so the body
//! as a whole must be UTF-8, and the reader behind this only ever sees `&str`.

/// The longest character.
pub(super) const LONGEST: usize = 4;

/// What can be read of a piece.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Checked<'a> {
    /// Valid from the first byte on.
    pub(super) text: &'a str,
    /// What stands behind it.
    pub(super) rest: Rest<'a>,
}

/// What follows the valid part of a piece.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Rest<'a> {
    /// Nothing.
    Nothing,
    /// One to three bytes that begin a character.
    Cut(&'a [u8]),
    /// Bytes that no continuation makes valid.
    Bad,
}

/// Splits `bytes` into what is valid and what follows.
pub(super) fn check(bytes: &[u8]) -> Checked<'_> {
    let error = match simdutf8::compat::from_utf8(bytes) {
        Ok(text) => {
            return Checked {
                text,
                rest: Rest::Nothing,
            };
        }
        Err(error) => error,
    };
    let (valid, tail) = bytes
        .split_at_checked(error.valid_up_to())
        .unwrap_or((&[], bytes));
    let rest = if error.error_len().is_none() {
        Rest::Cut(tail)
    } else {
        Rest::Bad
    };
    match simdutf8::basic::from_utf8(valid) {
        Ok(text) => Checked { text, rest },
        // The checker contradicts itself: nothing of the piece is trusted.
        Err(_) => Checked {
            text: "",
            rest: Rest::Bad,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::{Checked, Rest, check};

    #[test]
    fn a_character_cut_short_is_told_from_one_that_cannot_be() {
        let cases: &[(&[u8], &str, Rest<'_>)] = &[
            (b"", "", Rest::Nothing),
            (b"abc", "abc", Rest::Nothing),
            (b"a\xd0\xb6", "a\u{436}", Rest::Nothing),
            (b"a\xd0", "a", Rest::Cut(b"\xd0")),
            (b"\xe2\x82", "", Rest::Cut(b"\xe2\x82")),
            (b"\xf0\x9f\x98", "", Rest::Cut(b"\xf0\x9f\x98")),
            (b"a\x80", "a", Rest::Bad),
            (b"a\xc3\"", "a", Rest::Bad),
            (b"a\xe0\x80", "a", Rest::Bad),
            (b"a\xed\xa0", "a", Rest::Bad),
            (b"a\xf4\x90", "a", Rest::Bad),
            (b"a\xc0", "a", Rest::Bad),
        ];
        for &(bytes, text, ref rest) in cases {
            let Checked {
                text: valid,
                rest: behind,
            } = check(bytes);
            assert_eq!((valid, &behind), (text, rest), "{bytes:?}");
        }
    }
}
