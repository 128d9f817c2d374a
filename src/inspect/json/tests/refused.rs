//! Documents that are not JSON, or that two readers could understand differently, each with its
//! error and the byte that it names.

use super::JsonError::{
    self, BadUtf8, DuplicateKey, LoneSurrogate, Malformed, Nul, TrailingData, UnexpectedEnd,
};
use super::{Limits, cross_check, offset, read_at_every_cut};

const fn malformed(offset: u64) -> JsonError {
    Malformed { offset }
}
const fn cut_off(offset: u64) -> JsonError {
    UnexpectedEnd { offset }
}
const fn trailing(offset: u64) -> JsonError {
    TrailingData { offset }
}
const fn duplicate(offset: u64) -> JsonError {
    DuplicateKey { offset }
}
const fn lone(offset: u64) -> JsonError {
    LoneSurrogate { offset }
}
const fn bad_utf8(offset: u64) -> JsonError {
    BadUtf8 { offset }
}

const STRUCTURE: &[(&[u8], JsonError)] = &[
    (b"", cut_off(0)),
    (b" ", cut_off(1)),
    (b"[", cut_off(1)),
    (b"{", cut_off(1)),
    (b"[1", cut_off(2)),
    (b"[1,", cut_off(3)),
    (b"{\"a\"", cut_off(4)),
    (b"{\"a\":", cut_off(5)),
    (b"{\"a\":1", cut_off(6)),
    (b"{\"a\":1,", cut_off(7)),
    (b"{\"a\":[}", malformed(6)),
    (b"]", malformed(0)),
    (b"}", malformed(0)),
    (b",", malformed(0)),
    (b":", malformed(0)),
    (b"[,]", malformed(1)),
    (b"[1,]", malformed(3)),
    (b"[1,,2]", malformed(3)),
    (b"[1 2]", malformed(3)),
    (b"[1:2]", malformed(2)),
    (b"[1}", malformed(2)),
    (b"[}", malformed(1)),
    (b"{]", malformed(1)),
    (b"{,}", malformed(1)),
    (b"{1:2}", malformed(1)),
    (b"{a:1}", malformed(1)),
    (b"{'a':1}", malformed(1)),
    (b"{null:1}", malformed(1)),
    (b"{\"a\"}", malformed(4)),
    (b"{\"a\",1}", malformed(4)),
    (b"{\"a\":}", malformed(5)),
    (b"{\"a\"::1}", malformed(5)),
    (b"{\"a\":1,}", malformed(7)),
    (b"{\"a\":1]", malformed(6)),
    (b"{\"a\":1 \"b\":2}", malformed(7)),
    (b"{\"a\":1;\"b\":2}", malformed(6)),
    (b"[1]]", trailing(3)),
    (b"{}}", trailing(2)),
    (b"{}{}", trailing(2)),
    (b"1 2", trailing(2)),
    (b"null,", trailing(4)),
    (b"\"a\"\"b\"", trailing(3)),
    (b"{} //", trailing(3)),
    (b"{}\0", trailing(2)),
    (b"/**/{}", malformed(0)),
    (b"[1,//\n2]", malformed(3)),
    (b"[\x0b]", malformed(1)),
    (b"[\x0c]", malformed(1)),
    (b"[\xc2\xa0]", malformed(1)),
    (b"[\xe2\x80\xa8]", malformed(1)),
    (b"\0", malformed(0)),
    // Byte order marks, and other encodings.
    (b"\xef\xbb\xbf{}", malformed(0)),
    (b"\xef\xbb\xbf", malformed(0)),
    (b"\xef\xbb", bad_utf8(0)),
    (b"\xff\xfe{\0}\0", bad_utf8(0)),
    (b"\xfe\xff\0{\0}", bad_utf8(0)),
    (b"{\0}\0", malformed(1)),
];

