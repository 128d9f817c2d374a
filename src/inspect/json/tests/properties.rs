//! Random documents, random damage, random cuts, with `serde_json` as the judge.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "a wrong place must fail the test"
)]

use proptest::collection::{btree_map, vec};
use proptest::prelude::{Just, Strategy, any, prop_assert_eq, prop_oneof, proptest};
use proptest::sample::Index;
use serde_json::{Map, Number, Value};

use super::super::{Literal, Sink};
use super::{Limits, cross_check, feed, heard};

fn value() -> impl Strategy<Value = Value> {
    let text = prop_oneof!["[ -~]{0,40}", "\\PC{0,20}", any::<String>()];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| Number::from_f64(number).map_or(Value::Null, Value::from)),
        text.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 48, 6, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            btree_map(text.clone(), inner, 0..6).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

/// A document as it may be written: dense, laid out, or with all but ASCII escaped.
fn document() -> impl Strategy<Value = String> {
    (value(), 0..3).prop_map(|(value, form)| match form {
        0 => value.to_string(),
        1 => serde_json::to_string_pretty(&value).expect("a value is JSON"),
        _ => value.to_string().chars().map(escaped).collect(),
    })
}

fn escaped(ch: char) -> String {
    if ch.is_ascii() {
        return ch.to_string();
    }
    let mut units = [0; 2];
    let units = ch
        .encode_utf16(&mut units)
        .iter()
        .map(|unit| format!("\\u{unit:04X}"));
    units.collect::<Vec<_>>().concat()
}

/// A string, as it is written, that is longer than what is decoded together.
fn long_string() -> impl Strategy<Value = String> {
    const PARTS: [&str; 16] = [
        "\\n",
        "\\t",
        "\\\"",
        "\\\\",
        "\\/",
        "\\b",
        "\\u00e9",
        "\\u4E2d",
        "\\ud83d\\ude00",
        "x",
        "\u{e9}",
        "\u{4e2d}",
        "\u{1f600}",
        "@u3330a",
        "a few plain words, and more of them ",
        "",
    ];
    let part = (any::<Index>(), 1_usize..40).prop_map(|(part, times)| {
        let part = PARTS[part.index(PARTS.len())];
        if part.is_empty() {
            "plain".repeat(times * 8)
        } else {
            part.repeat(times)
        }
    });
    vec(part, 0..120).prop_map(|parts| format!("[\"{}\"]", parts.concat()))
}

/// What makes trouble at any place.
const TROUBLE: &[u8] = b"\"\\{}[],:0-.eE+tfnu \n\0\x1f\x7f\x80\xbf\xc3\xe2\xed\xf0\xff/dD8";

/// Hears a document back into a value, and checks every offset against the raw bytes.
struct Rebuild<'a> {
    raw: &'a [u8],
    open: Vec<(Value, String)>,
    key: String,
    text: String,
    top: Option<Value>,
}

impl<'a> Rebuild<'a> {
    fn new(raw: &'a [u8]) -> Self {
        Self {
            raw,
            open: Vec::new(),
            key: String::new(),
            text: String::new(),
            top: None,
        }
    }

    fn raw(&self, at: u64, len: usize) -> &'a [u8] {
        let at = usize::try_from(at).expect("a small body");
        &self.raw[at..at + len]
    }

    fn put(&mut self, value: Value) {
        match self.open.last_mut() {
            Some((Value::Array(items), _)) => items.push(value),
            Some((Value::Object(map), _)) => {
                map.insert(std::mem::take(&mut self.key), value);
            }
            _ => self.top = Some(value),
        }
    }

    fn begin(&mut self, value: Value, at: u64, bracket: u8) {
        assert_eq!(
            self.raw(at, 1),
            [bracket],
            "the bracket stands where it is said to"
        );
        self.open.push((value, std::mem::take(&mut self.key)));
    }

    fn end(&mut self, at: u64, bracket: u8) {
        assert_eq!(
            self.raw(at, 1),
            [bracket],
            "the bracket stands where it is said to"
        );
        let (value, key) = self.open.pop().expect("something is open");
        self.key = key;
        self.put(value);
    }

    fn unquoted(&self, at: u64, len: usize) -> String {
        let quoted = [b"\"", self.raw(at, len), b"\""].concat();
        serde_json::from_slice(&quoted).expect("a part of a string")
    }
}

