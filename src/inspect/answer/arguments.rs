//! Whole texts, and the arguments of tool calls, which are JSON in a JSON string.
//!
//! Decides what is written in their place. Arguments are read as the JSON that they are, so that
//! an escape hides nothing, fields that go are gone there too, and what comes out is JSON again;
//! what is no JSON is judged as text. Never looks into arguments within arguments.

use super::walk::{Walk, Walker, What};
use super::{Broken, By, write};
use crate::inspect::channel::Channel;
use crate::inspect::engine::{Notes, Speech};
use crate::inspect::json::Reader;

/// What stands in the place of a whole text, if something else does, and whether it was cut.
pub(super) fn whole(
    text: &str,
    said: bool,
    by: By<'_>,
    notes: &mut Notes,
) -> Result<(Option<String>, bool), Broken> {
    let channel = if said {
        Channel::Assistant
    } else {
        Channel::Field
    };
    let mut hold = by.policy.hold;
    if !said {
        hold.chars = None;
    }
    let mut speech = Speech::new(channel, 1);
    speech.push(by.inspector, notes, (&hold, by.now), text)?;
    speech.finish(by.inspector, notes)?;
    let release = speech.release();
    if release.is_plain(0, text.len()) {
        return Ok((None, false));
    }
    let mut clean = String::with_capacity(text.len());
    release.write(0, release.end, &mut clean);
    Ok((Some(clean), speech.is_cut()))
}

/// What stands in the place of a call's arguments, if something else does.
pub(super) fn clean(text: &str, by: By<'_>, notes: &mut Notes) -> Result<Option<String>, Broken> {
    let mut walk = Walk::default();
    let mut walker = Walker {
        walk: &mut walk,
        strip: &by.policy.strip,
    };
    let mut reader = Reader::new(by.policy.limits);
    let read = reader
        .push(text.as_bytes(), &mut walker)
        .and_then(|()| reader.finish(&mut walker));
    if read.is_err() || walk.overfull {
        return Ok(whole(text, false, by, notes)?.0);
    }
    let mut edits = Vec::new();
    for spot in &walk.spots {
        if spot.what == What::Data {
            notes.uninspected(spot.text.len());
        } else if let (Some(clean), _) = whole(walk.of(spot), false, by, notes)? {
            let mut bytes = Vec::new();
            write::escape(&clean, &mut bytes);
            edits.push((spot.raw.clone(), bytes));
        }
    }
    edits.extend(walk.cuts.iter().map(|cut| (cut.clone(), Vec::new())));
    if edits.is_empty() {
        return Ok(None);
    }
    edits.sort_by_key(|(range, _)| range.start);
    let (mut out, mut done) = (Vec::with_capacity(text.len()), 0);
    for (range, bytes) in edits {
        out.extend_from_slice(text.as_bytes().get(done..range.start).unwrap_or_default());
        out.extend_from_slice(&bytes);
        done = range.end.max(done);
    }
    out.extend_from_slice(text.as_bytes().get(done..).unwrap_or_default());
    Ok(Some(String::from_utf8_lossy(&out).into_owned()))
}
