//! One frame of an answer: read, judged, and what becomes of its parts.
//!
//! Decides which strings are pieces of texts that go on, when those texts are over, and whether
//! the provider has said its end or its failure. Never writes bytes; that is `script`'s.

use std::cell::RefCell;
use std::ops::Range;

use super::again::{Again, Gaps, Same};
use super::script::{Act, Form, Script};
use super::sse::Event;
use super::texts::{Key, Text};
use super::walk::{Spot, Walk, Walker, What};
use super::words::Word;
use super::{Broken, By, Shape, Talk, Used, arguments, write};
use crate::inspect::engine::Notes;
use crate::inspect::json::Reader;

const DONE: &[u8] = b"[DONE]";

thread_local! {
    static WALK: RefCell<Walk> = RefCell::default();
}

/// Reads a frame to its end.
pub(super) fn read<R>(
    data: &[u8],
    by: By<'_>,
    then: impl FnOnce(&Walk) -> Result<R, Broken>,
) -> Result<R, Broken> {
    WALK.with_borrow_mut(|walk| {
        walk.clear();
        let mut walker = Walker {
            walk,
            strip: &by.policy.strip,
        };
        let mut reader = Reader::new(by.policy.limits);
        reader.push(data, &mut walker)?;
        reader.finish(&mut walker)?;
        if walk.overfull {
            return Err(Broken::TooLarge);
        }
        then(walk)
    })
}

