//! What is said to be settled is: nothing before it changes any more, and what is written piece
//! by piece is what is written of the whole.

use proptest::prelude::*;

use super::cuts::{body, cut, text};
use super::forms::{MULTIPART, Part, URL_ENCODED, encoded, form};
use super::{EMAIL, LENIENT, chat};
use crate::inspect::engine::utf8::ahead;
use crate::inspect::engine::{BodyInspection, BodyKind};
use crate::inspect::finding::Edit;
use crate::inspect::json::Limits;
use crate::inspect::rewrite;

fn kind(of: &str) -> BodyKind {
    if of.is_empty() {
        return BodyKind::Json;
    }
    BodyKind::upload(Some(of.as_bytes())).expect("a kind")
}

/// The edits as they are answered on the way, and the most that had to wait at any moment.
fn on_the_way<'b>(of: &str, pieces: impl IntoIterator<Item = &'b [u8]>) -> (Vec<Edit>, u64) {
    let mut inspection = BodyInspection::new(&kind(of), Limits::default());
    let (mut edits, mut upto, mut seen, mut most) = (Vec::new(), 0, 0, 0);
    for piece in pieces {
        inspection
            .push(&LENIENT, piece, &mut ())
            .expect("it passes");
        seen = ahead(seen, piece.len());
        let settled = inspection.settle();
        assert!(
            settled.upto <= seen && settled.upto >= upto,
            "{settled:?} after {upto}"
        );
        let early = settled.edits.iter().find(|edit| edit.raw.start < upto);
        assert_eq!(early, None, "nothing before {upto} changes");
        upto = settled.upto;
        edits.extend(settled.edits);
        most = most.max(seen.saturating_sub(upto));
    }
    let cleared = inspection.finish(&LENIENT, &mut ()).expect("it passes");
    let early = cleared.edits().iter().find(|edit| edit.raw.start < upto);
    assert_eq!(early, None, "nothing before {upto} changes");
    edits.extend_from_slice(cleared.edits());
    rewrite::settle(&mut edits);
    (edits, most)
}

/// The edits of the whole.
fn at_once(of: &str, body: &[u8]) -> Vec<Edit> {
    let mut inspection = BodyInspection::new(&kind(of), Limits::default());
    inspection.push(&LENIENT, body, &mut ()).expect("it passes");
    let cleared = inspection.finish(&LENIENT, &mut ()).expect("it passes");
    cleared.edits().to_vec()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn edits_on_the_way_are_those_of_the_whole(
        json in body(&[" ", "", "\n", ", "]),
        text in text(&[" ", "", "\n"]),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..40),
    ) {
        let parts: [Part<'_>; 3] = [
            ("name=prompt", "", text.as_bytes()),
            ("name=f; filename=a.jsonl", "", json.as_bytes()),
            ("name=f; filename=a.txt", "", text.as_bytes()),
        ];
        let form = form(&parts);
        let url = encoded(&[("a", &text)]).into_bytes();
        for (of, body) in [("", json.as_bytes()), (MULTIPART, &form), (URL_ENCODED, &url)] {
            let (edits, _) = on_the_way(of, cut(body, &cuts));
            prop_assert_eq!(edits, at_once(of, body));
        }
    }
}

#[test]
fn little_has_to_wait() {
    let prose = chat(&format!("{} {EMAIL}", "all is well, ".repeat(40_000)));
    let image = format!(
        "{{\"model\":\"m\",\"messages\":[{{\"content\":\"see {EMAIL}\"}},{{\"url\":\"data:image/png;base64,{}\"}}]}}",
        "QUJD".repeat(200_000)
    );
    let sound: Vec<u8> = (0..1_000_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    let upload = form(&[
        ("name=prompt", "", EMAIL.as_bytes()),
        ("name=file; filename=a.wav", "", &sound),
    ]);
    let lines = chat("all is well, and then some more of it").repeat(20_000);
    let lines = form(&[("name=file; filename=a.jsonl", "", lines.as_bytes())]);
    for (why, of, body) in [
        ("prose", "", prose.as_bytes()),
        ("a picture", "", image.as_bytes()),
        ("sound", MULTIPART, &upload),
        ("lines", MULTIPART, &lines),
    ] {
        let (_, most) = on_the_way(of, body.chunks(4096));
        assert!(most < 96 * 1024, "{why}: {most} bytes wait");
    }
}