const SCALARS: &[(&[u8], JsonError)] = &[
    (b"t", cut_off(1)),
    (b"nul", cut_off(3)),
    (b"[tru]", malformed(4)),
    (b"[truE]", malformed(4)),
    (b"True", malformed(0)),
    (b"nulll", trailing(4)),
    (b"falsey", trailing(5)),
    (b"undefined", malformed(0)),
    (b"NaN", malformed(0)),
    (b"nan", malformed(1)),
    (b"Infinity", malformed(0)),
    (b"-Infinity", malformed(1)),
    (b"-NaN", malformed(1)),
    (b"inf", malformed(0)),
    (b"-", cut_off(1)),
    (b"[-]", malformed(2)),
    (b"+1", malformed(0)),
    (b".5", malformed(0)),
    (b"-.5", malformed(1)),
    (b"1.", cut_off(2)),
    (b"[1.]", malformed(3)),
    (b"[1.e5]", malformed(3)),
    (b"1e", cut_off(2)),
    (b"1e+", cut_off(3)),
    (b"[1e]", malformed(3)),
    (b"[1e-]", malformed(4)),
    (b"[1e+-2]", malformed(4)),
    (b"[1e1.5]", malformed(4)),
    (b"[1.2.3]", malformed(4)),
    (b"[1-2]", malformed(2)),
    (b"[--1]", malformed(2)),
    (b"[00]", malformed(2)),
    (b"[01]", malformed(2)),
    (b"[-01]", malformed(3)),
    (b"01", trailing(1)),
    (b"0x10", trailing(1)),
    (b"[0x10]", malformed(2)),
    (b"[1_000]", malformed(2)),
    (b"[1f]", malformed(2)),
    (b"[\xef\xbc\x91]", malformed(1)),
];

const STRINGS: &[(&[u8], JsonError)] = &[
    (b"\"", cut_off(1)),
    (b"\"a", cut_off(2)),
    (b"\"\\", cut_off(2)),
    (b"\"\\\"", cut_off(3)),
    (b"\"\\u00", cut_off(5)),
    (b"'a'", malformed(0)),
    (b"\"\n\"", malformed(1)),
    (b"\"a\tb\"", malformed(2)),
    (b"\"\0\"", malformed(1)),
    (b"\"\x1f\"", malformed(1)),
    (b"\"12345678\x1f\"", malformed(9)),
    (
        b"\"a text that is longer than one block of bytes\x01\"",
        malformed(46),
    ),
    (b"{\"a\x1f\":1}", malformed(3)),
    (b"\"\\a\"", malformed(2)),
    (b"\"\\x41\"", malformed(2)),
    (b"\"\\'\"", malformed(2)),
    (b"\"\\0\"", malformed(2)),
    (b"\"\\U0041\"", malformed(2)),
    (b"\"\\\n\"", malformed(2)),
    (b"\"\\\xc3\xa9\"", malformed(2)),
    (b"\"\\u\"", malformed(3)),
    (b"\"\\u004\"", malformed(6)),
    (b"\"\\u00g1\"", malformed(5)),
    (b"\"\\u+041\"", malformed(3)),
    (b"\"\\u 041\"", malformed(3)),
    (b"\"\\u004\xc3\xa9\"", malformed(6)),
    (b"{\"\\u00zz\":1}", malformed(6)),
    // Half a pair, whatever follows.
    (b"\"\\ud800\"", lone(1)),
    (b"\"\\udc00\"", lone(1)),
    (b"\"\\uDFFF\\uD800\"", lone(1)),
    (b"\"ab\\ud83d\\ud83d\\ude00\"", lone(3)),
    (b"\"\\ud83dx\"", lone(1)),
    (b"\"\\ud83d\\n\"", lone(1)),
    (b"\"\\ud83d\\u0041\"", lone(1)),
    (b"\"\\ud83d\n\"", lone(1)),
    (b"\"\\ud83d\xf0\x9f\x98\x80\"", lone(1)),
    (b"{\"\\ud800\":1}", lone(2)),
    (b"\"\\ud83d", cut_off(7)),
    (b"\"\\ud83d\\", cut_off(8)),
    (b"\"\\ud83d\\ude0", cut_off(12)),
    (b"\"\\ud83d\\ude0g\"", malformed(12)),
    // What is not UTF-8.
    (b"\"\x80\"", bad_utf8(1)),
    (b"\"ab\xc3\"", bad_utf8(3)),
    (b"\"\xc3\"", bad_utf8(1)),
    (b"\"\xc0\xaf\"", bad_utf8(1)),
    (b"\"\xc0\x80\"", bad_utf8(1)),
    (b"\"\xe0\x80\xaf\"", bad_utf8(1)),
    (b"\"\xf0\x80\x80\xaf\"", bad_utf8(1)),
    (b"\"\xed\xa0\x80\"", bad_utf8(1)),
    (b"\"\xed\xa0\xbd\xed\xb8\x80\"", bad_utf8(1)),
    (b"\"\xf4\x90\x80\x80\"", bad_utf8(1)),
    (b"\"\xf5\x80\x80\x80\"", bad_utf8(1)),
    (b"\"\xfc\x80\x80\x80\x80\x80\"", bad_utf8(1)),
    (b"\"\xff\"", bad_utf8(1)),
    (b"\"\xe2\x82\"", bad_utf8(1)),
    (b"\"\xf0\x9f\x98\"", bad_utf8(1)),
    (b"\"\xe2\x82", bad_utf8(1)),
    (b"\"\xd0\xb6\xd0\"", bad_utf8(3)),
    (b"{\"\xff\":1}", bad_utf8(2)),
    (b"[\xff]", bad_utf8(1)),
    (b"[1,}\xff]", malformed(3)),
    (b"{}\xff", bad_utf8(2)),
    (b"{} \xc3\xa9", trailing(3)),
];