impl Sink for Rebuild<'_> {
    fn begin_object(&mut self, at: u64) {
        self.begin(Value::Object(Map::new()), at, b'{');
    }
    fn end_object(&mut self, at: u64) {
        self.end(at, b'}');
    }
    fn begin_array(&mut self, at: u64) {
        self.begin(Value::Array(Vec::new()), at, b'[');
    }
    fn end_array(&mut self, at: u64) {
        self.end(at, b']');
    }
    fn key(&mut self, raw: std::ops::Range<u64>, key: &str) {
        let len = usize::try_from(raw.end - raw.start).expect("a small body");
        let read: String = serde_json::from_slice(self.raw(raw.start, len)).expect("a string");
        assert_eq!(read, key, "the range of a key is the key with its quotes");
        key.clone_into(&mut self.key);
    }
    fn string_begin(&mut self, at: u64) {
        assert_eq!(self.raw(at, 1), b"\"", "a string begins at its quote");
    }
    fn string_run(&mut self, at: u64, run: &str) {
        assert!(!run.is_empty(), "a run has text");
        assert_eq!(
            self.raw(at, run.len()),
            run.as_bytes(),
            "a run is the raw bytes"
        );
        self.text.push_str(run);
    }
    fn string_escape(&mut self, at: u64, raw_len: u8, ch: char) {
        let read = self.unquoted(at, usize::from(raw_len));
        assert_eq!(
            read,
            ch.to_string(),
            "the raw bytes of an escape mean its character"
        );
        self.text.push(ch);
    }
    fn string_end(&mut self, end: u64) {
        assert_eq!(
            self.raw(end - 1, 1),
            b"\"",
            "a string ends behind its quote"
        );
        let text = std::mem::take(&mut self.text);
        self.put(Value::from(text));
    }
    fn number(&mut self, at: u64, number: &str) {
        assert_eq!(
            self.raw(at, number.len()),
            number.as_bytes(),
            "a number is the raw bytes"
        );
        self.put(serde_json::from_str(number).expect("a number"));
    }
    fn literal(&mut self, at: u64, literal: Literal) {
        let word = literal.as_str();
        assert_eq!(
            self.raw(at, word.len()),
            word.as_bytes(),
            "a word is the raw bytes"
        );
        self.put(serde_json::from_str(word).expect("a word"));
    }
}

proptest! {
    #[test]
    fn a_document_is_heard_as_serde_json_reads_it(body in document(), size in 1_usize..40) {
        let raw = body.as_bytes();
        let mut rebuild = Rebuild::new(raw);
        prop_assert_eq!(feed(Limits::default(), raw.chunks(size), &mut rebuild), Ok(()));
        prop_assert_eq!(rebuild.top, serde_json::from_str(&body).ok());
    }

    #[test]
    fn random_cuts_read_as_the_whole(body in document(), cuts in vec(any::<Index>(), 0..8)) {
        let raw = body.as_bytes();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(raw.len() + 1)).collect();
        cuts.sort_unstable();
        let ends = cuts.iter().copied().chain([raw.len()]);
        let starts = [0].into_iter().chain(cuts.iter().copied());
        let pieces = starts.zip(ends).map(|(start, end)| &raw[start..end]);
        prop_assert_eq!(heard(Limits::default(), pieces), heard(Limits::default(), [raw]));
    }

    #[test]
    fn a_long_string_is_heard_as_serde_json_reads_it(body in long_string(), size in 1_usize..3000) {
        let raw = body.as_bytes();
        for size in [size, raw.len()] {
            let mut rebuild = Rebuild::new(raw);
            prop_assert_eq!(feed(Limits::default(), raw.chunks(size), &mut rebuild), Ok(()));
            prop_assert_eq!(rebuild.top, serde_json::from_str(&body).ok());
        }
        prop_assert_eq!(heard(Limits::default(), raw.chunks(size)), heard(Limits::default(), [raw]));
    }

    #[test]
    fn a_damaged_long_string_is_judged_as_serde_json_does(
        body in long_string(),
        (place, byte) in (any::<Index>(), any::<Index>()),
    ) {
        let mut raw = body.into_bytes();
        let place = place.index(raw.len());
        raw[place] = TROUBLE[byte.index(TROUBLE.len())];
        prop_assert_eq!(cross_check(&raw), Ok(()));
    }

    #[test]
    fn a_damaged_document_is_judged_as_serde_json_does(
        body in document(),
        damage in vec((any::<Index>(), 0..3, any::<Index>()), 1..4),
    ) {
        let mut raw = body.into_bytes();
        for (place, kind, byte) in damage {
            let place = place.index(raw.len() + 1);
            let byte = TROUBLE[byte.index(TROUBLE.len())];
            match kind {
                0 => raw.insert(place, byte),
                1 if place < raw.len() => raw[place] = byte,
                _ => raw.truncate(place),
            }
        }
        prop_assert_eq!(cross_check(&raw), Ok(()));
    }

    #[test]
    fn soup_is_judged_as_serde_json_does(
        soup in vec(any::<Index>().prop_map(|at| TROUBLE[at.index(TROUBLE.len())]), 0..24),
        quoted in any::<bool>(),
    ) {
        let body = if quoted { [b"[\"", soup.as_slice(), b"\"]"].concat() } else { soup };
        prop_assert_eq!(cross_check(&body), Ok(()));
    }

    #[test]
    fn any_bytes_are_judged_as_serde_json_does(body in vec(any::<u8>(), 0..64)) {
        prop_assert_eq!(cross_check(&body), Ok(()));
    }
}
