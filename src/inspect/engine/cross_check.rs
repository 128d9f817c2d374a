//! The whole inspection against itself at other cuts, and against `serde_json`: what the fuzz
//! target, its seeds and a property test run. Not called by the gateway.

use std::fmt;
use std::sync::LazyLock;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::{BodyInspection, BodyKind, Inspector};
use crate::inspect::channel::Channel;
use crate::inspect::finding::{Edit, Stop};
use crate::inspect::form::boundary_of;
use crate::inspect::json::{Decoded, Limits, Reader};
use crate::inspect::rewrite;
use crate::inspect::text::{Listener, Told, Walk};
use crate::policy::inspection::{Action, InspectionSettings};

/// Two readings of the same bytes that differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Disagreement {
    /// Another cut gave another answer.
    #[error("pieces of {0} bytes gave another answer than the whole")]
    Cut(usize),
    /// What is written on the way is not what is written of the whole.
    #[error("in pieces of {0} bytes it is not rewritten as the whole is")]
    OnTheWay(usize),
    /// Something before what was settled changed.
    #[error("what was settled in pieces of {0} bytes changed")]
    Settled(usize),
    /// What was rewritten is no JSON any more.
    #[error("rewritten, it is no JSON")]
    Rewritten,
    /// The texts that were heard are not those that `serde_json` reads.
    #[error("the texts are not those that serde_json reads")]
    Texts,
}

/// Everything on, nothing refused for what it says.
static INSPECTOR: LazyLock<Option<Inspector>> = LazyLock::new(|| {
    let mut settings = InspectionSettings::request();
    settings.prompt_injection = Action::Flag;
    settings.secrets = Action::Mask;
    settings.harmful = Action::Flag;
    settings.max_text_chars = usize::MAX;
    Inspector::compile(&settings).ok()
});

/// Inspects `data` as JSON, as both kinds of form, and as a file of JSON.
pub fn cross_check(data: &[u8]) -> Result<(), Disagreement> {
    let Some(inspector) = INSPECTOR.as_ref() else {
        return Ok(());
    };
    let accepted = compare(inspector, &BodyKind::Json, data)?;
    if let Some(edits) = accepted {
        let out = rewrite::apply(data, &edits);
        if serde_json::from_slice::<serde::de::IgnoredAny>(&out).is_err() {
            return Err(Disagreement::Rewritten);
        }
        texts(data)?;
    }
    let first = data.split(|byte| matches!(byte, b'\r' | b'\n')).next();
    let dashed = first.and_then(|line| line.strip_prefix(b"--"));
    let named = [
        b"multipart/form-data; boundary=\"",
        dashed.unwrap_or(b"x"),
        b"\"",
    ]
    .concat();
    if let Some(boundary) = boundary_of(&named) {
        compare(inspector, &BodyKind::Multipart(boundary), data)?;
    }
    compare(inspector, &BodyKind::UrlEncoded, data)?;
    compare(inspector, &BodyKind::File(None), data)?;
    let lines = BodyKind::File(Some("application/jsonl".into()));
    compare(inspector, &lines, data)?;
    Ok(())
}

/// One kind of body in several cuts; the edits, if it was accepted.
fn compare(
    inspector: &Inspector,
    kind: &BodyKind,
    data: &[u8],
) -> Result<Option<Vec<Edit>>, Disagreement> {
    let (whole, edits) = read(inspector, kind, data, data.len().max(1), false)?;
    for size in [1, 3, 64] {
        if read(inspector, kind, data, size, false)?.0 != whole {
            return Err(Disagreement::Cut(size));
        }
        let (_, on_the_way) = read(inspector, kind, data, size, true)?;
        if edits.is_some() && on_the_way != edits {
            return Err(Disagreement::OnTheWay(size));
        }
    }
    Ok(edits)
}

/// One reading: what was answered, and the edits if it was accepted; asked for them after every
/// piece or at the end.
fn read(
    inspector: &Inspector,
    kind: &BodyKind,
    data: &[u8],
    size: usize,
    on_the_way: bool,
) -> Result<(String, Option<Vec<Edit>>), Disagreement> {
    let mut inspection = BodyInspection::new(kind, Limits::default());
    let (mut edits, mut upto) = (Vec::new(), 0);
    for piece in data.chunks(size) {
        let pushed: Result<(), Stop> = inspection.push(inspector, piece, &mut ());
        if let Err(stop) = pushed {
            // How much was read by then is the cut's doing; what was found is not.
            let found = inspection.report(inspector).findings;
            return Ok((format!("{stop:?} {found:?}"), None));
        }
        if on_the_way {
            let settled = inspection.settle();
            let early = settled.edits.iter().any(|edit| edit.raw.start < upto);
            if early || settled.upto < upto {
                return Err(Disagreement::Settled(size));
            }
            upto = settled.upto;
            edits.extend(settled.edits);
        }
    }
    match inspection.finish(inspector, &mut ()) {
        Ok(cleared) => {
            let told = format!("{cleared:?}");
            edits.extend_from_slice(cleared.edits());
            rewrite::settle(&mut edits);
            Ok((told, Some(edits)))
        }
        Err(refused) => Ok((format!("{refused:?}"), None)),
    }
}

