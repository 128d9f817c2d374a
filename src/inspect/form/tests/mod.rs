//! Both readers of forms: what they hear, what they refuse, and that no cut matters.

use super::cross_check::Heard;
use super::{Boundary, FormError, FormSink, Multipart, UrlEncoded, boundary_of, cross_check};

mod boundaries;
mod multipart;
mod peek;
mod properties;
mod urlencoded;

/// The boundary of the forms in these tests.
fn boundary(text: &str) -> Boundary {
    boundary_of(format!("multipart/form-data; boundary=\"{text}\"").as_bytes()).expect("a boundary")
}

/// Feeds the pieces to a reader of a form with the boundary `b`, and finishes it.
fn feed<'a>(
    pieces: impl IntoIterator<Item = &'a [u8]>,
    sink: &mut impl FormSink,
) -> Result<(), FormError> {
    let mut reader = Multipart::new(&boundary("b"));
    pieces
        .into_iter()
        .try_for_each(|piece| reader.push(piece, sink))?;
    reader.finish(sink)
}

fn feed_url<'a>(
    pieces: impl IntoIterator<Item = &'a [u8]>,
    sink: &mut impl FormSink,
) -> Result<(), FormError> {
    let mut reader = UrlEncoded::new();
    pieces
        .into_iter()
        .try_for_each(|piece| reader.push(piece, sink))?;
    reader.finish(sink)
}

/// What is heard of one reading, and how it ended.
type Reading = (Vec<String>, Vec<Vec<u8>>, u32, Result<(), FormError>);

fn reading(heard: Heard, outcome: Result<(), FormError>) -> Reading {
    (heard.heads, heard.data, heard.ended, outcome)
}

/// Reads a multipart form whole, byte by byte and at every single cut, which must not matter.
fn read(body: &[u8]) -> Reading {
    let by = |pieces: &[&[u8]]| {
        let mut heard = Heard::default();
        let outcome = feed(pieces.iter().copied(), &mut heard);
        reading(heard, outcome)
    };
    let whole = by(&[body]);
    let bytes: Vec<&[u8]> = body.chunks(1).collect();
    assert_eq!(by(&bytes), whole, "byte by byte must read the same");
    for cut in 0..=body.len().min(500) {
        let (left, right) = body.split_at(cut);
        assert_eq!(
            by(&[left, right]),
            whole,
            "a cut at {cut} must read the same"
        );
    }
    whole
}

/// What stands at this place of a body.
fn standing<'a>(body: &'a str, raw: &std::ops::Range<u64>) -> &'a str {
    let at = |place| usize::try_from(place).expect("small");
    body.get(at(raw.start)..at(raw.end)).expect("it is inside")
}

#[test]
fn readers_may_cross_threads() {
    const fn crosses<T: Send + Sync>() {}
    crosses::<Multipart>();
    crosses::<UrlEncoded>();
    crosses::<super::FormPeek>();
}

#[test]
fn an_error_is_final() {
    let mut reader = Multipart::new(&boundary("b"));
    assert_eq!(reader.push(b"x", &mut ()), Err(FormError::NoBoundary));
    assert_eq!(
        reader.push(b"--b--", &mut ()),
        Err(FormError::NoBoundary),
        "nothing mends a refused form"
    );
    assert_eq!(reader.finish(&mut ()), Err(FormError::NoBoundary));
    let mut reader = UrlEncoded::new();
    assert_eq!(
        reader.push(b"a=%zz", &mut ()),
        Err(FormError::MalformedEscape)
    );
    assert_eq!(reader.finish(&mut ()), Err(FormError::MalformedEscape));
}

#[test]
fn two_sinks_hear_the_same() {
    let body = b"--b\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n--b--";
    let (mut left, mut right) = (Heard::default(), Heard::default());
    assert_eq!(
        feed([body.as_slice()], &mut (&mut left, &mut right)),
        Ok(())
    );
    assert_eq!(
        reading(left, Ok(())),
        reading(right, Ok(())),
        "both hear every event"
    );
}

#[test]
fn fuzz_seeds_read_the_same_at_any_cut() {
    let seeds = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/seeds/multipart");
    let mut count = 0;
    for entry in std::fs::read_dir(seeds).expect("the seeds are in the repository") {
        let path = entry.expect("a readable folder").path();
        let body = std::fs::read(&path).expect("a readable seed");
        assert_eq!(cross_check(&body), Ok(()), "{}", path.display());
        count += 1;
    }
    assert!(count >= 8, "the seeds were found");
}
