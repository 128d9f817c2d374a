//! What routing is told of a form.

use super::super::{FormFacts, FormPeek, MODEL_BYTES};
use super::{feed, feed_url};
use crate::inspect::fault::{FieldFault, Problem};

/// A part: its parameters and its data.
type Part<'a> = (&'a str, &'a [u8]);

fn form(parts: &[Part<'_>]) -> Vec<u8> {
    let mut body = Vec::new();
    for (params, data) in parts {
        let head = format!("--b\r\nContent-Disposition: form-data; {params}\r\n\r\n");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(data);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--b--\r\n");
    body
}

fn peek(parts: &[Part<'_>]) -> Result<FormFacts, FieldFault> {
    let body = form(parts);
    let by = |size| {
        let mut peek = FormPeek::default();
        assert_eq!(feed(body.chunks(size), &mut peek), Ok(()));
        peek.facts()
    };
    let whole = by(body.len());
    for size in [1, 2, 3, 7] {
        assert_eq!(by(size), whole, "pieces of {size}");
    }
    whole
}

#[test]
fn the_model_is_found_wherever_it_stands() {
    let model: Part<'_> = ("name=model", b"whisper-1");
    let file: Part<'_> = ("name=file; filename=\"a.wav\"", b"RIFF\r\nmodel=x");
    let other: Part<'_> = ("name=\"prompt\"", b"model");
    for parts in [
        vec![model, file, other],
        vec![file, model, other],
        vec![other, file, model],
    ] {
        let body = form(&parts);
        let at = memchr::memmem::find(&body, b"whisper-1").expect("it is there");
        let at = u64::try_from(at).expect("small");
        let wanted = FormFacts {
            model: Some("whisper-1".to_owned()),
            model_at: at..at + 9,
            stream: false,
            files: 1,
            file_bytes: 13,
        };
        assert_eq!(peek(&parts), Ok(wanted));
    }
    assert_eq!(
        peek(&[other]),
        Ok(FormFacts::default()),
        "no model, no file"
    );
}

#[test]
fn stream_is_true_in_few_spellings() {
    let cases: [(&[u8], bool); 7] = [
        (b"true", true),
        (b"True", true),
        (b"1", true),
        (b"false", false),
        (b"", false),
        (b"true ", false),
        (b"truetruetrue", false),
    ];
    for (text, wanted) in cases {
        let facts = peek(&[("name=stream", text)]).expect("no fault");
        assert_eq!(facts.stream, wanted, "{:?}", text.escape_ascii());
    }
}

#[test]
fn a_model_that_cannot_be_routed_is_refused() {
    let long = vec![b'm'; MODEL_BYTES + 1];
    let cases: [(&[Part<'_>], Problem); 6] = [
        (&[("name=model", b"")], Problem::Empty),
        (&[("name=model", b"\xff")], Problem::MustBe("text in UTF-8")),
        (&[("name=model", &long)], Problem::TooLong(MODEL_BYTES)),
        (
            &[("name=model", b"a"), ("name=model", b"a")],
            Problem::Repeated,
        ),
        (
            &[("name=model; filename=x", b"a")],
            Problem::MustBe("a field and not a file"),
        ),
        (
            &[("name=model", b"a"), ("name=model; filename=x", b"b")],
            Problem::MustBe("a field and not a file"),
        ),
    ];
    for (parts, problem) in cases {
        let fault = FieldFault {
            param: "model".into(),
            problem,
        };
        assert_eq!(peek(parts), Err(fault));
    }
    let longest = &long[1..];
    let facts = peek(&[("name=model", longest)]).expect("it fits");
    assert_eq!(
        facts.model.map(String::into_bytes).as_deref(),
        Some(longest)
    );
}

#[test]
fn the_model_is_known_as_soon_as_its_part_is_whole() {
    let body = form(&[("name=model", b"m1"), ("name=file; filename=x", b"data")]);
    let text = b"m1\r\n--b";
    let end = body
        .windows(text.len())
        .position(|window| window == text)
        .expect("it is there")
        + text.len();
    let mut reader = super::super::Multipart::new(&super::boundary("b"));
    let mut peek = FormPeek::default();
    assert_eq!(reader.push(&body[..end - 1], &mut peek), Ok(()));
    assert_eq!(peek.model(), Ok(None), "it could go on");
    assert_eq!(reader.push(&body[end - 1..end], &mut peek), Ok(()));
    assert_eq!(peek.model(), Ok(Some("m1")), "the boundary ends it");
}

#[test]
fn url_encoded_forms_are_peeked_at_alike() {
    let mut peek = FormPeek::default();
    let body = b"prompt=a+cat&model=dall%2de-3&stream=true";
    assert_eq!(feed_url(body.chunks(4), &mut peek), Ok(()));
    let facts = peek.facts().expect("no fault");
    assert_eq!(facts.model.as_deref(), Some("dall-e-3"));
    assert!(facts.stream);
    assert_eq!(facts.files, 0);
}
