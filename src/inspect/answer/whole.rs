//! Answers that are judged whole: JSON, text, and a provider's refusals.
//!
//! Decides which of a provider's refusals may pass: those that tell nothing of its inside.

use super::frame::{common, ending, note_usage, read, replace};
use super::script::Script;
use super::walk::{Walk, What};
use super::{Broken, By, Shape, Talk, Used, arguments};
use crate::inspect::engine::Notes;

/// A plain answer.
pub(super) fn json(
    data: &[u8],
    by: By<'_>,
    (notes, used): (&mut Notes, &mut Used),
    script: &mut Script,
    out: &mut Vec<u8>,
) -> Result<(), Broken> {
    read(data, by, |walk| {
        if walk.error {
            return Err(Broken::Failed);
        }
        judged(walk, (data, by), (notes, used), script, out)
    })
}

/// What gives a provider's inside away, in the words of a fault.
const INSIDE: [&str; 12] = [
    "Traceback",
    "stack trace",
    "\n    at ",
    "\n  File ",
    ".py\"",
    ".rs:",
    ".js:",
    ".go:",
    "/usr/",
    "/home/",
    ".internal",
    ".svc.",
];

/// A refusal of the provider's: it passes whole or not at all.
pub(super) fn fault(
    data: &[u8],
    by: By<'_>,
    (notes, used): (&mut Notes, &mut Used),
    script: &mut Script,
    out: &mut Vec<u8>,
) -> Result<(), Broken> {
    let clean = read(data, by, |walk| {
        if INSIDE.iter().any(|sign| walk.text.contains(sign)) || !walk.cuts.is_empty() {
            return Err(Broken::Failed);
        }
        judged(walk, (data, by), (notes, used), script, out)
    });
    if clean.is_ok() && !notes.is_empty() {
        out.clear();
        return Err(Broken::Failed);
    }
    clean
}

/// An answer that is text.
pub(super) fn text(
    data: &[u8],
    by: By<'_>,
    notes: &mut Notes,
    out: &mut Vec<u8>,
) -> Result<(), Broken> {
    let text = String::from_utf8_lossy(data);
    let (clean, _) = arguments::whole(&text, true, by, notes)?;
    out.extend_from_slice(clean.as_deref().unwrap_or(&text).as_bytes());
    Ok(())
}

/// Judges the strings of a whole frame.
fn judged(
    walk: &Walk,
    (data, by): (&[u8], By<'_>),
    (notes, used): (&mut Notes, &mut Used),
    script: &mut Script,
    out: &mut Vec<u8>,
) -> Result<(), Broken> {
    note_usage(walk, used);
    let start = script.frame(data);
    let (mut changed, mut cut) = (!walk.cuts.is_empty(), Vec::new());
    for spot in &walk.spots {
        let clean = match spot.what {
            What::Data => {
                notes.uninspected(spot.text.len());
                None
            }
            What::Finish | What::Status => None,
            What::Arguments | What::Call | What::OldCall => {
                arguments::clean(walk.of(spot), by, notes)?
            }
            What::Said(_) | What::Piece | What::Block(_) | What::Whole(_) => {
                let said = spot.what != What::Whole(false);
                let (clean, was_cut) = arguments::whole(walk.of(spot), said, by, notes)?;
                if was_cut {
                    cut.push(spot.choice);
                }
                clean
            }
        };
        changed |= clean.is_some();
        replace(script, start, &spot.raw, clean.as_deref());
    }
    for spot in &walk.spots {
        if cut.contains(&spot.choice) {
            replace(script, start, &spot.raw, ending(walk, spot));
        }
    }
    common(walk, start, changed, script);
    script.play(&mut Talk::default(), Shape::Other, out);
    Ok(())
}
