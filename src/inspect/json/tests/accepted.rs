//! Documents that are JSON.

use super::{Limits, cross_check, offset, read_at_every_cut};

const ACCEPTED: &[&str] = &[
    // The top value may be anything, with white space around it.
    "null",
    "true",
    "false",
    "0",
    "-0",
    "\"\"",
    "\"a\"",
    "[]",
    "{}",
    " \t\r\n[ \t\r\n] \t\r\n",
    " \t\r\n{ \t\r\n} \t\r\n",
    "  1  ",
    "\n\"a\"\n",
    // Arrays and objects.
    "[1]",
    "[1,2,3]",
    "[ 1 , 2 , 3 ]",
    "[[],[[]],{}]",
    "[null,true,false,\"\",0,[],{}]",
    "{\"\":0}",
    "{\"a\":1,\"b\":2}",
    "{ \"a\" : 1 , \"b\" : [ 2 ] }",
    "{\"a\":{\"a\":{\"a\":{}}}}",
    "[{\"a\":1},{\"a\":1},{\"a\":1}]",
    "{\"a\":[{\"a\":1},{\"b\":1,\"a\":2}],\"b\":{\"a\":3}}",
    "{\"a\":1,\"A\":2,\"\u{e9}\":3,\"e\u{301}\":4}",
    "{\"\\u0000\":1,\"\\n\":2,\"\\\"\":3,\"\\\\\":4}",
    // Numbers, to the byte.
    "1",
    "-1",
    "12345678901234567890123456789012345678901234567890",
    "0.0",
    "-0.0",
    "0.10",
    "1.5",
    "123.456e789",
    "0e0",
    "0E0",
    "1e5",
    "1E5",
    "1e+5",
    "1e-5",
    "1e05",
    "1.0E+00",
    "[0]",
    "[-0,0.1,1e1]",
    "{\"n\":0}",
    // Strings.
    "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
    "\"\\u0041\\u00e9\\u20AC\\uFFFF\"",
    "\"\\u0000\"",
    "\"\\u001F\\u007f\"",
    "\"\\ud7ff\\ue000\"",
    "\"\\uD83D\\uDE00\"",
    "\"\\ud800\\udc00\\udbff\\udfff\"",
    "\"\\uD834\\uDD1Ex\"",
    "\"/\"",
    "\"\u{7f}\"",
    "\"\u{80}\u{7ff}\u{800}\u{ffff}\u{10000}\u{10ffff}\"",
    "\"\u{2028}\u{2029}\u{feff}\"",
    "\"Z\u{351}a\u{35b}l\u{321}g\u{317}o\u{489}\"",
    "\"12345678\"",
    "\"1234567\u{e9}\"",
    "\"a run of more than two blocks of thirty-two bytes, none of them special, to its end\"",
    "\"a run of more than thirty-two bytes and then an escape \\n and then some more text \\\\\"",
    "[\"a\",\"b\\u0062\",\"\u{431}\"]",
    "{\"model\":\"gpt-4o\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],\"stream\":true}",
];

#[test]
fn json_is_accepted_at_every_cut() {
    for body in ACCEPTED {
        let outcome = read_at_every_cut(Limits::default(), body.as_bytes());
        assert_eq!(outcome, Ok(()), "{body:?} is JSON");
    }
}

#[test]
fn serde_json_agrees_on_what_is_json() {
    for body in ACCEPTED {
        assert_eq!(cross_check(body.as_bytes()), Ok(()), "{body:?}");
    }
}

#[test]
fn every_start_of_json_is_cut_off_or_json() {
    for body in ACCEPTED
        .iter()
        .filter(|body| body.starts_with(['{', '[', '"']))
    {
        let whole = body.trim_end().len();
        for end in 0..whole {
            let outcome = read_at_every_cut(Limits::default(), &body.as_bytes()[..end]);
            let inside_a_character = !body.is_char_boundary(end);
            let error = outcome.expect_err("the value is not over");
            let expected = if inside_a_character {
                matches!(error, super::JsonError::BadUtf8 { .. })
            } else {
                error
                    == super::JsonError::UnexpectedEnd {
                        offset: offset(end),
                    }
            };
            assert!(expected, "{body:?} cut at {end}: {error:?}");
        }
    }
}
