//! The reader as a whole: what it accepts, what it refuses and where, and that no cut matters.

use super::cross_check::{Transcript, cross_check};
use super::{JsonError, Limits, Reader, Sink};

mod accepted;
mod bounds;
mod properties;
mod refused;

fn offset(place: usize) -> u64 {
    u64::try_from(place).expect("a small body")
}

type Outcome = (String, Result<(), JsonError>);

/// Feeds the pieces to a new reader and finishes it.
fn feed<'a, S: Sink>(
    limits: Limits,
    pieces: impl IntoIterator<Item = &'a [u8]>,
    sink: &mut S,
) -> Result<(), JsonError> {
    let mut reader = Reader::new(limits);
    pieces
        .into_iter()
        .try_for_each(|piece| reader.push(piece, sink))?;
    reader.finish(sink)
}

/// What is heard of the pieces, runs joined, and how it ends.
fn heard<'a>(limits: Limits, pieces: impl IntoIterator<Item = &'a [u8]>) -> Outcome {
    let mut transcript = Transcript::default();
    let outcome = feed(limits, pieces, &mut transcript);
    (
        String::from_utf8(transcript.lines).expect("runs are UTF-8"),
        outcome,
    )
}

/// Reads `body` whole, byte by byte and at every single cut, and answers how it ended.
fn read_at_every_cut(limits: Limits, body: &[u8]) -> Result<(), JsonError> {
    let whole = heard(limits, [body]);
    assert_eq!(
        heard(limits, body.chunks(1)),
        whole,
        "byte by byte must read the same"
    );
    for cut in 0..=body.len() {
        let (left, right) = body.split_at(cut);
        assert_eq!(
            heard(limits, [left, right]),
            whole,
            "a cut at {cut} must read the same"
        );
    }
    whole.1
}

#[test]
fn events_carry_exact_raw_offsets() {
    let body = br#" {"k\u0065y":["a\nb",-1.5e3,true],"e":"\ud83d\ude00","n":{}} "#;
    let (lines, outcome) = heard(Limits::default(), [body.as_slice()]);
    assert_eq!(outcome, Ok(()));
    let want = r#"
1 {
2..12 key "key"
13 [
14 string
15 run a
16 escape 2 '\n'
18 run b
20 end
21 number -1.5e3
28 true
32 ]
34..37 key "e"
38 string
39 escape 12 '😀'
52 end
53..56 key "n"
57 {
58 }
59 }"#;
    assert_eq!(
        lines, want,
        "events, in order, each with its place in the body"
    );
}

#[test]
fn every_pair_of_cuts_reads_the_same() {
    let body = r#" { "a\u00e9\ud83d\ude00b" : [ "x\"y\\\/\b\f\n\r\tz", "Ж€😀é", -0.5E+10, 120, 0, ""
        , true, false ,null, {}, [ ] ], "ключ":{"a":{"a":1e-7},"b":"\u0000"} } "#;
    let body = body.as_bytes();
    let whole = heard(Limits::default(), [body]);
    assert_eq!(whole.1, Ok(()));
    for first in 0..=body.len() {
        for second in first..=body.len() {
            let pieces = [&body[..first], &body[first..second], &body[second..]];
            let cut = heard(Limits::default(), pieces);
            assert_eq!(
                cut, whole,
                "cuts at {first} and {second} must read the same"
            );
        }
    }
}

#[test]
fn an_error_is_final() {
    let mut reader = Reader::new(Limits::default());
    let error = Err(JsonError::Malformed { offset: 1 });
    assert_eq!(reader.push(b"[}", &mut ()), error);
    assert_eq!(
        reader.push(b"]", &mut ()),
        error,
        "nothing mends a refused body"
    );
    assert_eq!(
        reader.finish(&mut ()),
        error,
        "a refused body cannot be finished"
    );
}

#[test]
fn depth_counts_what_is_open() {
    let mut reader = Reader::new(Limits::default());
    for (piece, depth) in [("[", 1), ("{\"a\":", 2), ("[[]", 3), ("]", 2), ("}]", 0)] {
        assert_eq!(reader.push(piece.as_bytes(), &mut ()), Ok(()));
        assert_eq!(reader.depth(), depth, "after {piece}");
    }
    assert_eq!(reader.finish(&mut ()), Ok(()));
}

#[test]
fn two_sinks_hear_the_same() {
    let body = br#"{"a":["b\n",1,null,{}]}"#;
    let (mut left, mut right) = (Transcript::default(), Transcript::default());
    let mut both = (&mut left, &mut right);
    assert_eq!(
        feed(Limits::default(), [body.as_slice()], &mut both),
        Ok(())
    );
    assert_eq!(left.lines, right.lines, "both hear every event");
    let alone = heard(Limits::default(), [body.as_slice()]).0;
    assert_eq!(left.lines, alone.as_bytes(), "a pair changes nothing");
}

#[test]
fn messages_and_debug_never_show_the_text() {
    let mut reader = Reader::new(Limits::default());
    let error = reader
        .push(br#"{"hunter2":1,"hunter2":2}"#, &mut ())
        .expect_err("a duplicate");
    let told = format!("{error} {error:?} {reader:?}");
    assert!(
        !told.contains("hunter2"),
        "no text of the body may be shown: {told}"
    );
    assert_eq!(error.offset(), 13, "the second key begins there");
    let mut reader = Reader::new(Limits::default());
    assert_eq!(reader.push(br#"{"hunter2"#, &mut ()), Ok(()));
    assert!(
        !format!("{reader:?}").contains("hunter2"),
        "not even a key in the making"
    );
}

#[test]
fn a_reader_may_cross_threads() {
    const fn crosses<T: Send + Sync>() {}
    crosses::<Reader>();
    crosses::<JsonError>();
}

#[test]
fn fuzz_seeds_agree_with_serde_json() {
    let seeds = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/seeds/json");
    let mut count = 0;
    for entry in std::fs::read_dir(seeds).expect("the seeds are in the repository") {
        let path = entry.expect("a readable folder").path();
        let body = std::fs::read(&path).expect("a readable seed");
        assert_eq!(cross_check(&body), Ok(()), "{}", path.display());
        count += 1;
    }
    assert!(count >= 20, "the seeds were found");
}