/// Whether the texts that the walk tells of are those that `serde_json` reads: all of them but
/// words of the API's and data, which may be left out.
fn texts(data: &[u8]) -> Result<(), Disagreement> {
    let (mut heard, mut walk) = (Heard::default(), Walk::new());
    let mut reader = Reader::new(Limits::default());
    let mut told = Told {
        walk: &mut walk,
        listener: &mut heard,
    };
    let read = reader.push(data, &mut told);
    if read.and_then(|()| reader.finish(&mut told)).is_err() {
        return Ok(());
    }
    let mut theirs = Vec::new();
    let mut deserializer = serde_json::Deserializer::from_slice(data);
    let strings = Strings {
        may_be_left_out: false,
        found: &mut theirs,
    };
    // A number out of its range ends its reading, not ours.
    if strings.deserialize(&mut deserializer).is_err() {
        return Ok(());
    }
    // Up to how many of ours the texts of theirs so far may be.
    let mut matched = vec![0_usize];
    for (text, may_be_left_out) in theirs {
        let mut next: Vec<usize> = Vec::new();
        for at in matched {
            // Of what begins as data and goes on as text, the data is left out.
            let same = |ours: &String| *ours == text || (may_be_left_out && text.ends_with(ours));
            if heard.0.get(at).is_some_and(same) {
                next.push(at.saturating_add(1));
            }
            if may_be_left_out {
                next.push(at);
            }
        }
        next.sort_unstable();
        next.dedup();
        matched = next;
    }
    if matched.contains(&heard.0.len()) {
        Ok(())
    } else {
        Err(Disagreement::Texts)
    }
}

/// The texts that a walk tells of; empty ones are none.
#[derive(Default)]
struct Heard(Vec<String>);

impl Heard {
    fn more(&mut self, text: &str) {
        if let Some(last) = self.0.last_mut() {
            last.push_str(text);
        }
    }
}

impl Listener for Heard {
    fn begin(&mut self, _unit: u32, _channel: Channel, _escapable: bool) {
        self.0.push(String::new());
    }
    fn run(&mut self, _at: u64, run: &str) {
        self.more(run);
    }
    fn decoded(&mut self, decoded: Decoded<'_>) {
        self.more(decoded.text());
    }
    fn unit(&mut self, _at: u64, _len: u16, text: &str) {
        self.more(text);
    }
    fn role(&mut self, _unit: u32, _channel: Channel) {}
    fn opaque(&mut self, _bytes: u64) {}
}

/// All strings of a JSON text in their order, and all keys.
struct Strings<'a> {
    /// Under a key whose value may be a word of the API's, or data.
    may_be_left_out: bool,
    found: &'a mut Vec<(String, bool)>,
}

impl<'de> DeserializeSeed<'de> for Strings<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strings<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }
    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }
    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }
    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        let may_be_left_out = self.may_be_left_out;
        self.found.push((text.to_owned(), may_be_left_out));
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        loop {
            let seed = Strings {
                may_be_left_out: self.may_be_left_out,
                found: self.found,
            };
            if items.next_element_seed(seed)?.is_none() {
                return Ok(());
            }
        }
    }
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        const LEFT_OUT: [&str; 10] = [
            "role",
            "type",
            "model",
            "data",
            "file_data",
            "b64_json",
            "url",
            "image_url",
            "audio",
            "image",
        ];
        while let Some(key) = entries.next_key::<String>()? {
            let may_be_left_out = LEFT_OUT.contains(&key.as_str());
            let short = !crate::inspect::text::says_something(&key);
            if !short {
                self.found.push((key, false));
            }
            entries.next_value_seed(Strings {
                may_be_left_out,
                found: self.found,
            })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::cross_check;

    #[test]
    fn fuzz_seeds_of_every_kind_are_inspected_alike_at_any_cut() {
        let mut count = 0;
        for folder in ["inspection", "json", "multipart", "validate"] {
            let seeds = format!("{}/fuzz/seeds/{folder}", env!("CARGO_MANIFEST_DIR"));
            for entry in std::fs::read_dir(seeds).expect("the seeds are in the repository") {
                let path = entry.expect("a readable folder").path();
                let body = std::fs::read(&path).expect("a readable seed");
                if body.len() < 20_000 {
                    assert_eq!(cross_check(&body), Ok(()), "{}", path.display());
                    count += 1;
                }
            }
        }
        assert!(count >= 60, "the seeds were found");
    }
}
