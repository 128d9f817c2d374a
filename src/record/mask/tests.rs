use std::borrow::Cow;

use proptest::prelude::*;
use serde_json::Value;

use super::mask;

/// Lines with a secret, and what is left of them.
const MASKED: &[(&str, &str)] = &[
    ("sk-abc12345xyz", "sk-abc***xyz"),
    ("key sk-proj-AbC_1-23456xyz.", "key sk-pro***xyz."),
    ("x=sk-ant-api03-abcdefgh", "x=sk-ant***fgh"),
    ("pcl_0123456789abcdef", "pcl_012***def"),
    ("AKIAIOSFODNN7EXAMPLE", "AKIAIOS***PLE"),
    ("ghp_0123456789abcdefghij", "ghp_012***hij"),
    ("github_pat_0123456789abcdefghij", "github_pat_012***hij"),
    ("AIzaSyA0123456789abcdefghijklmnopqrstuv", "AIzaSyA***tuv"),
    ("xoxb-123456789012-abc", "xoxb-123***abc"),
    (
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcdef",
        "eyJhbG***def",
    ),
    (
        r#"{"m":"line\nsk-abc12345xyz"}"#,
        r#"{"m":"line\nsk-abc***xyz"}"#,
    ),
    (
        r#"{"m":"a\u000ask-abc12345xyz"}"#,
        r#"{"m":"a\u000ask-abc***xyz"}"#,
    ),
    ("Bearer abc.def", "Bearer ***MASKED***"),
    ("bearer  abc", "bearer  ***MASKED***"),
    ("BEARER abc", "BEARER ***MASKED***"),
    (
        "Authorization: Bearer abc",
        "Authorization: Bearer ***MASKED***",
    ),
    (
        "authorization: Basic dXNlcg==",
        "authorization: Basic ***MASKED***",
    ),
    ("authorization: abc", "authorization: ***MASKED***"),
    ("token: Bearer abc", "token: Bearer ***MASKED***"),
    ("x-api-key: abc", "x-api-key: ***MASKED***"),
    ("api_key=abc", "api_key=***MASKED***"),
    ("APIKEY=abc&x=1", "APIKEY=***MASKED***&x=1"),
    ("?token=abc HTTP", "?token=***MASKED*** HTTP"),
    ("client_secret = abc", "client_secret = ***MASKED***"),
    ("PassWord=abc, next", "PassWord=***MASKED***, next"),
    ("password=a,b;c", "password=***MASKED***"),
    ("{password: abc}", "{password: ***MASKED***}"),
    ("password => 'a b'", "password => '***MASKED***'"),
    ("password := abc", "password := ***MASKED***"),
    ("private_key=\"a b\" x", "private_key=\"***MASKED***\" x"),
    (
        r#"{"password":"a\"b","x":1}"#,
        r#"{"password":"***MASKED***","x":1}"#,
    ),
    (
        r#"{"password":"a\\","x":1}"#,
        r#"{"password":"***MASKED***","x":1}"#,
    ),
    (
        r#"{"password" : "a b"}"#,
        r#"{"password" : "***MASKED***"}"#,
    ),
    (
        r#"{"Token":123,"x":1}"#,
        r#"{"Token":"***MASKED***","x":1}"#,
    ),
    (
        r#"{"secret":["a","",1,null,["b"]],"x":"y"}"#,
        r#"{"secret":["***MASKED***","","***MASKED***",null,["***MASKED***"]],"x":"y"}"#,
    ),
    (
        r#"{"authorization":"Bearer a b"}"#,
        r#"{"authorization":"Bearer ***MASKED***"}"#,
    ),
    (
        r#"{"m":"{\"password\":\"a\\\"b\"}"}"#,
        r#"{"m":"{\"password\":\"***MASKED***\"}"}"#,
    ),
    (
        r#"{"m":"{\"password\":\"a\\\\\",\"x\":1}"}"#,
        r#"{"m":"{\"password\":\"***MASKED***\",\"x\":1}"}"#,
    ),
    (
        r#"{"m":"{\"token\":12}"}"#,
        r#"{"m":"{\"token\":\"***MASKED***\"}"}"#,
    ),
    (
        r#"{"m":"{\"a\":\"{\\\"token\\\":\\\"x\\\"}\"}"}"#,
        r#"{"m":"{\"a\":\"{\\\"token\\\":\\\"***MASKED***\\\"}\"}"}"#,
    ),
    (
        r#"{"m":"token=abc","x":1}"#,
        r#"{"m":"token=***MASKED***","x":1}"#,
    ),
    (
        r#"{"m":"token=a\\b\nx"}"#,
        r#"{"m":"token=***MASKED***\nx"}"#,
    ),
    (
        r#"{"m":"token: \"abc","x":1}"#,
        r#"{"m":"token: \"***MASKED***","x":1}"#,
    ),
    (
        "{'password': 'a b', 'pin': 1}",
        "{'password': '***MASKED***', 'pin': 1}",
    ),
    ("postgres://user:pass@db/x", "postgres://***MASKED***@db/x"),
    ("https://a@b@host", "https://***MASKED***@host"),
    ("://token://&user@", "://token:***MASKED***&user@"),
    ("token=sk-abc12345xyz", "token=***MASKED***"),
    ("sk-abc12345token=abc", "sk-abc***ken=***MASKED***"),
    ("Bearer sk-abc12345xyz", "Bearer ***MASKED***"),
    (
        "pässword password=ünïcode ü",
        "pässword password=***MASKED*** ü",
    ),
];

