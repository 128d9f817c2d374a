//! URL-encoded forms.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "a wrong place must fail the test"
)]

use super::super::cross_check::Heard;
use super::super::{FormError, NAME_BYTES, PARTS};
use super::feed_url;

/// The pairs of a form, at every cut alike.
fn pairs(body: &[u8]) -> Result<Vec<(String, String)>, FormError> {
    let by = |pieces: &[&[u8]]| {
        let mut heard = Heard::default();
        let outcome = feed_url(pieces.iter().copied(), &mut heard);
        (heard.heads, heard.data, heard.ended, outcome)
    };
    let whole = by(&[body]);
    let bytes: Vec<&[u8]> = body.chunks(1).collect();
    assert_eq!(by(&bytes), whole, "byte by byte must read the same");
    for cut in 0..=body.len().min(200) {
        let (left, right) = body.split_at(cut);
        assert_eq!(
            by(&[left, right]),
            whole,
            "a cut at {cut} must read the same"
        );
    }
    let (heads, data, ended, outcome) = whole;
    outcome?;
    assert_eq!(
        usize::try_from(ended).expect("small"),
        heads.len() + 1,
        "each pair ends, and the form"
    );
    let names = heads.iter().map(|head| {
        let head = head.strip_prefix("PartHead { name: \"").expect("a head");
        head.split('"').next().expect("a name").to_owned()
    });
    let texts = data
        .into_iter()
        .map(|data| String::from_utf8(data).expect("text"));
    Ok(names.zip(texts).collect())
}

#[test]
fn everything_stands_where_it_is_said_to() {
    let body = "&a+%41=b%20c+d&e&%66f=g&h=";
    for size in [1, 2, 3, 7, body.len()] {
        let mut heard = Heard::default();
        assert_eq!(feed_url(body.as_bytes().chunks(size), &mut heard), Ok(()));
        let at = |raw| super::standing(body, raw);
        let names: Vec<_> = heard.heads_at.iter().map(at).collect();
        assert_eq!(names, ["a+%41", "e", "%66f", "h"], "in pieces of {size}");
        let data: Vec<_> = heard.data_at.iter().map(at).collect();
        assert_eq!(data, ["b%20c+d", "", "g", ""], "in pieces of {size}");
    }
}

#[test]
fn pairs_are_decoded() {
    let long = "x".repeat(1000);
    let spaced = format!("{long} ");
    let escaped = "%2B+".repeat(400);
    let plain = "+ ".repeat(400);
    let cases: Vec<(String, Vec<(&str, &str)>)> = vec![
        (String::new(), vec![]),
        ("&&".to_owned(), vec![]),
        ("a=b".to_owned(), vec![("a", "b")]),
        ("a=b&a=c&".to_owned(), vec![("a", "b"), ("a", "c")]),
        ("&a&b=&=c".to_owned(), vec![("a", ""), ("b", ""), ("", "c")]),
        ("a+b=c+d==e".to_owned(), vec![("a b", "c d==e")]),
        ("%61=%e2%82%aC%26%3d%3B".to_owned(), vec![("a", "€&=;")]),
        ("a=é/?:@\n".to_owned(), vec![("a", "é/?:@\n")]),
        (
            format!("a={long}&b={long}%20"),
            vec![("a", &long), ("b", &spaced)],
        ),
        (format!("a={escaped}"), vec![("a", &plain)]),
    ];
    for (body, wanted) in cases {
        let found = pairs(body.as_bytes()).expect("a form");
        let found: Vec<_> = found
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_str()))
            .collect();
        assert_eq!(found, wanted, "{body}");
    }
}

#[test]
fn broken_escapes_and_names_are_refused() {
    let escape = FormError::MalformedEscape;
    let cases: [(&[u8], FormError); 11] = [
        (b"a=%", escape),
        (b"a=%4", escape),
        (b"a=%4&b=c", escape),
        (b"a=%zz", escape),
        (b"a=%4g", escape),
        (b"a=%%34", escape),
        (b"%=a", escape),
        (b"a=b;c=d", escape),
        (b"a;b", escape),
        (b"%ff=a", FormError::MalformedName),
        (b"\xc3", FormError::MalformedName),
    ];
    for (body, error) in cases {
        assert_eq!(pairs(body), Err(error), "{:?}", body.escape_ascii());
    }
}

#[test]
fn the_longest_name_and_the_last_pair_are_taken_and_one_more_is_not() {
    let name = "n".repeat(NAME_BYTES);
    assert!(pairs(format!("{name}=x").as_bytes()).is_ok());
    assert_eq!(
        pairs(format!("{name}n=x").as_bytes()),
        Err(FormError::MalformedName)
    );
    let most = usize::try_from(PARTS).expect("small");
    assert_eq!(
        pairs("a&".repeat(most).as_bytes()).map(|pairs| pairs.len()),
        Ok(most)
    );
    assert_eq!(
        pairs("a&".repeat(most + 1).as_bytes()),
        Err(FormError::TooManyParts)
    );
}
