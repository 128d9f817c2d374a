//! Random forms, random cuts, random damage.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "a wrong place must fail the test"
)]

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::super::cross_check::Heard;
use super::super::{Multipart, cross_check};
use super::boundary;

/// What makes trouble near a boundary.
fn scrap() -> impl Strategy<Value = &'static [u8]> {
    select(vec![
        b"\r".as_slice(),
        b"\n",
        b"\r\n",
        b"-",
        b"--",
        b"\r\n-",
        b"\r\n--",
        b"a",
        b"a--",
        b"--a",
        b"b",
        b"\0\xff",
        b"; name=\"model\"",
        b"Content-Disposition: form-data; name=x",
        b"long enough to be a run of its own, longer than any boundary that there may be here",
    ])
}

fn data() -> impl Strategy<Value = Vec<u8>> {
    vec(scrap(), 0..12).prop_map(|scraps| scraps.concat())
}

/// A boundary, the data of its parts, and the form; data with the boundary in it is left out.
fn form() -> impl Strategy<Value = (String, Vec<Vec<u8>>, Vec<u8>)> {
    let names = select(vec![
        "b",
        "a--ab",
        "--",
        "-",
        "----WebKitFormBoundaryab",
        "aaab",
    ]);
    (names, vec(data(), 1..5)).prop_map(|(name, mut parts)| {
        let dashed = format!("--{name}");
        // With CRLF behind it, as the boundary's own dashes could complete another one.
        parts.retain(|part| {
            let shown = [part.as_slice(), b"\r\n", dashed.as_bytes()].concat();
            memchr::memmem::find(&shown, dashed.as_bytes()) == Some(part.len() + 2)
        });
        let mut body = Vec::new();
        for part in &parts {
            body.extend_from_slice(dashed.as_bytes());
            body.extend_from_slice(b"\r\nContent-Disposition: form-data; name=x\r\n\r\n");
            body.extend_from_slice(part);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(dashed.as_bytes());
        body.extend_from_slice(b"--");
        (name.to_owned(), parts, body)
    })
}

fn cut<'a>(body: &'a [u8], cuts: &[Index]) -> Vec<&'a [u8]> {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(body.len() + 1)).collect();
    cuts.sort_unstable();
    let ends = cuts.iter().copied().chain([body.len()]);
    let starts = [0].into_iter().chain(cuts.iter().copied());
    starts
        .zip(ends)
        .map(|(start, end)| &body[start..end])
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn parts_are_heard_as_they_were_written(
        (name, parts, body) in form(),
        cuts in vec(any::<Index>(), 0..12),
    ) {
        let mut heard = Heard::default();
        let mut reader = Multipart::new(&boundary(&name));
        for piece in cut(&body, &cuts) {
            prop_assert_eq!(reader.push(piece, &mut heard), Ok(()));
        }
        prop_assert_eq!(reader.finish(&mut heard), Ok(()));
        prop_assert_eq!(heard.data, parts);
    }

    #[test]
    fn damaged_forms_read_the_same_at_any_cut(
        (_, _, body) in form(),
        damage in vec((any::<Index>(), scrap(), any::<bool>()), 1..4),
    ) {
        let mut body = body;
        for (place, scrap, insert) in damage {
            let at = place.index(body.len() + 1);
            let end = if insert { at } else { (at + scrap.len()).min(body.len()) };
            body.splice(at..end, scrap.iter().copied());
        }
        prop_assert_eq!(cross_check(&body), Ok(()));
    }

    #[test]
    fn random_cuts_of_damaged_forms_do_not_matter(
        (name, _, body) in form(),
        place in any::<Index>(),
        more in scrap(),
        cuts in vec(any::<Index>(), 0..12),
    ) {
        let mut body = body;
        let at = place.index(body.len() + 1);
        body.splice(at..at, more.iter().copied());
        let by = |pieces: Vec<&[u8]>| {
            let mut heard = Heard::default();
            let mut reader = Multipart::new(&boundary(&name));
            let outcome = pieces
                .into_iter()
                .try_for_each(|piece| reader.push(piece, &mut heard))
                .and_then(|()| reader.finish(&mut heard));
            (heard.heads, heard.data, heard.ended, outcome)
        };
        prop_assert_eq!(by(cut(&body, &cuts)), by(vec![&body]));
    }

    #[test]
    fn url_encoded_soup_reads_the_same_at_any_cut(
        soup in vec(select(b"a=&%+;46fF \xc3\xa9\n".to_vec()), 0..80),
    ) {
        prop_assert_eq!(cross_check(&soup), Ok(()));
    }

    #[test]
    fn any_bytes_read_the_same_at_any_cut(body in vec(any::<u8>(), 0..64)) {
        prop_assert_eq!(cross_check(&[b"--b\r\n".as_slice(), &body].concat()), Ok(()));
        prop_assert_eq!(cross_check(&body), Ok(()));
    }
}
