//! Everything a client can grow: at its cap, one past it, and far past it.

use super::{JsonError, Limits, Reader, Sink, feed, offset, read_at_every_cut};

const SMALL: Limits = Limits {
    depth: 3,
    keys: 3,
    key_bytes: 4,
    number_bytes: 5,
    nul: true,
    repeats: false,
};

#[test]
fn each_limit_holds_at_its_cap_and_refuses_one_more() {
    let cases: &[(&str, Result<(), JsonError>)] = &[
        ("[[[]]]", Ok(())),
        ("[[[[]]]]", Err(JsonError::TooDeep { offset: 3 })),
        ("{\"a\":[{}]}", Ok(())),
        (
            "{\"a\":[{\"b\":{}}]}",
            Err(JsonError::TooDeep { offset: 11 }),
        ),
        ("[[[1]],[[2]],[[3]]]", Ok(())),
        ("{\"a\":1,\"b\":1,\"c\":1}", Ok(())),
        (
            "{\"a\":1,\"b\":1,\"c\":1,\"d\":1}",
            Err(JsonError::TooManyKeys { offset: 19 }),
        ),
        ("{\"a\":{\"a\":1},\"b\":{\"a\":1},\"c\":1}", Ok(())),
        (
            "{\"a\":1,\"b\":{\"a\":1,\"b\":1}}",
            Err(JsonError::TooManyKeys { offset: 18 }),
        ),
        ("{\"abcd\":1}", Ok(())),
        ("{\"abcde\":1}", Err(JsonError::KeyTooLong { offset: 1 })),
        ("{\"\\u0061bcd\":1}", Ok(())),
        (
            "{\"\\u0061bcde\":1}",
            Err(JsonError::KeyTooLong { offset: 1 }),
        ),
        (
            "{\"abcd\\u0065\":1}",
            Err(JsonError::KeyTooLong { offset: 1 }),
        ),
        ("{\"\u{1f600}\":1}", Ok(())),
        (
            "{\"a\u{1f600}\":1}",
            Err(JsonError::KeyTooLong { offset: 1 }),
        ),
        (
            "{\"\\ud83d\\ude00a\":1}",
            Err(JsonError::KeyTooLong { offset: 1 }),
        ),
        // The limit comes before what is wrong further on, as it would byte by byte.
        ("{\"abcdefgh\n", Err(JsonError::KeyTooLong { offset: 1 })),
        ("{\"abcdefgh\\x", Err(JsonError::KeyTooLong { offset: 1 })),
        ("{\"abcd\n", Err(JsonError::Malformed { offset: 6 })),
        ("{\"abcdefgh", Err(JsonError::KeyTooLong { offset: 1 })),
        ("[12345]", Ok(())),
        ("12345", Ok(())),
        ("[123456]", Err(JsonError::NumberTooLong { offset: 1 })),
        ("123456", Err(JsonError::NumberTooLong { offset: 0 })),
        ("[-1.5e3]", Err(JsonError::NumberTooLong { offset: 1 })),
        ("[1234.x", Err(JsonError::Malformed { offset: 6 })),
        ("[12345.x", Err(JsonError::NumberTooLong { offset: 1 })),
    ];
    for &(body, outcome) in cases {
        assert_eq!(
            read_at_every_cut(SMALL, body.as_bytes()),
            outcome,
            "{body:?}"
        );
    }
}

#[test]
fn no_limit_means_that_nothing_but_a_bare_value_passes() {
    let none = Limits {
        depth: 0,
        keys: 0,
        key_bytes: 0,
        number_bytes: 0,
        nul: true,
        repeats: false,
    };
    assert_eq!(read_at_every_cut(none, b"\"text\""), Ok(()));
    assert_eq!(
        read_at_every_cut(none, b"[]"),
        Err(JsonError::TooDeep { offset: 0 })
    );
    assert_eq!(
        read_at_every_cut(none, b"1"),
        Err(JsonError::NumberTooLong { offset: 0 })
    );
}

#[test]
fn repeats_pass_where_they_may_and_are_not_counted() {
    let free = Limits {
        repeats: true,
        ..SMALL
    };
    for body in [
        r#"{"a":1,"a":2}"#,
        r#"{"a":1,"b":2,"c":3,"d":4}"#,
        r#"{"a":{"a":1,"a":2},"a":[{"b":1}]}"#,
    ] {
        assert_eq!(read_at_every_cut(free, body.as_bytes()), Ok(()), "{body}");
        assert!(read_at_every_cut(SMALL, body.as_bytes()).is_err(), "{body}");
    }
}

#[test]
fn five_thousand_nested_arrays_are_too_deep() {
    for opening in ["[", "{\"a\":", " [ "] {
        let body = opening.repeat(5000);
        let bracket = opening.find(['[', '{']).expect("a bracket");
        let offset = offset(64 * opening.len() + bracket);
        let outcome = feed(Limits::default(), body.as_bytes().chunks(1000), &mut ());
        assert_eq!(outcome, Err(JsonError::TooDeep { offset }), "{opening:?}");
    }
}

#[test]
fn sixty_four_levels_are_not_too_deep() {
    let body = format!("{}{}", "[".repeat(64), "]".repeat(64));
    assert_eq!(
        read_at_every_cut(Limits::default(), body.as_bytes()),
        Ok(())
    );
}

#[test]
fn a_million_keys_are_refused_at_the_cap_and_leave_no_more_state() {
    let mut body = b"{".to_vec();
    for no in 0..1_000_000 {
        body.extend_from_slice(format!("\"{no}\":0,").as_bytes());
    }
    let mut reader = Reader::new(Limits::default());
    let error = reader.push(&body, &mut ()).expect_err("too many keys");
    assert!(matches!(error, JsonError::TooManyKeys { .. }), "{error:?}");
    let before = &body[..usize::try_from(error.offset()).expect("small")];
    assert_eq!(
        before.split(|&byte| byte == b':').count(),
        4097,
        "at the cap"
    );
    assert!(
        reader.state_bytes() <= 64 * 1024,
        "{} bytes",
        reader.state_bytes()
    );
}

#[test]
fn a_million_objects_of_few_keys_are_accepted() {
    let body = format!("[{}0]", "{\"a\":1,\"b\":{\"a\":2}},".repeat(1_000_000));
    let mut reader = Reader::new(Limits::default());
    for piece in body.as_bytes().chunks(8192) {
        assert_eq!(reader.push(piece, &mut ()), Ok(()));
    }
    assert_eq!(
        reader.finish(&mut ()),
        Ok(()),
        "keys of closed objects do not count"
    );
    assert!(
        reader.state_bytes() <= 4096,
        "{} bytes",
        reader.state_bytes()
    );
}

#[test]
fn a_long_string_costs_no_state() {
    struct Lengths(usize);
    impl Sink for Lengths {
        fn string_run(&mut self, _at: u64, run: &str) {
            self.0 += run.len();
        }
    }
    let text = "ж".repeat(1 << 19);
    let body = format!("[\"{text}\"]");
    for size in [1, 3, 4096, body.len()] {
        let mut reader = Reader::new(Limits::default());
        let mut lengths = Lengths(0);
        for piece in body.as_bytes().chunks(size) {
            assert_eq!(reader.push(piece, &mut lengths), Ok(()));
        }
        assert_eq!(reader.finish(&mut lengths), Ok(()));
        assert_eq!(lengths.0, 1 << 20, "all of the string was heard");
        assert!(
            reader.state_bytes() <= 1024,
            "{} bytes",
            reader.state_bytes()
        );
    }
}
