//! Forms at random cuts.

use proptest::prelude::*;

use super::cuts::{cut, text};
use super::forms::{MULTIPART, Part, URL_ENCODED, encoded, form, read, told};
use super::{ATTACK, EMAIL, LENIENT};

/// A file that may be broken JSON.
fn soup() -> impl Strategy<Value = String> {
    let scraps = prop::sample::select(vec![
        "{\"a\":",
        "\"b\"",
        "[",
        "]",
        "}",
        ",",
        ":",
        "\n",
        " ",
        "\\",
        "\"",
        "12",
        "-",
        "tru",
        "true",
        "\\u00",
        "\u{e9}",
        "\"role\":\"user\"",
        "\"model\":\"",
        EMAIL,
        ATTACK,
        "\"data\":\"QUJD",
        "{\"messages\":[{\"content\":\"",
        "\"}]}",
        "// no",
        "\r\n",
    ]);
    prop::collection::vec(scraps, 0..40).prop_map(|scraps| scraps.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn random_cuts_of_forms_change_nothing(
        texts in prop::collection::vec(text(&[" ", "", "\n"]), 1..4),
        soup in soup(),
        kinds in prop::collection::vec(0..5_usize, 1..4),
        cuts in prop::collection::vec(prop::collection::vec(any::<prop::sample::Index>(), 0..12), 3),
    ) {
        let heads: [(&str, &str); 5] = [
            ("name=prompt", ""),
            ("name=f; filename=\"x.txt\"", "text/plain"),
            ("name=f; filename=\"x.jsonl\"", ""),
            ("name=f; filename=\"x\"", "application/octet-stream"),
            ("name=j", "application/json"),
        ];
        let mut parts: Vec<Part<'_>> = kinds
            .iter()
            .zip(&texts)
            .map(|(kind, text)| (heads[*kind].0, heads[*kind].1, text.as_bytes()))
            .collect();
        parts.push(("name=f; filename=\"y.jsonl\"", "", soup.as_bytes()));
        let body = form(&parts);
        let pairs: Vec<_> = texts.iter().map(|text| ("prompt", text.as_str())).collect();
        let url = encoded(&pairs).into_bytes();
        for (kind, body) in [(MULTIPART, &body), (URL_ENCODED, &url)] {
            let want = told(read(&LENIENT, kind, [&body[..]]));
            for places in &cuts {
                prop_assert_eq!(&told(read(&LENIENT, kind, cut(body, places))), &want);
            }
        }
    }
}
