//! Multipart forms as they are and as they must not be.

use super::super::cross_check::Heard;
use super::super::{FormError, HEAD_BYTES, HEAD_FIELDS, Multipart, PARTS, PartHead};
use super::{boundary, feed, read};

const HEAD: &str = "Content-Disposition: form-data; name=\"a\"\r\n\r\n";

fn head(name: &str, filename: Option<&str>, content_type: Option<&str>) -> String {
    format!(
        "{:?}",
        PartHead {
            name,
            filename,
            content_type
        }
    )
}

#[test]
fn everything_stands_where_it_is_said_to() {
    let body = "--b\r\nX-a: b\r\nContent-Disposition: form-data; name=\"é a\"; filename=c.d\r\n\
        Content-Type: x/y\r\n\r\none\r\n-two\r\n--b\r\n\
        content-disposition:form-data; name=e \r\n\r\nthree\r\n--b--";
    for size in [1, 2, 5, 64, body.len()] {
        let mut heard = Heard::default();
        let outcome = feed(body.as_bytes().chunks(size), &mut heard);
        assert_eq!(outcome, Ok(()));
        let at = |raw| super::standing(body, raw);
        let names: Vec<_> = heard.heads_at.iter().map(at).collect();
        assert_eq!(names, ["é a", "c.d", "e"], "in pieces of {size}");
        let data: Vec<_> = heard.data_at.iter().map(at).collect();
        assert_eq!(data, ["one\r\n-two", "three"], "in pieces of {size}");
    }
}

#[test]
fn a_form_is_heard_part_by_part() {
    let body = "--b\r\n\
        Content-Disposition: form-data; name=\"model\"\r\n\r\nwhisper-1\r\n--b\r\n\
        content-disposition:form-data; filename=\"C:\\a b.wav\"; name=file \r\n\
        Content-Type:  audio/wav; x=\"y\"\t\r\nX-Other: é\r\n\r\n\0\r\n-\r\n--\r\n--\rb\r\n--b\r\n\
        Content-Disposition: form-data; name=\"\"; filename*=utf-8''%e2%82%ac\r\n\
        Content-Transfer-Encoding: BINARY\r\n\r\n\r\n--b--\r\n";
    let (heads, data, ended, outcome) = read(body.as_bytes());
    assert_eq!(outcome, Ok(()));
    let wanted = [
        head("model", None, None),
        head("file", Some("C:\\a b.wav"), Some("audio/wav; x=\"y\"")),
        head("", Some("utf-8''%e2%82%ac"), None),
    ];
    assert_eq!(heads, wanted);
    let wanted: [&[u8]; 3] = [b"whisper-1", b"\0\r\n-\r\n--\r\n--\rb", b""];
    assert_eq!(data, wanted, "data is the bytes before CRLF and boundary");
    assert_eq!(ended, 4, "three parts end, and the form");
}

#[test]
fn forms_may_begin_and_end_in_a_few_ways() {
    for (before, after) in [("", ""), ("\r\n", "\r\n"), ("", "\r\n\r\n")] {
        let body = format!("{before}--b\r\n{HEAD}x\r\n--b--{after}");
        assert_eq!(read(body.as_bytes()).3, Ok(()), "{body:?}");
        let empty = format!("{before}--b--{after}");
        assert_eq!(read(empty.as_bytes()).3, Ok(()), "{empty:?} has no parts");
    }
}