/// One event of a stream.
pub(super) fn event(
    talk: &mut Talk,
    event: Event<'_>,
    (shape, by): (Shape, By<'_>),
    (notes, used): (&mut Notes, &mut Used),
    script: &mut Script,
) -> Result<(), Broken> {
    let (Some(data), Some((offset, _))) = (event.payload(), event.data) else {
        script.frame(event.bytes);
        return Ok(());
    };
    if data == DONE {
        return done(talk, event, (shape, by), notes, script);
    }
    if data.is_empty() {
        return Ok(());
    }
    if let Some(again) = talk.again.take()
        && let Some(same) = again.same(event.bytes)
    {
        let heard = repeated(talk, &again, (event.bytes, same), (by, notes), script);
        talk.again = Some(again);
        return heard;
    }
    read(data, by, |walk| {
        if walk.error || matches!(&*walk.kind, "error" | "response.failed" | "response.error") {
            return Err(Broken::Failed);
        }
        note_usage(walk, used);
        if talk.without_usage && says_usage_alone(walk) {
            return Ok(());
        }
        if shape == Shape::Chat && talk.envelope.is_empty() {
            talk.envelope = envelope(walk, data);
        }
        let begins = script.frame(event.bytes);
        let judged = judge(
            talk,
            walk,
            begins.saturating_add(offset),
            (by, notes),
            script,
        );
        if judged.is_err() {
            script.forget(begins);
        }
        let touched = judged?;
        let alters = by.inspector.alters();
        common(walk, begins.saturating_add(offset), alters, script);
        if !talk.reads_each {
            talk.again = remember(walk, event.bytes, offset, alters);
        }
        let place = (begins, begins.saturating_add(offset));
        let ended = ends(talk, walk, place, (shape, by), (notes, &touched), script);
        if ended.is_err() {
            script.forget(begins);
        }
        ended
    })
}

/// The end of a chat stream.
fn done(
    talk: &mut Talk,
    event: Event<'_>,
    (shape, by): (Shape, By<'_>),
    notes: &mut Notes,
    script: &mut Script,
) -> Result<(), Broken> {
    if matches!(shape, Shape::Responses | Shape::Messages) {
        // Not the end of these.
        return Ok(());
    }
    talk.texts.end(
        |_| true,
        by,
        notes,
        |place, total| script.flush(place, total, Form::Event),
    )?;
    script.frame(event.bytes);
    talk.ended = true;
    Ok(())
}

/// Judges the strings of an event; the places of the texts that it has pieces of.
fn judge(
    talk: &mut Talk,
    walk: &Walk,
    start: usize,
    (by, notes): (By<'_>, &mut Notes),
    script: &mut Script,
) -> Result<Vec<usize>, Broken> {
    let mut touched = Vec::new();
    // What an aggregate repeats was found when it was said.
    let again = walk.kind.strip_suffix(".done").is_some()
        || matches!(&*walk.kind, "response.completed" | "response.incomplete");
    for spot in &walk.spots {
        if let Some((key, kind)) = key(walk, spot) {
            let text = (key, (kind, walk.item.as_str()));
            let piece = (moved(&spot.raw, start), walk.of(spot));
            touched.push(own(talk, text, piece, (by, notes), script)?);
            continue;
        }
        let cut = talk.texts.is_cut();
        let clean = match spot.what {
            What::Finish | What::Status if cut => ending(walk, spot).map(str::to_owned),
            What::Finish | What::Status => None,
            What::Arguments => {
                notes.again(again);
                arguments::clean(walk.of(spot), by, notes)?
            }
            What::Data | What::Piece => {
                notes.uninspected(spot.text.len());
                None
            }
            What::Said(_) | What::Call | What::OldCall | What::Block(_) | What::Whole(_) => {
                notes.again(again);
                let said = spot.what == What::Whole(true);
                arguments::whole(walk.of(spot), said, by, notes)?.0
            }
        };
        notes.again(false);
        replace(script, start, &spot.raw, clean.as_deref());
    }
    Ok(touched)
}

/// More of a text: judged, and where it stands noted; the text's place.
fn own(
    talk: &mut Talk,
    (key, names): (Key, (&str, &str)),
    (range, piece): (Range<usize>, &str),
    (by, notes): (By<'_>, &mut Notes),
    script: &mut Script,
) -> Result<usize, Broken> {
    let text = talk.texts.place(key, names, by)?;
    let (start, end) = talk.texts.push(text, piece, by, notes)?;
    let anew = end.saturating_sub(start) != piece.len();
    let act = Act::Own {
        text,
        start,
        end,
        anew,
    };
    script.cue(range, act);
    Ok(text)
}

/// An event that is the same as the one before, but for what stands in its gaps.
fn repeated(
    talk: &mut Talk,
    again: &Again,
    (event, same): (&[u8], Same<'_>),
    (by, notes): (By<'_>, &mut Notes),
    script: &mut Script,
) -> Result<(), Broken> {
    let begins = script.frame(event);
    let (range, text) = same.piece;
    let names = (again.key.clone(), (&*again.kind, &*again.item));
    let piece = (moved(&range, begins), &*text);
    if let Err(broken) = own(talk, names, piece, (by, notes), script) {
        script.forget(begins);
        return Err(broken);
    }
    if let Some((range, number)) = &same.number {
        script.cue(moved(range, begins), Act::Number(*number));
    }
    Ok(())
}

/// The event, if a piece of a text is all that matters in it, besides its number.
fn remember(walk: &Walk, event: &[u8], offset: usize, alters: bool) -> Option<Again> {
    let [spot] = walk.spots.as_slice() else {
        return None;
    };
    let data = event.get(offset..)?;
    let stays = |(range, _): &(Range<usize>, bool)| data.get(range.clone()) == Some(b"[]");
    let more = !walk.cuts.is_empty()
        || (alters && !walk.logprobs.iter().all(stays))
        || walk.prompted.is_some()
        || walk.completed.is_some()
        || walk.choices.iter().any(|choice| choice.finished)
        || ends_some(&walk.kind);
    let (key, kind) = key(walk, spot).filter(|_| !more)?;
    let gaps = Gaps {
        piece: spot.raw.clone(),
        number: walk.sequence.as_ref().map(|(range, _)| range.clone()),
        names: &walk.names,
    };
    Again::new((event, offset), &gaps, key, (kind, &walk.item))
}

/// Whether an event of this type can end a text.
fn ends_some(kind: &str) -> bool {
    ends_all(kind) || kind.strip_suffix(".done").is_some() || kind == "content_block_stop"
}

/// Whether an event of this type ends the stream, and with it all texts.
fn ends_all(kind: &str) -> bool {
    matches!(
        kind,
        "message_stop" | "response.completed" | "response.incomplete" | "response.cancelled"
    )
}

/// The text of which a string is a piece, and the type of its events.
fn key<'w>(walk: &'w Walk, spot: &Spot) -> Option<(Key, &'w str)> {
    let (choice, part, kind) = match spot.what {
        What::Said(_) | What::OldCall => (walk.choice(spot), 0, ""),
        What::Call => (walk.choice(spot), walk.tool(spot), ""),
        What::Block(_) => (0, walk.index, ""),
        What::Piece if !walk.kind.contains("audio.delta") => {
            (walk.output, walk.part, walk.kind.as_str())
        }
        What::Piece
        | What::Whole(_)
        | What::Arguments
        | What::Finish
        | What::Status
        | What::Data => return None,
    };
    let what = spot.what;
    Some((Key { what, choice, part }, kind))
}

/// The texts that an event ends, and whether it is the stream's end.
fn ends(
    talk: &mut Talk,
    walk: &Walk,
    (begins, start): (usize, usize),
    (shape, by): (Shape, By<'_>),
    (notes, touched): (&mut Notes, &[usize]),
    script: &mut Script,
) -> Result<(), Broken> {
    let kind = walk.kind.as_str();
    let all = ends_all(kind);
    let over = |text: &Text| match kind {
        "content_block_stop" => text.key.part == walk.index,
        "response.output_item.done" => text.key.choice == walk.output,
        _ if all => true,
        _ => {
            let finished =
                |choice: &super::walk::Choice| choice.finished && choice.index == text.key.choice;
            let same_kind = kind
                .strip_suffix(".done")
                .is_some_and(|stem| text.kind.strip_suffix(".delta") == Some(stem));
            (text.kind.is_empty() && walk.choices.iter().any(finished))
                || (same_kind && text.key.choice == walk.output && text.key.part == walk.part)
        }
    };
    let mut closed = Vec::new();
    talk.texts.end(over, by, notes, |place, total| {
        if !touched.contains(&place) {
            closed.push((place, total));
        }
    })?;
    let mut inserted = Vec::new();
    for (place, total) in closed {
        let Some(text) = talk.texts.get(place) else {
            continue;
        };
        let choice = text.key.choice;
        let delta = walk.choices.iter().find(|known| known.index == choice);
        let delta = delta.and_then(|choice| choice.delta);
        let member = matches!(text.key.what, What::Said(word) if word != Word::Text);
        let (at, form) = match delta {
            Some((at, empty)) if member && !inserted.contains(&choice) => {
                inserted.push(choice);
                (start.saturating_add(at), Form::Member(!empty))
            }
            Some(_) | None => (begins, Form::Event),
        };
        let act = Act::Flush {
            text: place,
            end: total,
            form,
        };
        script.cue(at..at, act);
    }
    talk.ended |= all && shape != Shape::Chat;
    Ok(())
}

/// What every frame has: fields that go, probabilities of words that may be masked, its number.
pub(super) fn common(walk: &Walk, start: usize, changed: bool, script: &mut Script) {
    for cut in &walk.cuts {
        script.cue(moved(cut, start), Act::Write(Box::default()));
    }
    for (range, array) in walk.logprobs.iter().filter(|_| changed) {
        let nothing: &[u8] = if *array { b"[]" } else { b"null" };
        script.cue(moved(range, start), Act::Write(nothing.into()));
    }
    if let Some((range, number)) = &walk.sequence {
        script.cue(moved(range, start), Act::Number(*number));
    }
}

pub(super) fn replace(script: &mut Script, start: usize, raw: &Range<usize>, clean: Option<&str>) {
    if let Some(clean) = clean {
        let mut bytes = Vec::with_capacity(clean.len());
        write::escape(clean, &mut bytes);
        script.cue(moved(raw, start), Act::Write(bytes.into()));
    }
}

fn moved(range: &Range<usize>, by: usize) -> Range<usize> {
    range.start.saturating_add(by)..range.end.saturating_add(by)
}

/// The truth about why a text that was cut has ended.
pub(super) fn ending(walk: &Walk, spot: &Spot) -> Option<&'static str> {
    match (spot.what, walk.of(spot)) {
        (What::Finish, "stop" | "content_filter") => Some("length"),
        (What::Finish, "end_turn" | "stop_sequence") => Some("max_tokens"),
        (What::Status, "completed") => Some("incomplete"),
        _ => None,
    }
}

pub(super) fn note_usage(walk: &Walk, used: &mut Used) {
    used.prompt = walk.prompted.or(used.prompt);
    used.completion = walk.completed.or(used.completion);
}

/// Whether a chunk of a chat holds no choice and says what was used.
fn says_usage_alone(walk: &Walk) -> bool {
    let used = walk.prompted.is_some() || walk.completed.is_some();
    used && walk.choices.is_empty() && walk.spots.is_empty()
}

fn envelope(walk: &Walk, data: &[u8]) -> Box<[u8]> {
    let raw = |range: &Option<Range<usize>>| {
        let range = range.clone()?;
        data.get(range).filter(|raw| raw.len() <= 256)
    };
    match (raw(&walk.id), raw(&walk.created), raw(&walk.model)) {
        (Some(id), Some(created), Some(model)) => write::envelope(id, created, model),
        _ => Box::default(),
    }
}