/// Lines that look like it and hold none.
const PLAIN: &[&str] = &[
    "",
    "max_tokens=5",
    r#"{"token_count":3,"prompt_tokens":12,"completion_tokens":7}"#,
    "sk-",
    "sk-abc",
    "task-1234567890",
    "disk-usage-is-high",
    "proxy_api_tokens_total{kind=\"prompt\"} 3",
    "pcl_abc",
    "AKIA",
    "AKIAabcdefghijklmnop",
    "eyJ",
    "eyJhbGciOiJIUzI1NiJ9",
    "ghost_0123456789abcdefghij",
    "Bearer",
    "forbearer abc",
    "token",
    "token_type: x",
    "the password is wrong",
    "keyboard: qwerty",
    r#"{"error":"invalid_api_key","kind":"token","x":"y"}"#,
    r#"{"m":"enter the password:","next":"visible"}"#,
    r#"{"m":"enter the password: ","next":"visible"}"#,
    r#"{"password":"","token":null,"secret":true,"api_key":{}}"#,
    "https://host/a@b",
    "https://host:8443/x?y=a@b",
    "mail a@b.example",
    "2026-11-21T22:07:00Z INFO portcullis 127.0.0.1:8000",
];

#[test]
fn secrets_are_masked() {
    for (line, expected) in MASKED {
        assert_eq!(mask(line), *expected, "{line}");
    }
}

#[test]
fn what_only_looks_like_a_secret_is_left_alone() {
    for line in PLAIN {
        assert!(
            matches!(mask(line), Cow::Borrowed(same) if same == *line),
            "{line} became {}",
            mask(line)
        );
    }
}

#[test]
fn masking_finds_secrets_at_every_place_of_a_line() {
    for before in 0..40 {
        for after in 0..20 {
            let line = format!(
                "{} sk-abc12345xyz {}",
                "-".repeat(before),
                ".".repeat(after)
            );
            assert_eq!(
                mask(&line),
                line.replace("12345", "***"),
                "{before} bytes before, {after} after"
            );
        }
    }
}