#[test]
fn what_two_readers_could_split_in_two_ways_is_refused() {
    let stray = FormError::StrayBoundary;
    let head_fault = FormError::MalformedHead;
    let cases = [
        ("", FormError::NoBoundary),
        ("--", FormError::NoBoundary),
        ("preamble\r\n--b\r\n", FormError::NoBoundary),
        ("\n--b\r\n", FormError::NoBoundary),
        (" --b\r\n", FormError::NoBoundary),
        ("--c\r\n", FormError::NoBoundary),
        ("\r\n\r\n--b\r\n", FormError::NoBoundary),
        ("--b", FormError::Unfinished),
        ("--b-", FormError::Unfinished),
        ("--b\n", FormError::Unfinished),
        ("--b\nx", stray),
        ("--b \r\n", stray),
        ("--bc\r\n", stray),
        ("--b-x", stray),
        ("--b\r\nHEADx\r\n--b--x", FormError::TrailingData),
        ("--b\r\nHEADx\r\n--b-- ", FormError::TrailingData),
        ("--b\r\nHEADx\r\n--b--\r\n--b\r\n", FormError::TrailingData),
        ("--b\r\nHEADx\n--b--", stray),
        ("--b\r\nHEADx\r--b--", stray),
        ("--b\r\nHEADx--b--", stray),
        ("--b\r\nHEADx\r\n---b--", stray),
        ("--b\r\nHEAD--b--", stray),
        ("--b\r\nHEAD\r\n--bx\r\n", stray),
        ("--b\r\nHEAD\r\n--b \r\n", stray),
        ("--b\r\nHEAD\r\n--b\n", FormError::Unfinished),
        ("--b\r\nHEADx\r\n--b", FormError::Unfinished),
        ("--b\r\nHEADx\r\n--", FormError::Unfinished),
        ("--b\r\nHEADx", FormError::Unfinished),
        ("--b\r\nContent-Dis", FormError::Unfinished),
        ("--b\r\n--b: x\r\nHEADx\r\n--b--", stray),
        ("--b\r\nx: --b\r\nHEADx\r\n--b--", stray),
        ("--b\r\n\r\n", head_fault),
        ("--b\r\n\n", head_fault),
        (
            "--b\r\nContent-Disposition: form-data; name=a\n\r\n",
            head_fault,
        ),
        ("--b\r\nContent-Type: text/plain\r\n\r\n", head_fault),
        (
            "--b\r\nContent-Disposition: attachment; name=a\r\n\r\n",
            head_fault,
        ),
        ("--b\r\nContent-Disposition: form-data\r\n\r\n", head_fault),
        (
            "--b\r\nContent-Disposition: form-data; filename=a\r\n\r\n",
            head_fault,
        ),
    ];
    for (body, error) in cases {
        let body = body.replace("HEAD", HEAD);
        assert_eq!(read(body.as_bytes()).3, Err(error), "{body:?}");
    }
}

#[test]
fn heads_that_two_readers_could_read_in_two_ways_are_refused() {
    let named = "Content-Disposition: form-data; name=a";
    let cases = [
        format!("{named}; name=b"),
        format!("{named}; NAME=a"),
        format!("{named}; name*=utf-8''b"),
        format!("{named}; filename=a; filename=b"),
        format!("{named}; filename*=utf-8''a; filename*=utf-8''b"),
        format!("{named}; filename=\"a\\\"; x=\""),
        format!("{named}; filename=\"a\\\\\""),
        format!("{named}; filename=\"a"),
        format!("{named}; filename=a b"),
        format!("{named} filename=a"),
        format!("{named}; filename"),
        format!("{named}; filename=\"a\rb\""),
        format!("{named}; filename=\"a\0b\""),
        format!("{named}\r\n{named}"),
        format!("{named}\r\nContent-Type: a\r\ncontent-type: a"),
        format!("{named}\r\n Content-Type: a"),
        format!("{named}\r\nContent-Type : a"),
        format!("{named}\r\nContent-Type"),
        format!("{named}\r\n: a"),
        format!("{named}\r\nContent-Transfer-Encoding: base64"),
        format!("{named}\r\nContent-Transfer-Encoding: quoted-printable"),
        format!("{named}\r\nContent-Transfer-Encoding: 7bit\r\nContent-Transfer-Encoding: 8bit"),
        "Content-Disposition: form-data; name=\"a\\b\"".to_owned(),
    ];
    for head in cases {
        let body = format!("--b\r\n{head}\r\n\r\nx\r\n--b--");
        assert_eq!(
            read(body.as_bytes()).3,
            Err(FormError::MalformedHead),
            "{head:?}"
        );
    }
    let latin = b"--b\r\nContent-Disposition: form-data; name=\"\xe9\"\r\n\r\nx\r\n--b--";
    assert_eq!(read(latin).3, Err(FormError::MalformedHead), "not UTF-8");
}