const DUPLICATES: &[(&[u8], JsonError)] = &[
    (b"{\"a\":1,\"a\":1}", duplicate(7)),
    (b"{\"a\":1,\"\\u0061\":2}", duplicate(7)),
    (b"{\"\\u0061\":1,\"a\":2}", duplicate(12)),
    (b"{\"\":1,\"\":2}", duplicate(6)),
    (b"{\"\xc3\xa9\":1,\"\\u00e9\":2}", duplicate(8)),
    (
        b"{\"\xf0\x9f\x98\x80\":1,\"\\ud83d\\ude00\":2}",
        duplicate(10),
    ),
    (b"{\"/\":1,\"\\/\":2}", duplicate(7)),
    (b"{\"a\":{\"b\":1,\"b\":2}}", duplicate(12)),
    (b"{\"a\":{\"a\":1},\"a\":2}", duplicate(13)),
    (
        b"{\"a\":[{\"a\":1},{\"a\":1}],\"b\":1,\"a\":2}",
        duplicate(29),
    ),
    (b"[{\"a\":1},{\"x\":0,\"a\":1,\"a\":1}]", duplicate(22)),
];

#[test]
fn what_is_not_json_is_refused_with_its_place_at_every_cut() {
    for (body, error) in [STRUCTURE, SCALARS, STRINGS, DUPLICATES].concat() {
        let outcome = read_at_every_cut(Limits::default(), body);
        assert_eq!(outcome, Err(error), "{:?}", String::from_utf8_lossy(body));
    }
}

#[test]
fn serde_json_refuses_the_same() {
    for (body, _) in [STRUCTURE, SCALARS, STRINGS, DUPLICATES].concat() {
        assert_eq!(
            cross_check(body),
            Ok(()),
            "{:?}",
            String::from_utf8_lossy(body)
        );
    }
}

#[test]
fn an_escape_cut_off_at_any_byte_is_an_unexpected_end() {
    for escape in ["\\n", "\\u00e9", "\\ud83d\\ude00"] {
        for (before, after) in [("\"", "\""), ("{\"", "\":1}"), ("[\"text ", "\"]")] {
            for end in 1..escape.len() {
                let start: String = escape.chars().take(end).collect();
                let body = format!("{before}{start}");
                let error = Err(cut_off(offset(body.len())));
                let outcome = read_at_every_cut(Limits::default(), body.as_bytes());
                assert_eq!(outcome, error, "{body:?}");
            }
            let body = format!("{before}{escape}{after}");
            let outcome = read_at_every_cut(Limits::default(), body.as_bytes());
            assert_eq!(outcome, Ok(()), "{body:?}");
        }
    }
}

#[test]
fn a_nul_is_refused_at_every_cut_where_none_may_stand_and_nowhere_else() {
    let strict = Limits {
        nul: false,
        ..Limits::default()
    };
    let refused = |at| Err(Nul { offset: at });
    for (body, want) in [
        (br#""\\u0000""#.as_slice(), Ok(())),
        (br#""\u0000""#, refused(1)),
        (br#"["one","two\u0000"]"#, refused(11)),
        (br#"{"a\u0000":1}"#, refused(3)),
        (br#"{"a":"\n\u0000\q"}"#, refused(8)),
        (br#"["\u0001\u00000"]"#, refused(8)),
        (br#"["\u0001\u0010\u1000"]"#, Ok(())),
    ] {
        let shown = String::from_utf8_lossy(body);
        assert_eq!(read_at_every_cut(strict, body), want, "{shown}");
        if !shown.contains(r"\q") {
            assert_eq!(
                read_at_every_cut(Limits::default(), body),
                Ok(()),
                "{shown}"
            );
        }
    }
}