/// Quadratic work on any of these would take minutes.
#[test]
fn hostile_lines_are_masked_in_reasonable_time() {
    for unit in [
        "token",
        "token ",
        "token=",
        "\"token\"",
        "\"token\":[",
        "sk-",
        "eyJ.",
        "eyJabcde.",
        "://",
        "a://b@",
        "Bearer ",
        "'token'='",
        "\\",
        "\\\"token",
        "token:\\\\\"",
        "token: '",
        "[",
        "password=\\\\\\\"",
        "AKIAA",
        "{\"token\":[[",
    ] {
        for start in ["", "{", "{\"a\":\""] {
            let line = format!("{start}{}", unit.repeat(50_000 / unit.len()));
            let masked = mask(&line);
            assert_eq!(mask(&masked), masked, "{start}{unit} repeated");
        }
    }
}

/// Text made of the pieces that the masker looks for.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => prop::sample::select(vec![
            "token", "Password", "secret", "api_key", "x-api-key", "authorization", "Bearer",
            "basic", "sk-", "sk-abcdefgh", "pcl_0123456789ab", "eyJabcdef.abcdef", "AKIA",
            "AKIAIOSFODNN7EXAMPLE", "://", "user@", "***MASKED***", "***", "null", "12",
        ]),
        6 => prop::sample::select(vec![
            "\"", "\\", "'", "=", ":", " ", ",", "{", "}", "[", "]", "&", "\n", "\t", "é", "\\\"",
            "\\\\", "\":\"", "\": ", "\",\"", ">", ")", ".", "a", "z1", "\u{0}", "n", "u0041",
        ]),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        pieces().prop_map(Value::from),
        // JSON within JSON, as in a message that quotes a body.
        pieces().prop_map(|text| Value::from(serde_json::json!({"password": text}).to_string())),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((pieces(), inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// The same JSON but for scalars, which may have become strings, and texts.
fn same_shape(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_shape(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            // Two names may have become one.
            b.len() <= a.len()
                && (a.len() > b.len() || a.values().zip(b.values()).count() == a.len())
        }
        (Value::Null | Value::Bool(_), other) => one == other,
        (Value::Number(_), Value::Number(_)) => one == other,
        (Value::Number(_), Value::String(text)) => text == super::MASKED,
        (Value::String(_), Value::String(_)) => true,
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn masking_twice_is_masking_once(line in pieces()) {
        let once = mask(&line).into_owned();
        prop_assert_eq!(mask(&once), once.as_str(), "{}", line);
        let line = format!("{{{line}");
        let once = mask(&line).into_owned();
        prop_assert_eq!(mask(&once), once.as_str(), "{}", line);
    }

    #[test]
    fn any_text_is_masked_without_a_panic(line in any::<String>()) {
        let _ = mask(&line);
    }

    #[test]
    fn json_stays_json(value in json(), space in any::<bool>()) {
        let line = serde_json::json!({"extra_data": value}).to_string();
        let line = if space { line.replace(':', ": ") } else { line };
        let before: Value = serde_json::from_str(&line).unwrap();
        let masked = mask(&line).into_owned();
        let after = serde_json::from_str::<Value>(&masked);
        prop_assert!(after.is_ok(), "{} became {}", line, masked);
        prop_assert!(same_shape(&before, &after.unwrap()), "{} became {}", line, masked);
        prop_assert_eq!(mask(&masked), masked.as_str(), "{}", line);
    }

    #[test]
    fn a_secret_in_a_json_member_is_gone(secret in "[a-zA-Z0-9\"'\\\\ ,{}:=\n]{4,20}") {
        let needle = "S3CR3T-7f";
        let secret = format!("{secret}{needle}{secret}");
        for name in ["password", "client_secret", "Token", "x-api-key"] {
            let line = serde_json::json!({"a": 1, name: &secret, "z": "kept"}).to_string();
            let nested = serde_json::json!({"message": &line, "z": "kept"}).to_string();
            let twice = serde_json::json!({"message": &nested, "z": "kept"}).to_string();
            for line in [line, nested, twice] {
                let masked = mask(&line).into_owned();
                prop_assert!(!masked.contains(needle), "{} became {}", line, masked);
                prop_assert!(masked.contains("kept"), "{} became {}", line, masked);
            }
        }
    }
}