#[test]
fn the_largest_head_is_taken_and_one_byte_or_field_more_is_not() {
    let named = "Content-Disposition: form-data; name=a\r\n";
    let room = HEAD_BYTES - named.len() - "x: \r\n\r\n".len();
    for (more, outcome) in [(0, Ok(())), (1, Err(FormError::HeadTooLarge))] {
        let filler = "y".repeat(room + more);
        let body = format!("--b\r\n{named}x: {filler}\r\n\r\n\r\n--b--");
        assert_eq!(read(body.as_bytes()).3, outcome, "{more} bytes too many");
        let fields = "x: y\r\n".repeat(HEAD_FIELDS - 1 + more);
        let body = format!("--b\r\n{named}{fields}\r\n\r\n--b--");
        assert_eq!(read(body.as_bytes()).3, outcome, "{more} fields too many");
    }
}

#[test]
fn the_last_part_is_taken_and_one_more_is_not() {
    let most = usize::try_from(PARTS).expect("small");
    for (more, outcome) in [(0, Ok(())), (1, Err(FormError::TooManyParts))] {
        let parts = format!("--b\r\n{HEAD}\r\n").repeat(most + more);
        let body = format!("{parts}--b--");
        let mut heard = Heard::default();
        assert_eq!(
            feed(body.as_bytes().chunks(1000), &mut heard),
            outcome,
            "{more} parts too many"
        );
        assert_eq!(heard.heads.len(), most, "all that may be are heard");
    }
}

#[test]
fn every_pair_of_cuts_around_a_boundary_reads_the_same() {
    let data = "\r\n--\r\n-\r\r\n\r\n--a--\r\n--a-";
    let form = format!("--b\r\n{HEAD}{data}\r\n--b\r\n{HEAD}\r\n--b--");
    let body = form.replace("--b", "--a--ab");
    let by = |pieces: &[&[u8]]| {
        let mut heard = Heard::default();
        let mut reader = Multipart::new(&boundary("a--ab"));
        let outcome = pieces
            .iter()
            .try_for_each(|piece| reader.push(piece, &mut heard))
            .and_then(|()| reader.finish(&mut heard));
        (heard.data, heard.ended, outcome)
    };
    let body = body.as_bytes();
    let whole = by(&[body]);
    assert_eq!(whole.2, Ok(()));
    assert_eq!(whole.0.first().map(Vec::as_slice), Some(data.as_bytes()));
    for first in 0..=body.len() {
        for second in first..=body.len() {
            let pieces = [&body[..first], &body[first..second], &body[second..]];
            assert_eq!(
                by(&pieces),
                whole,
                "cuts at {first} and {second} must read the same"
            );
        }
    }
}

#[test]
fn a_reader_stays_small_whatever_it_reads() {
    let mut reader = Multipart::new(&boundary("b"));
    let start = format!("--b\r\n{HEAD}");
    assert_eq!(reader.push(start.as_bytes(), &mut ()), Ok(()));
    for piece in [&[b'-'; 4096], &[b'\r'; 4096], &[b'x'; 4096]] {
        for size in [1, 2, 3, 4096] {
            for part in piece.chunks(size) {
                assert_eq!(reader.push(part, &mut ()), Ok(()));
            }
        }
    }
    let head = format!("\r\n--b\r\nx: {}\r\n", "y".repeat(HEAD_BYTES - 100));
    for piece in head.as_bytes().chunks(100) {
        assert_eq!(reader.push(piece, &mut ()), Ok(()));
    }
    let size = reader.state_bytes();
    assert!(size < 20 * 1024, "{size} bytes");
}

#[test]
fn messages_and_debug_never_show_the_text() {
    let body = "--b\r\nhunter2: \0\r\n\r\n";
    let error = feed([body.as_bytes()], &mut ()).expect_err("a malformed head");
    assert!(!format!("{error} {error:?}").contains("hunter2"));
}
