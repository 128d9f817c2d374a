//! Masks and the sanitizer's rewrites: exactly the place, everything else to the byte.

use super::{
    CARD, DEFAULT, EMAIL, KEY, LENIENT, ascii, chat, cleared, found, inspector, rewritten, strict,
};
use crate::inspect::detect::Family;
use crate::policy::inspection::{Action, Sanitization};
use serde_json::Value;

#[test]
fn values_get_labels_and_the_rest_stays_to_the_byte() {
    for (body, want) in [
        (
            format!(r#"{{ "model":"m" , "prompt":"to {EMAIL}, please" }}"#),
            r#"{ "model":"m" , "prompt":"to [EMAIL_1], please" }"#.to_owned(),
        ),
        (
            format!(r#"{{"prompt":"{EMAIL} and bob@other.net and {EMAIL}","model":"m"}}"#),
            r#"{"prompt":"[EMAIL_1] and [EMAIL_2] and [EMAIL_1]","model":"m"}"#.to_owned(),
        ),
        (
            format!(r#"{{"input":["card {CARD}","mail {EMAIL}","card {CARD}"],"model":"m"}}"#),
            r#"{"input":["card [CREDIT_CARD_1]","mail [EMAIL_1]","card [CREDIT_CARD_1]"],"model":"m"}"#
                .to_owned(),
        ),
        (
            r#"{"prompt":"\u0061da@analytical\u002eorg \u00e9\n\ud83d\ude00","model":"m"}"#.to_owned(),
            r#"{"prompt":"[EMAIL_1] \u00e9\n\ud83d\ude00","model":"m"}"#.to_owned(),
        ),
        (
            r#"{"a":{"arguments":"{\"to\":\"ada@analytical.org\",\"n\":1}"},"model":"m"}"#.to_owned(),
            r#"{"a":{"arguments":"{\"to\":\"[EMAIL_1]\",\"n\":1}"},"model":"m"}"#.to_owned(),
        ),
        (
            r#"{"metadata":{"mail of ada@analytical.org here":1},"model":"m"}"#.to_owned(),
            r#"{"metadata":{"mail of [EMAIL_1] here":1},"model":"m"}"#.to_owned(),
        ),
    ] {
        let out = rewritten(&LENIENT, &body);
        assert_eq!(out, want, "{body}");
        assert!(serde_json::from_str::<Value>(&out).is_ok(), "still JSON: {out}");
        assert_eq!(found(&LENIENT, &out), [], "and inspects clean: {out}");
    }
}

#[test]
fn what_is_not_masked_needs_no_edit() {
    let flags = inspector(|settings| settings.pii = Action::Flag);
    let body = chat(&format!("mail {EMAIL}"));
    assert_eq!(cleared(&flags, &body).edits(), []);
    assert_eq!(
        found(&flags, &body),
        [("user", Family::Pii)],
        "but it is found"
    );
    let off = inspector(|settings| settings.pii = Action::Off);
    assert_eq!(found(&off, &body), []);
    assert!(
        !cleared(&off, &body).report().ran.has(Family::Pii),
        "and the report says so"
    );
}

#[test]
fn secrets_are_masked_where_the_policy_masks_them() {
    let body = chat(&format!("my token is {KEY}, keep it"));
    let out = rewritten(&LENIENT, &body);
    assert!(
        !out.contains("ghp_") && out.contains("_1], keep it"),
        "{out}"
    );
    let long = chat(&format!(
        "key {}{} end",
        "eyJhbGciOiJIUzI1NiJ9.eyJ",
        "aGVsbG8gd29ybGQx".repeat(700)
    ));
    let out = rewritten(&LENIENT, &long);
    assert_eq!(
        found(&LENIENT, &out),
        [],
        "a value over several blocks goes whole"
    );
}

#[test]
fn characters_that_do_not_belong_are_taken_out() {
    for (text, want) in [
        ("plain\tand\nsimple\r", None),
        ("caf\u{e9} \u{4f60}\u{597d} \u{2764}\u{fe0f}", None),
        ("a\u{1}b\u{1b}[31mc", Some("ab[31mc")),
        ("ze\u{200b}ro wi\u{2060}dth \u{feff}x", Some("zero width x")),
        ("\u{202e}abc\u{2069}", Some("abc")),
        ("hi\u{e0041}\u{e0042}", Some("hi")),
        ("odd\u{ffff}", Some("odd")),
        ("\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}", None),
        ("ig\u{200d}nore", Some("ignore")),
        ("next\u{85}line", Some("nextline")),
    ] {
        for body in [chat(text), ascii(&chat(text))] {
            let out = rewritten(&DEFAULT, &body);
            let value: Value = serde_json::from_str(&out).expect("still JSON");
            assert_eq!(
                value["messages"][0]["content"],
                want.unwrap_or(text),
                "{body}"
            );
            let sanitized = found(&DEFAULT, &body);
            let wanted: &[_] = if want.is_some() {
                &[("user", Family::Sanitization)]
            } else {
                &[]
            };
            assert_eq!(sanitized, wanted, "{body}");
            assert_eq!(found(&DEFAULT, &out), [], "it inspects clean: {out}");
            if want.is_none() {
                assert_eq!(out, body, "nothing to do, not one byte changes");
            }
        }
    }
    let off = inspector(|settings| settings.sanitization = Sanitization::Off);
    assert_eq!(cleared(&off, &chat("a\u{1}b")).edits(), []);
}

#[test]
fn what_hid_behind_unseen_characters_is_found_and_goes_whole() {
    let hidden = "mail ada@ana\u{200b}lytical.\u{200b}o\u{200b}rg now";
    let out = rewritten(&DEFAULT, &chat(hidden));
    assert_eq!(out, chat("mail [EMAIL_1] now"));
    assert_eq!(out, rewritten(&DEFAULT, &ascii(&chat(hidden))));
}

#[test]
fn strict_sanitization_escapes_prose_and_leaves_programs_alone() {
    let strict = inspector(strict);
    let body = r#"{"model":"m","messages":[{"role":"user","content":"a < b & \"c\" 'd'"},
        {"role":"assistant","tool_calls":[{"function":{"arguments":"{\"q\":\"1 < 2\"}"}}]}],
        "metadata":{"k":"<x>"}}"#;
    let want = body.replace(
        r#"a < b & \"c\" 'd'"#,
        "a &lt; b &amp; &quot;c&quot; &#39;d&#39;",
    );
    assert_eq!(rewritten(&strict, body), want);
    let url = r#"{"model":"m","messages":[{"role":"user","content":[
        {"image_url":{"url":"https://x.test/?a=1&b=2"}}]}]}"#;
    assert_eq!(rewritten(&strict, url), url, "addresses stay usable");
    let mail = chat(&format!("<{EMAIL}>"));
    assert_eq!(rewritten(&strict, &mail), chat("&lt;[EMAIL_1]&gt;"));
}
