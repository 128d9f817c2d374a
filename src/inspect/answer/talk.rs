//! A stream's events as they are heard: what is known of it from one to the next.
//!
//! Decides nothing by itself: events are read by `frame`, or found to be the same as the one
//! before, and written on by `script`. Its state is bounded by that of its texts.

use super::again::{Again, Same};
use super::script::{Form, Script};
use super::sse::Framer;
use super::texts::Texts;
use super::{Broken, By, Shape, Used, frame, write};
use crate::inspect::engine::Notes;

/// What is known of a stream besides its unfinished event.
#[derive(Debug, Default)]
pub(super) struct Talk {
    pub(super) texts: Texts,
    /// Parts that every event of a chat stream repeats, for events of our own.
    pub(super) envelope: Box<[u8]>,
    /// How far `sequence_number` has moved on.
    pub(super) shift: u64,
    pub(super) last_number: u64,
    /// The event before, if all it had was a piece of a text.
    pub(super) again: Option<Again>,
    /// Every event is read as JSON, to compare with.
    pub(super) reads_each: bool,
    pub(super) ended: bool,
    /// A chunk that says nothing but what was used goes no further.
    pub(super) without_usage: bool,
}

/// What stands anew in an event that is otherwise as it was.
enum Part<'s> {
    Said(&'s str),
    Number(u64),
}

impl Talk {
    pub(super) fn state_bytes(&self) -> usize {
        let again = self.again.as_ref().map_or(0, Again::state_bytes);
        let texts = self.texts.state_bytes();
        texts
            .saturating_add(again)
            .saturating_add(self.envelope.len())
    }

    pub(super) const fn next_number(&self) -> u64 {
        self.last_number
            .saturating_add(self.shift)
            .saturating_add(1)
    }

    /// Bytes that are one event, the same as the one before but for what stands in its gaps: they
    /// are neither framed nor read, and written on as they are heard. None if they are not.
    fn same(
        &mut self,
        bytes: &[u8],
        (by, notes): (By<'_>, &mut Notes),
        script: &mut Script,
        out: &mut Vec<u8>,
    ) -> Option<Result<(), Broken>> {
        let again = self.again.as_ref().filter(|again| again.as_it_came)?;
        let Same { piece, number } = again.same(bytes)?;
        let ((at, said), names) = (piece, (&*again.kind, &*again.item));
        let texts = &mut self.texts;
        let heard = texts.place(again.key.clone(), names, by).and_then(|place| {
            let (start, end) = texts.push(place, &said, by, notes)?;
            Ok((place, start, end))
        });
        let (place, start, end) = match heard {
            Ok(heard) => heard,
            Err(broken) => return Some(Err(broken)),
        };
        let anew = end.saturating_sub(start) != said.len();
        let text = texts.get(place);
        let said = text.and_then(|text| script.alone(place, text, (start, end), anew));
        let number = number.and_then(|(at, number)| {
            self.last_number = number;
            let moved = number.saturating_add(self.shift);
            (self.shift > 0).then_some((at, Part::Number(moved)))
        });
        let mut parts = [said.map(|said| (at, Part::Said(said))), number];
        if let [Some((said, _)), Some((number, _))] = &parts
            && number.start < said.start
        {
            parts.reverse();
        }
        let mut done = 0;
        for (at, part) in parts.into_iter().flatten() {
            out.extend_from_slice(bytes.get(done..at.start).unwrap_or_default());
            match part {
                Part::Said(said) => write::escape(said, out),
                Part::Number(number) => out.extend_from_slice(number.to_string().as_bytes()),
            }
            done = at.end;
        }
        out.extend_from_slice(bytes.get(done..).unwrap_or_default());
        texts.written();
        Some(Ok(()))
    }

    /// The events that these bytes end.
    pub(super) fn hear(
        &mut self,
        (framer, bytes): (&mut Framer, &[u8]),
        (shape, by): (Shape, By<'_>),
        (notes, used): (&mut Notes, &mut Used),
        script: &mut Script,
        out: &mut Vec<u8>,
    ) -> Result<(), Broken> {
        if !self.ended
            && framer.is_at_start()
            && let Some(heard) = self.same(bytes, (by, notes), script, out)
        {
            return heard;
        }
        let heard = framer.push(bytes, |event| {
            if self.ended {
                // Nothing belongs behind the end.
                return Ok(());
            }
            frame::event(self, event, (shape, by), (notes, used), script)
        });
        // What came before the fault has been judged and may leave.
        script.play(self, shape, out);
        heard
    }

    /// A stream that has no end of its own is over.
    pub(super) fn over(
        &mut self,
        by: By<'_>,
        notes: &mut Notes,
        script: &mut Script,
        out: &mut Vec<u8>,
    ) -> Result<(), Broken> {
        let ended = self.texts.end(
            |_| true,
            by,
            notes,
            |place, total| {
                script.flush(place, total, Form::Event);
            },
        );
        script.play(self, Shape::Other, out);
        ended
    }

    /// Texts whose time is up leave in events of our own.
    pub(super) fn expire(
        &mut self,
        (shape, by): (Shape, By<'_>),
        notes: &mut Notes,
        script: &mut Script,
        out: &mut Vec<u8>,
    ) -> Result<(), Broken> {
        let expired = self.texts.expire(by, notes, script);
        script.play(self, shape, out);
        expired.map_err(Broken::from)
    }
}
